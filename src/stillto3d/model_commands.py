"""The command line's `models`: what there is, installing, proving, removing, bundles, licences, environments."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .errors import BadInput, NotInstalled
from .models.card import ModelCard
from .models.catalog import Catalog
from .models.files import format_bytes, word_bytes
from .models.policy import read_region, word_refusal
from .models.roles import ROLES
from .models.store import Store
from .project.project import Policy
from .settings import find_folders, load_settings
from .studio import Studio, open_store
from .words import tr

Model = Annotated[str, typer.Argument(help=tr("The model's id, as `models list` shows it."), show_default=False)]
Models = Annotated[
    list[str] | None, typer.Argument(help=tr("Ids of models; without any, all that are installed."), show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help=tr("Answer in JSON, for machines."))]
Use = Annotated[str, typer.Option("--use", help=tr("Judge by this use: research or commercial."))]
Region = Annotated[str, typer.Option("--region", help=tr("Judge by this region: an ISO 3166 code, such as DE."))]
ProjectUse = Annotated[
    str | None,
    typer.Option("--use", help=tr("What the project is for: research or commercial."), show_default=False),
]
ProjectRegion = Annotated[
    str | None,
    typer.Option("--region", help=tr("Where the project is used: an ISO 3166 code, such as DE."), show_default=False),
]
ProjectChoices = Annotated[
    list[str] | None,
    typer.Option(
        "--choose",
        help=tr("ROLE=MODEL: the model that answers a role in this project; ROLE=auto: the best. May be repeated."),
        show_default=False,
    ),
]
Guard = Callable[[Callable[..., None]], Callable[..., None]]
OpenStudio = Callable[[bool], AbstractContextManager[Studio]]


def add_commands(app: typer.Typer, guard: Guard, open_studio: OpenStudio) -> None:
    """Give `app` every command of this file; `guard` words what goes wrong, `open_studio` shows progress."""
    commands: tuple[tuple[str, str, Callable[..., None]], ...] = (
        ("list", tr("List the models and whether they can be used."), list_models),
        ("show", tr("Say everything that is known of a model."), show_model),
        (
            "install",
            tr("Install a model from the hub, a folder or a bundle; Ctrl-C pauses."),
            make_install(open_studio),
        ),
        (
            "verify",
            tr("Prove the files of installed models, and look into their environments."),
            make_verify(open_studio),
        ),
        ("remove", tr("Delete a model's files."), remove_model),
        (
            "bundle",
            tr("Pack installed models into one file, for a machine without a network."),
            make_bundle(open_studio),
        ),
        ("environment", tr("Make an environment that models run in."), make_environment(open_studio)),
        ("licences", tr("List the licences of models, of their weights and of what they bring along."), list_licences),
    )
    for name, meaning, command in commands:
        app.command(name, help=meaning)(guard(command))


def _open() -> tuple[Catalog, Store]:
    folders = find_folders()
    return Catalog(), open_store(folders, load_settings(folders))


def _echo_json(answer: Any) -> None:
    typer.echo(json.dumps(answer, ensure_ascii=True, indent=1))


def _echo_table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    table = Table(*heads, box=None)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)


def _say(text: str) -> str:
    """What a card says, in the person's language."""
    return tr(text) if text else ""


def _check_policy(use: str, region: str) -> Policy:
    if use not in ("research", "commercial"):
        raise BadInput("{name} cannot be {value}: {why}", name="use", value=use, why="research, commercial")
    return Policy(use, read_region(region))


