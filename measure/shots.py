"""Whole shots of the samples: what `convert` makes of them, and what the product makes of the true masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stillto3d.engine.run import Run
from stillto3d.errors import StillTo3DError
from stillto3d.models.roles import EstimateDepth, Match, MatteMask, RenderMeshes
from stillto3d.pipelines.calibrate import CalibrateParams, calibrate_camera
from stillto3d.pipelines.convert import ConvertParams, convert_still, measure_match
from stillto3d.pipelines.prop import PropParams, make_props
from stillto3d.pipelines.reconstruct import ReconstructParams, reconstruct_set
from stillto3d.project.geometry import Mesh, measure_bounds, place_mesh
from stillto3d.project.project import Layer, LayerKind, Patch, Project, apply_patch, make_layer, start_project
from stillto3d.project.still import Still
from stillto3d.studio import Studio

from .geometry import LEAST_VISIBLE, choose_reference, find_ends, score_camera, score_depth
from .masks import find_deepest
from .product import make_mask, run_work
from .sides import measure_far_side
from .truth import U8, Bool, Instance, Truth, load_picture
from .views import Grid, View, score_second_view

MOST_PROPS = 6
LEAST_SHARE = 0.002  # of the still that an object covers to become a prop
LEAST_SEEN = 0.5  # of an object that becomes a prop
THIN_CELLS = 3
THIN_SHARE = 0.1  # of a mask that may be thinner than three cells before its silhouette is not bounded


@dataclass(frozen=True)
class PropFigures:
    """One prop; None where there is no truth."""

    name: str
    height_m: float
    true_height_m: float | None
    height_error: float | None
    free_height_error: float | None  # from one click, without a known length
    reference: bool
    thin: bool  # its mask is thinner than three grid cells: its silhouette is not bounded
    watertight: bool
    silhouette_iou: float
    shown: float  # share of its mask where the whole shot shows it; the rest stands inside the set
    far_error: float | None  # of its far side, as a share of its extent in depth; None where that cannot be judged


@dataclass
class ShotFigures:
    """Everything that was measured on one still's shot."""

    camera: dict[str, float | None] = field(default_factory=dict)
    depth: dict[str, float | None] = field(default_factory=dict)
    props: list[PropFigures] = field(default_factory=list)
    plate_psnr_db: float | None = None
    clicked_plate_psnr_db: float | None = None
    views: dict[str, View] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def measure_camera(studio: Studio, still: Still, truth: Truth, figures: ShotFigures) -> None:
    """The camera alone."""
    patch = run_work(studio, "camera", lambda run: calibrate_camera(run, start_project(still), CalibrateParams()))
    camera = patch.shots[0].camera
    assert camera is not None
    figures.camera = score_camera(camera, truth)


def measure_depth(studio: Studio, still: Still, truth: Truth, figures: ShotFigures) -> None:
    """The set's agreed depth of a still without any prop."""
    patch = run_work(studio, "set", lambda run: reconstruct_set(run, start_project(still), PropParams()))
    depth = patch.shots[0].depth
    assert depth is not None
    figures.depth |= score_depth(depth.metres, truth)


def measure_network_depth(studio: Studio, still: Still, truth: Truth, figures: ShotFigures) -> None:
    """The depth model's answer as it comes, before the set is made to agree with itself."""
    raw = run_work(studio, "depth", lambda run: run.call(EstimateDepth(still)))
    scores = score_depth(raw.depth, truth)
    figures.depth |= {f"network_{key}": scores[key] for key in ("abs_rel", "delta1")}


def choose_props(truth: Truth) -> list[Instance]:
    """Objects that become props: those whose height can be judged first, then the largest."""
    fit = [
        instance
        for instance in truth.instances
        if instance.mask.mean() >= LEAST_SHARE and instance.visible >= LEAST_SEEN
    ]
    return sorted(fit, key=lambda instance: (not is_whole(instance), -int(instance.mask.sum())))[:MOST_PROPS]


