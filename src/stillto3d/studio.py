"""The Studio: settings, store, catalog and engine wired once; each face holds one."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from pydantic import BaseModel, ValidationError

from . import formats
from .engine.engine import Engine
from .engine.jobs import LANES, Event, Job, Record
from .engine.journal import Journal, LostJob
from .engine.run import Run
from .engine.video_memory import measure_free
from .errors import BadInput, Bug, Cancelled
from .formats.handover import write_handover
from .formats.options import WriteOptions
from .formats.picture import read_still
from .models.bundle import install_bundle, write_bundle
from .models.catalog import Catalog, Store
from .models.environments import Environments
from .models.hub import Hub
from .models.roles import Candidates, DecodedStill
from .models.store import Machine
from .pipelines import PIPELINES, Pipeline
from .project.project import Patch, Policy, Project, start_project
from .project.still import Still
from .settings import Folders, Settings, find_folders, load_settings
from .words import choose_language

__all__ = ["Candidates", "Event", "Job", "Patch", "Project", "Still", "Studio"]


class Studio:
    """Opens stills, runs pipelines, writes files.

    >>> with Studio.open() as studio:
    ...     project = studio.read("kitchen.jpg")
    ...     job = studio.submit("convert", project, {"click": ["640,400"]})
    ...     project = apply_patch(project, studio.wait(job))
    ...     studio.wait(studio.write(project, "kitchen.glb"))
    """

    def __init__(self, settings: Settings, engine: Engine, catalog: Catalog, store: Store, journal: Journal) -> None:
        self.settings, self.engine, self.catalog, self.store = settings, engine, catalog, store
        self._journal = journal
        self._threads: list[threading.Thread] = []

    @classmethod
    def open(cls, on_event: Callable[[Event], None] | None = None, serve: bool = True, **settings: Any) -> Studio:
        """A studio with the person's settings, `settings` over them.

        `on_event` hears of every job, on the engine's threads. With `serve=False` the face lends its own
        threads to `engine.serve`.
        """
        folders = find_folders()
        chosen = load_settings(folders, **settings)
        choose_language(chosen.language or None)
        sys.setswitchinterval(0.001)  # a busy thread hands over soon: measured stalls fall from 83 to 22 ms
        journal = Journal(folders.data / "queue.sqlite")
        store = open_store(folders, chosen)
        catalog = Catalog()
        engine = Engine(catalog, store, chosen, journal, measure_free)
        studio = cls(chosen, engine, catalog, store, journal)
        for lane in LANES if serve else ():
            thread = threading.Thread(target=engine.serve, args=(lane, on_event), name=f"lane-{lane}", daemon=True)
            thread.start()
            studio._threads.append(thread)
        return studio

    def __enter__(self) -> Studio:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, path: str | Path) -> Project:
        """A still as a new project, or a saved project. Raises BadInput, CannotAccess or Crashed."""
        project: Project = self.wait(self.submit_read(path))
        return project

    def submit_read(self, path: str | Path) -> Job:
        """`read` as a job; its result is a Project."""
        target = Path(path)
        return self.engine.submit("read", lambda run: formats.read(run, target))

    def open_source(self, path: str | Path) -> tuple[Project, tuple[Mapping[str, Any], ...]]:
        """`read`, with what a person should know about the still."""
        if Path(path).suffix.lower() == ".s3d":
            return self.read(path), ()
        decoded = self.read_still(path)
        return start_project(decoded.still), decoded.warnings

    def read_still(self, path: str | Path) -> DecodedStill:
        """A still with its format and what a person should know about it."""
        target = Path(path)
        decoded: DecodedStill = self.wait(self.engine.submit("read", lambda run: read_still(run, target)))
        return decoded

    def submit(
        self,
        name: str,
        project: Project,
        params: dict[str, Any] | None = None,
        path: str | Path | None = None,
    ) -> Job:
        """Queue the pipeline `name` on a project; the job's result is a Patch.

        `path` is the file that the project lies in, if any: then the job outlives a crash. Raises BadInput
        for parameters that do not fit.
        """
        pipeline = self.find_pipeline(name)
        chosen = self.check_params(pipeline, params or {})
        if not project.shots:
            raise BadInput("The project holds no still.", "Open a still.")
        record = Record(name, chosen.model_dump_json(), str(path)) if path is not None else None
        self.warm(pipeline, project.policy)

        def work(run: Run) -> Patch:
            return pipeline.function(run, project, chosen)

        return self.engine.submit(name, work, record=record, policy=project.policy)

    def wait(self, job: Job) -> Any:
        """The result of a job, when it is over; raises what went wrong. Ctrl-C cancels the job: raises Cancelled."""
        interrupted = False
        try:
            while not job.wait(0.2):
                pass
        except KeyboardInterrupt:
            interrupted = True
            self.engine.cancel(job.id)
            job.wait()
        if job.error is not None:
            raise job.error
        if interrupted:  # it came too late for the job, but not for what would follow it
            raise Cancelled()
        return job.result

    def read_any(self, path: str | Path) -> Project:
        """`read`; of a file without a still (GLB, PLY, ...) a project of nothing but its layers."""
        target = Path(path)
        project: Project = self.wait(self.engine.submit("read", lambda run: formats.read(run, target, True)))
        return project

    def write(self, project: Project, path: str | Path, options: WriteOptions | None = None) -> Job:
        """Queue the writing of a project to a file; the suffix chooses the format.

        The job's result is a list of sentences that a person should read.
        """
        target, chosen = Path(path), options or WriteOptions()
        return self.engine.submit("write", lambda run: formats.write(run, project, target, chosen))

    def hand_over(self, project: Project, out: str | Path, preset: str, options: WriteOptions | None = None) -> Job:
        """Queue the writing of a folder made for one program (a name of `handover.PRESETS`).

        The job's result is the folder's report.
        """
        target, chosen = Path(out), options or WriteOptions()
        return self.engine.submit("write", lambda run: write_handover(run, project, target, preset, chosen))

    def import_camera(self, project: Project, path: str | Path) -> Job:
        """Queue reading the hero's camera from a file (fSpy, COLMAP, transforms.json, USD); its result is a Patch."""
        target = Path(path)
        return self.engine.submit("import", lambda run: formats.import_camera(run, project, target))

    def import_layers(self, path: str | Path) -> Job:
        """Queue reading the layers of a file (GLB, PLY, SPZ, OBJ, USD); its result holds them, with notes."""
        target = Path(path)
        return self.engine.submit("import", lambda run: formats.import_layers(run, target))

    def inspect(self, path: str | Path) -> dict[str, Any]:
        """What a still, a project, a set or any file of the table of formats holds."""
        target = Path(path)
        found: dict[str, Any] = self.wait(self.engine.submit("inspect", lambda run: formats.inspect(run, target)))
        return found

    # ----------------------------------------------------------------- models

    def install(self, model: str, source: Path | None = None) -> Job:
        """Queue the installing of a model from the hub, or from a folder; cancelling pauses it."""
        card = self.catalog.find(model)
        return self._submit_models(model, lambda run: self.store.install(card, run, source))

    def install_bundle(self, path: Path) -> Job:
        """Queue the installing of every model of a bundle."""
        return self._submit_models(path.name, lambda run: install_bundle(self.store, self.catalog.find, path, run))

    def write_bundle(self, models: Sequence[str], path: Path) -> Job:
        """Queue the writing of installed models into a bundle."""
        cards = [self.catalog.find(model) for model in models]
        return self._submit_models(path.name, lambda run: write_bundle(self.store, cards, path, run))

    def verify(self, model: str) -> Job:
        """Queue the hashing of a model's files; the result lists those that are missing or wrong."""
        card = self.catalog.find(model)
        return self._submit_models(model, lambda run: self.store.verify(card, run))

    def make_environment(self, name: str) -> Job:
        """Queue the making of an environment that models run in."""
        environments = self.store.environments
        assert environments is not None
        return self._submit_models(name, lambda run: environments.make(name, run))

    def _submit_models(self, label: str, work: Callable[[Run], Any]) -> Job:
        return self.engine.submit(label, work, lane="downloads")

    def find_pipeline(self, name: str) -> Pipeline:
        """The pipeline of that name; asking for another is a bug of the face."""
        if name not in PIPELINES:
            raise Bug(f"there is no pipeline called {name}")
        return PIPELINES[name]

    @staticmethod
    def check_params(pipeline: Pipeline, params: dict[str, Any]) -> BaseModel:
        """The parameters of a pipeline, checked. Raises BadInput that names the first unfit one."""
        try:
            return pipeline.params(**params)
        except ValidationError as error:
            first = error.errors()[0]
            name, value, why = ".".join(map(str, first["loc"])), first["input"], first["msg"]
            raise BadInput("{name} cannot be {value}: {why}", name=name, value=value, why=why) from error

    def warm(self, pipeline: Pipeline, policy: Policy) -> None:
        """Start the workers of a pipeline, as a project's policy chooses them, while earlier steps run."""
        for role in pipeline.roles:
            self.engine.warm(role, policy=policy)

    def list_lost(self) -> list[LostJob]:
        """Jobs that a crash has ended; run them again with `submit` on their project file, then `forget`."""
        return self._journal.list_lost()

    def forget(self, lost: LostJob) -> None:
        """Drop a lost job."""
        self._journal.forget(lost.id)

    def expect_seconds(self, name: str) -> float | None:
        """How long a pipeline took lately."""
        return self._journal.expect_seconds(name)

    def close(self) -> None:
        """Cancel what runs, end every worker and thread."""
        self.engine.close()
        for thread in self._threads:
            thread.join()
        self._journal.close()


def open_store(folders: Folders, settings: Settings) -> Store:
    """The store of models that the settings describe."""
    return Store(
        Path(settings.models_folder) if settings.models_folder else folders.data / "models",
        weights=Path(settings.weights).resolve() if settings.weights else None,
        interpreter=settings.worker_python,
        hub=Hub(settings.hub_endpoint, settings.offline),
        machine=Machine(settings.device, int(settings.vram_limit_gb * 2**30)),
        environments=Environments(
            folders.data / "environments",
            settings.list_interpreters(),
            offline=settings.offline,
            device=settings.device,
        ),
    )
