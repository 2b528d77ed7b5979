"""Readies a window for OpenGL before VTK is there, so that the system's window is not made twice."""

from __future__ import annotations

from PySide6.QtGui import QSurfaceFormat
from PySide6.QtOpenGLWidgets import QOpenGLWidget
from PySide6.QtWidgets import QWidget


def choose_format() -> None:
    """Desktop OpenGL 3.2 core, as VTK needs it; before the first window is made."""
    wanted = QSurfaceFormat()
    wanted.setRenderableType(QSurfaceFormat.RenderableType.OpenGL)
    wanted.setVersion(3, 2)
    wanted.setProfile(QSurfaceFormat.OpenGLContextProfile.CoreProfile)
    for give in (wanted.setRedBufferSize, wanted.setGreenBufferSize, wanted.setBlueBufferSize):
        give(8)
    wanted.setDepthBufferSize(8)
    wanted.setAlphaBufferSize(8)
    wanted.setStencilBufferSize(0)
    wanted.setSamples(0)
    QSurfaceFormat.setDefaultFormat(wanted)


def hold_surface(parent: QWidget) -> QWidget:
    """A widget without size that makes its window an OpenGL one from the start.

    A window that meets its first OpenGL widget late is made anew by Qt: it flickers and loses the keyboard.
    """
    holder = QOpenGLWidget(parent)
    holder.setFixedSize(0, 0)
    return holder
