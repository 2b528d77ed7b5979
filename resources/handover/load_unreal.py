"""Builds the shot in Unreal (5.4 and later): set and props through Interchange, the solved camera, and the plate behind
it. Run it in the Output Log as Python: py "/path/to/load_unreal.py"

It reads shot.json beside it. Unreal has centimetres, Z up and is left-handed; shot.json holds the camera so turned. A
cine camera's film back is taken without a shift: the plate is padded until the principal point is its centre.
"""

import json
import os

import unreal

PLACE = "/Game/Stillto3D"


def load_shot(folder):
    with open(os.path.join(folder, "shot.json"), encoding="utf-8") as file:
        shot = json.load(file)
    import_file(os.path.join(folder, shot["geometry"]))
    plate = import_file(os.path.join(folder, shot["plate"]))
    return make_camera(shot["camera"]["unreal"], plate)


def import_file(path):
    task = unreal.AssetImportTask()
    task.set_editor_property("filename", path)
    task.set_editor_property("destination_path", PLACE)
    task.set_editor_property("automated", True)
    task.set_editor_property("replace_existing", True)
    task.set_editor_property("save", True)
    unreal.AssetToolsHelpers.get_asset_tools().import_asset_tasks([task])
    return list(task.get_editor_property("imported_object_paths"))


def make_camera(told, plate):
    place = unreal.Vector(*told["location_cm"])
    turn = unreal.Rotator(roll=told["roll"], pitch=told["pitch"], yaw=told["yaw"])
    actor = unreal.EditorLevelLibrary.spawn_actor_from_class(unreal.CineCameraActor, place, turn)
    actor.set_actor_label("shot_camera")
    lens = actor.get_cine_camera_component()
    back = lens.get_editor_property("filmback")
    back.set_editor_property("sensor_width", told["sensor_width_mm"])
    back.set_editor_property("sensor_height", told["sensor_height_mm"])
    lens.set_editor_property("filmback", back)
    lens.set_editor_property("current_focal_length", told["focal_mm"])
    actor.tags = [unreal.Name(path) for path in plate]  # the plate's texture, for an image plate or a composure layer
    return actor


if __name__ == "__main__":
    load_shot(os.path.dirname(os.path.abspath(__file__)))
