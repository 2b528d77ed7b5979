"""Depth maps to meshes: a grid torn at depth edges, a second layer behind the edges, and a far dome."""

from __future__ import annotations

import numpy as np

from .lens import Lens

TEAR = 0.12  # log depth across a cell from which it is torn, unless it is level
REACH = 0.03  # how far the second layer goes under the near side, in long sides
DOME_STEP = 16
DOME_AT = 3.0  # in farthest distances of the set
DOME_FARTHEST = 1000.0
DOME_BEHIND = (
    0.06  # how far the sky goes on behind the skyline, in long sides: beyond a tear in a wall there is no blue
)

Arrays = dict[str, np.ndarray]


def build_front(depth: np.ndarray, lens: Lens, step: int, sky: np.ndarray, holes: np.ndarray) -> Arrays:
    """The set as seen: every cell that is neither torn nor sky.

    `holes` (the plate filled them) are not observed.
    """
    grid = Grid(depth.shape, step, lens)
    torn = grid.find_torn(depth, lens)
    keep = ~torn & ~grid.any_corner(sky)
    observed = np.where(grid.take(holes), 0, 1)
    grid.snap(depth)
    return grid.mesh("set", grid.lift(depth), keep, observed)


def build_behind(depth: np.ndarray, plate: np.ndarray, lens: Lens, step: int, sky: np.ndarray) -> Arrays:
    """What lies behind the near side of every depth edge: the far side's depth and colours, carried on.

    It also covers the torn cells themselves, so that the shot has no crack from where it was taken.
    """
    import cv2

    grid = Grid(depth.shape, step, lens)
    reach = max(2 * step, round(REACH * max(depth.shape)))
    log = np.log(depth).astype(np.float32)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    far = cv2.dilate(np.where(sky, log.min(), log), disc) if not sky.all() else log
    torn = grid.find_torn(depth, lens) & ~grid.all_corners(sky)
    wanted = torn | grid.any_corner(((far - log > TEAR) & _near_edge(grid, torn, reach)) & ~sky)
    hidden = far - log > TEAR / 2
    behind = np.where(hidden, far, log)
    behind = np.where(hidden, cv2.GaussianBlur(behind, (0, 0), max(1.0, reach / 4)), log)
    behind = np.where(hidden, np.maximum(behind, log + 0.01), log + 0.002)
    carried = np.exp(behind.astype(np.float64))
    positions = grid.lift(carried)
    wanted &= ~grid.find_torn(carried, lens)  # where it would climb back to the near side
    arrays = grid.mesh("behind", positions, wanted, np.zeros(len(positions), np.uint8))
    seen = hidden & (_enlarge(grid, torn) > 0)  # the shot itself shows these: the plate's own colours
    arrays["behind.texture"] = _carry_colours(plate, hidden & ~seen, (far - log < TEAR / 4) & ~seen, reach)
    return arrays


def build_dome(plate: np.ndarray, depth: np.ndarray, lens: Lens, sky: np.ndarray) -> Arrays:
    """The sky as a far dome, its colours carried on a little way behind the skyline; empty without sky."""
    import cv2

    grid = Grid(depth.shape, DOME_STEP, lens)
    far = float(depth[~sky].max()) if (~sky).any() else DOME_FARTHEST / DOME_AT
    radius = min(DOME_FARTHEST, DOME_AT * far)
    rays = grid.rays
    positions = rays / np.linalg.norm(rays, axis=-1, keepdims=True) * radius
    reach = 2 * round(DOME_BEHIND * max(depth.shape)) + 1
    around = cv2.dilate(sky.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))) > 0
    arrays = grid.mesh("sky", positions, grid.any_corner(around), grid.take(sky).astype(np.uint8))
    texture = _carry_colours(plate, ~sky, sky, max(plate.shape)) if sky.any() else plate[:1, :1]
    return arrays | {"sky.texture": np.ascontiguousarray(texture)}


