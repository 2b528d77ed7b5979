"""The command line: commands generated from the pipelines table, and a few of its own."""

from __future__ import annotations

import functools
import inspect as introspection
import json
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from . import __version__
from .engine.jobs import Event, Job
from .errors import BadInput, Bug, Cancelled, Refusal, StillTo3DError, word_os_error
from .formats.options import WriteOptions
from .formats.shot_folder import Outcome, write_shot_folder
from .formats.staging import recover
from .model_commands import ProjectChoices, ProjectRegion, ProjectUse, Rules, add_commands
from .models.roles import Match
from .pipelines import PIPELINES, Pipeline
from .project.project import Patch, Policy, apply_patch
from .settings import find_folders
from .studio import Studio
from .words import find_resources, tr

app = typer.Typer(
    name="stillto3d",
    help=tr("Turn a film still into masks, a metric 3D set, textured props and a solved camera."),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models_app = typer.Typer(help=tr("What models there are; install, prove and remove them."), no_args_is_help=True)
app.add_typer(models_app, name="models")

Input = Annotated[Path, typer.Argument(help=tr("A still, or a project (.s3d)."), show_default=False)]
Out = Annotated[Path, typer.Option("--out", "-o", help=tr("Folder for the results."))]
AsJson = Annotated[bool, typer.Option("--json", help=tr("Answer in JSON, for machines."))]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; answers its exit code (see `errors`)."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app(args=arguments, prog_name="stillto3d")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    return 0


def _guard(command: Callable[..., None]) -> Callable[..., None]:
    """The command, with whatever goes wrong said in words and told by the exit code."""

    @functools.wraps(command)
    def guarded(**options: Any) -> None:
        as_json = bool(options.get("as_json"))
        try:
            command(**options)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            raise typer.Exit(_show_error(Cancelled(), as_json)) from None
        except StillTo3DError as error:
            raise typer.Exit(_show_error(error, as_json)) from error
        except BrokenPipeError:  # whoever read our output has enough
            raise
        except OSError as error:
            raise typer.Exit(_show_error(word_os_error(error, error.filename or ""), as_json)) from error
        except Exception as error:
            bug = Bug(f"{type(error).__name__}: {error}", traceback.format_exc())
            raise typer.Exit(_show_error(bug, as_json)) from error

    return guarded


def _show_error(error: StillTo3DError, as_json: bool) -> int:
    sentence = str(error)
    evidence = getattr(error, "evidence", "")
    if not isinstance(error, Refusal):
        sentence = tr("This is a mistake of ours: {what}", what=sentence)
    if evidence:
        sentence += " " + tr("Details: {path}", path=_keep_evidence(error, evidence))
    if as_json:
        answer = {"error": type(error).__name__, "message": sentence, "exit_code": error.exit_code}
        typer.echo(json.dumps(answer, ensure_ascii=True))
    else:
        Console(stderr=True, soft_wrap=True).print(escape(_printable(sentence)), highlight=False)
    return error.exit_code


def _keep_evidence(error: StillTo3DError, evidence: str) -> Path:
    folder = find_folders().cache / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{type(error).__name__}.txt"
    path.write_text(f"stillto3d {__version__}\n{error}\n\n{evidence}\n", encoding="utf-8", errors="replace")
    return path


def _printable(text: str) -> str:
    """The text without what a terminal would obey or cannot encode."""
    shown = "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
    encoding = sys.stderr.encoding or "utf-8"
    return shown.encode(encoding, "replace").decode(encoding)


# --------------------------------------------------------------------------- progress


class _Bar:
    """A progress bar on a terminal; nothing when piped."""

    def __init__(self, quiet: bool) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task("", total=1.0)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._progress.stop()

    def hear(self, event: Event) -> None:
        """Show the newest state of the job at hand."""
        self._progress.update(self._task, completed=event.fraction, description=escape(_printable(event.text)))


@contextmanager
def _open_studio(as_json: bool) -> Iterator[Studio]:
    with _Bar(quiet=as_json) as bar, Studio.open(on_event=bar.hear) as studio:
        yield studio


# --------------------------------------------------------------------------- pipelines as commands


def _make_command(pipeline: Pipeline) -> Callable[..., None]:
    """A typer command whose options are the fields of the pipeline's parameters."""

    def command(
        source: Path,
        out: Path,
        as_json: bool,
        use: str | None,
        region: str | None,
        choose: list[str] | None,
        **options: Any,
    ) -> None:
        given = {name: value for name, value in options.items() if value not in (None, [])}
        with _open_studio(as_json) as studio:
            outcome = run_pipeline(studio, pipeline, source, out, given, Rules(use, region, choose or ()))
        _show_outcome(outcome, as_json)

    kinds = {
        "source": (Input, introspection.Parameter.empty),
        "out": (Out, Path("out")),
        "as_json": (AsJson, False),
        "use": (ProjectUse, None),
        "region": (ProjectRegion, None),
        "choose": (ProjectChoices, None),
    }
    options = {name: _make_option(name, field) for name, field in pipeline.params.model_fields.items()}
    parameters = [
        introspection.Parameter(name, introspection.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
        for name, (kind, default) in {**kinds, **options}.items()
    ]
    command.__signature__ = introspection.Signature(parameters)  # type: ignore[attr-defined]
    command.__doc__ = tr(pipeline.title)
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _make_option(name: str, field: FieldInfo) -> tuple[Any, Any]:
    """The annotation and default of the option for one parameter."""
    option = typer.Option(
        f"--{name.replace('_', '-')}", help=tr(field.description or ""), show_default=bool(field.default)
    )
    kind: Any = field.annotation
    if get_args(kind)[1:] == (Ellipsis,):
        return Annotated[list[get_args(kind)[0]], option], []  # type: ignore[misc]
    if get_origin(kind) is Literal:  # the pipeline's own check says what may be chosen
        return Annotated[str, option], field.default
    members = [member for member in get_args(kind) if member is not NoneType]
    if members:
        return Annotated[members[0] | None, option], field.default
    return Annotated[kind, option], field.default


def run_pipeline(
    studio: Studio, pipeline: Pipeline, source: Path, out: Path, params: dict[str, Any], rules: Rules | None = None
) -> Outcome:
    """Read, run, and write the folder of results; every stage is timed. `rules` change the project's policy."""
    started = time.monotonic()
    rules = rules or Rules()
    studio.check_params(pipeline, params)
    if source.suffix.lower() != ".s3d":  # a saved project tells its own policy first
        studio.warm(pipeline, rules.change(Policy()))
    recover(out)
    seconds: dict[str, float] = {}
    tell_lost(studio)
    project, warnings = studio.open_source(source)
    project = replace(project, policy=rules.change(project.policy))
    rules.refuse_unusable(project.policy, studio.catalog, studio.store)
    seconds["read"] = time.monotonic() - started
    patch: Patch = studio.wait(studio.submit(pipeline.name, project, params, source.resolve()))
    seconds |= patch.notes.get("seconds", {pipeline.name: time.monotonic() - started - seconds["read"]})
    project = apply_patch(project, patch)
    match: Match | None = patch.notes.get("match")
    job: Job = studio.engine.submit(
        "write", lambda run: write_shot_folder(run, project, out, seconds, match, patch.notes, warnings)
    )
    outcome: Outcome = studio.wait(job)
    return outcome


def tell_lost(studio: Studio) -> None:
    """Say once what an earlier command lost when it was ended, and how to have it again."""
    for lost in studio.list_lost():
        told = tr(
            "An earlier {step} of {path} was ended before it was done; nothing of it was kept. Run it again.",
            step=lost.record.pipeline,
            path=lost.record.project_path,
        )
        typer.echo(_printable(told), err=True)
        studio.forget(lost)


def _show_outcome(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"out": str(outcome.folder), "report": outcome.report}, ensure_ascii=True, indent=1))
        return
    console = Console(soft_wrap=True)
    for line in outcome.describe():
        console.print(escape(_printable(line)), highlight=False)


