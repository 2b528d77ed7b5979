"""The network's adapter against its weights' contract, written out slowly, and against the bare sessions."""

from __future__ import annotations

import math
import os
from functools import cache
from typing import Any

import numpy as np
import pytest

from stillto3d.words import find_resources
from stillto3d.worker.adapters.builtin import stillnet
from stillto3d.worker.adapters.builtin.stillnet import StillNet, cut_masks, draw_click_maps, network_size
from stillto3d.worker.errors import BadInput, MissingWeights

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime is first imported
WEIGHTS = find_resources() / "weights"
ODD_SIZES = [(1, 1), (2, 2), (801, 17), (17, 801)]
FEATURES = ["s2", "p4", "p8", "p16"]
NO_CLICKS = np.empty((0, 3))


def tick(step: float, steps: float, text: str = "") -> None:
    """Progress is judged by the conformance tests."""


def paint(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A still u8[H,W,3]: a bright ellipse before a dark gradient, with grain."""
    rng = np.random.default_rng(seed)
    y, x = (np.arange(height)[:, None] + 0.5) / height, (np.arange(width) + 0.5) / width
    inside = ((x - 0.5) / 0.25) ** 2 + ((y - 0.55) / 0.3) ** 2 < 1
    ground = np.stack([40 + 50 * y + 0 * x, 60 + 60 * y + 0 * x, 90 + 0 * y + 40 * x], axis=-1)
    picture = np.where(inside[..., None], np.array([220, 150 + 10 * (seed % 5), 60]), ground)
    return np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8)


@cache
def keep_net() -> StillNet:
    """One network for the tests that do not count its runs."""
    return StillNet(WEIGHTS, "cpu")


@cache
def open_bare(part: str) -> Any:
    """A session of our own, opened without the adapter."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(4, os.cpu_count() or 1)
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        str(WEIGHTS / f"stillnet_{part}.onnx"), options, providers=["CPUExecutionProvider"]
    )


class CountedSession:
    """A session that counts how often it is run."""

    def __init__(self, session: Any) -> None:
        self._session, self.runs = session, 0

    def run(self, *arguments: Any) -> Any:
        self.runs += 1
        return self._session.run(*arguments)


# --------------------------------------------------------------------------- the question: click maps


def area_average(inside: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Each cell's covered share f64[h,w], by the exact overlap of pixels and cells."""

    def overlap(pixels: int, cells: int) -> np.ndarray:
        edges = np.arange(cells + 1) * pixels / cells
        starts = np.arange(pixels)
        common = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
        return np.maximum(common, 0) / (pixels / cells)

    return overlap(inside.shape[0], grid[0]) @ inside @ overlap(inside.shape[1], grid[1]).T


def draw_slowly(
    grid: tuple[int, int],
    size: tuple[int, int],
    clicks: list[list[float]],
    box: tuple[float, float, float, float] | None = None,
    earlier: np.ndarray | None = None,
) -> np.ndarray:
    """The contract's eight planes, cell by cell."""
    (h, w), (height, width) = grid, size
    maps = np.zeros((8, h, w))
    for i in range(h):
        for j in range(w):
            for plane, positive in ((0, True), (2, False)):
                squared = [1e6] + [
                    (j + 0.5 - x * w / width) ** 2 + (i + 0.5 - y * h / height) ** 2
                    for x, y, kind in clicks
                    if bool(kind) is positive
                ]
                maps[plane, i, j] = math.exp(-min(squared) / 4.5)
                maps[plane + 1, i, j] = min(1.0, max(0.0, 1 - math.log(1 + min(squared)) / 8))
            if box is not None:
                x, y = (j + 0.5) * width / w, (i + 0.5) * height / h
                maps[6, i, j] = box[0] <= x <= box[2] and box[1] <= y <= box[3]
                maps[7, i, j] = 1
    if earlier is not None and earlier.any():
        maps[4], maps[5] = area_average(earlier >= 128, grid), 1
    return maps


def as_clicks(clicks: list[list[float]]) -> np.ndarray:
    return stillnet.check_clicks(clicks, 10**6, 10**6)


@pytest.mark.parametrize(
    "clicks",
    [
        [],
        [[100.5, 60.25, True]],
        [[3, 200, False]],
        [[0, 0, True], [300, 240, True], [299.5, 0.5, False], [150, 120, False], [140, 130, True]],
    ],
)
def test_clicks_fall_off_as_the_contract_says(clicks: list[list[float]]) -> None:
    grid, size = (24, 32), (240, 300)
    drawn = draw_click_maps(grid, size, as_clicks(clicks), None, None)
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn, draw_slowly(grid, size, clicks), atol=1e-6)