@dataclass(frozen=True)
class Rules:
    """What a person asks of a project's policy; None and nothing leave it as it is."""

    use: str | None = None
    region: str | None = None
    choices: Sequence[str] = ()

    def change(self, policy: Policy) -> Policy:
        """The policy with what is asked. Raises BadInput for what no policy can be."""
        asked = _check_policy(policy.use if self.use is None else self.use, self.region or "")
        region = policy.region if self.region is None else asked.region
        changed = Policy(asked.use, region, policy.choices)
        for choice in self.choices:
            role, equals, model = (part.strip() for part in choice.partition("="))
            if not equals or role not in ROLES:
                message, remedy = "{choice} is no choice of a model.", "Say ROLE=MODEL, with a role of: {roles}."
                raise BadInput(message, remedy, choice=choice, roles=", ".join(ROLES))
            changed = changed.choose(role, None if model in ("", "auto") else model)
        return changed

    def refuse_unusable(self, policy: Policy, catalog: Catalog, store: Store) -> None:
        """Raise BadInput or NotInstalled for a model that was asked for and cannot be used under the policy."""
        for choice in self.choices:
            role = choice.partition("=")[0].strip()
            model = policy.find_choice(role)
            if model is not None:
                catalog.choose(role, model, policy, store)


def _describe(card: ModelCard, store: Store, policy: Policy) -> dict[str, Any]:
    """A model and its state as plain values."""
    found, manifest = store.check(card), store.read_installed(card)
    return {
        **card.model_dump(mode="json"),
        "state": found.state.name,
        "reason": found.reason,
        "remedy": found.remedy,
        "refused": word_refusal(policy, card),
        "disk_bytes": store.measure_disk(card),
        "installed": manifest.model_dump(mode="json") if manifest else None,
    }


def list_models(
    role: Annotated[str, typer.Option("--role", help=tr("Only models of this role."))] = "",
    use: Use = "research",
    region: Region = "",
    as_json: AsJson = False,
) -> None:
    """List the models."""
    catalog, store = _open()
    policy = _check_policy(use, region)
    cards = [card for card in catalog.cards.values() if not role or role in card.roles]
    if as_json:
        _echo_json([_describe(card, store, policy) for card in cards])
        return
    rows = []
    for card in cards:
        found = store.check(card)
        refused = word_refusal(policy, card)
        about = refused or (_say(card.title) if found.usable else f"{found.reason} {found.remedy}")
        licence = card.licence.weights or card.licence.code
        size = store.measure_disk(card) or card.download_bytes
        rows.append((card.id, card.role, found.state.name, licence, word_bytes(size, tr("unknown")), about))
    _echo_table((tr("Model"), tr("Role"), tr("State"), tr("Licence"), tr("Size"), tr("What it is")), rows)


def show_model(model: Model, use: Use = "research", region: Region = "", as_json: AsJson = False) -> None:
    """Say everything that is known of a model."""
    catalog, store = _open()
    card, policy = catalog.find(model), _check_policy(use, region)
    if as_json:
        _echo_json(_describe(card, store, policy))
        return
    for name, value in _list_facts(card, store, policy):
        typer.echo(f"{name}: {value}")


def _list_facts(card: ModelCard, store: Store, policy: Policy) -> Iterable[tuple[str, str]]:
    """What a person wants to know of a model, line by line; unknown things say so."""
    unknown = tr("unknown")
    found = store.check(card)
    yield tr("Model"), f"{card.id} {card.version}"
    yield tr("What it is"), _say(card.title)
    yield tr("Role"), ", ".join(card.roles)
    yield tr("State"), " ".join(part for part in (found.state.name, found.reason, found.remedy) if part)
    yield tr("Allowed"), word_refusal(policy, card) or tr("yes")
    yield tr("Licence of the code"), card.licence.code
    yield tr("Licence of the weights"), card.licence.weights or tr("none")
    yield tr("Commercial use"), _word_commercial(card)
    for part in card.brings:
        how = tr("downloaded by the model itself") if part.downloads else tr("needed by the model")
        yield tr("Brings along"), f"{part.name} ({part.licence}), {how}"
    yield tr("From"), card.repository or _say(card.release) or tr("comes with the app")
    if card.upstream:
        yield tr("Needs the code of"), card.upstream
    if card.gated:
        yield tr("Gate"), tr("its terms must be accepted on the hub, and a token is needed")
    yield tr("Download"), word_bytes(card.download_bytes, unknown)
    yield tr("On disk"), format_bytes(store.measure_disk(card))
    yield tr("Environment"), card.environment
    yield tr("Runs on"), ", ".join(card.devices)
    yield tr("Video memory"), _word_vram(card)
    yield tr("How weights are read"), _say(card.exception) or card.loading
    yield tr("Verified"), card.verified or (tr("with the app") if card.environment == "builtin" else tr("never"))
    yield tr("Limits"), _say(card.limits)
    for parameter in card.parameters:
        span = (
            ", ".join(map(str, parameter.choices)) or f"{_word_number(parameter.low)} - {_word_number(parameter.high)}"
        )
        yield parameter.name, f"{_say(parameter.help)} [{span}; {parameter.default}]"


