"""`navplan scenario`: bundled scenarios, generators, file formats."""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from navplan.scenarios.scenario import Scenario
    from navplan.scenarios.worlds.world import World

_OUTPUTS = ".map, .toml, .yaml (with .pgm or .png), .geojson, .scen, or .npz and .geojson for state graphs"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands; a generator's options are its function's parameters."""
    from navplan.scenarios.worlds.generators import GENERATORS, parameters

    actions = parser.add_subparsers(dest="action", metavar="list|show|make|convert|problems", required=True)

    one = actions.add_parser("list", help="the bundled scenarios")
    one.add_argument("--json", action="store_true", help="print one JSON document")

    one = actions.add_parser("show", help="draw a scenario or map as text, with facts")
    one.add_argument("name", metavar="NAME", help="bundled scenario, or a .toml, .map, .yaml or .geojson file")
    one.add_argument("--json", action="store_true", help="print one JSON document")

    kinds = actions.add_parser("make", help="a generated map").add_subparsers(
        dest="kind", metavar="|".join(GENERATORS), required=True
    )
    for kind in GENERATORS:
        one = kinds.add_parser(kind, help=f"a generated map of kind {kind}")
        for name, default in parameters(kind).items():
            flag = f"--{name.replace('_', '-')}"
            one.add_argument(
                flag, dest=f"param_{name}", metavar="N", type=type(default), default=default, help=f"default {default}"
            )
        one.add_argument("--seed", type=int, default=0, help="the same seed gives the same map everywhere (default 0)")
        one.add_argument("--out", type=Path, help="file to write: .map, .toml or .yaml; without it the .map text goes to stdout")
        one.add_argument("--json", action="store_true", help="print one JSON document with the map and its facts")

    one = actions.add_parser("convert", help="from one format to another", description=f"OUT may end in {_OUTPUTS}.")
    one.add_argument("source", metavar="IN", help="bundled scenario, .toml, .map, .yaml, .geojson or .npz")
    one.add_argument("target", metavar="OUT", type=Path, help=f"one of {_OUTPUTS}")
    one.add_argument("--image", choices=("pgm", "png"), default="pgm", help="image format beside a .yaml file")
    one.add_argument(
        "--unknown", choices=("blocked", "free"), default="blocked", help="unknown cells of a ROS map (default blocked)"
    )
    one.add_argument("--cells", action="store_true", help="lay a grid over polygons: every cell that one touches is a wall")
    one.add_argument("--agents", type=int, help="for .scen: how many starts and goals to draw where IN has none")
    one.add_argument("--seed", type=int, default=0, help="for drawing them")
    one.add_argument("--json", action="store_true", help="print one JSON document")

    one = actions.add_parser("problems", help="draw a suite's problem set and what is possible on each problem, as a CSV file")
    one.add_argument("suite", metavar="SUITE", help="paper-2d or long-horizon")
    one.add_argument("--split", default="test", metavar="tuning|test", help="10 or 50 problems a cell (default test)")
    one.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write")
    one.add_argument("--no-oracle", action="store_true", help="leave the oracle's columns empty, which is much faster")
    one.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Do one of the five; exit status 0."""
    actions = {"list": _list, "show": _show, "make": _make, "convert": _convert, "problems": _problems}
    return actions[args.action](args)


def _list(args: argparse.Namespace) -> int:
    from navplan.scenarios.registry import load_scenario, scenario_names

    facts = [_facts(load_scenario(name)) for name in scenario_names()]
    if args.json:
        print(json.dumps(facts))
        return 0
    print(f"{'name':<20} {'size':>9} {'hazard':>12} {'agents':>6}  description")
    for fact in facts:
        size = f"{fact['height']:g} x {fact['width']:g}"
        hazard = f"{fact['hazard']['kind']} {fact['hazard']['radius']:g}"
        print(f"{fact['name']:<20} {size:>9} {hazard:>12} {fact['agents']:>6}  {fact['description']}")
    return 0


