"""The lens: focal length, film back, tilt and height of the solved camera, and where each value came from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ..project.project import Project
from ..project.space import Camera, Origin
from ..words import tr
from .document import Document
from .edits import aim_shot, put_camera

FILM_BACKS = (
    ("Full frame", 36.0),
    ("ALEXA LF", 36.7),
    ("ALEXA 35", 27.99),
    ("Super 35", 24.89),
    ("Academy 35", 21.95),
    ("VistaVision", 37.72),
    ("65 mm", 52.48),
    ("Super 16", 12.52),
    ("APS-C", 23.6),
    ("Micro 4/3", 17.3),
)
"""Millimetres along the longer side; a still that stands upright turns them."""

SAME_MM = 0.01


class LensPanel(QWidget):
    """Shows the hero shot's camera; every change is one step of the document."""

    solve_wanted = Signal()
    """The camera shall be solved again."""
    rebuild_wanted = Signal()
    """The set shall be made again for the changed lens."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._camera: Camera | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        title = QLabel(tr("Lens"))
        title.setProperty("heading", True)
        self.unsolved = QLabel(tr("The camera is solved when the set is made."))
        self.unsolved.setProperty("quiet", True)
        self.unsolved.setWordWrap(True)
        self.solve = QPushButton(tr("Solve the camera"))
        self.solve.setToolTip(tr("Forgets what was set by hand."))
        self.solve.clicked.connect(self.solve_wanted)
        self.lock = QCheckBox(tr("Locked: solvers leave it alone"))
        self.lock.toggled.connect(self._lock)
        self.rebuild = QPushButton(tr("Make the set again"))
        self.rebuild.setToolTip(tr("The set was made with another lens."))
        self.rebuild.clicked.connect(self.rebuild_wanted)
        self._fields = self._build_fields()
        for part in (title, self.unsolved, self._fields, self.lock, self.solve, self.rebuild):
            column.addWidget(part)
        column.addStretch(1)
        document.changed.connect(self._follow)
        self._show(None, False)
        self.solve.setEnabled(False)

    def _build_fields(self) -> QWidget:
        self.focal = _make_field(1.0, 5000.0, 1, " mm", self._change_focal)
        self.film_back = QComboBox()
        for name, length in FILM_BACKS:
            self.film_back.addItem(f"{word_film_back(name)}  {length:g} mm", length)
        self.film_back.addItem(tr("Another"))
        self.film_back.activated.connect(self._choose_film_back)
        self.film_mm = _make_field(1.0, 500.0, 2, " mm", self._change_film_back)
        self.film_mm.setToolTip(tr("Film back across the picture's width."))
        self.film_mm.setAccessibleName(tr("Film back across the picture's width."))
        self.pitch = _make_field(-89.0, 89.0, 2, " °", self._aim)
        self.roll = _make_field(-180.0, 180.0, 2, " °", self._aim)
        self.height_m = _make_field(0.01, 1e4, 3, " m", self._aim)
        self.origins = {name: QLabel() for name in ("focal", "rotation", "height")}
        for label in self.origins.values():
            label.setProperty("quiet", True)
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        rows: list[tuple[str, QWidget, QLabel | None]] = [
            (tr("Focal length"), self.focal, self.origins["focal"]),
            (tr("Film back"), self.film_back, None),
            ("", self.film_mm, None),
            (tr("Pitch"), self.pitch, self.origins["rotation"]),
            (tr("Roll"), self.roll, None),
            (tr("Height"), self.height_m, self.origins["height"]),
        ]
        for k, (text, field, origin) in enumerate(rows):
            label = QLabel(text)
            label.setProperty("quiet", True)
            if text:
                field.setAccessibleName(text)
            grid.addWidget(label, 2 * k, 0)
            grid.addWidget(field, 2 * k, 1)
            if origin is not None:
                grid.addWidget(origin, 2 * k + 1, 1)
        grid.setColumnStretch(1, 1)
        return holder

    # ----------------------------------------------------------------- following

    def _follow(self, old: Project, new: Project) -> None:
        camera = new.shots[0].camera if new.shots else None
        if camera is not self._camera or old.scenes() != new.scenes():
            self._show(camera, bool(new.shots) and is_outdated(new))
        self.solve.setEnabled(bool(new.shots) and (camera is None or not camera.locked))

    def _show(self, camera: Camera | None, outdated: bool) -> None:
        self._camera = camera
        for part in (self._fields, self.lock):
            part.setVisible(camera is not None)
        self.unsolved.setVisible(camera is None)
        self.solve.setText(tr("Solve the camera") if camera is None else tr("Reset: solve it again"))
        self.rebuild.setVisible(outdated)
        if camera is None:
            return
        pitch, roll = np.degrees(camera.measure_tilt())
        values = (
            (self.focal, camera.focal_mm),
            (self.film_mm, camera.film_back_mm),
            (self.pitch, pitch),
            (self.roll, roll),
            (self.height_m, camera.position[1]),
        )
        for spin, value in values:
            with QSignalBlocker(spin):
                spin.setValue(float(value))
        self.film_back.setCurrentIndex(find_film_back(camera))
        with QSignalBlocker(self.lock):
            self.lock.setChecked(camera.locked)
        for name, label in self.origins.items():
            label.setText(word_origin(camera.origin[name]))
        self._fields.setEnabled(not camera.locked)

    # ----------------------------------------------------------------- wishes

    def _change_focal(self, millimetres: float) -> None:
        camera = self._camera
        if camera is not None:
            pixels = millimetres * camera.width / camera.film_back_mm
            origin = {**camera.origin, "focal": Origin("user", 1.0)}
            self._put(tr("Change the focal length"), replace(camera, fx=pixels, fy=pixels, origin=origin))

    def _choose_film_back(self, index: int) -> None:
        camera = self._camera
        if camera is not None and index < len(FILM_BACKS):
            self._change_film_back(FILM_BACKS[index][1] * camera.width / max(camera.width, camera.height))
        else:
            self.film_mm.setFocus()
            self.film_mm.selectAll()

    def _change_film_back(self, millimetres: float) -> None:
        """Another film back: a focal length that was typed stays what it is, one that was solved sees what it saw."""
        camera = self._camera
        if camera is None:
            return
        changed = replace(camera, film_back_mm=millimetres)
        if camera.origin["focal"].source == "user":
            k = camera.film_back_mm / millimetres
            changed = replace(changed, fx=camera.fx * k, fy=camera.fy * k)
        self._put(tr("Change the film back"), changed)

    def _aim(self) -> None:
        if self._camera is not None:
            pitch, roll = np.radians([self.pitch.value(), self.roll.value()])
            project = aim_shot(self._document.project, float(pitch), float(roll), self.height_m.value())
            self._document.edit(tr("Aim the camera"), project)

    def _lock(self, locked: bool) -> None:
        if self._camera is not None:
            self._put(
                tr("Lock the camera") if locked else tr("Unlock the camera"), replace(self._camera, locked=locked)
            )

    def _put(self, label: str, camera: Camera) -> None:
        self._document.edit(label, put_camera(self._document.project, camera))


def word_film_back(name: str) -> str:
    """What a film back is called; makes and brands keep their names."""
    known = {
        "Full frame": tr("Full frame"),
        "Super 35": tr("Super 35"),
        "Academy 35": tr("Academy 35"),
        "65 mm": tr("65 mm"),
        "Super 16": tr("Super 16"),
    }
    return known.get(name, name)


def find_film_back(camera: Camera) -> int:
    """Which of FILM_BACKS the camera has, or their number where it has another."""
    long_mm = camera.film_back_mm * max(camera.width, camera.height) / camera.width
    found = (k for k, (_, length) in enumerate(FILM_BACKS) if abs(length - long_mm) < SAME_MM)
    return next(found, len(FILM_BACKS))


def is_outdated(project: Project) -> bool:
    """There is a set, and its camera has been changed by hand since."""
    shot = project.hero
    if not project.scenes() or shot.camera is None or shot.depth is None:
        return False
    return any(shot.camera.origin[name].source == "user" for name in ("focal", "rotation"))


def word_origin(origin: Origin) -> str:
    """Where a value came from, with how sure it is."""
    names = {
        "exif": tr("from the file"),
        "user": tr("set by hand"),
        "vanishing_points": tr("from vanishing lines"),
        "network": tr("from the network"),
        "prior": tr("a guess"),
    }
    sure = f" {100 * origin.confidence:.0f} %" if origin.source in ("vanishing_points", "network") else ""
    return names[origin.source] + sure


def _make_field(low: float, high: float, decimals: int, unit: str, told: object) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setRange(low, high)
    spin.setDecimals(decimals)
    spin.setSuffix(unit)
    spin.setKeyboardTracking(False)
    spin.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    spin.setMinimumWidth(64)
    spin.valueChanged.connect(told)
    return spin
