"""A closed textured solid from one masked prop: its front follows the depth, its back is inflated."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, NamedTuple

import numpy as np

from ...errors import BadInput
from .atlas import paint_atlas
from .double_sheet import Sheet, close, inflate, is_watertight, march
from .lens import down_axis, facing_axis, pixel_rays
from .place import contact_point, drop_specks

PINHOLE_SHARE = 0.001
"""Holes smaller than this share of the mask are closed."""

SPECK_SHARE = 0.004
"""Parts smaller than this share of the largest are left out: a lamp that a spoke holds is none."""

FAITHFUL_IOU = 0.975
"""The grid is refined until its outline agrees this well with the mask."""

NETWORK_CELLS = 128
"""Cells of the depth network along the still's long side: depth is blurred over about one of them."""

EDGE_CELLS, SMOOTH_CELLS = 1.2, 0.5
"""So near to the mask's edge depth is not believed, and so far it is smoothed, in those cells."""

RELIEF_SIZES = 1.2
"""How far the front may reach before or behind the contact, in sizes of the prop."""

LEAST_CELLS, TRUSTED_CELLS, BELIEF = 4, 450, 0.9
"""Depth shapes a prop of more than that many of those cells, at most to that share from so many on."""


class Form(NamedTuple):
    """What the unseen back is like; see `solidify`."""

    thickness: float
    profile: float
    back: str


class Frame(NamedTuple):
    """Where a prop stands, in camera axes."""

    contact: np.ndarray
    """Ray f64[3] (z = 1) of the contact point."""
    distance: float
    """Metres along the axis of the contact point."""
    down: np.ndarray
    ahead: np.ndarray
    """Level, away from the camera."""
    side: np.ndarray
    """Level, across."""


CLEAR, LEAST_NEARER = 0.985, 0.88
"""Share of the plate's distance at which a prop's front shall end; how much nearer it may be brought for that."""


def load(weights: Path | None, device: str) -> dict[str, Callable[..., Any]]:
    """Return {"solidify"}; needs no weights."""
    return {"solidify": solidify}


def solidify(arrays: dict[str, Any], params: dict[str, Any], tick: Callable[[int, int], None]) -> dict[str, Any]:
    """Make a closed solid that, seen through the camera, covers exactly the mask.

    foreground u8[H,W,3], alpha u8[H,W] at the still's size, depth and (optional) plate_depth f32[h,w] metres along
    the axis; params camera
    {width, height, fx, fy, cx, cy, pitch, roll, height_m}, support {"kind": "floor"} or {"kind": "depth",
    "distance_m": z of the contact point}, grid (cells along the mask's long side), back ("inflated", "mirrored",
    "flat": cut off where the outline lies), thickness (of an inflated back in half widths, of a mirrored one in
    depths of the front), profile (how an inflated back's depth follows its width: 0.5 is round, less is boxier).

    Every vertex lies on the ray of its pixel. The front is a blend of plain inflation about an upright plane
    through the contact and of the depth inside the mask, scaled to meet the contact; an inflated back is the
    front pushed away by Poisson inflation, no lower than the base.

    Returns positions f32[n,3] (camera axes, metres, in place), faces u32[m,3] (welded, outward), corner_uvs
    f32[m,3,2], texture u8[h,2w,3] (front | back), observed u8[n], watertight, flat (the depth had no usable
    relief), triangles. Raises BadInput for an empty mask.
    """
    alpha = arrays["alpha"]
    camera = params["camera"]
    soft, box = _clean(alpha)
    tick(0, 4)
    sheet, field, step = _faithful_sheet(soft, int(params["grid"]))
    pixels = sheet.points * step + [box[1].start, box[0].start]
    bulge = inflate(field > 0.5)
    tick(1, 4)
    frame = _stand(_full(soft > 0.5, box, alpha.shape), camera, params["support"])
    form = Form(float(params["thickness"]), float(params["profile"]), params["back"])
    front, back, flat = _shape(sheet, bulge, pixels, step, arrays["depth"], camera, frame, form)
    if "plate_depth" in arrays:
        nearer = _stay_before(front, _sample(arrays["plate_depth"], pixels, camera))
        front, back = front * nearer, back * nearer
    tick(2, 4)
    faces, over = close(sheet)
    positions = pixel_rays(camera, pixels[:, 0], pixels[:, 1])[over]
    positions *= np.concatenate([front, back[: sheet.inner]])[:, None]
    texture, window = paint_atlas(arrays["foreground"], alpha, box)
    uvs = (pixels - window[0]) / window[1]
    half = len(faces) // 2
    corner_uvs = uvs[over[faces]] * [0.5, 1.0]
    if form.back != "mirrored":  # which wears the front's picture
        corner_uvs[half:, :, 0] += 0.5
    observed = np.ones(len(over), np.uint8)
    observed[len(sheet.points) :] = 0
    tick(3, 4)
    return {
        "positions": positions.astype(np.float32),
        "faces": faces.astype(np.uint32),
        "corner_uvs": corner_uvs.astype(np.float32),
        "texture": texture,
        "observed": observed,
        "axes": "opencv",
        "watertight": is_watertight(faces),
        "flat": flat,
        "triangles": len(faces),
    }


