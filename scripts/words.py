"""Gather every sentence that a person reads, update the catalogues and compile them: `make words`.

Sentences are found by reading the source, not by running it: the first argument of `tr` and of the refusals,
and every literal that looks like a sentence (a capital letter, a space, a full stop): those are remedies,
descriptions of parameters and tables of reasons; and the titles in the table of formats. Cards of models speak, too:
title, limits, terms, help.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "stillto3d"
CATALOGUES = ROOT / "resources" / "i18n"
CARDS = ROOT / "resources" / "models"
LANGUAGES = ("zh_CN",)
SPOKEN = {
    "tr",
    "BadInput",
    "CannotAccess",
    "OutOfMemory",
    "Crashed",
    "BadAnswer",
    "NotInstalled",
    "MissingWeights",
    "Format",
    "_bring_layers",
    "_bring_camera",
    "_write_only",
}
FOR_DEVELOPERS = {"Bug", "WireError", "WorkerDied", "ValueError", "TypeError", "RuntimeError", "execute"}
SENTENCE = re.compile(r"[A-Z{][^\n]* [^\n]*[.?!]")
FIELD = re.compile(r"{(\w+)[^}]*}")
UNDATED = datetime(2025, 1, 1, tzinfo=UTC)  # the files change when sentences do, not when they are gathered


def name_called(node: ast.AST) -> str:
    """`f` for `f(...)` and `a.b.f(...)`, else nothing."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "id", getattr(function, "attr", "")) if function else ""


def find_sentences(tree: ast.Module) -> Iterator[str]:
    """The sentences of one module, in the order in which they stand."""
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(node.value)  # docstrings
        if name_called(node) in FOR_DEVELOPERS:
            skipped.update(ast.walk(node))
    for node in ast.walk(tree):
        if node in skipped:
            continue
        first = node.args[0] if name_called(node) in SPOKEN and node.args else node
        text = first.value if isinstance(first, ast.Constant) else None
        if not isinstance(text, str):
            continue
        passed = first is not node and (" " in text or name_called(node) == "tr")
        if passed or SENTENCE.fullmatch(text):
            yield text


def find_spoken_f_strings(tree: ast.Module) -> Iterator[int]:
    """Lines where a sentence for a person is put together before it can be translated."""
    for node in ast.walk(tree):
        if name_called(node) in SPOKEN and any(isinstance(part, ast.JoinedStr) for part in node.args):
            yield node.lineno


def find_card_sentences(card: dict[str, Any]) -> Iterator[str]:
    """What a model's card says to a person."""
    texts = [card["title"], card.get("limits"), card.get("exception"), card["licence"].get("terms")]
    texts += [card.get("release"), card.get("vram", {}).get("documented_in")]
    texts += [parameter["help"] for parameter in card.get("parameters", ())]
    return (text for text in texts if text)


def gather() -> Catalog:
    """All sentences of the app as a template catalogue."""
    template = Catalog(project="stillto3d", creation_date=UNDATED, revision_date=UNDATED, charset="utf-8")
    template.header_comment = "# Sentences of stillto3d, gathered by scripts/words.py."
    for path in sorted(SOURCE.rglob("*.py")):
        where = path.relative_to(ROOT).as_posix()
        for sentence in find_sentences(ast.parse(path.read_text(encoding="utf-8"))):
            template.add(sentence, locations=[(where, 1)])
    for path in sorted(CARDS.glob("*.toml")):
        for sentence in find_card_sentences(tomllib.loads(path.read_text(encoding="utf-8"))):
            template.add(sentence, locations=[(path.relative_to(ROOT).as_posix(), 1)])
    return template


def read_catalogue(language: str) -> Catalog:
    """The translations as they lie in the tree."""
    path = CATALOGUES / language / "LC_MESSAGES" / "stillto3d.po"
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def find_faults(template: Catalog, catalogue: Catalog) -> list[str]:
    """Sentences without a translation, and translations whose fields are not those of their sentence."""
    faults = []
    for message in template:
        if not message.id:
            continue
        translated = catalogue.get(message.id)
        if translated is None or not translated.string or translated.fuzzy:
            faults.append(f"not translated: {message.id}")
        elif set(FIELD.findall(translated.string)) != set(FIELD.findall(message.id)):
            faults.append(f"other fields: {message.id}")
    return faults


def compile_catalogue(catalogue: Catalog) -> bytes:
    """The catalogue as gettext loads it."""
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    return compiled.getvalue()


def main() -> int:
    """Rewrite the template and each language; says what is still to be translated."""
    template = gather()
    with (CATALOGUES / "stillto3d.pot").open("wb") as file:
        write_po(file, template, width=100, include_lineno=False, sort_by_file=False)
    count = 0
    for language in LANGUAGES:
        catalogue = read_catalogue(language)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.creation_date = catalogue.revision_date = UNDATED
        catalogue.obsolete.clear()
        folder = CATALOGUES / language / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "stillto3d.po").open("wb") as file:
            write_po(file, catalogue, width=100, include_lineno=False)
        (folder / "stillto3d.mo").write_bytes(compile_catalogue(catalogue))
        faults = find_faults(template, catalogue)
        count += len(faults)
        sys.stdout.write("".join(f"{language}: {fault}\n" for fault in faults))
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
