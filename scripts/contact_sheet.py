"""One picture of a finished shot: masks over the still, the plate, and the set with its props from five sides.

Usage: python scripts/contact_sheet.py PROJECT.s3d SHEET.png
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stillto3d.models.roles import RenderMeshes
from stillto3d.project.geometry import Mesh, place_mesh
from stillto3d.project.project import Project
from stillto3d.project.space import Camera
from stillto3d.studio import Studio

TILE = 640
COLOURS = [(255, 80, 60), (60, 200, 90), (70, 130, 255), (250, 200, 40), (220, 80, 220), (40, 210, 220)]
VIEWS = {"lens": (0, 0), "left": (-25, -8), "right": (25, -8), "far left": (-50, -20), "above": (0, -45)}


def draw_masks(project: Project) -> NDArray[np.uint8]:
    """Each mask as a tint with a contour over the still."""
    still = project.hero.still
    picture = still.pixels.copy()
    for k, layer in enumerate(project.props()):
        mask = layer.masks.get(still.id)
        if mask is None:
            continue
        colour = np.array(COLOURS[k % len(COLOURS)], dtype=np.float32)
        weight = (mask.alpha / 255 * 0.45)[..., None]
        picture = (picture * (1 - weight) + colour * weight).astype(np.uint8)
        contours, _ = cv2.findContours((mask.alpha > 127).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture, contours, -1, colour.tolist(), max(1, still.width // 600))
    return picture


def orbit(camera: Camera, pivot: NDArray[np.float64], yaw: float, pitch: float, size: int) -> Camera:
    """The camera turned about a point in the world, in degrees, for a smaller picture."""
    y, p = np.radians([yaw, pitch])
    turn_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    right = turn_y @ camera.world_from_camera[:3, 0]
    skew = np.array([[0, -right[2], right[1]], [right[2], 0, -right[0]], [-right[1], right[0], 0]])
    turn = (np.eye(3) + np.sin(p) * skew + (1 - np.cos(p)) * skew @ skew) @ turn_y
    pose = np.eye(4)
    pose[:3, :3] = turn @ camera.world_from_camera[:3, :3]
    pose[:3, 3] = pivot + turn @ (camera.position - pivot)
    k = size / max(camera.width, camera.height)
    lens = {"fx": camera.fx * k, "fy": camera.fy * k, "cx": camera.cx * k, "cy": camera.cy * k}
    return replace(
        camera, width=round(camera.width * k), height=round(camera.height * k), world_from_camera=pose, **lens
    )


def make_sheet(project_path: Path, sheet_path: Path) -> None:
    """Write the contact sheet."""
    with Studio.open() as studio:
        project = studio.read(project_path)
        shot = project.hero
        tiles = [draw_masks(project)]
        if shot.clean_plate is not None:
            tiles.append(shot.clean_plate)
        meshes = [place_mesh(lay.geometry, lay.transform) for lay in project.layers if isinstance(lay.geometry, Mesh)]
        if meshes and shot.camera is not None and shot.depth is not None:
            near = float(np.median(shot.depth.metres))
            pivot = shot.camera.position - shot.camera.world_from_camera[:3, 2] * near
            for yaw, pitch in VIEWS.values():
                view = orbit(shot.camera, pivot, yaw, pitch, TILE)
                ask = RenderMeshes(meshes, view, background=(60, 60, 64))
                job = studio.engine.submit("look", lambda run, ask=ask: run.call(ask))
                tiles.append(studio.wait(job).rgba[..., :3])
            depth = np.log(shot.depth.metres)
            low, high = np.percentile(depth, [1, 99])
            grey = (255 * np.clip((depth - low) / max(high - low, 1e-6), 0, 1)).astype(np.uint8)
            tiles.append(cv2.cvtColor(cv2.applyColorMap(255 - grey, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB))
    k = TILE / max(shot.still.width, shot.still.height)
    size = (round(shot.still.width * k), round(shot.still.height * k))
    tiles = [cv2.resize(tile, size, interpolation=cv2.INTER_AREA) for tile in tiles]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 4)
    rows = [np.hstack(tiles[k : k + 4]) for k in range(0, len(tiles), 4)]
    cv2.imwrite(str(sheet_path), cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    make_sheet(Path(sys.argv[1]), Path(sys.argv[2]))
