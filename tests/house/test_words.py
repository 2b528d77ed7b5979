"""Every sentence that a person reads stands in both languages."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from stillto3d import words as spoken

ROOT = Path(__file__).resolve().parents[2]


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gather_words", ROOT / "scripts" / "words.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


words = load_script()


def test_chinese_lacks_no_sentence():
    faults = words.find_faults(words.gather(), words.read_catalogue("zh_CN"))
    assert not faults, "run `make words` and translate:\n" + "\n".join(faults)


def test_the_compiled_catalogue_is_the_written_one():
    compiled = words.CATALOGUES / "zh_CN" / "LC_MESSAGES" / "stillto3d.mo"
    assert compiled.read_bytes() == words.compile_catalogue(words.read_catalogue("zh_CN")), "run `make words`"


def test_the_app_speaks_chinese():
    try:
        assert spoken.choose_language("zh_CN") == "zh_CN"
        assert spoken.tr("{path} does not exist.", path="a.jpg") == "a.jpg 不存在。"
    finally:
        spoken.choose_language("en")
    assert spoken.tr("{path} does not exist.", path="a.jpg") == "a.jpg does not exist."


@pytest.mark.parametrize("path", sorted(words.SOURCE.rglob("*.py")), ids=lambda path: path.stem)
def test_no_sentence_is_put_together_before_it_is_translated(path):
    assert not list(words.find_spoken_f_strings(ast.parse(path.read_text(encoding="utf-8"))))


def test_sentences_are_found_where_they_stand():
    source = '''
"""A docstring is not one."""
tr("yes")
BadInput("The {thing} is gone.", "Find it.", thing=1)
TABLE = {1: ("A table holds some.", "")}
ValueError("This one is for developers.")
x = "not a sentence"
'''
    found = list(words.find_sentences(ast.parse(source)))
    expected = ["A table holds some.", "Find it.", "The {thing} is gone.", "yes"]
    assert sorted(set(found)) == expected
    assert list(words.find_spoken_f_strings(ast.parse('BadInput(f"{x} is bad.")'))) == [1]
