"""Picks a face by argv: the command line."""

from __future__ import annotations

import sys


def main() -> None:
    """The entry point of `stillto3d` and of `python -m stillto3d`."""
    try:
        from .words import choose_language

        choose_language()  # before the commands word their help
        from . import cli

        code = cli.main()
    except KeyboardInterrupt:  # before or after any work
        code = 5
    sys.exit(code)


if __name__ == "__main__":
    main()
