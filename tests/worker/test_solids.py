"""Solids from masks: closed, outward, the mask's own outline, no background in the texture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import trimesh

from stillto3d.worker.adapters.builtin.double_sheet import inflate, is_watertight
from stillto3d.worker.adapters.builtin.lens import down_axis, facing_axis, pixel_rays
from stillto3d.worker.adapters.builtin.solids import solidify
from stillto3d.worker.errors import BadInput

WIDTH, HEIGHT = 320, 240
CAMERA = {
    "width": WIDTH,
    "height": HEIGHT,
    "fx": 280.0,
    "fy": 280.0,
    "cx": WIDTH / 2,
    "cy": HEIGHT / 2,
    "pitch": -0.3,
    "roll": 0.02,
    "height_m": 1.5,
}
SUPPORT = {"kind": "support", "distance_m": 2.0}
FORM = {"support": SUPPORT, "thickness": 0.8, "grid": 160, "profile": 0.28, "back": "inflated"}
MAGENTA = (255, 0, 255)


def tick(*_: object) -> None:
    return


def draw(kind: str) -> np.ndarray:
    """A mask u8[HEIGHT,WIDTH]."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    if kind == "disc":
        cv2.circle(mask, (160, 130), 60, 255, -1)
    elif kind == "ring":
        cv2.circle(mask, (160, 130), 70, 255, -1)
        cv2.circle(mask, (160, 130), 35, 0, -1)
    elif kind == "parts":
        cv2.rectangle(mask, (60, 60), (120, 180), 255, -1)
        cv2.ellipse(mask, (220, 140), (40, 60), 0, 0, 360, 255, -1)
    elif kind == "star":
        turn = np.arange(10) * np.pi / 5
        radius = np.where(np.arange(10) % 2, 30, 80)
        corners = np.stack([160 + radius * np.sin(turn), 120 - radius * np.cos(turn)], 1)
        cv2.fillPoly(mask, [corners.round().astype(np.int32)], 255)
    elif kind == "bar":
        cv2.line(mask, (60, 40), (250, 200), 255, 6)
    elif kind == "cut":
        cv2.circle(mask, (300, 225), 70, 255, -1)
    return mask


KINDS = ["disc", "ring", "parts", "star", "bar", "cut"]


def give(mask: np.ndarray, depth: np.ndarray | None = None) -> dict[str, Any]:
    """Arrays for solidify: a green prop on magenta, standing upright at two metres."""
    foreground = np.full((*mask.shape, 3), MAGENTA, np.uint8)
    foreground[mask > 0] = (20, 200, 40)
    depth = np.full((60, 80), 2.0, np.float32) if depth is None else depth
    return {"foreground": foreground, "alpha": mask, "depth": depth}


def build(mask: np.ndarray, depth: np.ndarray | None = None, **params: Any) -> dict[str, Any]:
    camera = {**CAMERA, "width": mask.shape[1], "height": mask.shape[0]}
    return solidify(give(mask, depth), {"camera": camera, **FORM, **params}, tick)


def project(positions: np.ndarray) -> np.ndarray:
    """Pixels f64[n,2] of points in camera axes."""
    flat = positions[:, :2] / positions[:, 2:]
    return flat * [CAMERA["fx"], CAMERA["fy"]] + [CAMERA["cx"], CAMERA["cy"]]


def silhouette(solid: dict[str, Any]) -> np.ndarray:
    """bool[HEIGHT,WIDTH] covered by the solid's faces, drawn eight times as large and averaged."""
    fine = 8
    canvas = np.zeros((HEIGHT * fine, WIDTH * fine), np.uint8)
    corners = (project(solid["positions"].astype(np.float64)) * fine - 0.5).round().astype(np.int32)
    for face in solid["faces"]:
        cv2.fillConvexPoly(canvas, corners[face], 1)
    return canvas.reshape(HEIGHT, fine, WIDTH, fine).mean((1, 3)) > 0.5


