"""From a name or a file to a world, or to the graph to plan on."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import numpy as np

from navplan.errors import FileAccessError, FileFormatError, InvalidInput, InvalidProblem, UnknownName
from navplan.graph.state_graph import StateGraph
from navplan.scenarios.formats.geojson import geojson_kind, read_graph_geojson
from navplan.scenarios.formats.map_file import GEOJSON_SUFFIXES, MAP_SUFFIXES, YAML_SUFFIXES, read_map_file
from navplan.scenarios.registry import SCENARIO_FOLDER, scenario_names
from navplan.scenarios.scenario import read_scenario
from navplan.scenarios.worlds.cells import occupied_cells
from navplan.scenarios.worlds.world import World
from navplan.system.paths import as_path, exists, is_file, is_folder

SUFFIXES = (*MAP_SUFFIXES, ".toml", ".npz")
"""What `find_map` and `load_graph` take beside the names of bundled scenarios; `load_map` takes all but .npz."""


def find_map(name_or_path: str | Path) -> Path:
    """The file behind a bundled scenario's name, or the path itself.

    Raises:
        UnknownName: a bare word that is no bundled scenario.
        FileAccessError: no such file.
        FileFormatError: a file of an unknown kind.
    """
    path = as_path(name_or_path)
    if str(path) in scenario_names():
        return SCENARIO_FOLDER / f"{path}.toml"
    if not is_file(path):
        if not path.suffix and len(path.parts) == 1:
            raise UnknownName("scenario", str(path), scenario_names())
        what = "no such file" if not exists(path) else "is a folder" if is_folder(path) else "is no regular file"
        raise FileAccessError(f"{path}: cannot be read: {what}, expected a map, scenario or graph file")
    if path.suffix.lower() not in SUFFIXES:
        raise FileFormatError(path, f"unknown kind of file {path.suffix!r}, expected one of {', '.join(SUFFIXES)}")
    return path


def load_map(name_or_path: str | Path, *, unknown: Literal["blocked", "free"] = "blocked") -> World:
    """The world of a MovingAI `.map`, a ROS `.yaml`, a GeoJSON file, a scenario file or a bundled scenario.

    Args:
        name_or_path: a file, or the name of a bundled scenario.
        unknown: what the unknown cells of a ROS map count as.

    Raises:
        FileAccessError, FileFormatError: the file cannot be read or is malformed.
        MissingExtra: a ROS map without PyYAML or Pillow.
    """
    path = find_map(name_or_path)
    suffix = path.suffix.lower()
    if is_graph_file(path):
        raise FileFormatError(path, "a saved state graph holds no map, expected a map or scenario file")
    return read_scenario(path).world if suffix == ".toml" else read_map_file(path, unknown=unknown)


def metres_per_cell(name_or_path: str | Path) -> float:
    """How large a cell is, where the map says so: a ROS map, or a scenario or GeoJSON file with a resolution of other than 1.

    Raises:
        InvalidProblem: it says nothing of metres.
        As `load_map`.
    """
    path = find_map(name_or_path)
    suffix = path.suffix.lower()
    says = None if suffix in (".map", ".npz") or is_graph_file(path) else load_map(path).resolution
    if says is None or (says == 1.0 and suffix not in YAML_SUFFIXES):
        raise InvalidProblem(f"{path}: says nothing of metres, so a radius in metres has no meaning: give it in cells")
    return says


def is_graph_file(path: Path) -> bool:
    """Whether a file is a saved state graph rather than a map: a `.npz`, or a GeoJSON file that says so.

    Raises:
        FileAccessError, FileFormatError: a GeoJSON file that cannot be read or is malformed.
    """
    suffix = path.suffix.lower()
    return suffix == ".npz" or (suffix in GEOJSON_SUFFIXES and geojson_kind(path) == "graph")


def load_graph(name_or_path: str | Path) -> StateGraph:
    """The graph to plan on: a saved state graph as it is, or the 4-connected cells of a map that no obstacle touches.

    Raises:
        As `load_map`, and `StateGraph.load`.
    """
    path = find_map(name_or_path)
    if is_graph_file(path):
        return StateGraph.load(path) if path.suffix.lower() == ".npz" else read_graph_geojson(path)
    return graph_of(path, load_map(path))


def graph_of(path: Path, world: World) -> StateGraph:
    """`grid_graph` of the world in a file.

    Raises:
        FileFormatError: it is too large.
    """
    try:
        return grid_graph(world)
    except InvalidInput as error:
        raise FileFormatError(path, str(error)) from error


def grid_graph(world: World) -> StateGraph:
    """The 4-connected cells of a world that no obstacle touches; rooms are measured to the obstacles themselves.

    Raises:
        InvalidInput: as `occupied_cells`.
    """
    return StateGraph.from_grid(occupied_cells(world), world=None if world.is_grid else world)


def cells_digest(graph: StateGraph) -> str | None:
    """SHA-256 of the size and the free cells of a grid, whatever file they came from; None for state graphs."""
    if graph.shape is None:
        return None
    free = np.zeros(graph.shape, np.bool_)
    free[tuple(graph.cells().T)] = True
    return hashlib.sha256(f"{graph.shape[0]} {graph.shape[1]} ".encode() + np.packbits(free).tobytes()).hexdigest()
