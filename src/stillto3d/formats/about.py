"""What a file says of itself: how it was made, from which still, by which models, under which name.

One description feeds every carrier: extras and JSON-LD (glTF), RDF/XML (pictures), plain lines (PLY), layer data
(USD). The origin is named twice: as IPTC's digital source type, and as the AIGC label of GB 45438-2025 where a
network took part. No guide of that standard covers 3D files; the same JSON travels in each of them.
"""

from __future__ import annotations

import json
import struct
import uuid
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from .. import __version__
from ..models.catalog import Catalog, ModelCard
from ..project.geometry import Geometry
from ..project.project import Layer, Project, Recipe
from ..project.still import Still
from .strict_json import clean_text, write_json

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
GENERATED, COMPOSITE, COMPUTED = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia"
"""IPTC's terms: wholly made by a network; a picture with parts from a network; computed without any network."""

NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "TC260": "http://www.tc260.org.cn/ns/AIGC/1.0/",
    "stillto3d": "urn:stillto3d:ns:1.0:",
}
ORIGINAL = "original"
PNG = b"\x89PNG\r\n\x1a\n"
SOFTWARE = f"stillto3d {__version__}"

_SHOTS = uuid.UUID("6f1b1d0e-5d0c-5b43-9d1c-8f1f6d2b7a10")
_OWN_NETWORK = "stillnet"

Json = dict[str, Any]


@dataclass(frozen=True)
class About:
    """What is told of one file.

    identifier   urn:uuid of this state of the work: the same stills, layers and recipes have the same one
    stills       {name, id} of each still; id is the sha256 of its decoded samples
    source_type  one of IPTC's terms; "" where it is not ours to say
    maker        "network" (one of other people), "own network" (only ours), "computed" (none), "original" (nothing was)
    models       {id, version, licence, commercial} of each model that took part
    """

    title: str
    identifier: str
    stills: tuple[Mapping[str, str], ...]
    source_type: str
    maker: str
    models: tuple[Mapping[str, Any], ...]

    @property
    def aigc(self) -> str:
        """The AIGC label as its JSON text; "" where no network took part."""
        if self.maker in ("computed", ORIGINAL):
            return ""
        label = {
            "Label": "1",
            "ContentProducer": SOFTWARE,
            "ProduceID": self.identifier.removeprefix("urn:uuid:"),
            "ReservedCode1": "",
            "ContentPropagator": "",
            "PropagateID": "",
            "ReservedCode2": "",
        }
        return json.dumps(label, separators=(",", ":"))

    def list_models(self) -> list[str]:
        """Each model as one line: id, version and licence."""
        return [f"{m.get('id', '')} {m.get('version', '')} ({m.get('licence', '')})" for m in self.models]

    def describe(self) -> Json:
        """Everything as plain values."""
        plain: Json = {
            "identifier": self.identifier,
            "software": SOFTWARE,
            "digitalSourceType": SOURCE_TYPES + self.source_type if self.source_type else "",
            "made_by": self.maker,
            "stills": [dict(still) for still in self.stills],
            "models": [dict(model) for model in self.models],
        }
        return plain | ({"AIGC": self.aigc} if self.aigc else {})


def describe_project(project: Project, layers: Sequence[Layer]) -> About:
    """What a file that holds these layers of the project says of itself."""
    recipes = [*(shot.solved_by for shot in project.shots), *(layer.made_by for layer in layers)]
    stills = [{"name": clean_text(shot.still.name), "id": shot.still.id} for shot in project.shots]
    title = stills[0]["name"] if stills else "shot"
    return _describe(title, stills, [layer.id for layer in layers], recipes)


def describe_original(still: Still) -> About:
    """What a copy of the still says of itself: that it is the original. How that was made, it does not know."""
    name = clean_text(still.name)
    return About(name, f"sha256:{still.id}", ({"name": name, "id": still.id},), "", ORIGINAL, ())


def describe_layer_alone(layer: Layer) -> About:
    """What a file that holds one layer says of itself."""
    stills = [{"id": key} for key in layer.masks]
    return _describe(clean_text(layer.name), stills, [layer.id], [layer.made_by])


def _describe(title: str, stills: list[dict[str, str]], ids: list[str], recipes: list[Recipe | None]) -> About:
    models = collect_models(recipes)
    state = write_json([[still["id"] for still in stills], ids, [describe_recipe(recipe) for recipe in recipes]])
    name = str(uuid.uuid5(_SHOTS, state.decode("ascii")))
    makers = {find_maker(str(model.get("id", ""))) for model in models}
    maker = next((m for m in ("network", "own network") if m in makers), "computed")
    return About(title, f"urn:uuid:{name}", tuple(stills), choose_source_type(recipes), maker, tuple(models))


# ---------------------------------------------------------------------- origin


@cache
def _read_cards() -> Mapping[str, ModelCard]:
    return Catalog().cards


def find_maker(model_id: str) -> str:
    """ "computed" for a builtin without weights, "own network" for ours, "network" for any other model."""
    card = _read_cards().get(model_id)
    if card is not None and card.environment == "builtin" and not card.weights:
        return "computed"
    return "own network" if model_id.startswith(_OWN_NETWORK) else "network"


