"""The command line as a person or a script meets it: a process of its own, its files and its exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from stillto3d import cli
from stillto3d.errors import Cancelled
from stillto3d.formats.staging import check_set
from stillto3d.project.project import Policy
from stillto3d.studio import Studio

pytestmark = pytest.mark.keeps_workers


def run_cli(*words: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "stillto3d", *map(str, words)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        cwd=cwd,
        env={**os.environ, **environment},
    )


ANNOUNCED = """
import dataclasses, signal, sys
from stillto3d import cli, pipelines
signal.signal(signal.SIGINT, signal.default_int_handler)  # what is started in the background ignores it
convert = pipelines.PIPELINES["convert"]

def announce(run, project, params):
    print("running", flush=True)
    return convert.function(run, project, params)

pipelines.PIPELINES["convert"] = dataclasses.replace(convert, function=announce)
sys.exit(cli.main(sys.argv[1:]))
"""


def start_convert(room: Path, out: Path, **environment: str) -> subprocess.Popen[str]:
    """A `convert` that is under way: its job has been queued and its workers have started."""
    words = [sys.executable, "-c", ANNOUNCED, "convert", str(room), "--out", str(out), *CLICKS]
    pipe = subprocess.PIPE
    process = subprocess.Popen(words, env={**os.environ, **environment}, stdout=pipe, stderr=pipe, text=True)
    assert process.stdout is not None and process.stdout.readline() == "running\n", process.communicate()
    return process


def draw_room(size: tuple[int, int] = (360, 240)) -> Image.Image:
    """A floor, a wall and two things, with enough texture to look like something."""
    rng = np.random.default_rng(3)
    width, height = size
    v, u = np.mgrid[:height, :width]
    picture = np.where((v > height * 0.55)[..., None], (150, 110, 80), (200, 200, 190)).astype(np.float64)
    picture[(u // 20 + v // 14) % 2 == 0] *= 0.92
    picture[int(height * 0.4) : int(height * 0.8), int(width * 0.2) : int(width * 0.4)] = (40, 90, 180)
    picture[int(height * 0.35) : int(height * 0.7), int(width * 0.6) : int(width * 0.75)] = (190, 60, 40)
    return Image.fromarray(np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stills") / "Küche 1.png"
    draw_room().save(path)
    return path


CLICKS = ("--click", "108,144 100,130 -20,20", "--box", "210,80,275,172", "--name", "crate", "--name", "tin")


@pytest.fixture(scope="module")
def converted(room: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("converted") / "out"
    done = run_cli("convert", room, "--out", out, *CLICKS, "--known-length", "108,96,108,190=0.8", "--json")
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)["report"]


def test_convert_writes_the_whole_set(converted: tuple[Path, dict[str, Any]]) -> None:
    out, report = converted
    expected = {"Küche 1.glb", "Küche 1.s3d", "plate.png", "scene.ply"}
    expected |= {f"props/{name}.glb" for name in ("crate", "tin")} | {f"masks/{n}.png" for n in ("crate", "tin")}
    assert {entry["path"] for entry in report["files"]} == expected
    check_set(out)
    assert not [path for path in out.parent.iterdir() if path != out], "nothing is left beside the set"


def test_the_report_tells_what_the_issue_of_a_shot_is(converted: tuple[Path, dict[str, Any]]) -> None:
    _, report = converted
    assert report["still"] == {"name": "Küche 1", "id": report["still"]["id"], "width": 360, "height": 240}
    camera = report["camera"]
    assert set(camera["origin"]) == {"focal", "rotation", "height"}
    assert camera["origin"]["height"]["source"] == "user"
    assert np.asarray(camera["world_from_camera"]).shape == (4, 4)
    props = [layer for layer in report["layers"] if layer["kind"] == "PROP"]
    assert [prop["name"] for prop in props] == ["crate", "tin"]
    for prop in props:
        assert prop["watertight"] and prop["triangles"] > 100 and prop["silhouette_iou"] > 0.9 and prop["height_m"] > 0
    assert report["plate_psnr_db"] > 20 and set(report["seconds"]) >= {"read", "segment", "prop", "write"}
    assert {model["id"] for model in report["models"]} >= {
        "stillnet-segmenter",
        "stillnet-calibrator",
        "stage",
        "solids",
    }


def test_the_project_reopens_and_is_exported_again(converted: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    out, _ = converted
    target = tmp_path / "again.glb"
    done = run_cli("export", out / "Küche 1.s3d", "--to", target)
    assert done.returncode == 0, done.stderr
    first = json.loads(run_cli("inspect", out / "Küche 1.glb", "--json").stdout)
    second = json.loads(run_cli("inspect", target, "--json").stdout)
    assert first == second


def test_foreign_files_are_brought_into_a_project(
    converted: tuple[Path, dict[str, Any]], room: Path, tmp_path: Path
) -> None:
    folder, _ = converted
    project, glb = next(folder.glob("*.s3d")), next(folder.glob("*.glb"))
    assert run_cli("export", project, "--to", tmp_path / "camera.fspy").returncode == 0
    words = ("--layers", glb, "--camera", tmp_path / "camera.fspy", "--to", tmp_path / "both.s3d")
    brought = run_cli("import", room, *words, "--json")
    assert brought.returncode == 0 and json.loads(brought.stdout)["layers"] >= 2, brought.stderr
    first, second = (json.loads(run_cli("inspect", path, "--json").stdout) for path in (project, tmp_path / "both.s3d"))
    assert second["shots"][0]["camera"]["fx"] == pytest.approx(first["shots"][0]["camera"]["fx"], rel=1e-6)
    assert run_cli("import", room, "--to", tmp_path / "no.glb").returncode == 2


@pytest.mark.parametrize("name", ["Küche 1.glb", "Küche 1.s3d", "scene.ply", "."])
def test_inspect_understands_what_convert_writes(converted: tuple[Path, dict[str, Any]], name: str) -> None:
    done = run_cli("inspect", converted[0] / name)
    assert done.returncode == 0 and done.stdout.count("\n") > 3, done.stderr


def test_inspect_refuses_a_set_that_has_changed(converted: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(converted[0], copy)
    with (copy / "plate.png").open("ab") as file:
        file.write(b"x")
    done = run_cli("inspect", copy)
    assert done.returncode == 2 and "plate.png" in done.stderr


def test_the_steps_one_by_one(room: Path, tmp_path: Path) -> None:
    """segment, then calibrate, reconstruct and prop, each on the project of the one before; its rules stay with it."""
    project: Path = room
    for step, options in (
        ("segment", CLICKS),
        ("calibrate", ("--use", "commercial", "--region", "de", "--choose", "depth=stillnet-depth")),
        ("reconstruct", ("--choose", "prop=solids")),
        ("prop", ("--only", "tin")),
    ):
        out = tmp_path / step
        done = run_cli(step, project, "--out", out, *options, "--json")
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)["report"]
        project = out / "Küche 1.s3d"
    made = {layer["name"]: layer["triangles"] for layer in report["layers"]}
    assert made["crate"] == 0 and made["tin"] > 100 and made["set"] > 100
    with Studio.open() as studio:
        kept = studio.read(project).policy
    assert kept == Policy("commercial", "DE", (("depth", "stillnet-depth"), ("prop", "solids")))


def test_segment_offers_every_candidate_with_its_confidence(room: Path, tmp_path: Path) -> None:
    done = run_cli("segment", room, "--out", tmp_path / "out", "--click", "108,144", "--json")
    report = json.loads(done.stdout)["report"]
    assert len(report["candidates"]["prop_01"]) == 3
    masks = {path.name for path in (tmp_path / "out" / "masks").iterdir()}
    assert masks == {"prop_01.png", *(f"prop_01.candidate_{k}.png" for k in (1, 2, 3))}


def test_a_second_run_replaces_the_first_ones_files(room: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run_cli("segment", room, "--out", out, "--click", "108,144", "--name", "chair")
    (out / "notes.txt").write_text("mine")
    second = run_cli("segment", room, "--out", out, "--box", "210,80,275,172", "--name", "lamp")
    assert first.returncode == second.returncode == 0, second.stderr
    assert "Removed with the earlier set: 4 (masks/chair.candidate_1.png, " in second.stdout
    assert "notes.txt" in second.stdout
    assert {path.name.split(".")[0] for path in (out / "masks").iterdir()} == {"lamp"}
    check_set(out)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("convert", "{room}", "--click", "9999,5"), 2),
        (("convert", "{room}", "--click", "five"), 2),
        (("convert", "{room}", "--unknown"), 2),
        (("convert", "{text}"), 2),
        (("convert", "{room}", "--grid", "3"), 2),
        (("calibrate", "{room}", "--region", "Germany"), 2),
        (("calibrate", "{room}", "--choose", "depth=depth-pro"), 3),
        (("convert", "nowhere.jpg"), 6),
        (("convert", "{room}", "--out", "/dev/null/x"), 6),
        (("inspect", "nowhere"), 6),
        (("export", "{room}", "--to", "x.docx"), 2),
    ],
)
def test_exit_codes(room: Path, tmp_path: Path, words: tuple[str, ...], code: int) -> None:
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    done = run_cli(*(word.format(room=room, text=text) for word in words), cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert done.stderr.strip() and "Traceback" not in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"text.png"}, "nothing half-written stays"


def test_refusals_are_json_for_machines(tmp_path: Path) -> None:
    done = run_cli("convert", "nowhere.jpg", "--json", cwd=tmp_path)
    answer = json.loads(done.stdout)
    assert answer["exit_code"] == done.returncode == 6 and "nowhere.jpg" in answer["message"]


def with_settings(home: Path, **settings: object) -> dict[str, str]:
    (home / "config").mkdir(parents=True)
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    (home / "config" / "settings.toml").write_text("\n".join(lines))
    return {"STILLTO3D_HOME": str(home)}


def test_a_missing_model_is_told_apart(room: Path, tmp_path: Path) -> None:
    home = with_settings(tmp_path / "home", weights=str(tmp_path))
    done = run_cli("segment", room, "--click", "108,144", "--out", tmp_path / "out", **home)
    assert done.returncode == 3 and "stillnet_encoder.onnx" in done.stderr


def test_memory_that_runs_out_is_told_apart(room: Path, tmp_path: Path) -> None:
    home = with_settings(tmp_path / "home", memory_limit_gb=0.03)
    done = run_cli("calibrate", room, "--out", tmp_path / "out", **home)
    assert done.returncode in (4, 7), done.stderr  # some libraries end the process when an allocation fails


def test_what_a_crash_has_lost_is_told_once(room: Path, tmp_path: Path) -> None:
    home = {"STILLTO3D_HOME": str(tmp_path / "home")}
    process = start_convert(room, tmp_path / "out", **home)
    process.kill()
    process.communicate()
    told = [run_cli("calibrate", room, "--out", tmp_path / "out", **home).stderr for _ in range(2)]
    assert "convert" in told[0] and "convert" not in told[1]
    assert not list(Path(tempfile.gettempdir()).glob("stillto3d-worker-*")), "the dead engine's folder is swept"


def test_a_worker_that_cannot_start_is_a_crash(room: Path, tmp_path: Path) -> None:
    home = with_settings(tmp_path / "home", worker_python="/bin/false")
    done = run_cli("calibrate", room, "--out", tmp_path / "out", **home)
    assert done.returncode == 7


def test_a_mistake_of_ours_is_70_and_keeps_its_evidence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(cli, "find_resources", fail)
    assert cli.main(["demo"]) == 70
    told = capsys.readouterr().err
    assert "oops" in told and "Traceback" in Path(told.strip().rsplit("Details: ")[1].replace("\n", "")).read_text()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_convert_leaves_nothing(room: Path, tmp_path: Path, signum: int) -> None:
    out = tmp_path / "out"
    process = start_convert(room, out)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signum)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 5 and "Traceback" not in told, told
    assert workers and not list(tmp_path.iterdir())
    _, stubborn = psutil.wait_procs(workers, timeout=10)  # one just being started sees its pipe end a moment later
    assert not stubborn, "workers are gone"


def test_names_that_a_terminal_would_obey_are_made_harmless(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31mred\n.png"
    path.write_text("no picture")
    done = run_cli("inspect", path)
    assert done.returncode == 2 and "\x1b" not in done.stderr


@pytest.mark.parametrize("name", [b"-rf.png", b"latin1_\xe9.png", "名 [red].png".encode()])
def test_stills_with_awkward_names_are_converted(tmp_path: Path, name: bytes) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    with open(path, "wb") as file:  # noqa: PTH123 - a name that is not UTF-8
        draw_room().save(file, "png")
    done = subprocess.run(
        [sys.executable, "-m", "stillto3d", "calibrate", "--out", "out", "--json", "--", name],
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    check_set(tmp_path / "out")


def test_a_reader_that_has_enough_is_no_error(converted: tuple[Path, dict[str, Any]]) -> None:
    words = [sys.executable, "-u", "-m", "stillto3d", "inspect", str(converted[0])]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()  # as `| head` does
    assert process.stderr.read() == b"" and process.wait(60) == 1
    process.stderr.close()


def test_help_lists_every_command_and_parameter() -> None:
    told = run_cli("--help").stdout
    assert all(name in told for name in ("convert", "segment", "calibrate", "reconstruct", "prop", "models", "demo"))
    told = run_cli("convert", "--help").stdout
    assert all(name in told for name in ("--known-length", "--use", "--region", "--choose"))


def test_an_interrupt_that_a_job_outruns_still_stops_what_would_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    with Studio.open() as studio:
        job = studio.engine.submit("quick", lambda run: "done")
        assert job.wait(60)
        waited = iter([KeyboardInterrupt])

        def wait(timeout: float | None = None) -> bool:
            for fault in waited:
                raise fault
            return True

        monkeypatch.setattr(job, "wait", wait)
        with pytest.raises(Cancelled):
            studio.wait(job)