def test_without_clicks_of_a_kind_the_falloff_is_that_of_a_million() -> None:
    drawn = draw_click_maps((8, 8), (64, 64), NO_CLICKS, None, None)
    assert not drawn[[0, 2]].any() and not drawn[[1, 3]].any(), "1 - ln(1 + 1e6) / 8 is below 0"


@pytest.mark.parametrize("size", [(240, 320), (241, 333), (1080, 1920)])
def test_an_earlier_mask_is_averaged_over_each_cell(size: tuple[int, int]) -> None:
    earlier = np.where(np.random.default_rng(1).random(size) < 0.3, 200, 100).astype(np.uint8)
    drawn = draw_click_maps((24, 32), size, NO_CLICKS, None, earlier)
    np.testing.assert_allclose(drawn, draw_slowly((24, 32), size, [], None, np.where(earlier < 128, 0, 255)), atol=1e-4)
    assert (drawn[5] == 1).all()


@pytest.mark.parametrize("level", [0, 127])
def test_an_empty_earlier_mask_is_none(level: int) -> None:
    drawn = draw_click_maps((24, 32), (240, 320), NO_CLICKS, None, np.full((240, 320), level, np.uint8))
    assert not drawn[4:6].any()


@pytest.mark.parametrize("box", [(10, 20, 200, 100), (0, 0, 320, 240), (14.9, 15.1, 25.0, 45.0), (100, 3, 111, 239)])
def test_a_box_holds_the_cells_whose_centre_it_holds(box: tuple[float, float, float, float]) -> None:
    drawn = draw_click_maps((24, 32), (240, 320), NO_CLICKS, box, None)
    np.testing.assert_array_equal(drawn[6:], draw_slowly((24, 32), (240, 320), [], box)[6:])


def test_a_box_between_centres_still_holds_its_own_cell() -> None:
    drawn = draw_click_maps((24, 32), (240, 320), NO_CLICKS, (101, 51, 103, 53), None)
    assert np.argwhere(drawn[6]).tolist() == [[5, 10]]
    assert (drawn[7] == 1).all()