class Grid:
    """Vertices every `step` pixels of a map, the last included, stretched to the picture's rim."""

    def __init__(self, shape: tuple[int, int], step: int, lens: Lens) -> None:
        self.shape, self._lens = shape, lens
        self.own_depth: np.ndarray | None = None  # of vertices that have been moved to an edge
        self.rows, self.columns = (_spread(n, step) for n in shape)
        self.cells = (len(self.rows) - 1, len(self.columns) - 1)
        x, y = self.columns + 0.5, self.rows + 0.5  # pixel centres; the outermost lie on the picture's rim
        x[0], x[-1], y[0], y[-1] = 0, shape[1], 0, shape[0]
        self._put(*np.meshgrid(x, y))

    def _put(self, x: np.ndarray, y: np.ndarray) -> None:
        """Let the vertices lie at continuous pixels of the map, [rows, columns] each."""
        h, w = self.shape
        self.at = (np.clip(y.astype(int), 0, h - 1), np.clip(x.astype(int), 0, w - 1))
        self.uvs = np.stack([x / w, y / h], -1).reshape(-1, 2).astype(np.float32)
        u, v = x / w * self._lens.width, y / h * self._lens.height
        rays = [(u - self._lens.cx) / self._lens.fx, (v - self._lens.cy) / self._lens.fy, np.ones_like(u)]
        self.rays = np.stack(rays, -1).reshape(-1, 3)

    def snap(self, depth: np.ndarray) -> None:
        """Move vertices on either side of a depth edge to the edge, so that torn surfaces reach it."""
        log = np.log(depth)
        across = _find_edges(log[self.rows], self.columns)
        along = _find_edges(log[:, self.columns].T, self.rows).transpose(1, 0, 2)
        x, y = (self.uvs.reshape(*across.shape[:2], 2) * (self.shape[1], self.shape[0])).transpose(2, 0, 1)
        x, y = x.astype(np.float64) + across.sum(-1), y.astype(np.float64) + along.sum(-1)
        x[:, [0, -1]], y[[0, -1]] = (0, self.shape[1]), np.array([[0], [self.shape[0]]])
        own = self.take(log).reshape(x.shape)
        self._put(x, y)
        strayed = np.abs(log[self.at] - own) > TEAR / 2  # past an edge that runs aslant: stay on one's own side
        self.own_depth = np.where(strayed, np.exp(own), depth[self.at]).reshape(-1)

    def take(self, values: np.ndarray) -> np.ndarray:
        """The map's values at the vertices, flat."""
        return values[np.ix_(self.rows, self.columns)].reshape(-1)

    def lift(self, depth: np.ndarray) -> np.ndarray:
        """Vertices f64[n,3] at the map's depth, camera axes."""
        return self.rays * (self.take(depth) if self.own_depth is None else self.own_depth)[:, None]

    def corners(self, values: np.ndarray) -> np.ndarray:
        """The four corner values of every cell, [rows, columns, 4]."""
        v = values[np.ix_(self.rows, self.columns)]
        return np.stack([v[:-1, :-1], v[:-1, 1:], v[1:, 1:], v[1:, :-1]], -1)

    def any_corner(self, mask: np.ndarray) -> np.ndarray:
        """Cells with a corner in the mask."""
        return np.asarray(self.corners(mask).any(-1))

    def all_corners(self, mask: np.ndarray) -> np.ndarray:
        """Cells with every corner in the mask."""
        return np.asarray(self.corners(mask).all(-1))

    def find_torn(self, depth: np.ndarray, lens: Lens) -> np.ndarray:
        """Cells across which depth jumps; level ground seen at a grazing angle is not torn."""
        logs = self.corners(np.log(depth))
        points = self.lift(depth).reshape(len(self.rows), len(self.columns), 3)
        below = points @ lens.down
        stacked = np.stack([below[:-1, :-1], below[:-1, 1:], below[1:, 1:], below[1:, :-1]], -1)
        rise = np.ptp(stacked, axis=-1)
        level = (rise < 0.1 * stacked.max(-1)) & (stacked.min(-1) > 0.1 * lens.height_m)
        return (np.ptp(logs, axis=-1) > TEAR) & ~level

    def mesh(self, name: str, positions: np.ndarray, keep: np.ndarray, observed: np.ndarray) -> Arrays:
        """The kept cells as triangles, with only the vertices they use."""
        index = np.arange(len(positions)).reshape(len(self.rows), len(self.columns))
        a, b, c, d = index[:-1, :-1][keep], index[:-1, 1:][keep], index[1:, 1:][keep], index[1:, :-1][keep]
        faces = np.concatenate([np.stack([a, d, b], 1), np.stack([b, d, c], 1)])
        used = np.zeros(len(positions), bool)
        used[faces] = True
        renumber = np.cumsum(used) - 1
        return {
            f"{name}.positions": positions[used].astype(np.float32),
            f"{name}.faces": renumber[faces].astype(np.uint32),
            f"{name}.uvs": self.uvs[used],
            f"{name}.observed": np.asarray(observed, np.uint8)[used],
        }


