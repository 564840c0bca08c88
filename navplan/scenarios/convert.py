"""Maps, scenarios, problems and state graphs from one file format to another; the ending of the target says which."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from navplan.errors import InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.scenarios.formats.geojson import write_geojson, write_graph_geojson
from navplan.scenarios.formats.movingai import ScenRow, write_map, write_scen
from navplan.scenarios.formats.ros_map import RosMap, write_ros_map
from navplan.scenarios.maps import find_map, is_graph_file, load_graph, load_map
from navplan.scenarios.problems.load import load_problem
from navplan.scenarios.registry import scenario_in
from navplan.scenarios.scenario import Scenario
from navplan.scenarios.worlds.cells import occupied_cells
from navplan.scenarios.worlds.world import World

OUTPUTS = ".map, .toml, .yaml (with .pgm or .png), .geojson, .scen, or .npz and .geojson for state graphs"


def convert(
    source: str | Path,
    target: Path,
    *,
    image: Literal["pgm", "png"] = "pgm",
    unknown: Literal["blocked", "free"] = "blocked",
    cells: bool = False,
    agents: int | None = None,
    seed: int = 0,
) -> None:
    """Write what `source` holds as `target`.

    Args:
        source: a bundled scenario, or a file that `navplan.scenarios.load.load_problem` reads.
        target: a file with one of the endings in `OUTPUTS`.
        image: format of the image beside a .yaml file.
        unknown: what the unknown cells of a ROS map count as.
        cells: lay a grid over polygons; every cell that one touches is a wall.
        agents: for .scen, how many starts and goals to draw where `source` has none.
        seed: for drawing them.

    Raises:
        FileAccessError, FileFormatError, UnknownName: `source` cannot be read, or `target` not be written.
        InvalidInput: a target that cannot hold what `source` is.
    """
    path, ending = find_map(source), target.suffix.lower()
    if is_graph_file(path):
        _convert_graph(load_graph(path), target)
    elif ending == ".scen":
        _write_problem(source, path, target, agents, seed)
    else:
        scenario = scenario_in(path)
        world = scenario.world if scenario else load_map(path, unknown=unknown)
        if cells and world.walls is None:
            world = World.from_walls(world.name, occupied_cells(world), world.hazard, world.resolution)
        write_scenario(replace(scenario, world=world) if scenario else Scenario(world.name, world, 1), target, image=image)


def write_scenario(scenario: Scenario, target: Path, *, image: Literal["pgm", "png"] = "pgm") -> None:
    """A scenario as .toml, or its world alone as .map, .yaml with an image, or .geojson.

    Raises:
        InvalidInput: another ending, or a world that the format cannot hold.
        FileAccessError: the file cannot be written.
    """
    world, ending = scenario.world, target.suffix.lower()
    if ending == ".toml":
        scenario.save(target)
    elif ending == ".geojson":
        write_geojson(target, world)
    elif ending in (".map", ".yaml", ".yml"):
        if world.walls is None:
            raise InvalidInput(f"{target}: {world.name!r} is a world of polygons, expected a grid; --cells lays one over it")
        if ending == ".map":
            write_map(target, world.walls)
        else:
            write_ros_map(target, RosMap(world.walls.astype("int8") * 100, world.resolution), image=image)
    else:
        raise InvalidInput(f"{target}: unknown kind of file {target.suffix!r}, expected {OUTPUTS}")


def _convert_graph(graph: StateGraph, target: Path) -> None:
    if target.suffix.lower() == ".npz":
        graph.save(target)
    elif target.suffix.lower() == ".geojson":
        write_graph_geojson(target, graph)
    else:
        raise InvalidInput(f"{target}: a state graph goes to .npz or .geojson, not to {target.suffix!r}")


def _write_problem(source: str | Path, path: Path, target: Path, agents: int | None, seed: int) -> None:
    """The problem that `load_problem` makes of the source, as a scen file for the map of that name."""
    problem = load_problem(source, agents=agents, seed=seed)
    if problem.graph.shape is None:
        raise InvalidInput(f"{path}: a state graph has no cells for a .scen file")
    height, width = problem.graph.shape
    places = problem.graph.cells()
    pairs = zip(places[problem.starts].tolist(), places[problem.goals].tolist())
    name = f"{path.stem}.map"
    write_scen(target, [ScenRow(0, name, width, height, tuple(start), tuple(goal), 0.0) for start, goal in pairs])