def edge_counts(faces: np.ndarray) -> np.ndarray:
    """How often each undirected edge is used."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64), 1)
    return np.unique(edges, axis=0, return_counts=True)[1]


@pytest.mark.parametrize("kind", KINDS)
def test_solid_is_closed_outward_and_covers_the_mask(kind: str) -> None:
    mask = draw(kind)
    solid = build(mask)
    faces = solid["faces"]
    assert (edge_counts(faces) == 2).all()
    assert is_watertight(faces)
    assert solid["watertight"]
    mesh = trimesh.Trimesh(solid["positions"], faces, process=False)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0
    seen, wanted = silhouette(solid), mask > 0
    assert (seen & wanted).sum() >= 0.97 * (seen | wanted).sum()


@pytest.mark.parametrize("back", ["mirrored", "flat"])
def test_backs_of_other_forms_are_closed_and_seen_as_the_mask(back: str) -> None:
    mask = draw("disc")
    solid, round_one = build(mask, back=back), build(mask, profile=0.5)
    assert solid["watertight"] and (silhouette(solid) == silhouette(round_one)).mean() > 0.99
    depth = np.ptp(solid["positions"][:, 2])
    assert depth < np.ptp(round_one["positions"][:, 2]) if back == "flat" else depth > 0


def test_a_mirrored_back_is_as_deep_as_the_front_and_a_boxy_one_deeper_at_its_rim() -> None:
    flat, mirrored = build(draw("disc"), back="flat"), build(draw("disc"), back="mirrored", thickness=1.0)
    half = np.ptp(flat["positions"][:, 2])
    assert np.ptp(mirrored["positions"][:, 2]) == pytest.approx(2 * half, rel=0.15)
    assert mirrored["corner_uvs"][..., 0].max() <= 0.5 < flat["corner_uvs"][..., 0].max()  # front and front again
    volumes = [
        trimesh.Trimesh(solid["positions"], solid["faces"], process=False).volume
        for solid in (build(draw("disc"), profile=profile) for profile in (0.0, 0.28, 0.5))
    ]
    assert volumes[0] > volumes[1] > volumes[2]


def test_each_part_of_a_solid_faces_outward() -> None:
    solid = build(draw("parts"))
    pieces = trimesh.Trimesh(solid["positions"], solid["faces"], process=False).split()
    assert len(pieces) == 2
    assert all(piece.volume > 0 for piece in pieces)


def test_a_small_part_that_stands_apart_is_kept_and_a_speck_is_not() -> None:
    mask = draw("disc")
    cv2.circle(mask, (250, 60), 6, 255, -1)
    mask[20:22, 20:22] = 255
    seen = silhouette(build(mask))
    assert seen[55:66, 245:256].mean() > 0.8 and not seen[10:30, 10:30].any()


def test_hole_of_a_ring_stays_open() -> None:
    assert not silhouette(build(draw("ring")))[115:145, 145:175].any()


def test_watertight_check_notices_a_missing_and_a_turned_face() -> None:
    faces = build(draw("disc"))["faces"]
    assert not is_watertight(faces[1:])
    turned = faces.copy()
    turned[0] = turned[0, ::-1]
    assert not is_watertight(turned)
    assert not is_watertight(faces[:0])


def test_same_input_gives_the_same_bits() -> None:
    first, second = build(draw("star")), build(draw("star"))
    for name in ("positions", "faces", "corner_uvs", "texture", "observed"):
        assert np.array_equal(first[name], second[name])


@pytest.mark.parametrize("spot", [np.s_[100:101, 100:101], np.s_[120:121, 40:280], np.s_[30:200, 319:320]])
def test_tiny_mask_gives_a_closed_finite_solid(spot: tuple[slice, slice]) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[spot] = 255
    solid = build(mask)
    assert len(solid["faces"]) > 3
    assert solid["watertight"]
    assert np.isfinite(solid["positions"]).all()
    assert np.isfinite(solid["corner_uvs"]).all()


@pytest.mark.parametrize("shape", [(1, 1), (3, 401), (401, 2)])
def test_odd_sized_still_is_answered(shape: tuple[int, int]) -> None:
    solid = build(np.full(shape, 255, np.uint8))
    assert solid["watertight"]
    assert np.isfinite(solid["positions"]).all()


def test_empty_mask_is_refused_in_words() -> None:
    with pytest.raises(BadInput, match="mask is empty"):
        build(np.zeros((HEIGHT, WIDTH), np.uint8))


def test_prop_above_the_horizon_cannot_stand_on_the_floor() -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[2:10, 100:140] = 255
    with pytest.raises(BadInput, match="horizon"):
        build(mask, support={"kind": "floor"})


def test_depth_without_a_usable_number_gives_an_inflated_solid() -> None:
    solid = build(draw("disc"), np.full((60, 80), np.nan, np.float32))
    assert solid["flat"]
    assert np.isfinite(solid["positions"]).all()
    assert np.ptp(solid["positions"][:, 2]) > 0.1


def test_a_prop_is_brought_before_the_plate_without_changing_what_the_shot_shows() -> None:
    mask = draw("disc")
    asked, free = give(mask), build(mask)
    nearest, farthest = (float(f(free["positions"][free["observed"] == 1, 2])) for f in (np.min, np.max))
    plate = np.full_like(asked["depth"], 0.95 * farthest)
    kept = solidify({**asked, "plate_depth": plate}, {"camera": CAMERA, **FORM}, tick)
    assert np.percentile(kept["positions"][kept["observed"] == 1, 2], 97) < plate[0, 0]
    np.testing.assert_allclose(project(kept["positions"]), project(free["positions"]), atol=1e-2)
    far = solidify({**asked, "plate_depth": np.full_like(plate, 9 * farthest)}, {"camera": CAMERA, **FORM}, tick)
    np.testing.assert_array_equal(far["positions"], free["positions"])
    close = solidify({**asked, "plate_depth": np.full_like(plate, 0.1 * nearest)}, {"camera": CAMERA, **FORM}, tick)
    assert close["positions"][:, 2].min() > 0.85 * free["positions"][:, 2].min()


def test_observed_marks_the_front() -> None:
    solid = build(draw("disc"))
    observed, points = solid["observed"] > 0, project(solid["positions"])
    assert set(np.unique(solid["observed"])) == {0, 1}
    half = len(solid["faces"]) // 2
    assert observed[solid["faces"][:half]].all()
    middle = np.abs(points - [160, 130]).max(1) < 1
    z = solid["positions"][:, 2]
    assert z[middle & observed].max() < z[middle & ~observed].min()


@pytest.mark.parametrize("kind", KINDS)
def test_texture_shows_no_background(kind: str) -> None:
    solid = build(draw(kind))
    texture = solid["texture"].astype(int)
    assert (texture[..., 1] - texture[..., 0]).min() > 100
    assert solid["corner_uvs"].min() >= 0
    assert solid["corner_uvs"].max() <= 1


def test_front_shows_the_still() -> None:
    mask = draw("disc")
    given = give(mask)
    given["foreground"][..., 0] = np.arange(WIDTH, dtype=np.uint8)[None]
    solid = solidify(given, {"camera": CAMERA, **FORM}, tick)
    half = len(solid["faces"]) // 2
    pixels = project(solid["positions"].astype(np.float64))[solid["faces"][:half]].reshape(-1, 2)
    height, width = solid["texture"].shape[:2]
    at = solid["corner_uvs"][:half].reshape(-1, 2) * [width, height]
    inner = np.hypot(*(pixels - [160, 130]).T) < 55
    colour = solid["texture"][at[inner, 1].astype(int), at[inner, 0].astype(int), 0].astype(float)
    assert np.abs(colour - (pixels[inner, 0].astype(int) % 256)).max() <= 1


def receding_depth(mask: np.ndarray, lean: float) -> np.ndarray:
    """Depth f32[HEIGHT,WIDTH] of a plane through a mask's foot that leans away: metres back per metre up."""
    down = down_axis(CAMERA)
    ys, xs = np.nonzero(mask)
    contact = pixel_rays(CAMERA, xs[ys == ys.max()].mean() + 0.5, ys.max() + 1.0)
    normal = facing_axis(contact, down) + lean * down
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return (2.0 * (contact @ normal) / (pixel_rays(CAMERA, columns, rows) @ normal)).astype(np.float32)


