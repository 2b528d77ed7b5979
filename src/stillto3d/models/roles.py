"""What may be asked of a model, and what it must answer: one Ask and one Answer per role.

An `Ask` turns itself into arrays and JSON parameters for the wire and reads the reply back into an `Answer`,
refusing wrong sizes, NaN and ranges with words. Models answer in their own axes and units; an Ask that knows
the camera converts here, once, through `project/space.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import BadAnswer
from ..project.geometry import Material, Mesh
from ..project.space import AXES, ORIGINS, Camera, Origin, aim_camera, convert_points, turn_to_opencv
from ..project.still import F32, U8, Depth, Mask, Still

Arrays = dict[str, NDArray[Any]]
Params = dict[str, Any]
A_co = TypeVar("A_co", covariant=True)

ROLES = (
    "codec",
    "segmenter",
    "matter",
    "detector",
    "calibrator",
    "depth",
    "scene",
    "inpainter",
    "prop",
    "upscaler",
    "rasteriser",
)


class Reply:
    """What came back over the wire, with accessors that refuse what an Ask does not allow."""

    def __init__(self, values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        self.values, self.arrays = values, arrays

    def array(self, name: str, kind: str, *shape: int | None) -> NDArray[Any]:
        """The array `name` of dtype `kind` ("u1", "f4", ...); None in `shape` allows any length.

        Raises BadAnswer when it is missing, of another dtype or shape, or not finite.
        """
        array = self.arrays.get(name)
        if array is None:
            raise BadAnswer("The model's answer lacks {name}.", name=name)
        fits = len(array.shape) == len(shape) and all(
            s is None or s == n for s, n in zip(shape, array.shape, strict=True)
        )
        if array.dtype.str[1:] != kind or not fits:
            raise BadAnswer(
                "The model's answer {name} is {dtype}{got}, not {kind}{shape}.",
                name=name,
                dtype=array.dtype.str[1:],
                got=list(array.shape),
                kind=kind,
                shape=list(shape),
            )
        if kind[0] == "f" and not np.isfinite(array).all():
            raise BadAnswer("The model's answer {name} holds values that are not numbers.", name=name)
        return array

    def number(self, name: str, low: float, high: float) -> float:
        """The finite number `name` within [low, high]. Raises BadAnswer."""
        value = self.values.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            message = "The model's answer {name} is {value}, not a number from {low} to {high}."
            raise BadAnswer(message, name=name, value=value, low=low, high=high)
        return float(value)

    def axes(self) -> str:
        """The camera axes that points and directions are in. Raises BadAnswer for unknown ones, or none."""
        axes = self.values.get("axes")
        if not isinstance(axes, str) or axes not in AXES:
            message = "The model's answer is in the axes {axes}, which are none of {known}."
            raise BadAnswer(message, axes=axes, known=", ".join(AXES))
        return axes

    def mesh(self, prefix: str, camera: Camera, texture: U8 | None) -> Mesh | None:
        """The mesh `prefix.positions`, ... in the answer's camera axes, stood in the world; None when empty."""
        axes = self.axes()
        faces = self.array(f"{prefix}.faces", "u4", None, 3)
        if not len(faces):
            return None
        points = self.array(f"{prefix}.positions", "f4", None, 3)
        n = len(points)
        if int(faces.max()) >= n:
            raise BadAnswer("The model's mesh {name} names vertices that do not exist.", name=prefix)
        corners = f"{prefix}.corner_uvs" in self.arrays
        pixels = self.array(f"{prefix}.texture", "u1", None, None, 3) if texture is None else texture
        return Mesh(
            positions=convert_points(points, axes, camera.world_from_camera),
            faces=faces,
            uvs=None if corners else self.array(f"{prefix}.uvs", "f4", n, 2),
            corner_uvs=self.array(f"{prefix}.corner_uvs", "f4", len(faces), 3, 2) if corners else None,
            observed=self.array(f"{prefix}.observed", "u1", n),
            material=Material(pixels),
        )


class Ask(Protocol[A_co]):
    """One question to a role. `still`, if any, travels once per worker and is then named by its id."""

    role: ClassVar[str]
    op: ClassVar[str]

    @property
    def still(self) -> Still | None:
        """The still that the question is about."""

    def arrays(self) -> Arrays:
        """What travels as arrays."""

    def params(self) -> Params:
        """What travels as JSON."""

    def read(self, reply: Reply) -> A_co:
        """The checked answer. Raises BadAnswer."""


