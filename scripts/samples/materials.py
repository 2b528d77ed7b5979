"""Procedural materials of the sample scenes: every surface has a texture of its own, in metres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy

Color = tuple[float, float, float]


def shade(color: Color, by: float) -> Color:
    """A colour made lighter (> 1) or darker (< 1)."""
    return tuple(min(1.0, c * by) for c in color)  # type: ignore[return-value]


class Graph:
    """A node tree under construction; sockets, numbers and colours are taken alike."""

    def __init__(self, name: str) -> None:
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.tree = self.material.node_tree
        self.tree.nodes.clear()
        coordinates = self.tree.nodes.new("ShaderNodeTexCoord")
        self.object, self.uv = coordinates.outputs["Object"], coordinates.outputs["UV"]

    def set(self, socket: Any, value: Any) -> None:
        """Link or assign `value` to an input."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        elif isinstance(value, tuple) and len(value) == 3 and socket.type == "RGBA":
            socket.default_value = (*value, 1)
        else:
            socket.default_value = value

    def node(self, kind: str, **inputs: Any) -> Any:
        """A node of `kind` with inputs by name (underscores for spaces)."""
        node = self.tree.nodes.new("ShaderNode" + kind)
        for name, value in inputs.items():
            self.set(node.inputs[name.replace("_", " ")], value)
        return node

    def stretch(self, coordinates: Any, x: float, y: float, z: float = 1, turn: float = 0) -> Any:
        """Coordinates scaled per axis."""
        return self.node("Mapping", Vector=coordinates, Scale=(x, y, z), Rotation=(0, 0, turn)).outputs[0]

    def noise(self, scale: float, detail: float = 4, at: Any = None, rough: float = 0.6, warp: float = 0) -> Any:
        """Fractal noise about 0.5."""
        return self.node(
            "TexNoise",
            Vector=self.object if at is None else at,
            Scale=scale,
            Detail=detail,
            Roughness=rough,
            Distortion=warp,
        ).outputs["Fac"]

    def cells(self, scale: float, at: Any = None, feature: str = "F1") -> Any:
        """Distance to the nearest seed of a Voronoi pattern."""
        node = self.node("TexVoronoi", Vector=self.object if at is None else at, Scale=scale)
        node.feature = feature
        return node.outputs["Distance"]

    def wave(self, scale: float, at: Any, distortion: float = 0, bands: str = "X", profile: str = "SIN") -> Any:
        """Stripes across one axis."""
        node = self.node("TexWave", Vector=at, Scale=scale, Distortion=distortion, Detail=2)
        node.bands_direction, node.wave_profile = bands, profile
        return node.outputs["Fac"]

    def ramp(self, factor: Any, stops: Sequence[tuple[float, Color | float]], hard: bool = False) -> Any:
        """A colour (or grey) ramp."""
        node = self.node("ValToRGB", Fac=factor)
        node.color_ramp.interpolation = "CONSTANT" if hard else "LINEAR"
        ramp = node.color_ramp.elements
        while len(ramp) < len(stops):
            ramp.new(0.5)
        for element, (at, color) in zip(ramp, stops, strict=True):
            element.position = at
            grey = isinstance(color, int | float)
            element.color = (color, color, color, 1) if grey else (*color, 1)
        return node.outputs["Color"]

    def math(self, operation: str, a: Any, b: Any = 0.0) -> Any:
        """A scalar operation."""
        node = self.tree.nodes.new("ShaderNodeMath")
        node.operation = operation
        self.set(node.inputs[0], a)
        self.set(node.inputs[1], b)
        return node.outputs[0]

    def mix(self, factor: Any, a: Any, b: Any, how: str = "MIX") -> Any:
        """Blend two colours."""
        node = self.tree.nodes.new("ShaderNodeMix")
        node.data_type, node.blend_type = "RGBA", how
        for socket, value in ((node.inputs[0], factor), (node.inputs[6], a), (node.inputs[7], b)):
            self.set(socket, value)
        return node.outputs[2]

    def bump(self, height: Any, distance: float, strength: float = 1) -> Any:
        """A normal from a height map; `distance` in metres."""
        return self.node("Bump", Height=height, Distance=distance, Strength=strength).outputs[0]

    def laid(
        self,
        color_a: Color,
        color_b: Color,
        mortar: Any,
        size: tuple[float, float],
        gap: float,
        offset: float = 0.5,
        at: Any = None,
    ) -> Any:
        """Bricks, tiles or planks of `size` metres in the texture plane."""
        node = self.node(
            "TexBrick",
            Vector=self.uv if at is None else at,
            Color1=color_a,
            Color2=color_b,
            Mortar=mortar,
            Scale=1.0,
            Brick_Width=size[0],
            Row_Height=size[1],
            Mortar_Size=gap,
            Mortar_Smooth=0.25,
            Bias=0.0,
        )
        node.offset = offset
        return node

    def finish(self, **inputs: Any) -> bpy.types.Material:
        """Close the graph with a Principled surface."""
        surface = self.node("BsdfPrincipled", **inputs)
        return self.close(surface.outputs[0])

    def close(self, shader: Any) -> bpy.types.Material:
        """Close the graph with any shader."""
        output = self.tree.nodes.new("ShaderNodeOutputMaterial")
        self.tree.links.new(shader, output.inputs["Surface"])
        return self.material