def is_whole(instance: Instance) -> bool:
    """Whether the picture shows so much of the object that its height can be asked for."""
    return instance.height_m is not None and instance.visible >= LEAST_VISIBLE and not instance.cut_by_frame


def measure_shot(studio: Studio, still: Still, truth: Truth, figures: ShotFigures) -> None:
    """Camera and depth as `convert` gives them with one click a prop; props and set from the true masks."""
    chosen = choose_props(truth)
    clicked: Project | None = None
    try:
        clicked, match = convert_clicks(studio, still, chosen)
        figures.clicked_plate_psnr_db = match.psnr_db
        _note_solved(clicked, truth, figures)
    except StillTo3DError as refusal:
        figures.failures.append(f"convert with one click each: {refusal}")
        measure_camera(studio, still, truth, figures)
        measure_depth(studio, still, truth, figures)
    true, match = convert_masks(studio, still, truth, chosen)
    figures.plate_psnr_db = match.psnr_db
    shown = run_work(studio, "shown", lambda run: measure_shown(run, true))
    sides = run_work(studio, "sides", lambda run: measure_sides(run, true, truth, chosen))
    figures.props = list_props(true, clicked, match, shown, sides, truth, chosen)
    if truth.second is not None:
        figures.views = view_aside(studio, true, truth)


def _note_solved(project: Project, truth: Truth, figures: ShotFigures) -> None:
    shot = project.hero
    assert shot.camera is not None and shot.depth is not None
    figures.camera = score_camera(shot.camera, truth)
    figures.depth |= score_depth(shot.depth.metres, truth)


def convert_clicks(studio: Studio, still: Still, chosen: Sequence[Instance]) -> tuple[Project, Match]:
    """`convert` with one click on the deepest point of each object; no length is known."""
    points = [find_deepest(instance.mask) for instance in chosen]
    params = ConvertParams(
        click=tuple(f"{x + 0.5},{y + 0.5}" for x, y in points),
        name=tuple(name_prop(instance) for instance in chosen),
    )
    project = start_project(still)
    patch: Patch = run_work(studio, "convert", lambda run: convert_still(run, project, params))
    return apply_patch(project, patch), patch.notes["match"]


def convert_masks(studio: Studio, still: Still, truth: Truth, chosen: Sequence[Instance]) -> tuple[Project, Match]:
    """The steps of `convert` with the true masks as props, the height of one object told."""
    params = ReconstructParams(known_length=tell_length(truth))

    def work(run: Run) -> tuple[Project, Match]:
        project = start_project(still)
        layers = tuple(cut_out(run, still, instance) for instance in chosen)
        project = apply_patch(project, Patch("masks", layers))
        camera_params = CalibrateParams()
        project = apply_patch(project, calibrate_camera(run, project, camera_params))
        project = apply_patch(project, reconstruct_set(run, project, params))
        project = apply_patch(project, make_props(run, project, PropParams()))
        return project, measure_match(run, project)

    return run_work(studio, "shot", work)


def cut_out(run: Run, still: Still, instance: Instance) -> Layer:
    """A prop layer with the true mask, its edge matted as any mask's is."""
    mask = run.call(MatteMask(still, make_mask(instance.mask, still)))
    return make_layer(name_prop(instance), LayerKind.PROP, masks={still.id: mask})


def name_prop(instance: Instance) -> str:
    """A name that no other instance has."""
    return f"{instance.name or 'prop'}_{instance.id}"


def tell_length(truth: Truth) -> str:
    """The known length of the reference object as the product reads it; "" without one."""
    reference = choose_reference(truth)
    if reference is None:
        return ""
    a, b = find_ends(reference)
    return f"{a[0]},{a[1]},{b[0]},{b[1]}={reference.height_m}"


