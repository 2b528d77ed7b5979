"""Coarser copies of a mesh: quadric edge collapse (Garland and Heckbert 1997), and its texture laid on again.

Ops
    reduce_mesh  positions f32[n, 3], faces u32[m, 3] welded; corner_uvs f32[m, 3, 2], observed u8[n] and
                 colors u8[n, 3] where there are any; params triangles -> the same arrays of the coarser mesh
Only vertices that edges of one face join are merged, so what was watertight stays so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

BORDER_SLACK = 1.5  # beyond so many times the wanted triangles, open borders may move too


def reduce_mesh(arrays: dict[str, np.ndarray], params: dict[str, Any], tick: Any) -> dict[str, np.ndarray]:
    """The mesh with about params["triangles"] triangles (or as it is, if it has no more)."""
    wanted = max(4, int(params["triangles"]))
    positions, faces = arrays["positions"], arrays["faces"]
    if len(faces) <= wanted:
        return dict(arrays)
    tick(0, 3)
    coarse, triangles = _collapse(positions, faces, wanted)
    tick(1, 3)
    answer = {"positions": coarse.astype(np.float32), "faces": triangles.astype(np.uint32)}
    nearest = _find_nearest(positions, coarse)
    for name in ("observed", "colors"):
        if name in arrays:
            answer[name] = arrays[name][nearest]
    tick(2, 3)
    if "corner_uvs" in arrays:
        uvs = arrays["corner_uvs"].astype(np.float64)
        answer["corner_uvs"] = _lay_texture(positions.astype(np.float64), faces, uvs, coarse, triangles)
    tick(3, 3)
    return answer


def _collapse(positions: np.ndarray, faces: np.ndarray, wanted: int) -> tuple[np.ndarray, np.ndarray]:
    import fast_simplification

    answer = positions, faces
    for keep_border in (True, False):
        answer = fast_simplification.simplify(
            np.ascontiguousarray(positions, np.float64),
            np.ascontiguousarray(faces, np.int64),
            target_count=wanted,
            preserve_border=keep_border,
        )
        if len(answer[1]) <= BORDER_SLACK * wanted:
            break
    coarse, triangles = answer
    sound = np.isfinite(coarse).all(axis=1)
    return coarse, triangles[sound[triangles].all(axis=1)]


def _find_nearest(points: np.ndarray, asked: np.ndarray) -> np.ndarray:
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(points).query(asked)[1])


def _lay_texture(
    positions: np.ndarray, faces: np.ndarray, uvs: np.ndarray, coarse: np.ndarray, triangles: np.ndarray
) -> np.ndarray:
    """Corner uvs f32[k, 3, 2] of the coarser triangles.

    A triangle takes the piece of texture of the old face nearest to its middle; each of its corners is read off
    that piece's face nearest to the corner, continued flat beyond the face's edges.
    """
    centres = positions[faces].mean(axis=1)
    pieces = _number_pieces(faces, uvs)
    piece_of = pieces[_find_nearest(centres, coarse[triangles].mean(axis=1))]
    answer = np.zeros((len(triangles), 3, 2))
    for piece in np.unique(piece_of):
        own, asked = np.flatnonzero(pieces == piece), np.flatnonzero(piece_of == piece)
        corners = coarse[triangles[asked]].reshape(-1, 3)
        face = own[_find_nearest(centres[own], corners)]
        weights = _find_weights(positions[faces[face]], corners)
        answer[asked] = np.einsum("kc,kcd->kd", weights, uvs[face]).reshape(-1, 3, 2)
    low, high = uvs.reshape(-1, 2).min(axis=0), uvs.reshape(-1, 2).max(axis=0)
    return np.clip(answer, low, high).astype(np.float32)


def _number_pieces(faces: np.ndarray, uvs: np.ndarray) -> np.ndarray:
    """Which piece of the texture each face lies in: faces hang together along edges whose uvs agree."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    u, v = np.round(uvs.reshape(-1, 2).T * (1 << 20)).astype(np.int64).astype(np.uint64)
    mixed = (u * np.uint64(0x9E3779B1) + v * np.uint64(0x85EBCA6B)) & np.uint64(0xFFFFFFFF)
    keys = faces.reshape(-1).astype(np.uint64) << np.uint64(32) | mixed
    corner = np.unique(keys, return_inverse=True)[1].reshape(-1, 3).astype(np.int64)
    ends = np.sort(np.stack([corner, np.roll(corner, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    edge = np.unique(ends[:, 0] * (int(corner.max()) + 1) + ends[:, 1], return_inverse=True)[1].reshape(-1)
    n, face = len(faces), np.repeat(np.arange(len(faces)), 3)
    links = coo_matrix((np.ones(len(face), bool), (face, n + edge)), shape=(n + int(edge.max()) + 1,) * 2)
    labels: np.ndarray = connected_components(links, directed=False)[1]
    return labels[:n]


def _find_weights(triangles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Barycentric weights f64[k, 3] of each point, seen along its triangle's normal; flat triangles: a third each."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    u, v, w = b - a, c - a, points - a
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    wu, wv = (w * u).sum(1), (w * v).sum(1)
    area = uu * vv - uv * uv
    sound = area > 1e-12 * np.maximum(uu * vv, 1e-30)
    safe = np.where(sound, area, 1)
    s, t = (vv * wu - uv * wv) / safe, (uu * wv - uv * wu) / safe
    weights = np.stack([1 - s - t, s, t], axis=1)
    return np.where(sound[:, None], np.clip(weights, -2, 3), 1 / 3)
