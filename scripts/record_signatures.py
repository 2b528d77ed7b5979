"""Writes down how upstream code that no package holds is called, and what it imports, read without running it.

    python scripts/record_signatures.py FOLDER

FOLDER holds checkouts named as their repositories (dust3r, TripoSR, ...). The answer goes to
tests/support/signatures.json, from which the tests make stand-ins.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "tests" / "support" / "signatures.json"
CALLED: dict[str, tuple[str, dict[str, str]]] = {
    # repository: (folder that is put on the path, {qualified name: file below it})
    "ByteDance-Seed/Depth-Anything-3": (
        "src",
        {
            "depth_anything_3.api.DepthAnything3.__init__": "depth_anything_3/api.py",
            "depth_anything_3.api.DepthAnything3.inference": "depth_anything_3/api.py",
        },
    ),
    "naver/dust3r": (
        ".",
        {
            "dust3r.model.AsymmetricCroCo3DStereo.__init__": "dust3r/model.py",
            "dust3r.model.AsymmetricCroCo3DStereo.forward": "dust3r/model.py",
            "dust3r.post_process.estimate_focal_knowing_depth": "dust3r/post_process.py",
            "dust3r.image_pairs.make_pairs": "dust3r/image_pairs.py",
            "dust3r.inference.inference": "dust3r/inference.py",
            "dust3r.cloud_opt.global_aligner": "dust3r/cloud_opt/__init__.py",
            "dust3r.cloud_opt.base_opt.global_alignment_iter": "dust3r/cloud_opt/base_opt.py",
            "dust3r.cloud_opt.init_im_poses.init_minimum_spanning_tree": "dust3r/cloud_opt/init_im_poses.py",
        },
    ),
    "naver/mast3r": (
        ".",
        {
            "mast3r.model.AsymmetricMASt3R.__init__": "mast3r/model.py",
            "mast3r.cloud_opt.sparse_ga.sparse_global_alignment": "mast3r/cloud_opt/sparse_ga.py",
            "mast3r.cloud_opt.sparse_ga.sparse_scene_optimizer": "mast3r/cloud_opt/sparse_ga.py",
            "mast3r.cloud_opt.sparse_ga.SparseGA.get_dense_pts3d": "mast3r/cloud_opt/sparse_ga.py",
            "mast3r.cloud_opt.utils.schedules.cosine_schedule": "mast3r/cloud_opt/utils/schedules.py",
        },
    ),
    "apple/ml-sharp": (
        "src",
        {
            "sharp.models.create_predictor": "sharp/models/__init__.py",
            "sharp.cli.predict.predict_image": "sharp/cli/predict.py",
        },
    ),
    "VAST-AI-Research/TripoSR": (
        ".",
        {
            "tsr.system.TSR.forward": "tsr/system.py",
            "tsr.system.TSR.extract_mesh": "tsr/system.py",
            "tsr.models.nerf_renderer.TriplaneNeRFRenderer.set_chunk_size": "tsr/models/nerf_renderer.py",
        },
    ),
    "Tencent-Hunyuan/Hunyuan3D-2": (
        ".",
        {
            "hy3dgen.shapegen.Hunyuan3DDiTFlowMatchingPipeline.__call__": "hy3dgen/shapegen/pipelines.py",
            "hy3dgen.shapegen.Hunyuan3DDiTPipeline.from_single_file": "hy3dgen/shapegen/pipelines.py",
            "hy3dgen.texgen.Hunyuan3DPaintPipeline.from_pretrained": "hy3dgen/texgen/pipelines.py",
            "hy3dgen.texgen.Hunyuan3DPaintPipeline.__call__": "hy3dgen/texgen/pipelines.py",
        },
    ),
    "Tencent-Hunyuan/Hunyuan3D-2.1": (
        "hy3dpaint",
        {
            "textureGenPipeline.Hunyuan3DPaintConfig.__init__": "textureGenPipeline.py",
            "textureGenPipeline.Hunyuan3DPaintPipeline.__init__": "textureGenPipeline.py",
            "textureGenPipeline.Hunyuan3DPaintPipeline.__call__": "textureGenPipeline.py",
        },
    ),
    "microsoft/TRELLIS": (
        ".",
        {
            "trellis.pipelines.TrellisImageTo3DPipeline.from_pretrained": "trellis/pipelines/trellis_image_to_3d.py",
            "trellis.pipelines.TrellisImageTo3DPipeline.run": "trellis/pipelines/trellis_image_to_3d.py",
            "trellis.pipelines.samplers.FlowEulerSampler.sample_once": "trellis/pipelines/samplers/flow_euler.py",
            "trellis.pipelines.samplers.FlowEulerSampler.sample": "trellis/pipelines/samplers/flow_euler.py",
        },
    ),
    "microsoft/TRELLIS.2": (
        ".",
        {
            "trellis2.pipelines.Trellis2ImageTo3DPipeline.from_pretrained": (
                "trellis2/pipelines/trellis2_image_to_3d.py"
            ),
            "trellis2.pipelines.Trellis2ImageTo3DPipeline.run": "trellis2/pipelines/trellis2_image_to_3d.py",
            "trellis2.pipelines.samplers.FlowEulerSampler.sample_once": "trellis2/pipelines/samplers/flow_euler.py",
            "o_voxel.postprocess.to_glb": "o-voxel/o_voxel/postprocess.py",
        },
    ),
    "facebookresearch/sam-3d-objects": (
        "notebook",
        {
            "inference.Inference.__init__": "inference.py",
            "inference.Inference.__call__": "inference.py",
        },
    ),
    "nerfstudio-project/gsplat": (".", {"gsplat.rasterization": "gsplat/rendering.py"}),
}
# modules that no import names: a model's configuration does, or a path that the code itself adds
NAMED_BY_CONFIG = {
    "VAST-AI-Research/TripoSR": (
        "tsr.models.tokenizers.image",
        "tsr.models.tokenizers.triplane",
        "tsr.models.transformer.transformer_1d",
        "tsr.models.network_utils",
    ),
    "Tencent-Hunyuan/Hunyuan3D-2": ("hy3dgen.shapegen.models", "hy3dgen.shapegen.schedulers"),
    "ByteDance-Seed/Depth-Anything-3": ("depth_anything_3.model.gsdpt", "depth_anything_3.model.gs_adapter"),
}
ALSO_BELOW = {"naver/dust3r": "croco"}
NOT_CALLED = ("hy3dgen.texgen",)  # paint has an environment of its own


class Tracer:
    """Follows a checkout's own modules from import to import, and gathers what is imported from elsewhere."""

    def __init__(self, roots: list[Path]) -> None:
        self._roots = roots
        self._seen: set[str] = set()
        self.found: set[str] = set()

    def visit(self, name: str) -> None:
        """Read a module and the packages that it lies in."""
        parts = name.split(".")
        for k in range(1, len(parts) + 1):
            part = ".".join(parts[:k])
            path = self._find(part)
            if part not in self._seen and path is not None:
                self._seen.add(part)
                package = part if path.name == "__init__.py" else part.rpartition(".")[0]
                self._walk(ast.parse(path.read_text(encoding="utf-8")), package)

    def _find(self, name: str) -> Path | None:
        inner = name.replace(".", "/")
        paths = [root / inner / "__init__.py" for root in self._roots] + [root / f"{inner}.py" for root in self._roots]
        return next((path for path in paths if path.is_file()), None)

    def _walk(self, node: ast.AST, package: str) -> None:
        """What is imported while a module is; not what may be missing, or waits inside a function."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    self._add(alias.name)
            elif isinstance(child, ast.ImportFrom):
                above = package.split(".")[: len(package.split(".")) - child.level + 1] if child.level else []
                base = ".".join([*above, *([child.module] if child.module else [])])
                self._add(base)
                for alias in child.names:
                    if self._find(f"{base}.{alias.name}") is not None:
                        self.visit(f"{base}.{alias.name}")
            elif not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Try)):
                self._walk(child, package)

    def _add(self, name: str) -> None:
        top = name.partition(".")[0]
        if any((root / top).is_dir() or (root / f"{top}.py").is_file() for root in self._roots):
            self.visit(name)
        elif top not in sys.stdlib_module_names:
            self.found.add(top)


def trace_imports(repository: str, checkout: Path) -> list[str]:
    """The packages that the called modules of a checkout import, by their first names."""
    below, names = CALLED[repository]
    roots = [checkout / below]
    roots += [checkout / ALSO_BELOW[repository]] if repository in ALSO_BELOW else []
    tracer = Tracer(roots)
    for name in (*names, *(f"{module}." for module in NAMED_BY_CONFIG.get(repository, ()))):
        if not name.startswith(NOT_CALLED):
            tracer.visit(name.rpartition(".")[0])
    return sorted(tracer.found)


def describe(node: ast.FunctionDef) -> list[list[str]]:
    """Its parameters as [name, kind]: kind is that of `inspect`, with "=" where there is a default."""
    given, found = node.args, []
    plain = [*given.posonlyargs, *given.args]
    for k, arg in enumerate(plain):
        default = "=" if k >= len(plain) - len(given.defaults) else ""
        found.append([arg.arg, ("ONLY" if arg in given.posonlyargs else "PLAIN") + default])
    if given.vararg:
        found.append([given.vararg.arg, "STAR"])
    for arg, value in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        found.append([arg.arg, "NAMED" + ("=" if value is not None else "")])
    if given.kwarg:
        found.append([given.kwarg.arg, "DOUBLE"])
    return found


def find_function(path: Path, qualified: str) -> ast.FunctionDef:
    """A function or method by the end of its qualified name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = qualified.split(".")
    scope: Any = tree
    if parts[-2][:1].isupper():
        scope = next(n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == parts[-2])
    return next(n for n in scope.body if isinstance(n, ast.FunctionDef) and n.name == parts[-1])


def main(arguments: list[str]) -> None:
    """Record everything that is there; what is missing keeps what was recorded."""
    folder = Path(arguments[0])
    recorded = json.loads(TARGET.read_text(encoding="utf-8")) if TARGET.exists() else {}
    for repository, (below, names) in CALLED.items():
        checkout = folder / repository.split("/")[1]
        if not checkout.is_dir():
            print(f"not there: {repository}")
            continue
        commit = find_commit(checkout) or recorded.get(repository, {}).get("commit", "")
        calls = {name: describe(find_function(checkout / below / path, name)) for name, path in names.items()}
        recorded[repository] = {"commit": commit, "calls": calls, "imports": trace_imports(repository, checkout)}
    TARGET.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def find_commit(checkout: Path) -> str:
    """The checkout's commit, from git or from a file COMMIT in it."""
    noted = checkout / "COMMIT"
    if noted.is_file():
        return noted.read_text(encoding="utf-8").strip()
    told = subprocess.run(
        ["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return told.stdout.strip()


if __name__ == "__main__":
    main(sys.argv[1:])
