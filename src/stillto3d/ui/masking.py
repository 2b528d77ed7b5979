"""From pointer to mask: the hover preview, the mask being made or mended, and the layer that it becomes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from ..engine.run import Run
from ..errors import StillTo3DError
from ..models.roles import Candidates, Click, MatteMask, PrepareStill, Segment
from ..pipelines.segment import SegmentParams
from ..project.project import Layer, LayerKind, Patch, Project, Recipe, make_layer
from ..project.still import Mask, Still
from ..words import tr
from .attempt import Attempt, Place, draw_stroke, fill_lasso
from .background import Background
from .canvas import Canvas, Mode, Stroke
from .document import Document
from .engine_thread import EngineThread
from .mask_drawing import MaskDrawing, MaskView

INSIDE = 127

Answer = tuple[Candidates, tuple[Any, ...]]


class Masking(QObject):
    """Follows the pointer over the canvas and turns what it does into masks."""

    changed = Signal()
    """The attempt, the preview or the way masks are shown has changed."""
    layer_wanted = Signal(str)
    """Id of a layer that shall be selected: it was made, or its mask was clicked."""

    def __init__(
        self,
        document: Document,
        engine: EngineThread,
        canvas: Canvas,
        background: Background,
        start: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]],
    ) -> None:
        super().__init__()
        self._document, self._engine, self._canvas = document, engine, canvas
        self._background, self._start = background, start
        self._drawing = MaskDrawing(background)
        self._history: list[Attempt] = []
        self._hover: Mask | None = None
        self._hovered: tuple[Segment, Answer] | None = None  # a click where the pointer rests is answered already
        self._under: str | None = None  # id of the layer whose mask lies under the pointer: a click mends it
        self._pointer: Place | None = None
        self._following = False
        self._asking: asyncio.Task[Any] | None = None
        self._near = False
        self.view = MaskView.TINT
        self.selected: frozenset[str] = frozenset()
        canvas.hovered.connect(self._point)
        canvas.zoomed.connect(self._follow_zoom)
        canvas.clicked.connect(self.click)
        canvas.boxed.connect(self.draw_box)
        canvas.stroked.connect(lambda stroke: start(self.paint(stroke)))
        document.changed.connect(self._follow_document)

    @property
    def attempt(self) -> Attempt | None:
        """The mask being made, or None."""
        return self._history[-1] if self._history else None

    @property
    def preview(self) -> Mask | None:
        """What a click under the pointer would take, or None."""
        return self._hover

    @property
    def still(self) -> Still | None:
        """The still that is being masked."""
        shots = self._document.project.shots
        return shots[0].still if shots else None

    # ----------------------------------------------------------------- wishes

    def click(self, x: float, y: float, mode: Mode) -> None:
        """Point at something: on the object, on a further part of it, or on what is not it.

        A click on a layer's mask, while none is being made, takes that one up.
        """
        still, attempt = self.still, self.attempt
        if still is None:
            return
        if attempt is None:
            layer = self._find_layer(x, y)
            if layer is not None:
                self.mend(layer)
                if mode is Mode.ADD:
                    return
                attempt = self.attempt
        attempt = attempt or Attempt(still)
        refines = attempt.pointed and mode is not Mode.PART
        if refines and (mode is Mode.ADD or attempt.base is None or attempt.takes_away):
            self._ask(attempt.point(Click(x, y, (mode is Mode.ADD) != attempt.takes_away)))
        elif mode is not Mode.TAKE or attempt.base is not None or attempt.pointed:
            self._ask(replace(attempt.settle(), clicks=(Click(x, y),), takes_away=mode is Mode.TAKE))

    def draw_box(self, x0: float, y0: float, x1: float, y1: float, mode: Mode) -> None:
        """Frame the object, or a further part of it."""
        if self.still is not None:
            attempt = self.attempt or Attempt(self.still)
            if mode is Mode.ADD and attempt.layer_id is None:
                attempt = Attempt(self.still)
            self._ask(replace(attempt.settle(), box=(x0, y0, x1, y1), takes_away=mode is Mode.TAKE))

    async def paint(self, stroke: Stroke) -> None:
        """Add what a brush or lasso went over, or take it away."""
        still = self.still
        if still is None:
            return
        if self.attempt is None:
            layer = self._find_selected()
            if layer is not None:
                self.mend(layer)
        before = self.attempt or Attempt(still)
        size = (still.width, still.height)
        if stroke.radius is None:
            pixels = await self._background.run(fill_lasso, size, stroke.places)
        else:
            pixels = await self._background.run(draw_stroke, size, stroke.places, stroke.radius)
        if self.still is still and (self.attempt is before or self.attempt is None):
            self._push(before.paint(pixels, stroke.adds))

    def mend(self, layer: Layer) -> None:
        """Take up the mask of a layer."""
        if self.still is not None and not layer.locked and self.still.id in layer.masks:
            self._history = [Attempt(self.still, layer.id, layer.masks[self.still.id])]
            self._hover = None
            self.layer_wanted.emit(layer.id)
            self._refresh()

    def choose(self, index: int) -> None:
        """Take another of the candidates."""
        attempt = self.attempt
        if attempt is not None and attempt.candidates and index < len(attempt.candidates.masks):
            self._push(replace(attempt, chosen=index))

    def step_back(self) -> bool:
        """Take back the latest stroke of the attempt; False when there is none."""
        if not self._history:
            return False
        self._history.pop()
        self._refresh()
        return True

    def drop(self) -> None:
        """Give the attempt up."""
        self._history.clear()
        self._refresh()

    def take(self) -> Mask | None:
        """The attempt's mask, which is given up with that."""
        attempt = self.attempt
        self.drop()
        return attempt.mask if attempt is not None else None

    def show_as(self, view: MaskView) -> None:
        """Show masks as contour, tint, matte or cut-out."""
        self.view = view
        self._refresh()

    # ----------------------------------------------------------------- to a layer

    async def accept(self) -> None:
        """Make the attempt a layer's mask; what was segmented softens a moment later, within the same step."""
        if self._asking is not None and not self._asking.done():
            await asyncio.wait([self._asking])  # Enter came before the answer: it means what is coming
        attempt = self.attempt
        if attempt is None:
            return
        mask, project = attempt.mask, self._document.project
        present = project.layer(attempt.layer_id) if attempt.layer_id is not None else None
        self._history.clear()
        unchanged = present is not None and mask is present.masks.get(attempt.still.id)
        if mask is None or unchanged or (attempt.layer_id is not None and present is None):
            self._refresh()
            return
        settled = attempt.settle()
        shown = SegmentParams(click=settled.asked, box=settled.boxes)
        params = {**shown.model_dump(), "strokes": attempt.strokes}
        if present is None:
            name = project.name_layer(f"prop_{len(project.props()) + 1:02d}")
            recipe = Recipe("segment", params, attempt.models, 0, 0.0)
            layer = make_layer(name, LayerKind.PROP, masks={attempt.still.id: mask}, made_by=recipe)
        else:
            layer = replace(present, masks={**present.masks, attempt.still.id: mask})
        self._document.apply(Patch(tr("Mask {name}", name=layer.name), (layer,)))
        self.layer_wanted.emit(layer.id)
        if settled.asked or settled.boxes:
            await self.soften(layer, hair=False)

    async def soften(self, layer: Layer, hair: bool) -> None:
        """Give the layer's mask soft edges, as part of the step that made it."""
        still, started = self.still, time.monotonic()
        if still is None or still.id not in layer.masks:
            return
        mask = layer.masks[still.id]

        def work(run: Run) -> tuple[Mask, tuple[Any, ...]]:
            return run.call(MatteMask(still, mask, hair)), run.models()

        soft, models = await self._engine.submit(tr("Soften edges"), work, "interactive")
        now = self._document.project
        present = now.layer(layer.id)
        if present is None or present.masks.get(still.id) is not mask:
            return  # deleted or edited meanwhile
        made_by = present.made_by
        if made_by is not None and made_by.pipeline == "segment":
            own = {model["id"]: model for model in (*made_by.models, *models)}
            seconds = made_by.seconds + time.monotonic() - started
            params = {**made_by.params, "hair": hair}
            made_by = replace(made_by, params=params, models=tuple(own.values()), seconds=seconds)
        softened = replace(present, masks={**present.masks, still.id: soft}, made_by=made_by)
        self._document.amend(replace(now, layers=tuple(softened if one is present else one for one in now.layers)))

    # ----------------------------------------------------------------- the segmenter

    def _ask(self, attempt: Attempt) -> None:
        self._hover = None
        self._asking = self._start(self._segment(attempt))

    async def _segment(self, attempt: Attempt) -> None:
        ask = Segment(attempt.still, attempt.clicks, attempt.box, attempt.part)
        self._push(attempt)
        try:
            if self._hovered is not None and _is_same(self._hovered[0], ask):
                found, models = self._hovered[1]
            else:
                found, models = await self._engine.submit(tr("Mask"), partial(_answer, ask), "interactive", "click")
        except StillTo3DError:
            if self.attempt is attempt:
                self.step_back()
            raise
        if attempt in self._history:
            known = {model["id"]: model for model in (*attempt.models, *models)}
            answered = replace(attempt, candidates=found, chosen=found.best, models=tuple(known.values()))
            self._history[self._history.index(attempt)] = answered
            self._refresh()

    def _push(self, attempt: Attempt) -> None:
        self._history.append(attempt)
        self._refresh()

    def _find_layer(self, x: float, y: float) -> Layer | None:
        """The topmost visible prop whose mask holds the place."""
        still = self.still
        assert still is not None
        for layer in reversed(self._document.project.props()):
            mask = layer.masks.get(still.id)
            if mask is not None and layer.visible and not layer.locked and mask.alpha[int(y), int(x)] > INSIDE:
                return layer
        return None

    def _find_selected(self) -> Layer | None:
        chosen = [layer for layer in self._document.project.props() if layer.id in self.selected]
        return chosen[0] if len(chosen) == 1 else None

    # ----------------------------------------------------------------- hover

    def _point(self, at: Place | None) -> None:
        self._pointer = at
        known = self._find_layer(*at) if at is not None and self.attempt is None and self.still is not None else None
        under = known.id if known is not None else None
        if at is None or known is not None or self.attempt is not None:
            if self._hover is not None or under != self._under:
                self._hover, self._under = None, under
                self._refresh()
            return
        if self._under is not None:
            self._under = None
            self._refresh()
        if not self._following and self.still is not None:
            self._start(self._follow_pointer())

    async def _follow_pointer(self) -> None:
        """Ask for what lies under the pointer until it rests; one question at a time."""
        self._following = True
        try:
            while (at := self._pointer) is not None and self.attempt is None and (still := self.still) is not None:
                ask = Segment(still, (Click(*at),))
                answer = await self._engine.submit(tr("Hover"), partial(_answer, ask), "interactive", "hover")
                found, self._hovered = answer[0], (ask, answer)
                if self._pointer is None or self.attempt is not None or still is not self.still:
                    break
                self._hover = found.masks[found.best]
                self._refresh()
                if self._pointer == at:
                    break
        except StillTo3DError:
            self._hover = None  # a preview that fails says nothing; the click will
        finally:
            self._following = False

    # ----------------------------------------------------------------- drawing

    def select(self, ids: frozenset[str]) -> None:
        """Draw the masks of these layers strongly."""
        self.selected = ids
        self._refresh()

    def _follow_document(self, old: Project, new: Project) -> None:
        self._hovered = None  # another model may have been chosen
        shot = new.shots[0] if new.shots else None
        if not old.shots or shot is None or old.shots[0].still is not shot.still:
            self._history.clear()
            self._hover = None
            if shot is not None:
                self._start(self._prepare(shot.still))
        self._refresh()

    def _follow_zoom(self) -> None:
        if self._near != self._canvas.is_near:
            self._near = self._canvas.is_near
            self._refresh()

    async def _prepare(self, still: Still) -> None:
        """Let the segmenter look at the still before it is asked."""
        await self._engine.submit(tr("Prepare"), lambda run: run.call(PrepareStill(still)), "interactive", "prepare")

    def _refresh(self) -> None:
        self._start(self._show())
        self.changed.emit()

    async def _show(self) -> None:
        """Draw the masks of layers, the attempt and the preview, once all that belongs together is ready."""
        state = self._describe()
        attempt, hover, project, view, selected, pointed = state
        still = self.still
        if still is None:
            self._canvas.show_overlays([])
            return
        shown = attempt.mask if attempt is not None else hover
        mended = attempt.layer_id if attempt is not None else None
        others = [layer for layer in project.props() if layer.visible and still.id in layer.masks]
        others = [layer for layer in others if layer.id != mended]
        cover, overlays = None, []
        if view is MaskView.PLATE:
            plate = project.hero.clean_plate
            cover = await self._drawing.plate(plate) if plate is not None else None
            if attempt is not None and shown is not None:
                overlays.append(await self._drawing.outline(shown, 0.5, True, self._near))
        elif view in (MaskView.MATTE, MaskView.XRAY):
            chosen = [layer.masks[still.id] for layer in others if layer.id in selected] if attempt is None else []
            masks = [shown] if attempt is not None and shown is not None else chosen
            masks = masks or [layer.masks[still.id] for layer in others]
            make = self._drawing.matte if view is MaskView.MATTE else self._drawing.cut_out
            cover = await make(still, masks)
        else:
            tinted = 0.0 if view is MaskView.CONTOUR else 1.0
            for layer in others:
                strong = layer.id in selected and attempt is None
                under = layer.id == pointed and attempt is None
                strength = 0.35 * tinted if strong else 0.2 * tinted if under else 0.0
                strong = strong or under
                overlays.append(await self._drawing.outline(layer.masks[still.id], strength, strong, self._near))
            if shown is not None:
                strength = (0.5 if attempt is not None else 0.3) * tinted
                overlays.append(await self._drawing.outline(shown, strength, True, self._near))
        if state == self._describe():
            points = [(c.x, c.y, c.positive != attempt.takes_away) for c in attempt.clicks] if attempt else []
            self._canvas.show_overlays(overlays, points, cover)

    def _describe(self) -> tuple[Attempt | None, Mask | None, Project, MaskView, frozenset[str], str | None]:
        return self.attempt, self._hover, self._document.project, self.view, self.selected, self._under


def _answer(ask: Segment, run: Run) -> Answer:
    return run.call(ask), run.models()


def _is_same(one: Segment, other: Segment) -> bool:
    """Both ask for the same single click on the same still, so that the answer is the same."""
    plain = all(ask.box is None and ask.earlier is None and len(ask.clicks) == 1 for ask in (one, other))
    return plain and one.still is other.still and one.clicks == other.clicks
