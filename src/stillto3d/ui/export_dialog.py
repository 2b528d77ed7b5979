"""The export dialog: a program or a format, where to, how, and what will be written and about how large."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSpinBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from .. import formats
from ..errors import Refusal
from ..formats.forecast import Sizes
from ..formats.handover import PRESETS, weigh_handover
from ..formats.options import CONTENTS, SPACES, TEXTURES, WriteOptions
from ..project.project import Project
from ..words import tr
from .background import Background

_KEY = Qt.ItemDataRole.UserRole
_MESHES = (".glb", ".obj", ".usdc", ".usda", ".usdz")
_OPTIONS = {
    "texture": _MESHES,
    "texture_size": _MESHES,
    "quality": _MESHES,
    "lods": _MESHES,
    "content": (".ply",),
    "space": (".exr",),
}
"""Which formats an option is for; presets take those of pictures and copies."""
_TRANSFORMS = "transforms.json"


class ExportDialog(QDialog):
    """Asks what to export; `target`, `preset` and `options` are the answer once it is accepted.

    `folder` and `name` are proposed. Sizes are counted on `background`, never on the window's thread.
    """

    def __init__(
        self,
        project: Project,
        folder: Path,
        name: str,
        background: Background,
        start: Callable[[Coroutine[Any, Any, Any]], Any],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("export")
        self.setWindowTitle(tr("Export"))
        self._project, self._folder, self._name = project, folder, name
        self._background, self._start = background, start
        self._asked = 0
        self.kinds = self._list_kinds()
        self.path = QLineEdit()
        self.path.setAccessibleName(tr("Where to"))
        self.fields = self._make_fields()
        self.files = QTreeWidget()
        self.files.setHeaderLabels([tr("Will be written"), tr("About")])
        self.files.setRootIsDecorated(False)
        self.files.setColumnWidth(0, 320)
        self.files.headerItem().setTextAlignment(1, Qt.AlignmentFlag.AlignRight)
        self.total = QLabel()
        self.total.setProperty("quiet", True)
        self.total.setWordWrap(True)
        self._lay_out()
        self.kinds.currentItemChanged.connect(self._choose)
        self.path.textChanged.connect(self._count)
        self.kinds.setCurrentRow(len(PRESETS))
        self.resize(820, 560)

    # ----------------------------------------------------------------- what it is made of

    def _list_kinds(self) -> QListWidget:
        kinds = QListWidget()
        kinds.setObjectName("kinds")
        rows = [(tr("For {program}", program=preset.title), f"for:{name}") for name, preset in PRESETS.items()]
        for suffix, row in formats.FORMATS.items():
            if row.write is not None and suffix != ".s3d":
                rows.append((f"{tr(row.title)} ({suffix})" if suffix.startswith(".") else tr(row.title), suffix))
        rows.append((tr("Nerfstudio camera (transforms.json)"), _TRANSFORMS))
        for text, key in sorted(rows, key=lambda row: (not row[1].startswith("for:"), row[1] != ".glb")):
            item = QListWidgetItem(text)
            item.setData(_KEY, key)
            kinds.addItem(item)
        kinds.setMinimumWidth(280)
        kinds.setSpacing(1)
        kinds.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return kinds

    def _make_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "texture": _make_choice(TEXTURES),
            "texture_size": _make_choice(("0", "512", "1024", "2048", "4096", "8192")),
            "quality": QSpinBox(),
            "lods": QSpinBox(),
            "content": _make_choice(CONTENTS),
            "space": _make_choice(SPACES),
        }
        fields["texture_size"].setItemText(0, tr("as it is"))
        fields["quality"].setRange(1, 100)
        fields["quality"].setValue(WriteOptions().quality)
        fields["lods"].setRange(0, 4)
        for field in fields.values():
            changed = field.valueChanged if isinstance(field, QSpinBox) else field.currentIndexChanged
            changed.connect(self._count)
        return fields

    def _lay_out(self) -> None:
        browse = QPushButton(tr("Browse…"))
        browse.setAutoDefault(False)  # Enter exports
        browse.clicked.connect(self._browse)
        where = QHBoxLayout()
        where.addWidget(self.path, 1)
        where.addWidget(browse)
        self._form = QFormLayout()
        self._form.setSpacing(8)
        self._form.addRow(tr("Where to"), where)
        texts = {
            "texture": tr("Textures"),
            "texture_size": tr("Longest side, pixels"),
            "quality": tr("Quality of JPEG and WebP"),
            "lods": tr("Coarser copies"),
            "content": tr("Content"),
            "space": tr("Colour space"),
        }
        for name, text in texts.items():
            self.fields[name].setAccessibleName(text)
            self._form.addRow(text, self.fields[name])
        right = QVBoxLayout()
        right.addLayout(self._form)
        right.addWidget(self.files, 1)
        right.addWidget(self.total)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        export = self.buttons.addButton(tr("Export"), QDialogButtonBox.ButtonRole.AcceptRole)
        export.setDefault(True)
        self.export_button = export
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(self.kinds)
        row.addLayout(right, 1)
        column = QVBoxLayout(self)
        column.addLayout(row, 1)
        column.addWidget(self.buttons)

    # ----------------------------------------------------------------- the answer

    @property
    def _key(self) -> str:
        return str(self.kinds.currentItem().data(_KEY))

    @property
    def preset(self) -> str | None:
        """The program that a folder is made for, if one is."""
        return self._key.removeprefix("for:") if self._key.startswith("for:") else None

    @property
    def target(self) -> Path:
        """The file or folder to write."""
        return Path(self.path.text())

    @property
    def options(self) -> WriteOptions:
        """How; what does not concern the format stays as it is."""
        values = {
            "texture": self.fields["texture"].currentData(),
            "texture_size": int(self.fields["texture_size"].currentData()),
            "quality": self.fields["quality"].value(),
            "lods": self.fields["lods"].value(),
            "content": self.fields["content"].currentData(),
            "space": self.fields["space"].currentData(),
        }
        return WriteOptions(**{name: value for name, value in values.items() if self._concerns(name)})

    def _concerns(self, option: str) -> bool:
        if self.preset is not None:
            return option not in ("content", "space")
        return self._key in _OPTIONS[option]

    # ----------------------------------------------------------------- what happens

    def _choose(self) -> None:
        key, preset = self._key, self.preset
        names = {_TRANSFORMS: _TRANSFORMS, formats.COLMAP: formats.COLMAP}
        name = f"{self._name}_{preset}" if preset is not None else names.get(key, f"{self._name}{key}")
        for option, field in self.fields.items():
            self._form.setRowVisible(field, self._concerns(option))
        self.path.setText(str(self._folder / name))
        self._count()

    def _browse(self) -> None:
        """Ask for the place beside everything else."""
        dialog = QFileDialog(self, tr("Where to"))
        dialog.setObjectName("browse")
        if self.preset is not None or self._key == formats.COLMAP:
            dialog.setFileMode(QFileDialog.FileMode.Directory)
        else:
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            dialog.setOption(QFileDialog.Option.DontConfirmOverwrite, False)
            dialog.selectFile(str(self.target))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take_place)
        dialog.open()

    def _take_place(self, chosen: str) -> None:
        """The chosen file, or the named folder within the one that was chosen."""
        path, own = Path(chosen), self.target.name
        self.path.setText(str(path / own if path.is_dir() and path.name != own else path))

    def _count(self) -> None:
        self._asked += 1
        self._start(self._show_sizes(self._asked))

    async def _show_sizes(self, asked: int) -> None:
        """Count beside the window; an older answer than the latest question is dropped."""
        if asked != self._asked:
            return
        fault = ""
        found: tuple[Sizes, bool] = ({}, False)
        try:
            found = await self._background.run(_weigh, self._project, self.preset, self.target, self.options)
        except Refusal as error:
            fault = str(error)
        except asyncio.CancelledError:  # the window closes
            return
        if asked == self._asked:
            self._show(*found, fault)

    def done(self, code: int) -> None:
        """Close; what is still being counted is not shown any more."""
        self._asked += 1
        super().done(code)

    def _show(self, sizes: Sizes, exists: bool, fault: str) -> None:
        self.files.clear()
        for name, size in sizes.items():
            item = QTreeWidgetItem([name, word_size(size)])
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight)
            self.files.addTopLevelItem(item)
        told = [tr("About {size} in all.", size=word_size(sum(sizes.values())))] if sizes else []
        if exists:
            told.append(tr("{name} is replaced once the new one is whole.", name=self.target.name))
        self.total.setText(fault or " ".join(told))
        self.export_button.setEnabled(bool(sizes) and not fault)


def _weigh(project: Project, preset: str | None, target: Path, options: WriteOptions) -> tuple[Sizes, bool]:
    """The sizes, and whether the target is there already; for any thread. Raises Refusal."""
    if preset is None:
        return formats.weigh(project, target, options), target.is_file()
    return weigh_handover(project, preset, options), target.exists()


def _make_choice(choices: tuple[str, ...]) -> QComboBox:
    box = QComboBox()
    words = {"auto": tr("automatic"), "points": tr("points"), "mesh": tr("mesh"), "splats": tr("splats")}
    for choice in choices:
        box.addItem(words.get(choice, choice), choice)
    return box


def word_size(size: int) -> str:
    """Bytes in a person's units."""
    if size < 1000:
        return tr("{n} bytes", n=size)
    if size < 1_000_000:
        return tr("{n:.0f} kB", n=size / 1000)
    return tr("{n:.1f} MB", n=size / 1e6) if size < 1e9 else tr("{n:.1f} GB", n=size / 1e9)