def _show(args: argparse.Namespace) -> int:
    from navplan.scenarios.maps import find_map, load_map
    from navplan.scenarios.scenario import Scenario, read_scenario

    path = find_map(args.name)
    if path.suffix.lower() == ".toml":
        scenario = read_scenario(path)
    else:
        world = load_map(path)
        scenario = Scenario(world.name, world, 1)
    facts = _facts(scenario)
    if path.suffix.lower() != ".toml":
        facts = {key: facts[key] for key in ("name", "kind", "height", "width", "free_cells", "polygons", "resolution", "hazard")}
    rows = _rows(scenario.world)
    if args.json:
        print(json.dumps({**facts, "rows": rows}))
        return 0
    print("\n".join(rows))
    if scenario.world.walls is None:
        print("(# = a cell that a polygon touches)")
    for key, value in facts.items():
        text = (
            " ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in value.values()) if isinstance(value, dict) else value
        )
        if text is not None and text != "":
            print(f"{key}: {text:g}" if isinstance(text, float) else f"{key}: {text}")
    return 0


def _make(args: argparse.Namespace) -> int:
    from navplan.scenarios.formats.movingai import map_text
    from navplan.scenarios.scenario import Scenario
    from navplan.scenarios.worlds.generators import generate
    from navplan.scenarios.worlds.world import World

    options = {name.removeprefix("param_"): value for name, value in vars(args).items() if name.startswith("param_")}
    walls = generate(args.kind, args.seed, **options)
    world = World.from_walls(args.out.stem if args.out else args.kind, walls)
    if args.out:
        _write(world, args.out, scenario=Scenario(world.name, world, 1))
    if args.json:
        facts = {"kind": args.kind, "seed": args.seed, "params": options, "out": str(args.out) if args.out else None}
        size = {"height": walls.shape[0], "width": walls.shape[1], "free_cells": int((~walls).sum())}
        print(json.dumps({**facts, **size, "rows": _rows(world)}))
    elif args.out:
        print(f"{args.out}: {args.kind}, {walls.shape[0]} x {walls.shape[1]}, {int((~walls).sum())} free cells")
    else:
        print(map_text(walls).decode("ascii"), end="")
    return 0


def _convert(args: argparse.Namespace) -> int:
    from navplan.scenarios.maps import find_map, load_map
    from navplan.scenarios.scenario import Scenario, read_scenario
    from navplan.scenarios.worlds.cells import occupied_cells
    from navplan.scenarios.worlds.world import World

    path, suffix = find_map(args.source), args.target.suffix.lower()
    graph_source = path.suffix.lower() == ".npz" or (suffix == ".npz" and path.suffix.lower() == ".geojson")
    if graph_source:
        _convert_graph(path, args.target)
    elif suffix == ".scen":
        _write_scen(args, path)
    else:
        scenario = read_scenario(path) if path.suffix.lower() == ".toml" else None
        world = scenario.world if scenario else load_map(path, unknown=args.unknown)
        if args.cells and world.walls is None:
            world = World.from_walls(world.name, occupied_cells(world), world.hazard, world.resolution)
        scenario = replace(scenario, world=world) if scenario else Scenario(world.name, world, 1)
        _write(world, args.target, scenario, image=args.image)
    if args.json:
        print(json.dumps({"in": str(args.source), "out": str(args.target)}))
    else:
        print(f"{args.target}: written from {args.source}")
    return 0


def _problems(args: argparse.Namespace) -> int:
    from navplan.scenarios.problems.sets import problem_sets_text
    from navplan.scenarios.problems.suites import build_problem_sets
    from navplan.system.files import check_writable, write_text

    check_writable(args.out)
    sets = []
    for cell in build_problem_sets(args.suite, args.split, with_oracle=not args.no_oracle):
        sets.append(cell)
        print(f"{cell.map}, {cell.difficulty}, {cell.agents} agents: {len(cell.starts)} problems", file=sys.stderr)
    write_text(args.out, problem_sets_text(sets))
    facts = {"suite": args.suite, "split": args.split, "cells": len(sets), "problems": sum(len(cell.starts) for cell in sets)}
    if args.json:
        print(json.dumps({**facts, "out": str(args.out)}))
    else:
        print(f"{args.out}: {facts['problems']} problems in {facts['cells']} cells of {args.suite}, {args.split}")
    return 0


