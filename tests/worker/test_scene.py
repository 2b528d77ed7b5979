"""The set from depth that is known: planes come out plane, edges are torn, the shot has no crack."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stillto3d.worker.adapters.builtin import rasterise, scene
from stillto3d.worker.adapters.builtin.depth_fusion import find_floor
from stillto3d.worker.adapters.builtin.lens import Lens
from stillto3d.worker.adapters.builtin.sky import find_sky
from stillto3d.worker.errors import BadInput

WIDTH, HEIGHT = 640, 426
CAMERA = {
    "width": WIDTH,
    "height": HEIGHT,
    "fx": 520.0,
    "fy": 520.0,
    "cx": WIDTH / 2,
    "cy": HEIGHT / 2,
    "pitch": -0.25,
    "roll": 0.03,
    "height_m": 1.5,
}
WALL, BOX = 5.0, 2.6  # level distances of the wall and of a box's front
COARSE = (88, 128)


def tick(*_: object) -> None:
    return


def trace(shape: tuple[int, int], with_box: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exact depth f64[h,w], normals f64[h,w,3] and part (0 floor, 1 wall, 2 box) of a floor, a wall and a box."""
    lens = Lens.read(CAMERA)
    rays = lens.cast(shape)
    ahead = np.array([0.0, 0.0, 1.0]) - lens.down[2] * lens.down
    ahead /= np.linalg.norm(ahead)
    across = np.cross(lens.down, ahead)
    with np.errstate(divide="ignore", invalid="ignore"):
        floor = np.where(rays @ lens.down > 0, lens.height_m / (rays @ lens.down), np.inf)
        wall = WALL / (rays @ ahead)
        front = BOX / (rays @ ahead)
    depth, part = np.minimum(floor, wall), np.where(floor < wall, 0, 1)
    at = rays * front[..., None]
    inside = (np.abs(at @ across) < 0.5) & (at @ lens.down < lens.height_m) & (at @ lens.down > lens.height_m - 1.1)
    if with_box:
        box = inside & (front < depth)
        depth, part = np.where(box, front, depth), np.where(box, 2, part)
    normals = np.where((part == 0)[..., None], -lens.down, -ahead)
    return depth, normals, part


def paint(part: np.ndarray) -> np.ndarray:
    """A picture u8[H,W,3] of the parts, with texture."""
    rng = np.random.default_rng(1)
    colours = np.array([(120, 90, 60), (190, 190, 180), (40, 80, 160)], dtype=np.float64)
    return np.clip(colours[part] + rng.normal(0, 5, (*part.shape, 3)), 0, 255).astype(np.uint8)


def spoil(depth: np.ndarray, scale: float) -> np.ndarray:
    """What a network makes of it: another scale, and waves of six per cent."""
    h, w = depth.shape
    v, u = np.mgrid[:h, :w]
    waves = 0.06 * np.sin(u / 9) * np.cos(v / 11)
    return (depth * scale * np.exp(waves)).astype(np.float32)


def ask(known: Any = None, scale: float = 0.6, with_hole: bool = False, **changes: Any) -> tuple[Any, dict[str, Any]]:
    depth, normals, _ = trace(COARSE)
    picture = paint(trace((HEIGHT, WIDTH))[2])
    arrays = {
        "still": picture,
        "plate": picture,
        "holes": np.zeros((HEIGHT, WIDTH), dtype=np.uint8),
        "depth": spoil(depth, scale),
        "normals": normals.astype(np.float32),
    }
    arrays |= {"plate_depth": arrays["depth"], "plate_normals": arrays["normals"]}
    if with_hole:
        empty, level, _ = trace(COARSE, with_box=False)
        arrays["plate"] = paint(trace((HEIGHT, WIDTH), with_box=False)[2])
        arrays["holes"] = np.where(trace((HEIGHT, WIDTH))[2] == 2, 255, 0).astype(np.uint8)
        arrays |= {"plate_depth": spoil(empty, scale * 1.3), "plate_normals": level.astype(np.float32)}
    params = {"camera": CAMERA, "known_length": known, "detail": 3}
    return {**arrays, **changes}, params


