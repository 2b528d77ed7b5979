"""A prop's thickness and detail, tried out live: each change is made at once, and all of them are one step."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer

from ..engine.run import Run
from ..errors import StillTo3DError
from ..pipelines.prop import PropParams, make_prop
from ..project.project import Layer, Project, Shot
from ..words import tr
from .desk import Desk
from .edits import put_layers

REST_MILLISECONDS = 250


class Reshaping:
    """Follows the inspector's fields. The geometry before the first change becomes one take, not one a change."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._wish: tuple[str, dict[str, Any]] | None = None
        self._base: Layer | None = None
        self._latest: Project | None = None
        self._job: asyncio.Task[Any] | None = None
        self._rest = QTimer(desk.window)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MILLISECONDS)
        self._rest.timeout.connect(self._begin)
        desk.window.inspector.reshape_wanted.connect(self.wish)

    def wish(self, layer_id: str, params: dict[str, Any]) -> None:
        """Another form for a prop that is there, once the fields rest."""
        self._wish = (layer_id, params)
        self._rest.start()

    def _begin(self) -> None:
        if self._job is None or self._job.done():
            self._job = self._desk.start(self._make())

    async def _make(self) -> None:
        while self._wish is not None:
            (layer_id, params), self._wish = self._wish, None
            document = self._desk.document
            layer = document.project.layer(layer_id)
            if layer is None or layer.geometry is None or layer.locked or not document.project.shots:
                return
            if self._base is None or document.project is not self._latest or self._base.id != layer_id:
                self._base = layer
            base, shot = self._base, document.project.hero
            work = partial(_shape, shot, base, PropParams(**params))
            try:
                made: Layer = await self._desk.engine.submit("prop", work, "heavy")
            except StillTo3DError as error:
                self._desk.window.jobs.show_error(tr("Make props"), error)
                return
            self._put(base, made)

    def _put(self, base: Layer, made: Layer) -> None:
        document = self._desk.document
        now = document.project.layer(base.id)
        if now is None:
            return
        shaped = replace(now, geometry=made.geometry, made_by=made.made_by, takes=made.takes)
        if now.transform is base.transform:
            shaped = replace(shaped, transform=made.transform)
        project = put_layers(document.project, shaped)
        if document.project is self._latest:
            document.amend(project)
        else:
            document.edit(tr("Shape {name}", name=now.name), project)
        self._latest = document.project


def _shape(shot: Shot, layer: Layer, params: PropParams, run: Run) -> Layer:
    return make_prop(run, shot, layer, params)
