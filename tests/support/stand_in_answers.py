"""What the stand-ins answer: right shapes and types, and nothing else of upstream. Named as the calls, with `_`."""

# ruff: noqa: N802, N816
from __future__ import annotations

import types
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

WIDE, HIGH = 6, 5


class Told(NamedTuple):
    """What PyTorch says of weights."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Network:
    """What a network must be able to do for the adapters."""

    def __init__(self, **config: Any) -> None:
        self.config = config

    def state_dict(self) -> dict[str, Any]:
        import torch

        return {"weight": torch.zeros(2)}

    def load_state_dict(self, tensors: dict[str, Any], strict: bool = True, assign: bool = False) -> Any:
        missing = [] if "weight" in tensors else ["weight"]
        if missing and strict:
            raise RuntimeError("missing weight")
        return Told(missing, [])

    def named_parameters(self, *given: Any, **named: Any) -> list[Any]:
        return []

    def to(self, device: Any) -> Any:
        return self

    def eval(self) -> Any:
        return self


def make_rows(n: int) -> np.ndarray:
    """Depth from 1 to 3 metres, f32[n, HIGH, WIDE]."""
    return np.linspace(1, 3, n * HIGH * WIDE, dtype=np.float32).reshape(n, HIGH, WIDE)


# ------------------------------------------------------------------ Depth Anything 3


def depth_anything_3_api_DepthAnything3_inference(self: Any, image: Any, infer_gs: bool = False, **told: Any) -> Any:
    import torch

    assert told["export_dir"] is None if "export_dir" in told else True
    n = len(image)
    mono = "mono" in self.preset or "metric" in self.preset
    poses = np.tile(np.eye(3, 4, dtype=np.float32), (n, 1, 1))
    poses[:, 0, 3] = np.arange(n)
    lens = np.tile(np.array([[WIDE, 0, WIDE / 2], [0, WIDE, HIGH / 2], [0, 0, 1]], np.float32), (n, 1, 1))
    points = torch.tensor([[[0.0, 0, 2], [0, 1, 2]]])
    splats = types.SimpleNamespace(
        means=points,
        scales=torch.full((1, 2, 3), 0.1),
        rotations=torch.tensor([[[1.0, 0, 0, 0], [0, 1, 0, 0]]]),
        harmonics=torch.zeros(1, 2, 3, 4),
        opacities=torch.tensor([[0.5, float("nan")]]),
    )
    return types.SimpleNamespace(
        depth=make_rows(n),
        is_metric={},
        sky=np.zeros((n, HIGH, WIDE), bool) if mono else None,
        extrinsics=None if mono else poses,
        intrinsics=None if mono else lens,
        gaussians=splats if infer_gs else None,
        scale_factor=2.0 if "nested" in self.preset else None,
    )


# ------------------------------------------------------------------ DUSt3R and MASt3R


def _point(view: dict[str, Any]) -> dict[str, Any]:
    import torch

    _, _, h, w = view["img"].shape
    y, x = torch.meshgrid(torch.arange(h) - h / 2, torch.arange(w) - w / 2, indexing="ij")
    depth = 2 + 0 * x
    return {"pts3d": torch.stack([x / w * depth, y / w * depth, depth], -1)[None], "conf": 2 + 0 * depth[None]}


def dust3r_model_AsymmetricCroCo3DStereo_forward(self: Any, view1: Any, view2: Any) -> Any:
    return _point(view1), _point(view2)


def dust3r_post_process_estimate_focal_knowing_depth(pts3d: Any, pp: Any, **told: Any) -> float:
    assert pts3d.shape[0] == pp.shape[0] == 1
    return float(pts3d.shape[2])


def dust3r_image_pairs_make_pairs(imgs: list[Any], **told: Any) -> list[Any]:
    return [(a, b) for a in imgs for b in imgs if a is not b]


def dust3r_inference_inference(pairs: Any, model: Any, device: Any, **told: Any) -> Any:
    (one, two), (p1, p2) = pairs[0], model(*pairs[0])
    return {"view1": one, "view2": two, "pred1": p1, "pred2": p2, "loss": None}


def dust3r_cloud_opt_global_aligner(dust3r_output: Any, device: Any, mode: Any = None, **told: Any) -> Any:
    import torch

    views = {int(i): v for i, v in zip(dust3r_output["view1"]["idx"], dust3r_output["pred1"]["pts3d"], strict=True)}
    depths = [views[k][..., 2] for k in sorted(views)]
    return types.SimpleNamespace(
        get_im_poses=lambda: torch.eye(4).repeat(len(depths), 1, 1),
        get_focals=lambda: torch.full((len(depths), 1), 512.0),
        get_depthmaps=lambda: depths,
        im_conf=[torch.full_like(depth, 2) for depth in depths],
        parameters=lambda: [torch.nn.Parameter(torch.zeros(1))],
        steps=[],
    )


def dust3r_cloud_opt_init_im_poses_init_minimum_spanning_tree(self: Any) -> None:
    return None


def dust3r_cloud_opt_base_opt_global_alignment_iter(net: Any, cur_iter: int, **told: Any) -> tuple[float, float]:
    net.steps.append(cur_iter)
    return 0.0, 0.0


def mast3r_cloud_opt_utils_schedules_cosine_schedule(alpha: float, lr_base: float, lr_end: float = 0) -> float:
    return lr_base


def mast3r_cloud_opt_sparse_ga_SparseGA_get_dense_pts3d(self: Any, **told: Any) -> Any:
    return [None for _ in self.depths], [depth.ravel() for depth in self.depths], [2 + 0 * d for d in self.depths]


# ------------------------------------------------------------------ SHARP


def sharp_models_create_predictor(params: Any) -> Any:
    return Network()


def sharp_cli_predict_predict_image(predictor: Any, image: Any, f_px: float, device: Any) -> Any:
    import torch

    assert image.dtype == np.uint8 and image.ndim == 3
    means = torch.rand(1, 50, 3) - 0.5
    means[..., 2] += 2
    return types.SimpleNamespace(
        mean_vectors=means,
        singular_values=torch.full((1, 50, 3), 0.01),
        quaternions=torch.tensor([1.0, 0, 0, 0]).repeat(1, 50, 1) * 2,
        colors=torch.rand(1, 50, 3),
        opacities=torch.rand(1, 50),
    )


# ------------------------------------------------------------------ props


def make_cube() -> Any:
    """A tetrahedron as trimesh words it, with coloured vertices."""
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float64) * 0.5
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]], np.int64)
    colours = np.array([[255, 0, 0, 255]] * 4, np.uint8)
    visual = types.SimpleNamespace(kind="vertex", vertex_colors=colours)
    return types.SimpleNamespace(vertices=points, faces=faces, visual=visual, export=lambda path: None)


def make_painted() -> Any:
    """The same with a texture."""
    from PIL import Image

    mesh = make_cube()
    material = types.SimpleNamespace(baseColorTexture=Image.new("RGB", (4, 4), (9, 8, 7)))
    mesh.visual = types.SimpleNamespace(kind="texture", material=material, uv=np.zeros((4, 2)))
    return mesh


def make_gaussian() -> Any:
    """Splats as TRELLIS words them."""
    import torch

    return types.SimpleNamespace(
        get_xyz=torch.rand(9, 3),
        get_scaling=torch.full((9, 3), 0.02),
        get_rotation=torch.rand(9, 4) + 0.1,
        get_features=torch.rand(9, 1, 3),
        get_opacity=torch.rand(9, 1),
    )


def tsr_system_TSR_forward(self: Any, image: Any, device: Any) -> Any:
    assert image[0].mode == "RGB"
    return [image]


def tsr_system_TSR_extract_mesh(self: Any, scene_codes: Any, has_vertex_color: bool, **told: Any) -> Any:
    return [make_cube() for _ in scene_codes]


def tsr_models_nerf_renderer_TriplaneNeRFRenderer_set_chunk_size(self: Any, chunk_size: int) -> None:
    assert chunk_size > 0


def hy3dgen_shapegen_Hunyuan3DDiTPipeline_from_single_file(cls: Any, ckpt_path: str, **told: Any) -> Any:
    if Path(ckpt_path).read_bytes() != b"S":
        raise RuntimeError("not a checkpoint")
    return cls()


def hy3dgen_shapegen_Hunyuan3DDiTFlowMatchingPipeline___call__(self: Any, image: Any, **told: Any) -> Any:
    assert image.mode == "RGBA"
    return [make_cube()]


def hy3dgen_texgen_Hunyuan3DPaintPipeline_from_pretrained(cls: Any, model_path: str, **told: Any) -> Any:
    return cls()


def hy3dgen_texgen_Hunyuan3DPaintPipeline___call__(self: Any, mesh: Any, image: Any) -> Any:
    return make_painted()


def textureGenPipeline_Hunyuan3DPaintConfig___init__(self: Any, max_num_view: int, resolution: int) -> None:
    return None


def textureGenPipeline_Hunyuan3DPaintPipeline___init__(self: Any, config: Any = None) -> None:
    assert config.dino_ckpt_path and config.multiview_pretrained_path


def textureGenPipeline_Hunyuan3DPaintPipeline___call__(self: Any, output_mesh_path: str, **told: Any) -> str:
    return output_mesh_path


def trellis_pipelines_TrellisImageTo3DPipeline_from_pretrained(path: str) -> Any:
    from trellis.pipelines import TrellisImageTo3DPipeline

    return _equip(TrellisImageTo3DPipeline(), ("sparse_structure_sampler", "slat_sampler"), "trellis")


def trellis2_pipelines_Trellis2ImageTo3DPipeline_from_pretrained(cls: Any, path: str, **told: Any) -> Any:
    return _equip(cls(), ("sparse_structure_sampler", "shape_slat_sampler", "tex_slat_sampler"), "trellis2")


def _equip(pipeline: Any, names: tuple[str, ...], package: str) -> Any:
    import sys

    kind = sys.modules[f"{package}.pipelines.samplers"].FlowEulerSampler
    for name in names:
        setattr(pipeline, name, kind())
    pipeline.to = lambda device: None
    return pipeline


def trellis_pipelines_samplers_FlowEulerSampler_sample_once(
    self: Any, model: Any, x_t: Any, t: float, t_prev: float, **told: Any
) -> Any:
    return x_t


trellis2_pipelines_samplers_FlowEulerSampler_sample_once = trellis_pipelines_samplers_FlowEulerSampler_sample_once


def trellis_pipelines_TrellisImageTo3DPipeline_run(self: Any, image: Any, **told: Any) -> Any:
    assert image.mode == "RGBA"
    for sampler in (self.sparse_structure_sampler, self.slat_sampler):
        for _ in range(told["slat_sampler_params"]["steps"]):
            sampler.sample_once(None, 0, 1.0, 0.9)
    mesh = make_cube()
    del mesh.visual
    mesh.vertex_attrs = np.ones((4, 6), np.float32)
    return {"mesh": [mesh]} if told["formats"] == ["mesh"] else {"gaussian": [make_gaussian()]}


def trellis2_pipelines_Trellis2ImageTo3DPipeline_run(self: Any, image: Any, **told: Any) -> Any:
    assert image.mode == "RGBA" and told["pipeline_type"] in ("512", "1024", "1024_cascade", "1536_cascade")
    mesh = make_cube()
    mesh.attrs, mesh.coords, mesh.layout, mesh.voxel_size = np.ones((3, 6)), np.zeros((3, 3)), {}, 0.1
    mesh.simplify = lambda most: None
    self.tex_slat_sampler.sample_once(None, 0, 1.0, 0.9)
    return [mesh]


def o_voxel_postprocess_to_glb(**told: Any) -> Any:
    return make_painted()


def inference_Inference___init__(self: Any, config_file: str, **told: Any) -> None:
    return None


def inference_Inference___call__(self: Any, image: Any, mask: Any, **told: Any) -> Any:
    import torch

    assert image.shape[:2] == mask.shape and mask.dtype == bool
    return {
        "gs": make_gaussian(),
        "glb": make_cube(),
        "rotation": torch.tensor([[1.0, 0, 0, 0]]),
        "translation": torch.tensor([[0.0, 0, 3]]),
        "scale": torch.full((1, 3), 0.5),
    }


def gsplat_rasterization(means: Any, width: int, height: int, **told: Any) -> Any:
    import torch

    assert told["colors"].shape[1] == (told["sh_degree"] + 1) ** 2
    return torch.zeros(1, height, width, 4), torch.zeros(1, height, width, 1), {}


# ------------------------------------------------------------------ what is more than a call


def finish(modules: Any, signatures: Any) -> None:
    """Classes that must be networks, constants and base classes that the adapters use without calling them."""
    _finish_networks(modules, signatures)
    _finish_mast3r(modules, signatures)
    shapes = modules["hy3dgen.shapegen"]
    flow = type(
        "Hunyuan3DDiTFlowMatchingPipeline",
        (shapes.Hunyuan3DDiTPipeline,),
        dict(vars(shapes.Hunyuan3DDiTFlowMatchingPipeline)),
    )
    strict = flow.__call__

    def call(self: Any, *given: Any, callback: Any = None, callback_steps: Any = None, **named: Any) -> Any:
        for step in range(named["num_inference_steps"]):
            if callback is not None and step % callback_steps == 0:
                callback(step, 0.0, None)
        return strict(self, *given, **named)

    flow.__call__ = call  # type: ignore[method-assign]
    shapes.Hunyuan3DDiTFlowMatchingPipeline = flow
    modules["sharp.models"].PredictorParams = type("PredictorParams", (), {})


def _finish_networks(modules: Any, signatures: Any) -> None:
    anything = modules["depth_anything_3.api"].DepthAnything3

    def prepare(self: Any, **config: Any) -> None:
        signatures["depth_anything_3.api.DepthAnything3.__init__"].bind(self, **config)
        Network.__init__(self, **config)
        self.preset = config["model_name"]

    modules["depth_anything_3.api"].DepthAnything3 = type(
        "DepthAnything3", (Network,), {"inference": anything.inference, "__init__": prepare}
    )
    stereo = modules["dust3r.model"].AsymmetricCroCo3DStereo
    both = {"forward": stereo.forward, "__call__": stereo.forward}
    modules["dust3r.model"].AsymmetricCroCo3DStereo = type("AsymmetricCroCo3DStereo", (Network,), both)
    modules["mast3r.model"].AsymmetricMASt3R = type("AsymmetricMASt3R", (Network,), both)
    modules["dust3r.cloud_opt"].GlobalAlignerMode = types.SimpleNamespace(PointCloudOptimizer="cloud")
    renderer = modules["tsr.models.nerf_renderer"].TriplaneNeRFRenderer
    system = modules["tsr.system"].TSR
    modules["tsr.system"].TSR = type(
        "TSR",
        (Network,),
        {
            "__init__": lambda self, config: Network.__init__(self),
            "__call__": system.forward,
            "extract_mesh": system.extract_mesh,
            "renderer": renderer(),
        },
    )
    tokenizers = types.ModuleType("tsr.models.tokenizers")
    tokenizers.__path__ = []
    modules["tsr.models.tokenizers"] = tokenizers
    modules["tsr.models.tokenizers.image"] = types.ModuleType("tsr.models.tokenizers.image")
    settings = types.ModuleType("omegaconf")
    settings.OmegaConf = types.SimpleNamespace(load=lambda path: {"path": path}, resolve=lambda config: None)  # type: ignore[attr-defined]
    modules["omegaconf"] = settings
    meshes = types.ModuleType("trimesh")
    meshes.load = lambda path, force: make_painted()  # type: ignore[attr-defined]
    modules["trimesh"] = meshes


def _finish_mast3r(modules: Any, signatures: Any) -> None:
    alignment = modules["mast3r.cloud_opt.sparse_ga"]
    alignment.cosine_schedule = modules["mast3r.cloud_opt.utils.schedules"].cosine_schedule
    inner = signatures["mast3r.cloud_opt.sparse_ga.sparse_scene_optimizer"]
    outer = signatures["mast3r.cloud_opt.sparse_ga.sparse_global_alignment"]

    def align(*given: Any, **named: Any) -> Any:
        import torch

        bound = outer.bind(*given, **named)
        for name in bound.arguments.get("kw", {}):
            assert name in inner.parameters, name
        pairs = bound.arguments["pairs_in"]
        for _ in range(named["niter1"] + named["niter2"]):
            named["schedule"](0.5, 0.07, 0.01)
        views = {view["idx"]: view for pair in pairs for view in pair}
        scene = alignment.SparseGA()
        scene.depths = [torch.full(views[k]["img"].shape[-2:], 2.0) for k in sorted(views)]
        scene.get_im_poses = lambda: torch.eye(4).repeat(len(views), 1, 1)
        scene.get_focals = lambda: torch.full((len(views),), 512.0)
        return scene

    alignment.sparse_global_alignment = align
