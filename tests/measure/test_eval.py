"""`make eval` on a tiny sample, through the real product."""

from __future__ import annotations

import json

import numpy as np
from PIL import Image

from measure import eval as evaluation
from measure.masks import IOU_KEYS
from stillto3d.words import find_resources

from .scenes import write_sample


def score(*arguments, out):
    code = evaluation.main([*map(str, arguments), "--out", str(out)])
    return code, json.loads(out.read_text(encoding="utf-8"))


def test_a_sample_is_scored_from_end_to_end(tmp_path):
    write_sample(tmp_path / "samples" / "square")
    code, scored = score("--stills", tmp_path / "samples", out=tmp_path / "eval.json")
    still = scored["stills"]["square"]
    assert code == 0 and not still["failures"]
    assert scored["masks"]["n"] == 1 and scored["masks"]["clicks_5"] > 0.8
    assert still["props"]["each"][0]["name"] == "square_1"
    assert scored["props"]["watertight"] == 1.0 and 0 <= scored["props"]["shown"] <= 1
    assert {"card", "ours", "ours_true_focal", "truth"} == set(still["set"]["methods"])
    assert min(still["set"]["methods"][name]["psnr_db"] for name in ("ours", "truth")) > 10
    assert all(len(digest) == 64 for digest in scored["weights"].values())
    assert scored["versions"]["stillto3d"] and scored["machine"]["cores"] >= 1


def test_the_same_weights_gain_nothing_over_themselves(tmp_path):
    folder = tmp_path / "stills" / "disc"
    folder.mkdir(parents=True)
    y, x = np.mgrid[:96, :128]
    inside = (x - 64) ** 2 + (y - 48) ** 2 < 30**2
    Image.fromarray(np.where(inside[..., None], (200, 40, 40), (30, 90, 60)).astype(np.uint8)).save(folder / "rgb.png")
    Image.fromarray(inside.astype(np.uint8)).save(folder / "seg.png")
    weights = find_resources() / "weights"
    options = ("--stills", tmp_path / "stills", "--parts", "masks", "--against", weights)
    _, scored = score(*options, out=tmp_path / "eval.json")
    gains = scored["against"]["gain"]
    assert {key: gains[key]["mean"] for key in IOU_KEYS} == dict.fromkeys(IOU_KEYS, 0.0)
    assert scored["depth"]["abs_rel"] is None and scored["camera"]["gravity_deg"] is None


def test_a_folder_without_truth_is_said_so(tmp_path, capsys):
    assert evaluation.main(["--stills", str(tmp_path), "--out", str(tmp_path / "eval.json")]) == 2
    assert "No still with truth" in capsys.readouterr().out
    assert not (tmp_path / "eval.json").exists()