def wood(
    color: Color, plank: tuple[float, float] | None = None, gloss: float = 0.4, along: str = "x", fine: float = 1
) -> bpy.types.Material:
    """Grained wood; with `plank` boards of that size are laid in the texture plane."""
    g = Graph("wood")
    base = g.object
    if plank:
        seams = g.laid((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.5, 0.5, 0.5), plank, 0.0015, 0.37)
        shift = g.node("VectorMath").outputs[0]
        node = shift.node
        node.operation = "MULTIPLY_ADD"
        g.set(node.inputs[0], seams.outputs["Color"])
        node.inputs[1].default_value = (3, 5, 7)
        g.set(node.inputs[2], g.uv)
        base = shift
    scale = {"x": (1.2, 14, 14), "y": (14, 1.2, 14), "z": (14, 14, 1.2)}[along]
    at = g.stretch(base, *(s * fine for s in scale))
    rings = g.noise(1.6, 6, at, 0.62, 1.6)
    fibre = g.noise(9, 3, at, 0.7)
    tone = g.ramp(
        rings, [(0.28, shade(color, 0.45)), (0.45, shade(color, 0.85)), (0.55, color), (0.72, shade(color, 1.35))]
    )
    tone = g.mix(0.25, tone, g.ramp(fibre, [(0.35, shade(color, 0.3)), (0.6, shade(color, 1.3))]))
    height = g.math("ADD", g.math("MULTIPLY", rings, 0.4), g.math("MULTIPLY", fibre, 0.6))
    if plank:
        vary = g.ramp(g.noise(0.9, 1, base), [(0.3, 0.72), (0.7, 1.15)])
        tone = g.mix(1.0, tone, vary, "MULTIPLY")
        tone = g.mix(seams.outputs["Fac"], tone, shade(color, 0.12))
        height = g.math("SUBTRACT", height, g.math("MULTIPLY", seams.outputs["Fac"], 3.0))
    worn = g.ramp(g.noise(6, 4), [(0.3, gloss - 0.1), (0.7, gloss + 0.18)])
    return g.finish(Base_Color=tone, Roughness=worn, Normal=g.bump(height, 0.0012, 0.7), IOR=1.45)


def plaster(color: Color, rough: float = 1, stain: float = 0.25) -> bpy.types.Material:
    """Painted plaster with brush marks and faint stains."""
    g = Graph("plaster")
    soft = g.noise(1.1, 6)
    tone = g.ramp(soft, [(0.3, shade(color, 1 - stain)), (0.62, color), (0.8, shade(color, 1.06))])
    fine = g.math("ADD", g.noise(60, 6), g.math("MULTIPLY", g.noise(9, 4), 2.0))
    return g.finish(Base_Color=tone, Roughness=0.85, Normal=g.bump(fine, 0.002 * rough, 0.6))


