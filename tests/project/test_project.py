"""Project values: they keep their promises, share arrays, and patches are pure edits."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from stillto3d.project.geometry import Mesh, Splats, measure_bounds, place_mesh
from stillto3d.project.project import (
    LayerKind,
    Patch,
    Project,
    Recipe,
    apply_patch,
    make_layer,
    merge_patches,
    start_project,
)
from stillto3d.project.space import translate
from stillto3d.project.still import Depth, Mask, Still, hash_array


def make_still(value: int = 0, size: tuple[int, int] = (4, 6)) -> Still:
    pixels = np.full((*size, 3), value, dtype=np.uint8)
    return Still(pixels, "still", hash_array(pixels))


def make_box() -> Mesh:
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=np.float32)
    faces = [
        (0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1),
        (2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3),
    ]  # fmt: skip
    return Mesh(corners, np.array(faces, dtype=np.uint32))


def test_values_are_frozen_and_their_arrays_read_only() -> None:
    still = make_still()
    with pytest.raises(FrozenInstanceError):
        still.name = "other"  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        still.pixels[0, 0, 0] = 1


def test_freezing_a_value_leaves_the_callers_array_writable() -> None:
    pixels = np.zeros((2, 2, 3), dtype=np.uint8)
    Still(pixels, "s", "0" * 64)
    pixels[0, 0, 0] = 9


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 4), (0, 6, 3)])
def test_a_still_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="pixels"):
        Still(np.zeros(shape, dtype=np.uint8), "s", "0" * 64)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_depth_is_finite_and_positive(bad: float) -> None:
    metres = np.ones((2, 2), dtype=np.float32)
    metres[0, 0] = bad
    with pytest.raises(ValueError, match="metres"):
        Depth(metres, "0")


def test_the_identity_of_samples_tells_shape_and_type_apart() -> None:
    a = np.zeros((2, 3), dtype=np.uint8)
    assert len({hash_array(a), hash_array(a.reshape(3, 2)), hash_array(a.astype(np.int8))}) == 3


def test_a_box_is_watertight_and_an_open_or_flipped_one_is_not() -> None:
    box = make_box()
    assert box.is_watertight()
    assert not replace(box, faces=box.faces[1:]).is_watertight()
    assert not replace(box, faces=np.concatenate([box.faces[:1, ::-1], box.faces[1:]])).is_watertight()
    assert not replace(box, faces=np.concatenate([box.faces, box.faces[:1]])).is_watertight()


def test_faces_that_name_no_vertex_are_refused() -> None:
    with pytest.raises(ValueError, match="faces"):
        Mesh(np.zeros((2, 3), dtype=np.float32), np.array([[0, 1, 2]], dtype=np.uint32))


def test_splitting_seams_keeps_every_corner() -> None:
    box = make_box()
    uvs = np.random.default_rng(0).random((12, 3, 2)).astype(np.float32)
    uvs[1] = uvs[0][[0, 2, 1]]  # shares two corners' uvs with its neighbour: (0,1,3) and (0,3,2)
    observed = np.arange(8, dtype=np.uint8) % 2
    split = replace(box, corner_uvs=uvs, observed=observed).split_seams()
    assert split.uvs is not None and split.observed is not None
    assert np.array_equal(split.positions[split.faces], box.positions[box.faces])
    assert np.array_equal(split.uvs[split.faces], uvs)
    assert np.array_equal(split.observed[split.faces], observed[box.faces])
    assert len(split.positions) == 34


def test_placing_a_mesh_moves_its_bounds() -> None:
    moved = place_mesh(make_box(), translate((1, 2, 3)))
    assert np.allclose(measure_bounds(moved), [[1, 2, 3], [2, 3, 4]])
    assert np.allclose(measure_bounds(make_box(), translate((1, 2, 3))), [[1, 2, 3], [2, 3, 4]])


def test_splats_have_whole_bands_of_harmonics() -> None:
    n = np.ones((2, 3), dtype=np.float32)
    with pytest.raises(ValueError, match="sh"):
        Splats(
            n,
            n,
            np.ones((2, 4), dtype=np.float32),
            np.ones(2, dtype=np.float32),
            np.ones((2, 2, 3), dtype=np.float32),
        )


def test_a_patch_replaces_appends_and_removes() -> None:
    project = start_project(make_still())
    lamp, chair = make_layer("lamp", LayerKind.PROP), make_layer("chair", LayerKind.PROP)
    project = apply_patch(project, Patch("add", (lamp, chair)))
    renamed = replace(lamp, name="light")
    after = apply_patch(project, Patch("edit", (renamed,), frozenset({chair.id})))
    assert [layer.name for layer in after.layers] == ["light"]
    assert [layer.name for layer in project.layers] == ["lamp", "chair"]  # the old value is untouched


def test_a_result_for_a_deleted_layer_does_no_harm() -> None:
    layer = make_layer("lamp", LayerKind.PROP)
    project = apply_patch(start_project(make_still()), Patch("add", (layer,)))
    late = Patch("make", (replace(layer, geometry=make_box()),), based_on=frozenset({layer.id}))
    deleted = apply_patch(project, Patch("delete", removed=frozenset({layer.id})))
    assert not apply_patch(deleted, late).layers
    assert apply_patch(project, late).layers[0].geometry is not None


def test_merged_patches_do_what_they_did_in_turn() -> None:
    project = start_project(make_still())
    layer = make_layer("a", LayerKind.PROP)
    patches = [Patch("1", (layer,)), Patch("2", (replace(layer, name="b"),)), Patch("3", shots=project.shots)]
    in_turn = project
    for patch in patches:
        in_turn = apply_patch(in_turn, patch)
    at_once = apply_patch(project, merge_patches("all", patches))
    assert [a.name for a in at_once.layers] == [a.name for a in in_turn.layers] == ["b"]


def test_a_merged_patch_may_work_on_what_it_has_made() -> None:
    layer = make_layer("a", LayerKind.PROP)
    made = Patch("make", (replace(layer, geometry=make_box()),), based_on=frozenset({layer.id}))
    merged = merge_patches("all", [Patch("mask", (layer,)), made])
    assert apply_patch(start_project(make_still()), merged).layers[0].geometry is not None


def test_a_mask_of_another_size_than_its_still_is_refused() -> None:
    still = make_still()
    layer = make_layer("a", LayerKind.PROP, masks={still.id: Mask(np.zeros((9, 9), dtype=np.uint8), still.id)})
    with pytest.raises(ValueError, match="size"):
        replace(start_project(still), layers=(layer,))


def test_layer_names_are_made_distinct() -> None:
    project = Project(layers=(make_layer("lamp", LayerKind.PROP), make_layer("lamp_02", LayerKind.PROP)))
    assert project.name_layer("lamp") == "lamp_03" and project.name_layer("chair") == "chair"


def test_the_same_id_twice_is_refused() -> None:
    layer = make_layer("a", LayerKind.PROP)
    with pytest.raises(ValueError, match="unique"):
        Project(layers=(layer, layer))


def test_a_mask_counts_what_is_more_inside_than_outside() -> None:
    assert Mask(np.array([[0, 127], [128, 255]], dtype=np.uint8), "0").count_pixels() == 2


def test_a_recipe_keeps_its_own_copy() -> None:
    params = {"grid": 16}
    recipe = Recipe("prop", params, ({"id": "solids"},), 0, 1.0)
    params["grid"] = 99
    assert recipe.params["grid"] == 16
