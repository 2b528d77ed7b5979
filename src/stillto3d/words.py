"""Every sentence that a person reads: `tr()` and the gettext catalogues behind it."""

from __future__ import annotations

import gettext
import locale
import os
from pathlib import Path

_catalogue: gettext.NullTranslations = gettext.NullTranslations()
_language = "en"


def find_resources() -> Path:
    """The folder `resources/`: beside the package in an installed wheel, at the root of a checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "resources", package.parents[1] / "resources"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("stillto3d is installed without its resources; install it again.")


def choose_language(language: str | None = None) -> str:
    """Load the catalogue of `language` ("en", "zh_CN"), else of the environment; answers what it chose."""
    global _catalogue, _language
    wanted = language or os.environ.get("STILLTO3D_LANGUAGE") or locale.getlocale()[0] or "en"
    chosen = "zh_CN" if wanted.lower().startswith("zh") else "en"
    _catalogue = (
        gettext.NullTranslations()
        if chosen == "en"
        else gettext.translation("stillto3d", find_resources() / "i18n", [chosen], fallback=True)
    )
    _language = chosen
    return chosen


def name_language() -> str:
    """The language that was chosen last: "en" or "zh_CN"."""
    return _language


def tr(sentence: str, /, **values: object) -> str:
    """The sentence in the chosen language, with `{name}` fields filled from `values`.

    The English sentence is its own key, so it must be a literal where `tr` is called.
    """
    text = _catalogue.gettext(sentence)
    return text.format(**values) if values else text