def choose_source_type(recipes: Iterable[Recipe | None]) -> str:
    """IPTC's term for what came out of these recipes.

    A still projected on what a network saw in it is a composite; a prop out of somebody's image-to-3D network,
    alone, is generated.
    """
    found = [recipe for recipe in recipes if recipe is not None]
    networks = [
        {str(m.get("id", "")) for m in r.models if find_maker(str(m.get("id", ""))) != "computed"} for r in found
    ]
    if not any(networks):
        return COMPUTED
    cards = _read_cards()
    whole = all(any(m in cards and cards[m].role == "prop" for m in used) for used in networks)
    return GENERATED if whole else COMPOSITE


def is_generated(geometry: Geometry | None, recipe: Recipe | None) -> bool:
    """Whether part of it was made up: a model took part, or a surface that no still has seen."""
    observed = getattr(geometry, "observed", None)
    unseen = observed is not None and bool((observed == 0).any())
    return unseen or bool(recipe and recipe.models)


def collect_models(recipes: Iterable[Recipe | None]) -> list[Mapping[str, Any]]:
    """Each model that took part, once, in order of appearance."""
    found: dict[bytes, Mapping[str, Any]] = {}
    for recipe in recipes:
        for model in recipe.models if recipe is not None else ():
            found.setdefault(write_json(model), model)
    return list(found.values())


def describe_recipe(recipe: Recipe | None) -> Json | None:
    """A recipe as plain values, from which it can be run again."""
    if recipe is None:
        return None
    return {
        "pipeline": recipe.pipeline,
        "params": recipe.params,
        "models": recipe.models,
        "seed": recipe.seed,
        "seconds": recipe.seconds,
    }


# ---------------------------------------------------------------------- carriers


def _list_properties(about: About) -> dict[str, str]:
    """XMP's simple properties, by prefixed name."""
    properties = {
        "dc:identifier": about.identifier,
        "stillto3d:madeBy": about.maker,
    }
    if about.maker == ORIGINAL:
        return properties
    properties["xmp:CreatorTool"] = SOFTWARE
    properties["Iptc4xmpExt:DigitalSourceType"] = SOURCE_TYPES + about.source_type
    if about.stills:
        properties["dc:source"] = "; ".join(f"sha256:{still['id']}" for still in about.stills)
    return properties | ({"TC260:AIGC": about.aigc} if about.aigc else {})


def compose_xmp_packet(about: About) -> Json:
    """The JSON-LD packet of KHR_xmp_json_ld."""
    packet: Json = {"@context": dict(NAMESPACES), "@id": ""}
    packet["dc:title"] = {"@type": "rdf:Alt", "rdf:_1": {"@language": "x-default", "@value": about.title}}
    if about.models:
        packet["stillto3d:models"] = {"@list": about.list_models()}
    return packet | _list_properties(about)


def compose_xmp(about: About) -> str:
    """The same as RDF/XML, for pictures."""
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items() if prefix != "rdf")
    lines = [f"<{name}>{_escape(value)}</{name}>" for name, value in _list_properties(about).items()]
    title = f'<rdf:li xml:lang="x-default">{_escape(about.title)}</rdf:li>'
    lines.append(f"<dc:title><rdf:Alt>{title}</rdf:Alt></dc:title>")
    if about.models:
        items = "".join(f"<rdf:li>{_escape(line)}</rdf:li>" for line in about.list_models())
        lines.append(f"<stillto3d:models><rdf:Seq>{items}</rdf:Seq></stillto3d:models>")
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{NAMESPACES["rdf"]}">'
        f'<rdf:Description rdf:about="" {spaces}>{"".join(lines)}</rdf:Description>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )


def add_xmp(data: bytes, xmp: str) -> bytes:
    """A PNG's or JPEG's bytes with an XMP packet; others as they are."""
    return b"".join(insert_xmp(data, xmp))


def insert_xmp(data: bytes, xmp: str) -> list[bytes | memoryview]:
    """`add_xmp` as pieces to be written one after another, without a copy of the picture."""
    packet, whole = xmp.encode("utf-8"), memoryview(data)
    if data.startswith(PNG):
        body = b"XML:com.adobe.xmp\0\0\0\0\0" + packet
        chunk = struct.pack(">I", len(body)) + b"iTXt" + body + struct.pack(">I", zlib.crc32(b"iTXt" + body))
        return [whole[:33], chunk, whole[33:]]  # after the signature and IHDR
    if data[:2] == b"\xff\xd8":
        body = b"http://ns.adobe.com/xap/1.0/\0" + packet
        if len(body) < 65_000:
            return [whole[:2], struct.pack(">BBH", 0xFF, 0xE1, len(body) + 2) + body, whole[2:]]
    return [data]


def compose_lines(about: About) -> list[str]:
    """The same as lines of ASCII, for formats whose header is text."""
    lines = [SOFTWARE, f"title {json.dumps(about.title)}", f"identifier {about.identifier}"]
    lines += [f"still sha256:{still['id']}" for still in about.stills]
    lines += [f"DigitalSourceType {SOURCE_TYPES}{about.source_type}", f"made by {about.maker}"]
    lines += [f"model {json.dumps(line)[1:-1]}" for line in about.list_models()]
    return lines + ([f"AIGC {about.aigc}"] if about.aigc else [])


def _escape(text: str) -> str:
    """Text for XML, without the characters that XML cannot hold."""
    return escape("".join(c for c in text if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff")))
