"""A set of files appears whole or not at all, and its names suit any file system."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from stillto3d.engine.run import Run
from stillto3d.errors import BadInput, Cancelled, CannotAccess
from stillto3d.formats import staging
from stillto3d.formats.staging import check_set, name_file, name_files, recover, stage_set

FILES = ("kitchen.glb", "props/chair.glb", "scene.ply")


def put_set(out: Path, label: str, files: tuple[str, ...] = FILES) -> dict[str, Any]:
    with stage_set(out) as area:
        for name in files:
            (area.folder / name).parent.mkdir(exist_ok=True)
            (area.folder / name).write_text(f"{label} {name}")
        return area.commit(Run.nothing(), {"label": label})


def read_set(out: Path) -> dict[str, str]:
    return {
        path.relative_to(out).as_posix(): path.read_text()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "report.json"
    }


def whole(label: str) -> dict[str, str]:
    return {name: f"{label} {name}" for name in FILES}


def test_a_new_set_is_one_rename(tmp_path: Path) -> None:
    report = put_set(tmp_path / "deep" / "out", "one")
    assert [entry["path"] for entry in report["files"]] == list(FILES)
    assert check_set(tmp_path / "deep" / "out") == report
    assert read_set(tmp_path / "deep" / "out") == whole("one")
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "out"]


def test_a_set_replaces_its_files_and_leaves_others(tmp_path: Path) -> None:
    out = tmp_path / "out"
    put_set(out, "one")
    (out / "notes.txt").write_text("mine")
    put_set(out, "two")
    assert check_set(out)["label"] == "two"
    assert read_set(out) == whole("two") | {"notes.txt": "mine"}
    assert list(tmp_path.iterdir()) == [out]


LAMP = ("kitchen.glb", "lamp.txt")


def test_files_of_an_earlier_set_go_with_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    put_set(out, "one")
    report = put_set(out, "two", LAMP)
    assert report["removed"] == ["props/chair.glb", "scene.ply"] and "warnings" not in report
    assert read_set(out) == {name: f"two {name}" for name in LAMP} and not (out / "props").exists()
    assert check_set(out) == report and list(tmp_path.iterdir()) == [out]


def test_what_a_person_has_changed_or_added_stays_and_is_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    put_set(out, "one")
    (out / "scene.ply").write_text("mine scene.ply")  # the same size
    (out / "props" / "notes.txt").write_text("mine")
    report = put_set(out, "two", LAMP)
    assert report["removed"] == ["props/chair.glb"]
    assert len(report["warnings"]) == 1 and "2 (props/notes.txt, scene.ply)" in report["warnings"][0]
    assert read_set(out) == {name: f"two {name}" for name in LAMP} | {
        "scene.ply": "mine scene.ply",
        "props/notes.txt": "mine",
    }
    assert put_set(out, "three", LAMP)["removed"] == []


def test_the_project_of_another_still_stays_and_is_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    put_set(out, "one", ("kitchen.glb", "kitchen.s3d"))
    report = put_set(out, "two", ("street.glb", "street.s3d"))
    assert report["removed"] == ["kitchen.glb"]
    assert len(report["warnings"]) == 1 and "1 (kitchen.s3d)" in report["warnings"][0]
    assert (out / "kitchen.s3d").read_text() == "one kitchen.s3d"


@pytest.mark.parametrize("damage", ["", "{}", '{"files": [{"path": "../precious", "size": 4}]}'])
def test_a_damaged_report_lets_nothing_be_removed(tmp_path: Path, damage: str) -> None:
    out = tmp_path / "out"
    put_set(out, "one")
    (out / "report.json").write_text(damage)
    (tmp_path / "precious").write_text("mine")
    assert put_set(out, "two", LAMP)["removed"] == []
    assert read_set(out).keys() == {*FILES, *LAMP} and (tmp_path / "precious").exists()


def test_a_name_that_only_changed_its_case_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where upper and lower case are one, the old file is out of the way before the new one takes its name."""
    out, order = tmp_path / "out", list[str]()
    put_set(out, "one", ("props/Chair.glb",))
    rename, replace = Path.rename, Path.replace
    monkeypatch.setattr(Path, "rename", lambda a, b: (order.append(a.name), rename(a, b))[1])
    monkeypatch.setattr(Path, "replace", lambda a, b: (order.append(a.name), replace(a, b))[1])
    put_set(out, "two", ("props/chair.glb",))
    assert order.index("Chair.glb") < order.index("chair.glb")
    assert read_set(out) == {"props/chair.glb": "two props/chair.glb"}


