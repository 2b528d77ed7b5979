"""Picks a face by argv: the window for stills, projects and nothing at all, else the command line."""

from __future__ import annotations

import re
import sys


def main() -> None:
    """The entry point of `stillto3d` and of `python -m stillto3d`."""
    try:
        from .words import choose_language

        choose_language()  # before the commands word their help
        if wants_window(sys.argv[1:]):
            from .ui.app import run_window

            code = run_window(sys.argv[1:])
        else:
            from . import cli

            code = cli.main()
    except KeyboardInterrupt:  # before or after any work
        code = 5
    sys.exit(code)


def wants_window(arguments: list[str]) -> bool:
    """No command is asked for: nothing is named, or files are (a command is a plain word)."""
    return not arguments or re.fullmatch(r"-.*|[a-z-]+", arguments[0]) is None


if __name__ == "__main__":
    main()