for _pipeline in PIPELINES.values():
    app.command(_pipeline.name, help=tr(_pipeline.title))(_guard(_make_command(_pipeline)))


# --------------------------------------------------------------------------- the face's own commands


@app.command(help=tr("Write a project to a file; the suffix chooses the format."))
@_guard
def export(
    project: Annotated[Path, typer.Argument(help=tr("A project, a still, or a mesh."), show_default=False)],
    to: Annotated[Path | None, typer.Option("--to", help=tr("The file to write."), show_default=False)] = None,
    program: Annotated[
        str | None,
        typer.Option("--for", help=tr("Make a folder for blender, maya, houdini, nuke, unreal or web (into --out).")),
    ] = None,
    out: Out = Path("out"),
    content: Annotated[str, typer.Option(help=tr("For PLY: auto, points, mesh or splats."))] = "auto",
    texture: Annotated[str, typer.Option(help=tr("How textures are encoded: auto, jpeg, png or webp."))] = "auto",
    texture_size: Annotated[int, typer.Option(help=tr("Longest side of a texture in pixels; 0: any."))] = 0,
    quality: Annotated[int, typer.Option(help=tr("Quality of JPEG and WebP, 1 to 100."))] = 92,
    lods: Annotated[int, typer.Option(help=tr("How many coarser copies to write beside it."))] = 0,
    space: Annotated[
        str, typer.Option(help=tr("Scene-linear colour space of EXR, such as ACEScg; auto: its own."))
    ] = "auto",
    as_json: AsJson = False,
) -> None:
    """Write a project to a file, or to a folder for one program."""
    if (to is None) == (program is None):
        raise BadInput("Name a file with --to, or a program with --for.")
    options = WriteOptions(texture, texture_size, quality, lods, content, space)
    with _open_studio(as_json) as studio:
        source = studio.read_any(project)
        if program is not None:
            report = studio.wait(studio.hand_over(source, out, program, options))
            answer: dict[str, Any] = {"out": str(out), "report": report}
            notes, place = report["warnings"], out
        elif to is not None:
            notes, place = studio.wait(studio.write(source, to, options)), to
            answer = {"file": str(to), "warnings": notes}
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=True))
        return
    for line in (*notes, tr("Written: {path}", path=place)):
        typer.echo(_printable(line))