@pytest.mark.parametrize("failure", [KeyboardInterrupt, Cancelled, OSError(28, "No space left on device")])
def test_a_failure_while_staging_leaves_nothing(tmp_path: Path, failure: Any) -> None:
    with pytest.raises((KeyboardInterrupt, Cancelled, CannotAccess)), stage_set(tmp_path / "out") as area:
        (area.folder / "a").write_text("x")
        raise failure
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("step", range(8))
def test_a_failure_while_moving_in_is_rolled_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    out = tmp_path / "out"
    put_set(out, "one", FILES[:2])
    (out / "scene.ply").unlink(missing_ok=True)
    steps = 0
    rename, replace = Path.rename, Path.replace

    def count(action: Any) -> Any:
        def counted(path: Path, target: Path) -> Path:
            nonlocal steps
            steps += 1
            if steps == step + 1:
                raise OSError(5, "Input/output error")
            return action(path, target)  # type: ignore[no-any-return]

        return counted

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", count(rename))
        patched.setattr(Path, "replace", count(replace))
        try:
            put_set(out, "two")
        except CannotAccess:
            assert read_set(out) == {name: f"one {name}" for name in FILES[:2]}
            assert check_set(out)["label"] == "one"
        else:
            assert step >= 7 and read_set(out) == whole("two")
    assert list(tmp_path.iterdir()) == [out]


def interrupt(out: Path, monkeypatch: pytest.MonkeyPatch, moved: int, files: tuple[str, ...] = FILES) -> Path:
    """A move-in of set "two" that died after `moved` files (stale ones first); answers the area that it left."""

    class Died(BaseException):
        pass

    def die(target: Path, home: Path, moves: list[dict[str, Any]], stale: list[dict[str, Any]]) -> None:
        gone = min(moved, len(stale))
        staging_forward(target, home, moves[: moved - gone], stale[:gone])
        raise Died

    staging_forward = staging._roll_forward
    with monkeypatch.context() as patched:
        patched.setattr(staging, "_roll_forward", die)
        patched.setattr(staging, "_roll_back", lambda *_: (_ for _ in ()).throw(Died()))
        with pytest.raises(Died):
            put_set(out, "two", files)
    return next(path for path in out.parent.iterdir() if path != out)


@pytest.mark.parametrize("moved", range(5))
def test_an_interrupted_set_is_refused_and_rolled_forward(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    out = tmp_path / "out"
    put_set(out, "one")
    interrupt(out, monkeypatch, moved)
    if 0 < moved < 4:
        with pytest.raises(BadInput, match="does not match its report"):
            check_set(out)
    recover(out)
    assert check_set(out)["label"] == "two" and read_set(out) == whole("two")
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("moved", range(6))
def test_an_interrupted_removal_is_rolled_forward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int) -> None:
    out = tmp_path / "out"
    put_set(out, "one")
    interrupt(out, monkeypatch, moved, LAMP)
    recover(out)
    assert check_set(out)["label"] == "two"
    assert read_set(out) == {name: f"two {name}" for name in LAMP} and not (out / "props").exists()
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("moved", range(5))
def test_an_interrupted_removal_is_rolled_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int) -> None:
    out = tmp_path / "out"
    put_set(out, "one")
    left = interrupt(out, monkeypatch, moved, LAMP)
    (left / "new" / "report.json").write_text("{}")
    recover(out)
    assert check_set(out)["label"] == "one" and read_set(out) == whole("one")
    assert list(tmp_path.iterdir()) == [out]