def _clean(alpha: np.ndarray) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Alpha f32[h,w] 0..1 without specks and pinholes, and the slices of the still that it covers."""
    import cv2

    inside = (alpha > 127).astype(np.uint8)
    if not inside.any():
        raise BadInput("The mask is empty. Click on the object first.")
    ys, xs = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    box = (
        slice(max(0, int(ys[0]) - 3), min(alpha.shape[0], int(ys[-1]) + 4)),
        slice(max(0, int(xs[0]) - 3), min(alpha.shape[1], int(xs[-1]) + 4)),
    )
    inside = inside[box]
    soft = alpha[box].astype(np.float32) / 255
    kept = drop_specks(inside > 0, SPECK_SHARE)
    soft[(inside > 0) & ~kept] = 0
    area = int(kept.sum())
    inside = kept.astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - inside, connectivity=4)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    tiny = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] < max(2.0, PINHOLE_SHARE * area))
    soft[np.isin(labels, np.setdiff1d(tiny, np.append(edge, 0))) & (inside == 0)] = 1
    return soft, box


def _full(inside: np.ndarray, box: tuple[slice, slice], shape: tuple[int, int]) -> np.ndarray:
    """bool[h,w] of a crop put back into bool[H,W]."""
    whole = np.zeros(shape, bool)
    whole[box] = inside
    return whole


def _faithful_sheet(soft: np.ndarray, grid: int) -> tuple[Sheet, np.ndarray, np.ndarray]:
    """Sheet in pixel-sized steps over alpha f32[h,w]: (sheet with points in cells, grid field, pixels per cell).

    Points times the step are continuous pixels of the crop. The grid grows, up to twice, while thin parts
    are lost.
    """
    import cv2

    height, width = soft.shape
    wanted = soft > 0.5
    for refined in (grid, round(1.5 * grid), 2 * grid):
        scale = min(4.0, refined / max(height, width))
        size = (max(2, round(width * scale)), max(2, round(height * scale)))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        field = cv2.resize(soft, size, interpolation=method)
        if not (field > 0.5).any():  # thinner than a cell everywhere: keep its ridge
            field = field * (0.75 / field.max())
        seen = cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
        if (seen & wanted).sum() >= FAITHFUL_IOU * max(1, (seen | wanted).sum()) or scale >= 1:
            break
    field = np.pad(field, 1)
    sheet = march(field)
    step = np.array([width / size[0], height / size[1]])
    return sheet._replace(points=sheet.points - 0.5), field, step


def _stand(inside: np.ndarray, camera: dict[str, Any], support: dict[str, Any]) -> Frame:
    """Frame of a prop from its mask bool[H,W] and its support."""
    x, y = contact_point(inside, camera)
    contact = pixel_rays(camera, x, y)
    down = down_axis(camera)
    if support["kind"] == "floor":
        distance = float(camera["height_m"]) / float(contact @ down)
        if not 0 < distance < np.inf:
            raise BadInput("The prop's lowest point is above the horizon, so it cannot stand on the floor.")
    else:
        distance = float(support["distance_m"])
    ahead = facing_axis(contact, down)
    return Frame(contact, distance, down, ahead, np.cross(down, ahead))


def _shape(
    sheet: Sheet,
    bulge: np.ndarray,
    pixels: np.ndarray,
    step: np.ndarray,
    depth: np.ndarray,
    camera: dict[str, Any],
    frame: Frame,
    form: Form,
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Distances along the axis f64[n] of the sheet's points on the front and on the back, and whether flat."""
    rays = pixel_rays(camera, pixels[:, 0], pixels[:, 1])
    metres = frame.distance * float(step.mean()) / float(camera["fx"])  # size of one cell at the contact
    half = np.zeros(len(rays))
    half[: sheet.inner] = bulge[sheet.nodes] * metres
    extent = np.ptp(pixels, axis=0) * frame.distance / [camera["fx"], camera["fy"]]
    descent = rays @ frame.down
    base = frame.distance * float(frame.contact @ frame.down)
    floor = np.where(descent > 1e-6, base / np.maximum(descent, 1e-6), np.inf)
    floor = np.where(floor > 0, floor, np.inf)  # a base above the camera bounds nothing

    limit = 0.5 * float(extent.min())
    pillow = np.minimum(half, limit)
    rim = np.minimum(_rim(rays, extent, frame), floor)
    seen, trust = _read_depth(sheet, rays, pixels, bulge, step, depth, camera)
    plain = np.minimum(rim - 0.6 * np.minimum(pillow, 2.5 * half), rim)
    near = plain
    if trust > 0:
        seen = _stand_depth(seen, sheet, rays, frame, float(extent.max()))
        near = plain ** (1 - trust) * seen**trust
    near = np.clip(np.minimum(near, floor), 0.3 * frame.distance, None)
    smooth = np.where(half > 0, np.maximum(near, rim), near)
    far = np.maximum(np.minimum(smooth + _deepen(half, limit, smooth - near, form), floor), near)
    return near, far, trust == 0


