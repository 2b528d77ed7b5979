"""Render the sample stills with exact truth into resources/samples/.

Needs Blender as a Python module and Pillow, in an environment of their own (the app needs neither Blender nor this):

    python3.11 -m venv .venv-bpy && .venv-bpy/bin/pip install bpy==5.0.1 pillow
    .venv-bpy/bin/python scripts/render_samples.py                        # all eight
    .venv-bpy/bin/python scripts/render_samples.py --only room_living     # one (may be repeated)
    .venv-bpy/bin/python scripts/render_samples.py --only room_living --size 320 --samples 8 --out out/try
    .venv-bpy/bin/python scripts/render_samples.py --far                  # far.png alone, beside stills that stay

Each folder holds still.jpg, second.jpg (the camera moved along its own +x by 5 % of the still's median depth),
depth.png, far.png (where each pixel's ray leaves the instance it sees), instances.png and truth.json. Seeds and
cameras are part of the samples' meaning: do not change them.

Heights are vertical extents in the world of the whole instance, hidden parts included, measured on the rendered
meshes: a plant with its pot, a vase with its flowers, a sofa with its cushions, a bowl with its fruit. Camera heights
are above the plane 0: the floor in rooms, the road in street_corner (its pavements lie 0.12 m above), the paving in
street_arcade, the setts in hard_bicycle. Depth and instances see the first surface: glass is opaque to them.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from samples import capture, indoors, streets
from samples.capture import FILM_BACK_MM, Sample
from samples.stage import Stage

VERSION = "1"
WIDE, FILM, UPRIGHT = (960, 640), (960, 540), (640, 960)
SAMPLES = [
    Sample("table_breakfast", indoors.table_breakfast, 101, WIDE, 42, (0.02, -1.02, 1.36), 0, -32),
    Sample("table_workbench", indoors.table_workbench, 102, FILM, 32, (0.0, -1.1, 1.8), 3, -40),
    Sample("room_living", indoors.room_living, 103, FILM, 24, (-0.2, -2.55, 1.35), -4, -6),
    Sample("room_study", indoors.room_study, 104, UPRIGHT, 40, (0.35, -2.2, 1.5), 4, -10),
    Sample("street_corner", streets.street_corner, 105, FILM, 35, (-1.6, -4.6, 2.5), -8, -9),
    Sample("street_arcade", streets.street_arcade, 106, FILM, 20, (0.05, -2.0, 0.6), 12, 10),
    Sample("hard_kitchen", indoors.hard_kitchen, 107, WIDE, 85, (-0.06, -2.75, 1.6), 0, -13),
    Sample("hard_bicycle", streets.hard_bicycle, 108, WIDE, 35, (-0.15, -2.75, 1.05), 0, -7, 5),
]


def write_sample(sample: Sample, folder: Path, longest: int | None, samples: int, threads: int) -> None:
    """Build, render and measure one sample; `longest` shrinks it for a preview of the still alone."""
    from PIL import Image

    began = time.monotonic()
    preview = longest is not None
    scale = longest / max(sample.size) if longest else 1.0
    size = (2 * round(sample.size[0] * scale / 2), 2 * round(sample.size[1] * scale / 2))
    camera = capture.set_up(sample, size, samples, threads)
    stage = Stage(sample.seed)
    sample.build(stage)
    folder.mkdir(parents=True, exist_ok=True)
    still = capture.render_picture()
    if preview:
        Image.fromarray(still).save(folder / "still.png")
        print(f"{sample.name}: {time.monotonic() - began:.0f} s", flush=True)
        return
    Image.fromarray(still).save(folder / "still.jpg", quality=92)
    world = capture.bpy.context.scene.world
    settings = keep_settings()
    capture.prepare_truth()
    depth, numbers = capture.cast(size)
    half, inside = capture.cast((size[0] // 2, size[1] // 2))
    covered = capture.silhouettes(stage, (size[0] // 2, size[1] // 2))
    median = float(np.median(depth[depth > 0]))
    truth = describe(sample, stage, camera, size, numbers, covered, median)
    code, truth["depth"] = capture.encode_depth(half)
    Image.fromarray(code).save(folder / "depth.png", optimize=True)
    code, truth["far"] = capture.encode_far(half, capture.find_far_sides(stage, camera, half, inside))
    Image.fromarray(code).save(folder / "far.png", optimize=True)
    Image.fromarray(numbers).save(folder / "instances.png", optimize=True)
    restore_settings(settings, world, size)
    camera.matrix_world.translation += camera.matrix_world.to_3x3().col[0] * (0.05 * median)
    Image.fromarray(capture.render_picture()).save(folder / "second.jpg", quality=90)
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    weight = sum(path.stat().st_size for path in folder.iterdir())
    print(
        f"{sample.name}: {time.monotonic() - began:.0f} s, {weight / 1e3:.0f} kB, median {median:.3f} m, "
        f"{len(truth['instances'])} instances",
        flush=True,
    )


def add_far(sample: Sample, folder: Path, threads: int) -> None:
    """Measure far.png for a sample that is there, and tell of it in truth.json; all else stays as it is."""
    from PIL import Image

    began = time.monotonic()
    camera = capture.set_up(sample, sample.size, 1, threads)
    stage = Stage(sample.seed)
    sample.build(stage)
    capture.prepare_truth()
    depth, inside = capture.cast((sample.size[0] // 2, sample.size[1] // 2))
    if not np.array_equal(capture.encode_depth(depth)[0], np.asarray(Image.open(folder / "depth.png"))):
        raise SystemExit(f"{sample.name}: the scene is not the one that depth.png shows; render it anew.")
    code, how = capture.encode_far(depth, capture.find_far_sides(stage, camera, depth, inside))
    Image.fromarray(code).save(folder / "far.png", optimize=True)
    truth = json.loads((folder / "truth.json").read_text())
    truth["far"] = how
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    print(f"{sample.name}: {time.monotonic() - began:.0f} s, {(folder / 'far.png').stat().st_size / 1e3:.0f} kB")


SETTINGS = (
    "samples",
    "use_denoising",
    "max_bounces",
    "use_adaptive_sampling",
    "pixel_filter_type",
    "filter_width",
    "sample_clamp_direct",
    "sample_clamp_indirect",
)


def keep_settings() -> dict[str, Any]:
    """The renderer's settings for pictures."""
    return {name: getattr(capture.bpy.context.scene.cycles, name) for name in SETTINGS}


