"""From files to a scene: a map, a problem, a graph, a plan, a trajectory, the folder of a run; whatever a name stands for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from navplan.errors import FileFormatError, InvalidInput
from navplan.execution.trajectory import Trajectory
from navplan.graph.state_graph import StateGraph
from navplan.navigation.files import read_run
from navplan.navigation.result import Navigation
from navplan.plan.plan import Plan
from navplan.scenarios.formats.map_file import GEOJSON_SUFFIXES
from navplan.scenarios.formats.movingai import read_scen
from navplan.scenarios.maps import find_map, is_graph_file, load_graph, load_map
from navplan.scenarios.registry import load_scenario, scenario_in, scenario_names
from navplan.scenarios.scenario import Scenario
from navplan.scenarios.worlds.world import World
from navplan.system.archives import member_names
from navplan.system.arrays import Float32, Float64
from navplan.system.files import read_bytes
from navplan.system.paths import is_file, is_folder
from navplan.viewer.scene import Scene

ROWS = 10
"""Of a problem file, as long as nobody asks for another number."""


@dataclass(eq=False)
class _Parts:
    """What has been found of a scene so far; the fields are those of `Scene`."""

    world: World | None = None
    graph: StateGraph | None = None
    plan: Plan | None = None
    trajectory: Trajectory | None = None
    facts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    starts: Float32 | None = None
    goals: Float32 | None = None
    radius: float | Float64 | None = None
    goal_tolerance: float | None = None

    def take_map(self, name: str) -> None:
        """The world of a map or scenario; of a scenario also its bodies, and its agents where nothing else places them."""
        scenario = scenario_in(find_map(name))
        if scenario is None:
            self.world = load_map(name)
            return
        self.world, self.goal_tolerance = scenario.world, scenario.goal_tolerance
        if self.plan is None and self.trajectory is None:
            self.radius = scenario.radii
            if self.starts is None:
                self.starts, self.goals = scenario.starts, scenario.goals


def open_scene(
    file: str | Path,
    *,
    map: str | None = None,  # noqa: A002 - as everywhere
    graph: Path | None = None,
    plan: Path | None = None,
    trajectory: Path | None = None,
    agents: int | None = None,
) -> Scene:
    """Everything that `file` and the other arguments name, as one scene.

    Args:
        file: a map, a scenario's name or file, a problem (.scen), a saved graph, plan or trajectory, or the folder of a run.
        map: map or scenario under a graph, plan or trajectory.
        graph, plan, trajectory: files to draw beside it, or in place of what it holds.
        agents: rows of a problem file to mark; None: `ROWS`.

    Raises:
        NavplanError: a file that cannot be read or is of no known kind; a plan whose map is not found.
    """
    path = Path(file)
    parts = _folder(path) if is_folder(path) else _single(str(file), agents or ROWS, map)
    if graph is not None:
        parts.graph = StateGraph.load(graph)
    if plan is not None:
        parts.plan = Plan.load(plan)
    if trajectory is not None:
        parts.trajectory = Trajectory.load(trajectory)
    if map is not None:
        parts.take_map(map)
        if parts.plan is not None and parts.world is not None:
            _check_fit(parts.plan, parts.world, map)
    world = parts.world if parts.world is not None else _find_world(parts, path)
    fields = {field.name: getattr(parts, field.name) for field in dataclasses.fields(parts)}
    return Scene(**{**fields, "world": world, "title": world.name})


def scene_of(scenario: Scenario, result: Navigation, summary: Mapping[str, Any]) -> Scene:
    """What came out of a navigation: map, graph with its pruned edges, plan, motion."""
    # cost, contacts and arrivals stand in the panel as they happen
    facts = {"seed": str(summary["seed"])}
    if summary.get("policy_cost_mean") is not None:
        facts["mean cost of policy alone"] = f"{summary['policy_cost_mean']:.2f}"
    return Scene(
        scenario.world,
        graph=result.pruned,
        pruned=result.graph,
        plan=result.plan if result.plan is not None and result.plan.solved else None,
        trajectory=result.trajectory,
        facts=facts,
        starts=result.starts,
        goals=result.goals,
        radius=scenario.radii,
        goal_tolerance=scenario.goal_tolerance,
    )


def _check_fit(plan: Plan, world: World, name: str) -> None:
    """The plan's starts and goals must lie on free ground of the map given for it."""
    if world.walls is None:
        return
    for what in ("start", "goal"):
        for agent, (row, col, *_) in enumerate(plan.problem.get(f"{what}_states") or ()):
            inside = 0 <= row < world.height and 0 <= col < world.width
            if not inside or world.walls[int(row), int(col)]:
                where = "in an obstacle" if inside else "outside"
                raise InvalidInput(f"{name}: agent {agent}'s {what} ({row:g}, {col:g}) is {where}, expected the map of the plan")


def _folder(folder: Path) -> _Parts:
    """What a run or a demo wrote."""
    run = read_run(folder)
    parts = _Parts(plan=run.plan, trajectory=run.trajectory, graph=run.graph)
    scenario = run.summary.get("scenario")
    if isinstance(scenario, str) and (scenario in scenario_names() or is_file(scenario)):
        parts.take_map(scenario)
    shown = [name for name in ("status", "method", "low_level", "seed") if run.summary.get(name) is not None]
    parts.facts = {name.replace("_", " "): str(run.summary[name]) for name in shown}
    return parts


