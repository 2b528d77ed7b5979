"""Preferences, made from the settings' descriptions, and the shortcuts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from ..settings import Settings
from ..words import tr
from .actions import Actions, strip_mnemonic

CHOICES: dict[str, list[str]] = {"language": ["", "en", "zh_CN"], "device": ["cpu", "cuda"]}
WORDS_PIXELS = 360


class Preferences(QDialog):
    """Shows the settings and shortcuts as they are; `read_settings` and `read_shortcuts` answer with the wish."""

    def __init__(self, settings: Settings, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("preferences")
        self.setWindowTitle(tr("Preferences"))
        self._settings, self._actions = settings, actions
        self.fields: dict[str, Any] = {}
        pages = QTabWidget()
        pages.addTab(self._build_settings(), tr("General"))
        pages.addTab(self._build_shortcuts(), tr("Shortcuts"))
        self.fault = QLabel()
        self.fault.setWordWrap(True)
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for part in (pages, self.fault, buttons):
            column.addWidget(part)
        self.resize(720, 560)

    def _build_settings(self) -> QWidget:
        page = QWidget()
        form = QFormLayout(page)
        form.setSpacing(8)
        for name, field in Settings.model_fields.items():
            described = QLabel(tr(field.description or name))
            described.setWordWrap(True)
            described.setProperty("quiet", True)
            described.setFixedWidth(WORDS_PIXELS)
            described.setMinimumHeight(described.heightForWidth(WORDS_PIXELS))  # else a form cuts what is wrapped
            self.fields[name] = _make_field(name, field, getattr(self._settings, name))
            self.fields[name].setAccessibleName(described.text())
            form.addRow(described, self.fields[name])
        when = QLabel(tr("Settings count from the next start."))
        when.setProperty("quiet", True)
        form.addRow(when)
        return page

    def _build_shortcuts(self) -> QWidget:
        table = self.shortcuts = QTableWidget(len(self._actions.table), 2)
        table.setHorizontalHeaderLabels([tr("Action"), tr("Keys")])
        table.verticalHeader().hide()
        table.horizontalHeader().setStretchLastSection(True)
        table.setColumnWidth(0, 320)
        for row, (wish, action) in enumerate(self._actions.table.items()):
            item = QTableWidgetItem(strip_mnemonic(action.text()))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            item.setData(Qt.ItemDataRole.UserRole, wish)
            table.setItem(row, 0, item)
            edit = QKeySequenceEdit(action.shortcut())
            edit.setClearButtonEnabled(True)
            table.setCellWidget(row, 1, edit)
        return table

    def read_settings(self) -> dict[str, Any]:
        """The settings that differ from the defaults, as settings.toml keeps them."""
        values = {name: _read_field(field) for name, field in self.fields.items()}
        return {name: value for name, value in values.items() if value != Settings.model_fields[name].default}

    def read_shortcuts(self) -> dict[str, str]:
        """The first key of every action, by id."""
        keys = {}
        for row, wish in enumerate(self._actions.table):
            edit = self.shortcuts.cellWidget(row, 1)
            assert isinstance(edit, QKeySequenceEdit)
            keys[wish] = edit.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        return keys

    def _accept(self) -> None:
        """Close, unless a value cannot be used or two actions want the same keys."""
        try:
            Settings(**self.read_settings())
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0])
            what = tr(Settings.model_fields[name].description or name)
            self.fault.setText(tr("{value} cannot be used here: {what}", value=first["input"], what=what))
            return
        panes = self._actions.panes
        taken: dict[tuple[str, str], str] = {}
        for wish, keys in self.read_shortcuts().items():
            place = (panes[wish], keys)
            if keys and place in taken:
                other = strip_mnemonic(self._actions.table[taken[place]].text())
                own = strip_mnemonic(self._actions.table[wish].text())
                self.fault.setText(tr("{one} and {other} want the same keys: {keys}", one=own, other=other, keys=keys))
                return
            taken[place] = wish
        self.accept()


def word_choices() -> dict[str, str]:
    """What the choices are called; a language is called in its own words."""
    return {
        "": tr("System, from the next start"),
        "en": "English (from the next start)",
        "zh_CN": "简体中文（下次启动时生效）",
        "cpu": tr("Processor"),
        "cuda": tr("Graphics card (CUDA)"),
    }


def write_settings(path: Path, values: dict[str, Any]) -> None:
    """Write settings.toml; for any thread. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text("".join(f"{name} = {_word_toml(value)}\n" for name, value in values.items()), encoding="utf-8")
    part.replace(path)


def _word_toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    quoted = "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or c in '"\\' else c for c in text)
    return f'"{quoted}"'


def _make_field(name: str, field: FieldInfo, value: Any) -> QWidget:
    if name in CHOICES:
        box = QComboBox()
        for choice in CHOICES[name]:
            box.addItem(word_choices()[choice], choice)
        box.setCurrentIndex(CHOICES[name].index(value) if value in CHOICES[name] else 0)
        return box
    if isinstance(value, bool):
        check = QCheckBox()
        check.setChecked(value)
        return check
    if isinstance(value, int):
        whole = QSpinBox()
        whole.setRange(0, 1_000_000)
        whole.setValue(value)
        return whole
    if isinstance(value, float):
        number = QDoubleSpinBox()
        number.setRange(0, 1e6)
        number.setDecimals(1)
        number.setValue(value)
        return number
    return QLineEdit(str(value))


def _read_field(field: Any) -> Any:
    if isinstance(field, QComboBox):
        return field.currentData()
    if isinstance(field, QCheckBox):
        return field.isChecked()
    return field.text() if isinstance(field, QLineEdit) else field.value()