def pack_camera(camera: Camera) -> Params:
    """The camera as adapters take it: intrinsics, tilt and height above the ground."""
    pitch, roll = camera.measure_tilt()
    return {
        "width": camera.width,
        "height": camera.height,
        "fx": camera.fx,
        "fy": camera.fy,
        "cx": camera.cx,
        "cy": camera.cy,
        "pitch": pitch,
        "roll": roll,
        "height_m": float(camera.position[1]),
        "world_from_camera": camera.world_from_camera.tolist(),
    }


# --------------------------------------------------------------------------- codec


@dataclass(frozen=True)
class DecodeStill:
    """Read a picture file, in a process of its own. Answers with a Still and sentences to tell the person."""

    path: str
    name: str
    role: ClassVar[str] = "codec"
    op: ClassVar[str] = "decode"
    still: ClassVar[None] = None

    def arrays(self) -> Arrays:
        return {}

    def params(self) -> Params:
        return {"path": self.path}

    def read(self, reply: Reply) -> DecodedStill:
        pixels = reply.array("pixels", "u1", None, None, 3)
        height, width = pixels.shape[:2]
        source = reply.arrays.get("source")
        if source is not None:
            kind = source.dtype.str[1:]
            if kind not in ("u2", "f2", "f4") or source.shape != pixels.shape:
                raise BadAnswer("The picture's samples came back in an unknown form.")
        alpha = reply.array("alpha", "u1", height, width) if "alpha" in reply.arrays else None
        focal, identity = reply.values.get("focal_px"), str(reply.values.get("id"))
        if not re.fullmatch("[0-9a-f]{64}", identity):
            raise BadAnswer("The model's answer lacks {name}.", name="id")
        still = Still(
            pixels=pixels,
            name=self.name,
            id=identity,
            alpha=alpha,
            source=source,
            source_space=str(reply.values.get("source_space") or "srgb") if source is not None else "",
            focal_px=reply.number("focal_px", 1e-3, 1e7) if focal is not None else None,
        )
        notes = tuple(dict(note) for note in reply.values.get("warnings", ()))
        return DecodedStill(still, str(reply.values.get("format", "")), notes)


@dataclass(frozen=True, eq=False)
class DecodedStill:
    """A still, its file format, and what a person should know about it ({key, text} each)."""

    still: Still
    format: str
    warnings: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, eq=False)
class EncodeImage:
    """Pixels u8 or u16 [H, W] or [H, W, 3|4] to a file's bytes: format "png", "jpeg" or "webp".

    Pictures whose longer side has more pixels than `longest` (0: any) are scaled down to it.
    """

    pixels: NDArray[Any]
    format: str
    quality: int = 92
    longest: int = 0
    role: ClassVar[str] = "codec"
    op: ClassVar[str] = "encode"
    still: ClassVar[None] = None

    def arrays(self) -> Arrays:
        return {"pixels": self.pixels}

    def params(self) -> Params:
        return {"format": self.format, "quality": self.quality, "longest": self.longest}

    def read(self, reply: Reply) -> bytes:
        return reply.array("bytes", "u1", None).tobytes()


@dataclass(frozen=True)
class DecodeImage:
    """A picture's bytes (a texture inside a GLB) to pixels u8[H, W, 3|4]."""

    data: bytes
    role: ClassVar[str] = "codec"
    op: ClassVar[str] = "decode_bytes"
    still: ClassVar[None] = None

    def arrays(self) -> Arrays:
        return {"bytes": np.frombuffer(self.data, dtype=np.uint8)}

    def params(self) -> Params:
        return {}

    def read(self, reply: Reply) -> U8:
        pixels = reply.array("pixels", "u1", None, None, 3)
        if "alpha" not in reply.arrays:
            return pixels
        return np.dstack([pixels, reply.array("alpha", "u1", *pixels.shape[:2])])


@dataclass(frozen=True, eq=False)
class MatchPlate:
    """The samples of a plate whose still holds more than 8 bits show: u16, f16 or f32 [H, W, 3], as the still's."""

    still: Still
    plate: U8
    role: ClassVar[str] = "codec"
    op: ClassVar[str] = "match_plate"

    def arrays(self) -> Arrays:
        assert self.still.source is not None
        return {"pixels": self.still.pixels, "plate": self.plate, "source": self.still.source}

    def params(self) -> Params:
        return {"space": self.still.source_space}

    def read(self, reply: Reply) -> NDArray[Any]:
        source = self.still.source
        assert source is not None
        return reply.array("source", source.dtype.str[1:], *source.shape)


