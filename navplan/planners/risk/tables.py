"""A problem's graph with costs and risks, and per goal the least of either from everywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from navplan.errors import InvalidInput
from navplan.graph.prepared import PreparedGraph
from navplan.kernels.search.dijkstra import Csr
from navplan.kernels.search.labels import TwoCosts
from navplan.plan.problem import Problem
from navplan.planners.base import Clock
from navplan.planners.weighted import Weighted, distance_tables
from navplan.system.arrays import Float64, freeze


@dataclass(frozen=True, eq=False)
class RiskTables:
    """A problem's graph with both numbers, and per goal the least cost and the least risk from everywhere.

    Attributes:
        graph: costs without, risks with the problem's own weights; read-only.
        weighted: the graph with its costs alone.
        backward_risk: (M,) float64 risks of the reversed edges.
        cost, risk: (A, N) float64, inf where there is no way.
        min_risk: least of any move or wait.
    """

    graph: TwoCosts
    weighted: Weighted
    backward_risk: Float64
    cost: Float64
    risk: Float64
    min_risk: float

    @classmethod
    def of(cls, problem: Problem, prepared: PreparedGraph, clock: Clock) -> RiskTables:
        """Build the tables.

        Raises:
            OutOfTime: the deadline passed on the way.
        """
        if problem.graph is not prepared.graph:
            raise InvalidInput("the problem's graph is not the one that was prepared")
        weighted = Weighted.of(problem, prepared, clock)
        risk, waits = problem.graph.risk, problem.graph.wait_risk
        reverse = prepared.reverse(clock.check)
        backward = risk[reverse.edges]
        freeze(backward)
        hazards = Weighted(
            forward=Csr(problem.graph.indptr, problem.graph.indices, risk),
            backward=Csr(reverse.indptr, reverse.indices, backward),
            waits=waits,
            xy=prepared.xy,
            unit=False,
            min_step=float(min(risk.min(initial=math.inf), waits.min(initial=math.inf))),
            max_degree=prepared.max_degree,
            prepared=prepared,
            price="risk",
        )
        cost_tables = distance_tables(weighted, problem.goals, clock)
        if risk.any():
            risk_tables = distance_tables(hazards, problem.goals, clock)
        else:
            risk_tables = np.zeros_like(cost_tables)
            for costs, risks in zip(cost_tables, risk_tables, strict=True):
                clock.check()
                risks[np.isinf(costs)] = math.inf
            freeze(risk_tables)
        two = TwoCosts(
            problem.graph.indptr, problem.graph.indices, weighted.forward.weights, risk, weighted.waits, problem.graph.wait_risk
        )
        return cls(two, weighted, backward, cost_tables, risk_tables, hazards.min_step)
