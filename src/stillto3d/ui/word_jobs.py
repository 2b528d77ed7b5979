"""What jobs are called in the window."""

from __future__ import annotations

from ..words import tr


def word_pipelines() -> dict[str, str]:
    """What the job strip calls the pipelines."""
    return {
        "convert": tr("Make the whole shot"),
        "segment": tr("Mask"),
        "calibrate": tr("Solve the camera"),
        "reconstruct": tr("Make set"),
        "prop": tr("Make props"),
    }
