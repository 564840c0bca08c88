"""Planners: one module each, found by name.

A planner is a frozen dataclass of options that derives from `Planner` and defines `plan(problem, state, ...)`; see
`navplan.planners.base`. Other distributions add theirs in the entry-point group ``navplan.planners`` (name = "module:Class").
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from navplan.planners.registry import PLANNERS, get, names, option_names

if TYPE_CHECKING:
    from navplan.planners.base import Planner
    from navplan.planners.cbs.cbs import CBS
    from navplan.planners.cbs.ecbs import ECBS
    from navplan.planners.pareto import pareto_front
    from navplan.planners.risk.planner import Risk
    from navplan.planners.single.astar import AStar
    from navplan.planners.single.dijkstra import Dijkstra
    from navplan.planners.solving import solve

_PUBLIC = {
    "AStar": "navplan.planners.single.astar",
    "CBS": "navplan.planners.cbs.cbs",
    "Dijkstra": "navplan.planners.single.dijkstra",
    "ECBS": "navplan.planners.cbs.ecbs",
    "Planner": "navplan.planners.base",
    "Risk": "navplan.planners.risk.planner",
    "pareto_front": "navplan.planners.pareto",
    "solve": "navplan.planners.solving",
}

__all__ = [
    "CBS",
    "ECBS",
    "PLANNERS",
    "AStar",
    "Dijkstra",
    "Planner",
    "Risk",
    "get",
    "names",
    "option_names",
    "pareto_front",
    "solve",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
