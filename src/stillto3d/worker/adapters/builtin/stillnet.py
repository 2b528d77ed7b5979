"""Our own network: one encoding of a still answers clicks with masks, and gives depth, normals and a camera."""

from __future__ import annotations

import math
import os
from collections import OrderedDict
from functools import cached_property
from pathlib import Path
from typing import Any, Callable, NamedTuple

import numpy as np

from ...errors import BadInput, MissingWeights
from .ahead import import_ahead
from .vanishing import Prior, find_lines, measure_trust, solve_camera

LONG_SIDE = 512  # pixels of the network's picture; 384 is a little worse, 640 no better
MULTIPLE = 32  # the encoder's coarsest stride
STRIDE = 4  # of the click maps, the depth and the normals
KEPT_STILLS = 2  # the still and its clean plate
NO_CLICK = 1e6  # squared distance, in cells, where there is no click of a kind
PRIOR_FOCAL = 0.85  # of the picture's long side: a usual lens
PRIOR_HEIGHT_M = 1.5  # a camera at a standing person's chest
HEIGHT_RANGE_M = (0.3, 3.0)
USUAL_FOCAL_SPREAD, USUAL_HEIGHT_SPREAD = 0.5, 0.5  # of their logarithms
LEAST_PITCH_SPREAD, LEAST_ROLL_SPREAD = math.radians(1.5), math.radians(0.7)
FIRST_SPREAD = np.array([math.radians(12), math.radians(3), 0.5, 0.5])  # of weights that answer none
LINES_DECIDE = 0.2  # trust from which straight lines overrule the network

Arrays = dict[str, np.ndarray]


class Encoding(NamedTuple):
    """What the encoder says about one still."""

    features: Arrays  # s2, p4, p8, p16: what the decoder reads
    geometry: np.ndarray  # f32[4,h,w]: log depth in metres, then the normal in OpenCV axes, not normalised
    camera: np.ndarray  # f32[4]: pitch, roll (radians), ln(focal px / long side px), ln(height m)
    layers: np.ndarray | None  # f32[3,h,w]: sky logit, ln(far side / depth), ln(behind / depth); None: not answered
    spread: np.ndarray | None  # f32[4]: log standard deviation of the camera's answers; None: not answered