@app.command("import", help=tr("Bring layers or a camera of other programs' files into a project, and save it."))
@_guard
def bring(
    project: Input,
    to: Annotated[Path, typer.Option("--to", help=tr("The project to write (.s3d)."), show_default=False)],
    layers: Annotated[
        list[Path] | None, typer.Option("--layers", help=tr("A GLB, PLY, SPZ, OBJ or USD file; may be repeated."))
    ] = None,
    camera: Annotated[
        Path | None,
        typer.Option("--camera", help=tr("fSpy, COLMAP, transforms.json, .chan, USD or JSON."), show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring layers or a camera into a project."""
    if to.suffix.lower() != ".s3d":
        raise BadInput("{name} is no name of a project.", "End it with .s3d.", name=to.name)
    with _open_studio(as_json) as studio:
        shot, notes = studio.read(project), []
        if camera is not None:
            shot = apply_patch(shot, studio.wait(studio.import_camera(shot, camera)))
        for path in layers or []:
            found = studio.wait(studio.import_layers(path))
            notes += found.notes
            shot = apply_patch(shot, Patch("import", layers=found.make_project().layers))
        notes += studio.wait(studio.write(shot, to))
    if as_json:
        typer.echo(json.dumps({"file": str(to), "layers": len(shot.layers), "warnings": notes}, ensure_ascii=True))
        return
    for line in (*notes, tr("Written: {path}", path=to)):
        typer.echo(_printable(line))


@app.command(help=tr("Say what a still, a project, a folder of results or any file of a known format holds."))
@_guard
def inspect(file: Annotated[Path, typer.Argument(help=tr("The file or folder."))], as_json: AsJson = False) -> None:
    """Say what a file holds."""
    with _open_studio(as_json) as studio:
        found = studio.inspect(file)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=True, indent=1))
        return
    for line in _list_lines(found):
        typer.echo(_printable(line))


def _list_lines(value: Any, indent: str = "", name: str = "") -> Iterator[str]:
    """Nested values as indented lines."""
    if isinstance(value, dict):
        if name:
            yield f"{indent}{name}:"
        for key, inner in value.items():
            yield from _list_lines(inner, indent + ("  " if name else ""), str(key))
    elif isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        for k, inner in enumerate(value):
            yield from _list_lines(inner, indent, f"{name} {k + 1}")
    else:
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        yield f"{indent}{name}: {shown}"


add_commands(models_app, _guard, _open_studio)


@app.command(help=tr("Make a shot from a sample that ships with the app."))
@_guard
def demo(out: Out = Path("out"), as_json: AsJson = False) -> None:
    """Make a shot from a sample."""
    folder = find_resources() / "samples"
    recipe = json.loads((folder / "demo.json").read_text(encoding="utf-8"))
    with _open_studio(as_json) as studio:
        outcome = run_pipeline(studio, PIPELINES["convert"], folder / recipe.pop("still"), out, recipe)
    _show_outcome(outcome, as_json)


@app.callback(invoke_without_command=True)
def _show_version(
    version: Annotated[bool, typer.Option("--version", help=tr("Show the version."))] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