VIEWS = ("ACES 1.0 - SDR Video", "Un-tone-mapped")
"""Views of an sRGB display in OpenColorIO's builtin configuration cg-config-v2.2.0_aces-v1.3_ocio-v2.4."""


@dataclass(frozen=True, eq=False)
class ShowView:
    """A still that holds more than 8 bits through one of VIEWS: u8[H, W, 3], display-referred sRGB."""

    source: NDArray[Any]
    space: str
    view: str
    role: ClassVar[str] = "codec"
    op: ClassVar[str] = "show_view"
    still: ClassVar[None] = None

    def arrays(self) -> Arrays:
        return {"rgb": self.source}

    def params(self) -> Params:
        return {"space": self.space, "view": self.view}

    def read(self, reply: Reply) -> U8:
        return reply.array("pixels", "u1", *self.source.shape)


@dataclass(frozen=True, eq=False)
class WritePlate:
    """A picture in one of our colour spaces to a file's bytes: "exr" in the `target` space, "tiff" or "png" in sRGB.

    An EXR is scaled down to `size` pixels on its longest side, if that is not 0.
    """

    rgb: NDArray[Any]
    space: str
    format: str
    target: str = ""
    xmp: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    role: ClassVar[str] = "codec"
    op: ClassVar[str] = "write_plate"
    still: ClassVar[None] = None

    def arrays(self) -> Arrays:
        return {"rgb": self.rgb}

    def params(self) -> Params:
        told = {"space": self.space, "format": self.format, "target": self.target, "xmp": self.xmp}
        return {**told, "attributes": dict(self.attributes), "size": self.size}

    def read(self, reply: Reply) -> bytes:
        return reply.array("bytes", "u1", None).tobytes()


@dataclass(frozen=True, eq=False)
class WriteLayers:
    """Everything known of a still to an EXR's bytes.

    `depth` f32[H, W] metres (0 = nothing), `ids` u16[H, W] (k + 1 of layer k), `masks` by number of the layer;
    `names` of all layers, and which of them are the set.
    """

    rgb: NDArray[Any]
    space: str
    target: str
    names: Sequence[str]
    scenes: Sequence[int]
    masks: Mapping[int, U8]
    camera: Camera | None
    alpha: U8 | None = None
    depth: F32 | None = None
    ids: NDArray[np.uint16] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    role: ClassVar[str] = "codec"
    op: ClassVar[str] = "write_layers"
    still: ClassVar[None] = None

    def arrays(self) -> Arrays:
        named: dict[str, NDArray[Any] | None] = {
            "rgb": self.rgb,
            "alpha": self.alpha,
            "depth": self.depth,
            "ids": self.ids,
        }
        named |= {f"mask.{k}": mask for k, mask in self.masks.items()}
        return {name: array for name, array in named.items() if array is not None}

    def params(self) -> Params:
        return {
            "space": self.space,
            "target": self.target,
            "names": list(self.names),
            "scenes": list(self.scenes),
            "camera": None if self.camera is None else pack_camera(self.camera),
            "attributes": dict(self.attributes),
        }

    def read(self, reply: Reply) -> bytes:
        return reply.array("bytes", "u1", None).tobytes()


@dataclass(frozen=True)
class ReadObj:
    """Read a Wavefront OBJ, in a process of its own. Answers arrays named as a Mesh's fields, by part's name.

    Positions may hold what is no number: a file is a stranger's.
    """

    path: str
    role: ClassVar[str] = "codec"
    op: ClassVar[str] = "read_obj"
    still: ClassVar[None] = None

    def arrays(self) -> Arrays:
        return {}

    def params(self) -> Params:
        return {"path": self.path}

    def read(self, reply: Reply) -> list[tuple[str, Arrays]]:
        names = [str(name) for name in reply.values.get("names", ())]
        part, positions = reply.array("part", "i4", None), reply.arrays.get("positions", np.zeros(0))
        faces = reply.array("faces", "u4", len(part), 3)
        if positions.dtype != np.float32 or positions.ndim != 2 or positions.shape[1] != 3:
            raise BadAnswer("The model's answer lacks {name}.", name="positions")
        if len(part) and not (part[0] >= 0 and (np.diff(part) >= 0).all() and part[-1] < len(names)):
            raise BadAnswer("The model's mesh {name} names vertices that do not exist.", name="part")
        if len(part) and faces.max() >= len(positions):
            raise BadAnswer("The model's mesh {name} names vertices that do not exist.", name="faces")
        uvs = reply.array("corner_uvs", "f4", len(part), 3, 2) if "corner_uvs" in reply.arrays else None
        colors = reply.array("colors", "u1", len(positions), 3) if "colors" in reply.arrays else None
        found = []
        ends = np.searchsorted(part, np.arange(len(names) + 1))
        for name, start, stop in zip(names, ends[:-1], ends[1:], strict=True):
            own = slice(start, stop)
            kept, inverse = np.unique(faces[own], return_inverse=True)
            arrays = {"positions": positions[kept], "faces": inverse.reshape(-1, 3).astype(np.uint32)}
            if uvs is not None:
                arrays["corner_uvs"] = uvs[own]
            if colors is not None:
                arrays["colors"] = colors[kept]
            found.append((name, arrays))
        return found