def test_a_file_changed_after_the_interruption_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    put_set(out, "one")
    interrupt(out, monkeypatch, 0, LAMP)
    (out / "scene.ply").write_text("mine")
    recover(out)
    assert read_set(out) == {name: f"two {name}" for name in LAMP} | {"scene.ply": "mine"}


@pytest.mark.parametrize("moved", range(4))
def test_a_set_that_lost_a_staged_file_is_rolled_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    out = tmp_path / "out"
    put_set(out, "one", FILES[1:])
    left = interrupt(out, monkeypatch, moved)
    (left / "new" / "report.json").write_text("{}")
    recover(out)
    assert check_set(out)["label"] == "one"
    assert read_set(out) == {name: f"one {name}" for name in FILES[1:]}
    assert list(tmp_path.iterdir()) == [out]


def test_a_journal_that_leads_elsewhere_moves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, precious = tmp_path / "out", tmp_path / "precious"
    put_set(out, "one")
    left = interrupt(out, monkeypatch, 0)
    precious.write_text("mine")
    entry = {"path": "../precious", "size": 4, "sha256": "", "replaces": False}
    (left / "journal.json").write_text(json.dumps({"moves": [entry]}))
    recover(out)
    assert precious.read_text() == "mine" and check_set(out)["label"] == "one"


@pytest.mark.parametrize("text", ["", "{", '{"moves": 3}', '{"moves": [{}]}', "[]"])
def test_a_torn_journal_means_that_nothing_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    out = tmp_path / "out"
    put_set(out, "one")
    (interrupt(out, monkeypatch, 0) / "journal.json").write_text(text)
    recover(out)
    assert check_set(out)["label"] == "one" and list(tmp_path.iterdir()) == [out]


def test_a_living_command_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with stage_set(out) as area:
        (area.folder / "a").write_text("x")
        with stage_set(out) as other:
            assert area.folder.exists() and other.folder != area.folder
        area.commit(Run.nothing(), {})
    assert read_set(out) == {"a": "x"}


def test_obstacles_are_found_before_anything_moves(tmp_path: Path) -> None:
    out = tmp_path / "out"
    put_set(out, "one", ("kitchen.glb",))
    (out / "props").write_text("a file where a folder must be")
    with pytest.raises(CannotAccess, match="not a folder"):
        put_set(out, "two")
    (out / "props").unlink()
    (out / "scene.ply").mkdir()
    with pytest.raises(CannotAccess, match="is a folder"):
        put_set(out, "two")
    assert check_set(out)["label"] == "one" and list(tmp_path.iterdir()) == [out]
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotAccess, match="is not a folder"):
        put_set(tmp_path / "file", "one")


def test_a_linked_folder_is_filled_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    put_set(tmp_path / "out", "one")
    assert (tmp_path / "out").is_symlink() and read_set(tmp_path / "real") == whole("one")


