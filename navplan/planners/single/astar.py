"""A* as a planner for one agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from navplan.graph.state_graph import StateGraph
from navplan.kernels.common.status import BUDGET, FOUND
from navplan.kernels.search.astar import AStarWork, astar, cheapest_rates
from navplan.kernels.search.dijkstra import Csr
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, Guarantee, Planner, expansions_per_slice, freeze
from navplan.planners.checks import check_time_limit
from navplan.planners.single.alone import plan_alone
from navplan.system.arrays import Float64


@dataclass(frozen=True, slots=True)
class AStar(Planner):
    """Cheapest path of one agent (Hart et al. 1968), guided by the least cost per unit of length of any edge."""

    name: ClassVar[str] = "astar"
    guarantee: ClassVar[Guarantee] = "optimal"
    max_agents: ClassVar[int | None] = 1
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; one agent"
    about: ClassVar[str] = "cheapest path of one agent, guided by lengths"
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.search.astar",)

    time_limit: float | None = None
    """Wall seconds for one plan, None for no limit."""

    def __post_init__(self) -> None:
        check_time_limit("AStar.time_limit", self.time_limit)

    def prepare(self, graph: StateGraph) -> Float64:
        """(N, D) float64 coordinates, read-only."""
        xy = np.ascontiguousarray(graph.places)
        freeze(xy)
        return xy

    def plan(self, problem: Problem, state: Float64, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`; no choice is random."""

        def search(clock: Clock, source: int, goal: int) -> tuple[list[int], int]:
            weights = problem.edge_weights()
            freeze(weights)
            csr = Csr(problem.graph.indptr, problem.graph.indices, weights)
            rates = np.empty(3)
            cheapest_rates(csr, state, rates)
            return query(csr, state, rates, source, goal, clock)

        return plan_alone(self.name, problem, deadline, search)


def query(graph: Csr, xy: Float64, rates: Float64, source: int, goal: int, clock: Clock) -> tuple[list[int], int]:
    """The cheapest path from `source` to `goal` (empty: there is none) and the nodes expanded.

    Args:
        graph: the graph.
        xy: (N, D) float64 coordinates.
        rates: (3,) float64 of `navplan.kernels.search.astar.cheapest_rates`.

    Raises:
        OutOfTime: the deadline passed.
    """
    nodes, edges = len(graph.indptr) - 1, len(graph.indices)
    # an estimate is consistent up to rounding, so an edge may improve its head a second time
    room = 2 * edges + 2
    work = AStarWork(
        g=np.full(nodes, np.inf),
        closed=np.zeros(nodes, np.bool_),
        parent=np.full(nodes, -1, np.int32),
        keys=np.empty(room),
        items=np.empty(room, np.int32),
        ready=np.empty(room, np.int32),
        sizes=np.array([0, 1]),
        f=np.zeros(1),
    )
    work.g[source] = 0.0
    work.ready[0] = source
    slice_size = expansions_per_slice(edges // max(1, nodes) + 1, 0)
    expanded, status = 0, BUDGET
    while status == BUDGET:
        clock.check()
        status, count = astar(graph, xy, rates, source, goal, slice_size, work)
        expanded += count
    if status != FOUND:
        return [], expanded
    path = [goal]
    while path[-1] != source:
        path.append(int(work.parent[path[-1]]))
    return path[::-1], expanded