@dataclass(frozen=True)
class ReadUsd:
    """Read a USD file, in a process of its own. Values may be no numbers: a file is a stranger's."""

    path: str
    role: ClassVar[str] = "codec"
    op: ClassVar[str] = "read_usd"
    still: ClassVar[None] = None

    def arrays(self) -> Arrays:
        return {}

    def params(self) -> Params:
        return {"path": self.path}

    def read(self, reply: Reply) -> UsdScene:
        up, items = reply.values.get("up"), reply.values.get("items")
        if up not in ("Y", "Z") or not isinstance(items, list):
            raise BadAnswer("The model's answer lacks {name}.", name="items")
        sorted_out: list[Arrays] = [{} for _ in items]
        textures: dict[int, U8] = {}
        for name, array in reply.arrays.items():
            k, _, field = name.partition(".")
            if k == "texture":
                textures[int(field)] = reply.array(name, "u1", None, None, 3)
            else:
                sorted_out[int(k)][field] = array
        parts = [UsdItem(item, arrays) for item, arrays in zip(items, sorted_out, strict=True)]
        return UsdScene(up, reply.number("metres", 1e-9, 1e9), tuple(parts), textures)


@dataclass(frozen=True, eq=False)
class UsdItem:
    """One prim: `told` holds kind (mesh, points, splats, camera), name, matrix and more, `arrays` its values."""

    told: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class UsdScene:
    """What a stage shows; `up` is "Y" or "Z", `metres` how many there are in its unit; textures by number."""

    up: str
    metres: float
    items: tuple[UsdItem, ...]
    textures: Mapping[int, U8]


@dataclass(frozen=True, eq=False)
class ReduceMesh:
    """A coarser copy of a mesh, with about so many triangles, under the same texture."""

    mesh: Mesh
    triangles: int
    role: ClassVar[str] = "codec"
    op: ClassVar[str] = "reduce_mesh"
    still: ClassVar[None] = None

    def arrays(self) -> Arrays:
        mesh = self.mesh
        uvs = mesh.corner_uvs if mesh.uvs is None else mesh.uvs[mesh.faces]
        named = {"corner_uvs": uvs, "observed": mesh.observed, "colors": mesh.colors}
        there = {name: array for name, array in named.items() if array is not None}
        return {"positions": mesh.positions, "faces": mesh.faces, **there}

    def params(self) -> Params:
        return {"triangles": self.triangles}

    def read(self, reply: Reply) -> Mesh:
        positions, faces = reply.array("positions", "f4", None, 3), reply.array("faces", "u4", None, 3)
        n, m = len(positions), len(faces)
        if m and int(faces.max()) >= n:
            raise BadAnswer("The model's mesh {name} names vertices that do not exist.", name="positions")

        def get(name: str, kind: str, *shape: int) -> NDArray[Any] | None:
            return reply.array(name, kind, *shape) if name in reply.arrays else None

        return Mesh(
            positions,
            faces,
            corner_uvs=get("corner_uvs", "f4", m, 3, 2),
            colors=get("colors", "u1", n, 3),
            observed=get("observed", "u1", n),
            material=self.mesh.material,
        )


# --------------------------------------------------------------------------- segmenter, matter


@dataclass(frozen=True, eq=False)
class PrepareStill:
    """Let the segmenter look at a still ahead of the first click."""

    still: Still
    role: ClassVar[str] = "segmenter"
    op: ClassVar[str] = "prepare"

    def arrays(self) -> Arrays:
        return {}

    def params(self) -> Params:
        return {}

    def read(self, reply: Reply) -> None:
        return None


