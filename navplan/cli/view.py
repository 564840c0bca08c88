"""`navplan view`: look at a map, a problem, a graph, a plan, a run; in a window, or as a picture file."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from navplan.cli.options import at_least_one, not_negative

if TYPE_CHECKING:
    from navplan.graph.state_graph import StateGraph
    from navplan.plan.plan import Plan
    from navplan.scenarios.worlds.world import World
    from navplan.viewer.scene import Scene


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help="map (.map, ROS .yaml, .geojson), .scen, scenario name or .toml, saved graph (.npz), plan (.json), "
        "trajectory (.npz), or the folder of a run or demo",
    )
    parser.add_argument("--map", "--scenario", dest="map", metavar="M", help="map or scenario under a graph, plan or trajectory")
    parser.add_argument("--graph", type=Path, metavar="G", help="saved state graph to draw")
    parser.add_argument("--plan", type=Path, metavar="P", help="plan to draw")
    parser.add_argument("--trajectory", type=Path, metavar="T", help="trajectory to draw")
    parser.add_argument("--agents", type=at_least_one, metavar="N", help="rows of a .scen file to mark (default 10)")
    parser.add_argument("--export", type=Path, metavar="OUT", help="write a .png, .gif or .mp4 instead of opening a window")
    parser.add_argument("--step", type=not_negative, metavar="K", help="time step of a .png, or where the window starts")


def run(args: argparse.Namespace) -> int:
    """Build the scene, then show or export it."""
    from navplan.viewer import app, export

    if args.export is None:
        app.check_display()
    else:
        export.check_format(args.export, args.step)
    scene = load_scene(args)
    if args.export is None:
        slider = risk_slider(scene, Path(args.file))
        if slider and "status" in scene.facts:  # of the run, not of what the slider will plan
            scene = dataclasses.replace(scene, facts={k: v for k, v in scene.facts.items() if k != "status"})
        app.show(scene, start=args.step, **slider)
        return 0
    export.save(scene, args.export, args.step)
    print(f"wrote {args.export}", file=sys.stderr)
    return 0


def risk_slider(scene: Scene, path: Path) -> dict[str, Any]:
    """Arguments of `show` for a slider of risk aversion, where the scene has a plan and the state graph that it was made on."""
    from navplan.errors import InvalidInput
    from navplan.navigation.reweigh import Replanner, can_reweigh

    plan, graph = scene.plan, scene.graph
    if plan is None or graph is None or not can_reweigh(plan, graph):
        return {}
    summary = _summary(path) if path.is_dir() else {}
    bound, seed = summary.get("bound"), summary.get("seed")
    try:
        replan = Replanner(
            plan,
            graph,
            suboptimality=float(bound) if isinstance(bound, int | float) else None,
            seed=seed if isinstance(seed, int) and seed >= 0 else 0,
        )
    except InvalidInput:  # another graph was asked for than the plan's own
        return {}
    return {"on_risk_aversion": replan, "risk_aversion": replan.beta}


def load_scene(args: argparse.Namespace) -> Scene:
    """Everything that FILE and the options name, as one scene.

    Raises:
        NavplanError: a file that cannot be read or is of no known kind; a plan whose map is not found.
    """
    from navplan.execution.trajectory import Trajectory
    from navplan.graph.state_graph import StateGraph
    from navplan.plan.plan import Plan
    from navplan.viewer.scene import Scene

    parts = _folder(Path(args.file)) if Path(args.file).is_dir() else _single(args.file, args.agents, args.map)
    if args.graph is not None:
        parts["graph"] = StateGraph.load(args.graph)
    if args.plan is not None:
        parts["plan"] = Plan.load(args.plan)
    if args.trajectory is not None:
        parts["trajectory"] = Trajectory.load(args.trajectory)
    if args.map is not None:
        parts.update(_world_parts(args.map, parts))
        if "plan" in parts:
            _check_fit(parts["plan"], parts["world"], args.map)
    elif "world" not in parts:
        parts["world"] = _find_world(parts, Path(args.file))
    parts["title"] = parts["world"].name
    return Scene(**parts)


def _check_fit(plan: Plan, world: World, name: str) -> None:
    """The plan's starts and goals must lie on free ground of the map given for it."""
    from navplan.errors import InvalidInput

    if world.walls is None:
        return
    for what in ("start", "goal"):
        for agent, (row, col) in enumerate(plan.problem.get(f"{what}_states") or ()):
            inside = 0 <= row < world.height and 0 <= col < world.width
            if not inside or world.walls[int(row), int(col)]:
                where = "in an obstacle" if inside else "outside"
                raise InvalidInput(f"{name}: agent {agent}'s {what} ({row:g}, {col:g}) is {where}, expected the map of the plan")