class StillNet:
    """The network's two sessions, and the encodings of the last stills."""

    def __init__(self, weights: Path, device: str) -> None:
        self._files = {part: weights / f"stillnet_{part}.onnx" for part in ("encoder", "decoder")}
        if not all(file.is_file() for file in self._files.values()):
            raise MissingWeights("A file of our network's weights is missing.")
        self._device = device
        self._encodings: OrderedDict[str, Encoding] = OrderedDict()

    @cached_property
    def encoder(self) -> Any:
        """The onnxruntime session that reads a still."""
        return open_session(self._files["encoder"], self._device)

    @cached_property
    def decoder(self) -> Any:
        """The onnxruntime session that reads clicks; a worker that is asked for depth alone never opens it."""
        return open_session(self._files["decoder"], self._device)

    def encode(self, still: np.ndarray, still_id: str | None) -> Encoding:
        """Encode the sRGB still u8[H,W,3], or remember it by its id."""
        if still_id is not None and still_id in self._encodings:
            self._encodings.move_to_end(still_id)
            return self._encodings[still_id]
        names = ["s2", "p4", "p8", "p16", "geo", "cam"]
        answers = dict(zip(names, self.encoder.run(names, {"x": to_network_picture(still)})))
        encoding = read_answers(answers, *still.shape[:2])
        if still_id is not None:
            self._encodings[still_id] = encoding
            while len(self._encodings) > KEPT_STILLS:
                self._encodings.popitem(last=False)
        return encoding

    def decode(self, encoding: Encoding, maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mask logits f32[3,h/2,w/2] and predicted IoUs f32[3] for the click maps f32[8,h/4,w/4]."""
        logits, scores = self.decoder.run(["mask", "score"], {**encoding.features, "m": maps[None]})
        return logits[0], scores[0]

    def prepare(self, arrays: Arrays, params: dict[str, Any], tick: Callable[..., None]) -> dict[str, Any]:
        """Encode the still, so that the first click does not wait for it."""
        tick(0, 1)
        self.encode(arrays["still"], params.get("still_id"))
        return {}

    def segment(self, arrays: Arrays, params: dict[str, Any], tick: Callable[..., None]) -> dict[str, Any]:
        """Offer three masks for clicks, a box, an earlier mask, or any of them together.

        arrays: `still` u8[H,W,3]; `earlier` u8[H,W] (optional), the mask to go on from, cut at 128.
        params: `clicks` [[x, y, positive], ...] and `box` [x0, y0, x1, y1] or null, continuous pixels of the still.
        Returns `masks` u8[3,H,W] (0 or 255), `scores` f32[3] (predicted IoU, 0..1) and `best`, the highest's index.
        """
        still = arrays["still"]
        height, width = still.shape[:2]
        clicks = check_clicks(params.get("clicks") or [], width, height)
        box = None if params.get("box") is None else check_box(params["box"], width, height)
        earlier = arrays.get("earlier")
        if earlier is not None and earlier.shape != (height, width):
            raise BadInput("The earlier mask and the still differ in size. Start from a click.")
        if box is None and not (clicks[:, 2] > 0).any() and (earlier is None or not earlier.any()):
            raise BadInput("There is nothing to segment: click on an object or draw a box around it.")
        tick(0, 2)
        encoding = self.encode(still, params.get("still_id"))
        tick(1, 2)
        grid = encoding.features["p4"].shape[2:]
        logits, scores = self.decode(encoding, draw_click_maps(grid, (height, width), clicks, box, earlier))
        masks = cut_masks(logits, height, width)
        scores = np.clip(np.nan_to_num(scores), 0, 1).astype(np.float32)
        return {"masks": masks, "scores": scores, "best": int(scores.argmax())}

    def depth(self, arrays: Arrays, params: dict[str, Any], tick: Callable[..., None]) -> dict[str, Any]:
        """Return depth f32[h,w] (metres along the camera's axis, scale weak), unit normals f32[h,w,3], and the chance
        of sky f32[h,w].

        The grid is the network's, stretched over the whole still; OpenCV camera axes.
        """
        tick(0, 1)
        encoding = self.encode(arrays["still"], params.get("still_id"))
        geometry = encoding.geometry
        sky = {} if encoding.layers is None else {"sky": 1 / (1 + np.exp(-np.clip(encoding.layers[0], -15, 15)))}
        normals = np.moveaxis(geometry[1:], 0, -1)
        length = np.linalg.norm(normals, axis=-1, keepdims=True)
        facing = np.array([0, 0, -1], np.float32)  # towards the camera, where the network says nothing
        normals = np.where(length > 1e-6, normals / np.maximum(length, 1e-6), facing)
        return {
            "depth": np.exp(np.clip(geometry[0], -7, 7)),
            "normals": np.ascontiguousarray(normals, np.float32),
            **sky,
            "axes": "opencv",
            "metric": False,
        }

    def calibrate(self, arrays: Arrays, params: dict[str, Any], tick: Callable[..., None]) -> dict[str, Any]:
        """Solve the camera: focal length, pitch, roll and height, each with where it comes from and how sure it is.

        arrays: `still` u8[H,W,3]. params: `focal_px`, known or null, and `focal_source` ("exif" or "user").
        Straight lines decide where enough of them agree; the network's answer, as sure as it says it is and drawn to
        what is usual, is their prior, and the answer without them.
        Returns focal_px, pitch, roll (radians), height_m, and {source, confidence} as focal, rotation, height.
        """
        still = arrays["still"]
        tick(0, 2)
        encoding = self.encode(still, params.get("still_id"))
        tick(1, 2)
        long_side = max(still.shape[:2])
        known = params.get("focal_px")
        prior = believe_camera(encoding, long_side, known)
        pitch, roll, focal_px, rotation = (
            prior.pitch,
            prior.roll,
            prior.focal,
            ("network", tell_sure(prior.pitch_spread)),
        )
        source, sure = ("network", 1 - min(0.9, 2 * prior.focal_spread))
        if known:
            source, sure = str(params.get("focal_source", "exif")), 0.9
        solved = solve_camera(find_lines(still), prior)
        trust = 0.0 if solved is None else measure_trust(solved)
        if solved is not None and trust > LINES_DECIDE:
            pitch, roll, rotation = solved.pitch, solved.roll, ("vanishing_points", trust)
            if not known:
                focal_px, source, sure = solved.focal, "vanishing_points", 0.8 * trust
        log_height, height_spread = believe_height(encoding)
        tick(2, 2)
        return {
            "focal_px": focal_px,
            "pitch": pitch,
            "roll": roll,
            "height_m": math.exp(log_height),
            "focal": {"source": source, "confidence": sure},
            "rotation": {"source": rotation[0], "confidence": rotation[1]},
            "height": {"source": "network", "confidence": 1 - min(0.8, 2 * height_spread)},
        }


def join_beliefs(a: float, a_spread: float, b: float, b_spread: float) -> tuple[float, float]:
    """Two normal distributions of one number multiplied: mean and standard deviation."""
    wa, wb = a_spread**-2, b_spread**-2
    return (a * wa + b * wb) / (wa + wb), (wa + wb) ** -0.5


def believe_camera(encoding: Encoding, long_side: float, known_focal: float | None) -> Prior:
    """What the network believes of the camera, its focal length joined with what lenses usually are."""
    spread = FIRST_SPREAD if encoding.spread is None else np.exp(np.clip(encoding.spread, -5, 1))
    pitch, roll = (float(np.clip(v, -1.4, 1.4)) for v in encoding.camera[:2])
    log_focal, focal_spread = join_beliefs(
        float(encoding.camera[2]), max(float(spread[2]), 0.05), math.log(PRIOR_FOCAL), USUAL_FOCAL_SPREAD
    )
    return Prior(
        pitch,
        roll,
        long_side,
        float(known_focal or math.exp(log_focal) * long_side),
        bool(known_focal),
        max(float(spread[0]), LEAST_PITCH_SPREAD),
        max(float(spread[1]), LEAST_ROLL_SPREAD),
        focal_spread,
    )


def believe_height(encoding: Encoding) -> tuple[float, float]:
    """Logarithm of the camera's height in metres and its spread: the network's, joined with a usual height."""
    spread = FIRST_SPREAD if encoding.spread is None else np.exp(np.clip(encoding.spread, -5, 1))
    told = float(np.clip(encoding.camera[3], *np.log(HEIGHT_RANGE_M)))
    return join_beliefs(told, max(float(spread[3]), 0.05), math.log(PRIOR_HEIGHT_M), USUAL_HEIGHT_SPREAD)


def tell_sure(spread: float) -> float:
    """Confidence 0..1 in a direction with a standard deviation in radians: nothing is left at 15 degrees."""
    return 1 - min(0.9, spread / math.radians(15))


def load(weights: Path | None, device: str) -> dict[str, Callable[..., dict[str, Any]]]:
    """Return the network's ops; its weights are read when they are first needed."""
    if weights is None:
        raise MissingWeights("Our network needs the folder of its weights.")
    net = StillNet(Path(weights), device)
    import_ahead("scipy.optimize")
    return {"prepare": net.prepare, "segment": net.segment, "depth": net.depth, "calibrate": net.calibrate}


def read_answers(answers: Arrays, height: int, width: int) -> Encoding:
    """Read an encoder's answers to a still of that size, of the second contract or of the first.

    The second answers geo [1,7,h/2,w/2] (depth, normal, sky, far side, behind) and cam [1,8] (with its spread, the
    focal length over the long side); the first geo [1,4,h/4,w/4] and cam [1,4], the focal length over the width.
    """
    features = {name: answers[name] for name in ("s2", "p4", "p8", "p16")}
    geometry, camera = answers["geo"][0], answers["cam"][0]
    if len(geometry) == 7 and len(camera) == 8:
        return Encoding(features, geometry[:4], camera[:4], geometry[4:], camera[4:])
    over_long_side = np.array([0, 0, math.log(width / max(width, height)), 0], np.float32)
    return Encoding(features, geometry, camera + over_long_side, None, None)


def open_session(file: Path, device: str) -> Any:
    """Open an onnxruntime session: CPU, or CUDA where it is asked for and there."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(4, os.cpu_count() or 1)
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    if device.startswith("cuda") and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    return onnxruntime.InferenceSession(str(file), options, providers=providers)


def network_size(height: int, width: int) -> tuple[int, int]:
    """Return height and width of the network's picture for a still."""
    scale = LONG_SIDE / max(height, width)
    rows, columns = (max(MULTIPLE, round(side * scale / MULTIPLE) * MULTIPLE) for side in (height, width))
    return rows, columns


def to_network_picture(still: np.ndarray) -> np.ndarray:
    """Stretch u8[H,W,3] to f32[1,3,h,w], 0..1, with the triangle filter that the network was trained on.

    Pillow's BILINEAR is that filter. A still of three or more times the size is first averaged over whole blocks, to
    one and a half to three times it: half the time at 1080p, and half a grey level of difference.
    """
    import cv2
    from PIL import Image

    height, width = still.shape[:2]
    rows, columns = network_size(height, width)
    down, across = max(1, round(height / (2 * rows))), max(1, round(width / (2 * columns)))
    if height % down or width % across:  # whole blocks are what OpenCV is fast at; the frame leaves the padding out
        still = cv2.copyMakeBorder(still, 0, -height % down, 0, -width % across, cv2.BORDER_REPLICATE)
    if down > 1 or across > 1:
        blocks = still.shape[1] // across, still.shape[0] // down
        still = cv2.resize(still, blocks, interpolation=cv2.INTER_AREA)
    frame = (0, 0, width / across, height / down)
    picture = Image.fromarray(still).resize((columns, rows), Image.Resampling.BILINEAR, frame)
    return np.ascontiguousarray(np.moveaxis(np.asarray(picture), -1, 0)[None]) / np.float32(255)


def check_clicks(clicks: list[list[float]], width: int, height: int) -> np.ndarray:
    """Return clicks f64[n,3] (x, y, 1 positive or 0 negative), or refuse those outside the still."""
    for x, y, _ in clicks:
        if not (0 <= x <= width and 0 <= y <= height):
            raise BadInput(
                "The point {point} lies outside the still, which is {width} x {height}.",
                point=f"{x:g},{y:g}",
                width=width,
                height=height,
            )
    return np.array([(x, y, bool(positive)) for x, y, positive in clicks], np.float64).reshape(-1, 3)


def check_box(box: list[float], width: int, height: int) -> tuple[float, float, float, float]:
    """Return the box within the still, or refuse one that holds none of it."""
    x0, y0, x1, y1 = box
    clipped = max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)
    if not (clipped[0] < clipped[2] and clipped[1] < clipped[3]):
        raise BadInput("The box lies outside the still, which is {width} x {height}.", width=width, height=height)
    return clipped


def draw_click_maps(
    grid: tuple[int, int],
    size: tuple[int, int],
    clicks: np.ndarray,
    box: tuple[float, float, float, float] | None,
    earlier: np.ndarray | None,
) -> np.ndarray:
    """Draw the decoder's question f32[8,h,w] on its grid of cells for a still of the given (height, width).

    Planes: near and far falloff around the nearest positive click, the same for the nearest negative click, the
    earlier mask's share of each cell, whether there is one, the box's inside, whether there is one.
    """
    import cv2

    to_cells = np.array([grid[1] / size[1], grid[0] / size[0]])
    x, y = np.arange(grid[1]) + 0.5, np.arange(grid[0])[:, None] + 0.5
    maps = np.zeros((8, *grid), np.float32)
    for plane, kind in ((0, 1), (2, 0)):
        squared = np.full(grid, NO_CLICK)
        for u, v in clicks[clicks[:, 2] == kind, :2] * to_cells:
            np.minimum(squared, (x - u) ** 2 + (y - v) ** 2, out=squared)
        maps[plane] = np.exp(-squared / 4.5)
        maps[plane + 1] = np.clip(1 - np.log1p(squared) / 8, 0, 1)
    if earlier is not None:
        inside = (earlier >= 128).astype(np.float32)
        maps[4] = cv2.resize(inside, grid[::-1], interpolation=cv2.INTER_AREA)
        maps[5] = float(maps[4].max() > 0)
    if box is not None:
        x0, y0, x1, y1 = np.array(box) * np.tile(to_cells, 2)
        maps[6] = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
        maps[6, int(np.clip((y0 + y1) / 2, 0, grid[0] - 1)), int(np.clip((x0 + x1) / 2, 0, grid[1] - 1))] = 1
        maps[7] = 1
    return maps


def cut_masks(logits: np.ndarray, height: int, width: int) -> np.ndarray:
    """Stretch logits f32[3,h,w] bilinearly over the still and cut them at 0: u8[3,H,W], 0 or 255."""
    import cv2

    masks = np.empty((len(logits), height, width), np.uint8)
    full = np.empty((height, width), np.float32)  # one for all planes: fresh memory is slow
    for mask, plane in zip(masks, logits):
        full = cv2.resize(plane, (width, height), dst=full, interpolation=cv2.INTER_LINEAR)
        np.greater(full, 0, out=mask.view(np.bool_))
    masks *= 255
    return masks