def _write(world: World, target: Path, scenario: Scenario, image: str = "pgm") -> None:
    """One world to a file whose suffix says the format."""
    from navplan.errors import InvalidInput
    from navplan.scenarios.formats.geojson import write_geojson
    from navplan.scenarios.formats.movingai import write_map
    from navplan.scenarios.formats.ros_map import RosMap, write_ros_map

    suffix = target.suffix.lower()
    if suffix == ".toml":
        scenario.save(target)
    elif suffix == ".geojson":
        write_geojson(target, world)
    elif suffix in (".map", ".yaml", ".yml"):
        if world.walls is None:
            raise InvalidInput(f"{target}: {world.name!r} is a world of polygons, expected a grid; --cells lays one over it")
        if suffix == ".map":
            write_map(target, world.walls)
        else:
            occupancy = world.walls.astype("int8") * 100
            write_ros_map(target, RosMap(occupancy, world.resolution), image="png" if image == "png" else "pgm")
    else:
        raise InvalidInput(f"{target}: unknown kind of file {target.suffix!r}, expected {_OUTPUTS}")


def _convert_graph(path: Path, target: Path) -> None:
    from navplan.errors import InvalidInput
    from navplan.graph.state_graph import StateGraph
    from navplan.scenarios.formats.geojson import read_graph_geojson, write_graph_geojson

    graph = StateGraph.load(path) if path.suffix.lower() == ".npz" else read_graph_geojson(path)
    if target.suffix.lower() == ".npz":
        graph.save(target)
    elif target.suffix.lower() == ".geojson":
        write_graph_geojson(target, graph)
    else:
        raise InvalidInput(f"{target}: a state graph goes to .npz or .geojson, not to {target.suffix!r}")


def _write_scen(args: argparse.Namespace, path: Path) -> None:
    """The problem that `load_problem` makes of IN, as a scen file for the map of that name."""
    from navplan.errors import InvalidInput
    from navplan.scenarios.formats.movingai import ScenRow, write_scen
    from navplan.scenarios.problems.load import load_problem

    problem = load_problem(args.source, agents=args.agents, seed=args.seed)
    if problem.graph.shape is None:
        raise InvalidInput(f"{path}: a state graph has no cells for a .scen file")
    height, width = problem.graph.shape
    cells = problem.graph.cells()
    pairs = zip(cells[problem.starts].tolist(), cells[problem.goals].tolist())
    name = f"{path.stem}.map"
    write_scen(args.target, [ScenRow(0, name, width, height, tuple(start), tuple(goal), 0.0) for start, goal in pairs])


def _rows(world: World) -> list[str]:
    from navplan.scenarios.worlds.cells import occupied_cells
    from navplan.scenarios.worlds.mazes import ascii_rows

    return ascii_rows(occupied_cells(world))


def _facts(scenario: Scenario) -> dict[str, Any]:
    """What list and show print; inf becomes None, for JSON has no word for it."""
    world = scenario.world
    return {
        "name": scenario.name,
        "description": scenario.description,
        "kind": "grid" if world.walls is not None else "polygons",
        "height": world.height,
        "width": world.width,
        "free_cells": int((~world.walls).sum()) if world.walls is not None else None,
        "polygons": len(world.polygons) or None,
        "resolution": world.resolution,
        "hazard": {"kind": world.hazard.kind, "radius": world.hazard.radius},
        "agents": scenario.num_agents,
        "radius": scenario.radius,
        "goal_tolerance": scenario.goal_tolerance,
        "max_steps": scenario.max_steps,
        "episode_steps": scenario.episode_steps,
        "max_distance": scenario.max_distance if math.isfinite(scenario.max_distance) else None,
        "max_risk": scenario.max_risk if math.isfinite(scenario.max_risk) else None,
        "starts_and_goals": "given" if scenario.starts is not None else "drawn",
    }