@dataclass(frozen=True)
class Click:
    """A point in pixels of the upright still: on the object, or (positive=False) not on it."""

    x: float
    y: float
    positive: bool = True


@dataclass(frozen=True, eq=False)
class Segment:
    """Clicks, a box (x0, y0, x1, y1) or both, and an earlier mask to refine -> candidate masks."""

    still: Still
    clicks: Sequence[Click] = ()
    box: tuple[float, float, float, float] | None = None
    earlier: Mask | None = None
    role: ClassVar[str] = "segmenter"
    op: ClassVar[str] = "segment"

    def arrays(self) -> Arrays:
        return {} if self.earlier is None else {"earlier": self.earlier.alpha}

    def params(self) -> Params:
        return {
            "clicks": [[c.x, c.y, c.positive] for c in self.clicks],
            "box": None if self.box is None else list(self.box),
        }

    def read(self, reply: Reply) -> Candidates:
        height, width = self.still.height, self.still.width
        masks = reply.array("masks", "u1", None, height, width)
        scores = reply.array("scores", "f4", len(masks))
        if not len(masks) or scores.min() < 0 or scores.max() > 1:
            raise BadAnswer("The segmenter answered without masks or with a confidence outside 0 to 1.")
        best = int(reply.number("best", 0, len(masks) - 1))
        return Candidates(tuple(Mask(m, self.still.id) for m in masks), tuple(map(float, scores)), best)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Masks that the artist may choose from, each with its confidence 0..1; `best` is the model's choice."""

    masks: tuple[Mask, ...]
    confidences: tuple[float, ...]
    best: int


@dataclass(frozen=True, eq=False)
class MatteMask:
    """A hard mask to a soft alpha. `hair` widens the soft band."""

    still: Still
    mask: Mask
    hair: bool = False
    role: ClassVar[str] = "matter"
    op: ClassVar[str] = "matte"

    def arrays(self) -> Arrays:
        return {"mask": self.mask.alpha}

    def params(self) -> Params:
        return {"hair": self.hair}

    def read(self, reply: Reply) -> Mask:
        return Mask(reply.array("alpha", "u1", self.still.height, self.still.width), self.still.id)


@dataclass(frozen=True, eq=False)
class LiftForeground:
    """The still's colours freed from the background where a mask is soft, u8[H, W, 3]."""

    still: Still
    mask: Mask
    role: ClassVar[str] = "matter"
    op: ClassVar[str] = "lift"

    def arrays(self) -> Arrays:
        return {"alpha": self.mask.alpha}

    def params(self) -> Params:
        return {}

    def read(self, reply: Reply) -> U8:
        return reply.array("foreground", "u1", self.still.height, self.still.width, 3)


# --------------------------------------------------------------------------- detector


@dataclass(frozen=True, eq=False)
class DetectThings:
    """Boxes (and masks, from a model that gives them) of the things that words name; without words, of all known."""

    still: Still
    words: Sequence[str] = ()
    role: ClassVar[str] = "detector"
    op: ClassVar[str] = "detect"

    def arrays(self) -> Arrays:
        return {}

    def params(self) -> Params:
        return {"words": list(self.words)}

    def read(self, reply: Reply) -> tuple[Detection, ...]:
        width, height = self.still.width, self.still.height
        boxes = reply.array("boxes", "f4", None, 4)
        scores = reply.array("scores", "f4", len(boxes))
        labels = reply.values.get("labels")
        if not isinstance(labels, list) or len(labels) != len(boxes):
            raise BadAnswer("The detector does not name what it found.")
        x0, y0, x1, y1 = boxes.T
        inside = (x0 >= 0) & (y0 >= 0) & (x1 <= width) & (y1 <= height) & (x0 < x1) & (y0 < y1)
        if not inside.all() or (len(scores) and (scores.min() < 0 or scores.max() > 1)):
            raise BadAnswer("The detector answered with boxes outside the still, or a confidence outside 0 to 1.")
        masks: Sequence[U8 | None] = [None] * len(boxes)
        if "masks" in reply.arrays:
            masks = list(reply.array("masks", "u1", len(boxes), height, width))
        return tuple(
            Detection(str(label), float(score), tuple(map(float, box)), None if m is None else Mask(m, self.still.id))
            for label, score, box, m in zip(labels, scores, boxes, masks, strict=True)
        )


@dataclass(frozen=True, eq=False)
class Detection:
    """One thing in a still: what it is, how sure that is (0 to 1), its box x0, y0, x1, y1 in pixels, its mask."""

    label: str
    confidence: float
    box: tuple[float, ...]
    mask: Mask | None = None


