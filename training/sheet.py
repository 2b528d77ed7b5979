"""Prints worlds as a contact sheet: `python -m training.sheet --seed 0 --out sheet.jpg`, pictures or their truth."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .film import develop
from .marcher import join_records, render
from .panoramas import load_panoramas
from .stream import SUPERSAMPLING, write_batch
from .truth import SKY_M, Worlds

SHOWN = ("picture", "things", "parts", "depth", "normals", "far", "behind")


def colour_ids(ids: Tensor) -> Tensor:
    """A colour for each id u8[B,H,W]; sky black, stuff grey."""
    palette = torch.rand(256, 3, generator=torch.Generator().manual_seed(1)) * 0.8 + 0.2
    palette[0] = 0
    palette[251:254] = torch.tensor([0.3, 0.4, 0.2])[:, None]
    return palette[ids.long()].permute(0, 3, 1, 2)


def draw_truth(worlds: Worlds, wanted: str, pictures: Tensor) -> Tensor:
    """What is wanted of the worlds, as colours f32[B,3,h,w]."""
    if wanted == "picture":
        return pictures
    if wanted == "normals":
        return (worlds.normal * 0.5 + 0.5)[:, :, ::SUPERSAMPLING, ::SUPERSAMPLING]
    if wanted in ("things", "parts"):
        ids = worlds.instance if wanted == "things" else worlds.part
        return colour_ids(ids[:, ::SUPERSAMPLING, ::SUPERSAMPLING])
    if wanted == "depth":
        near = 1 / worlds.depth
        grey = near / near.flatten(1).quantile(0.99, dim=1).view(-1, 1, 1)
    else:
        grey = torch.log(getattr(worlds, wanted).clamp(max=SKY_M) / worlds.depth)
    return grey.clamp(0, 1)[:, None, ::SUPERSAMPLING, ::SUPERSAMPLING].expand(-1, 3, -1, -1)


def join_sheet(cells: Tensor, columns: int) -> Image.Image:
    """Cells f32[N,3,h,w] in rows of so many columns."""
    rows = [torch.cat(list(cells[i : i + columns]), -1) for i in range(0, len(cells) - columns + 1, columns)]
    pixels = torch.cat(rows, -2).clamp(0, 1).permute(1, 2, 0).numpy()
    return Image.fromarray((pixels * 255).round().astype(np.uint8))


def main(words: Sequence[str] | None = None) -> None:
    """Print a sheet as a command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first world's")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--size", type=int, nargs=2, default=(160, 224), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--show", choices=SHOWN, nargs="+", default=["picture"], help="one row of cells for each")
    parser.add_argument("--out", type=Path, default=Path("sheet.jpg"))
    arguments = parser.parse_args(words)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    panoramas = load_panoramas(device)
    height, width = (side * SUPERSAMPLING for side in arguments.size)
    batch = join_records(write_batch(arguments.seed, arguments.count))
    worlds = render(batch, height, width, panoramas.permute(0, 2, 3, 1).contiguous(), device)
    pictures = develop(worlds, panoramas, torch.Generator(device).manual_seed(arguments.seed))
    kinds = [draw_truth(worlds, wanted, pictures).cpu() for wanted in arguments.show]
    cells = torch.stack(kinds, 1).flatten(0, 1)
    columns = arguments.columns - arguments.columns % len(kinds) or len(kinds)
    join_sheet(cells, columns).save(arguments.out, quality=85, optimize=True)


if __name__ == "__main__":
    main()
