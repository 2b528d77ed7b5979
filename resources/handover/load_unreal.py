"""Builds the shot in Unreal (5.1 and later): set and props through Interchange, placed in the level, the solved camera,
and the plate behind them. Run it in the Output Log as Python: py "/path/to/load_unreal.py"

It reads shot.json beside it. Unreal has centimetres, Z up and is left-handed; shot.json holds the camera so turned. A
cine camera's film back is taken without a shift: the plate is padded until the principal point is its centre. The plate
fills the view from a board far behind; exposure and tone mapping are the level's and change it as they change all else.
"""

import json
import os

import unreal

PLACE = "/Game/Stillto3D"
BOARD_CM = 100.0  # a side of the engine's plane


def load_shot(folder):
    with open(os.path.join(folder, "shot.json"), encoding="utf-8") as file:
        shot = json.load(file)
    place_geometry(os.path.join(folder, shot["geometry"]))
    camera = make_camera(shot["camera"]["unreal"])
    show_plate(import_texture(os.path.join(folder, shot["plate"])), camera, shot["camera"])
    return camera


def place_geometry(path):
    source = unreal.InterchangeManager.create_source_data(path)
    wanted = unreal.ImportAssetParameters(is_automated=True)
    unreal.InterchangeManager.get_interchange_manager_scripted().import_scene(PLACE, source, wanted)


def import_texture(path):
    task = unreal.AssetImportTask()
    task.set_editor_property("filename", path)
    task.set_editor_property("destination_path", PLACE)
    task.set_editor_property("automated", True)
    task.set_editor_property("replace_existing", True)
    task.set_editor_property("save", True)
    unreal.AssetToolsHelpers.get_asset_tools().import_asset_tasks([task])
    return unreal.load_asset(task.get_editor_property("imported_object_paths")[0])


def spawn(kind, place, turn, label):
    actors = unreal.get_editor_subsystem(unreal.EditorActorSubsystem)
    actor = actors.spawn_actor_from_class(kind, place, turn)
    actor.set_actor_label(label)
    return actor


def make_camera(told):
    place = unreal.Vector(*told["location_cm"])
    turn = unreal.Rotator(roll=told["roll"], pitch=told["pitch"], yaw=told["yaw"])
    actor = spawn(unreal.CineCameraActor, place, turn, "shot_camera")
    lens = actor.get_cine_camera_component()
    back = lens.get_editor_property("filmback")
    back.set_editor_property("sensor_width", told["sensor_width_mm"])
    back.set_editor_property("sensor_height", told["sensor_height_mm"])
    lens.set_editor_property("filmback", back)
    lens.set_editor_property("current_focal_length", told["focal_mm"])
    lens.set_editor_property("constrain_aspect_ratio", True)
    return actor


def show_plate(texture, camera, told):
    tools, graph = unreal.AssetToolsHelpers.get_asset_tools(), unreal.MaterialEditingLibrary
    material = tools.create_asset("M_plate", PLACE, unreal.Material, unreal.MaterialFactoryNew())
    material.set_editor_property("shading_model", unreal.MaterialShadingModel.MSM_UNLIT)
    material.set_editor_property("two_sided", True)
    sample = graph.create_material_expression(material, unreal.MaterialExpressionTextureSample, -400, 0)
    sample.set_editor_property("texture", texture)
    screen = graph.create_material_expression(material, unreal.MaterialExpressionScreenPosition, -800, 0)
    graph.connect_material_expressions(screen, "ViewportUV", sample, "UVs")  # by the view: no board can turn it round
    graph.connect_material_property(sample, "RGB", unreal.MaterialProperty.MP_EMISSIVE_COLOR)
    graph.recompile_material(material)
    away = 0.9 * told["far"] * 100.0
    wide = told["padded"]["width"] / told["fx"] * away
    tall = told["padded"]["height"] / told["fy"] * away
    board = spawn(unreal.StaticMeshActor, unreal.Vector(), unreal.Rotator(), "plate")
    board.static_mesh_component.set_static_mesh(unreal.load_asset("/Engine/BasicShapes/Plane"))
    board.static_mesh_component.set_material(0, material)
    board.attach_to_actor(
        camera, "", unreal.AttachmentRule.KEEP_RELATIVE, unreal.AttachmentRule.KEEP_RELATIVE,
        unreal.AttachmentRule.KEEP_RELATIVE,
    )  # fmt: skip
    board.set_actor_relative_location(unreal.Vector(away, 0, 0), False, False)
    board.set_actor_relative_rotation(unreal.Rotator(roll=0, pitch=90, yaw=0), False, False)  # it faces the lens
    side = 1.2 * max(wide, tall) / BOARD_CM  # more than the view, whichever way round
    board.set_actor_relative_scale3d(unreal.Vector(side, side, 1))
    board.static_mesh_component.set_editor_property("cast_shadow", False)


if __name__ == "__main__":
    load_shot(os.path.dirname(os.path.abspath(__file__)))