def reconstruct(**changes: Any) -> dict[str, Any]:
    return scene.reconstruct(*ask(**changes), tick)


def measure_error(answer: dict[str, Any]) -> np.ndarray:
    truth, _, _ = trace(answer["depth"].shape)
    return np.abs(np.log(answer["depth"] / truth))


def test_the_floor_is_flat_and_where_the_camera_says() -> None:
    answer = reconstruct()
    lens = Lens.read(CAMERA)
    shape = answer["depth"].shape
    below = answer["depth"] * (lens.cast(shape) @ lens.down)
    part = trace(shape)[2]
    floor = (answer["floor"] == 1) & (part == 0)
    assert floor.sum() > 0.8 * (part == 0).sum()
    assert np.percentile(np.abs(below[floor] - 1.5), 99) < 0.01


def test_surfaces_are_truer_than_what_the_network_said() -> None:
    answer = reconstruct()
    network = np.abs(np.log(spoil(trace(COARSE)[0], 1.0) / trace(COARSE)[0]))
    assert np.median(measure_error(answer)) < 0.5 * np.median(network)


def test_the_scale_does_not_come_from_the_network() -> None:
    for scale in (0.2, 3.0):
        assert np.median(measure_error(reconstruct(scale=scale))) < 0.03


def test_a_known_length_is_kept_and_everything_follows() -> None:
    lens = Lens.read(CAMERA)
    truth = trace((HEIGHT, WIDTH))[0]
    ends = [(320.0, 250.0), (320.0, 330.0)]
    rays = [np.array([(x - lens.cx) / lens.fx, (y - lens.cy) / lens.fy, 1.0]) for x, y in ends]
    metres = np.linalg.norm(rays[0] * truth[250, 320] - rays[1] * truth[330, 320]) * 2  # all is twice as large
    answer = reconstruct(known={"a": ends[0], "b": ends[1], "metres": float(metres)})
    assert answer["height_m"] == pytest.approx(3.0, rel=0.1)
    shape = answer["depth"].shape
    points = [
        ray * answer["depth"][int(y * shape[0] / HEIGHT), int(x * shape[1] / WIDTH)]
        for ray, (x, y) in zip(rays, ends, strict=True)
    ]
    assert np.linalg.norm(points[0] - points[1]) == pytest.approx(metres, rel=0.06)


def test_a_known_length_across_a_level_edge_is_kept() -> None:
    """Along the foot of the wall, whose depth is read between the ends."""
    lens = Lens.read(CAMERA)
    truth = trace((HEIGHT, WIDTH))[0]
    ends = [(40.0, 300.0), (180.0, 300.0)]
    rays = [np.array([(x - lens.cx) / lens.fx, (y - lens.cy) / lens.fy, 1.0]) for x, y in ends]
    metres = np.linalg.norm(rays[0] * truth[300, 40] - rays[1] * truth[300, 180]) * 3
    assert reconstruct(known={"a": ends[0], "b": ends[1], "metres": float(metres)})["height_m"] == pytest.approx(
        4.5, rel=0.01
    )


@pytest.mark.parametrize("b", [(5000.0, 5.0), (320.0, 250.0)])
def test_a_known_length_that_is_none_is_refused(b: tuple[float, float]) -> None:
    with pytest.raises(BadInput):
        reconstruct(known={"a": (320.0, 250.0), "b": b, "metres": 1.0})


def test_every_vertex_lies_on_the_ray_of_its_texture_point() -> None:
    answer = reconstruct()
    for name in ("set", "behind"):
        p, uv = answer[f"{name}.positions"].astype(np.float64), answer[f"{name}.uvs"]
        u = (CAMERA["cx"] + CAMERA["fx"] * p[:, 0] / p[:, 2]) / WIDTH
        v = (CAMERA["cy"] + CAMERA["fy"] * p[:, 1] / p[:, 2]) / HEIGHT
        assert np.abs(np.stack([u, v], 1) - uv).max() * WIDTH < 1e-3


