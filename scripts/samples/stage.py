"""The stage that a sample scene is built on: metric meshes, placed props and their instance numbers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import bmesh
import bpy
from mathutils import Matrix, Vector

Point = tuple[float, float, float]
Profile = Sequence[tuple[float, float]]


@dataclass
class Instance:
    """One prop with truth: its number in the picture, what carries it, and whether it is thin."""

    id: int
    name: str
    standing_on: str
    thin: bool


class Stage:
    """Builds meshes in metres (Z up while building) under the transform and instance of the moment."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.instances: list[Instance] = []
        self._frames: list[Matrix] = [Matrix.Identity(4)]
        self._current = 0

    @contextmanager
    def at(
        self, x: float = 0, y: float = 0, z: float = 0, yaw: float = 0, tilt: float = 0, lean: float = 0
    ) -> Iterator[None]:
        """Move the frame: yaw about the vertical, tilt about x, lean about y (degrees)."""
        turn = (
            Matrix.Rotation(math.radians(yaw), 4, "Z")
            @ Matrix.Rotation(math.radians(tilt), 4, "X")
            @ Matrix.Rotation(math.radians(lean), 4, "Y")
        )
        self._frames.append(self._frames[-1] @ Matrix.Translation((x, y, z)) @ turn)
        try:
            yield
        finally:
            self._frames.pop()

    @contextmanager
    def prop(
        self,
        name: str,
        at: Point,
        yaw: float = 0,
        on: str = "floor",
        thin: bool = False,
        tilt: float = 0,
        lean: float = 0,
    ) -> Iterator[str]:
        """Everything built inside is one numbered instance; a prop inside a prop stays part of the outer."""
        before = self._current
        if not before:
            taken = {item.name for item in self.instances}
            base, count = name, 2
            while name in taken:
                name, count = f"{base}_{count}", count + 1
            self.instances.append(Instance(len(self.instances) + 1, name, on, thin))
            self._current = len(self.instances)
        with self.at(*at, yaw=yaw, tilt=tilt, lean=lean):
            try:
                yield name
            finally:
                self._current = before

    def add(
        self,
        mesh: bpy.types.Mesh,
        material: bpy.types.Material,
        bevel: float = 0,
        smooth: float = 35,
        subdivide: int = 0,
    ) -> bpy.types.Object:
        """Link a mesh into the scene; `bevel` in metres, `smooth` the angle in degrees kept sharp above."""
        mesh.materials.append(material)
        for polygon in mesh.polygons:
            polygon.use_smooth = True
        item = bpy.data.objects.new(f"part_{len(bpy.data.objects):05d}", mesh)
        if bevel:
            modifier = item.modifiers.new("bevel", "BEVEL")
            modifier.width, modifier.segments, modifier.limit_method = bevel, 3, "ANGLE"
            modifier.angle_limit = math.radians(40)
            item.modifiers.new("normals", "WEIGHTED_NORMAL").keep_sharp = True
        elif subdivide:
            modifier = item.modifiers.new("smooth", "SUBSURF")
            modifier.levels = modifier.render_levels = subdivide
        else:
            mesh.set_sharp_from_angle(angle=math.radians(smooth))
        project_uv(mesh)
        item.matrix_world = self._frames[-1]
        item.pass_index = self._current
        bpy.context.scene.collection.objects.link(item)
        return item

    def faces(
        self,
        points: Sequence[Sequence[float]],
        faces: Sequence[Sequence[int]],
        material: bpy.types.Material,
        **options: float,
    ) -> bpy.types.Object:
        """Add a mesh from points and faces."""
        mesh = bpy.data.meshes.new("mesh")
        mesh.from_pydata([tuple(p) for p in points], [], [tuple(f) for f in faces])
        mesh.update()
        return self.add(mesh, material, **options)

    def box(
        self, size: Point, at: Point, material: bpy.types.Material, bevel: float = 0.003, subdivide: int = 0
    ) -> bpy.types.Object:
        """A box standing on `at` (the middle of its underside)."""
        (a, b, c), (x, y, z) = size, at
        points = [
            (x + sx * a / 2, y + sy * b / 2, z + sz * c)
            for sz in (0, 1)
            for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
        faces = [(3, 2, 1, 0), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]
        return self.faces(points, faces, material, bevel=min(bevel, min(size) * 0.3), subdivide=subdivide)

    def prism(
        self, outline: Profile, depth: float, material: bpy.types.Material, bevel: float = 0.002
    ) -> bpy.types.Object:
        """An outline in the frame's xz plane, drawn along y by `depth` (centred)."""
        n = len(outline)
        points = [(x, -depth / 2, z) for x, z in outline] + [(x, depth / 2, z) for x, z in outline]
        sides = [(i, (i + 1) % n, n + (i + 1) % n, n + i) for i in range(n)]
        item = self.faces(points, [tuple(reversed(range(n))), tuple(range(n, 2 * n)), *sides], material, bevel=bevel)
        face_outwards(item.data)
        return item

    def lathe(
        self,
        profile: Profile,
        material: bpy.types.Material,
        at: Point = (0, 0, 0),
        segments: int = 48,
        round_off: int = 3,
        squash: float = 1,
    ) -> bpy.types.Object:
        """Spin a profile of (radius, height) about the vertical; `round_off` smooths it."""
        rows = smooth_profile(profile, round_off)
        x, y, z = at
        points: list[Point] = []
        faces: list[tuple[int, ...]] = []
        for r, h in rows:
            for k in range(segments):
                a = 2 * math.pi * k / segments
                points.append((x + r * math.cos(a), y + squash * r * math.sin(a), z + h))
        for i in range(len(rows) - 1):
            for k in range(segments):
                n = (k + 1) % segments
                faces.append((i * segments + k, i * segments + n, (i + 1) * segments + n, (i + 1) * segments + k))
        for row, order in ((0, -1), (len(rows) - 1, 1)):
            if rows[row][0] > 1e-4:
                faces.append(tuple(row * segments + k for k in range(segments))[::order])
        mesh = bpy.data.meshes.new("lathe")
        mesh.from_pydata(points, [], faces)
        mesh.update()
        weld(mesh)
        face_outwards(mesh)
        return self.add(mesh, material, smooth=50)

    def tube(
        self,
        path: Sequence[Sequence[float]],
        radius: float | Callable[[float], float],
        material: bpy.types.Material,
        sides: int = 10,
        closed: bool = False,
        curve: int = 6,
    ) -> bpy.types.Object:
        """Sweep a circle along a path; `curve` > 1 rounds the path (steps per stretch), 1 keeps it straight."""
        line = curve_through([Vector(p) for p in path], curve, closed)
        count = len(line)
        points: list[Vector] = []
        normal: Vector | None = None
        for i, here in enumerate(line):
            before = line[i - 1] if closed or i else line[0]
            after = line[(i + 1) % count] if closed or i < count - 1 else line[-1]
            along = (after - before).normalized()
            if normal is None:
                normal = along.orthogonal().normalized()
            normal = (normal - along * normal.dot(along)).normalized()
            side = along.cross(normal)
            r = radius(i / max(count - 1, 1)) if callable(radius) else radius
            for k in range(sides):
                a = 2 * math.pi * k / sides
                points.append(here + normal * (r * math.cos(a)) + side * (r * math.sin(a)))
        faces: list[tuple[int, ...]] = []
        for i in range(count if closed else count - 1):
            j = (i + 1) % count
            for k in range(sides):
                n = (k + 1) % sides
                faces.append((i * sides + k, i * sides + n, j * sides + n, j * sides + k))
        if not closed:
            faces += [tuple(range(sides))[::-1], tuple((count - 1) * sides + k for k in range(sides))]
        return self.faces([tuple(p) for p in points], faces, material, smooth=60)

    def sheet(
        self,
        size: tuple[float, float],
        cells: tuple[int, int],
        material: bpy.types.Material,
        shape: Callable[[float, float], Sequence[float]],
        subdivide: int = 0,
    ) -> bpy.types.Object:
        """A grid over u, v in 0..1 bent by `shape(u * width, v * length)` -> (x, y, z)."""
        (w, d), (m, n) = size, cells
        points = [shape(w * i / m, d * j / n) for j in range(n + 1) for i in range(m + 1)]
        faces = [
            (j * (m + 1) + i, j * (m + 1) + i + 1, (j + 1) * (m + 1) + i + 1, (j + 1) * (m + 1) + i)
            for j in range(n)
            for i in range(m)
        ]
        return self.faces(points, faces, material, smooth=70, subdivide=subdivide)

    def blob(
        self, size: Point, at: Point, material: bpy.types.Material, squareness: float = 2, rough: float = 0
    ) -> bpy.types.Object:
        """A superellipsoid about `at`: 2 is an ellipsoid, 4 a cushion; `rough` adds lumps."""
        mesh = bpy.data.meshes.new("blob")
        shape = bmesh.new()
        bmesh.ops.create_icosphere(shape, subdivisions=4, radius=1)
        phase = [self.rng.uniform(0, 6) for _ in range(3)]
        for vertex in shape.verts:
            x, y, z = vertex.co
            q = (abs(x) ** squareness + abs(y) ** squareness + abs(z) ** squareness) ** (-1 / squareness)
            if rough:
                q *= 1 + rough * (
                    math.sin(5 * x + phase[0]) * math.sin(6 * y + phase[1]) + 0.5 * math.sin(11 * z + phase[2] + 7 * x)
                )
            vertex.co = (at[0] + x * q * size[0] / 2, at[1] + y * q * size[1] / 2, at[2] + z * q * size[2] / 2)
        shape.to_mesh(mesh)
        shape.free()
        return self.add(mesh, material, smooth=80)

    def text(self, words: str, height: float, material: bpy.types.Material, depth: float = 0.002) -> None:
        """Raised letters in the frame's xz plane, facing -y, centred on the frame's origin."""
        curve = bpy.data.curves.new("text", "FONT")
        curve.body, curve.size, curve.extrude = words, height, depth / 2
        curve.align_x, curve.align_y = "CENTER", "CENTER"
        item = bpy.data.objects.new("text", curve)
        bpy.context.scene.collection.objects.link(item)
        bpy.context.view_layer.update()
        mesh = bpy.data.meshes.new_from_object(item)
        bpy.data.objects.remove(item)
        mesh.transform(Matrix.Rotation(math.pi / 2, 4, "X"))
        mesh.materials.clear()
        self.add(mesh, material)

    def light(
        self, kind: str, at: Point, aim: Point, power: float, size: float = 1, tall: float = 0, color: Point = (1, 1, 1)
    ) -> None:
        """A lamp at a world position aimed at another; watts for AREA and POINT, strength for SUN."""
        lamp = bpy.data.lights.new("light", kind)
        lamp.energy, lamp.color = power, color
        if kind == "AREA":
            lamp.shape, lamp.size, lamp.size_y = "RECTANGLE", size, tall or size
        elif kind == "SUN":
            lamp.angle = math.radians(size)
        else:
            lamp.shadow_soft_size = size
        item = bpy.data.objects.new("light", lamp)
        item.location = at
        item.rotation_euler = (Vector(aim) - Vector(at)).to_track_quat("-Z", "Y").to_euler()
        item.visible_camera = False
        bpy.context.scene.collection.objects.link(item)


def project_uv(mesh: bpy.types.Mesh) -> None:
    """Box-project texture coordinates in metres, so that woven and laid patterns keep their real size."""
    layer = mesh.uv_layers.new(name="metres")
    for polygon in mesh.polygons:
        n = polygon.normal
        axis = max(range(3), key=lambda k: abs(n[k]))
        u, v = ((1, 2), (0, 2), (0, 1))[axis]
        for loop in polygon.loop_indices:
            co = mesh.vertices[mesh.loops[loop].vertex_index].co
            layer.data[loop].uv = (co[u], co[v])


def face_outwards(mesh: bpy.types.Mesh) -> None:
    """Make the normals of a closed mesh point outwards."""
    shape = bmesh.new()
    shape.from_mesh(mesh)
    bmesh.ops.recalc_face_normals(shape, faces=shape.faces)
    shape.to_mesh(mesh)
    shape.free()


def weld(mesh: bpy.types.Mesh) -> None:
    """Merge the points that a profile leaves on its axis."""
    shape = bmesh.new()
    shape.from_mesh(mesh)
    bmesh.ops.remove_doubles(shape, verts=shape.verts, dist=1e-5)
    shape.to_mesh(mesh)
    shape.free()


def smooth_profile(profile: Profile, rounds: int) -> list[tuple[float, float]]:
    """Cut the corners of a profile (Chaikin), keeping its ends."""
    line = [tuple(map(float, p)) for p in profile]
    for _ in range(rounds):
        cut = [line[0]]
        for (a, b), (c, d) in zip(line, line[1:], strict=False):
            cut += [(0.8 * a + 0.2 * c, 0.8 * b + 0.2 * d), (0.2 * a + 0.8 * c, 0.2 * b + 0.8 * d)]
        line = [*cut, line[-1]]
    return [(max(r, 0.0), z) for r, z in line]


def curve_through(points: list[Vector], steps: int, closed: bool) -> list[Vector]:
    """A Catmull-Rom curve through the points; one step keeps the straight stretches."""
    if steps <= 1 or len(points) < 3:
        return points
    n = len(points)
    line: list[Vector] = []
    for i in range(n if closed else n - 1):
        a, b, c, d = (points[k % n] if closed else points[min(max(k, 0), n - 1)] for k in range(i - 1, i + 3))
        for s in range(steps):
            t = s / steps
            line.append(
                0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)
            )
    return line if closed else [*line, points[-1]]
