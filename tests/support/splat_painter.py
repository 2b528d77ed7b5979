"""A stand-in rasteriser: whatever splats it is sent, it paints all green, and bluer with each sending."""

import os

import numpy as np

from ..errors import BadInput


def load(weights, device):
    sent = []

    def splats(arrays, params, tick):
        if "means" in arrays:
            sent.append((params["splats_id"], arrays["opacity"]))
        if not sent or sent[-1][0] != params["splats_id"]:
            raise BadInput("the splats were not sent")
        if sent[-1][1].max() < 0.5:
            os._exit(9)
        shape = params["camera"]["height"], params["camera"]["width"]
        tick(1, 1)
        rgb = np.full((*shape, 3), (0.0, 1.0, 0.2 * len(sent)), np.float32)
        return {"rgb": rgb, "alpha": np.ones(shape, np.float32), "depth": np.full(shape, 2.0, np.float32)}

    return {"splats": splats}
