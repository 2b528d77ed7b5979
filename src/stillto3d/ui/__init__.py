"""The window: PySide6 over the same Studio as the command line."""