def draw(answer: dict[str, Any], plate: np.ndarray, want: str) -> np.ndarray:
    render = rasterise.load(None, "cpu")["render"]
    arrays = {}
    flip = np.array([1, -1, -1], dtype=np.float32)
    for k, name in enumerate(("set", "behind", "sky")):
        arrays[f"{k}.positions"] = answer[f"{name}.positions"] * flip
        arrays |= {f"{k}.{part}": answer[f"{name}.{part}"] for part in ("faces", "uvs")}
        arrays[f"{k}.texture"] = answer.get(f"{name}.texture", plate)
    camera = {**CAMERA, "world_from_camera": np.eye(4).tolist()}
    answer = render(arrays, {"meshes": [{}, {}, {}], "camera": camera, "wants": ["color", "depth"]}, tick)
    return answer[want]


def test_from_where_it_was_taken_the_shot_has_no_crack_and_looks_like_the_still() -> None:
    answer, plate = reconstruct(), ask()[0]["plate"]
    assert (draw(answer, plate, "depth") > 0).mean() > 0.9999
    error = draw(answer, plate, "rgba")[..., :3].astype(float) - plate
    assert 10 * np.log10(255**2 / np.square(error).mean()) > 28


def test_the_set_is_torn_at_the_box_and_something_lies_behind() -> None:
    answer = reconstruct()
    p, faces = answer["set.positions"], answer["set.faces"]
    z = p[:, 2][faces]
    longest = (z.max(1) / z.min(1)).max()
    assert longest < 1.35, "no triangle spans from the box to the wall"
    assert len(answer["behind.faces"]) > 100 and not answer["behind.observed"].any()


def test_what_the_plate_invents_is_not_observed() -> None:
    answer = reconstruct(with_hole=True)
    assert 0 < (answer["set.observed"] == 0).mean() < 0.3


def test_behind_a_prop_the_plate_goes_on_and_in_front_stands_the_prop() -> None:
    answer = reconstruct(with_hole=True)
    shape = answer["depth"].shape
    part = trace(shape)[2]
    box = part == 2
    without, _, _ = trace(shape, with_box=False)
    assert np.median(np.abs(np.log(answer["plate_depth"][box] / without[box]))) < 0.05
    assert np.median(np.abs(np.log(answer["depth"][box] / BOX))) < 0.25
    np.testing.assert_array_equal(answer["depth"][~box & (part == 1)] > 0, True)
    far = np.abs(np.log(answer["depth"] / answer["plate_depth"]))[~box]
    assert np.median(far) == 0, "outside props both agree"


def test_a_room_has_no_sky_and_an_open_view_has_a_dome() -> None:
    assert not reconstruct()["sky"].any()
    arrays, params = ask()
    lens = Lens.read(CAMERA)
    open_view = (lens.cast((HEIGHT, WIDTH)) @ lens.down < 0) & (trace((HEIGHT, WIDTH))[2] == 1)
    noise = np.random.default_rng(0).normal(0, 1, (HEIGHT, WIDTH, 3))
    sky = np.where(open_view[..., None], (110, 160, 235), arrays["plate"]) + noise
    picture = np.clip(sky, 0, 255).astype(np.uint8)
    chance = np.where((lens.cast(COARSE) @ lens.down < 0) & (trace(COARSE)[2] == 1), 0.95, 0.02).astype(np.float32)
    answer = scene.reconstruct({**arrays, "still": picture, "plate": picture, "sky": chance}, params, tick)
    shape = answer["sky"].shape
    inside = (lens.cast(shape) @ lens.down < 0) & (trace(shape)[2] == 1)
    assert answer["sky"][inside].mean() > 0.95 and answer["sky"][~inside].mean() < 0.02
    assert len(answer["sky.faces"]) > 0
    assert np.linalg.norm(answer["sky.positions"], axis=1).min() > answer["set.positions"][:, 2].max()