def _folder(folder: Path) -> dict[str, Any]:
    """What a run or a demo wrote: summary.json, plan.json, trajectory.npz, graph.npz, as far as they are there."""
    from navplan.errors import FileFormatError
    from navplan.execution.trajectory import Trajectory
    from navplan.graph.state_graph import StateGraph
    from navplan.plan.plan import Plan
    from navplan.scenarios.registry import scenario_names

    parts: dict[str, Any] = {}
    for name, key, kind in (
        ("plan.json", "plan", Plan),
        ("trajectory.npz", "trajectory", Trajectory),
        ("graph.npz", "graph", StateGraph),
    ):
        if (folder / name).is_file():
            parts[key] = kind.load(folder / name)
    if not parts:
        raise FileFormatError(folder, "nothing to look at, expected plan.json, trajectory.npz or graph.npz")
    summary = _summary(folder)
    if summary:
        scenario = summary.get("scenario")
        if isinstance(scenario, str) and (scenario in scenario_names() or Path(scenario).is_file()):
            parts.update(_scenario_parts(scenario, parts))
        shown = ("status", "method", "low_level", "seed")
        parts["facts"] = {name.replace("_", " "): str(summary[name]) for name in shown if summary.get(name) is not None}
    return parts


def _summary(folder: Path) -> dict[str, Any]:
    """The fields of summary.json, none where it is missing."""
    from navplan.errors import FileFormatError
    from navplan.system.files import read_bytes

    path = folder / "summary.json"
    if not path.is_file():
        return {}
    try:
        summary = json.loads(read_bytes(path).decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        what = f"is not JSON ({type(error).__name__}), expected a summary"
        raise FileFormatError(path, what, getattr(error, "lineno", None)) from error
    if not isinstance(summary, dict):
        raise FileFormatError(path, "is no JSON object, expected a summary")
    return summary


def _single(name: str, agents: int | None, map_name: str | None) -> dict[str, Any]:
    """The parts that one file, or a scenario's name, stands for."""
    from navplan.execution.trajectory import Trajectory
    from navplan.graph.state_graph import StateGraph
    from navplan.plan.plan import Plan

    path = Path(name)
    suffix = path.suffix.lower()
    if suffix == ".scen":
        return _scen(path, agents or 10, map_name)
    if suffix == ".npz":
        return {"trajectory": Trajectory.load(path)} if _is_trajectory(path) else {"graph": StateGraph.load(path)}
    if suffix == ".json" and not _is_geojson(path):
        return {"plan": Plan.load(path)}
    return _world_parts(name, {})


def _is_trajectory(path: Path) -> bool:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            return "actions.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False  # the graph reader says what is wrong


def _is_geojson(path: Path) -> bool:
    from navplan.system.files import read_bytes

    return b'"FeatureCollection"' in read_bytes(path)


def _world_parts(name: str, parts: dict[str, Any]) -> dict[str, Any]:
    """The world of a map or scenario; with a scenario also its bodies, and its agents where nothing else places them."""
    from navplan.scenarios.maps import find_map, load_map

    path = find_map(name)
    if path.suffix.lower() == ".toml":
        return _scenario_parts(name, parts)
    return {"world": load_map(name)}


def _scenario_parts(name: str, parts: dict[str, Any]) -> dict[str, Any]:
    from navplan.scenarios.registry import load_scenario

    scenario = load_scenario(name)
    found: dict[str, Any] = {"world": scenario.world, "goal_tolerance": scenario.goal_tolerance}
    if "plan" not in parts and "trajectory" not in parts:
        found |= {"radius": scenario.radius, "starts": scenario.starts, "goals": scenario.goals}
    return found


def _scen(path: Path, agents: int, map_name: str | None) -> dict[str, Any]:
    """The first rows of a MovingAI problem file on its map."""
    import numpy as np

    from navplan.errors import FileFormatError
    from navplan.scenarios.formats.movingai import read_scen
    from navplan.scenarios.maps import load_map

    rows = read_scen(path).rows[:agents]
    if not rows:
        raise FileFormatError(path, "holds no problem, expected at least one row")
    world = load_map(map_name) if map_name else _near(path, rows[0].map)
    if world is None:
        raise FileFormatError(path, f"its map {rows[0].map!r} is not beside it, expected the map with --map")
    for what in ("start", "goal"):
        for row in rows:
            cell = getattr(row, what)
            if not (0 <= cell[0] < world.height and 0 <= cell[1] < world.width):
                raise FileFormatError(path, f"{what} {cell} lies outside the map of {world.height:g} x {world.width:g} cells")
    starts, goals = (np.asarray([getattr(row, what) for row in rows], np.float32) + 0.5 for what in ("start", "goal"))
    return {"world": world, "starts": starts, "goals": goals, "facts": {"problem": path.name}}


def _near(path: Path, name: str) -> World | None:
    """A map that a file names: as it says, beside the file, or in a folder of maps beside the file's own."""
    from navplan.scenarios.maps import load_map

    bare = Path(name).name
    for place in (Path(name), path.parent / name, path.parent / bare, path.parent.parent / "maps" / bare):
        if place.is_file() and place.suffix.lower() != ".npz":
            return load_map(place)
    return None


def _find_world(parts: dict[str, Any], path: Path) -> World:
    """The world under a plan (by the names in its file), a trajectory (its walls), or a graph (its free cells, or a bare box)."""
    from navplan.errors import InvalidInput
    from navplan.scenarios.worlds.world import World

    plan: Plan | None = parts.get("plan")
    if plan is not None and "trajectory" not in parts:
        world = _world_of_plan(plan, parts, path)
        if world is not None:
            return world
    if "trajectory" in parts:
        walls = parts["trajectory"].walls
        if walls.size == 0:
            raise InvalidInput(f"{path}: was recorded in a polygon world, expected its scenario with --scenario")
        return World.from_walls(path.stem, walls)
    if "graph" in parts:
        return _world_of_graph(parts["graph"], path.stem)
    known = plan.problem.get("map_path") if plan is not None else None
    where = f"its map {known!r} is not found" if known else "it names no map"
    raise InvalidInput(f"{path}: {where}, expected the map with --map")


def _world_of_plan(plan: Plan, parts: dict[str, Any], path: Path) -> World | None:
    from navplan.graph.state_graph import StateGraph
    from navplan.scenarios.registry import scenario_names

    for key in ("map_path", "map"):
        name = plan.problem.get(key)
        if not isinstance(name, str) or not name:
            continue
        if name in scenario_names():
            return _world(_scenario_parts(name, parts))
        if name.lower().endswith(".npz"):
            for place in (Path(name), path.parent / Path(name).name):
                if place.is_file():
                    parts.setdefault("graph", StateGraph.load(place))
                    return _world_of_scenario(plan, parts) or _world_of_graph(parts["graph"], place.stem)
        found = _near(path, name)
        if found is not None:
            return found
    return _world_of_scenario(plan, parts)


def _world_of_scenario(plan: Plan, parts: dict[str, Any]) -> World | None:
    from navplan.scenarios.registry import scenario_names

    scenario = plan.problem.get("scenario")
    if not isinstance(scenario, str) or scenario not in scenario_names():
        return None
    return _world(_scenario_parts(scenario, parts))


def _world(parts: dict[str, Any]) -> World:
    world: World = parts["world"]
    return world


def _world_of_graph(graph: StateGraph, name: str) -> World:
    """The walls that a grid graph leaves, or an empty box around a state graph."""
    import numpy as np

    from navplan.errors import InvalidInput
    from navplan.scenarios.worlds.world import World

    if graph.shape is not None:
        walls = np.ones(graph.shape, np.bool_)
        cells = graph.cells()
        walls[cells[:, 0], cells[:, 1]] = False
        return World.from_walls(name, walls)
    if not graph.num_nodes or graph.states.min() < 0:
        raise InvalidInput(f"graph {name!r} has no nodes, or nodes at negative coordinates; give its map with --map")
    rows, cols = np.ceil(graph.states[:, :2].max(axis=0) + 1e-3).tolist()
    return World(name, None, float(max(rows, 1)), float(max(cols, 1)))