def restore_settings(kept: dict[str, Any], world: Any, size: tuple[int, int]) -> None:
    """Go back from casting truth to rendering pictures."""
    scene = capture.bpy.context.scene
    for name, value in kept.items():
        setattr(scene.cycles, name, value)
    scene.world, scene.view_layers[0].material_override = world, None
    scene.render.resolution_x, scene.render.resolution_y = size
    scene.render.image_settings.file_format, scene.render.image_settings.color_depth = "PNG", "8"


def describe(
    sample: Sample,
    stage: Stage,
    camera: Any,
    size: tuple[int, int],
    numbers: np.ndarray,
    covered: dict[int, int],
    median: float,
) -> dict[str, Any]:
    """The truth beside the pictures, in the conventions of the product (Y up, camera looks along -Z)."""
    matrix = camera.matrix_world
    aside = matrix.copy()
    aside.translation = matrix.translation + matrix.to_3x3().col[0] * (0.05 * median)
    focal = sample.focal_mm / FILM_BACK_MM * size[0]
    instances = []
    tall = capture.extents(stage)
    for item in stage.instances:
        seen = numbers == item.id
        if not seen.any():
            continue
        rim = np.concatenate([seen[0], seen[-1], seen[:, 0], seen[:, -1]])
        low, high = tall[item.id]
        instances.append(
            {
                "id": item.id,
                "name": item.name,
                "height_m": round(high - low, 5),
                "base_m": round(low, 5),
                "standing_on": item.standing_on,
                "thin": item.thin,
                "pixels": int(seen.sum()),
                "visible": round(min(1.0, float(seen.sum()) / 4 / max(covered[item.id], 1)), 3),
                "cut_by_frame": bool(rim.any()),
            }
        )
    return {
        "generator": f"scripts/render_samples.py {VERSION}",
        "seed": sample.seed,
        "camera": {
            "width": size[0],
            "height": size[1],
            "fx": focal,
            "fy": focal,
            "cx": size[0] / 2,
            "cy": size[1] / 2,
            "pitch": math.radians(sample.pitch),
            "roll": math.radians(sample.roll),
            "height_m": sample.eye[2],
            "focal_mm": sample.focal_mm,
            "film_back_mm": FILM_BACK_MM,
            "world_from_camera": capture.y_up(matrix),
        },
        "second_camera": {"world_from_camera": capture.y_up(aside)},
        "median_depth_m": median,
        "instances": instances,
    }


def main() -> None:
    """Render what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=[sample.name for sample in SAMPLES])
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "resources" / "samples")
    parser.add_argument("--size", type=int, help="longer side of a quick preview (still.png alone)")
    parser.add_argument("--far", action="store_true", help="add far.png alone to samples that are there")
    parser.add_argument("--samples", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    choice = parser.parse_args()
    for sample in SAMPLES:
        if choice.only and sample.name not in choice.only:
            continue
        if choice.far:
            add_far(sample, choice.out / sample.name, choice.threads)
        else:
            write_sample(sample, choice.out / sample.name, choice.size, choice.samples, choice.threads)


if __name__ == "__main__":
    main()
