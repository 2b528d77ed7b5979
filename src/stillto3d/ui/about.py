"""About: the version, and the licences of what the app is made of."""

from __future__ import annotations

from importlib import metadata

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from .. import __version__
from ..words import tr


class About(QDialog):
    """Version and licences; `show_licences` fills in what was gathered beside the window."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("about")
        self.setWindowTitle(tr("About stillto3d"))
        title = QLabel(f"stillto3d {__version__}")
        title.setProperty("heading", True)
        terms = QLabel(tr("Apache-2.0. Qt and PySide are used under the LGPL 3 and may be exchanged."))
        terms.setWordWrap(True)
        self.licences = QPlainTextEdit()
        self.licences.setReadOnly(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for part in (title, terms, self.licences, buttons):
            column.addWidget(part)
        self.resize(560, 440)

    def show_licences(self, lines: list[str]) -> None:
        """One line for each library."""
        self.licences.setPlainText("\n".join(lines))


def list_licences() -> list[str]:
    """Each installed distribution that the app needs, with its version and licence; for any thread."""
    seen: set[str] = set()
    lines: list[str] = []

    def walk(name: str) -> None:
        key = name.lower().replace("_", "-")
        if key in seen:
            return
        seen.add(key)
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            return
        fields = found.metadata
        kinds = [c.rpartition("::")[2].strip() for c in fields.get_all("Classifier") or [] if c.startswith("License")]
        told = next((fields[name] for name in ("License-Expression", "License") if name in fields), "")
        licence = "; ".join(kinds) if kinds and "License-Expression" not in fields else told.split("\n")[0]
        lines.append(f"{found.name} {found.version}  {licence[:80]}")
        for line in found.requires or ():
            if "extra ==" not in line:
                walk("".join(c if c.isalnum() or c in "-_." else " " for c in line).split()[0])

    walk("stillto3d")
    return sorted(lines, key=str.lower)
