"""The problem that a plan file states, on the map that it names: what a check of the plan has to be made against."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from navplan.errors import FileAccessError, FileFormatError, InvalidPlan
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan
from navplan.plan.problem import NoRoom, Problem
from navplan.scenarios.formats.movingai import read_scen
from navplan.scenarios.maps import cells_digest, find_map, load_graph
from navplan.scenarios.registry import scenario_names
from navplan.system.files import read_bytes, sha256
from navplan.system.paths import is_file


class Stated(NamedTuple):
    """The problem that a plan file states, what of it was given instead, and what could not be made sure of."""

    problem: Problem
    given: tuple[str, ...]
    warnings: tuple[str, ...]


def stated_problem(plan: Plan, path: Path, *, map: str | Path | None = None, scen: Path | None = None) -> Problem:  # noqa: A002
    """The problem of the plan in the file `path`; see `stated`."""
    return stated(plan, path, map=map, scen=scen).problem


def stated(
    plan: Plan,
    path: Path,
    *,
    map: str | Path | None = None,  # noqa: A002
    scen: Path | None = None,
    radius: float | Sequence[float] | None = None,
    clearance: float | None = None,
    beta: float | None = None,
) -> Stated:
    """The problem of the plan in the file `path`.

    Args:
        map: map or state graph, or a scenario's name, where the plan's own path does not lead to it.
        scen: scenario file, likewise.
        radius, clearance, beta: instead of those that the file states.

    Raises:
        FileAccessError: a file that it names is not there.
        FileFormatError: what it states does not fit the map or the scenario file.
        InvalidPlan: it was made for another map or scenario file, or its bodies have no room at their starts or goals.
    """
    says = plan.problem
    map_path = find_map(map) if map else _find(path, says, "map")
    graph = load_graph(map_path)
    warnings = _check_map(path, map_path, graph, says)
    asked = {"radius": radius, "clearance": clearance, "beta": beta}
    given = {name: value for name, value in asked.items() if value is not None}
    try:
        size = says["radius"]
        values: dict[str, Any] = {
            "radius": [float(r) for r in size] if isinstance(size, list) else float(size),
            **{name: float(says[name]) for name in ("clearance", "beta", "wait_cost")},
            **given,
        }
        problem = Problem(
            graph, says["starts"], says["goals"], weight=says["weight"], risk_budget=says.get("risk_budget"), **values
        )
    except NoRoom as error:
        raise InvalidPlan(f"{path}: {error}") from error
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise FileFormatError(path, f"its problem does not fit the map {map_path}: {error}") from error
    _check_places(path, says, problem)
    if says.get("scen") or scen:
        scen = scen or _find(path, says, "scen")
        _check_scen(plan, problem, path, scen)
        if says.get("scen_sha256") is None:
            warnings += (f"the plan has no SHA-256 of its scenario file: {scen} is taken for it",)
    return Stated(problem, tuple(given), warnings)


def _check_map(path: Path, map_path: Path, graph: StateGraph, says: Mapping[str, Any]) -> tuple[str, ...]:
    """Raise InvalidPlan for another map than the plan's; warnings where that is not sure. Cells count, not bytes."""
    expected = says.get("map_sha256")
    if expected is None:
        return (f"the plan has no SHA-256 of its map: {map_path} is taken for it",)
    if sha256(map_path) == expected:
        return ()
    cells = says.get("map_cells_sha256")
    same = cells == cells_digest(graph) if cells is not None else expected in _other_line_ends(map_path)
    if not same:
        raise InvalidPlan(f"{path}: was made for another {map_path.name}: the SHA-256 differs from that of {map_path}")
    return (f"{map_path} is not the plan's map byte for byte, but has the same cells",)


def _other_line_ends(path: Path) -> tuple[str, ...]:
    """SHA-256 of the file with the line ends of other systems."""
    plain = read_bytes(path).replace(b"\r\n", b"\n")
    return tuple(hashlib.sha256(text).hexdigest() for text in (plain, plain.replace(b"\n", b"\r\n")))


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
    there = [place for place in places if is_file(place)]
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
