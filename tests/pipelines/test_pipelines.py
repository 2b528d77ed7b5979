"""Pipelines with models that are stood in for: what they ask, in which order, and what they patch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from stillto3d.engine.run import Run
from stillto3d.errors import BadInput
from stillto3d.models import roles
from stillto3d.models.catalog import Catalog
from stillto3d.models.roles import Candidates, Match, Placement, RawDepth, SceneSet
from stillto3d.pipelines import PIPELINES
from stillto3d.pipelines.calibrate import CalibrateParams, calibrate_camera
from stillto3d.pipelines.convert import ConvertParams, convert_still
from stillto3d.pipelines.prop import PropParams, find_pivot, make_props
from stillto3d.pipelines.reconstruct import ReconstructParams, parse_length, reconstruct_set
from stillto3d.pipelines.segment import SegmentParams, parse_box, parse_clicks, segment_objects
from stillto3d.project.geometry import Material, Mesh, place_mesh
from stillto3d.project.project import LayerKind, Project, apply_patch, make_layer, start_project
from stillto3d.project.space import Camera, aim_camera
from stillto3d.project.still import Depth, Mask, Still
from stillto3d.worker.adapters.builtin.exif import read_focal_px

STILL = Still(np.zeros((20, 30, 3), dtype=np.uint8), "kitchen", "1" * 64, focal_px=40.0)
CAMERA = Camera(30, 20, 25, 25, 15, 10, aim_camera(-0.2, 0.0, 1.5))
DEPTH = Depth(np.full((10, 15), 3.0, dtype=np.float32), STILL.id)


def make_mesh() -> Mesh:
    corners = [[1, 0.2, -3], [2, 0.2, -3], [1.5, 1.2, -3], [1.5, 0.2, -4]]
    faces = [[0, 1, 2], [1, 3, 2], [3, 0, 2], [0, 3, 1]]
    texture = Material(np.zeros((2, 2, 3), dtype=np.uint8))
    uvs = np.zeros((4, 2), dtype=np.float32)
    return Mesh(np.array(corners, dtype=np.float32), np.array(faces, dtype=np.uint32), uvs=uvs, material=texture)


class Models:
    """Answers every role, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def __call__(self, ask: Any) -> Any:
        self.asked.append(ask)
        return getattr(self, ask.op)(ask)

    def names(self) -> list[str]:
        return [type(ask).__name__ for ask in self.asked]

    def segment(self, ask: roles.Segment) -> Candidates:
        alphas = [np.zeros((20, 30), dtype=np.uint8) for _ in range(3)]
        for k, alpha in enumerate(alphas):
            alpha[5 : 9 + k, 5 : 9 + k] = 255
        return Candidates(tuple(Mask(a, STILL.id) for a in alphas), (0.2, 0.9, 0.4), 1)

    def matte(self, ask: roles.MatteMask) -> Mask:
        return Mask(ask.mask.alpha // 2 + ask.mask.alpha // 4, STILL.id)

    def lift(self, ask: roles.LiftForeground) -> Any:
        return STILL.pixels

    def calibrate(self, ask: roles.Calibrate) -> Camera:
        focal = ask.focal_px or 25.0
        return replace(CAMERA, fx=focal, fy=focal)

    def fill(self, ask: roles.FillHoles) -> Any:
        return np.full_like(STILL.pixels, 9)

    def depth(self, ask: roles.EstimateDepth) -> RawDepth:
        return RawDepth(np.ones((5, 8), dtype=np.float32), None, False)

    def reconstruct(self, ask: roles.ReconstructScene) -> SceneSet:
        floor = np.zeros((10, 15), dtype=np.uint8)
        return SceneSet(ask.camera, DEPTH, DEPTH, floor, {"set": make_mesh(), "sky": make_mesh()})

    def place(self, ask: roles.PlaceProp) -> Placement:
        return Placement(3.0, "floor")

    def solidify(self, ask: roles.MakeProp) -> Mesh:
        return make_mesh()

    def match(self, ask: roles.MatchStill) -> Match:
        return Match(30.0, dict.fromkeys(ask.names, 0.99))


@pytest.fixture
def models() -> Models:
    return Models()


def test_points_are_parsed_with_their_signs() -> None:
    clicks = parse_clicks("640,400 -90,60.5")
    assert [(c.x, c.y, c.positive) for c in clicks] == [(640, 400, True), (90, 60.5, False)]


@pytest.mark.parametrize("text", ["", "12", "a,b", "1,2,3", "-5,5", "1e9,1", "nan,1"])
def test_points_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_clicks(text)


@pytest.mark.parametrize("text", ["", "1,2,3", "5,5,5,9", "a,b,c,d"])
def test_boxes_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_box(text)


def test_a_box_may_be_drawn_from_any_corner() -> None:
    assert parse_box("30,40,10,20") == (10, 20, 30, 40)


@pytest.mark.parametrize("text", ["1,2,3,4", "1,2,3,4=0", "1,2,1,2=3", "1,2,3,4=x", "=2"])
def test_lengths_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_length(text)


def test_clicks_come_before_boxes_and_names_follow_that_order(models: Models) -> None:
    params = SegmentParams(click=("6,6 7,7 -1,1", "8,8"), box=("1,1,9,9",), name=("lamp", "chair"))
    patch = segment_objects(Run.nothing(models), start_project(STILL), params)
    assert [layer.name for layer in patch.layers] == ["lamp", "chair", "prop_03"]
    assert all(layer.kind is LayerKind.PROP for layer in patch.layers)
    asks = [ask for ask in models.asked if isinstance(ask, roles.Segment)]
    assert [len(ask.clicks) for ask in asks] == [1, 2, 3, 1, 0]  # each further click refines the mask so far
    assert [ask.earlier is None for ask in asks] == [True, False, False, True, True]
    assert patch.layers[0].masks[STILL.id].alpha.max() == 190  # the matte, not the hard mask
    assert isinstance(patch.notes[patch.layers[0].id], Candidates)


def test_a_negative_first_point_waits_for_a_positive_one(models: Models) -> None:
    segment_objects(Run.nothing(models), start_project(STILL), SegmentParams(click=("-1,1 6,6",)))
    first = next(ask for ask in models.asked if isinstance(ask, roles.Segment))
    assert [click.positive for click in first.clicks] == [True]


@pytest.mark.parametrize("params", [{"click": ("31,5",)}, {"box": ("40,1,50,9",)}, {"name": ("a",)}])
def test_what_lies_outside_the_still_is_refused(models: Models, params: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        segment_objects(Run.nothing(models), start_project(STILL), SegmentParams(**params))


def offer_masks(models: Models, shares: tuple[float, ...], best: int) -> None:
    """Candidates that take these shares of the still, from its top, the first one the surest."""

    def segment(ask: roles.Segment) -> Candidates:
        masks = [np.zeros((20, 30), np.uint8) for _ in shares]
        for mask, share in zip(masks, shares, strict=True):
            mask[: round(20 * share)] = 255
        return Candidates(tuple(Mask(m, STILL.id) for m in masks), (0.9, 0.5, 0.1)[: len(masks)], best)

    models.segment = segment  # type: ignore[method-assign]


@pytest.mark.parametrize(("shares", "best"), [((0, 0.5), 0), ((1, 0.5), 0), ((1, 0.5, 0.2), 0), ((0, 1, 0.5), 1)])
def test_a_mask_of_nothing_or_of_everything_is_not_chosen(models: Models, shares: tuple[float, ...], best: int) -> None:
    offer_masks(models, shares, best)
    patch = segment_objects(Run.nothing(models), start_project(STILL), SegmentParams(click=("6,6 7,7",)))
    assert patch.layers[0].masks[STILL.id].count_pixels() == 300
    second = [ask for ask in models.asked if isinstance(ask, roles.Segment)][1]
    assert second.earlier is not None and second.earlier.count_pixels() == 300


@pytest.mark.parametrize(("shares", "told"), [((0, 0, 0), "no object"), ((1, 0, 1), "whole still")])
def test_a_still_without_any_object_is_refused(models: Models, shares: tuple[float, ...], told: str) -> None:
    offer_masks(models, shares, 0)
    with pytest.raises(BadInput, match=told):
        segment_objects(Run.nothing(models), start_project(STILL), SegmentParams(box=("1,1,9,9",)))


@pytest.mark.parametrize(("params", "focal"), [({}, 40.0), ({"focal_mm": 50.0}, 50 * 30 / 36)])
def test_a_known_focal_length_reaches_the_calibrator(models: Models, params: dict[str, float], focal: float) -> None:
    patch = calibrate_camera(Run.nothing(models), start_project(STILL), CalibrateParams(**params))
    (shot,) = patch.shots
    assert shot.camera is not None and shot.camera.fx == pytest.approx(focal)


def turn_still(portrait: bool, focal_px: float | None) -> Still:
    shape = (30, 20, 3) if portrait else (20, 30, 3)
    return Still(np.zeros(shape, dtype=np.uint8), "kitchen", "1" * 64, focal_px=focal_px)


@pytest.mark.parametrize("portrait", [False, True])
@pytest.mark.parametrize("source", ["exif", "user"])
def test_a_lens_has_its_millimetres_whichever_way_the_camera_was_turned(portrait: bool, source: str) -> None:
    """A 50 mm lens on full frame, told by EXIF's equivalent (by diagonals) or by the person."""
    told = read_focal_px({0xA405: 50}, 30, 20)
    still = turn_still(portrait, told if source == "exif" else None)
    params = CalibrateParams() if source == "exif" else CalibrateParams(focal_mm=50)

    def calibrate(ask: roles.Calibrate) -> Camera:
        assert ask.focal_px is not None and ask.focal_source == source
        width, height = still.width, still.height
        return Camera(width, height, ask.focal_px, ask.focal_px, width / 2, height / 2, aim_camera(0, 0, 1.5))

    (shot,) = calibrate_camera(Run.nothing(calibrate), start_project(still), params).shots
    assert shot.camera is not None and shot.solved_by is not None
    assert shot.camera.fx == pytest.approx(50 * 30 / 36) and shot.camera.focal_mm == pytest.approx(50)
    assert shot.camera.film_back_mm == shot.solved_by.params["film_back_mm"] == (24 if portrait else 36)


def test_a_film_back_that_is_told_lies_across_the_picture() -> None:
    still, asked = turn_still(portrait=True, focal_px=None), list[float | None]()

    def calibrate(ask: roles.Calibrate) -> Camera:
        asked.append(ask.focal_px)
        return Camera(20, 30, 40, 40, 10, 15, aim_camera(0, 0, 1.5))

    params = CalibrateParams(focal_mm=50, film_back_mm=25)
    (shot,) = calibrate_camera(Run.nothing(calibrate), start_project(still), params).shots
    assert asked == [40] and shot.camera is not None and shot.camera.focal_mm == pytest.approx(50)


def test_a_locked_camera_stays(models: Models) -> None:
    project = start_project(STILL)
    shot = replace(project.hero, camera=replace(CAMERA, locked=True))
    patch = calibrate_camera(Run.nothing(models), replace(project, shots=(shot,)), CalibrateParams())
    assert not patch.shots and not models.asked


def test_a_set_keeps_the_camera_it_was_built_with(models: Models) -> None:
    run, masked = Run.nothing(models), with_prop()
    built = apply_patch(masked, reconstruct_set(run, masked, ReconstructParams()))
    with pytest.raises(BadInput, match="camera"):
        calibrate_camera(run, built, CalibrateParams(focal_mm=85))
    for swallowed in ({"known_length": "1,1,1,9=2"}, {"focal_mm": 85.0}):
        with pytest.raises(BadInput, match="already"):
            make_props(run, built, PropParams(**swallowed))


def test_a_new_focal_length_solves_the_camera_again(models: Models) -> None:
    run, masked = Run.nothing(models), with_prop()
    built = apply_patch(masked, reconstruct_set(run, masked, ReconstructParams()))
    (shot,) = reconstruct_set(run, built, ReconstructParams(focal_mm=72)).shots
    assert shot.camera is not None and shot.camera.fx == pytest.approx(72 * 30 / 36)
    assert shot.solved_by is not None and shot.solved_by.params["focal_mm"] == 72


def with_prop() -> Project:
    mask = np.zeros((20, 30), dtype=np.uint8)
    mask[5:15, 5:15] = 255
    layer = make_layer("lamp", LayerKind.PROP, masks={STILL.id: Mask(mask, STILL.id)})
    return replace(start_project(STILL), layers=(layer,))


def test_the_set_is_made_from_the_plate_without_props(models: Models) -> None:
    patch = reconstruct_set(Run.nothing(models), with_prop(), ReconstructParams())
    asked = ["Calibrate", "FillHoles", "FillHoles", "EstimateDepth", "EstimateDepth", "ReconstructScene"]
    assert models.names() == asked
    hole, previewed = models.asked[2].hole, models.asked[1].preview
    assert previewed and not models.asked[2].preview
    assert np.count_nonzero(hole) == 100
    assert [layer.name for layer in patch.layers] == ["set", "sky"]
    (shot,) = patch.shots
    assert shot.clean_plate is not None and (shot.clean_plate == 9).all()


def test_without_props_the_still_is_its_own_plate(models: Models) -> None:
    reconstruct_set(Run.nothing(models), start_project(STILL), ReconstructParams())
    assert models.names() == ["Calibrate", "EstimateDepth", "ReconstructScene"]


def test_making_the_set_again_renews_its_layers(models: Models) -> None:
    run = Run.nothing(models)
    masked = with_prop()
    once = apply_patch(masked, reconstruct_set(run, masked, ReconstructParams()))
    twice = apply_patch(once, reconstruct_set(run, once, ReconstructParams()))
    assert [layer.id for layer in twice.layers] == [layer.id for layer in once.layers]


def test_a_prop_stands_where_it_was_made_and_keeps_earlier_takes(models: Models) -> None:
    run = Run.nothing(models)
    masked = with_prop()
    project = apply_patch(masked, make_props(run, masked, PropParams()))
    (prop,) = project.props()
    assert isinstance(prop.geometry, Mesh) and prop.geometry.positions[:, 1].min() == 0
    assert np.allclose(place_mesh(prop.geometry, prop.transform).positions, make_mesh().positions, atol=1e-6)
    again = apply_patch(project, make_props(run, project, PropParams(only=("lamp",))))
    assert len(again.props()[0].takes) == 1 and models.names().count("ReconstructScene") == 1


def test_an_unknown_prop_is_refused(models: Models) -> None:
    with pytest.raises(BadInput, match="sofa"):
        make_props(Run.nothing(models), with_prop(), PropParams(only=("sofa",)))


def test_the_pivot_is_the_middle_of_the_base() -> None:
    assert np.allclose(find_pivot(make_mesh()), (1.5, 0.2, -3.5))


def test_convert_does_it_all_and_tells_how_well(models: Models) -> None:
    params = ConvertParams(click=("6,6",), box=("10,10,20,18",))
    patch = convert_still(Run.nothing(models), start_project(STILL), params)
    project = apply_patch(start_project(STILL), patch)
    assert [layer.name for layer in project.layers] == ["prop_01", "prop_02", "set", "sky"]
    assert all(layer.geometry is not None and layer.made_by is not None for layer in project.layers)
    assert patch.notes["match"].psnr_db == 30
    assert set(patch.notes["match"].silhouette_iou) == {layer.id for layer in project.props()}
    assert set(patch.notes["seconds"]) == {"segment", "calibrate", "reconstruct", "prop", "compare"}


def test_every_parameter_of_every_pipeline_is_described() -> None:
    for pipeline in PIPELINES.values():
        for name, field in pipeline.params.model_fields.items():
            assert field.description, f"{pipeline.name}.{name}"


def test_progress_only_rises(models: Models) -> None:
    seen: list[float] = []
    card = Catalog().find("stage")
    run = Run(lambda ask, model, inner: (models(ask), card), lambda f, t: seen.append(f), print, lambda: False)
    convert_still(run, start_project(STILL), ConvertParams(click=("6,6", "8,8")))
    assert seen == sorted(seen) and seen[-1] <= 1