def _single(name: str, agents: int, map_name: str | None) -> _Parts:
    """The parts that one file, or a scenario's name, stands for."""
    path = Path(name)
    suffix = path.suffix.lower()
    if suffix == ".scen":
        return _scen(path, agents, map_name)
    if suffix == ".npz" and _is_trajectory(path):
        return _Parts(trajectory=Trajectory.load(path))
    if suffix == ".npz":
        return _Parts(graph=StateGraph.load(path))
    if suffix == ".json" and b'"FeatureCollection"' not in read_bytes(path):
        return _Parts(plan=Plan.load(path))
    if suffix in GEOJSON_SUFFIXES and is_graph_file(find_map(name)):
        return _Parts(graph=load_graph(name))
    parts = _Parts()
    parts.take_map(name)
    return parts


def _is_trajectory(path: Path) -> bool:
    return "actions" in member_names(path, read_bytes(path), "a trajectory or a state graph")


def _scen(path: Path, agents: int, map_name: str | None) -> _Parts:
    """The first rows of a MovingAI problem file on its map."""
    rows = read_scen(path).rows[:agents]
    if not rows:
        raise FileFormatError(path, "holds no problem, expected at least one row")
    world = load_map(map_name) if map_name else _near(path, rows[0].map)
    if world is None:
        raise FileFormatError(path, f"its map {rows[0].map!r} is not beside it, expected the map with --map")
    for what in ("start", "goal"):
        for row in rows:
            cell = row.start if what == "start" else row.goal
            if not (0 <= cell[0] < world.height and 0 <= cell[1] < world.width):
                raise FileFormatError(path, f"{what} {cell} lies outside the map of {world.height:g} x {world.width:g} cells")
    starts = np.asarray([row.start for row in rows], np.float32) + 0.5
    goals = np.asarray([row.goal for row in rows], np.float32) + 0.5
    return _Parts(world, starts=starts, goals=goals, facts={"problem": path.name})


def _near(path: Path, name: str) -> World | None:
    """A map that a file names: as it says, beside the file, or in a folder of maps beside the file's own."""
    bare = Path(name).name
    for place in (Path(name), path.parent / name, path.parent / bare, path.parent.parent / "maps" / bare):
        if is_file(place) and not is_graph_file(place):
            return load_map(place)
    return None


def _find_world(parts: _Parts, path: Path) -> World:
    """The world under a plan (by the names in its file), a trajectory (its walls), or a graph (its free cells, or a bare box)."""
    plan, trajectory = parts.plan, parts.trajectory
    if trajectory is not None:
        if trajectory.walls.size == 0:
            raise InvalidInput(f"{path}: was recorded in a polygon world, expected its scenario with --scenario")
        return World.from_walls(path.stem, trajectory.walls)
    world = _world_of_plan(plan, parts, path) if plan is not None else None
    if world is not None:
        return world
    if parts.graph is not None:
        return _world_of_graph(parts.graph, path.stem)
    known = plan.problem.get("map_path") if plan is not None else None
    where = f"its map {known!r} is not found" if known else "it names no map"
    raise InvalidInput(f"{path}: {where}, expected the map with --map")


def _world_of_plan(plan: Plan, parts: _Parts, path: Path) -> World | None:
    """The map, scenario or graph that a plan names; a graph becomes one of the parts."""
    for key in ("map_path", "map"):
        name = plan.problem.get(key)
        if not isinstance(name, str) or not name:
            continue
        if name in scenario_names():
            return load_scenario(name).world
        if name.lower().endswith((".npz", *GEOJSON_SUFFIXES)):
            for place in (Path(name), path.parent / Path(name).name):
                if is_file(place) and is_graph_file(place):
                    if parts.graph is None:
                        parts.graph = load_graph(place)
                    return _world_of_scenario(plan) or _world_of_graph(parts.graph, place.stem)
        found = _near(path, name)
        if found is not None:
            return found
    return _world_of_scenario(plan)


def _world_of_scenario(plan: Plan) -> World | None:
    scenario = plan.problem.get("scenario")
    return load_scenario(scenario).world if isinstance(scenario, str) and scenario in scenario_names() else None


def _world_of_graph(graph: StateGraph, name: str) -> World:
    """The walls that a grid graph leaves, or an empty box around a state graph."""
    if graph.shape is not None:
        walls = np.ones(graph.shape, np.bool_)
        cells = graph.cells()
        walls[cells[:, 0], cells[:, 1]] = False
        return World.from_walls(name, walls)
    places = graph.places
    if places.shape[1] != 2:
        raise InvalidInput(f"graph {name!r} has states of {places.shape[1]} columns and no positions, a picture needs (row, col)")
    if not len(places) or places.min() < 0:
        raise InvalidInput(f"graph {name!r} has no nodes, or nodes at negative coordinates; give its map with --map")
    rows, cols = np.ceil(places.max(axis=0) + 1e-3).tolist()
    return World(name, None, float(max(rows, 1)), float(max(cols, 1)))
