"""Planners: one module each, found by name.

A planner is a frozen dataclass of options with `prepare(graph)` and `plan(problem, state, ...)`; see `navplan.planners.base`.
Other distributions add theirs in the entry-point group ``navplan.planners`` (name = "module:Class").
"""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, cast

from navplan.errors import UnknownName

if TYPE_CHECKING:
    from navplan.planners.base import Planner
    from navplan.planners.cbs.cbs import CBS
    from navplan.planners.cbs.ecbs import ECBS
    from navplan.planners.pareto import pareto_front
    from navplan.planners.risk.planner import Risk
    from navplan.planners.single.astar import AStar
    from navplan.planners.single.dijkstra import Dijkstra
    from navplan.planners.solve import solve

PLANNERS: dict[str, str] = {
    "anytime": "navplan.planners.anytime:Anytime",
    "astar": "navplan.planners.single.astar:AStar",
    "cbs": "navplan.planners.cbs.cbs:CBS",
    "dijkstra": "navplan.planners.single.dijkstra:Dijkstra",
    "ecbs": "navplan.planners.cbs.ecbs:ECBS",
    "eecbs": "navplan.planners.cbs.eecbs:EECBS",
    "lacam": "navplan.planners.lacam.lacam:LaCAM",
    "lns": "navplan.planners.priority.lns:LNS",
    "pbs": "navplan.planners.priority.pbs:PBS",
    "pibt": "navplan.planners.lacam.pibt:PIBT",
    "prioritized": "navplan.planners.priority.prioritized:Prioritized",
    "risk": "navplan.planners.risk.planner:Risk",
}
"""Name -> "module:Class" of the planners that navplan ships; imported when asked for."""

_PUBLIC = {
    "AStar": "navplan.planners.single.astar",
    "CBS": "navplan.planners.cbs.cbs",
    "Dijkstra": "navplan.planners.single.dijkstra",
    "ECBS": "navplan.planners.cbs.ecbs",
    "Planner": "navplan.planners.base",
    "Risk": "navplan.planners.risk.planner",
    "pareto_front": "navplan.planners.pareto",
    "solve": "navplan.planners.solve",
}

__all__ = ["CBS", "ECBS", "PLANNERS", "AStar", "Dijkstra", "Planner", "Risk", "get", "names", "pareto_front", "solve"]


@cache
def _third_party() -> dict[str, EntryPoint]:
    """Planners of other distributions; navplan's own names win."""
    return {point.name: point for point in entry_points(group="navplan.planners") if point.name not in PLANNERS}


def names() -> list[str]:
    """Names of every registered planner, sorted."""
    return sorted({*PLANNERS, *_third_party()})


def get(name: str) -> type[Planner]:
    """The planner class registered as `name`.

    Raises:
        UnknownName: there is none; the message suggests the nearest.

    Example:
        >>> get("cbs").guarantee
        'optimal'
    """
    if name in PLANNERS:
        module, attribute = PLANNERS[name].split(":")
        return cast("type[Planner]", getattr(importlib.import_module(module), attribute))
    if name in _third_party():
        return cast("type[Planner]", _third_party()[name].load())
    raise UnknownName("planner", name, names())


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