def _spread(size: int, step: int) -> np.ndarray:
    """Indices 0, step, ... and the last; a map of one pixel still makes one cell."""
    indices = np.arange(0, size - 1, step) if size > 1 else np.array([0])
    return np.append(indices, max(size - 1, 0))


def _find_edges(log: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """How far each stop may move [lines, stops, (back, on)] along lines of log depth, to the edges beside it.

    Edges are where depth jumps most between two stops that differ by more than TEAR.
    """
    moves = np.zeros((len(log), len(stops), 2))
    gap = int(np.diff(stops).max(initial=0))
    if gap < 2:
        return moves
    first, last = stops[:-1], stops[1:]
    reach = np.minimum(first[:, None] + np.arange(gap + 1), last[:, None])
    between = log[:, reach]
    jump = np.abs(np.diff(between, axis=-1)).argmax(-1)
    torn = np.abs(between[..., -1] - between[..., 0]) > TEAR
    moves[:, :-1, 1] = np.where(torn, jump + 0.5, 0)
    moves[:, 1:, 0] = np.where(torn, jump + 0.5 - (last - first), 0)
    both = (moves != 0).all(-1)
    moves[both] = 0  # thinner than the grid: nothing to gain
    return moves


def _near_edge(grid: Grid, torn: np.ndarray, reach: int) -> np.ndarray:
    """Pixels of the map within reach of a torn cell."""
    import cv2

    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(_enlarge(grid, torn), disc) > 0


def _enlarge(grid: Grid, cells: np.ndarray) -> np.ndarray:
    """Cells as pixels u8[h,w] of the map."""
    rows = np.minimum(np.searchsorted(grid.rows, np.arange(grid.shape[0]), "right") - 1, len(cells) - 1)
    columns = np.minimum(np.searchsorted(grid.columns, np.arange(grid.shape[1]), "right") - 1, cells.shape[1] - 1)
    return np.ascontiguousarray(cells[np.ix_(rows, columns)].astype(np.uint8))


def _carry_colours(plate: np.ndarray, hidden: np.ndarray, sources: np.ndarray, reach: int) -> np.ndarray:
    """The plate with hidden pixels coloured from sources, smoothly with distance (push-pull)."""
    import cv2

    weight = (sources & ~hidden).astype(np.float32)
    if not weight.any():
        return plate
    colours = plate.astype(np.float32) * weight[..., None]
    stack = []
    size = 1
    while size < 2 * reach and min(weight.shape) > 2:
        stack.append((colours, weight))
        colours, weight = cv2.pyrDown(colours), cv2.pyrDown(weight)
        size *= 2
    filled = colours / np.maximum(weight, 1e-6)[..., None]
    for colours, weight in reversed(stack):
        up = cv2.resize(filled, (weight.shape[1], weight.shape[0]), interpolation=cv2.INTER_LINEAR)
        share = np.clip(weight * 4, 0, 1)[..., None]
        filled = colours / np.maximum(weight, 1e-6)[..., None] * share + up * (1 - share)
    return np.where(hidden[..., None], np.clip(filled, 0, 255), plate).astype(np.uint8)