def test_a_linked_folder_within_the_set_is_refused(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    put_set(out, "one")
    (out / "props").rename(elsewhere)
    (out / "props").symlink_to(elsewhere)
    with pytest.raises(CannotAccess, match=r"props is a link to another folder.*nothing was changed.*choose another"):
        put_set(out, "two")
    assert check_set(out)["label"] == "one" and (elsewhere / "chair.glb").read_text() == "one props/chair.glb"
    report = put_set(out, "two", LAMP)  # nothing of this set lies behind the link, and nothing there is touched
    assert report["removed"] == ["scene.ply"] and (elsewhere / "chair.glb").exists()


def test_recovery_does_not_follow_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    put_set(out, "one")
    left = interrupt(out, monkeypatch, 0)
    (out / "props").rename(elsewhere)
    (out / "props").symlink_to(elsewhere)
    with pytest.raises(CannotAccess, match="link to another folder"):
        recover(out)
    assert (elsewhere / "chair.glb").read_text() == "one props/chair.glb" and (left / "journal.json").exists()
    (out / "props").unlink()
    elsewhere.rename(out / "props")
    recover(out)
    assert check_set(out)["label"] == "two" and list(tmp_path.iterdir()) == [out]


def test_a_parent_that_is_not_ours_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    put_set(out, "one")
    monkeypatch.setattr(staging.os, "access", lambda path, mode: Path(path) != tmp_path)
    put_set(out, "two")
    assert read_set(out) == whole("two") and list(tmp_path.iterdir()) == [out]


def change(out: Path, how: str) -> None:
    report = json.loads((out / "report.json").read_text())
    match how:
        case "grown":
            (out / "kitchen.glb").write_text("longer than before, much longer")
        case "same size":
            (out / "kitchen.glb").write_text("One kitchen.glb")
        case "missing":
            (out / "props" / "chair.glb").unlink()
        case "linked":
            (out / "kitchen.glb").rename(out.parent / "kitchen.glb")
            (out / "kitchen.glb").symlink_to("../kitchen.glb")
        case "outside":
            shutil.copy(out / "kitchen.glb", out.parent / "kitchen.glb")
            report["files"][0]["path"] = "../kitchen.glb"
        case "absolute":
            report["files"][0]["path"] = str(out / "kitchen.glb")
        case "no list":
            report["files"] = "all"
        case "no entry":
            report["files"] = [3]
    (out / "report.json").write_text(json.dumps(report))


@pytest.mark.parametrize(
    "how", ["grown", "same size", "missing", "linked", "outside", "absolute", "no list", "no entry"]
)
def test_a_set_that_does_not_match_its_report(tmp_path: Path, how: str) -> None:
    put_set(tmp_path / "out", "one")
    change(tmp_path / "out", how)
    with pytest.raises(BadInput):
        check_set(tmp_path / "out")


# ---------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("prop_01", "prop_01"),
        ("Stuhl 椅子 🪑 کُرسی", "Stuhl 椅子 🪑 کُرسی"),
        ("cafe\u0301", "caf\u00e9"),
        ("../../etc/passwd", "_._.._etc_passwd"),
        ("a/b\\c:d*e?f\"g<h>i|j", "a_b_c_d_e_f_g_h_i_j"),
        (".hidden", "_hidden"),
        ("..", "_"),
        ("", "layer"),
        ("  ", "layer"),
        ("end. ", "end"),
        ("tab\tnew\nline\0", "tab_new_line_"),
        ("con", "_con"),
        ("LPT1.old", "_LPT1.old"),
        ("console", "console"),
        ("caf\udce9", "caf_"),
        ("gnp\u202egpj", "gnp_gpj"),
    ],
)  # fmt: skip
def test_names_of_files(name: str, expected: str) -> None:
    assert name_file(name) == expected


def test_long_names_are_cut_between_characters(tmp_path: Path) -> None:
    for name in ("x" * 500, "厨" * 200, "🪑" * 100):
        safe = name_file(name)
        assert name.startswith(safe) and 117 <= len(os.fsencode(safe)) <= 120
        (tmp_path / f"{safe}.glb").write_text("")


def test_names_stay_distinct_where_case_does_not_count() -> None:
    names = ["Chair", "chair", "CHAIR", "chair_02", "a/b", "a_b", "Straße", "STRASSE", "x" * 200, "x" * 201]
    files = name_files(names)
    assert len({name.casefold() for name in files}) == len(names)
    assert files[:2] == ["Chair", "chair_02"]


def test_names_keep_clear_of_those_that_are_taken() -> None:
    assert name_files(["x.candidate_1", "X"], ["x", "x.Candidate_1"]) == ["x.candidate_1_02", "X_02"]
    composed, apart = "caf\u00e9", "CAFE\u0301"
    assert name_files([composed, apart, "caf\u00e9_02"]) == [composed, "CAF\u00c9_02", "caf\u00e9_02_02"]
