"""Builders of the sample scenes; they need Blender as a Python module, which the app never does."""
