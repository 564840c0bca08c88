"""The problem that a plan file states, on the map that it names: what a check of the plan has to be made against."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from navplan.errors import FileAccessError, FileFormatError, InvalidPlan
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.scenarios.formats.movingai import read_scen
from navplan.scenarios.maps import find_map, load_graph
from navplan.scenarios.registry import scenario_names
from navplan.system.files import sha256


def stated_problem(plan: Plan, path: Path, *, map: str | Path | None = None, scen: Path | None = None) -> Problem:  # noqa: A002
    """The problem of the plan in the file `path`.

    Args:
        map: map or state graph, or a scenario's name, where the plan's own path does not lead to it.
        scen: scenario file, likewise.

    Raises:
        FileAccessError: a file that it names is not there.
        FileFormatError: what it states does not fit the map or the scenario file.
        InvalidPlan: it was made for another map or scenario file.
    """
    stated = plan.problem
    map_path = find_map(map) if map else _find(path, stated, "map")
    _check_hash(path, map_path, stated.get("map_sha256"))
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
        raise FileFormatError(path, f"its problem does not fit the map {map_path}: {error}") from error
    _check_places(path, stated, problem)
    if stated.get("scen") or scen:
        _check_scen(plan, problem, path, scen or _find(path, stated, "scen"))
    return problem


def _check_places(path: Path, stated: Mapping[str, Any], problem: Problem) -> None:
    """The nodes that the plan names must lie where it says that they lie."""
    for what, ids in (("start", problem.starts), ("goal", problem.goals)):
        if stated.get(f"{what}_states") != problem.graph.places[ids].tolist():
            raise FileFormatError(path, f"its {what}_states are not the coordinates of its {what} nodes on the map")


def _find(path: Path, stated: Mapping[str, Any], what: str) -> Path:
    """The map or scenario file that the plan names: where it says, or beside the plan; of the right contents if there is one."""
    name = stated.get(what)
    if not isinstance(name, str):
        raise FileFormatError(path, f"names no {what} file; give one with --{what}")
    given = stated.get(f"{what}_path")
    if what == "map" and given in scenario_names():
        return find_map(str(given))
    places = [path.parent / name] if given is None else [Path(str(given)), path.parent / name]
    there = [place for place in places if place.is_file()]
    if not there:
        raise FileAccessError(f"{path}: its {what} {given or name} is not there; give it with --{what}")
    return next((place for place in there if sha256(place) == stated.get(f"{what}_sha256")), there[0])


def _check_hash(path: Path, file: Path, expected: object) -> None:
    if expected is not None and sha256(file) != expected:
        raise InvalidPlan(f"{path}: was made for another {file.name}: the SHA-256 differs from that of {file}")


def _check_scen(plan: Plan, problem: Problem, path: Path, scen: Path) -> None:
    """The plan's own starts and goals must be the scenario file's first rows."""
    _check_hash(path, scen, plan.problem.get("scen_sha256"))
    rows = read_scen(scen).rows[: plan.num_agents]
    for what, ids, expected in (
        ("start", problem.starts, [list(row.start) for row in rows]),
        ("goal", problem.goals, [list(row.goal) for row in rows]),
    ):
        if np.floor(problem.graph.places[ids]).astype(int).tolist() != expected:
            raise FileFormatError(path, f"its {what}s are not the first {plan.num_agents} of {scen}")