def list_props(
    project: Project,
    clicked: Project | None,
    match: Match,
    shown: Mapping[str, float],
    sides: Mapping[str, float | None],
    truth: Truth,
    chosen: Sequence[Instance],
) -> list[PropFigures]:
    """The figures of every prop of the shot made from true masks."""
    reference = choose_reference(truth)
    props = {layer.name: layer for layer in project.props()}
    free = {layer.name: layer for layer in clicked.props()} if clicked else {}
    figures = []
    for instance in chosen:
        layer = props[name_prop(instance)]
        assert isinstance(layer.geometry, Mesh)
        true = instance.height_m if is_whole(instance) else None
        height = measure_height(layer)
        other = free.get(layer.name)
        figures.append(
            PropFigures(
                name=layer.name,
                height_m=height,
                true_height_m=true,
                height_error=None if true is None else abs(height / true - 1),
                free_height_error=None if true is None or other is None else abs(measure_height(other) / true - 1),
                reference=reference is not None and reference.id == instance.id,
                thin=is_thin(instance.mask, PropParams().grid),
                watertight=layer.geometry.is_watertight(),
                silhouette_iou=match.silhouette_iou[layer.id],
                shown=shown[layer.id],
                far_error=sides.get(layer.name),
            )
        )
    return figures


def measure_shown(run: Run, project: Project) -> dict[str, float]:
    """By layer id, the share of each prop's mask where the solved camera sees it before everything else."""
    shot = project.hero
    assert shot.camera is not None
    layers = [layer for layer in project.layers if isinstance(layer.geometry, Mesh)]
    ids = run.call(RenderMeshes(tuple(stand(layer) for layer in layers), shot.camera, wants=("ids",))).ids
    assert ids is not None
    shares = {}
    for number, layer in enumerate(layers, 1):
        if layer.kind is LayerKind.PROP:
            inside = layer.masks[shot.still.id].alpha > 127
            shares[layer.id] = float((ids[inside] == number).mean())
    return shares


def measure_sides(run: Run, project: Project, truth: Truth, chosen: Sequence[Instance]) -> dict[str, float | None]:
    """By name, the error of the far side of each prop that is seen whole and is not thin."""
    camera = project.hero.camera
    assert camera is not None
    props = {layer.name: layer for layer in project.props()}
    return {
        name_prop(instance): measure_far_side(run, stand(props[name_prop(instance)]), camera, instance.mask, truth)
        for instance in chosen
        if is_whole(instance) and not instance.thin
    }


def stand(layer: Layer) -> Mesh:
    """A layer's mesh in the world."""
    assert isinstance(layer.geometry, Mesh)
    return place_mesh(layer.geometry, layer.transform)


def measure_height(layer: Layer) -> float:
    """The vertical extent of a prop in the world, metres."""
    assert layer.geometry is not None
    low, high = measure_bounds(layer.geometry, layer.transform)
    return float(high[1] - low[1])


def is_thin(mask: Bool, grid: int) -> bool:
    """Whether more than a tenth of the mask is thinner than three cells of the prop's grid."""
    import cv2

    ys, xs = np.nonzero(mask)
    cell = max(np.ptp(ys) + 1, np.ptp(xs) + 1) / grid
    size = max(1, round(THIN_CELLS * cell))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    padded = np.pad(mask, size).astype(np.uint8)
    kept = cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc)
    return bool(1 - kept.sum() / mask.sum() > THIN_SHARE)


def view_aside(studio: Studio, project: Project, truth: Truth) -> dict[str, View]:
    """The second view of a made shot."""
    shot = project.hero
    assert shot.camera is not None and shot.depth is not None and truth.second is not None
    camera, shape = shot.camera, shot.depth.metres.shape
    second: U8 = load_picture(truth.second)
    meshes = [stand(layer) for layer in project.layers if isinstance(layer.geometry, Mesh)]
    grid = Grid((shape[0], shape[1]), PropParams().detail)

    def work(run: Run) -> dict[str, View]:
        return score_second_view(run, truth, shot.still.pixels, second, meshes, camera, grid)

    return run_work(studio, "second view", work)
