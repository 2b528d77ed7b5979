"""The hub that weights come from: what a repository holds, and one file of it, to be taken up where it was cut."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CannotAccess, NotInstalled, StillTo3DError
from ..words import tr
from .card import ModelCard

ATTEMPTS = 3  # in a row, without a single byte
TIMEOUT = 10.0


@dataclass(frozen=True)
class HubFile:
    """One file of a repository; sha256 of large files, git's own hash of small ones, "" where not told."""

    name: str
    bytes: int
    sha256: str = ""
    git_hash: str = ""


@dataclass(frozen=True)
class Listing:
    """The files of a repository at one commit."""

    revision: str
    files: tuple[HubFile, ...]


class Hub:
    """Reads a hub of models through huggingface_hub.

    Nothing is sent but the request: no token unless the model is gated, no report of use. An offline hub
    refuses before anything is opened.
    """

    def __init__(self, endpoint: str = "", offline: bool = False) -> None:
        """`endpoint` is a mirror's address; "" is the library's own, or what HF_ENDPOINT says."""
        self._endpoint, self.offline = endpoint or None, offline

    def list_files(self, card: ModelCard) -> Listing:
        """What the card's repository holds at its revision. Raises NotInstalled or CannotAccess."""
        hub = self._open(card)
        api = hub.HfApi(endpoint=self._endpoint, token=self._find_token(card))
        revision = card.revision or None
        try:
            with _worded(card):
                told = api.model_info(card.repository, revision=revision, files_metadata=True, timeout=TIMEOUT)
        except _list_transport_errors() as error:
            raise _word_unreachable(card, error) from error
        siblings = told.siblings or ()
        if any(sibling.size is None for sibling in siblings):
            raise _word_unreachable(card, ValueError("it does not say how large its files are"))
        files = tuple(
            HubFile(
                name=sibling.rfilename,
                bytes=int(sibling.size),
                sha256=str(sibling.lfs.sha256) if sibling.lfs else "",
                git_hash="" if sibling.lfs else str(sibling.blob_id or ""),
            )
            for sibling in siblings
        )
        return Listing(str(told.sha), files)

    def fetch(self, card: ModelCard, revision: str, file: HubFile, part: Path, hear: Callable[[int], None]) -> None:
        """Bring `part` to the file's full length, from where it ends now.

        `hear` is told of the bytes that are there, and may raise to pause; what has come is kept.
        """
        hub = self._open(card)
        failures = 0
        while _measure(part) < file.bytes or not part.exists():
            before, cut = _measure(part), None
            try:
                self._fetch_once(hub, card, revision, file, part, hear)
            except _list_transport_errors() as error:
                cut = error
            failures = 0 if _measure(part) > before else failures + 1
            if failures >= ATTEMPTS:
                raise _word_unreachable(card, cut or EOFError("it sends nothing")) from cut

    def _fetch_once(
        self, hub: Any, card: ModelCard, revision: str, file: HubFile, part: Path, hear: Callable[[int], None]
    ) -> None:
        start = _measure(part)
        url = hub.hf_hub_url(card.repository, file.name, revision=revision, endpoint=self._endpoint)
        headers = hub.utils.build_hf_headers(token=self._find_token(card)) | {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        session = hub.utils.get_session()
        with (
            _worded(card),
            session.stream("GET", url, headers=headers, follow_redirects=True, timeout=TIMEOUT) as answer,
        ):
            hub.utils.hf_raise_for_status(answer)
            resumed = answer.status_code == 206
            part.parent.mkdir(parents=True, exist_ok=True)
            with part.open("ab" if resumed else "wb") as sink:
                there = start if resumed else 0
                for piece in answer.iter_bytes():
                    sink.write(piece)
                    there += len(piece)
                    if there > file.bytes:
                        raise _word_unreachable(card, ValueError(f"{file.name} is longer than announced"))
                    hear(there)

    def _open(self, card: ModelCard) -> Any:
        """The library, unless the app is to stay offline."""
        if self.offline:
            raise CannotAccess(
                "The app is set to stay offline, so {model} cannot be downloaded.",
                "Install it from a folder or a bundle, or allow the network in the settings.",
                model=card.id,
            )
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        import huggingface_hub

        return huggingface_hub

    def _find_token(self, card: ModelCard) -> str | bool:
        """The person's token, for gated models alone."""
        if not card.gated:
            return False
        from huggingface_hub import get_token

        return get_token() or False


def _measure(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _list_transport_errors() -> tuple[type[BaseException], ...]:
    import httpx2

    return (httpx2.TransportError,)


def _word_unreachable(card: ModelCard, error: BaseException) -> CannotAccess:
    return CannotAccess(
        "The hub with {model} cannot be reached: {reason}.",
        "What has come is kept. Check the network, or the mirror in the settings, and install it again.",
        model=card.id,
        reason=str(error).rstrip(".") or type(error).__name__,
    )


@contextmanager
def _worded(card: ModelCard) -> Iterator[None]:
    """What the hub refuses, in a person's words; broken connections go through to be tried again."""
    from huggingface_hub import errors

    try:
        yield
    except StillTo3DError:
        raise
    except errors.GatedRepoError as error:
        raise NotInstalled(
            card.id,
            tr("its repository {repository} is gated.", repository=card.repository),
            "Accept its terms on the hub, then set HF_TOKEN or log in with `hf auth login`, and install it again.",
        ) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.EntryNotFoundError) as error:
        raise NotInstalled(
            card.id,
            tr("the hub has no {repository} with its files any more.", repository=card.repository),
            "Install it from a folder that holds them.",
        ) from error
    except (errors.HfHubHTTPError, errors.OfflineModeIsEnabled) as error:
        raise _word_unreachable(card, error) from error
