"""Picture the window's main states at three sizes and in both languages, to be looked at: PNG files in a folder.

.venv/bin/python scripts/shoot_window.py OUT [--project FILE.s3d] [--only 1280x720 zh_CN]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"1280x720": (1280, 720, 1), "1920x1080": (1920, 1080, 1), "3840x2160": (3840, 2160, 2)}
LANGUAGES = ("en", "zh_CN")
STILL = ROOT / "resources" / "samples" / "table_breakfast" / "still.jpg"
CLICKS = ("515,340", "660,210")


def main() -> int:
    """Make the project once, then open a window on a screen of its own for each size and language."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--project", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--within", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.within:
        shoot(chosen.out, chosen.project)
        return 0
    chosen.out.mkdir(parents=True, exist_ok=True)
    project = chosen.project or make_project(chosen.out)
    for size, (width, height, scale) in SIZES.items():
        for language in LANGUAGES:
            if chosen.only and not {size, language} >= set(chosen.only):
                continue
            with tempfile.TemporaryDirectory() as home:
                own = {"STILLTO3D_HOME": home, "HOME": home, "STILLTO3D_LANGUAGE": language, "QT_QPA_PLATFORM": "xcb"}
                own |= {"QT_SCALE_FACTOR": str(scale), "SHOT": f"{size}_{language}"}
                screen = ["xvfb-run", "-a", "-s", f"-screen 0 {width}x{height}x24"]
                within = [sys.executable, __file__, str(chosen.out), "--project", str(project), "--within"]
                subprocess.run([*screen, *within], env=os.environ | own, check=True)
    return 0


def make_project(out: Path) -> Path:
    """Set and two props of a sample."""
    clicks = [word for click in CLICKS for word in ("--click", click)]
    command = [sys.executable, "-m", "stillto3d", "convert", str(STILL), *clicks, "--out", str(out / "made")]
    subprocess.run(command, check=True)
    return out / "made" / "still.s3d"


def shoot(out: Path, project: Path) -> None:
    """All states of one window."""
    import qasync
    from PySide6.QtWidgets import QApplication

    from stillto3d.ui.app import Session, translate_qt
    from stillto3d.ui.theme import apply_theme

    app = QApplication(["stillto3d"])
    apply_theme(app)
    app.setQuitOnLastWindowClosed(False)
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)

    async def live() -> None:
        session = Session(loop)
        translate_qt(app)
        session.window.setGeometry(app.primaryScreen().geometry())
        session.window.show()
        try:
            await walk(session, out, project)
        finally:
            await session.close()

    with loop:
        loop.run_until_complete(live())


async def walk(session: Any, out: Path, project: Path) -> None:
    """From the welcome to the closing question."""
    from PySide6.QtWidgets import QApplication, QDialog, QMessageBox

    from stillto3d.ui.canvas import Mode

    window, document, table = session.window, session.document, session.window.actions_table.table
    files, scene_wishes = session.commands.files, ("view.lens", "view.lens")

    async def shot(name: str) -> None:
        await asyncio.sleep(1.0)  # what is on its way is drawn
        path = out / f"{os.environ['SHOT']}_{name}.png"
        QApplication.primaryScreen().grabWindow(0).save(str(path))

    async def during(work: Any, name: str) -> None:
        task = session.start(work)
        await shot(name)
        for dialog in window.findChildren(QDialog):
            dialog.done(QMessageBox.StandardButton.Cancel.value if isinstance(dialog, QMessageBox) else 0)
        await task

    await files.greet()
    await session.load_viewport()
    await shot("1_welcome")
    await files.open_files([STILL])
    window.masking.click(515, 340, Mode.ADD)
    while window.masking.attempt is None or window.masking.attempt.candidates is None:
        await asyncio.sleep(0.1)
    await shot("2_mask")
    window.masking.drop()
    await files.open_files([project])
    await window.scene.show_project(document.project)
    props = document.project.props()
    window.layers.select(frozenset([props[0].id]))
    await shot("3_made")
    table["view.move"].trigger()
    table[scene_wishes[0]].trigger()
    window.view_bar.wipe.setValue(50)
    await shot("4_lens")
    table[scene_wishes[1]].trigger()
    window.layers.select(frozenset())
    await shot("5_camera")
    making = session.start(session.commands.run_pipeline("prop", {}))
    await shot("6_making")
    document.edit("Scale", replace(document.project, unit_scale=2.0))  # so that closing asks in any case
    await during(files.close(), "7_close")
    for job in session.engine.list_jobs():
        session.engine.cancel(job.id)
    await asyncio.wait([making])
    document.note_saved(document.project, project)  # else it would be asked about
    await files.open_files([project.with_name("missing.jpg")])
    await shot("8_error")
    window.jobs.dismiss_all()
    session.commands.help.palette.ask()
    session.commands.help.palette.field.setText("mask" if os.environ["SHOT"].endswith("en") else "遮罩")
    await shot("9_palette")
    session.commands.help.palette.hide()
    await during(session.commands.help.show_preferences(), "a_preferences")
    await during(session.commands.help.show_about(), "b_about")


if __name__ == "__main__":
    sys.exit(main())
