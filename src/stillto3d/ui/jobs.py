"""The job strip: what runs, how far it is, how long it may take, and what went wrong with what helps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QVBoxLayout, QWidget

from .. import __version__
from ..engine.jobs import MOMENTARY, Event, Job, JobState
from ..errors import Cancelled, Refusal
from ..words import tr
from .engine_thread import EngineThread
from .theme import make_icon

STEPS = 1000
ROW_PIXELS = 36
MOST_ROWS = 4
SHOW_MILLISECONDS = 200


class _Row(QWidget):
    """One job, or one error that nobody has dismissed."""

    closed = Signal()

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = QLabel(title)
        self.title.setProperty("heading", True)
        self.stage, self.clock = QLabel(), QLabel()
        self.stage.setProperty("quiet", True)
        self.clock.setProperty("quiet", True)
        self.stage.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = QProgressBar()
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(200)
        self.close_button = QToolButton()
        self.close_button.setIcon(make_icon("close"))
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(8, 4, 8, 4)
        self._layout.setSpacing(12)
        self.setMinimumHeight(ROW_PIXELS)
        for widget, stretch in ((self.title, 0), (self.stage, 1), (self.bar, 0), (self.clock, 0)):
            self._layout.addWidget(widget, stretch)
        self._layout.addWidget(self.close_button)

    def offer(self, text: str, does: Callable[[], object]) -> None:
        """A button more."""
        button = QToolButton()
        button.setText(text)
        button.clicked.connect(does)
        self._layout.insertWidget(self._layout.count() - 1, button)


@dataclass
class _Running:
    """A row whose job is not over."""

    row: _Row
    expected: float | None
    latest: Event | None = None
    started: float = 0.0

    def show(self) -> None:
        event, row = self.latest, self.row
        if event is None or event.state is JobState.QUEUED:
            return
        self.started = self.started or time.monotonic()
        row.bar.setValue(round(event.fraction * STEPS))
        row.stage.setText(event.text or tr("running"))
        spent = _word_time(time.monotonic() - self.started)
        expected = _word_time(self.expected or 0)
        row.clock.setText(tr("{spent} of about {expected}", spent=spent, expected=expected) if self.expected else spent)


class JobStrip(QWidget):
    """A row for every generation, opening and saving under way. Errors stay until they are dismissed."""

    hint_closed = Signal()
    """The hint shall not be shown again."""

    def __init__(self, engine: EngineThread, expect_seconds: Callable[[str], float | None]) -> None:
        super().__init__()
        self.setObjectName("jobs")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._engine, self._expect_seconds = engine, expect_seconds
        self._running: dict[str, _Running] = {}
        self._titles: dict[str, str] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._clock = QTimer(self)
        self._clock.setInterval(SHOW_MILLISECONDS)
        self._clock.timeout.connect(self._tick)
        engine.added.connect(self._add)
        engine.happened.connect(self._follow)
        self.hint, self.close_hint = QLabel(), QToolButton()
        self.hint.setProperty("quiet", True)
        self.close_hint.setIcon(make_icon("close"))
        self.close_hint.setToolTip(tr("Do not show this hint again"))
        self.close_hint.setAccessibleName(tr("Do not show this hint again"))
        self.close_hint.clicked.connect(self.hint_closed)
        self._hint_row = QWidget()
        row = QHBoxLayout(self._hint_row)
        row.setContentsMargins(8, 4, 8, 4)
        row.addWidget(self.hint, 1)
        row.addWidget(self.close_hint)
        self._layout.addWidget(self._hint_row)
        self.show_hint("")
        self.setMinimumHeight(ROW_PIXELS)  # the panes above keep their size when rows come and go

    def _settle(self) -> None:
        """The hint stands where there is nothing else."""
        rows = [self._layout.itemAt(k) for k in range(self._layout.count())]
        shown = [row for item in rows if item is not None and isinstance(row := item.widget(), _Row)]
        for k, row in enumerate(shown):
            row.setVisible(k < MOST_ROWS)  # those behind show when one before them has gone
        self._hint_row.setVisible(not shown)

    def show_hint(self, text: str) -> None:
        """Say what can be done next, while nothing runs; "" says nothing."""
        self.hint.setText(text)
        self.close_hint.setVisible(bool(text))

    def name(self, label: str, title: str) -> None:
        """What jobs of a label are called here."""
        self._titles[label] = title

    def show_error(self, title: str, error: BaseException, again: Callable[[], object] | None = None) -> None:
        """Say what went wrong and what helps."""
        if isinstance(error, Cancelled):
            return
        row = _Row(title)
        row.stage.setText(
            str(error) if isinstance(error, Refusal) else tr("This is a mistake of ours: {what}", what=error)
        )
        row.stage.setProperty("quiet", False)
        row.stage.setWordWrap(True)
        row.bar.hide()
        row.setObjectName("error")
        details = f"stillto3d {__version__}\n{title}: {error}\n{getattr(error, 'evidence', '')}"
        row.offer(tr("Copy details"), lambda: QGuiApplication.clipboard().setText(details))
        if again is not None:
            row.offer(tr("Try again"), lambda: self._try_again(row, again))
        row.close_button.setToolTip(tr("Dismiss"))
        row.close_button.clicked.connect(lambda: self._remove(row))
        self._layout.addWidget(row)
        self._settle()

    def _try_again(self, row: _Row, again: Callable[[], object]) -> None:
        self._remove(row)
        again()

    def show_offer(
        self, text: str, offers: Sequence[tuple[str, Callable[[], object]]], refuse: Callable[[], object]
    ) -> None:
        """Offer something; taking any of the offers, or refusing, takes the row away."""
        row = _Row(text)
        row.setObjectName("offer")
        row.bar.hide()
        for label, does in offers:
            row.offer(label, partial(self._try_again, row, does))
        row.close_button.setToolTip(tr("Dismiss"))
        row.close_button.clicked.connect(partial(self._try_again, row, refuse))
        self._layout.addWidget(row)
        self._settle()

    def take_offer(self, label: str) -> None:
        """Take the first offer that is called so."""
        for _, buttons in self.list_offers():
            if label in buttons:
                buttons[label].click()
                return

    def list_offers(self) -> list[tuple[str, dict[str, QToolButton]]]:
        """The offers that are shown, with their buttons by their words; the one without any refuses."""
        rows = self.findChildren(_Row, "offer")
        return [(row.title.text(), {b.text(): b for b in row.findChildren(QToolButton)}) for row in rows]

    def show_notes(self, title: str, notes: Sequence[str]) -> None:
        """Say what a person should know, though nothing went wrong."""
        for note in filter(None, notes):
            row = _Row(title)
            row.stage.setText(tr(note))
            row.bar.hide()
            row.close_button.setToolTip(tr("Dismiss"))
            row.close_button.clicked.connect(partial(self._remove, row))
            self._layout.addWidget(row)
        self._settle()

    def dismiss_all(self) -> None:
        """Take the errors away."""
        for row in self.findChildren(_Row, "error"):
            self._remove(row)

    def list_errors(self) -> list[str]:
        """The errors that are shown."""
        rows = self.findChildren(_Row)
        return [row.stage.text() for row in rows if isinstance(row, _Row) and row.objectName() == "error"]

    def _add(self, job: Job) -> None:
        if job.lane in MOMENTARY or job.key == "autosave":
            return
        row = _Row(self._titles.get(job.label, job.label))
        row.stage.setText(tr("waiting"))
        row.close_button.setToolTip(tr("Cancel"))
        row.close_button.clicked.connect(lambda: self._engine.cancel(job.id))
        self._running[job.id] = _Running(row, self._expect_seconds(job.label))
        self._layout.addWidget(row)
        self._settle()
        self._clock.start()

    def _follow(self, job: Job, event: Event) -> None:
        running = self._running.get(job.id)
        if running is None:
            return
        if event.state.final:
            del self._running[job.id]
            self._remove(running.row)
        else:
            running.latest = event

    def _tick(self) -> None:
        """Show what is new, a few times a second: drawing costs more than hearing."""
        for running in self._running.values():
            running.show()
        if not self._running:
            self._clock.stop()

    def _remove(self, row: _Row) -> None:
        self._layout.removeWidget(row)
        row.setParent(None)
        row.deleteLater()
        self._settle()


def _word_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
