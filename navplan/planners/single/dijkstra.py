"""Dijkstra's algorithm as a planner for one agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.graph.state_graph import StateGraph
from navplan.kernels.common.status import BUDGET
from navplan.kernels.search.dijkstra import Csr, dijkstra
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, Guarantee, Planner, expansions_per_slice, freeze, make_queue, seed_queue
from navplan.planners.checks import check_time_limit
from navplan.planners.single.alone import plan_alone
from navplan.system.arrays import Float64


@dataclass(frozen=True, slots=True)
class Dijkstra(Planner):
    """Cheapest path of one agent (Dijkstra 1959), without a heuristic."""

    name: ClassVar[str] = "dijkstra"
    guarantee: ClassVar[Guarantee] = "optimal"
    max_agents: ClassVar[int | None] = 1
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; one agent"
    about: ClassVar[str] = "cheapest path of one agent, without a heuristic"
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.search.dijkstra",)

    time_limit: float | None = None
    """Wall seconds for one plan, None for no limit."""

    def __post_init__(self) -> None:
        check_time_limit("Dijkstra.time_limit", self.time_limit)

    def prepare(self, graph: StateGraph) -> StateGraph:
        """Nothing to prepare."""
        return graph

    def plan(self, problem: Problem, state: StateGraph, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`; no choice is random."""

        def search(clock: Clock, source: int, goal: int) -> tuple[list[int], int]:
            graph = state
            weights = problem.edge_weights()
            freeze(weights)
            distance = np.full(graph.num_nodes, np.inf)
            queue = make_queue(graph.num_edges)
            seed_queue(queue, distance, source)
            degree = graph.num_edges // max(1, graph.num_nodes) + 1
            slice_size = expansions_per_slice(degree, 0)
            csr = Csr(graph.indptr, graph.indices, weights)
            while dijkstra(csr, distance, queue, slice_size) == BUDGET:
                clock.check()
            settled = int(np.isfinite(distance).sum())
            return _walk_back(graph, weights, distance, source, goal), settled

        return plan_alone(self.name, problem, deadline, search)


def _walk_back(graph: StateGraph, weights: Float64, distance: Float64, source: int, goal: int) -> list[int]:
    """Follow, from the goal, edges that account for the distances; empty when the goal was not reached."""
    if not np.isfinite(distance[goal]):
        return []
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    tight = distance[tails] + weights == distance[graph.indices]
    best = np.full(graph.num_nodes, -1)
    best[graph.indices[tight]] = tails[tight]
    path = [goal]
    while path[-1] != source:
        path.append(int(best[path[-1]]))
    return path[::-1]
