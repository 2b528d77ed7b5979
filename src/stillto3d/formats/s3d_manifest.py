"""A project as JSON plus a list of distinct arrays, and back: what a project file's manifest says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..project.geometry import Geometry, Material, Mesh, Points, Splats
from ..project.project import Layer, LayerKind, Policy, Project, Recipe, Shot, Take
from ..project.space import Camera, Origin
from ..project.still import Depth, Mask, Still, freeze, require

Array = NDArray[Any]
Json = dict[str, Any]

_GEOMETRIES: dict[str, tuple[type[Any], tuple[str, ...]]] = {
    "mesh": (Mesh, ("positions", "faces", "normals", "uvs", "corner_uvs", "colors", "observed")),
    "points": (Points, ("positions", "colors", "observed")),
    "splats": (Splats, ("means", "scales", "rotations", "opacity", "sh", "observed")),
}


def collect_project(project: Project) -> tuple[Json, list[Array]]:
    """The project as JSON, arrays as indices into the list; equal arrays are listed once."""
    shelf = _Shelf()
    described = {
        "shots": [_describe_shot(shot, shelf) for shot in project.shots],
        "layers": [_describe_layer(layer, shelf) for layer in project.layers],
        "unit_scale": project.unit_scale,
        "policy": {
            "use": project.policy.use,
            "region": project.policy.region,
            "choices": [list(pair) for pair in project.policy.choices],
        },
    }
    return described, shelf.arrays


def restore_project(described: Json, arrays: list[Array]) -> Project:
    """The project again. Raises KeyError, TypeError, ValueError or IndexError for what cannot be one."""
    return Project(
        shots=tuple(_restore_shot(shot, arrays) for shot in described["shots"]),
        layers=tuple(_restore_layer(layer, arrays) for layer in described["layers"]),
        unit_scale=described["unit_scale"],
        policy=Policy(**described["policy"]),
    )


class _Shelf:
    """Distinct arrays in order: the same memory or the same content is put once."""

    def __init__(self) -> None:
        self.arrays: list[Array] = []
        self._by_memory: dict[Any, int] = {}
        self._by_form: dict[Any, list[int]] = {}

    def put(self, array: Array | None) -> int | None:
        if array is None:
            return None
        form = (array.dtype.str, array.shape)
        memory = (*form, array.__array_interface__["data"][0], array.strides)
        if memory not in self._by_memory:
            alike = self._by_form.setdefault(form, [])
            found = next((k for k in alike if _is_same(self.arrays[k], array)), None)
            if found is None:
                found = len(self.arrays)
                self.arrays.append(array)
                alike.append(found)
            self._by_memory[memory] = found
        return self._by_memory[memory]


def _is_same(one: Array, other: Array) -> bool:
    """Whether two arrays of one dtype and shape hold the same bits (so NaN equals itself)."""
    return np.array_equal(one.reshape(-1).view(np.uint8), other.reshape(-1).view(np.uint8))


def _take(arrays: list[Array], index: int | None) -> Any:
    """The array of that index, None for None. Raises IndexError, TypeError."""
    if index is None:
        return None
    require(type(index) is int and 0 <= index < len(arrays), "an array's index")
    return arrays[index]


# ---------------------------------------------------------------------- shots


def _describe_shot(shot: Shot, shelf: _Shelf) -> Json:
    still = shot.still
    return {
        "still": {
            "name": still.name,
            "id": still.id,
            "pixels": shelf.put(still.pixels),
            "alpha": shelf.put(still.alpha),
            "source": shelf.put(still.source),
            "source_space": still.source_space,
            "focal_px": still.focal_px,
        },
        "clean_plate": shelf.put(shot.clean_plate),
        "camera": None if shot.camera is None else _describe_camera(shot.camera),
        "depth": _describe_depth(shot.depth, shelf),
        "plate_depth": _describe_depth(shot.plate_depth, shelf),
        "floor": shelf.put(shot.floor),
        "solved_by": _describe_recipe(shot.solved_by),
    }


def _restore_shot(value: Json, arrays: list[Array]) -> Shot:
    still = value["still"]
    pictures = {key: _take(arrays, still[key]) for key in ("pixels", "alpha", "source")}
    return Shot(
        still=Still(**{**still, **pictures}),
        clean_plate=_take(arrays, value["clean_plate"]),
        camera=None if value["camera"] is None else _restore_camera(value["camera"]),
        depth=_restore_depth(value["depth"], arrays),
        plate_depth=_restore_depth(value["plate_depth"], arrays),
        floor=_take(arrays, value["floor"]),
        solved_by=_restore_recipe(value["solved_by"]),
    )


def _describe_depth(depth: Depth | None, shelf: _Shelf) -> Json | None:
    if depth is None:
        return None
    return {"metres": shelf.put(depth.metres), "still_id": depth.still_id, "sky": shelf.put(depth.sky)}


def _restore_depth(value: Json | None, arrays: list[Array]) -> Depth | None:
    if value is None:
        return None
    return Depth(_take(arrays, value["metres"]), value["still_id"], _take(arrays, value["sky"]))


def _describe_camera(camera: Camera) -> Json:
    plain = {key: getattr(camera, key) for key in _CAMERA_KEYS}
    origin = {key: [o.source, o.confidence] for key, o in camera.origin.items()}
    return plain | {"world_from_camera": camera.world_from_camera.tolist(), "origin": origin}


def _restore_camera(value: Json) -> Camera:
    plain = {key: value[key] for key in _CAMERA_KEYS}
    origin = {key: Origin(source, confidence) for key, (source, confidence) in value["origin"].items()}
    return Camera(**plain, world_from_camera=_restore_matrix(value["world_from_camera"]), origin=origin)


def _restore_matrix(rows: Any) -> NDArray[np.float64]:
    return freeze(np.array(rows, dtype=np.float64))


_CAMERA_KEYS = ("width", "height", "fx", "fy", "cx", "cy", "film_back_mm", "locked")


# ---------------------------------------------------------------------- layers


def _describe_layer(layer: Layer, shelf: _Shelf) -> Json:
    return {
        "id": layer.id,
        "name": layer.name,
        "kind": layer.kind.value,
        "masks": {key: {"alpha": shelf.put(m.alpha), "still_id": m.still_id} for key, m in layer.masks.items()},
        "geometry": _describe_geometry(layer.geometry, shelf),
        "transform": layer.transform.tolist(),
        "visible": layer.visible,
        "locked": layer.locked,
        "made_by": _describe_recipe(layer.made_by),
        "takes": [
            {
                "geometry": _describe_geometry(take.geometry, shelf),
                "transform": take.transform.tolist(),
                "made_by": _describe_recipe(take.made_by),
            }
            for take in layer.takes
        ],
    }


def _restore_layer(value: Json, arrays: list[Array]) -> Layer:
    return Layer(
        id=value["id"],
        name=value["name"],
        kind=LayerKind(value["kind"]),
        masks={key: Mask(_take(arrays, mask["alpha"]), mask["still_id"]) for key, mask in value["masks"].items()},
        geometry=_restore_geometry(value["geometry"], arrays),
        transform=_restore_matrix(value["transform"]),
        visible=bool(value["visible"]),
        locked=bool(value["locked"]),
        made_by=_restore_recipe(value["made_by"]),
        takes=tuple(_restore_take(take, arrays) for take in value["takes"]),
    )


def _restore_take(value: Json, arrays: list[Array]) -> Take:
    geometry = _restore_geometry(value["geometry"], arrays)
    require(geometry is not None, "a take holds geometry")
    assert geometry is not None
    return Take(geometry, _restore_matrix(value["transform"]), _restore_recipe(value["made_by"]))


def _describe_recipe(recipe: Recipe | None) -> Json | None:
    if recipe is None:
        return None
    models = [dict(model) for model in recipe.models]
    return {
        "pipeline": recipe.pipeline,
        "params": dict(recipe.params),
        "models": models,
        "seed": recipe.seed,
        "seconds": recipe.seconds,
    }


def _restore_recipe(value: Json | None) -> Recipe | None:
    if value is None:
        return None
    return Recipe(value["pipeline"], value["params"], tuple(value["models"]), value["seed"], value["seconds"])


# ---------------------------------------------------------------------- geometry


def _describe_geometry(geometry: Geometry | None, shelf: _Shelf) -> Json | None:
    if geometry is None:
        return None
    kind = type(geometry).__name__.lower()
    described: Json = {"type": kind} | {key: shelf.put(getattr(geometry, key)) for key in _GEOMETRIES[kind][1]}
    if isinstance(geometry, Mesh):
        described["material"] = _describe_material(geometry.material, shelf)
    return described


def _restore_geometry(value: Json | None, arrays: list[Array]) -> Geometry | None:
    if value is None:
        return None
    make, keys = _GEOMETRIES[value["type"]]
    fields = {key: _take(arrays, value[key]) for key in keys}
    if make is Mesh:
        fields["material"] = _restore_material(value["material"], arrays)
    geometry: Geometry = make(**fields)
    return geometry


def _describe_material(material: Material | None, shelf: _Shelf) -> Json | None:
    if material is None:
        return None
    plain = {key: getattr(material, key) for key in ("roughness", "metallic", "unlit")}
    return plain | {key: shelf.put(getattr(material, key)) for key in ("base_color", "surface", "normals")}


def _restore_material(value: Mapping[str, Any] | None, arrays: list[Array]) -> Material | None:
    if value is None:
        return None
    maps = (_take(arrays, value.get(key)) for key in ("surface", "normals"))
    return Material(_take(arrays, value["base_color"]), value["roughness"], value["metallic"], value["unlit"], *maps)
