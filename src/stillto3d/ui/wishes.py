"""The table of actions: everything that can be done in the window, by id, with its words and its keys."""

from __future__ import annotations

from dataclasses import dataclass

from ..words import tr


@dataclass(frozen=True)
class Wish:
    """One row of the table: `id` is menu.name; the texts are in the language of the moment.

    Several shortcuts stand with a bar between them. `pane` ("canvas", "view") is where the keys count.
    """

    id: str
    text: str
    shortcut: str
    tip: str
    checkable: bool = False
    icon: str = ""
    pane: str = ""


def list_menus() -> dict[str, str]:
    """The menus in their order, by the first part of an action's id."""
    return {
        "file": tr("&File"),
        "edit": tr("&Edit"),
        "mask": tr("&Mask"),
        "make": tr("M&ake"),
        "view": tr("&View"),
        "help": tr("&Help"),
    }


def list_wishes() -> list[Wish]:
    """Every action, in the order of the menus."""
    return [*_list_file(), *_list_edit(), *_list_mask(), *_list_make(), *_list_view(), *_list_viewport(), *_list_help()]


def _list_file() -> list[Wish]:
    return [
        Wish("file.open", tr("&Open…"), "Ctrl+O", tr("Open a still or a project.")),
        Wish("file.paste", tr("&Paste still"), "Ctrl+V", tr("Open the picture that lies in the clipboard.")),
        Wish("file.replace", tr("&Replace the still…"), "", tr("Another still; masks and camera stay where they fit.")),
        Wish("file.import", tr("&Import layers…"), "", tr("Add what a GLB, PLY, SPZ, OBJ or USD file holds.")),
        Wish("file.camera", tr("Import ca&mera…"), "", tr("Of fSpy, COLMAP, transforms.json, .chan, USD or JSON.")),
        Wish("file.recover", tr("Reco&ver"), "", tr("Open what was open when the app ended unexpectedly.")),
        Wish("file.save", tr("&Save"), "Ctrl+S", tr("Save the project.")),
        Wish("file.save_as", tr("Save &as…"), "Ctrl+Shift+S", tr("Save the project under another name.")),
        Wish("file.export", tr("&Export…"), "Ctrl+E", tr("Write set, props and camera for a program, or in a format.")),
        Wish("file.models", tr("Mo&dels…"), "", tr("Install models, and choose which ones this project uses.")),
        Wish("file.preferences", tr("Pre&ferences…"), "Ctrl+,", tr("Settings and shortcuts.")),
        Wish("file.quit", tr("&Quit"), "Ctrl+Q", tr("Close the window.")),
    ]


def _list_edit() -> list[Wish]:
    return [
        Wish("edit.undo", tr("&Undo"), "Ctrl+Z", tr("Take the latest step back.")),
        Wish("edit.redo", tr("&Redo"), "Ctrl+Shift+Z", tr("Bring the step back.")),
        Wish("edit.rename", tr("Re&name layer"), "F2", tr("Type another name for the selected layer.")),
        Wish("edit.duplicate", tr("D&uplicate"), "Ctrl+D", tr("Copy the selected layers.")),
        Wish("edit.solo", tr("&Solo"), "/", tr("Show the selected layers alone, or all again.")),
        Wish("edit.raise", tr("Move layer u&p"), "Ctrl+Up", tr("Move the selected layers up in the list.")),
        Wish("edit.lower", tr("Move layer do&wn"), "Ctrl+Down", tr("Move the selected layers down in the list.")),
        Wish("edit.delete", tr("&Delete layer"), "Del", tr("Delete the selected layers.")),
    ]


def _list_mask() -> list[Wish]:
    return [
        Wish("mask.accept", tr("Make &prop layer"), "Return", tr("Keep the mask as a prop layer.")),
        Wish("mask.drop", tr("Drop mask"), "Esc", tr("Give up the mask that is being made, else the selection.")),
        Wish(
            "mask.point", tr("&Point"), "V", tr("Click on things, drag boxes around them."), True, "pointer", "canvas"
        ),
        Wish("mask.brush", tr("&Brush"), "B", tr("Paint into the mask; Alt takes away."), True, "brush", "canvas"),
        Wish("mask.eraser", tr("&Eraser"), "E", tr("Paint out of the mask; Alt adds."), True, "eraser", "canvas"),
        Wish(
            "mask.lasso",
            tr("&Lasso"),
            "L",
            tr("Draw around what joins the mask; Alt takes away."),
            True,
            "lasso",
            "canvas",
        ),
        Wish("mask.smaller", tr("Smaller brush"), "[", tr("Make the brush smaller."), pane="canvas"),
        Wish("mask.larger", tr("Larger brush"), "]", tr("Make the brush larger."), pane="canvas"),
        Wish("mask.measure", tr("Known len&gth"), "K", tr("Draw a length that you know."), True, "measure", "canvas"),
        Wish("mask.first", tr("Candidate &1"), "1", tr("Take the segmenter's first candidate.")),
        Wish("mask.second", tr("Candidate &2"), "2", tr("Take the segmenter's second candidate.")),
        Wish("mask.third", tr("Candidate &3"), "3", tr("Take the segmenter's third candidate.")),
        Wish("mask.soften", tr("&Soften edges"), "Shift+S", tr("Solve the selected masks' soft edges.")),
        Wish("mask.hair", tr("&Hair"), "Shift+H", tr("Solve wide soft edges, for hair and fur.")),
        Wish("mask.alpha", tr("Mask from the still's &alpha"), "", tr("Take the file's own alpha as a mask.")),
        Wish("mask.import", tr("&Import matte…"), "", tr("Take a picture's brightness as a mask.")),
        Wish("mask.save", tr("Sa&ve mask…"), "", tr("Write the selected mask as PNG.")),
    ]


