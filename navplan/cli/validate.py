"""`navplan validate`: check a plan file beside its map."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from navplan.plan.plan import Plan
    from navplan.plan.problem import Problem


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("plan", metavar="PLAN", type=Path, help="plan file, as `navplan solve --out` writes it")
    parser.add_argument("--map", type=Path, help="map or state graph, where the plan's own path does not lead to it")
    parser.add_argument("--scen", type=Path, help="scenario file, likewise")
    parser.add_argument("--forbid-following", action="store_true", help="forbid entering a node in the step in which it is left")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Print every violation; exit status 0 for a valid plan, 1 otherwise."""
    from navplan.plan.plan import Plan
    from navplan.plan.validate import violations

    plan = Plan.load(args.plan)
    problem = _problem(plan, args)
    found = violations(plan, problem, forbid_following=args.forbid_following)
    if args.json:
        rows = [{"kind": v.kind, "agents": list(v.agents), "step": v.step, "message": v.message} for v in found]
        print(json.dumps({"plan": str(args.plan), "valid": not found, "agents": plan.num_agents, "violations": rows}))
    elif found:
        print(f"{args.plan}: INVALID, {len(found)} violation{'s' if len(found) > 1 else ''}")
        for violation in found[:20]:
            print(f"  {violation.kind}: {violation.message}")
    else:
        cost = f"sum of costs {plan.sum_of_costs:g}, makespan {plan.makespan}"
        print(f"{args.plan}: valid; {plan.num_agents} agents, {cost}, status {plan.status}")
    return 1 if found else 0


def _problem(plan: Plan, args: argparse.Namespace) -> Problem:
    """The problem that the plan file states, on the map that it names."""
    from navplan.errors import FileFormatError
    from navplan.plan.problem import Problem
    from navplan.scenarios.maps import find_map, load_graph

    stated = plan.problem
    map_path = find_map(args.map) if args.map else _find(args.plan, stated, "map")
    _check_hash(args.plan, map_path, stated.get("map_sha256"))
    graph = load_graph(map_path)
    try:
        problem = Problem(
            graph,
            stated["starts"],
            stated["goals"],
            radius=float(stated["radius"]),
            clearance=float(stated["clearance"]),
            beta=float(stated["beta"]),
            wait_cost=float(stated["wait_cost"]),
            weight=stated["weight"],
            risk_budget=stated.get("risk_budget"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FileFormatError(args.plan, f"its problem does not fit the map {map_path}: {error}") from error
    _check_places(args.plan, stated, problem)
    if stated.get("scen") or args.scen:
        _check_scen(plan, problem, args.plan, args.scen or _find(args.plan, stated, "scen"))
    return problem


def _check_places(plan_path: Path, stated: Mapping[str, Any], problem: Problem) -> None:
    """The nodes that the plan names must lie where it says that they lie."""
    from navplan.errors import FileFormatError

    for what, ids in (("start", problem.starts), ("goal", problem.goals)):
        if stated.get(f"{what}_states") != problem.graph.states[ids].tolist():
            raise FileFormatError(plan_path, f"its {what}_states are not the coordinates of its {what} nodes on the map")


def _find(plan_path: Path, stated: object, what: str) -> Path:
    from navplan.errors import FileAccessError, FileFormatError
    from navplan.scenarios.maps import find_map
    from navplan.scenarios.registry import scenario_names
    from navplan.system.files import sha256

    entries = stated if isinstance(stated, dict) else {}
    name = entries.get(what)
    if not isinstance(name, str):
        raise FileFormatError(plan_path, f"names no {what} file; give one with --{what}")
    given = entries.get(f"{what}_path")
    if what == "map" and given in scenario_names():
        return find_map(str(given))
    places = [plan_path.parent / name] if given is None else [Path(str(given)), plan_path.parent / name]
    there = [place for place in places if place.is_file()]
    if not there:
        raise FileAccessError(f"{plan_path}: its {what} {given or name} is not there; give it with --{what}")
    return next((place for place in there if sha256(place) == entries.get(f"{what}_sha256")), there[0])


def _check_hash(plan_path: Path, path: Path, expected: object) -> None:
    from navplan.errors import InvalidPlan
    from navplan.system.files import sha256

    if expected is not None and sha256(path) != expected:
        raise InvalidPlan(f"{plan_path}: was made for another {path.name}: the SHA-256 differs from that of {path}")


def _check_scen(plan: Plan, problem: Problem, plan_path: Path, scen_path: Path) -> None:
    """The plan's own starts and goals must be the scenario file's first rows."""
    import numpy as np

    from navplan.errors import FileFormatError
    from navplan.scenarios.formats.movingai import read_scen

    _check_hash(plan_path, scen_path, plan.problem.get("scen_sha256"))
    rows = read_scen(scen_path).rows[: plan.num_agents]
    for what, ids in (("start", problem.starts), ("goal", problem.goals)):
        stated = np.floor(problem.graph.states[ids]).astype(int).tolist()
        expected = [list(getattr(row, what)) for row in rows]
        if stated != expected:
            raise FileFormatError(plan_path, f"its {what}s are not the first {plan.num_agents} of {scen_path}")