def _word_number(value: float | None) -> str:
    whole = value is not None and value == int(value)
    return str(int(value)) if whole and value is not None else str(value)


def _word_commercial(card: ModelCard) -> str:
    words = {"yes": tr("yes"), "terms": tr("under its terms"), "no": tr("no")}
    excluded = ", ".join(card.licence.excluded_regions)
    told = [words[card.commercial], _say(card.licence.terms)]
    told += [tr("not in {regions}", regions=excluded)] if excluded else []
    return "; ".join(part for part in told if part)


def _word_vram(card: ModelCard) -> str:
    vram, unknown = card.vram, tr("unknown")
    documented = (
        f"{vram.documented_bytes / 2**30:.1f} GB ({_say(vram.documented_in)})" if vram.documented_bytes else unknown
    )
    measured = f"{vram.measured_bytes / 2**30:.1f} GB ({vram.measured_on})" if vram.measured_bytes else unknown
    return tr("documented: {documented}; measured: {measured}", documented=documented, measured=measured)


# --------------------------------------------------------------------------- install, verify, remove, bundle


def make_install(open_studio: OpenStudio) -> Callable[..., None]:
    """The command that installs."""

    def install(
        model: Annotated[str, typer.Argument(help=tr("A model's id, or a bundle's file."), show_default=False)],
        source: Annotated[
            Path | None, typer.Option("--from", help=tr("Take the files from this folder."), show_default=False)
        ] = None,
        yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask before a download."))] = False,
        as_json: AsJson = False,
    ) -> None:
        """Install a model."""
        with open_studio(as_json) as studio:
            if model not in studio.catalog.cards and Path(model).is_file():
                done = list(studio.wait(studio.install_bundle(Path(model))))
            else:
                card = studio.catalog.find(model)
                if source is None and not as_json:
                    _announce(studio.store, card, yes)
                done = [studio.wait(studio.install(model, source))]
            found = [studio.store.check(studio.catalog.find(one.id)) for one in done]
        if as_json:
            _echo_json([one.model_dump(mode="json") for one in done])
            return
        for one, state in zip(done, found, strict=True):
            size = format_bytes(one.bytes)
            typer.echo(tr("Installed: {model}, {size}.", model=one.id, size=size))
            if not state.usable:
                typer.echo(f"{one.id}: {state.reason} {state.remedy}")

    return install


def _announce(store: Store, card: ModelCard, yes: bool) -> None:
    """Say the licence and the bytes before a download; a person at a terminal is asked."""
    plan = store.plan(card)
    told = tr(
        "{model}: {size} to download, {free} free; licence of the weights: {licence}.",
        model=card.id,
        size=format_bytes(plan.bytes),
        free=format_bytes(plan.free_bytes),
        licence=card.licence.weights,
    )
    typer.echo(" ".join(part for part in (told, _say(card.licence.terms)) if part))
    if not yes and Console().is_terminal and not typer.confirm(tr("Download it?")):
        raise typer.Exit


