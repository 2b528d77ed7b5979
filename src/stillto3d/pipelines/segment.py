"""Clicks and boxes to prop layers with soft masks."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ..engine.run import Run
from ..errors import BadInput
from ..models.roles import Candidates, Click, MatteMask, Segment
from ..project.project import Layer, LayerKind, Patch, Project, Recipe, make_layer
from ..project.still import Mask, Still
from ..words import tr

Box = tuple[float, float, float, float]
WHOLE = 0.98  # share of the still from which a mask is no object's


class SegmentParams(BaseModel):
    """What to cut out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    click: Annotated[
        tuple[str, ...],
        Field(description='Points on one object, "x,y x,y ..." in pixels; a leading - marks one off it.'),
    ] = ()
    box: Annotated[tuple[str, ...], Field(description="A box around one object: x0,y0,x1,y1 in pixels.")] = ()
    name: Annotated[tuple[str, ...], Field(description="Names, in the order of clicks, then boxes.")] = ()
    hair: Annotated[bool, Field(description="Soft, wide edges for hair and fur.")] = False


def parse_clicks(text: str) -> tuple[Click, ...]:
    """ "640,400 -90,60" to clicks. Raises BadInput."""
    clicks = []
    for word in text.split():
        positive = not word.startswith("-")
        numbers = parse_numbers(word.lstrip("-") if not positive else word, 2)
        if numbers is None:
            raise BadInput("The point {text} is not x,y in pixels.", "For example: 640,400", text=word)
        clicks.append(Click(numbers[0], numbers[1], positive))
    if not any(click.positive for click in clicks):
        raise BadInput("The points {text} hold none that is on the object.", "Give one without a minus.", text=text)
    return tuple(clicks)


def parse_box(text: str) -> Box:
    """ "30,40,420,380" to a box with positive area. Raises BadInput."""
    numbers = parse_numbers(text, 4)
    if numbers is None:
        raise BadInput("The box {text} is not x0,y0,x1,y1 in pixels.", "For example: 30,40,420,380", text=text)
    x0, y0, x1, y1 = numbers
    box = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    if box[2] - box[0] < 1 or box[3] - box[1] < 1:
        raise BadInput("The box {text} holds no pixel.", "Draw it around the object.", text=text)
    return box


def parse_numbers(text: str, count: int) -> tuple[float, ...] | None:
    """`count` numbers with commas between them, or None."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        return None
    return numbers if len(numbers) == count and all(abs(n) < 1e7 for n in numbers) else None


def segment_objects(run: Run, project: Project, params: SegmentParams) -> Patch:
    """One prop layer per click group and per box, with a soft mask on the hero still.

    `notes` of the patch holds, by layer id, the candidates that the segmenter offered.
    """
    still = project.hero.still
    wishes: list[tuple[tuple[Click, ...], Box | None]] = [(parse_clicks(text), None) for text in params.click]
    wishes += [((), parse_box(text)) for text in params.box]
    if len(params.name) > len(wishes):
        raise BadInput("There are more names than objects.", "Give each --name a --click or a --box.")
    for clicks, box in wishes:
        _refuse_outside(still, clicks, box)
    layers: list[Layer] = []
    notes: dict[str, Candidates] = {}
    for k, (clicks, box) in enumerate(wishes):
        started = time.monotonic()
        part = run.sub(k / len(wishes), 1 / len(wishes))
        wanted = params.name[k] if k < len(params.name) else f"prop_{k + 1:02d}"
        part.progress(0.0, tr("masking {name}", name=wanted))
        candidates = choose_mask(part, still, clicks, box)
        _refuse_mask(candidates, wanted)
        mask = part.call(MatteMask(still, candidates.masks[candidates.best], params.hair))
        shown = {
            "click": params.click[k : k + 1],
            "box": () if box is None else (params.box[k - len(params.click)],),
        }
        recipe = Recipe("segment", {**shown, "hair": params.hair}, part.models(), 0, time.monotonic() - started)
        taken = project.layers + tuple(layers)
        name = Project(layers=taken).name_layer(wanted)
        layers.append(make_layer(name, LayerKind.PROP, masks={still.id: mask}, made_by=recipe))
        notes[layers[-1].id] = candidates
        part.progress(1.0)
    return Patch(tr("Mask {n} objects", n=len(layers)), tuple(layers), notes=notes)


def choose_mask(run: Run, still: Still, clicks: tuple[Click, ...], box: Box | None) -> Candidates:
    """The candidates after all clicks; each click refines the best mask so far, as an artist's would."""
    first = [index for index, click in enumerate(clicks) if click.positive][:1]
    ordered = [clicks[i] for i in first] + [c for i, c in enumerate(clicks) if i not in first]
    if not ordered:
        return _prefer_object(run.call(Segment(still, (), box)))
    earlier: Mask | None = None
    if box is not None:
        found = _prefer_object(run.call(Segment(still, (), box)))
        earlier = found.masks[found.best]
    for count in range(1, len(ordered) + 1):
        found = _prefer_object(run.call(Segment(still, tuple(ordered[:count]), box, earlier)))
        earlier = found.masks[found.best]
    return found


def _prefer_object(found: Candidates) -> Candidates:
    """The candidates, with one as the best that is neither empty nor nearly the whole still, if there is any."""
    shares = [mask.count_pixels() / mask.alpha.size for mask in found.masks]
    usable = [k for k, share in enumerate(shares) if 0 < share < WHOLE]
    if found.best in usable or not usable:
        return found
    return replace(found, best=max(usable, key=lambda k: found.confidences[k]))


def _refuse_mask(found: Candidates, name: str) -> None:
    chosen = found.masks[found.best]
    if not chosen.count_pixels():
        raise BadInput("There is no object where you clicked.", "Click on its middle, or draw a box around it.")
    if chosen.count_pixels() >= WHOLE * chosen.alpha.size:
        message = "The mask of {name} takes the whole still."
        raise BadInput(message, "Draw a box around it, or give points off it with a leading minus.", name=name)


def _refuse_outside(still: Still, clicks: tuple[Click, ...], box: Box | None) -> None:
    outside = [c for c in clicks if not (0 <= c.x <= still.width and 0 <= c.y <= still.height)]
    size: dict[str, Any] = {"width": still.width, "height": still.height}
    if outside:
        point = f"{outside[0].x:g},{outside[0].y:g}"
        raise BadInput("The point {point} lies outside the still, which is {width} x {height}.", point=point, **size)
    if box is not None and (box[0] >= still.width or box[1] >= still.height or box[2] <= 0 or box[3] <= 0):
        raise BadInput("The box lies outside the still, which is {width} x {height}.", **size)
