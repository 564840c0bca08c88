"""A prepared graph with a problem's costs, and tables of the distances to its goals."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import cast

import numpy as np

from navplan.errors import InvalidInput
from navplan.graph.one_to_all import OneToAll
from navplan.graph.prepared import PreparedGraph
from navplan.graph.state_graph import StateGraph
from navplan.kernels.search.dijkstra import Csr
from navplan.plan.problem import Problem
from navplan.planners.base import Clock
from navplan.system.arrays import Bool, Float64, Int32, freeze


@dataclass(frozen=True, eq=False)
class Weighted:
    """A prepared graph with one problem's costs; every array is read-only.

    Attributes:
        forward, backward: Csr of the graph and of the reversed graph.
        waits: (N,) float64 cost of one wait.
        xy: (N, 2) float64 positions; without any (N, D) states, which clearance 0 does not look at.
        unit: every edge costs 1.
        min_step: least cost of any move or wait.
        max_degree: largest out-degree.
        prepared: the graph that it is.
        price: what the costs are, for telling tables apart.
        body: (A,) int32 which of `bodies` each agent has.
        bodies: the same graph without what a body may not use, one for each of several bodies; empty where they need not be
            told apart.
        closed: (K, M) bool the edges of the whole graph that each of them may not use; None where there are none.
    """

    forward: Csr
    backward: Csr
    waits: Float64
    xy: Float64
    unit: bool
    min_step: float
    max_degree: int
    prepared: PreparedGraph
    price: Hashable
    body: Int32 | None = None
    bodies: tuple[Weighted, ...] = ()
    closed: Bool | None = None

    @property
    def masks(self) -> tuple[Int32, Bool]:
        """(A,) int32 and (K, M) bool as `navplan.kernels.common.masks.closed_to` takes them."""
        assert self.body is not None  # of a problem
        if self.closed is not None:
            return self.body, self.closed
        nobody, nothing = np.full(len(self.body), -1, np.int32), np.zeros((1, 1), np.bool_)
        freeze(nobody, nothing)
        return nobody, nothing

    def of_agent(self, agent: int) -> Weighted:
        """The graph that an agent moves on: node ids are those of the whole graph, edges only what has room for it."""
        return self if self.body is None or not self.bodies else self.bodies[self.body[agent]]

    @classmethod
    def of(cls, problem: Problem, prepared: PreparedGraph, clock: Clock | None = None) -> Weighted:
        """Put the costs of `problem` on its graph.

        Raises:
            OutOfTime: the clock's deadline passed on the way.
        """
        clock = clock or Clock(None)
        if problem.graph is not prepared.graph:
            raise InvalidInput("the problem's graph is not the one that was prepared")
        body, fits = problem.bodies()
        freeze(body)
        whole = cls._of(problem, prepared, clock)
        if not problem.masked:
            return dataclasses.replace(whole, body=body)
        parts = [cls._of(problem, _without(prepared, fit.forbidden).fitting(fit.radius), clock) for fit in fits]
        closed = np.stack([problem.closed(fit) for fit in fits])
        freeze(closed)
        return dataclasses.replace(whole, body=body, bodies=tuple(parts), closed=closed)

    @classmethod
    def _of(cls, problem: Problem, prepared: PreparedGraph, clock: Clock) -> Weighted:
        price = ("weighted", problem.beta, problem.weight, problem.wait_cost)

        def make() -> Weighted:
            costs = prepared.costs(problem.beta, problem.weight)
            clock.check()
            waits = np.ascontiguousarray(problem.wait_weights())
            freeze(waits)
            return cls(
                forward=costs.forward,
                backward=costs.backward(clock.check),
                waits=waits,
                xy=prepared.xy,
                unit=costs.unit,
                min_step=min(costs.least, float(waits.min(initial=math.inf))),
                max_degree=prepared.max_degree,
                prepared=prepared,
                price=price,
            )

        made: Weighted = prepared.kept(price, make)
        return made

    def write_table(self, goal: int, search: OneToAll, costs: Float64, clock: Clock) -> None:
        """Write the cost from every node to `goal` into `costs` (N,), inf where there is no way.

        Args:
            search: working memory for this graph, or for the whole of which it is a part.

        Raises:
            OutOfTime: the deadline passed on the way.
        """
        clock.check()
        store, key = self.prepared.tables, (self.price, goal)
        known = store.get(key)
        if known is not None:
            costs[:] = known
            return
        search.write(self.backward, goal, costs, clock.check)
        store.put(key, costs)


def _without(prepared: PreparedGraph, forbidden: Bool | None) -> PreparedGraph:
    """The prepared graph without some of its edges (M,)."""
    if forbidden is None:
        return prepared
    graph = cast(StateGraph, prepared.graph)
    made: PreparedGraph = prepared.kept(("without", forbidden.tobytes()), lambda: PreparedGraph(graph.keep(~forbidden)))
    return made


def distance_tables(weighted: Weighted, goals: Int32, clock: Clock, first: int = 0) -> Float64:
    """Cost from every node to each goal: (A, N) float64, inf where there is no way.

    Args:
        goals: (A,) those of the agents from `first` on.

    Raises:
        OutOfTime: the deadline passed on the way.
    """
    tables = np.empty((len(goals), len(weighted.backward.indptr) - 1))
    search = OneToAll(weighted.backward, weighted.unit)
    for agent, goal in enumerate(goals.tolist(), start=first):
        weighted.of_agent(agent).write_table(goal, search, tables[agent - first], clock)
    freeze(tables)
    return tables
