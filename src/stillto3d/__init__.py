"""stillto3d turns a film still into masks, a 3D set, 3D props and a solved camera."""

__version__ = "0.1.0"