# --------------------------------------------------------------------------- calibrator, depth, inpainter


@dataclass(frozen=True, eq=False)
class Calibrate:
    """Solve the camera of a still. A focal length that is known (pixels) is kept."""

    still: Still
    focal_px: float | None = None
    focal_source: str = "exif"
    role: ClassVar[str] = "calibrator"
    op: ClassVar[str] = "calibrate"

    def arrays(self) -> Arrays:
        return {}

    def params(self) -> Params:
        return {"focal_px": self.focal_px, "focal_source": self.focal_source}

    def read(self, reply: Reply) -> Camera:
        width, height = self.still.width, self.still.height
        focal = reply.number("focal_px", 1e-3, 1e7)
        pitch = reply.number("pitch", -np.pi / 2, np.pi / 2)
        roll = reply.number("roll", -np.pi, np.pi)
        height_m = reply.number("height_m", 0.01, 1e4)
        return Camera(
            width=width,
            height=height,
            fx=focal,
            fy=focal,
            cx=width / 2,
            cy=height / 2,
            world_from_camera=aim_camera(pitch, roll, height_m),
            origin={name: self._read_origin(reply, name) for name in ("focal", "rotation", "height")},
        )

    @staticmethod
    def _read_origin(reply: Reply, name: str) -> Origin:
        value = reply.values.get(name)
        if not isinstance(value, dict) or value.get("source") not in ORIGINS:
            raise BadAnswer("The calibrator does not say where {name} came from.", name=name)
        return Origin(str(value["source"]), Reply(value, {}).number("confidence", 0.0, 1.0))


@dataclass(frozen=True, eq=False)
class EstimateDepth:
    """Depth and normals of a still (or of its clean plate, wrapped as a Still); its lens in pixels, if known."""

    still: Still
    focal_px: float | None = None
    role: ClassVar[str] = "depth"
    op: ClassVar[str] = "depth"

    def arrays(self) -> Arrays:
        return {}

    def params(self) -> Params:
        return {"focal_px": self.focal_px}

    def read(self, reply: Reply) -> RawDepth:
        depth = reply.array("depth", "f4", None, None)
        if not depth.size or depth.min() <= 0:
            raise BadAnswer("The depth model answered with distances that are not positive.")
        normals = None
        if "normals" in reply.arrays:
            normals = turn_to_opencv(reply.array("normals", "f4", *depth.shape, 3), reply.axes())
        sky = reply.array("sky", "f4", *depth.shape) if "sky" in reply.arrays else None
        if sky is not None and not 0 <= sky.min() <= sky.max() <= 1:
            raise BadAnswer("The depth model answered with a chance of sky outside 0 to 1.")
        return RawDepth(depth, normals, bool(reply.values.get("metric", False)), sky)


@dataclass(frozen=True, eq=False)
class RawDepth:
    """A model's depth f32[h, w] (metres if `metric`), normals f32[h, w, 3] in OpenCV camera axes, and the chance of sky
    f32[h, w], 0 to 1; None where the model tells none."""

    depth: F32
    normals: F32 | None
    metric: bool
    sky: F32 | None = None


@dataclass(frozen=True, eq=False)
class FillHoles:
    """The still with `hole` u8[H, W] (255 = fill) painted as if nothing stood there."""

    still: Still
    hole: U8
    preview: bool = False
    role: ClassVar[str] = "inpainter"
    op: ClassVar[str] = "fill"

    def arrays(self) -> Arrays:
        return {"hole": self.hole}

    def params(self) -> Params:
        return {"preview": self.preview}

    def read(self, reply: Reply) -> U8:
        return reply.array("pixels", "u1", self.still.height, self.still.width, 3)


@dataclass(frozen=True, eq=False)
class UpscaleStill:
    """The still, a whole number of times larger."""

    still: Still
    role: ClassVar[str] = "upscaler"
    op: ClassVar[str] = "upscale"

    def arrays(self) -> Arrays:
        return {}

    def params(self) -> Params:
        return {}

    def read(self, reply: Reply) -> U8:
        scale = int(reply.number("scale", 1, 16))
        return reply.array("pixels", "u1", self.still.height * scale, self.still.width * scale, 3)


# --------------------------------------------------------------------------- scene, prop


@dataclass(frozen=True)
class KnownLength:
    """Two points in pixels of the still and the distance between what lies there, in metres."""

    a: tuple[float, float]
    b: tuple[float, float]
    metres: float


