"""What agents would do alone if risk had a price."""

from __future__ import annotations

import dataclasses

import numpy as np

from navplan.kernels.search.dijkstra import Csr, follow
from navplan.plan.problem import Problem
from navplan.planners.base import Clock
from navplan.planners.risk.tables import RiskTables
from navplan.planners.weighted import distance_tables
from navplan.system.arrays import Float64, freeze


class Prices:
    """Cheapest paths by ``cost + price * risk``, for the agents of one problem."""

    def __init__(self, problem: Problem, tables: RiskTables, clock: Clock) -> None:
        self._problem = problem
        self._tables = tables
        self._clock = clock
        self._quote: tuple[float, Csr] | None = None

    def ahead(self, price: float) -> Float64:
        """(A, N) float64 least ``cost + price * risk`` from everywhere to each goal.

        Raises:
            OutOfTime: the deadline passed.
        """
        tables = self._tables
        if price == 0.0:
            return tables.cost
        backward = tables.weighted.backward
        turned = backward.weights + price * tables.backward_risk
        freeze(turned)
        mixed = dataclasses.replace(
            tables.weighted,
            forward=self._graph(price),
            backward=backward._replace(weights=turned),
            unit=False,
            price=(tables.weighted.price, "risk", price),
        )
        return distance_tables(mixed, np.array(self._problem.goals, np.int32), self._clock)

    def follow(self, agent: int, ahead: Float64, price: float) -> tuple[float, float]:
        """Cost and risk of the path that its row of `ahead` leads the agent along, inf when it cannot reach its goal."""
        self._clock.check()
        graph = self._tables.graph
        start, goal = int(self._problem.starts[agent]), int(self._problem.goals[agent])
        cost, risk = follow(self._graph(price), ahead, start, goal, graph.cost, graph.risk)
        return float(cost), float(risk)

    def _graph(self, price: float) -> Csr:
        if self._quote is None or self._quote[0] != price:
            forward = self._tables.weighted.forward
            weights = forward.weights + price * self._tables.graph.risk
            freeze(weights)
            self._quote = (price, forward._replace(weights=weights))
        return self._quote[1]