def _deepen(half: np.ndarray, limit: float, front: np.ndarray, form: Form) -> np.ndarray:
    """How far behind the outline the back lies, f64[n] metres, from half widths and the front's depth before it."""
    if form.back == "flat":
        return np.zeros_like(half)
    if form.back == "mirrored":
        return form.thickness * front
    thickest = max(float(half.max()), 1e-9)
    back = form.thickness * thickest * (half / thickest) ** (2 * form.profile)
    return np.minimum(np.minimum(back, limit), 2 * half)


def _read_depth(
    sheet: Sheet,
    rays: np.ndarray,
    pixels: np.ndarray,
    bulge: np.ndarray,
    step: np.ndarray,
    depth: np.ndarray,
    camera: dict[str, Any],
) -> tuple[np.ndarray, float]:
    """Distances f64[n] that the depth gives the sheet's points, and how far to trust them, 0 to 1.

    Near the mask's edge, where depth is mixed with the background, they are carried outward from the inside,
    along the plane that fits most of it.
    """

    cell = max(camera["width"], camera["height"]) / NETWORK_CELLS / float(step.mean())
    margin = min(EDGE_CELLS * cell, 0.5 * float(_edge_distance(bulge > 0).max()))
    core = (_edge_distance(bulge > 0) > margin)[sheet.nodes]
    inner = slice(0, sheet.inner)
    z = _sample(depth, pixels[inner], camera)
    core &= np.isfinite(z) & (z > 0)
    share = (core.sum() / cell**2 - LEAST_CELLS) / TRUSTED_CELLS
    trust = BELIEF * float(np.clip(share, 0, 1))
    if trust == 0 or core.sum() < 12:
        return np.ones(len(rays)), 0.0
    inverse = 1 / np.where(core, z, 1)
    plane = _fit_plane(rays[inner][core], inverse[core])
    lowest = 0.3 * float(np.median(inverse[core]))
    level = np.maximum(rays @ plane, lowest)
    relief = np.where(core, np.log(level[inner] / inverse), 0)
    low, high = np.percentile(relief[core], [1, 99])
    field = _spread(np.clip(relief, low, high), core, sheet.nodes, bulge.shape, SMOOTH_CELLS * cell)
    at = (sheet.points + 0.5).astype(np.float32)
    return np.exp(_look_up(field, at)) / level, trust


def _stand_depth(seen: np.ndarray, sheet: Sheet, rays: np.ndarray, frame: Frame, size: float) -> np.ndarray:
    """Distances f64[n] scaled so that what lies next to the contact is as far as the contact.

    The spread is kept up to the prop's own size (metres) before and behind, and compressed beyond.
    """
    away = np.linalg.norm(rays - frame.contact, axis=1) * frame.distance / max(size, 1e-9)
    near = away <= max(0.1, float(np.sort(away)[min(len(away) - 1, 20)]))
    scaled = seen * (frame.distance / float(np.median(seen[near])))
    room = RELIEF_SIZES * size
    offset = scaled - frame.distance
    beyond = np.maximum(np.abs(offset) - room / 2, 0)
    bent = np.minimum(np.abs(offset), room / 2) + room / 2 * np.tanh(beyond / (room / 2))
    stood: np.ndarray = frame.distance + np.sign(offset) * bent
    return stood


