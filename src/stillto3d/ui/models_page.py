"""The models' page: what there is for each step, its state and licence; installing, pausing, choosing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ..errors import BadInput
from ..models.catalog import Catalog, ModelCard, State, Store
from ..models.files import format_bytes, word_bytes
from ..models.policy import read_region, word_refusal
from ..models.roles import ROLES
from ..project.project import Policy
from ..words import tr

STEPS = 1000
MODEL = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class ModelFacts:
    """What the page shows of a model, gathered on a thread: `refusal` is why the policy does not allow it, or ""."""

    card: ModelCard
    state: State
    reason: str
    remedy: str
    refusal: str
    disk_bytes: int


def gather_facts(catalog: Catalog, store: Store, policy: Policy) -> list[ModelFacts]:
    """Every model, the best of each role first. Reads the disk."""
    facts = []
    for role in ROLES:
        for card in (card for card in catalog.for_role(role) if card.role == role):
            found = store.check(card)
            told = found.reason, found.remedy, word_refusal(policy, card), store.measure_disk(card)
            facts.append(ModelFacts(card, found.state, *told))
    return facts


def word_state(state: State) -> str:
    """A state as a person reads it."""
    words = {
        State.BUILTIN: tr("comes with the app"),
        State.READY: tr("ready"),
        State.NOT_INSTALLED: tr("not installed"),
        State.INSTALLING: tr("installing"),
        State.OUTDATED: tr("outdated"),
        State.BROKEN: tr("broken"),
        State.UNSUPPORTED: tr("cannot run here"),
    }
    return words[state]


class ModelsPage(QDialog):
    """Shows facts and asks for deeds by signals; it does nothing by itself."""

    install_asked = Signal(str)
    pause_asked = Signal(str)
    remove_asked = Signal(str)
    policy_asked = Signal(object)

    def __init__(self, policy: Policy, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("models")
        self.setWindowTitle(tr("Models"))
        self.policy = policy
        self._facts: dict[str, ModelFacts] = {}
        self._running: dict[str, float] = {}
        self.use, self.region = QComboBox(), QLineEdit(policy.region)
        self.use.addItem(tr("research"), "research")
        self.use.addItem(tr("commercial work"), "commercial")
        self.use.setCurrentIndex(self.use.findData(policy.use))
        self.region.setPlaceholderText(tr("country, such as DE"))
        self.region.setMaxLength(2)
        self.memory, self.disk, self.told = QLabel(), QLabel(), QLabel()
        self.told.setWordWrap(True)
        self.told.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.list = QTreeWidget()
        self.list.setHeaderLabels([tr("Model"), tr("State"), tr("Licence"), tr("On disk")])
        for column, width in enumerate((470, 130, 230)):
            self.list.setColumnWidth(column, width)
        self.bar = QProgressBar()
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setVisible(False)
        self._doing = ""
        self.install, self.remove, self.choose = QPushButton(), QPushButton(tr("Remove")), QPushButton()
        self._lay_out()
        self.list.currentItemChanged.connect(lambda *_: self._show())
        self.use.activated.connect(self._change_policy)
        self.region.editingFinished.connect(self._change_policy)
        self.install.clicked.connect(self._press_install)
        self.remove.clicked.connect(lambda: self.remove_asked.emit(self.selected()))
        self.choose.clicked.connect(self._press_choose)
        self.resize(980, 680)

    def _lay_out(self) -> None:
        rules, deeds, column = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        for part in (QLabel(tr("This project is for")), self.use, QLabel(tr("used in")), self.region):
            rules.addWidget(part)
        rules.addStretch(1)
        for button in (self.install, self.remove, self.choose):
            deeds.addWidget(button)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        deeds.addStretch(1)
        deeds.addWidget(buttons)
        column.addLayout(rules)
        for label in (self.memory, self.disk):
            label.setProperty("quiet", True)
            column.addWidget(label)
        column.addWidget(self.list, 1)
        column.addWidget(self.told)
        column.addWidget(self.bar)
        column.addLayout(deeds)

    def selected(self) -> str:
        """The id of the selected model, or ""."""
        item = self.list.currentItem()
        return "" if item is None else str(item.data(0, MODEL) or "")

    def show_facts(self, facts: Sequence[ModelFacts], free_bytes: int) -> None:
        """Fill the list; what was selected stays so."""
        kept = self.selected()
        self._facts = {fact.card.id: fact for fact in facts}
        self.list.clear()
        roles: dict[str, QTreeWidgetItem] = {}
        for fact in facts:
            role = fact.card.role
            if role not in roles:
                roles[role] = QTreeWidgetItem(self.list, [role])
                roles[role].setExpanded(True)
            mark = "✓ " if self.policy.find_choice(role) == fact.card.id else ""
            licence = fact.card.licence.weights or fact.card.licence.code
            state = tr("not allowed here") if fact.refusal else word_state(fact.state)
            size = format_bytes(fact.disk_bytes) if fact.disk_bytes else ""
            item = QTreeWidgetItem(roles[role], [mark + tr(fact.card.title), state, licence, size])
            item.setData(0, MODEL, fact.card.id)
            if fact.card.id == kept:
                self.list.setCurrentItem(item)
        used = sum(fact.disk_bytes for fact in facts if fact.state is not State.BUILTIN)
        self.disk.setText(
            tr("Disk: {used} in installed models, {free} free", used=format_bytes(used), free=format_bytes(free_bytes))
        )
        self._show()

    def show_memory(self, text: str) -> None:
        """What holds memory now, as a sentence."""
        self.memory.setText(text)

    def show_progress(self, model: str, fraction: float | None, text: str = "") -> None:
        """How far an installing is; None when it is over."""
        self._doing = text
        if fraction is None:
            self._running.pop(model, None)
        else:
            self._running[model] = fraction
        if model == self.selected():
            self._show()

    def _show(self) -> None:
        fact = self._facts.get(self.selected())
        for button in (self.install, self.remove, self.choose):
            button.setVisible(fact is not None)
        self.bar.setVisible(fact is not None and fact.card.id in self._running)
        if fact is None:
            self.told.setText(tr("Choose a model to read about it."))
            return
        card, running = fact.card, fact.card.id in self._running
        self.bar.setValue(round(STEPS * self._running.get(card.id, 0.0)))
        self.told.setText("\n".join([*_list_lines(fact), *([self._doing] if running and self._doing else [])]))
        size = word_bytes(card.download_bytes, tr("size unknown until asked"))
        paused = fact.disk_bytes > 0 and fact.state is State.NOT_INSTALLED
        words = tr("Resume") if paused else tr("Install ({size})", size=size)
        self.install.setText(tr("Pause") if running else words)
        shipped = card.environment == "builtin" or not card.has_files
        done = fact.state in (State.READY, State.UNSUPPORTED)
        self.install.setVisible(not shipped)
        self.install.setEnabled(running or not (done or fact.refusal))
        self.remove.setVisible(not shipped)
        self.remove.setEnabled(fact.disk_bytes > 0 and not running)
        chosen = self.policy.find_choice(card.role) == card.id
        self.choose.setText(tr("Choose by itself again") if chosen else tr("Use in this project"))
        usable = fact.state in (State.READY, State.BUILTIN) and not fact.refusal
        self.choose.setEnabled(chosen or usable)

    def _press_install(self) -> None:
        model = self.selected()
        (self.pause_asked if model in self._running else self.install_asked).emit(model)

    def _press_choose(self) -> None:
        card = self._facts[self.selected()].card
        chosen = self.policy.find_choice(card.role) == card.id
        self._ask(self.policy.choose(card.role, None if chosen else card.id))

    def _change_policy(self) -> None:
        try:
            region = read_region(self.region.text())
        except BadInput as refusal:
            region = self.policy.region
            self.told.setText(str(refusal))
        self.region.setText(region)
        self._ask(Policy(str(self.use.currentData()), region, self.policy.choices))

    def _ask(self, policy: Policy) -> None:
        if policy != self.policy:
            self.policy = policy
            self.policy_asked.emit(policy)


def _list_lines(fact: ModelFacts) -> list[str]:
    card = fact.card
    lines = [f"{tr(card.title)} ({card.id})"]
    lines += [tr("Not allowed in this project: {why}", why=fact.refusal)] if fact.refusal else []
    state = f"{word_state(fact.state)}: {fact.reason} {fact.remedy}" if fact.reason else word_state(fact.state)
    lines.append(state.strip())
    terms = tr(card.licence.terms) if card.licence.terms else ""
    weights = card.licence.weights or tr("none")
    told = tr("Licence of the weights: {weights}; of the code: {code}.", weights=weights, code=card.licence.code)
    lines.append(f"{told} {terms}".strip())
    lines += [tr("It brings along {name} ({licence}).", name=part.name, licence=part.licence) for part in card.brings]
    if card.environment != "builtin":
        seen = card.verified or tr("never; its answers have not been looked at with real weights")
        lines.append(tr("Verified: {when}", when=seen))
    lines += [tr(card.limits)] if card.limits else []
    return lines
