"""From pointer to mask: the hover preview, the mask being made, and the layer that it becomes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from PySide6.QtCore import QObject, Signal

from ..engine.run import Run
from ..errors import StillTo3DError
from ..models.roles import Candidates, Click, MatteMask, PrepareStill, Segment
from ..pipelines.segment import SegmentParams
from ..project.project import Layer, LayerKind, Patch, Project, Recipe, make_layer
from ..project.still import Mask, Still
from ..words import tr
from .background import Background
from .canvas import Canvas, Mode, Overlay, make_path, make_tint
from .document import Document
from .engine_thread import EngineThread
from .pyramid import build_pyramid, trace_outline
from .theme import colour

Box = tuple[float, float, float, float]
OUTLINE_PIXELS = 2048


@dataclass(frozen=True, eq=False)
class Attempt:
    """A mask being made: what was pointed at, what the segmenter offers, and parts that are settled."""

    still: Still
    clicks: tuple[Click, ...] = ()
    box: Box | None = None
    parts: Mask | None = None
    asked: tuple[str, ...] = ()
    candidates: Candidates | None = None
    chosen: int = 0
    models: tuple[Any, ...] = ()

    @property
    def mask(self) -> Mask | None:
        """The candidate that was chosen, with the settled parts."""
        found = self.candidates.masks[self.chosen] if self.candidates else None
        if found is None or self.parts is None:
            return found or self.parts
        return Mask(np.maximum(found.alpha, self.parts.alpha), self.still.id)

    def word_question(self) -> str:
        """The clicks as the `segment` pipeline takes them."""
        return " ".join(f"{'' if c.positive else '-'}{c.x:g},{c.y:g}" for c in self.clicks)


class Masking(QObject):
    """Follows the pointer over the canvas and turns what it does into masks."""

    changed = Signal()
    """The attempt has changed: other candidates, another choice, none."""
    layer_made = Signal(str)
    """Id of the layer that an attempt has become."""

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
        self._history: list[Attempt] = []
        self._hover: Mask | None = None
        self._pointer: tuple[float, float] | None = None
        self._following = False
        self._drawn: WeakKeyDictionary[Mask, tuple[list[Any], Any]] = WeakKeyDictionary()
        self.selected: frozenset[str] = frozenset()
        canvas.hovered.connect(self._point)
        canvas.clicked.connect(self.click)
        canvas.boxed.connect(self.draw_box)
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
        """Point at something: on the object, on a further part of it, or on what is not it."""
        if self.still is None:
            return
        before = self.attempt
        if before is None or mode is Mode.PART:
            begun = self._settle(before)
            self._ask(replace(begun, clicks=(Click(x, y),)))
        elif before.clicks or before.box:
            self._ask(replace(before, clicks=(*before.clicks, Click(x, y, mode is not Mode.TAKE))))

    def draw_box(self, x0: float, y0: float, x1: float, y1: float, mode: Mode) -> None:
        """Frame the object, or a further part of it."""
        if self.still is not None:
            begun = self._settle(self.attempt if mode is Mode.PART else None)
            self._ask(replace(begun, box=(x0, y0, x1, y1)))

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

    async def accept(self) -> None:
        """Make the attempt a prop layer; its edges soften a moment later, within the same step."""
        attempt = self.attempt
        if attempt is None or attempt.mask is None:
            return
        mask, project = attempt.mask, self._document.project
        named = project.name_layer(f"prop_{len(project.props()) + 1:02d}")
        shown = SegmentParams(click=(*attempt.asked, attempt.word_question()) if attempt.clicks else attempt.asked)
        recipe = Recipe("segment", shown.model_dump(), attempt.models, 0, 0.0)
        layer = make_layer(named, LayerKind.PROP, masks={attempt.still.id: mask}, made_by=recipe)
        self._history.clear()
        self._document.apply(Patch(tr("Mask {name}", name=named), (layer,)))
        self.layer_made.emit(layer.id)
        await self._soften(layer, attempt.still, mask)

    # ----------------------------------------------------------------- the segmenter

    def _settle(self, before: Attempt | None) -> Attempt:
        """An attempt whose present mask is settled, so that a further part can be pointed at."""
        assert self.still is not None
        if before is None or before.still is not self.still:
            return Attempt(self.still)
        question = before.word_question()
        asked = (*before.asked, question) if question else before.asked
        return Attempt(self.still, parts=before.mask, asked=asked, models=before.models)

    def _ask(self, attempt: Attempt) -> None:
        self._hover = None
        self._start(self._segment(attempt))

    async def _segment(self, attempt: Attempt) -> None:
        known = attempt.candidates
        earlier = known.masks[attempt.chosen] if known is not None else None

        def work(run: Run) -> tuple[Candidates, tuple[Any, ...]]:
            return run.call(Segment(attempt.still, attempt.clicks, attempt.box, earlier)), run.models()

        self._push(attempt)
        found, models = await self._engine.submit(tr("Mask"), work, "interactive", "click")
        if self.attempt is attempt:
            self._history[-1] = replace(attempt, candidates=found, chosen=found.best, models=models)
            self._refresh()

    async def _soften(self, layer: Layer, still: Still, mask: Mask) -> None:
        started = time.monotonic()

        def work(run: Run) -> tuple[Mask, tuple[Any, ...]]:
            return run.call(MatteMask(still, mask)), run.models()

        soft, models = await self._engine.submit(tr("Soften edges"), work, "interactive")
        now = self._document.project
        present = now.layer(layer.id)
        if present is None or present.masks.get(still.id) is not mask:
            return  # deleted or edited meanwhile
        assert layer.made_by is not None
        seconds = time.monotonic() - started
        recipe = replace(layer.made_by, models=(*layer.made_by.models, *models), seconds=seconds)
        softened = replace(present, masks={**present.masks, still.id: soft}, made_by=recipe)
        layers = tuple(softened if one is present else one for one in now.layers)
        self._document.amend(replace(now, layers=layers))

    def _push(self, attempt: Attempt) -> None:
        self._history.append(attempt)
        self._refresh()

    # ----------------------------------------------------------------- hover

    def _point(self, at: tuple[float, float] | None) -> None:
        self._pointer = at
        if at is None or self.attempt is not None:
            if self._hover is not None:
                self._hover = None
                self._refresh()
        elif not self._following and self.still is not None:
            self._start(self._follow_pointer())

    async def _follow_pointer(self) -> None:
        """Ask for what lies under the pointer until it rests; one question at a time."""
        self._following = True
        try:
            while (at := self._pointer) is not None and self.attempt is None and (still := self.still) is not None:
                ask = Segment(still, (Click(*at),))
                found = await self._engine.submit(tr("Hover"), partial(_answer, ask), "interactive", "hover")
                if self._pointer is None or self.attempt is not None or still is not self.still:
                    break
                mask = found.masks[found.best]
                await self._draw(mask)
                self._hover = mask
                self._refresh()
                if self._pointer == at:
                    break
        except StillTo3DError:
            self._hover = None  # a preview that fails says nothing; the click will
        finally:
            self._following = False

    # ----------------------------------------------------------------- drawing

    def _follow_document(self, old: Project, new: Project) -> None:
        shot = new.shots[0] if new.shots else None
        if not old.shots or shot is None or old.shots[0].still is not shot.still:
            self._history.clear()
            self._hover = None
            if shot is not None:
                self._start(self._prepare(shot.still))
        self._refresh()

    async def _prepare(self, still: Still) -> None:
        """Let the segmenter look at the still before it is asked."""
        await self._engine.submit(tr("Prepare"), lambda run: run.call(PrepareStill(still)), "interactive", "prepare")

    def select(self, ids: frozenset[str]) -> None:
        """Draw the masks of these layers strongly."""
        self.selected = ids
        self._refresh()

    def _refresh(self) -> None:
        self._start(self._show())
        self.changed.emit()

    async def _show(self) -> None:
        """Draw masks of layers, the attempt and the hover preview, as they are when all are ready."""
        attempt, hover, project = self.attempt, self._hover, self._document.project
        overlays = []
        still = self.still
        for layer in project.props() if still is not None else ():
            mask = layer.masks.get(still.id) if still is not None else None
            if mask is not None and layer.visible:
                chosen = layer.id in self.selected and attempt is None
                overlays.append(await self._draw(mask, 0.35 if chosen else 0.0, chosen))
        shown = attempt.mask if attempt is not None else hover
        if shown is not None:
            overlays.append(await self._draw(shown, 0.5 if attempt is not None else 0.3))
        if (attempt, hover, project) == (self.attempt, self._hover, self._document.project):
            points = [(c.x, c.y, c.positive) for c in attempt.clicks] if attempt else []
            self._canvas.show_overlays(overlays, points)

    async def _draw(self, mask: Mask, tint: float = 0.0, strong: bool = True) -> Overlay:
        if mask not in self._drawn:
            self._drawn[mask] = await self._background.run(_prepare_overlay, mask)
        levels, path = self._drawn[mask]
        return Overlay(make_tint(levels, colour("accent"), tint) if tint else None, path, strong)


def _answer(ask: Segment, run: Run) -> Candidates:
    return run.call(ask)


def _prepare_overlay(mask: Mask) -> tuple[list[Any], Any]:
    levels = build_pyramid(mask.alpha)
    level = next((k for k, a in enumerate(levels) if max(a.shape) <= OUTLINE_PIXELS), len(levels) - 1)
    return levels, make_path(trace_outline(levels[level], 2.0**level))
