"""What can go wrong, in two families: the world's fault (`Refusal`), with a remedy, and ours (`Bug`)."""

from __future__ import annotations

from typing import ClassVar

from .words import tr


class StillTo3DError(Exception):
    """Anything the product itself reports. `exit_code` is what the command line answers with."""

    exit_code: ClassVar[int] = 70


class Refusal(StillTo3DError):
    """The world's fault: a sentence that says what happened, and a remedy.

    `message` and `remedy` are English sentences with `{name}` fields; they are worded in the person's
    language when shown, so a refusal can be kept, sent and shown elsewhere.
    """

    def __init__(self, message: str, /, remedy: str = "", **values: object) -> None:
        self.message, self.remedy, self.values = message, remedy, values
        super().__init__(str(self))

    def __str__(self) -> str:
        sentences = [tr(part, **self.values) for part in (self.message, self.remedy) if part]
        return " ".join(sentences)


class BadInput(Refusal):
    """A file, mask, click or parameter that cannot be used."""

    exit_code = 2


class NotInstalled(Refusal):
    """A model that is not there; `model_id` names its card."""

    exit_code = 3

    def __init__(self, model_id: str, reason: str, remedy: str = "", **values: object) -> None:
        self.model_id = model_id
        message = "The model {model} is not available: {reason}"
        super().__init__(message, remedy, model=model_id, reason=reason, **values)


class OutOfMemory(Refusal):
    """Memory of the machine or of the card ran out."""

    exit_code = 4


class NoRoom(OutOfMemory):
    """A model would not fit into the video memory that may be used, so it was not started."""


class Cancelled(Refusal):
    """A person stopped the work."""

    exit_code = 5

    def __init__(self) -> None:
        super().__init__("Cancelled; nothing was changed.")


class CannotAccess(Refusal):
    """A file or folder cannot be read or written: missing, no permission, disk full."""

    exit_code = 6


class Crashed(Refusal):
    """A worker process died or went silent; `evidence` holds the last lines it printed.

    `at_work`: it had started well, so that what it was asked may be to blame.
    """

    exit_code = 7

    def __init__(
        self, message: str, /, remedy: str = "", evidence: str = "", at_work: bool = False, **values: object
    ) -> None:
        self.evidence, self.at_work = evidence, at_work
        super().__init__(message, remedy, **values)


class BadAnswer(Crashed):
    """A model answered with something that its role does not allow (wrong size, NaN, out of range)."""


class Bug(StillTo3DError):
    """Ours: something that must not happen did. `evidence` holds a traceback."""

    exit_code = 70

    def __init__(self, message: str, evidence: str = "") -> None:
        self.evidence = evidence
        super().__init__(message)


_IN_USE = (32, 33)
"""Windows' sharing and lock violations; Python calls them a lack of permission."""


def word_os_error(error: OSError, path: object) -> CannotAccess:
    """The operating system's refusal in a person's words; the old file, if any, is untouched."""
    import errno

    reasons = {
        errno.ENOSPC: ("The disk is full while writing {path}.", "Free some space and try again."),
        errno.EACCES: ("There is no permission for {path}.", "Choose another folder."),
        errno.EPERM: ("There is no permission for {path}.", "Choose another folder."),
        errno.EROFS: ("{path} lies on a read-only disk.", "Choose another folder."),
        errno.ENOENT: ("{path} does not exist.", "Check the name."),
        errno.ENAMETOOLONG: ("The name {path} is too long.", "Choose a shorter name."),
        errno.ENOTDIR: ("Part of {path} is not a folder.", "Choose another folder."),
        errno.EISDIR: ("{path} is a folder.", "Name a file."),
        errno.EEXIST: ("{path} exists already and is not a folder.", "Choose another name."),
        errno.ETXTBSY: ("{path} is open in another program.", "Close it there and try again."),
    }
    reasons[errno.EDQUOT] = reasons[errno.ENOSPC]
    number = errno.ETXTBSY if getattr(error, "winerror", 0) in _IN_USE else error.errno or 0
    message, remedy = reasons.get(number, ("{path} cannot be used: {reason}.", ""))
    shown = str(path).encode("utf-8", "replace").decode("utf-8")
    return CannotAccess(message, remedy, path=shown, reason=error.strerror or type(error).__name__)