def make_verify(open_studio: OpenStudio) -> Callable[..., None]:
    """The command that proves."""

    def verify(models: Models = None, as_json: AsJson = False) -> None:
        """Prove the files of installed models."""
        with open_studio(as_json) as studio:
            store = studio.store
            cards = [studio.catalog.find(model) for model in models or ()]
            cards = cards or [c for c in studio.catalog.cards.values() if c.weights or store.read_installed(c)]
            cards = [c for c in cards if models or c.environment == "builtin" or store.read_installed(c)]
            wrong = {card.id: studio.wait(studio.verify(card.id)) for card in cards}
            names = {card.environment for card in cards} - {"builtin"}
            environments = store.environments
            looked = {name: environments.diagnose(name) for name in sorted(names)} if environments else {}
        whole = not any(wrong.values()) and not any(found.faults for found in looked.values())
        if as_json:
            faults = {name: {"faults": found.faults, "remedy": found.remedy} for name, found in looked.items()}
            _echo_json({"whole": whole, "models": wrong, "environments": faults})
        else:
            for model, files in wrong.items():
                again = tr("Install it again.")
                typer.echo(f"{model}: " + (f"{', '.join(files)} {tr('damaged')}. {again}" if files else tr("whole")))
            for name, found in looked.items():
                typer.echo(
                    f"{name}: " + (f"{'; '.join(found.faults)}. {found.remedy}" if found.faults else tr("whole"))
                )
        if not whole:
            raise typer.Exit(NotInstalled.exit_code)

    return verify


def remove_model(model: Model, as_json: AsJson = False) -> None:
    """Delete a model's files."""
    catalog, store = _open()
    freed = store.remove(catalog.find(model))
    if as_json:
        _echo_json({"removed": model, "freed_bytes": freed})
    else:
        typer.echo(tr("Removed: {model}, {size} freed.", model=model, size=format_bytes(freed)))


def make_bundle(open_studio: OpenStudio) -> Callable[..., None]:
    """The command that packs."""

    def bundle(
        to: Annotated[Path, typer.Option("--to", help=tr("The file to write."), show_default=False)],
        models: Models = None,
        as_json: AsJson = False,
    ) -> None:
        """Pack installed models into one file."""
        with open_studio(as_json) as studio:
            installed = [card.id for card in studio.catalog.cards.values() if studio.store.read_installed(card)]
            if not models and not installed:
                raise BadInput("No model is installed, so there is nothing to pack.", "Install one first.")
            index = studio.wait(studio.write_bundle(models or installed, to))
        if as_json:
            _echo_json({"file": str(to), "models": [model.id for model in index.models]})
        else:
            typer.echo(tr("Written: {path}", path=to))

    return bundle


def make_environment(open_studio: OpenStudio) -> Callable[..., None]:
    """The command that makes environments."""

    def environment(
        name: Annotated[str, typer.Argument(help=tr("The environment's name, such as models."))] = "models",
        as_json: AsJson = False,
    ) -> None:
        """Make an environment that models run in."""
        with open_studio(as_json) as studio:
            python = studio.wait(studio.make_environment(name))
        if as_json:
            _echo_json({"environment": name, "python": str(python)})
        else:
            typer.echo(tr("Made: {path}", path=python))

    return environment


def list_licences(models: Models = None, use: Use = "research", region: Region = "", as_json: AsJson = False) -> None:
    """List the licences of models; of all when none is named."""
    catalog, store = _open()
    policy = _check_policy(use, region)
    cards = [catalog.find(model) for model in models] if models else list(catalog.cards.values())
    rows = [
        {
            "id": card.id,
            **card.licence.model_dump(mode="json"),
            "commercial": card.commercial,
            "brings": [part.model_dump(mode="json") for part in card.brings],
            "installed": store.check_files(card).usable,
            "refused": word_refusal(policy, card),
        }
        for card in cards
    ]
    if as_json:
        _echo_json(rows)
        return
    table = []
    for card, row in zip(cards, rows, strict=True):
        brings = "; ".join(f"{part.name}: {part.licence}" for part in card.brings)
        allowed = str(row["refused"]) or tr("yes")
        table.append((card.id, card.licence.code, card.licence.weights, _word_commercial(card), brings, allowed))
    heads = (tr("Model"), tr("Code"), tr("Weights"), tr("Commercial use"), tr("Brings along"), tr("Allowed"))
    _echo_table(heads, table)