@dataclass(frozen=True, eq=False)
class ReconstructScene:
    """Depth of the still and of its plate -> the set in metres, standing on the solved floor."""

    still: Still
    plate: U8
    holes: U8
    depth: RawDepth
    plate_depth: RawDepth
    camera: Camera
    detail: int
    known_length: KnownLength | None = None
    role: ClassVar[str] = "scene"
    op: ClassVar[str] = "reconstruct"

    def arrays(self) -> Arrays:
        arrays: Arrays = {
            "plate": self.plate,
            "holes": self.holes,
            "depth": self.depth.depth,
            "plate_depth": self.plate_depth.depth,
        }
        for name, values in (
            ("normals", self.depth.normals),
            ("plate_normals", self.plate_depth.normals),
            ("sky", self.depth.sky),
            ("plate_sky", self.plate_depth.sky),
        ):
            if values is not None:
                arrays[name] = values
        return arrays

    def params(self) -> Params:
        known = self.known_length
        length = None if known is None else {"a": list(known.a), "b": list(known.b), "metres": known.metres}
        return {"camera": pack_camera(self.camera), "known_length": length, "detail": self.detail}

    def read(self, reply: Reply) -> SceneSet:
        depth = reply.array("depth", "f4", None, None)
        h, w = depth.shape
        plate_depth = reply.array("plate_depth", "f4", h, w)
        if min(depth.min(), plate_depth.min()) <= 0:
            raise BadAnswer("The scene model answered with distances that are not positive.")
        sky = reply.array("sky", "u1", h, w)
        camera = self._stand_camera(reply)
        meshes = {
            "set": reply.mesh("set", camera, self.plate),
            "behind": reply.mesh("behind", camera, None),
            "sky": reply.mesh("sky", camera, None),
        }
        return SceneSet(
            camera=camera,
            depth=Depth(depth, self.still.id, sky),
            plate_depth=Depth(plate_depth, self.still.id, sky),
            floor=reply.array("floor", "u1", h, w),
            meshes={name: mesh for name, mesh in meshes.items() if mesh is not None},
        )

    def _stand_camera(self, reply: Reply) -> Camera:
        pose = self.camera.world_from_camera.copy()
        pose[1, 3] = reply.number("height_m", 1e-3, 1e5)
        origin = dict(self.camera.origin)
        if self.known_length is not None:
            origin["height"] = Origin("user", 1.0)
        return replace(self.camera, world_from_camera=pose, origin=origin)


@dataclass(frozen=True, eq=False)
class SceneSet:
    """The set in the world: meshes by name (set, behind, sky), metric depths, floor u8[h, w], the camera."""

    camera: Camera
    depth: Depth
    plate_depth: Depth
    floor: U8
    meshes: Mapping[str, Mesh]


@dataclass(frozen=True, eq=False)
class PlaceProp:
    """Where a cut-out stands: on the floor, on what carries it, or at its own depth."""

    still: Still
    mask: Mask
    depth: Depth
    plate_depth: Depth
    floor: U8
    camera: Camera
    role: ClassVar[str] = "prop"
    op: ClassVar[str] = "place"

    def arrays(self) -> Arrays:
        return {
            "alpha": self.mask.alpha,
            "depth": self.depth.metres,
            "plate_depth": self.plate_depth.metres,
            "floor": self.floor,
        }

    def params(self) -> Params:
        return {"camera": pack_camera(self.camera)}

    def read(self, reply: Reply) -> Placement:
        kind = str(reply.values.get("kind"))
        if kind not in ("floor", "support", "depth"):
            raise BadAnswer("The prop's place is of an unknown kind.")
        return Placement(reply.number("distance_m", 1e-3, 1e5), kind)


@dataclass(frozen=True)
class Placement:
    """Distance along the camera's axis in metres, and what it was taken from (floor, support, depth)."""

    distance_m: float
    kind: str


Back = Literal["inflated", "mirrored", "flat"]
"""A prop's unseen side: as deep as it is wide, the front once more, or cut off where the outline lies."""


