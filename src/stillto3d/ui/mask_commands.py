"""What the actions of masks do: tools, views, edges, mattes in and out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from ..errors import BadInput, StillTo3DError
from ..formats.about import describe_layer_alone
from ..formats.picture import read_still, write_mask
from ..pipelines.plate import refill_plate
from ..project.project import Layer, LayerKind, Patch, Project, make_layer, rebase_patch
from ..project.still import Mask, Still
from ..words import tr
from .canvas import Tool
from .desk import Desk
from .mask_drawing import MaskView

BRUSH_STEP = 1.25


def read_matte(picture: Still, project: Project) -> Mask:
    """A picture of the hero still's size as a mask: its alpha if it has one, else its brightness."""
    still = project.hero.still
    if picture.pixels.shape != still.pixels.shape:
        raise BadInput(
            "The matte is {width} x {height}, the still is {wide} x {high}.",
            "Use a matte of the still's size.",
            width=picture.width,
            height=picture.height,
            wide=still.width,
            high=still.height,
        )
    alpha = picture.alpha if picture.alpha is not None else picture.pixels.max(axis=2)
    return Mask(alpha, still.id)


class MaskCommands:
    """Wishes about masks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._bind()

    def _bind(self) -> None:
        table, masking, canvas = self._desk.window.actions_table, self._desk.window.masking, self._desk.window.canvas
        for tool in Tool:
            table.bind(f"mask.{tool.value}", partial(canvas.take_tool, tool))
        table.group(*(f"mask.{tool.value}" for tool in Tool))
        table.table["mask.point"].setChecked(True)
        for view in MaskView:
            table.bind(f"view.{view.value}", partial(masking.show_as, view))
        table.group(*(f"view.{view.value}" for view in MaskView))
        table.table["view.tint"].setChecked(True)
        table.bind("mask.smaller", lambda: canvas.set_radius(canvas.radius / BRUSH_STEP))
        table.bind("mask.larger", lambda: canvas.set_radius(canvas.radius * BRUSH_STEP))

        def has_mask() -> bool:
            return bool(self._find_masked())

        def has_alpha() -> bool:
            return masking.still is not None and masking.still.alpha is not None

        table.bind("mask.soften", partial(self.soften_masks, False), has_mask)
        table.bind("mask.hair", partial(self.soften_masks, True), has_mask)
        table.bind("mask.alpha", self.take_alpha, has_alpha)
        table.bind("mask.import", self.import_matte, lambda: masking.still is not None)
        table.bind("mask.save", self.save_mask, has_mask)
        table.bind("mask.accept", self.accept, lambda: masking.attempt is not None)
        layers = self._desk.window.layers
        table.bind("mask.drop", self.drop, lambda: masking.attempt is not None or bool(layers.selected()))
        for k, name in enumerate(("first", "second", "third")):
            table.bind(f"mask.{name}", partial(masking.choose, k), lambda: masking.attempt is not None)

    def drop(self) -> None:
        """Give up the attempt; where there is none, the selection."""
        if self._desk.window.masking.attempt is not None:
            self._desk.window.masking.drop()
        else:
            self._desk.window.layers.select(frozenset())

    async def accept(self) -> None:
        """Make the attempt a layer's mask; in the plate's view, fill the plate there."""
        masking, desk = self._desk.window.masking, self._desk
        if masking.view is not MaskView.PLATE:
            await masking.accept()
            return
        hole, project = masking.take(), desk.document.project
        if hole is None:
            return
        title = tr("Fill the plate")
        try:
            patch = await desk.engine.submit(title, lambda run: refill_plate(run, project, hole), "heavy")
        except StillTo3DError as error:
            desk.window.jobs.show_error(title, error)
            return
        desk.document.apply(rebase_patch(project, desk.document.project, patch))

    def _find_masked(self) -> list[Layer]:
        """The selected prop layers that have a mask on the hero still."""
        project, selected = self._desk.document.project, self._desk.window.layers.selected()
        still_id = project.hero.still.id if project.shots else ""
        return [layer for layer in project.props() if layer.id in selected and still_id in layer.masks]

    async def soften_masks(self, hair: bool) -> None:
        """Solve the soft edges of the selected masks again."""
        await self._desk.window.masking.accept()
        for layer in self._find_masked():
            still_id = self._desk.document.project.hero.still.id
            again = replace(layer, masks={**layer.masks, still_id: replace(layer.masks[still_id])})
            self._desk.document.apply(Patch(tr("Soften {name}", name=layer.name), (again,)))
            await self._desk.window.masking.soften(again, hair)

    def take_alpha(self) -> None:
        """The still's own alpha as a prop layer."""
        still = self._desk.document.project.hero.still
        if still.alpha is not None:
            self._add_mask(Mask(still.alpha, still.id), tr("alpha"))

    async def import_matte(self) -> None:
        """Ask for a picture and take its brightness, or its alpha, as a mask."""
        path = await self._desk.window.ask_path(tr("Import matte"), tr("Pictures (*)"), save=False)
        if path is not None:
            await self.import_matte_from(path)

    async def import_matte_from(self, path: Path) -> None:
        """Take a picture of the still's size as a mask."""
        title = tr("Import {name}", name=path.name)
        try:
            decoded = await self._desk.engine.submit(title, lambda run: read_still(run, path), "files")
            self._add_mask(
                await self._desk.background.run(read_matte, decoded.still, self._desk.document.project), path.stem
            )
        except StillTo3DError as error:
            self._desk.window.jobs.show_error(title, error)

    def _add_mask(self, mask: Mask, wanted: str) -> None:
        name = self._desk.document.project.name_layer(wanted)
        layer = make_layer(name, LayerKind.PROP, masks={mask.still_id: mask})
        self._desk.document.apply(Patch(tr("Mask {name}", name=name), (layer,)))
        self._desk.window.layers.select(frozenset([layer.id]))

    async def save_mask(self) -> None:
        """Ask where, and write the selected mask as PNG."""
        (layer, *_), still_id = self._find_masked(), self._desk.document.project.hero.still.id
        path = await self._desk.window.ask_path(
            tr("Save mask"), tr("PNG picture (*.png)"), suffix="png", name=layer.name
        )
        if path is not None:
            title, mask = tr("Save {name}", name=path.name), layer.masks[still_id]
            about = describe_layer_alone(layer)
            try:
                await self._desk.engine.submit(title, lambda run: write_mask(run, mask, path, about), "files")
            except StillTo3DError as error:
                self._desk.window.jobs.show_error(title, error)
