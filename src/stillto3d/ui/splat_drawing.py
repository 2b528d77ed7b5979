"""Has the viewport's splats drawn by the model that the project's rasteriser is, where there is one."""

from __future__ import annotations

from typing import Any

from ..errors import BadInput, Cancelled, StillTo3DError
from ..models.shapes import RenderSplats, SplatPicture
from ..project.geometry import Splats
from ..project.project import Policy
from ..project.space import Camera
from ..words import tr
from .desk import Desk

ROLE, OP = "rasteriser", "splats"


class SplatDrawing:
    """Draws one frame at a time, in a lane of its own. Without a model the viewport draws by itself: in silence where
    none was chosen, else with the reason."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._sent = ""
        self._given_up: Policy | None = None
        desk.window.scene_loaded.connect(self._join)

    def _join(self) -> None:
        self._frames.draw = self.draw

    @property
    def _frames(self) -> Any:
        return self._desk.window.scene.frames

    async def draw(self, splats: Splats, name: str, camera: Camera) -> SplatPicture | None:
        """The splats (world) through a camera, over black; None where the viewport shall draw by itself. `name`
        stands for these splats, which travel once."""
        policy, catalog, store = self._desk.document.project.policy, self._desk.studio.catalog, self._desk.studio.store
        if policy == self._given_up:
            return None
        chosen = policy.find_choice(ROLE)
        try:
            if chosen is not None and not catalog.find(chosen).answers(ROLE, OP):
                self._frames.note = ""
                return None
            card = await self._desk.background.run(catalog.choose, ROLE, None, policy, store, OP)
        except StillTo3DError as refusal:
            self._frames.note = "" if chosen is None else _word_own(refusal)
            return None
        try:
            picture = await self._ask(splats, name, camera, policy)
        except Cancelled:  # the window is closing
            return None
        except StillTo3DError as refusal:
            self._given_up = policy  # until the rules are others, or the next start
            self._frames.note = _word_own(refusal)
            return None
        self._frames.note = tr("splats drawn by {model}", model=tr(card.title))
        return picture

    async def _ask(self, splats: Splats, name: str, camera: Camera, policy: Policy) -> SplatPicture:
        known = name == self._sent
        try:
            picture = await self._submit(RenderSplats(splats, name, camera, send=not known), policy)
        except BadInput:
            if not known:
                raise
            picture = await self._submit(RenderSplats(splats, name, camera), policy)  # to a worker that is new
        self._sent = name
        return picture

    async def _submit(self, ask: RenderSplats, policy: Policy) -> SplatPicture:
        picture: SplatPicture = await self._desk.engine.submit(
            "splats", lambda run: run.call(ask), "view", policy=policy
        )
        return picture


def _word_own(refusal: StillTo3DError) -> str:
    return tr("splats drawn by the viewport itself: {why}", why=refusal)
