"""Every distribution that the app needs, and every library inside its wheels, is permissive or LGPL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PERMISSIVE = re.compile(
    r"\b(MIT|MIT-CMU|HPND|BSD|0BSD|Apache|ISC|PSF|Python Software Foundation|Zlib|CC0|Unlicense|LGPL\w*|"
    r"Lesser General Public|MPL|Mozilla Public|matplotlib|LicenseRef-TOST-1\.0)",
    re.IGNORECASE,
)
COPYLEFT = re.compile(r"(?<![L\w])A?GPL|(?<!Lesser )General Public|Affero", re.IGNORECASE)
# Libraries under the GPL that wheels are known to bundle. libgfortran and libquadmath carry GCC's run-time
# exception and the LGPL.
GPL_LIBRARIES = re.compile(
    r"lib(x264|x265|xvidcore|kvazaar|readline|fftw3?|gsl|postproc|vidstab|rubberband|davs2|xavs|maxflow|"
    r"pymeshlab|meshfix|cgal|faac|fdk-?aac|poppler|dvdread|dvdnav)\b",
    re.IGNORECASE,
)
GPL_MARKS = (b"--enable-gpl", b"license: GPL", b"x265_encoder_open", b"x264_encoder_open", b"kvz_api_get")


def walk_dependencies(name: str, seen: set[str]) -> Iterator[metadata.Distribution]:
    """The distribution `name` and all that it needs here, each once."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in seen:
        return
    seen.add(key)
    distribution = metadata.distribution(name)
    yield distribution
    for line in distribution.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield from walk_dependencies(requirement.name, seen)


CLOSURE = sorted(walk_dependencies("stillto3d", set()), key=lambda one: one.name.lower())


# What metadata that name no licence leave to be read in the project itself.
KNOWN = {"opencolorio": "BSD-3-Clause"}


def read_licence(distribution: metadata.Distribution) -> str:
    """What its metadata say, most binding field first."""
    if distribution.name.lower() in KNOWN:
        return KNOWN[distribution.name.lower()]
    fields = distribution.metadata
    expression = fields.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [c for c in fields.get_all("Classifier") or [] if c.startswith("License ::")]
    return "; ".join(classifiers) or str(fields.get("License", "")).strip()[:200]


@pytest.mark.parametrize("distribution", CLOSURE, ids=lambda one: one.name)
def test_a_dependency_is_permissive_or_lgpl(distribution):
    licence = read_licence(distribution)
    choices = re.split(r"\s+OR\s+", licence)  # one that may be chosen is enough
    assert any(PERMISSIVE.search(choice) for choice in choices), f"no known licence: {licence!r}"
    assert not all(COPYLEFT.search(choice) for choice in choices), licence


@pytest.mark.parametrize("distribution", CLOSURE, ids=lambda one: one.name)
def test_a_wheel_bundles_no_gpl_library(distribution):
    paths = [Path(str(distribution.locate_file(file))) for file in distribution.files or ()]
    libraries = [path for path in paths if re.search(r"\.(so|dylib|dll|pyd)(\.|$)", path.name)]
    named = [path.name for path in libraries if GPL_LIBRARIES.match(path.name)]
    marked = [path.name for path in libraries if any(mark in path.read_bytes() for mark in GPL_MARKS)]
    assert not named and not marked


def test_the_closure_was_walked():
    assert {"vtk", "numpy", "onnxruntime", "pi-heif"} <= {one.name.lower().replace("_", "-") for one in CLOSURE}


@pytest.mark.parametrize("licence", ["GPL-3.0-or-later", "AGPL-3.0", "GNU General Public License v3 (GPLv3)"])
def test_copyleft_is_recognised(licence):
    assert COPYLEFT.search(licence)
    assert not COPYLEFT.search("GNU Lesser General Public License v3 (LGPLv3)")
