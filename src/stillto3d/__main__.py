"""Picks a face by argv: the command line."""

from __future__ import annotations

import sys


def main() -> None:
    """The entry point of `stillto3d` and of `python -m stillto3d`."""
    from .words import choose_language

    choose_language()  # before the commands word their help
    from . import cli

    sys.exit(cli.main())


if __name__ == "__main__":
    main()
