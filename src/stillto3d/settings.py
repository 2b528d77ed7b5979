"""Settings as described data, and where things lie on disk."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import BadInput


class Settings(BaseModel):
    """What a person may choose. Every field's description is what the preferences and the manual show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Annotated[str, Field(description="Language of the interface: en, zh_CN, or empty for the system's.")] = ""
    device: Annotated[str, Field(description="Where models run: cpu or cuda.", pattern="^(cpu|cuda)$")] = "cpu"
    vram_limit_gb: Annotated[float, Field(description="Video memory that models may use together, in GB.", ge=0)] = 24.0
    memory_limit_gb: Annotated[
        float,
        Field(
            description="Memory that one worker may use, in GB; 0 means three quarters of the machine's.",
            ge=0,
        ),
    ] = 0.0
    warm_workers: Annotated[int, Field(description="Idle workers that are kept ready.", ge=0, le=32)] = 8
    silence_seconds: Annotated[
        float,
        Field(description="A worker that says nothing for so long is taken for dead, in seconds.", gt=0),
    ] = 600.0
    job_limit_minutes: Annotated[
        float, Field(description="A job that takes longer is ended, in minutes; 0 means never.", ge=0)
    ] = 0.0
    autosave_seconds: Annotated[
        float, Field(description="The window keeps a copy of unsaved work once it rests for so long, in seconds.", gt=0)
    ] = 8.0
    worker_python: Annotated[
        str, Field(description="Interpreter for the models of the app; empty means the app's own.")
    ] = ""
    weights: Annotated[
        str, Field(description="Folder with other weights of our own network; empty means those that ship.")
    ] = ""
    offline: Annotated[bool, Field(description="Never use the network, not even to install models.")] = False
    hub_endpoint: Annotated[
        str, Field(description="Address of a mirror of the models' hub; empty means the hub itself.")
    ] = ""
    models_folder: Annotated[
        str, Field(description="Folder for installed models; empty means the app's own data folder.")
    ] = ""
    interpreters: Annotated[
        str,
        Field(
            description="Interpreters to use instead of environments that the app makes: NAME=PATH; NAME=PATH.",
            pattern=r"^\s*([a-z0-9-]+\s*=[^;=]+(;|$)\s*)*$",
        ),
    ] = ""

    def list_interpreters(self) -> dict[str, str]:
        """`interpreters` as paths by environment."""
        pairs = (pair.partition("=") for pair in self.interpreters.split(";"))
        return {name.strip(): path.strip() for name, _, path in pairs if path.strip()}


@dataclass(frozen=True)
class Folders:
    """Where things lie: `config` (settings), `data` (queue, installed models), `cache` (may be deleted)."""

    config: Path
    data: Path
    cache: Path


def find_folders() -> Folders:
    """The person's folders; all under STILLTO3D_HOME when that is set."""
    home = os.environ.get("STILLTO3D_HOME")
    if home:
        return Folders(Path(home) / "config", Path(home) / "data", Path(home) / "cache")
    dirs = platformdirs.PlatformDirs("stillto3d", appauthor=False)
    return Folders(Path(dirs.user_config_dir), Path(dirs.user_data_dir), Path(dirs.user_cache_dir))


def load_settings(folders: Folders, **changes: Any) -> Settings:
    """settings.toml under the defaults, with `changes` over both. Raises BadInput for a broken file."""
    path = folders.config / "settings.toml"
    try:
        stored = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return Settings(**{**stored, **changes})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError, TypeError) as error:
        raise BadInput(
            "The settings in {path} cannot be read: {reason}",
            "Correct or delete the file.",
            path=path,
            reason=str(error),
        ) from error


def measure_memory() -> int:
    """The machine's memory in bytes (8 GiB where the system does not tell)."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 8 << 30