# --------------------------------------------------------------------------- the network's picture


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1080, 1920), (288, 512)),
        ((1920, 1080), (512, 288)),
        ((1536, 2048), (384, 512)),
        ((100, 100), (512, 512)),
        ((858, 2048), (224, 512)),
        ((17, 801), (32, 512)),
        ((1, 1), (512, 512)),
        ((1, 100_000), (32, 512)),
    ],
)
def test_the_network_sees_512_pixels_and_a_multiple_of_32(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert network_size(*size) == expected


def triangle_weights(source: int, target: int) -> np.ndarray:
    """Rows of the antialiased triangle filter f64[target, source], in closed form."""
    scale = source / target
    reach = max(scale, 1.0)
    centres, samples = (np.arange(target)[:, None] + 0.5) * scale, np.arange(source) + 0.5
    weights = np.maximum(0, 1 - np.abs(samples - centres) / reach)
    return weights / weights.sum(axis=1, keepdims=True)


def stretch_slowly(still: np.ndarray) -> np.ndarray:
    """The network's picture f64[1,3,h,w] by two matrix products."""
    rows, columns = network_size(*still.shape[:2])
    down, across = triangle_weights(still.shape[0], rows), triangle_weights(still.shape[1], columns)
    return np.stack([down @ still[..., c] @ across.T for c in range(3)])[None] / 255


@pytest.mark.parametrize("size", [*ODD_SIZES, (90, 160), (600, 801), (1000, 1490)])
def test_a_still_under_three_times_the_size_is_stretched_by_the_triangle_filter(size: tuple[int, int]) -> None:
    """To the rounding of two passes in 8 bit."""
    still = paint(*size)
    picture = stillnet.to_network_picture(still)
    assert picture.dtype == np.float32 and picture.flags.c_contiguous
    np.testing.assert_allclose(picture, stretch_slowly(still), atol=1.6 / 255)


@pytest.mark.parametrize("size", [(1080, 1920), (1081, 1921), (2160, 3839), (33, 4001), (4001, 31), (1537, 2049)])
def test_a_large_still_is_stretched_by_nearly_that_filter(size: tuple[int, int]) -> None:
    """Edges of 150 levels move by a few, and nothing moves sideways."""
    still = paint(*size)
    error = (stillnet.to_network_picture(still) - stretch_slowly(still)) * 255
    assert np.abs(error).mean() < 0.6 and np.abs(error).max() < 12


@pytest.mark.parametrize("size", [(1081, 1921), (2161, 3843), (64, 4001)])
def test_a_ramp_stays_where_it_is(size: tuple[int, int]) -> None:
    """A filter that shifted the picture by a tenth of a network pixel would be seen here."""
    rows, columns = network_size(*size)
    ramp = np.linspace(0, 255, size[1])[None, :, None] + np.zeros((*size, 3))
    seen = stillnet.to_network_picture(np.round(ramp).astype(np.uint8))[0, 0] * 255
    expected = np.interp((np.arange(columns) + 0.5) * size[1] / columns - 0.5, np.arange(size[1]), ramp[0, :, 0])
    error = (seen - expected)[:, 4:-4].mean(axis=1)
    assert np.abs(seen - expected)[:, 4:-4].max() < 1.2 and np.abs(error).max() < 0.3, rows


# --------------------------------------------------------------------------- what is remembered


def count_encodings() -> tuple[StillNet, CountedSession]:
    net = StillNet(WEIGHTS, "cpu")
    counted = CountedSession(keep_net().encoder)
    net.encoder = counted  # a cached property gives way to what the instance holds
    return net, counted


def test_a_still_is_encoded_once_whatever_is_asked_of_it() -> None:
    net, counted = count_encodings()
    still = paint(60, 80)
    question = {"still_id": "a", "clicks": [[40, 33, True]]}
    for operation in (net.prepare, net.segment, net.segment, net.depth, net.calibrate):
        operation({"still": still}, dict(question), tick)
    assert counted.runs == 1
    net.segment({"still": paint(60, 80, seed=1)}, {**question, "still_id": "b"}, tick)
    assert counted.runs == 2
    net.segment({"still": still}, dict(question), tick)
    assert counted.runs == 2, "two stills are kept: a shot and its clean plate"


def test_the_still_that_waited_longest_is_forgotten() -> None:
    net, counted = count_encodings()
    still = paint(40, 40)

    def prepare(name: str) -> int:
        before = counted.runs
        net.prepare({"still": still}, {"still_id": name}, tick)
        return counted.runs - before

    assert [prepare(name) for name in "abacab"] == [1, 1, 0, 1, 0, 1], "b, not a, makes room for c"


def test_a_still_without_a_name_is_not_remembered() -> None:
    net, counted = count_encodings()
    for _ in range(2):
        net.prepare({"still": paint(40, 40)}, {}, tick)
    assert counted.runs == 2


# --------------------------------------------------------------------------- masks


def ask(still: np.ndarray, still_id: str, earlier: np.ndarray | None = None, **params: Any) -> dict[str, Any]:
    arrays = {"still": still} if earlier is None else {"still": still, "earlier": earlier}
    return keep_net().segment(arrays, {"still_id": still_id, **params}, tick)


def stretch_logits(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear, aligned at pixel centres, edges held: f64[H,W]."""

    def positions(source: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        at = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
        low = np.minimum(at.astype(int), max(source - 2, 0))
        return low, np.minimum(low + 1, source - 1), at - low

    plane = plane.astype(np.float64)
    top, bottom, down = positions(plane.shape[0], height)
    left, right, across = positions(plane.shape[1], width)
    rows = plane[top] * (1 - down)[:, None] + plane[bottom] * down[:, None]
    return rows[:, left] * (1 - across) + rows[:, right] * across


def answer_bare(still: np.ndarray, clicks: list[list[float]], box: Any, earlier: Any) -> tuple[np.ndarray, np.ndarray]:
    """Logits f64[3,H,W] over the still and raw scores f32[3] of the bare sessions, by the contract alone."""
    features = open_bare("encoder").run(FEATURES, {"x": stillnet.to_network_picture(still)})
    grid = features[1].shape[2:]
    maps = draw_slowly(grid, still.shape[:2], clicks, box, earlier).astype(np.float32)
    logits, scores = open_bare("decoder").run(["mask", "score"], {**dict(zip(FEATURES, features)), "m": maps[None]})
    return np.stack([stretch_logits(plane, *still.shape[:2]) for plane in logits[0]]), scores[0]


@pytest.fixture(scope="module")
def found_mask() -> np.ndarray:
    """An earlier mask u8[150,200], as an artist would hold it."""
    answer = ask(paint(150, 200), "ellipse", clicks=[[100, 82, True]])
    return answer["masks"][answer["best"]]


@pytest.mark.parametrize(
    ("clicks", "box", "refine"),
    [
        ([[100, 82, True]], None, False),
        ([[100, 82, True], [20.5, 20.5, False]], None, False),
        ([], (48, 36, 152, 130), False),
        ([[100, 82, True]], (48, 36, 152, 130), True),
        ([[140, 100, False]], None, True),
        ([], None, True),
    ],
    ids=["click", "clicks", "box", "box-click-earlier", "negative-earlier", "earlier"],
)
def test_masks_are_the_bare_network_s(
    clicks: list[list[float]], box: Any, refine: bool, found_mask: np.ndarray
) -> None:
    """Each pixel is the sign of the bilinear logit; rounding may turn those that are as good as 0."""
    still, earlier = paint(150, 200), found_mask if refine else None
    answer = ask(still, "ellipse", earlier, clicks=clicks, box=box)
    logits, scores = answer_bare(still, clicks, box, earlier)
    clear = np.abs(logits) > 0.01
    assert clear.mean() > 0.98
    np.testing.assert_array_equal(answer["masks"][clear], np.where(logits > 0, 255, 0)[clear])
    assert answer["masks"].dtype == np.uint8 and set(np.unique(answer["masks"])) <= {0, 255}
    np.testing.assert_allclose(answer["scores"], np.clip(scores, 0, 1), atol=2e-3)
    assert answer["scores"].dtype == np.float32 and answer["best"] == int(np.argmax(answer["scores"]))


def test_a_click_on_the_ellipse_finds_it() -> None:
    """What the pieces are for."""
    height, width = 150, 200
    answer = ask(paint(height, width), "ellipse", clicks=[[100, 82, True]])
    y, x = np.mgrid[0.5:height, 0.5:width]
    truth = ((x / width - 0.5) / 0.25) ** 2 + ((y / height - 0.55) / 0.3) ** 2 < 1
    found = [(truth & (mask > 0)).sum() / (truth | (mask > 0)).sum() for mask in answer["masks"]]
    assert max(found) > 0.85


def test_cutting_is_sharp_at_zero_and_keeps_every_size() -> None:
    rng = np.random.default_rng(4)
    for grid, size in [((16, 256), (17, 801)), ((144, 256), (270, 481)), ((256, 256), (1, 1)), ((256, 16), (801, 17))]:
        logits = rng.normal(0, 4, (3, *grid)).astype(np.float32)
        expected = np.stack([stretch_logits(plane, *size) for plane in logits])
        masks = cut_masks(logits, *size)
        assert masks.shape == (3, *size) and masks.dtype == np.uint8
        clear = np.abs(expected) > 1e-3
        np.testing.assert_array_equal(masks[clear], np.where(expected > 0, 255, 0)[clear])
    assert not cut_masks(np.zeros((3, 4, 4), np.float32), 8, 8).any(), "0 is not inside"


def test_scores_stay_within_0_and_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network's own are unbounded."""
    net = keep_net()
    wild = np.array([-0.5, 1.7, np.nan], np.float32)
    monkeypatch.setattr(net, "decode", lambda encoding, maps: (np.zeros((3, 8, 8), np.float32), wild))
    answer = net.segment({"still": paint(150, 200)}, {"still_id": "ellipse", "clicks": [[1, 1, True]]}, tick)
    assert answer["scores"].tolist() == [0, 1, 0] and answer["best"] == 1


@pytest.mark.parametrize("size", ODD_SIZES)
def test_odd_sizes_are_answered(size: tuple[int, int]) -> None:
    still, name = paint(*size), f"odd {size}"
    height, width = size
    first = ask(still, name, clicks=[[width / 2, height / 2, True]])
    again = ask(still, name, first["masks"][first["best"]], clicks=[[0, 0, True]], box=[0, 0, width, height])
    for answer in (first, again):
        assert answer["masks"].shape == (3, *size) and set(np.unique(answer["masks"])) <= {0, 255}
        assert np.isfinite(answer["scores"]).all()


def test_the_same_click_has_the_same_answer() -> None:
    still = paint(150, 200)
    first, second = (ask(still, "ellipse", clicks=[[100, 82, True]]) for _ in range(2))
    fresh = StillNet(WEIGHTS, "cpu").segment({"still": still}, {"clicks": [[100, 82, True]]}, tick)
    for other in (second, fresh):
        np.testing.assert_array_equal(first["masks"], other["masks"])
        np.testing.assert_array_equal(first["scores"], other["scores"])


# --------------------------------------------------------------------------- depth and refusals


@pytest.mark.parametrize("size", [(150, 200), *ODD_SIZES])
def test_depth_is_positive_and_normals_are_of_length_one(size: tuple[int, int]) -> None:
    still = paint(*size)
    answer = keep_net().depth({"still": still}, {"still_id": f"depth {size}"}, tick)
    rows, columns = network_size(*size)
    depth, normals = answer["depth"], answer["normals"]
    assert depth.shape == (rows // 2, columns // 2) and depth.dtype == np.float32
    assert np.isfinite(depth).all() and (depth > 0).all()
    assert normals.shape == (*depth.shape, 3) and normals.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-5)
    assert answer["axes"] == "opencv" and answer["metric"] is False
    geometry = open_bare("encoder").run(["geo"], {"x": stillnet.to_network_picture(still)})[0][0]
    np.testing.assert_allclose(np.log(depth), np.clip(geometry[0], -7, 7), atol=1e-4)
    assert ((normals * np.moveaxis(geometry[1:4], 0, -1)).sum(-1) >= -1e-4).all(), "a normal keeps its direction"


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"clicks": [[201, 10, True]]}, "outside the still"),
        ({"clicks": [[10, -1, True]]}, "outside the still"),
        ({"clicks": [[math.nan, 10, True]]}, "outside the still"),
        ({"clicks": [[10, 10, False]]}, "nothing to segment"),
        ({}, "nothing to segment"),
        ({"box": [300, 0, 400, 50]}, "box lies outside"),
        ({"box": [50, 50, 50, 80]}, "box lies outside"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_words(params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        ask(paint(150, 200), "ellipse", **params)


def test_an_earlier_mask_of_another_size_is_refused() -> None:
    with pytest.raises(BadInput, match="differ in size"):
        ask(paint(150, 200), "ellipse", np.zeros((150, 199), np.uint8), clicks=[[10, 10, True]])


def test_weights_that_are_not_there_are_named_so(tmp_path: Any) -> None:
    with pytest.raises(MissingWeights):
        stillnet.load(None, "cpu")
    with pytest.raises(MissingWeights):
        stillnet.load(tmp_path, "cpu")


# --------------------------------------------------------------------------- two contracts of weights


def answer_as(channels: int, stride: int, camera: list[float]) -> dict[str, np.ndarray]:
    """An encoder's answers for a picture of 64 x 96, told apart by their channels."""
    rows, columns = 64 // stride, 96 // stride
    geo = np.arange(channels, dtype=np.float32)[:, None, None] * np.ones((rows, columns), np.float32)
    features = {name: np.zeros((1, 1, 16, 24), np.float32) for name in FEATURES}
    return {**features, "geo": geo[None], "cam": np.array([camera], np.float32)}


@pytest.mark.parametrize(("height", "width"), [(600, 900), (900, 600), (700, 700)])
def test_both_contracts_give_the_same_camera(height: int, width: int) -> None:
    focal, long = 800.0, max(height, width)
    first = answer_as(4, 4, [-0.1, 0.2, math.log(focal / width), 0.4])
    second = answer_as(7, 2, [-0.1, 0.2, math.log(focal / long), 0.4, -3, -3, -2, -1])
    old, new = (stillnet.read_answers(answers, height, width) for answers in (first, second))
    np.testing.assert_allclose(old.camera, new.camera, atol=1e-6)
    assert old.spread is None and old.layers is None
    np.testing.assert_allclose(new.spread, [-3, -3, -2, -1])
    assert new.geometry.shape == (4, 32, 48) and (new.layers[:, 0, 0] == [4, 5, 6]).all()
    assert old.geometry.shape == (4, 16, 24)


def test_clicks_lie_on_the_decoder_s_grid_whatever_the_depth_s_is() -> None:
    class Fixed:
        def run(self, names: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
            if "x" in feed:
                answers = answer_as(7, 2, [0.0] * 8)
                return [answers[name] for name in names]
            asked.append(feed["m"].shape)
            return [np.zeros((1, 3, 32, 48), np.float32), np.zeros((1, 3), np.float32)]

    asked: list[tuple[int, ...]] = []
    net = StillNet(WEIGHTS, "cpu")
    net.encoder = net.decoder = Fixed()
    still = paint(600, 900)
    net.segment({"still": still}, {"clicks": [[450, 300, True]]}, tick)
    assert asked == [(1, 8, 16, 24)]
    answer = net.depth({"still": still}, {}, tick)
    assert answer["depth"].shape == (32, 48) and answer["normals"].shape == (32, 48, 3)