@dataclass(frozen=True, eq=False)
class MakeProp:
    """A cut-out -> a closed textured solid, in place.

    thickness  depth of the back, in half widths (of a mirrored one, in depths of the front)
    profile    how an inflated back's depth follows its width: 0.5 is round, 0 a box
    grid       cells along the mask's long side
    """

    still: Still
    mask: Mask
    foreground: U8
    depth: Depth
    plate_depth: Depth
    camera: Camera
    placement: Placement
    thickness: float
    grid: int
    profile: float = 0.28
    back: Back = "inflated"
    role: ClassVar[str] = "prop"
    op: ClassVar[str] = "solidify"

    def arrays(self) -> Arrays:
        return {
            "foreground": self.foreground,
            "alpha": self.mask.alpha,
            "depth": self.depth.metres,
            "plate_depth": self.plate_depth.metres,
        }

    def params(self) -> Params:
        return {
            "camera": pack_camera(self.camera),
            "support": {"kind": self.placement.kind, "distance_m": self.placement.distance_m},
            "thickness": self.thickness,
            "grid": self.grid,
            "profile": self.profile,
            "back": self.back,
        }

    def read(self, reply: Reply) -> Mesh:
        arrays = {f"prop.{name}": array for name, array in reply.arrays.items()}
        mesh = Reply(reply.values, arrays).mesh("prop", self.camera, None)
        if mesh is None:
            raise BadAnswer("The prop came back without a single triangle.")
        return mesh


# --------------------------------------------------------------------------- rasteriser


def _pack_meshes(meshes: Sequence[Mesh]) -> Arrays:
    arrays: Arrays = {}
    for k, mesh in enumerate(meshes):
        named = {
            "positions": mesh.positions,
            "faces": mesh.faces,
            "uvs": mesh.uvs,
            "corner_uvs": mesh.corner_uvs,
            "colors": mesh.colors,
            "texture": mesh.material.base_color if mesh.material else None,
        }
        arrays |= {f"{k}.{name}": array for name, array in named.items() if array is not None}
    return arrays


@dataclass(frozen=True, eq=False)
class MatchStill:
    """How a set and its props, seen through the solved camera, agree with the still and the props' masks."""

    still: Still
    scenes: Sequence[Mesh]
    props: Sequence[Mesh]
    masks: Sequence[Mask]
    camera: Camera
    names: Sequence[str]
    role: ClassVar[str] = "rasteriser"
    op: ClassVar[str] = "match"

    def arrays(self) -> Arrays:
        arrays = _pack_meshes([*self.scenes, *self.props])
        return arrays | {f"{k}.mask": mask.alpha for k, mask in enumerate(self.masks, len(self.scenes))}

    def params(self) -> Params:
        return {
            "meshes": [{} for _ in (*self.scenes, *self.props)],
            "scenes": len(self.scenes),
            "camera": pack_camera(self.camera),
            "background": [0, 0, 0],
        }

    def read(self, reply: Reply) -> Match:
        overlaps = reply.array("silhouette_iou", "f4", len(self.props))
        return Match(reply.number("psnr_db", 0, 200), {n: float(v) for n, v in zip(self.names, overlaps, strict=True)})


@dataclass(frozen=True)
class Match:
    """PSNR of the whole picture in dB, and silhouette IoU by prop."""

    psnr_db: float
    silhouette_iou: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class RenderMeshes:
    """Meshes in the world through a camera, unlit and off screen; `background` where nothing is."""

    meshes: Sequence[Mesh]
    camera: Camera
    background: tuple[int, int, int] = (0, 0, 0)
    wants: Sequence[str] = ("color",)
    role: ClassVar[str] = "rasteriser"
    op: ClassVar[str] = "render"
    still: ClassVar[None] = None

    def arrays(self) -> Arrays:
        return _pack_meshes(self.meshes)

    def params(self) -> Params:
        return {
            "meshes": [{} for _ in self.meshes],
            "camera": pack_camera(self.camera),
            "background": list(self.background),
            "wants": list(self.wants),
        }

    def read(self, reply: Reply) -> Rendering:
        height, width = self.camera.height, self.camera.width

        def get(want: str, name: str, kind: str, *shape: int) -> NDArray[Any] | None:
            return reply.array(name, kind, *shape) if want in self.wants else None

        return Rendering(
            rgba=get("color", "rgba", "u1", height, width, 4),
            depth=get("depth", "depth", "f4", height, width),
            ids=get("ids", "ids", "u2", height, width),
        )


@dataclass(frozen=True, eq=False)
class Rendering:
    """rgba u8[H, W, 4], depth f32[H, W] metres (0 = nothing), ids u16[H, W] (0 = nothing, k + 1)."""

    rgba: U8 | None = None
    depth: F32 | None = None
    ids: NDArray[np.uint16] | None = None
