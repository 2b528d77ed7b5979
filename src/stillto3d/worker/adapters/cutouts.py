"""Models that make a prop of a cut-out: the cut-out as they want it, and their mesh or splats as the role words it."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

import numpy as np

from ..errors import BadInput

LEAST_PIXELS = 16


def cut_square(arrays: Dict[str, Any], share: float = 0.85) -> Any:
    """The cut-out as a square PIL picture with alpha; its thing fills `share` of the side. Raises BadInput."""
    from PIL import Image

    foreground, alpha = arrays["foreground"], arrays["alpha"]
    rows, columns = np.flatnonzero(alpha.max(axis=1) > 127), np.flatnonzero(alpha.max(axis=0) > 127)
    if not len(rows) or (alpha > 127).sum() < LEAST_PIXELS:
        raise BadInput("The mask is too small for a prop. Mask more of the thing.")
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    inner = np.dstack([foreground, alpha])[top:bottom, left:right]
    side = max(1, round(max(inner.shape[:2]) / share))
    square = np.zeros((side, side, 4), np.uint8)
    y, x = (side - inner.shape[0]) // 2, (side - inner.shape[1]) // 2
    square[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
    return Image.fromarray(square, "RGBA")


def lay_on_grey(picture: Any) -> Any:
    """A picture with alpha over middle grey, as PIL RGB."""
    from PIL import Image

    pixels = np.asarray(picture, np.float32) / 255
    flat = pixels[..., :3] * pixels[..., 3:] + 0.5 * (1 - pixels[..., 3:])
    return Image.fromarray((flat * 255).round().astype(np.uint8), "RGB")


def refuse_empty() -> BadInput:
    """The words for a model that has answered with nothing."""
    return BadInput("The model found no surface in this cut-out. Mask the whole thing, or take another model.")


def to_numpy(value: Any) -> np.ndarray:
    """An array of whatever library."""
    return np.asarray(value.detach().float().cpu().numpy() if hasattr(value, "detach") else value)


def word_mesh(mesh: Any, axes: str, faces: Optional[Any] = None) -> Dict[str, Any]:
    """A trimesh (or anything with vertices and faces) as an answer: texture or vertex colours where it has them.

    Raises BadInput for a mesh without triangles.
    """
    points = to_numpy(mesh.vertices).astype(np.float32)
    triangles = to_numpy(mesh.faces if faces is None else faces).astype(np.uint32)
    sound: np.ndarray = np.all(np.isfinite(points), axis=1)
    triangles = triangles[sound[triangles].all(axis=1)]
    if not len(triangles):
        raise refuse_empty()
    answer: Dict[str, Any] = {
        "form": "mesh",
        "axes": axes,
        "positions": np.where(sound[:, None], points, 0).astype(np.float32),
        "faces": np.ascontiguousarray(triangles),
    }
    texture, uvs = _find_texture(mesh)
    if texture is not None and uvs is not None and len(uvs) == len(points):
        answer["texture"], answer["uvs"] = texture, uvs
        return answer
    colours = _find_colours(mesh)
    if colours is not None and len(colours) == len(points):
        answer["colors"] = colours
    return answer


def _find_texture(mesh: Any) -> Tuple[Optional[np.ndarray], Optional[np.ndarray]]:
    """Base colour u8[h,w,3] and uvs f32[n,2] with (0, 0) at the texture's top left; trimesh counts v upwards."""
    visual = getattr(mesh, "visual", None)
    material, uvs = getattr(visual, "material", None), getattr(visual, "uv", None)
    picture = getattr(material, "baseColorTexture", None)
    picture = getattr(material, "image", None) if picture is None else picture
    if picture is None or uvs is None:
        return None, None
    uvs = np.asarray(uvs, np.float32)
    return np.asarray(picture.convert("RGB")), np.stack([uvs[:, 0], 1 - uvs[:, 1]], axis=1)


def _find_colours(mesh: Any) -> Optional[np.ndarray]:
    visual = getattr(mesh, "visual", None)
    if visual is not None and getattr(visual, "kind", None) == "vertex":
        return np.ascontiguousarray(np.asarray(visual.vertex_colors, np.uint8)[:, :3])
    given = getattr(mesh, "vertex_attrs", None)  # TRELLIS: colours 0 to 1, then normals
    if given is None:
        return None
    return (np.clip(to_numpy(given)[:, :3], 0, 1) * 255).round().astype(np.uint8)


def word_splats(gaussian: Any, axes: str) -> Dict[str, Any]:
    """Splats of TRELLIS and its kin as an answer."""
    from .several_views import keep_sound_splats

    sh = to_numpy(gaussian.get_features)
    found = keep_sound_splats(
        to_numpy(gaussian.get_xyz),
        to_numpy(gaussian.get_scaling),
        to_numpy(gaussian.get_rotation),
        to_numpy(gaussian.get_opacity).reshape(-1),
        sh.reshape(len(sh), -1, 3),
    )
    if not len(found["means"]):
        raise refuse_empty()
    return {"form": "splats", "axes": axes, **found}