def _edge_distance(inside: np.ndarray) -> np.ndarray:
    """Distance f32[h,w] in cells to the outside."""
    import cv2

    return cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)


def _stay_before(front: np.ndarray, plate: np.ndarray) -> float:
    """The factor on a prop's distances, at most 1, that keeps its front f64[n] before the set's plate f64[n].

    Scaling about the camera changes nothing of what the shot shows; a prop comes nearer by LEAST_NEARER at most.
    """
    room = np.percentile(CLEAR * plate / front, 3)
    return float(np.clip(room, LEAST_NEARER, 1.0))


def _sample(depth: np.ndarray, pixels: np.ndarray, camera: dict[str, Any]) -> np.ndarray:
    """Depth f64[n] at continuous still pixels f64[n,2], bilinear; depth is stretched over the whole still."""
    scale = np.array([depth.shape[1] / camera["width"], depth.shape[0] / camera["height"]])
    return _look_up(depth, (pixels * scale - 0.5).astype(np.float32))


def _look_up(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values f32[h,w] at f32[n,2] (x and y in samples), bilinear, f64[n]."""
    import cv2

    columns = 4096  # remap wants a picture-shaped list
    padded = np.zeros((-(-len(at) // columns) * columns, 2), np.float32)
    padded[: len(at)] = at
    maps = padded.reshape(-1, columns, 2)
    found = cv2.remap(values.astype(np.float32), maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found.ravel()[: len(at)].astype(np.float64)


def _fit_plane(rays: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Plane a f64[3] with a . ray = 1/z for most of rays f64[k,3] and 1/z f64[k] (Huber, reweighted)."""
    weight = np.ones(len(rays))
    plane = np.zeros(3)
    for _ in range(6):
        weighted = rays * weight[:, None]
        plane = np.linalg.lstsq(weighted.T @ rays, weighted.T @ inverse, rcond=1e-9)[0]
        error = np.abs(inverse - rays @ plane)
        scale = 1.5 * np.median(error) + 1e-9
        weight = np.minimum(1.0, scale / np.maximum(error, 1e-12))
    return plane


def _spread(
    values: np.ndarray, good: np.ndarray, nodes: tuple[np.ndarray, np.ndarray], shape: tuple[int, int], sigma: float
) -> np.ndarray:
    """Smooth f64[k] at grid nodes and carry it from the good nodes to the others (normalised blurs, fine first)."""
    import cv2

    known = np.zeros(shape, np.float32)
    known[nodes] = good
    field = np.zeros(shape, np.float32)
    field[nodes] = np.where(good, values, 0)
    result = np.zeros(shape, np.float32)
    left = np.ones(shape, np.float32)
    for widen in (1, 3, 9):
        blur = max(0.6, sigma * widen)
        share = cv2.GaussianBlur(known, (0, 0), blur)
        mean = cv2.GaussianBlur(field, (0, 0), blur) / np.maximum(share, 1e-6)
        sure = np.clip(share / 0.3, 0, 1)
        result += left * sure * mean
        left *= 1 - sure
    return result


def _rim(rays: np.ndarray, extent: np.ndarray, frame: Frame) -> np.ndarray:
    """Distances f64[n] of the plane through the contact on which the outline lies if no depth tells.

    Upright objects are seen from above as reaching back to their far upper edge: the outline is taken
    perpendicular to the ray for compact objects and upright for tall thin ones.
    """
    wide, tall = float(extent[0]), float(extent[1])
    slope = float(frame.contact @ frame.down) / max(float(frame.contact @ frame.ahead), 1e-3)
    slope = float(np.clip(slope, 0, 2))
    upright = max(tall / (1 + slope**2), tall - 0.8 * wide * slope)
    tilt = np.arctan(min(slope, 0.8 * wide / max(upright, 1e-9)))
    normal = np.cos(tilt) * frame.ahead + np.sin(tilt) * frame.down
    ratio = (rays @ normal) / max(float(frame.contact @ normal), 1e-6)
    return frame.distance / np.clip(ratio, 0.4, 2.5)