def _list_make() -> list[Wish]:
    return [
        Wish("make.camera", tr("Solve the &camera"), "", tr("Solve focal length, tilt and height again.")),
        Wish("make.set", tr("Make &set"), "Ctrl+R", tr("Clean plate, depth and mesh of the place.")),
        Wish("make.prop", tr("Make selected p&rops"), "Ctrl+P", tr("Make the selected masks solid props.")),
        Wish("make.props", tr("Make &all props"), "Ctrl+Shift+P", tr("Make every mask a solid prop.")),
    ]


def _list_view() -> list[Wish]:
    return [
        Wish("view.frame", tr("&Frame"), "F", tr("Show the whole still and the whole set.")),
        Wish("view.actual", tr("&Actual size"), "Ctrl+1", tr("One pixel of the still on one of the screen.")),
        Wish("view.contour", tr("Masks as &contours"), "Alt+1", tr("Outlines alone."), True, "contour"),
        Wish("view.tint", tr("Masks as &tint"), "Alt+2", tr("Outlines and a tint."), True, "tint"),
        Wish("view.matte", tr("&Matte"), "Alt+3", tr("The matte in grey."), True, "matte"),
        Wish("view.xray", tr("&X-ray"), "Alt+4", tr("What the matte cuts out, before grey."), True, "xray"),
        Wish(
            "view.plate", tr("Clean p&late"), "Alt+5", tr("The plate; what is painted is filled again."), True, "plate"
        ),
        Wish("view.opened", tr("Colours as o&pened"), "", tr("The still as it was opened."), True),
        *(
            Wish(wish, tr("View {name}", name=view), "", tr("A scene-linear still as OpenColorIO shows it."), True)
            for wish, view in (("view.aces", "ACES 1.0 - SDR Video"), ("view.plain", "Un-tone-mapped"))
        ),
        Wish("view.horizon", tr("&Horizon"), "H", tr("Show the horizon, to drag it straight."), True, "horizon"),
        Wish(
            "view.lines", tr("&Vanishing lines"), "J", tr("Lay lines along the set to solve its lens."), True, "lines"
        ),
        Wish("view.lens", tr("Through the &lens"), "0|Num+0", tr("Look through the solved camera."), True, "camera"),
        Wish(
            "view.fill",
            tr("Fi&ll the centre"),
            "Tab",
            tr("Still and viewport, still alone, viewport alone."),
            pane="both",
        ),
    ]


def _list_viewport() -> list[Wish]:
    return [
        Wish("view.front", tr("Fr&ont"), "Num+1", tr("Look along the camera's ground direction."), pane="view"),
        Wish("view.right", tr("&Right"), "Num+3", tr("Look from the right."), pane="view"),
        Wish("view.top", tr("To&p"), "Num+7", tr("Look from above."), pane="view"),
        Wish("view.textured", tr("Te&xtured"), "F5", tr("Surfaces with the still's colours."), True, "textured"),
        Wish("view.clay", tr("Cla&y"), "F6", tr("Surfaces in plain clay, lit."), True, "clay"),
        Wish("view.wire", tr("&Wireframe"), "F7", tr("The edges of all triangles."), True, "wire"),
        Wish("view.normals", tr("&Normals"), "F8", tr("Where surfaces face, as colours."), True, "normals"),
        Wish("view.depth", tr("&Depth"), "F9", tr("Distance from the camera in grey."), True, "depth"),
        Wish("view.seen", tr("Seen or &guessed"), "F10", tr("What the still does not show, in red."), True, "seen"),
        Wish("view.none", tr("Select"), "Q", tr("Click layers in the viewport."), True, "pointer", "view"),
        Wish("view.move", tr("Move"), "W", tr("Move the selected layer; Ctrl steps."), True, "move", "view"),
        Wish("view.turn", tr("Turn"), "E", tr("Turn the selected layer; Ctrl steps."), True, "turn", "view"),
        Wish("view.scale", tr("Scale"), "R", tr("Scale the selected layer; Ctrl steps."), True, "scale", "view"),
        Wish("view.floor", tr("Stand on the floor"), "End", tr("Let the selected layers down to the floor.")),
        Wish("view.measure", tr("M&easure"), "M", tr("Click two places to measure."), True, "measure", "view"),
        Wish("view.shot", tr("Sa&ve picture…"), "F12", tr("Write the viewport as PNG.")),
        Wish("view.turntable", tr("Turnta&ble…"), "", tr("Write pictures from all around into a folder.")),
    ]


def _list_help() -> list[Wish]:
    return [
        Wish("help.palette", tr("&Commands…"), "Ctrl+K", tr("Find and do anything.")),
        Wish("help.log", tr("&Log"), "", tr("What happened in this session.")),
        Wish("help.about", tr("&About…"), "", tr("Version and licences.")),
    ]