def wallpaper(color: Color, figure: Color, size: float = 0.12) -> bpy.types.Material:
    """Papered wall with a small repeated figure."""
    g = Graph("wallpaper")
    drop = g.laid((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (size, size * 1.2), 0.0, 0.5)
    dots = g.cells(1 / size, g.stretch(g.uv, 1, 0.8))
    leaf = g.ramp(dots, [(0.0, 1.0), (0.2, 1.0), (0.26, 0.0), (0.42, 0.0), (0.47, 0.6), (0.53, 0.0)])
    tone = g.mix(leaf, g.mix(g.noise(1.4, 4), shade(color, 0.9), color), figure)
    tone = g.mix(0.03, tone, drop.outputs["Color"])
    return g.finish(Base_Color=tone, Roughness=0.8, Normal=g.bump(g.noise(90, 4), 0.0006, 0.6))


def brick(
    color: Color,
    size: tuple[float, float] = (0.225, 0.075),
    mortar: Color = (0.42, 0.39, 0.35),
) -> bpy.types.Material:
    """Brickwork with uneven faces, sooty patches and recessed mortar."""
    g = Graph("brick")
    wobble = g.node("VectorMath").outputs[0].node
    wobble.operation = "MULTIPLY_ADD"
    g.set(wobble.inputs[0], g.node("TexNoise", Vector=g.object, Scale=14.0, Detail=3.0).outputs["Color"])
    wobble.inputs[1].default_value = (0.008, 0.008, 0)
    g.set(wobble.inputs[2], g.uv)
    rows = g.laid(shade(color, 0.62), shade(color, 1.2), mortar, size, 0.006, 0.5, wobble.outputs[0])
    tone = g.mix(g.ramp(g.noise(30, 5), [(0.35, 0.0), (0.75, 0.55)]), rows.outputs["Color"], shade(color, 0.45))
    tone = g.mix(g.ramp(g.noise(0.7, 6), [(0.45, 0.0), (0.8, 0.5)]), tone, (0.09, 0.075, 0.06))
    height = g.math("SUBTRACT", g.math("MULTIPLY", g.noise(45, 6), 0.5), g.math("MULTIPLY", rows.outputs["Fac"], 1.6))
    return g.finish(Base_Color=tone, Roughness=0.88, Normal=g.bump(height, 0.008, 0.8))


def tiles(
    color_a: Color,
    color_b: Color,
    size: tuple[float, float],
    gap: float = 0.003,
    offset: float = 0.0,
    gloss: float = 0.15,
    grout: Color = (0.5, 0.48, 0.45),
) -> bpy.types.Material:
    """Glazed or stone tiles with grout."""
    g = Graph("tiles")
    laid = g.laid(color_a, color_b, grout, size, gap, offset)
    cloud = g.mix(
        g.ramp(g.noise(9, 6, None, 0.65), [(0.35, 0.0), (0.8, 0.45)]), laid.outputs["Color"], shade(color_a, 0.6)
    )
    height = g.math("SUBTRACT", g.math("MULTIPLY", g.noise(7, 2), 0.35), g.math("MULTIPLY", laid.outputs["Fac"], 1.5))
    dull = g.mix(laid.outputs["Fac"], g.ramp(g.noise(12, 3), [(0.3, gloss), (0.7, gloss + 0.12)]), (0.9, 0.9, 0.9))
    return g.finish(Base_Color=cloud, Roughness=dull, Normal=g.bump(height, 0.0025, 0.7))


def asphalt(wet: float = 0) -> bpy.types.Material:
    """Road surface: stones in tar, patches, cracks, damp spots."""
    g = Graph("asphalt")
    stones = g.cells(160)
    tone = g.ramp(stones, [(0.0, (0.15, 0.145, 0.14)), (0.4, (0.075, 0.073, 0.07)), (0.8, (0.03, 0.03, 0.03))])
    tone = g.mix(g.ramp(g.noise(0.5, 6), [(0.4, 0.0), (0.6, 0.5)]), tone, (0.13, 0.125, 0.115))
    crack = g.ramp(g.cells(0.55, None, "DISTANCE_TO_EDGE"), [(0.0, 1.0), (0.006, 0.0)])
    tone = g.mix(crack, tone, (0.012, 0.012, 0.012))
    damp = g.ramp(g.noise(0.35, 4), [(0.5, 0.85), (0.62, 0.85 - 0.55 * wet)])
    return g.finish(Base_Color=tone, Roughness=damp, Normal=g.bump(g.math("SUBTRACT", 1.0, stones), 0.004, 0.6))


def stone(
    color: Color, block: tuple[float, float] = (0.6, 0.4), gap: float = 0.006, rough: float = 0.8, dirt: float = 0.5
) -> bpy.types.Material:
    """Dressed stone or paving slabs."""
    g = Graph("stone")
    laid = g.laid(shade(color, 0.8), shade(color, 1.12), shade(color, 0.25), block, gap)
    grain = g.noise(70, 6, None, 0.75)
    tone = g.mix(g.ramp(grain, [(0.3, 0.5), (0.6, 0.0)]), laid.outputs["Color"], shade(color, 0.5))
    tone = g.mix(g.ramp(g.noise(1.3, 7), [(0.45, 0.0), (0.75, dirt)]), tone, shade(color, 0.3))
    height = g.math("SUBTRACT", g.math("MULTIPLY", grain, 0.5), g.math("MULTIPLY", laid.outputs["Fac"], 1.5))
    return g.finish(
        Base_Color=tone,
        Roughness=g.ramp(g.noise(3, 5), [(0.3, rough - 0.25), (0.7, rough)]),
        Normal=g.bump(height, 0.004, 0.7),
    )


def cobbles(color: Color) -> bpy.types.Material:
    """Rounded setts with mossy joints."""
    g = Graph("cobbles")
    at = g.stretch(g.object, 1, 1.25)
    edge = g.cells(9, at, "DISTANCE_TO_EDGE")
    colour = g.node("TexVoronoi", Vector=at, Scale=9.0).outputs["Color"]
    tone = g.mix(
        0.35, g.mix(g.noise(50, 6), shade(color, 0.55), shade(color, 1.3)), g.mix(1.0, colour, color, "MULTIPLY")
    )
    joint = g.ramp(edge, [(0.03, 1.0), (0.11, 0.0)])
    tone = g.mix(joint, tone, g.mix(g.noise(4, 5), (0.05, 0.045, 0.035), (0.05, 0.07, 0.02)))
    dome = g.ramp(edge, [(0.0, 0.0), (0.12, 0.7), (0.4, 1.0)])
    height = g.math("ADD", dome, g.math("MULTIPLY", g.noise(60, 5), 0.15))
    return g.finish(
        Base_Color=tone, Roughness=g.ramp(g.noise(5, 4), [(0.3, 0.35), (0.7, 0.8)]), Normal=g.bump(height, 0.018, 0.8)
    )


def fabric(
    color: Color,
    second: Color | None = None,
    stripe: float = 0.0,
    check: bool = False,
    weave: float = 500,
    pile: float = 0.0008,
) -> bpy.types.Material:
    """Woven cloth, plain, striped (`stripe` metres) or checked."""
    g = Graph("fabric")
    tone: Any = g.mix(g.ramp(g.noise(5, 6), [(0.3, 0.0), (0.7, 1.0)]), shade(color, 0.72), shade(color, 1.1))
    if second and stripe:
        across = g.wave(0.314 / stripe, g.uv, 0, "X")
        band = g.ramp(across, [(0.0, 0.0), (0.5, 1.0)], hard=True)
        if check:
            up = g.ramp(g.wave(0.314 / stripe, g.uv, 0, "Y"), [(0.0, 0.0), (0.5, 1.0)], hard=True)
            band = g.mix(0.5, band, up)
        tone = g.mix(band, tone, second)
    warp = g.math("MULTIPLY", g.wave(weave / 6.283, g.uv, 0.6, "X"), g.wave(weave / 6.283, g.uv, 0.6, "Y"))
    tone = g.mix(g.math("MULTIPLY", warp, 0.35), tone, g.mix(1.0, tone, (0.35, 0.35, 0.35), "MULTIPLY"))
    height = g.math("ADD", warp, g.math("MULTIPLY", g.noise(30, 5), 1.2))
    return g.finish(
        Base_Color=tone, Roughness=0.92, Sheen_Weight=0.25, Sheen_Roughness=0.5, Normal=g.bump(height, pile, 0.8)
    )


def rug(field: Color, figure: Color, border: Color, size: tuple[float, float]) -> bpy.types.Material:
    """A knotted rug centred on its object: medallions inside a border."""
    g = Graph("rug")
    axes = g.node("SeparateXYZ", Vector=g.object)
    x = g.math("ABSOLUTE", axes.outputs[0])
    y = g.math("ABSOLUTE", axes.outputs[1])
    edge = g.math("MAXIMUM", g.math("SUBTRACT", x, size[0] / 2), g.math("SUBTRACT", y, size[1] / 2))
    fold = g.node("CombineXYZ", X=x, Y=y).outputs[0]
    motif = g.ramp(g.cells(4.5, fold), [(0.0, 1.0), (0.18, 0.0), (0.3, 1.0), (0.36, 0.0), (0.6, 0.5)], hard=True)
    small = g.ramp(g.cells(16, fold), [(0.0, 1.0), (0.3, 0.0)], hard=True)
    inner = g.mix(motif, field, g.mix(small, figure, border))
    rim = g.ramp(g.math("ADD", edge, 0.5), [(0.0, 0.0), (0.28, 1.0), (0.31, 0.4), (0.44, 1.0), (0.46, 0.2)], hard=True)
    outer = g.mix(g.ramp(g.cells(11, fold), [(0.0, 0.0), (0.33, 1.0)], hard=True), border, field)
    tone = g.mix(g.ramp(rim, [(0.1, 0.0), (0.9, 1.0)]), inner, outer)
    tufts = g.noise(260, 3)
    tone = g.mix(g.ramp(tufts, [(0.3, 0.55), (0.7, 0.0)]), tone, shade(field, 0.2))
    return g.finish(Base_Color=tone, Roughness=0.96, Sheen_Weight=0.3, Normal=g.bump(tufts, 0.006, 0.9))


def ceramic(
    color: Color,
    band: Color | None = None,
    band_at: tuple[float, float] = (0.6, 0.75),
    height: float = 0.1,
    speckle: float = 0.35,
) -> bpy.types.Material:
    """Glazed ware with iron speckles and, if wished, a painted band between two parts of its height."""
    g = Graph("ceramic")
    tone: Any = g.mix(g.noise(12, 4), shade(color, 0.9), color)
    spots = g.ramp(g.cells(95), [(0.0, speckle), (0.16, 0.0)])
    tone = g.mix(spots, tone, (0.16, 0.1, 0.06))
    if band:
        z = g.math("DIVIDE", g.node("SeparateXYZ", Vector=g.object).outputs[2], height)
        wavy = g.math("ADD", z, g.math("MULTIPLY", g.math("SUBTRACT", g.noise(22, 2), 0.5), 0.03))
        a, b = band_at
        tone = g.mix(g.ramp(wavy, [(0.0, 0.0), (a, 1.0), (b, 0.0)], hard=True), tone, band)
    return g.finish(
        Base_Color=tone,
        Roughness=g.ramp(g.noise(14, 4), [(0.3, 0.1), (0.7, 0.26)]),
        Coat_Weight=0.4,
        Coat_Roughness=0.05,
        Normal=g.bump(g.noise(18, 2), 0.0012, 0.5),
    )


def terracotta(color: Color = (0.5, 0.2, 0.1)) -> bpy.types.Material:
    """Unglazed clay with lime bloom and throwing rings."""
    g = Graph("terracotta")
    tone = g.mix(g.ramp(g.noise(7, 7), [(0.45, 0.0), (0.75, 0.7)]), color, (0.55, 0.46, 0.38))
    rings = g.math("ADD", g.wave(25, g.object, 1, "Z"), g.noise(120, 4))
    return g.finish(Base_Color=tone, Roughness=0.85, Normal=g.bump(rings, 0.0006, 0.8))


def metal(
    color: Color = (0.75, 0.75, 0.76), gloss: float = 0.12, brushed: str | None = None, wear: float = 0.15
) -> bpy.types.Material:
    """Bare metal with smudges; `brushed` along an axis."""
    g = Graph("metal")
    smudge = g.ramp(g.noise(14, 6, None, 0.65), [(0.35, gloss), (0.75, gloss + wear)])
    tone = g.mix(g.ramp(g.noise(20, 5), [(0.4, 0.0), (0.8, 0.35)]), color, shade(color, 0.7))
    scratch: Any = g.noise(160, 3)
    if brushed:
        scale = {"x": (2, 300, 300), "y": (300, 2, 300), "z": (300, 300, 2)}[brushed]
        scratch = g.noise(1, 3, g.stretch(g.object, *scale))
    return g.finish(
        Base_Color=tone, Metallic=1.0, Roughness=smudge, Normal=g.bump(scratch, 0.00012 if brushed else 0.00003, 0.6)
    )


def painted(color: Color, gloss: float = 0.3, rust: float = 0.25) -> bpy.types.Material:
    """Paint over metal, chipped to rust here and there."""
    g = Graph("painted")
    chips = g.ramp(g.noise(11, 8, None, 0.7), [(0.68 - 0.1 * rust, 0.0), (0.72 - 0.08 * rust, min(1, rust * 3))])
    tone = g.mix(g.noise(5, 5), shade(color, 0.8), shade(color, 1.1))
    tone = g.mix(chips, tone, g.mix(g.noise(80, 4), (0.12, 0.04, 0.015), (0.3, 0.11, 0.04)))
    dull = g.mix(chips, g.ramp(g.noise(9, 4), [(0.3, gloss - 0.08), (0.7, gloss + 0.12)]), (0.9, 0.9, 0.9))
    return g.finish(
        Base_Color=tone, Roughness=dull, Normal=g.bump(g.math("SUBTRACT", g.noise(70, 4), chips), 0.0006, 0.7)
    )


def car_paint(color: Color) -> bpy.types.Material:
    """Metallic flake under lacquer with road dust low down."""
    g = Graph("car paint")
    flake = g.mix(g.cells(900), shade(color, 1.25), shade(color, 0.7))
    z = g.node("SeparateXYZ", Vector=g.object).outputs[2]
    dust = g.math("MULTIPLY", g.ramp(z, [(0.2, 0.5), (0.6, 0.03)]), g.noise(6, 6))
    return g.finish(
        Base_Color=g.mix(dust, flake, (0.2, 0.17, 0.13)),
        Metallic=0.35,
        Roughness=0.32,
        Coat_Weight=1.0,
        Coat_Roughness=g.ramp(dust, [(0.0, 0.02), (0.4, 0.4)]),
        Normal=g.bump(g.noise(3, 2), 0.0005, 0.3),
    )


def plastic(color: Color, gloss: float = 0.4) -> bpy.types.Material:
    """Moulded plastic or rubber with a fine grain."""
    g = Graph("plastic")
    tone = g.mix(g.noise(18, 6), shade(color, 0.82), shade(color, 1.08))
    return g.finish(
        Base_Color=tone,
        Roughness=g.ramp(g.noise(25, 4), [(0.3, gloss - 0.08), (0.7, gloss + 0.15)]),
        Normal=g.bump(g.noise(350, 3), 0.0003, 0.6),
    )


def glass(color: Color = (1, 1, 1), rough: float = 0.0) -> bpy.types.Material:
    """Clear or tinted glass that lets light through to what lies behind, smudged a little."""
    g = Graph("glass")
    smudge = g.ramp(g.noise(16, 6), [(0.4, rough), (0.8, rough + 0.09)])
    wall = g.node(
        "BsdfPrincipled",
        Base_Color=color,
        Roughness=smudge,
        IOR=1.48,
        Transmission_Weight=1.0,
        Normal=g.bump(g.noise(24, 3), 0.0006, 0.4),
    )
    through = g.node("BsdfTransparent", Color=shade(color, 0.92))
    choose = g.tree.nodes.new("ShaderNodeMixShader")
    g.set(choose.inputs[0], g.node("LightPath").outputs["Is Shadow Ray"])
    g.set(choose.inputs[1], wall.outputs[0])
    g.set(choose.inputs[2], through.outputs[0])
    return g.close(choose.outputs[0])


def window(tint: Color = (0.03, 0.035, 0.04), warm: float = 0) -> bpy.types.Material:
    """Window panes seen from outside: reflections over a dim interior with hints of curtains."""
    g = Graph("window")
    drape = g.wave(3.5, g.stretch(g.uv, 1, 0.05), 2.5, "X")
    dim = g.mix(
        g.ramp(g.noise(1.3, 2), [(0.46, 0.0), (0.56, 0.9)]), tint, g.mix(drape, (0.14, 0.12, 0.1), (0.32, 0.29, 0.25))
    )
    return g.finish(
        Base_Color=dim,
        Roughness=0.03,
        Specular_IOR_Level=1.0,
        Coat_Weight=1.0,
        Coat_IOR=1.8,
        Emission_Color=(1.0, 0.72, 0.4),
        Emission_Strength=warm,
        Normal=g.bump(g.noise(1.8, 2), 0.02, 0.15),
    )


def leaf(color: Color, tips: Color | None = None) -> bpy.types.Material:
    """Foliage that lets light shine through."""
    g = Graph("leaf")
    tone = g.mix(g.ramp(g.noise(9, 5), [(0.3, 0.0), (0.7, 1.0)]), shade(color, 0.55), tips or shade(color, 1.5))
    tone = g.mix(g.math("MULTIPLY", g.wave(40, g.object, 3), 0.25), tone, shade(color, 0.4))
    front = g.node("BsdfPrincipled", Base_Color=tone, Roughness=0.45, Normal=g.bump(g.noise(90, 3), 0.001, 0.6))
    back = g.node("BsdfTranslucent", Color=g.mix(0.5, tone, (0.3, 0.42, 0.05)))
    both = g.tree.nodes.new("ShaderNodeMixShader")
    for slot, value in zip(both.inputs, (0.3, front.outputs[0], back.outputs[0]), strict=True):
        g.set(slot, value)
    return g.close(both.outputs[0])


def skin(
    color: Color, second: Color, dimple: float = 120, depth: float = 0.0006, gloss: float = 0.3, patches: float = 14
) -> bpy.types.Material:
    """Fruit, crust and the like: two tones in patches over fine dimples."""
    g = Graph("skin")
    tone = g.mix(g.ramp(g.noise(patches, 6, None, 0.6, 0.4), [(0.35, 0.0), (0.65, 1.0)]), color, second)
    tone = g.mix(g.ramp(g.cells(dimple), [(0.0, 0.35), (0.2, 0.0)]), tone, shade(second, 1.3))
    height = g.math("ADD", g.cells(dimple), g.noise(30, 5))
    return g.finish(
        Base_Color=tone,
        Roughness=gloss,
        Subsurface_Weight=0.1,
        Subsurface_Scale=0.01,
        Normal=g.bump(height, depth, 0.8),
    )


def print_paper(
    paper: Color,
    ink: Color,
    accent: Color,
    line: float = 0.006,
    column: float = 0.05,
) -> bpy.types.Material:
    """Printed matter: lines of words in columns, with blocks of an accent colour, in the texture plane."""
    g = Graph("print")
    rows = g.laid((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (column, line), line * 0.27, 0.0)
    word = g.ramp(g.noise(1, 1, g.stretch(g.uv, 1.1 / line, 1.0 / line)), [(0.42, 0.0), (0.46, 1.0)])
    text = g.math("MULTIPLY", g.math("MULTIPLY", rows.outputs["Color"], word), 0.85)
    block = g.laid((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (column, line * 7), line * 0.8, 0.5)
    tone = g.mix(text, g.mix(g.noise(9, 4), shade(paper, 0.9), paper), ink)
    tone = g.mix(g.ramp(block.outputs["Color"], [(0.0, 0.0), (0.72, 0.9)], hard=True), tone, accent)
    return g.finish(Base_Color=tone, Roughness=0.6, Normal=g.bump(g.noise(40, 4), 0.0008, 0.5))


def picture(seed: float, low: Color, middle: Color, high: Color) -> bpy.types.Material:
    """A painted landscape of soft shapes for a frame on the wall."""
    g = Graph("picture")
    at = g.node("Mapping", Vector=g.object, Location=(seed, seed * 2.3, seed * 0.7), Scale=(2.2, 2.2, 5)).outputs[0]
    forms = g.noise(1.4, 5, at, 0.5, 0.8)
    tone = g.ramp(forms, [(0.32, low), (0.45, middle), (0.52, shade(middle, 0.5)), (0.6, high), (0.72, shade(low, 2))])
    return g.finish(Base_Color=tone, Roughness=0.5, Normal=g.bump(g.noise(80, 5), 0.001, 0.7))


def pages() -> bpy.types.Material:
    """The cut edge of a book's paper."""
    g = Graph("pages")
    sheets = g.noise(1, 2, g.stretch(g.object, 900, 900, 12))
    return g.finish(Base_Color=g.ramp(sheets, [(0.3, (0.5, 0.43, 0.32)), (0.7, (0.8, 0.74, 0.62))]), Roughness=0.9)


def lampshade(color: Color, strength: float) -> bpy.types.Material:
    """Lit cloth of a lampshade."""
    g = Graph("lampshade")
    threads = g.mix(g.noise(1, 3, g.stretch(g.object, 300, 300, 20)), shade(color, 0.75), color)
    return g.finish(Base_Color=threads, Roughness=0.9, Emission_Color=threads, Emission_Strength=strength)


def soil() -> bpy.types.Material:
    """Potting soil."""
    g = Graph("soil")
    lumps = g.noise(90, 6, None, 0.7)
    return g.finish(
        Base_Color=g.ramp(lumps, [(0.3, (0.012, 0.008, 0.005)), (0.7, (0.09, 0.06, 0.04))]),
        Roughness=0.95,
        Normal=g.bump(lumps, 0.008),
    )


def liquid(color: Color) -> bpy.types.Material:
    """Coffee, juice or milk: opaque and glossy with froth."""
    g = Graph("liquid")
    froth = g.ramp(g.cells(220), [(0.0, 0.5), (0.2, 0.0)])
    return g.finish(
        Base_Color=g.mix(froth, g.mix(g.noise(40, 4), color, shade(color, 1.3)), shade(color, 2)), Roughness=0.12
    )


def wicker(color: Color) -> bpy.types.Material:
    """Basket weave."""
    g = Graph("wicker")
    canes = g.math("MULTIPLY", g.wave(14, g.object, 0.5, "Z"), g.wave(9, g.object, 0.5, "DIAGONAL"))
    tone = g.mix(canes, shade(color, 0.3), g.mix(g.noise(40, 4), shade(color, 0.8), shade(color, 1.2)))
    return g.finish(Base_Color=tone, Roughness=0.6, Normal=g.bump(canes, 0.01, 0.9))


def screen(seed: float) -> bpy.types.Material:
    """A display showing an editor: dark ground, rows of coloured code."""
    g = Graph("screen")
    rows = g.laid((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.009), 0.003, 0.0)
    word = g.ramp(g.noise(1, 1, g.stretch(g.uv, 70, 110)), [(0.5, 0.0), (0.53, 1.0)])
    hue = g.ramp(
        g.noise(seed, 1, g.stretch(g.uv, 30, 60)),
        [(0.4, (0.2, 0.6, 0.9)), (0.5, (0.9, 0.6, 0.2)), (0.6, (0.4, 0.9, 0.5))],
    )
    light = g.mix(g.math("MULTIPLY", rows.outputs["Color"], word), (0.01, 0.014, 0.02), hue)
    return g.finish(Base_Color=(0.01, 0.01, 0.01), Roughness=0.15, Emission_Color=light, Emission_Strength=0.9)
