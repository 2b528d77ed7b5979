"""Hunyuan3D-2 and 2.1 with paint: the shape, then a texture for it. Its rasterisers are compiled on the machine."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Optional

from ..errors import MissingWeights
from .cutouts import cut_square, word_mesh
from .hunyuan3d import Hunyuan3D
from .pytorch import Tick, require_folder
from .several_views import import_upstream

SOURCE = "Tencent-Hunyuan/Hunyuan3D-2"
SOURCE_21 = "Tencent-Hunyuan/Hunyuan3D-2.1"
SHAPE_SHARE = 0.5
VIEWS, SIDE = 6, 512


class Paint:
    """Shape and paint of one folder; 2.1 is told by its folder's name for paint."""

    def __init__(self, weights: Path, device: str) -> None:
        self._shape = Hunyuan3D(weights, device)
        self._painted_by_files = any(weights.glob("hunyuan3d-paintpbr-*"))
        if self._painted_by_files:
            paint = import_upstream("textureGenPipeline", SOURCE_21)
            config = paint.Hunyuan3DPaintConfig(VIEWS, SIDE)
            config.multiview_pretrained_path = str(weights)
            for name, path in (("dino_ckpt_path", "dinov2-giant"), ("realesrgan_ckpt_path", "RealESRGAN_x4plus.pth")):
                if not (weights / path).exists():
                    raise MissingWeights("its paint needs " + path + " beside its other files.")
                setattr(config, name, str(weights / path))
            self._painter = paint.Hunyuan3DPaintPipeline(config)
        else:
            paint = import_upstream("hy3dgen.texgen", SOURCE)
            self._painter = paint.Hunyuan3DPaintPipeline.from_pretrained(str(weights), subfolder="hunyuan3d-paint-v2-0")

    def generate(self, arrays: Dict[str, Any], params: Dict[str, Any], tick: Tick) -> Dict[str, Any]:
        """A textured mesh within a cube of 1.01, Y up, its front towards +Z."""
        picture = cut_square(arrays)
        mesh = self._shape.make_mesh(picture, params.get("options") or {}, tick, SHAPE_SHARE)
        tick(SHAPE_SHARE, 1)
        painted = self._paint_files(mesh, picture) if self._painted_by_files else self._painter(mesh, picture)
        tick(1, 1)
        return word_mesh(painted, "opengl")

    def _paint_files(self, mesh: Any, picture: Any) -> Any:
        """2.1 reads and writes files."""
        trimesh = import_upstream("trimesh", SOURCE_21)
        folder = Path(tempfile.mkdtemp(dir=str(Path.cwd())))
        try:
            mesh.export(str(folder / "shape.glb"))
            picture.save(str(folder / "picture.png"))
            written = self._painter(
                mesh_path=str(folder / "shape.glb"),
                image_path=str(folder / "picture.png"),
                output_mesh_path=str(folder / "painted.obj"),
                use_remesh=True,
                save_glb=False,
            )
            return trimesh.load(written, force="mesh")
        finally:
            shutil.rmtree(str(folder), ignore_errors=True)


def load(weights: Optional[Path], device: str) -> Dict[str, Callable[..., Dict[str, Any]]]:
    """The model's operations."""
    return {"generate": Paint(require_folder(weights), device).generate}
