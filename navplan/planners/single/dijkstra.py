"""Dijkstra's algorithm as a planner for one agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.graph.prepared import PreparedGraph
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.base import Guarantee, Planner
from navplan.planners.checks import check_time_limit
from navplan.planners.single.alone import plan_alone


@dataclass(frozen=True, slots=True)
class Dijkstra(Planner):
    """Cheapest path of one agent (Dijkstra 1959), without a heuristic; it ends when it has settled the goal."""

    name: ClassVar[str] = "dijkstra"
    guarantee: ClassVar[Guarantee] = "optimal"
    max_agents: ClassVar[int | None] = 1
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; one agent"
    about: ClassVar[str] = "cheapest path of one agent, without a heuristic"
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.search.astar",)

    time_limit: float | None = None
    """Wall seconds for one plan, None for no limit."""

    def __post_init__(self) -> None:
        check_time_limit("Dijkstra.time_limit", self.time_limit)

    def plan(self, problem: Problem, state: PreparedGraph, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`; no choice is random."""
        return plan_alone(self.name, problem, state, deadline, guided=False)
