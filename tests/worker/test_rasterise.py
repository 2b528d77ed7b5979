"""The rasteriser draws what a pinhole camera sees: colours, distances and ids, exactly."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from stillto3d.worker.adapters.builtin import rasterise
from stillto3d.worker.errors import BadInput, Cancelled

Arrays = dict[str, np.ndarray]
IDENTITY = np.eye(4).tolist()


@pytest.fixture(scope="module")
def operations() -> dict[str, Callable[..., Arrays]]:
    """The operations on a warm window, as a worker holds them."""
    return rasterise.load(None, "cpu")


@pytest.fixture
def render(operations) -> Callable[..., Arrays]:
    """`render` with everything wanted and every mesh where it is."""

    def call(arrays: Arrays, camera: dict[str, Any], tick: Any = lambda *_: None, **params: Any) -> Arrays:
        count = 1 + max((int(name.split(".")[0]) for name in arrays), default=-1)
        params.setdefault("meshes", [{}] * count)
        params.setdefault("wants", ["color", "depth", "ids"])
        return operations["render"](arrays, {"camera": camera, **params}, tick)

    return call


def make_camera(width: int, height: int, f: float, cx: float | None = None, cy: float | None = None) -> dict[str, Any]:
    """A camera at the origin that looks along -z."""
    return {
        "width": width,
        "height": height,
        "fx": f,
        "fy": f,
        "cx": width / 2 if cx is None else cx,
        "cy": height / 2 if cy is None else cy,
        "world_from_camera": IDENTITY,
    }


def make_card(k: int, camera: dict[str, Any], z: float, box: tuple[float, float, float, float]) -> Arrays:
    """Mesh k: a quad at distance z whose picture is the pixel box x0, y0, x1, y1."""
    x0, y0, x1, y1 = box
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    x = (corners[:, 0] - camera["cx"]) / camera["fx"] * z
    y = -(corners[:, 1] - camera["cy"]) / camera["fy"] * z
    return {
        f"{k}.positions": np.stack([x, y, np.full(4, -z)], axis=1).astype(np.float32),
        f"{k}.faces": np.array([[0, 3, 2], [0, 2, 1]], dtype=np.uint32),
        f"{k}.uvs": np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32),
    }


def make_noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)


CAMERAS = {
    "landscape": make_camera(96, 54, 80.0),
    "portrait": make_camera(41, 77, 60.0),
    "off_centre": make_camera(64, 48, 70.0, cx=11.25, cy=60.5),
    "one_pixel": make_camera(1, 1, 1.0),
    "long": make_camera(17, 4001, 900.0),
}


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS.keys())
@pytest.mark.parametrize("corner_uvs", [False, True])
def test_a_full_frame_texture_comes_back_as_it_is(render, camera, corner_uvs):
    texture = make_noise(camera["height"], camera["width"])
    card = make_card(0, camera, 3.7, (0, 0, camera["width"], camera["height"])) | {"0.texture": texture}
    if corner_uvs:
        card["0.corner_uvs"] = card.pop("0.uvs")[card["0.faces"]]
    seen = render(card, camera)
    assert np.abs(seen["rgba"][..., :3].astype(int) - texture).max() <= 1
    assert (seen["rgba"][..., 3] == 255).all()
    np.testing.assert_allclose(seen["depth"], 3.7, rtol=1e-3)
    assert (seen["ids"] == 1).all()


def test_a_pose_in_the_world_changes_nothing(render):
    camera = make_camera(64, 48, 50.0)
    card = make_card(0, camera, 2.0, (0, 0, 64, 48)) | {"0.texture": make_noise(48, 64)}
    straight = render(card, camera)
    angle = 0.7
    pose = np.eye(4)
    pose[:3, :3] = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    pose[:3, 3] = [500.0, -30.0, 1000.0]
    moved = render(card, camera | {"world_from_camera": pose.tolist()}, meshes=[{"transform": pose.tolist()}])
    assert np.abs(moved["rgba"].astype(int) - straight["rgba"]).max() <= 1
    np.testing.assert_allclose(moved["depth"], straight["depth"], rtol=1e-5)


def test_the_nearer_mesh_hides_the_farther(render):
    camera = make_camera(80, 60, 70.0)
    far = make_card(0, camera, 9.0, (0, 0, 80, 60))
    near = make_card(1, camera, 1.5, (10, 20, 30, 50))
    colors = {
        "0.colors": np.full((4, 3), (10, 20, 30), np.uint8),
        "1.colors": np.full((4, 3), (200, 100, 50), np.uint8),
    }
    expected = np.ones((60, 80), np.uint16)
    expected[20:50, 10:30] = 2
    for arrays in (far | near | colors, near | far | colors):
        seen = render(arrays, camera)
        np.testing.assert_array_equal(seen["ids"], expected)
        np.testing.assert_array_equal(seen["rgba"][0, 0], (10, 20, 30, 255))
        np.testing.assert_array_equal(seen["rgba"][30, 20], (200, 100, 50, 255))
        np.testing.assert_allclose(seen["depth"], np.where(expected == 2, 1.5, 9.0), rtol=1e-3)


def test_depth_holds_over_a_slanted_floor_far_and_near(render):
    camera = make_camera(64, 64, 64.0)
    floor = {
        "0.positions": np.array([[-900, -1, -0.3], [900, -1, -0.3], [900, -1, -900], [-900, -1, -900]], np.float32),
        "0.faces": np.array([[0, 1, 2], [0, 2, 3]], np.uint32),
    }
    depth = render(floor, camera, wants=["depth"])["depth"]
    below = np.arange(64) + 0.5 - 32
    expected = np.divide(64.0, below, out=np.zeros(64), where=below > 0)
    np.testing.assert_allclose(depth, np.broadcast_to(expected[:, None], (64, 64)), rtol=1e-3)


def test_the_background_shows_where_nothing_is(render):
    camera = make_camera(20, 10, 10.0)
    seen = render(make_card(0, camera, 1.0, (0, 0, 10, 10)), camera, background=[12, 200, 7])
    np.testing.assert_array_equal(seen["rgba"][5, 15], (12, 200, 7, 0))
    np.testing.assert_array_equal(seen["rgba"][5, 5], (255, 255, 255, 255))
    assert seen["depth"][5, 15] == 0 and seen["ids"][5, 15] == 0


def test_ids_beyond_a_byte_are_told_apart(render):
    camera = make_camera(300, 2, 10.0)
    arrays: Arrays = {}
    for k in range(300):
        arrays |= make_card(k, camera, 1.0, (k, 0, k + 1, 2))
    ids = render(arrays, camera, wants=["ids"])["ids"]
    np.testing.assert_array_equal(ids, np.broadcast_to(np.arange(1, 301), (2, 300)))


def test_nothing_before_the_camera_is_the_background(render):
    camera = make_camera(8, 6, 5.0)
    behind = make_card(0, camera, -2.0, (0, 0, 8, 6))
    empty = {"0.positions": np.zeros((0, 3), np.float32), "0.faces": np.zeros((0, 3), np.uint32)}
    for arrays in (behind, empty, {}):
        seen = render(arrays, camera, background=[1, 2, 3])
        assert (seen["rgba"] == (1, 2, 3, 0)).all()
        assert not seen["depth"].any() and not seen["ids"].any()


def test_a_mesh_that_reaches_behind_the_camera_is_cut(render):
    camera = make_camera(32, 32, 16.0)
    wall = {
        "0.positions": np.array([[1, -5, 5], [1, 5, 5], [1, 5, -9], [1, -5, -9]], np.float32),
        "0.faces": np.array([[0, 1, 2], [0, 2, 3]], np.uint32),
    }
    seen = render(wall, camera)
    assert np.isfinite(seen["depth"]).all()
    assert (seen["ids"][16, 18:] == 1).all() and (seen["ids"][16, :17] == 0).all()


def test_a_texture_too_large_for_the_card_is_reduced(render):
    camera = make_camera(64, 4, 40.0)
    texture = np.zeros((4, 20000, 3), np.uint8)
    texture[:, 10000:] = 255
    seen = render(make_card(0, camera, 1.0, (0, 0, 64, 4)) | {"0.texture": texture}, camera)
    assert (seen["rgba"][:, :31, :3] == 0).all() and (seen["rgba"][:, 33:, :3] == 255).all()


def test_only_what_is_wanted_is_answered(render):
    camera = make_camera(4, 4, 4.0)
    card = make_card(0, camera, 1.0, (0, 0, 4, 4))
    assert set(render(card, camera, wants=["depth"])) == {"depth"}
    assert set(render(card, camera, wants=["color", "ids"])) == {"rgba", "ids"}
    assert set(render({}, camera, wants=["color", "depth"])) == {"rgba", "depth"}


def test_the_same_call_gives_the_same_bits(render):
    camera = CAMERAS["off_centre"]
    card = make_card(0, camera, 2.0, (5.3, 2.1, 60.2, 44.4)) | {"0.texture": make_noise(30, 30)}
    first, second = render(card, camera), render(card, camera)
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"0.positions": np.full((4, 3), np.nan, np.float32)}, "not finite"),
        ({"0.faces": np.array([[0, 1, 4]], np.uint32)}, "does not exist"),
        (
            {"0.texture": np.zeros((2, 2, 3), np.uint8), "0.uvs": np.zeros((3, 2), np.float32)},
            "texture coordinate",
        ),
        (
            {"0.texture": np.zeros((2, 2, 3), np.uint8), "0.uvs": np.full((4, 2), np.inf, np.float32)},
            "texture coord",
        ),
        ({"0.colors": np.zeros((3, 3), np.uint8)}, "3 colours for 4 vertices"),
    ],
)
def test_a_broken_mesh_is_refused_with_words(render, change, words):
    camera = make_camera(8, 8, 8.0)
    with pytest.raises(BadInput, match=words):
        render(make_card(0, camera, 1.0, (0, 0, 8, 8)) | change, camera)


@pytest.mark.parametrize("change", [{"width": 0}, {"height": 10**6}, {"fx": float("nan")}, {"fy": 0}, {"cx": "?"}])
def test_a_camera_that_cannot_see_is_refused(render, change):
    with pytest.raises(BadInput):
        render({}, make_camera(8, 8, 8.0) | change)


def test_drawing_can_be_cancelled(render):
    def cancel(*_: object) -> None:
        raise Cancelled

    camera = make_camera(8, 8, 8.0)
    card = make_card(0, camera, 1.0, (0, 0, 8, 8))
    with pytest.raises(Cancelled):
        render(card, camera, tick=cancel)
    assert (render(card, camera)["ids"] == 1).all()


def test_a_match_is_measured_over_the_whole_picture_and_prop_by_prop(operations):
    camera = make_camera(40, 30, 30.0)
    still = make_noise(30, 40)
    near, far = (5, 5, 25, 15), (15, 10, 35, 20)
    arrays = (
        make_card(0, camera, 5.0, (0, 0, 40, 30))
        | make_card(1, camera, 2.0, near)
        | make_card(2, camera, 3.0, far)
        | {"0.texture": still, "still": still}
    )
    pixels = still.copy()
    pixels[10:20, 15:35] = pixels[5:15, 5:25] = 255
    for k, (x0, y0, x1, y1) in ((1, near), (2, far)):
        arrays[f"{k}.mask"] = np.zeros((30, 40), np.uint8)
        arrays[f"{k}.mask"][y0:y1, x0:x1] = 255
    arrays["2.mask"][10:20, 15:25] = 0  # half of it is missing in the mask
    steps: list[float] = []
    params = {"meshes": [{}] * 3, "scenes": 1, "camera": camera}
    found = operations["match"](arrays, params, lambda k, n: steps.append(k / n))
    np.testing.assert_allclose(found["silhouette_iou"], [1.0, 0.5])
    error = np.mean((pixels.astype(float) - still) ** 2)
    assert found["psnr_db"] == pytest.approx(10 * np.log10(255**2 / error), abs=0.01)
    assert steps == sorted(steps) and steps[-1] == 1.0


def test_a_perfect_match_has_a_finite_psnr(operations):
    camera = make_camera(16, 12, 10.0)
    still = make_noise(12, 16)
    arrays = make_card(0, camera, 5.0, (0, 0, 16, 12)) | {"0.texture": still, "still": still}
    found = operations["match"](arrays, {"meshes": [{}], "scenes": 1, "camera": camera}, lambda *_: None)
    assert found["psnr_db"] == 200.0 and found["silhouette_iou"].shape == (0,)
    with pytest.raises(BadInput, match="differ in size"):
        wrong = {**arrays, "still": still[:-1]}
        operations["match"](wrong, {"meshes": [{}], "scenes": 1, "camera": camera}, lambda *_: None)


def test_a_machine_with_a_graphics_card_draws_the_same(operations, tmp_path):
    """Through EGL, in a process of its own: on a machine without one, Mesa answers there too."""
    camera = CAMERAS["off_centre"]
    card = make_card(0, camera, 2.0, (0, 0, camera["width"], camera["height"]))
    card["0.texture"] = make_noise(camera["height"], camera["width"])
    np.savez(tmp_path / "card.npz", **card)
    program = (
        "import json, sys, numpy as np\n"
        "from stillto3d.worker.adapters.builtin import rasterise\n"
        "params = {'meshes': [{}], 'camera': json.loads(sys.argv[1])}\n"
        "render = rasterise.load(None, 'cuda')['render']\n"
        "np.save('seen.npy', render(dict(np.load('card.npz')), params, lambda *_: None)['rgba'])\n"
    )
    command = [sys.executable, "-c", program, json.dumps(camera)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    expected = operations["render"](card, {"meshes": [{}], "camera": camera}, lambda *_: None)["rgba"]
    assert np.abs(np.load(tmp_path / "seen.npy").astype(int) - expected).max() <= 1
