"""The viewport: what a ray meets, what the gizmo does, and what is seen through the lens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from stillto3d.models.shapes import SplatPicture
from stillto3d.project.geometry import Material, Mesh, Points, Splats
from stillto3d.project.project import Layer, LayerKind, Project, make_layer, start_project
from stillto3d.project.space import Camera, aim_camera, translate
from stillto3d.project.still import Depth, Still
from stillto3d.ui.edits import put_camera
from stillto3d.ui.length_bar import measure_on_still
from stillto3d.viewport.gizmo import Gizmo, GizmoMode, make_gizmo, snap_to_floor
from stillto3d.viewport.orbit import Orbit
from stillto3d.viewport.pace import Pace
from stillto3d.viewport.picking import cast_ray, pick_layer
from stillto3d.viewport.splat_frames import join_splats

from .conftest import PATIENCE, Driver

QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def make_cube(size: float, colour: tuple[int, int, int]) -> Mesh:
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (0, 1) for z in (-0.5, 0.5)], np.float32) * size
    faces = np.array([(q[0], *pair) for q in QUADS for pair in (q[1:3], q[2:4])], np.uint32)
    material = Material(np.full((4, 4, 3), colour, np.uint8))
    observed = np.ones(8, np.uint8)
    return Mesh(corners, faces, uvs=np.zeros((8, 2), np.float32), observed=observed, material=material)


def make_project() -> Project:
    """A red cube before a green one, in front of a camera 1.5 m high, 5 m from the first."""
    pixels = np.zeros((200, 300, 3), np.uint8)
    pixels[:, :150] = (200, 40, 200)
    pixels[:, 150:] = (40, 200, 200)
    still = Still(pixels, "halves", "2" * 64)
    camera = Camera(300, 200, 300, 300, 150, 100, aim_camera(-0.2, 0.0, 1.5))
    red = make_layer("red", LayerKind.PROP, geometry=make_cube(1.0, (220, 40, 40)), transform=translate([0, 0, -5]))
    green = make_layer(
        "green", LayerKind.PROP, geometry=make_cube(1.0, (40, 220, 40)), transform=translate([0.7, 0, -8])
    )
    return put_camera(Project(start_project(still).shots, (red, green)), camera)


def aim_at(camera: Camera, place: list[float]) -> tuple[float, float]:
    (pixel,), _ = camera.project([place])
    return float(pixel[0]), float(pixel[1])


# --------------------------------------------------------------------------- rays


def test_a_ray_meets_the_nearest_visible_layer() -> None:
    project = make_project()
    camera, (red, green) = project.hero.camera, project.layers
    assert camera is not None
    ray = cast_ray(camera, *aim_at(camera, [0.0, 0.5, -4.5]))
    hit = pick_layer(project.layers, *ray)
    assert hit is not None and hit.layer_id == red.id and hit.place == pytest.approx((0, 0.5, -4.5), abs=1e-6)
    hidden = Layer(red.id, "red", red.kind, geometry=red.geometry, transform=red.transform, visible=False)
    past = pick_layer((hidden, green), *cast_ray(camera, *aim_at(camera, [0.6, 0.5, -7.5])))
    assert past is not None and past.layer_id == green.id
    assert pick_layer(project.layers, *cast_ray(camera, 5.0, 5.0)) is None


def test_a_ray_meets_a_cloud() -> None:
    cloud = make_layer("cloud", LayerKind.SCENE, geometry=Points(np.array([[0, 0, -3], [1, 0, -3]], np.float32)))
    camera = Camera(300, 200, 300, 300, 150, 100, aim_camera(0.0, 0.0, 0.0))
    hit = pick_layer((cloud,), *cast_ray(camera, *aim_at(camera, [1, 0, -3])))
    assert hit is not None and hit.place == pytest.approx((1, 0, -3), abs=1e-5)


# --------------------------------------------------------------------------- the gizmo


def test_a_handle_drags_a_layer_along_its_axis() -> None:
    camera = Camera(800, 600, 700, 700, 400, 300, aim_camera(-0.3, 0.0, 2.0))
    transform = translate([0.2, 0, -4])
    gizmo = make_gizmo(GizmoMode.MOVE, transform, camera)
    for axis in range(3):
        wanted = np.eye(3)[axis] * 0.05
        pixels, _ = camera.project(
            np.stack([gizmo.pivot + np.eye(3)[axis] * gizmo.reach / 2, gizmo.pivot + wanted, gizmo.pivot])
        )
        assert gizmo.find_handle(camera, *pixels[0]) == axis
        moved = gizmo.drag(camera, transform, axis, tuple(pixels[2]), tuple(pixels[1]), False)
        assert moved[:3, 3] - transform[:3, 3] == pytest.approx(wanted, abs=1e-6)
    assert gizmo.find_handle(camera, 5, 5) is None


def test_steps_are_taken_while_ctrl_is_held() -> None:
    camera = Camera(800, 600, 700, 700, 400, 300, aim_camera(0.0, 0.0, 1.0))
    gizmo = Gizmo(GizmoMode.MOVE, np.array([0.0, 1, -4]), 0.5)
    moved = gizmo.drag(camera, translate(gizmo.pivot), 0, (400, 300), (447, 300), True)
    assert moved[0, 3] == pytest.approx(0.3)
    ring = Gizmo(GizmoMode.TURN, gizmo.pivot, 0.5)
    turned = ring.drag(camera, translate(gizmo.pivot), 2, (500, 300), (472, 228), True)
    assert np.degrees(np.arctan2(turned[1, 0], turned[0, 0])) == pytest.approx(45)
    assert turned[:3, 3] == pytest.approx(gizmo.pivot)
    grown = Gizmo(GizmoMode.SCALE, gizmo.pivot, 0.5).drag(
        camera, translate(gizmo.pivot), 0, (400, 300), (490, 300), True
    )
    assert np.cbrt(np.linalg.det(grown[:3, :3])) == pytest.approx(2.0)


def test_near_the_floor_is_on_the_floor() -> None:
    near = snap_to_floor(translate([0, 0.03, 0]), 0.03, 0.01)
    assert near[1, 3] == pytest.approx(0.0)
    far = translate([0, 0.3, 0])
    assert snap_to_floor(far, 0.3, 0.01) is far


# --------------------------------------------------------------------------- the widget


def show(driver: Driver, project: Project) -> Driver:
    driver.finish(driver.session.load_viewport())
    driver.document.open(project, None)
    driver.finish(driver.window.scene.show_project(project))
    return driver


def look(driver: Driver, place: list[float]) -> tuple[int, ...]:
    """The colour at a place of the world."""
    scene = driver.window.scene
    picture = scene.take_picture()
    x, y = aim_at(scene.view_camera(), place)
    k = picture.shape[1] / scene.width()
    return tuple(int(v) for v in picture[int(y * k), int(x * k)])


def test_the_lens_sees_what_the_camera_saw(driver: Driver) -> None:
    show(driver, make_project())
    driver.do("view.lens")
    driver.window.view_bar.opacity.setValue(0)
    assert look(driver, [0.0, 0.5, -4.5]) == (220, 40, 40)
    assert look(driver, [0.95, 0.5, -7.5]) == (40, 220, 40)
    driver.window.view_bar.opacity.setValue(100)
    driver.window.view_bar.wipe.setValue(0)
    camera = driver.document.project.hero.camera
    left, right = camera.unproject([[75, 100], [225, 100]], [3.0, 3.0])
    assert look(driver, left) == (200, 40, 200) and look(driver, right) == (40, 200, 200)
    driver.window.view_bar.wipe.setValue(60)
    assert look(driver, right) == (40, 200, 200) and look(driver, left) != (200, 40, 200)
    driver.do("view.lens")
    assert not driver.window.scene.at_lens


@pytest.mark.parametrize("shading", ["clay", "wire", "normals", "depth", "seen"])
def test_shadings_differ_from_the_texture(driver: Driver, shading: str) -> None:
    show(driver, make_project())
    driver.window.scene.look(Orbit((0, 0.5, -5), 4.0, 0.4, -0.3))
    before = driver.window.scene.take_picture()
    driver.finish(driver.window.scene.shade_as(shading))
    after = driver.window.scene.take_picture()
    changed = (np.abs(before.astype(int) - after).max(axis=2) > 20).mean()
    assert changed == 0 if shading == "seen" else changed > 0.005  # all of it was seen
    driver.finish(driver.window.scene.shade_as("textured"))
    assert (driver.window.scene.take_picture() == before).mean() > 0.999


def test_layers_and_viewport_pick_each_other(driver: Driver) -> None:
    project = make_project()
    show(driver, project)
    scene, (red, green) = driver.window.scene, project.layers
    scene.look(Orbit((0, 0.5, -5), 6.0, 0.0, -0.2))
    x, y = aim_at(scene.view_camera(), [0.0, 0.5, -4.5])
    with driver.wait(driver.window.layers.chosen, lambda ids: ids == {red.id}):
        QTest.mouseClick(
            scene.interactor, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPointF(x, y).toPoint()
        )
    driver.window.layers.select(frozenset([green.id]))
    assert scene.selected == {green.id}


def test_the_gizmo_moves_in_one_step(driver: Driver) -> None:
    project = make_project()
    show(driver, project)
    scene, red = driver.window.scene, project.layers[0]
    scene.look(Orbit((0, 0.5, -5), 6.0, 0.0, -0.2))
    driver.window.layers.select(frozenset([red.id]))
    driver.do("view.move")
    gizmo = scene.make_gizmo()
    start = QPointF(
        *aim_at(scene.view_camera(), (gizmo.pivot + np.array([gizmo.reach * 0.7, 0, 0])).tolist())
    ).toPoint()
    area, left, none = scene.interactor, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mousePress(area, left, none, start)
    for k in range(1, 4):
        QTest.mouseMove(area, start + QPointF(20 * k, 0).toPoint())
    assert driver.document.project is project
    QTest.mouseRelease(area, left, none, start + QPointF(60, 0).toPoint())
    moved = driver.document.project.layer(red.id).transform
    assert moved[0, 3] > 0.1 and moved[1:3, 3] == pytest.approx([0, -5])
    driver.do("edit.undo")
    assert driver.document.project is project


def test_escape_gives_a_drag_up(driver: Driver) -> None:
    project = make_project()
    show(driver, project)
    scene, red = driver.window.scene, project.layers[0]
    driver.window.layers.select(frozenset([red.id]))
    driver.do("view.move")
    gizmo, area, none = scene.make_gizmo(), scene.interactor, Qt.KeyboardModifier.NoModifier
    tip = (gizmo.pivot + np.array([gizmo.reach * 0.7, 0, 0])).tolist()
    start = QPointF(*aim_at(scene.view_camera(), tip)).toPoint()
    QTest.mousePress(area, Qt.MouseButton.LeftButton, none, start)
    QTest.mouseMove(area, start + QPointF(60, 0).toPoint())
    QTest.keyClick(area, Qt.Key.Key_Escape)
    QTest.mouseRelease(area, Qt.MouseButton.LeftButton, none, start + QPointF(60, 0).toPoint())
    assert driver.document.project is project and driver.window.layers.selected() == {red.id}


def test_the_wheel_zooms_the_picture_of_the_lens(driver: Driver) -> None:
    """As over a still: the lens is not left, and what lies under the pointer stays there."""
    show(driver, make_project())
    scene = driver.window.scene
    driver.do("view.lens")
    before = np.array(aim_at(scene.view_camera(), [0.0, 0.5, -4.5]))
    scene.zoom_lens(*before, 2.0)
    assert scene.at_lens and aim_at(scene.view_camera(), [0.0, 0.5, -4.5]) == pytest.approx(before)
    scene.shift_lens(30.0, -10.0)
    camera = scene.view_camera()
    assert aim_at(camera, [0.0, 0.5, -4.5]) == pytest.approx(before + np.array([30, -10]))
    driver.window.view_bar.wipe.setValue(0)
    assert look(driver, [-0.3, 0.5, -4.5]) == (200, 40, 200)  # the still lies over the set, zoomed as that is
    driver.do("view.lens")
    assert not scene.at_lens


def test_middle_drag_turns_and_the_wheel_zooms(driver: Driver) -> None:
    show(driver, make_project())
    scene = driver.window.scene
    before, area, none = scene.orbit, scene.interactor, Qt.KeyboardModifier.NoModifier
    middle = scene.rect().center()
    QTest.mousePress(area, Qt.MouseButton.MiddleButton, none, middle)
    QTest.mouseMove(area, middle + QPointF(50, 0).toPoint())
    QTest.mouseRelease(area, Qt.MouseButton.MiddleButton, none, middle + QPointF(50, 0).toPoint())
    assert scene.orbit.yaw != before.yaw and scene.orbit.target == before.target
    assert scene.orbit.distance == before.distance


def test_a_known_length_rescales_everything(driver: Driver) -> None:
    project = make_project()
    flat = Depth(np.full((20, 30), 4.0, np.float32), project.hero.still.id)
    shot = project.hero
    project = Project((type(shot)(shot.still, camera=shot.camera, depth=flat),), project.layers)
    show(driver, project)
    scene = driver.window.scene
    seen = scene.orbit
    assert measure_on_still(project.hero, (75, 100, 225, 100)) == pytest.approx(2.0)
    driver.canvas.measured.emit(75, 100, 225, 100)
    bar = driver.canvas.findChild(type(driver.session.commands.view._canvas_bar))
    assert bar.isVisible() and bar.field.value() == pytest.approx(2.0)
    bar.field.setValue(3.0)
    QTest.keyClick(bar.field, Qt.Key.Key_Return)
    assert not bar.isVisible()
    assert measure_on_still(driver.document.project.hero, (75, 100, 225, 100)) == pytest.approx(3.0)
    assert driver.document.project.hero.camera.position[1] == pytest.approx(2.25)
    driver.finish(scene.show_project(driver.document.project))
    assert scene.orbit.distance == pytest.approx(1.5 * seen.distance), "the view has grown with the set"
    assert np.array(scene.orbit.target) == pytest.approx(1.5 * np.array(seen.target))
    driver.do("edit.undo")
    assert driver.document.project is project
    driver.finish(scene.show_project(project))
    assert scene.orbit.distance == pytest.approx(seen.distance)


def test_a_turntable_is_written(driver: Driver, tmp_path: Path) -> None:
    show(driver, make_project())
    before = driver.window.scene.orbit
    driver.finish(driver.session.commands.view.write_turntable(tmp_path, 6))  # more than are taken ahead
    pictures = [np.asarray(Image.open(path)) for path in sorted(tmp_path.glob("turntable_*.png"))]
    with Image.open(tmp_path / "turntable_0000.png") as first:
        assert "digitalsourcetype" in first.info["XML:com.adobe.xmp"]
    assert len(pictures) == 6 and (pictures[0] != pictures[1]).any()
    greys = pictures[0][np.ptp(pictures[0].astype(int), axis=2) == 0]
    assert greys.max() < 50  # the background alone: no grid, no frustum
    assert driver.window.scene.orbit == before


def rest(driver: Driver) -> None:
    """Turn the view a little, and let it come to rest."""
    scene = driver.window.scene
    with driver.wait(scene.rested, lambda: True):
        scene.look(scene.orbit.turn(0.1, 0.0))


def test_a_large_cloud_is_thinned_while_it_moves(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(1).normal(size=(900_000, 3)).astype(np.float32)
    layer = make_layer("cloud", LayerKind.SCENE, geometry=Points(points))
    show(driver, Project(make_project().shots, (layer,)))
    scene, seconds = driver.window.scene, 2e-7
    monkeypatch.setattr(Pace, "estimate", lambda pace, points: points * seconds)
    scene.look(scene.orbit.turn(0.1, 0.0))
    assert scene.count_points() <= 500_000
    rest(driver)
    assert scene.count_points() == 900_000 and not scene.share.isVisible()
    seconds = 2e-6  # without a graphics card: all would take 1.8 s
    rest(driver)
    assert scene.count_points() == 300_000
    assert scene.share.isVisible() and scene.share.text() == "300,000 of 900,000 points shown"


def test_a_slow_machine_draws_fewer_points() -> None:
    pace, counts = Pace(), (10_000_000, 3_000_000, 400_000, 50_000)
    assert pace.choose_level(counts, 1.0) == 3 and pace.estimate(10_000_000) > 60
    pace.note(400_000, 0.004)
    assert pace.choose_level(counts, 1.0) == 0 and pace.estimate(10_000_000) == pytest.approx(0.1)
    pace.note(400_000, 0.6)
    assert pace.choose_level(counts, 1.0) == 2 and pace.choose_level(counts, 0.01) == 3
    pace.note(50_000, 0.25)  # most of it is what every picture costs
    assert pace.estimate(400_000) == pytest.approx(0.25 + 0.35e6 * 0.3 * 5e-6)


def test_splats_lie_as_they_are_and_nearer_ones_cover(driver: Driver) -> None:
    """A red splat before a blue one, listed in the wrong order, and a green one drawn out to the right."""
    turn = np.array([np.cos(np.pi / 4), 0, 0, np.sin(np.pi / 4)])  # a quarter about z: what is tall lies flat
    splats = Splats(
        means=np.array([[0, 0, -4], [0, 0, -6], [1, 0, -5]], np.float32),
        scales=np.array([[0.2, 0.2, 0.2], [0.2, 0.2, 0.2], [0.05, 0.4, 0.05]], np.float32),
        rotations=np.array([[1, 0, 0, 0], [1, 0, 0, 0], turn], np.float32),
        opacity=np.array([0.98, 0.98, 0.98], np.float32),
        sh=((np.array([[[1, 0, 0]], [[0, 0, 1]], [[0, 1, 0]]]) - 0.5) / 0.28209479).astype(np.float32),
    )
    project = Project(make_project().shots, (make_layer("cloud", LayerKind.SCENE, geometry=splats),))
    show(driver, project)
    scene = driver.window.scene
    scene.look(Orbit((0, 0, -5), 8.0, 0.0, 0.0))
    with driver.wait(scene.rested, lambda: True):
        pass
    driver.finish(scene.show_project(project))
    red = look(driver, [0, 0.05, -4])
    assert red[0] > 200 and red[2] < 30
    assert look(driver, [1.3, 0.02, -5])[1] > 90 > look(driver, [1, 0.3, -5])[1]
    scene.look(Orbit((0, 0, -5), 8.0, np.pi, 0.0))  # from behind, the blue one is nearer
    driver.finish(scene.show_project(project))
    blue = look(driver, [0, 0.05, -6])
    assert blue[2] > 200 and blue[0] < 30


def test_a_prop_hides_the_splats_behind_it_alone(driver: Driver) -> None:
    splats = Splats(
        means=np.array([[-0.3, 0.5, -4], [0.3, 0.5, -6]], np.float32),
        scales=np.full((2, 3), 0.1, np.float32),
        rotations=np.array([[1, 0, 0, 0]] * 2, np.float32),
        opacity=np.full(2, 0.98, np.float32),
        sh=((np.array([[[0, 0, 1]], [[0, 0, 1]]]) - 0.5) / 0.28209479).astype(np.float32),
    )
    before = make_project()
    set_layer = make_layer("cloud", LayerKind.SCENE, geometry=splats)
    show(driver, Project(before.shots, (set_layer, before.layers[0])))
    scene = driver.window.scene
    scene.look(Orbit((0, 0.5, -5), 6.0, 0.0, 0.0))
    with driver.wait(scene.rested, lambda: True):
        pass
    driver.finish(scene.show_project(driver.document.project))
    assert look(driver, [-0.3, 0.5, -4])[2] > 200  # nearer than the red cube
    assert look(driver, [0.3, 0.5, -4.5])[0] > 200 > look(driver, [0.3, 0.5, -4.5])[2]


# --------------------------------------------------------------------------- splats that a rasteriser draws


def test_a_frame_of_the_rasteriser_lies_over_the_resting_view_alone(driver: Driver) -> None:
    """Two blue splats; the stand-in draws them green, far and wide, at 4 and 6 m beside a red cube at 5 m."""
    splats = Splats(
        means=np.array([[-0.3, 0.5, -4], [0.3, 0.5, -6]], np.float32),
        scales=np.full((2, 3), 0.1, np.float32),
        rotations=np.array([[1, 0, 0, 0]] * 2, np.float32),
        opacity=np.full(2, 0.98, np.float32),
        sh=((np.array([[[0, 0, 1]], [[0, 0, 1]]]) - 0.5) / 0.28209479).astype(np.float32),
    )
    before = make_project()
    moved = translate([0, 0, 0.5])
    cloud = make_layer("cloud", LayerKind.SCENE, geometry=splats, transform=moved)
    asked: list[tuple[Splats, str, Camera]] = []

    async def draw(whole: Splats, name: str, camera: Camera) -> SplatPicture:
        asked.append((whole, name, camera))
        shape = camera.height, camera.width
        middle = camera.project([[0, 0.5, -5]])[1][0]
        depth = np.full(shape, middle - 1.0, np.float32)
        depth[:, camera.width // 2 :] = middle + 1.0
        return SplatPicture(np.full((*shape, 3), (0, 1, 0), np.float32), np.ones(shape, np.float32), depth)

    show(driver, Project(before.shots, (cloud, before.layers[0])))
    scene = driver.window.scene
    scene.frames.draw = draw
    scene.look(Orbit((0, 0.5, -5), 6.0, 0.0, 0.0))
    driver.qtbot.waitUntil(lambda: scene.frames.shown, timeout=PATIENCE)
    whole, _, camera = asked[-1]
    assert whole.means == pytest.approx(splats.means + np.array([0, 0, 0.5])) and whole.sh.shape == (2, 1, 3)
    assert (camera.width, camera.height) == scene.interactor.ren_win.GetSize()
    assert tuple(look(driver, [-0.3, 0.5, -4.5])) == (0, 255, 0), "nearer than the cube"
    assert look(driver, [0.3, 0.5, -4.5])[0] > 200, "behind the cube"
    assert tuple(look(driver, [1.5, 0.5, -4.5])) == (0, 255, 0), "beside the cube, where nothing stands before it"
    assert not any(drawn.actor.GetVisibility() for _, drawn in scene.list_splats())
    scene.frames.draw = None
    scene.look(scene.orbit.turn(0.01, 0.0))
    assert not scene.frames.shown and all(drawn.actor.GetVisibility() for _, drawn in scene.list_splats())
    with driver.wait(scene.rested, lambda: True):
        pass
    assert look(driver, [-0.3, 0.5, -3.5])[2] > 150, "its own splats again"


def test_a_frame_that_comes_too_late_is_not_shown(driver: Driver) -> None:
    splats = Splats(
        means=np.array([[0, 0.5, -4]], np.float32),
        scales=np.full((1, 3), 0.1, np.float32),
        rotations=np.array([[1, 0, 0, 0]], np.float32),
        opacity=np.full(1, 0.98, np.float32),
        sh=np.ones((1, 1, 3), np.float32),
    )
    scene_layer = make_layer("cloud", LayerKind.SCENE, geometry=splats)
    show(driver, Project(make_project().shots, (scene_layer,)))
    scene = driver.window.scene

    async def draw(whole: Splats, name: str, camera: Camera) -> SplatPicture:
        scene.look(scene.orbit.turn(0.1, 0.0))  # the person turns on meanwhile
        scene.frames.draw = None
        shape = camera.height, camera.width
        return SplatPicture(np.ones((*shape, 3), np.float32), np.ones(shape, np.float32), np.ones(shape, np.float32))

    scene.frames.draw = draw
    driver.finish(scene.show_project(driver.document.project))
    assert scene.frames.draw is None and not scene.frames.shown


def test_clouds_of_splats_are_joined_with_the_most_harmonics() -> None:
    def make(count: int, coefficients: int) -> Splats:
        rotations = np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1))
        sh = np.ones((count, coefficients, 3), np.float32)
        return Splats(np.zeros((count, 3), np.float32), np.ones((count, 3), np.float32), rotations,
                      np.ones(count, np.float32), sh)  # fmt: skip

    whole = join_splats([make(2, 1), make(3, 4)])
    assert whole.means.shape == (5, 3) and whole.sh.shape == (5, 4, 3)
    assert not whole.sh[:2, 1:].any() and whole.sh[2:].all()
