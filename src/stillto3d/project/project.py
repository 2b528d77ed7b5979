"""Project, Layer, Patch and Recipe: the work as one value, and pure edits of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from .geometry import Geometry, rescale_geometry
from .space import Camera, Origin
from .still import F64, U8, Depth, Mask, Still, freeze, require

T = TypeVar("T", "Layer", "Shot")


class LayerKind(Enum):
    """What a layer is: part of the set, or a thing that stands in it."""

    SCENE = "SCENE"
    PROP = "PROP"


@dataclass(frozen=True)
class Recipe:
    """How a result was made, so that it can be made again.

    `models` lists {id, version, licence, commercial} of each model that took part; `params` are complete
    (defaults written out); `seconds` is wall time.
    """

    pipeline: str
    params: Mapping[str, Any]
    models: tuple[Mapping[str, Any], ...]
    seed: int
    seconds: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))
        object.__setattr__(self, "models", tuple(MappingProxyType(dict(m)) for m in self.models))


@dataclass(frozen=True, eq=False)
class Shot:
    """One still of the place, with what has been solved from it.

    clean_plate         u8[H, W, 3], the still without its props
    depth, plate_depth  metres of the still and of the plate, agreed on what both see
    floor               u8[h, w] of the depth's size, 1 where the plate shows the floor
    solved_by           how the camera was solved
    """

    still: Still
    clean_plate: U8 | None = None
    camera: Camera | None = None
    depth: Depth | None = None
    plate_depth: Depth | None = None
    floor: U8 | None = None
    solved_by: Recipe | None = None

    def __post_init__(self) -> None:
        if self.clean_plate is not None:
            plate, shape = self.clean_plate, self.still.pixels.shape
            require(plate.dtype == np.uint8 and plate.shape == shape, "clean_plate: u8[H,W,3] of the still")
            object.__setattr__(self, "clean_plate", freeze(self.clean_plate))
        if self.floor is not None:
            require(self.floor.dtype == np.uint8 and self.floor.ndim == 2, "floor: u8[h,w]")
            object.__setattr__(self, "floor", freeze(self.floor))
        if self.camera is not None:
            size = (self.camera.width, self.camera.height)
            require(size == (self.still.width, self.still.height), "a camera has its still's size")
        maps = [self.floor, *(depth.metres for depth in (self.depth, self.plate_depth) if depth is not None)]
        require(len({m.shape for m in maps if m is not None}) < 2, "depth, plate_depth and floor have one size")


@dataclass(frozen=True, eq=False)
class Take:
    """An earlier result of a layer, to go back to."""

    geometry: Geometry
    transform: F64
    made_by: Recipe | None


@dataclass(frozen=True, eq=False)
class Layer:
    """One thing in the shot.

    A prop's geometry is metric around its own pivot; `transform` f64[4, 4] stands it in the world.
    `masks` are keyed by still id; `takes` are earlier results, newest last.
    """

    id: str
    name: str
    kind: LayerKind
    masks: Mapping[str, Mask] = field(default_factory=dict)
    geometry: Geometry | None = None
    transform: F64 = field(default_factory=lambda: np.eye(4))
    visible: bool = True
    locked: bool = False
    made_by: Recipe | None = None
    takes: tuple[Take, ...] = ()

    def __post_init__(self) -> None:
        matrix = np.asarray(self.transform, dtype=np.float64)
        require(matrix.shape == (4, 4) and bool(np.isfinite(matrix).all()), "transform: f64[4,4]")
        object.__setattr__(self, "transform", freeze(matrix))
        if not isinstance(self.masks, MappingProxyType):  # else it is shared, and known to be unchanged
            object.__setattr__(self, "masks", MappingProxyType(dict(self.masks)))


@dataclass(frozen=True)
class Policy:
    """What may be used: `use` is "research" or "commercial"; `region` an ISO 3166 code or "".

    `choices` are pairs of a role and the model that shall answer it; the best usable one answers the others.
    """

    use: str = "research"
    region: str = ""
    choices: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        require(self.use in ("research", "commercial"), "use is research or commercial")
        object.__setattr__(self, "choices", tuple((str(role), str(model)) for role, model in self.choices))

    def find_choice(self, role: str) -> str | None:
        """The model chosen for a role; None: the best that is usable."""
        return dict(self.choices).get(role)

    def choose(self, role: str, model: str | None) -> Policy:
        """The same with another choice for a role; None takes it back."""
        kept = {name: chosen for name, chosen in self.choices if name != role}
        return replace(self, choices=tuple(sorted((kept | ({role: model} if model else {})).items())))


@dataclass(frozen=True, eq=False)
class Project:
    """Everything about one place: shots (the first is the hero) and layers. Edits return a new project."""

    shots: tuple[Shot, ...] = ()
    layers: tuple[Layer, ...] = ()
    unit_scale: float = 1.0
    policy: Policy = Policy()

    def __post_init__(self) -> None:
        ids = [layer.id for layer in self.layers]
        require(len(ids) == len(set(ids)), "layer ids are unique")
        require(0 < self.unit_scale < 1e9, "unit_scale is positive")
        sizes = {shot.still.id: shot.still.pixels.shape[:2] for shot in self.shots}
        for layer in self.layers:
            for still_id, mask in layer.masks.items():
                require(sizes.get(still_id, mask.alpha.shape) == mask.alpha.shape, "a mask has its still's size")

    @property
    def hero(self) -> Shot:
        """The first shot. Raises ValueError in a project without stills."""
        require(bool(self.shots), "the project holds no still")
        return self.shots[0]

    def layer(self, layer_id: str) -> Layer | None:
        """The layer of that id, or None when it has been deleted meanwhile."""
        return next((layer for layer in self.layers if layer.id == layer_id), None)

    def props(self) -> tuple[Layer, ...]:
        """The prop layers, in their order."""
        return tuple(layer for layer in self.layers if layer.kind is LayerKind.PROP)

    def scenes(self) -> tuple[Layer, ...]:
        """The scene layers, in their order."""
        return tuple(layer for layer in self.layers if layer.kind is LayerKind.SCENE)

    def name_layer(self, wanted: str) -> str:
        """`wanted`, or `wanted_02`, ... if a layer has that name."""
        taken = {layer.name for layer in self.layers}
        candidates = (wanted if k == 1 else f"{wanted}_{k:02d}" for k in range(1, len(taken) + 2))
        return next(name for name in candidates if name not in taken)


@dataclass(frozen=True, eq=False)
class Patch:
    """What to put in place of what, with a label for the undo list.

    layers    replace the layer of the same id, or join at the end
    removed   ids of layers that go
    shots     replace the shot of the same still, or join at the end
    based_on  ids of layers that the work started from: those deleted meanwhile stay deleted
    notes     what a face may want to show of the result; never part of the project
    """

    label: str
    layers: tuple[Layer, ...] = ()
    removed: frozenset[str] = frozenset()
    shots: tuple[Shot, ...] = ()
    based_on: frozenset[str] = frozenset()
    unit_scale: float | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    def annotate(self, notes: Mapping[str, Any]) -> Patch:
        """The same patch with other notes."""
        return replace(self, notes=MappingProxyType(dict(notes)))


def apply_patch(project: Project, patch: Patch) -> Project:
    """The project after the patch. Layers in `based_on` that have been deleted meanwhile stay deleted."""
    present = {layer.id for layer in project.layers}
    incoming = {lay.id: lay for lay in patch.layers if lay.id in present or lay.id not in patch.based_on}
    layers = tuple(incoming.pop(lay.id, lay) for lay in project.layers if lay.id not in patch.removed)
    shots = {shot.still.id: shot for shot in project.shots} | {shot.still.id: shot for shot in patch.shots}
    return replace(
        project,
        layers=layers + tuple(incoming.values()),
        shots=tuple(shots.values()),
        unit_scale=project.unit_scale if patch.unit_scale is None else patch.unit_scale,
    )


def merge_patches(label: str, patches: Iterable[Patch]) -> Patch:
    """Several patches, applied in turn, as one undo step."""
    layers: dict[str, Layer] = {}
    shots: dict[str, Shot] = {}
    removed: set[str] = set()
    based_on: set[str] = set()
    unit_scale: float | None = None
    for patch in patches:
        based_on |= patch.based_on - layers.keys()  # what an earlier patch has made is not based on anything
        layers |= {layer.id: layer for layer in patch.layers}
        shots |= {shot.still.id: shot for shot in patch.shots}
        removed |= patch.removed
        unit_scale = patch.unit_scale if patch.unit_scale is not None else unit_scale
    kept = tuple(layer for layer in layers.values() if layer.id not in removed)
    return Patch(label, kept, frozenset(removed), tuple(shots.values()), frozenset(based_on), unit_scale)


def rebase_patch(base: Project, now: Project, patch: Patch) -> Patch:
    """A patch that was worked out on `base`, for a project that was edited meanwhile.

    Of a layer or shot that both know, only what the work has changed is taken: a new name or mask stays.
    """
    layers = tuple(_rebase(base.layer(new.id), now.layer(new.id), new) for new in patch.layers)
    old = {shot.still.id: shot for shot in base.shots}
    present = {shot.still.id: shot for shot in now.shots}
    shots = tuple(_rebase(old.get(new.still.id), present.get(new.still.id), new) for new in patch.shots)
    return replace(patch, layers=layers, shots=shots)


def _rebase(base: T | None, now: T | None, new: T) -> T:
    if base is None or now is None or base is now:
        return new
    changed = {f.name: getattr(new, f.name) for f in fields(base) if getattr(new, f.name) is not getattr(base, f.name)}
    return replace(now, **changed)


def start_project(still: Still) -> Project:
    """A project that holds one still and nothing else."""
    return Project(shots=(Shot(still),))


def make_layer(name: str, kind: LayerKind, **fields: Any) -> Layer:
    """A layer with a fresh id."""
    return Layer(id=uuid.uuid4().hex[:12], name=name, kind=kind, **fields)


def rescale_project(project: Project, factor: float) -> Project:
    """Everything `factor` times as large, about the world's origin: set, props, depth and cameras together."""
    require(0 < factor < 1e9, "a factor is positive")
    return replace(
        project,
        shots=tuple(_rescale_shot(shot, factor) for shot in project.shots),
        layers=tuple(_rescale_layer(layer, factor) for layer in project.layers),
    )


def _rescale_shot(shot: Shot, factor: float) -> Shot:
    def grow(depth: Depth | None) -> Depth | None:
        return None if depth is None else replace(depth, metres=depth.metres * np.float32(factor))

    camera = shot.camera
    if camera is not None:
        pose = camera.world_from_camera.copy()
        pose[:3, 3] *= factor
        origin = {**camera.origin, "height": Origin("user", 1.0)}
        camera = replace(camera, world_from_camera=pose, origin=origin)
    return replace(shot, camera=camera, depth=grow(shot.depth), plate_depth=grow(shot.plate_depth))


def _rescale_layer(layer: Layer, factor: float) -> Layer:
    def move(transform: F64) -> F64:
        moved = transform.copy()
        moved[:3, 3] *= factor
        return moved

    takes = tuple(
        replace(take, geometry=rescale_geometry(take.geometry, factor), transform=move(take.transform))
        for take in layer.takes
    )
    if layer.geometry is None:
        return replace(layer, takes=takes) if takes else layer
    grown = rescale_geometry(layer.geometry, factor)
    return replace(layer, geometry=grown, transform=move(layer.transform), takes=takes)
