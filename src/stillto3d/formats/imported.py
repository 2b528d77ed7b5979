"""What a foreign file brings: layers, and what a person should know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..project.geometry import Geometry, Mesh, Points, Splats, get_positions
from ..project.project import Layer, LayerKind, Project, make_layer
from ..project.still import F64
from ..words import tr

MOST_LAYERS = 10_000
_LARGEST_SPLAT_M = 1e6
_FARTHEST_M = 1e9


@dataclass
class Imported:
    """Layers of one file in its order, and sentences about what was left out."""

    path: Path
    layers: list[Layer] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(
        self,
        name: str,
        geometry: Geometry | None,
        transform: F64 | None = None,
        kind: LayerKind = LayerKind.PROP,
    ) -> None:
        """One more layer, if there is anything in it. Raises BadInput beyond ten thousand."""
        if geometry is None or not len(get_positions(geometry)):
            return
        if len(self.layers) >= MOST_LAYERS:
            message = "{name} holds more than {n} objects."
            raise BadInput(message, "Join some of them first.", name=self.path.name, n=MOST_LAYERS)
        place = np.eye(4) if transform is None else transform
        self.layers.append(make_layer(name or self.path.stem, kind, geometry=geometry, transform=place))

    def say_lost(self, count: int, what: str) -> None:
        """Tell of values that were dropped because they are not numbers, or none that can be."""
        if count:
            template = {
                "points": tr("{n} points of {name} are not numbers; they were left out.", n=count, name=self.path.name),
                "splats": tr("{n} splats of {name} cannot be; they were left out.", n=count, name=self.path.name),
                "faces": tr("{n} triangles of {name} cannot be; they were left out.", n=count, name=self.path.name),
            }
            self.notes.append(template[what])

    def make_project(self) -> Project:
        """A project without a still that holds the layers. Raises BadInput where there are none."""
        if not self.layers:
            message = "{name} holds nothing that can be shown: no triangles, points or splats."
            raise BadInput(message, name=self.path.name)
        return Project((), tuple(self.layers))


# ---------------------------------------------------------------------- values that cannot be


def is_place(positions: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which rows are points that can be: finite, and not beyond a million kilometres."""
    with np.errstate(invalid="ignore"):
        near: NDArray[np.bool_] = (np.abs(positions) < _FARTHEST_M).all(axis=1)
    return near


def keep_points(found: Imported, points: Sequence[NDArray[Any] | None]) -> Points:
    """Positions, colors and observed (each [n, ...] or None) without the rows that are not numbers."""
    positions, colors, observed = points
    assert positions is not None
    sound = is_place(positions)
    found.say_lost(int((~sound).sum()), "points")
    if not sound.all():
        positions = positions[sound]
        colors, observed = (None if a is None else a[sound] for a in (colors, observed))
    return Points(positions.astype(np.float32), colors, observed)


def keep_mesh(found: Imported, mesh: dict[str, NDArray[Any]], material: object = None) -> Mesh:
    """A mesh of these arrays (the fields of Mesh) without the triangles whose vertices are not numbers."""
    positions = mesh["positions"]
    sound = is_place(positions)
    faces, extra = mesh["faces"], dict(mesh)
    if not sound.all():
        kept = sound[faces].all(axis=1)
        found.say_lost(int((~kept).sum()), "faces")
        extra["faces"] = faces[kept]
        if "corner_uvs" in extra:
            extra["corner_uvs"] = extra["corner_uvs"][kept]
        extra["positions"] = np.where(sound[:, None], positions, 0)
    extra["positions"] = extra["positions"].astype(np.float32)
    for key in ("uvs", "corner_uvs", "normals"):
        if key in extra:
            extra[key] = np.nan_to_num(extra[key], nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
    return Mesh(**extra, material=material)  # type: ignore[arg-type]


def keep_splats(found: Imported, splats: dict[str, NDArray[Any]]) -> Splats:
    """Splats of these arrays (the fields of Splats), rotations at unit length, without those that cannot be."""
    lengths = np.linalg.norm(splats["rotations"].astype(np.float64), axis=1)
    sound = is_place(splats["means"]) & np.isfinite(lengths) & (lengths > 1e-12)
    with np.errstate(invalid="ignore"):
        scales = splats["scales"]
        sound &= ((scales >= 0) & (scales < _LARGEST_SPLAT_M)).all(axis=1)
        sound &= (splats["opacity"] >= 0) & (splats["opacity"] <= 1)
        sound &= (np.abs(splats["sh"]) < 1e6).all(axis=(1, 2))
    found.say_lost(int((~sound).sum()), "splats")
    if not sound.all():
        splats, lengths = {key: array[sound] for key, array in splats.items()}, lengths[sound]
    unit = (splats["rotations"] / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float32)
    return Splats(**{key: np.ascontiguousarray(a) for key, a in splats.items()} | {"rotations": unit})
