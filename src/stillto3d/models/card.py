"""A model's card: everything that can be known about a model without running it, checked on reading."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ..errors import BadInput, Bug
from .roles import ROLES

Commercial = Literal["yes", "terms", "no"]
Value = bool | int | float | str
_STRICTER: tuple[Commercial, ...] = ("yes", "terms", "no")
REGION = re.compile(r"EU|[A-Z]{2}")
SHA256 = re.compile(r"[0-9a-f]{64}")
REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w.-]+")
PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
FETCHED = ("*.json", "*.txt", "*.safetensors", "LICENSE*")


class _Described(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def is_plain_path(name: str) -> bool:
    """A relative path with forward slashes that stays inside its folder and is a name on every system."""
    path = PurePosixPath(name)
    odd = any(c in '\\:*?"<>|' or ord(c) < 32 for c in name)
    stays = not path.is_absolute() and ".." not in path.parts and name == str(path)
    return bool(path.name) and stays and not odd and not any(part[-1] in " ." for part in path.parts)


class Licence(_Described):
    """What a model's licences allow.

    code, weights     names of the licences; weights are "" where there are none
    commercial        "yes", "terms" (allowed under the terms named) or "no"; of the weights, or the code
    terms             in one or two sentences, what a person must keep to
    excluded_regions  ISO 3166 codes, and EU, where the licence does not hold
    """

    code: str = Field(min_length=1)
    weights: str = ""
    commercial: Commercial
    terms: str = ""
    excluded_regions: tuple[str, ...] = ()

    @field_validator("excluded_regions")
    @classmethod
    def _name_regions(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        odd = [region for region in regions if not REGION.fullmatch(region)]
        if odd:
            raise ValueError(f"{', '.join(odd)} is neither an ISO 3166 code nor EU")
        return regions

    @model_validator(mode="after")
    def _name_terms(self) -> Licence:
        if self.commercial == "terms" and not self.terms:
            raise ValueError("commercial work under terms needs the terms in words")
        return self


class WeightFile(_Described):
    """One file of a model, by name, with what proves it (0 bytes and no hash: unknown)."""

    name: str
    bytes: int = Field(default=0, ge=0)
    sha256: str = ""

    @field_validator("name")
    @classmethod
    def _stay_inside(cls, name: str) -> str:
        if not is_plain_path(name):
            raise ValueError(f"{name!r} is not the name of a file inside the model's folder")
        return name

    @field_validator("sha256")
    @classmethod
    def _be_a_hash(cls, value: str) -> str:
        if value and not SHA256.fullmatch(value):
            raise ValueError("sha256 is 64 small hexadecimal digits, or empty where it is unknown")
        return value


class Companion(_Described):
    """What a model brings along: a package compiled for it, or what it would download by itself."""

    name: str = Field(min_length=1)
    licence: str = Field(min_length=1)
    commercial: Commercial
    repository: str = ""
    downloads: bool = False
    gated: bool = False


class Vram(_Described):
    """Video memory that a model needs at its peak, in bytes (0: unknown), and where each figure is from."""

    documented_bytes: int = Field(default=0, ge=0)
    documented_in: str = ""
    measured_bytes: int = Field(default=0, ge=0)
    measured_on: str = ""

    @model_validator(mode="after")
    def _name_sources(self) -> Vram:
        if bool(self.documented_bytes) != bool(self.documented_in):
            raise ValueError("a documented figure names its source (documented_in), and a source its figure")
        if bool(self.measured_bytes) != bool(self.measured_on):
            raise ValueError("a measured figure names the device that it was measured on (measured_on)")
        return self

    @property
    def bytes(self) -> int:
        """The measured figure, else the documented one, else 0."""
        return self.measured_bytes or self.documented_bytes


class Parameter(_Described):
    """One thing that may be set for a call; its kind is that of its default.

    `lean` is what is tried when memory has run out twice; None: it saves none.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    help: str = Field(min_length=1)
    default: Value
    low: float | None = None
    high: float | None = None
    choices: tuple[Value, ...] = ()
    lean: Value | None = None

    @model_validator(mode="after")
    def _fit(self) -> Parameter:
        for kind, value in (("default", self.default), ("lean", self.lean)):
            why = "" if value is None else self.find_fault(value)
            if why:
                raise ValueError(f"the {kind} of {self.name} {why}")
        number = isinstance(self.default, int | float) and not isinstance(self.default, bool)
        if number and not self.choices and (self.low is None or self.high is None):
            raise ValueError(f"{self.name} is a number and needs low and high")
        return self

    def find_fault(self, value: Any) -> str:
        """Why the value cannot be used; "" when it can."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        wants_number = isinstance(self.default, int | float) and not isinstance(self.default, bool)
        whole = isinstance(self.default, int) and wants_number
        if wants_number != number or (not wants_number and type(value) is not type(self.default)):
            return f"is {value!r}, not of the kind of {self.default!r}"
        if whole and value != int(value):
            return f"is {value!r}, not a whole number"
        if self.choices and value not in self.choices:
            return f"is {value!r}, none of {', '.join(map(str, self.choices))}"
        low, high = self.low, self.high
        if number and ((low is not None and value < low) or (high is not None and value > high)):
            return f"is {value!r}, not from {low} to {high}"
        return ""


class ModelCard(_Described):
    """Everything that can be known about a model without running it.

    role, also           what it answers; `also` are further roles
    ops                  the operations it answers; () = all of its roles'
    rank                 among the models of a role the higher is taken first, when nobody chooses
    adapter              module under worker/adapters, or (in tests) a file of its own
    environment          "builtin", or a name under resources/envs
    repository, revision hub repository by id, and a commit of it ("": the newest, which is then noted)
    upstream             OWNER/NAME@COMMIT of the code that must be importable in its environment ("": a package's)
    release              where a person finds files that lie in no hub repository
    fetch                patterns of the files that are taken from the repository or a folder
    download_bytes       about how much that is, as documented; 0 where unknown
    gated                its repository asks to accept terms first, and for a token
    loading              how weights are read: "safetensors", "weights_only" (PyTorch's restricted
                         unpickler) or "exception" (named in `exception`)
    devices              where it can run
    silence_seconds      it may say nothing for so long (0: the setting's)
    lowered              parameters that the engine has set to `lean` because memory ran out; never in a file
    verified             where, when and how it has been seen to work; "" = never
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    role: str
    also: tuple[str, ...] = ()
    ops: tuple[str, ...] = ()
    rank: int = 0
    title: str = Field(min_length=1)
    version: str = Field(min_length=1)
    adapter: str = Field(min_length=1)
    environment: str = Field(default="builtin", pattern=r"^[a-z0-9][a-z0-9-]*$")
    licence: Licence
    brings: tuple[Companion, ...] = ()
    repository: str = ""
    revision: str = ""
    upstream: str = Field(default="", pattern=r"^([\w.-]+/[\w.-]+@[0-9a-f]{40})?$")
    release: str = ""
    fetch: tuple[str, ...] = FETCHED
    weights: tuple[WeightFile, ...] = ()
    download_bytes: int = Field(default=0, ge=0)
    gated: bool = False
    loading: Literal["safetensors", "weights_only", "exception"] = "safetensors"
    exception: str = ""
    devices: tuple[Literal["cpu", "cuda"], ...] = ("cpu", "cuda")
    vram: Vram = Vram()
    silence_seconds: float = Field(default=0.0, ge=0)
    verified: str = ""
    limits: str = ""
    parameters: tuple[Parameter, ...] = ()
    lowered: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fit_together(self) -> ModelCard:
        for role in self.roles:
            if role not in ROLES:
                raise ValueError(f"there is no role {role}; the roles are {', '.join(ROLES)}")
        if self.repository and not REPOSITORY.fullmatch(self.repository):
            raise ValueError("a repository is named OWNER/NAME, without a host")
        if bool(self.exception) != (self.loading == "exception"):
            raise ValueError("loading = exception and the sentence `exception` go together")
        pickled = [name for name in (*self.fetch, *(f.name for f in self.weights)) if name.endswith(PICKLES)]
        if pickled and self.loading == "safetensors":
            raise ValueError(f"{pickled[0]} is a pickle: loading must be weights_only, or a named exception")
        if self.weights and not self.licence.weights:
            raise ValueError("a model with weights names their licence")
        if self.gated and not self.repository:
            raise ValueError("a gated model names its repository")
        return self

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role that it answers."""
        return (self.role, *self.also)

    def answers(self, role: str, op: str = "") -> bool:
        """Whether it answers an operation of a role."""
        return role in self.roles and (not op or not self.ops or op in self.ops)

    @property
    def vram_bytes(self) -> int:
        """Video memory at its peak; 0 where unknown."""
        return self.vram.bytes

    @property
    def has_files(self) -> bool:
        """Something must be installed before it can run."""
        return bool(self.weights or self.repository or self.release)

    @property
    def commercial(self) -> Commercial:
        """The strictest of its own licence and of what it brings along."""
        return max((self.licence.commercial, *(c.commercial for c in self.brings)), key=_STRICTER.index)

    def fill_options(self, chosen: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Every parameter with its value: the one chosen, else the default. Raises BadInput for one that is unfit."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name, value in (chosen or {}).items():
            if name not in known:
                raise BadInput("{model} has no parameter {name}.", model=self.id, name=name)
            why = known[name].find_fault(value)
            if why:
                raise BadInput("{name} cannot be {value}: {why}", name=name, value=value, why=why)
        return {name: parameter.default for name, parameter in known.items()} | dict(chosen or {})

    def lean(self) -> ModelCard | None:
        """The same model with every parameter that saves memory at its `lean` value; None when there is none."""
        spare = [p for p in self.parameters if p.lean is not None and p.lean != p.default]
        if not spare or self.lowered:
            return None
        parameters = tuple(p.model_copy(update={"default": p.lean}) if p in spare else p for p in self.parameters)
        return self.model_copy(update={"parameters": parameters, "lowered": tuple(p.name for p in spare)})

    def describe(self) -> dict[str, Any]:
        """What a recipe keeps of a model: its licences above all."""
        more = {
            "terms": self.licence.terms,
            "excluded_regions": list(self.licence.excluded_regions),
            "lowered": {p.name: p.default for p in self.parameters if p.name in self.lowered},
            "brings": [{"name": part.name, "licence": part.licence} for part in self.brings],
        }
        return {
            "id": self.id,
            "version": self.version,
            "licence": self.licence.weights or self.licence.code,
            "code_licence": self.licence.code,
            "commercial": self.commercial != "no",
            **{name: value for name, value in more.items() if value},
        }


def read_card(path: Path) -> ModelCard:
    """The card in a TOML file. A broken card is a bug of ours: raises Bug that says where and why."""
    try:
        card = ModelCard.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Bug(f"the model card {path.name} is not TOML: {error}") from error
    except ValidationError as error:
        raise Bug(f"the model card {path.name} is broken: {word_faults(error)}") from error
    if path.stem != card.id:
        raise Bug(f"the model card {path.name} is called {card.id}: file and id must agree")
    return card


def word_faults(error: ValidationError) -> str:
    """Every fault of a card as `field: reason`."""
    faults = []
    for fault in error.errors():
        where = ".".join(map(str, fault["loc"])) or "card"
        faults.append(f"{where}: {fault['msg'].removeprefix('Value error, ')}")
    return "; ".join(faults)
