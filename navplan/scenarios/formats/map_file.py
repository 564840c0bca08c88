"""A world from a map file of any kind, told by its ending."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from navplan.errors import FileFormatError
from navplan.scenarios.formats.movingai import read_map
from navplan.scenarios.worlds.world import World
from navplan.system.paths import as_path

GEOJSON_SUFFIXES = (".geojson", ".json")
YAML_SUFFIXES = (".yaml", ".yml")
MAP_SUFFIXES = (".map", *YAML_SUFFIXES, *GEOJSON_SUFFIXES)


def read_map_file(path: str | Path, *, unknown: Literal["blocked", "free"] = "blocked") -> World:
    """The world of a MovingAI `.map`, a `.yaml` of ROS or of libMultiRobotPlanning, or a GeoJSON file.

    Args:
        path: the file.
        unknown: what the unknown cells of a ROS map count as.

    Raises:
        FileAccessError, FileFormatError: the file cannot be read, is malformed or of another kind.
        MissingExtra: a ROS map without PyYAML or Pillow.
    """
    file = as_path(path)
    suffix = file.suffix.lower()
    if suffix == ".map":
        return World.from_walls(file.stem, read_map(file))
    if suffix in YAML_SUFFIXES:
        from navplan.scenarios.formats.robot_planning import is_robot_planning, read_robot_planning
        from navplan.scenarios.formats.ros_map import read_ros_map

        if is_robot_planning(file):
            return World.from_walls(file.stem, read_robot_planning(file).walls)
        return read_ros_map(file).world(file.stem, unknown)
    if suffix in GEOJSON_SUFFIXES:
        from navplan.scenarios.formats.geojson import read_geojson

        return read_geojson(file)
    raise FileFormatError(file, f"unknown kind of map file {file.suffix!r}, expected one of {', '.join(MAP_SUFFIXES)}")
