"""Scene-linear pictures through a named view of the colour configuration, as a display shows them.

Ops
    show_view  rgb u16|f16|f32[H, W, 3]; params space, view (a view of DISPLAY in film_writer.CONFIG)
               -> pixels u8[H, W, 3], display-referred sRGB
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import BadInput
from .film_writer import CONFIG, STRIP_ROWS, convert

DISPLAY = "sRGB - Display"
WORKING = "ACEScg"


def show_view(arrays: dict[str, np.ndarray], params: dict[str, Any], tick: Any) -> dict[str, Any]:
    """The picture as OpenColorIO shows it; exposure is left as it is."""
    import PyOpenColorIO as ocio  # noqa: N813

    rgb, view = arrays["rgb"], str(params["view"])
    config = ocio.Config.CreateFromBuiltinConfig(CONFIG)
    if view not in config.getViews(DISPLAY):
        raise BadInput("{space} is not a colour space that is written.", space=view)
    transform = ocio.DisplayViewTransform(src=WORKING, display=DISPLAY, view=view)
    processor = config.getProcessor(transform).getDefaultCPUProcessor()
    pixels = np.empty(rgb.shape, np.uint8)
    for top in range(0, len(rgb), STRIP_ROWS):
        tick(top, len(rgb))
        strip = np.ascontiguousarray(convert(rgb[top : top + STRIP_ROWS], str(params["space"]), WORKING))
        processor.applyRGB(strip)
        pixels[top : top + STRIP_ROWS] = np.rint(np.clip(np.nan_to_num(strip), 0, 1) * 255)
    return {"pixels": pixels}