def top_distance(solid: dict[str, Any]) -> float:
    """Distance of the highest points of a solid's outline."""
    rows = project(solid["positions"])[:, 1]
    return float(np.median(solid["positions"][rows < rows.min() + 3, 2]))


def test_front_recedes_as_the_depth_does() -> None:
    mask = draw("disc")
    upright, leaning = (build(mask, receding_depth(mask, lean)) for lean in (0.0, 1.0))
    assert not upright["flat"]
    assert top_distance(leaning) > top_distance(upright) + 0.1


def test_front_meets_the_contact_whatever_the_depth_s_scale() -> None:
    mask = draw("disc")
    depth = receding_depth(mask, 0.5)
    one, other = build(mask, depth), build(mask, 1.7 * depth)
    assert np.allclose(one["positions"], other["positions"], atol=2e-3)
    lowest = project(one["positions"])[:, 1] > 187
    assert np.median(one["positions"][lowest, 2]) == pytest.approx(SUPPORT["distance_m"], rel=0.06)


def test_absurd_relief_is_bounded_by_the_prop_s_size() -> None:
    mask = draw("disc")
    depth = np.repeat(np.geomspace(80, 1, HEIGHT, dtype=np.float32)[:, None], WIDTH, 1)
    solid = build(mask, depth)
    size = 120 * SUPPORT["distance_m"] / CAMERA["fx"]
    assert np.ptp(solid["positions"][:, 2]) < 2 * size
    assert solid["watertight"]


def test_background_in_the_depth_at_the_rim_does_not_stretch_the_prop() -> None:
    mask = draw("disc")
    depth = receding_depth(mask, 0.0)
    clean = build(mask, depth)
    rim = (mask > 0) & (cv2.distanceTransform((mask > 0).astype(np.uint8), cv2.DIST_L2, 5) < 2.5)
    depth[rim | (mask == 0)] = 9.0
    assert np.abs(build(mask, depth)["positions"] - clean["positions"]).max() < 0.1


def test_disc_inflates_to_a_hemisphere() -> None:
    inside = np.zeros((101, 101), bool)
    rows, columns = np.mgrid[:101, :101] - 50
    inside[np.hypot(rows, columns) < 40] = True
    expected = np.sqrt(np.maximum(40.0**2 - rows**2 - columns**2, 0))
    assert np.abs(inflate(inside) - expected)[np.hypot(rows, columns) < 36].max() < 0.05 * 40