def test_behind_a_prop_the_plate_tells_the_sky() -> None:
    arrays, params = ask(with_hole=True)
    open_sky, none = np.full(COARSE, 0.95, np.float32), np.zeros(COARSE, np.float32)
    holes = scene.shrink_mask(arrays["holes"], scene.reconstruct(arrays, params, tick)["sky"].shape)
    without = scene.reconstruct({**arrays, "sky": open_sky, "plate_sky": none}, params, tick)["sky"]
    shown = scene.reconstruct({**arrays, "sky": none, "plate_sky": open_sky}, params, tick)["sky"]
    assert without[~holes].mean() > 0.9 > 0.1 > without[holes].mean()
    assert shown[holes].mean() > 0.9 > 0.1 > shown[~holes].mean()


def draw_chance(odds: float) -> np.ndarray:
    """A step between chances in the middle of 48 x 64 cells."""
    chance = np.full((48, 64), 0.02, np.float32)
    chance[:20] = 1 / (1 + np.exp(-odds))
    return chance


def test_sky_ends_where_the_picture_does() -> None:
    picture = np.zeros((384, 512, 3), np.uint8)
    picture[:166] = (90, 150, 230)  # the skyline lies six pixels below the model's
    sky = find_sky(draw_chance(3.0), picture, Lens.read(CAMERA), None)
    assert abs(int(sky.sum(0).mean()) - 166) < 2


@pytest.mark.parametrize("fault", ["doubtful", "small", "ceiling"])
def test_what_passes_for_sky_is_left_alone(fault: str) -> None:
    chance, normals, picture = draw_chance(3.0), None, np.full((384, 512, 3), 200, np.uint8)
    lens = Lens.read(CAMERA)
    if fault == "doubtful":
        chance = draw_chance(1.0)
    elif fault == "small":
        chance[:, 2:] = 0.02
        chance[4:] = 0.02
    else:  # a bright ceiling would be told by the model
        normals = np.broadcast_to(lens.down, (24, 32, 3)).astype(np.float32)
        picture[:160] = 40
    assert not find_sky(chance, picture, lens, normals).any()


def test_without_a_level_surface_there_is_no_floor() -> None:
    lens = Lens.read(CAMERA)
    rays = lens.cast(COARSE)
    floor, height = find_floor(np.full(COARSE, 2.0), -rays / np.linalg.norm(rays, axis=-1, keepdims=True), lens)
    assert height is None and not floor.any()


def test_the_same_question_gets_the_same_answer() -> None:
    first, second = reconstruct(), reconstruct()
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (17, 400), (400, 17)])
@pytest.mark.parametrize("value", [0, 255])
def test_odd_sizes_and_flat_pictures_get_a_sane_stage(size: tuple[int, int], value: int) -> None:
    h, w = size
    picture = np.full((h, w, 3), value, dtype=np.uint8)
    coarse = np.full((max(1, h // 4), max(1, w // 4)), 2.0, dtype=np.float32)
    normals = np.zeros((*coarse.shape, 3), dtype=np.float32)
    normals[..., 2] = -1
    camera = {
        **CAMERA,
        "width": w,
        "height": h,
        "fx": float(max(h, w)),
        "fy": float(max(h, w)),
        "cx": w / 2,
        "cy": h / 2,
    }
    arrays = {"still": picture, "plate": picture, "holes": np.zeros((h, w), dtype=np.uint8), "depth": coarse}
    arrays |= {"plate_depth": coarse, "normals": normals, "plate_normals": normals}
    answer = scene.reconstruct(arrays, {"camera": camera, "known_length": None, "detail": 3}, tick)
    assert np.isfinite(answer["depth"]).all() and (answer["depth"] > 0).all()
    assert np.isfinite(answer["set.positions"]).all() and len(answer["set.faces"])
