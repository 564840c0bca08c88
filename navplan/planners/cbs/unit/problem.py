"""A problem in which every move and wait costs 1 and clearance is 0."""

from __future__ import annotations

from typing import NamedTuple

from navplan.plan.problem import Problem
from navplan.planners.base import Clock
from navplan.planners.weighted import Weighted
from navplan.system.arrays import Float64, Int32


class UnitProblem(NamedTuple):
    """What searches and diagrams are about.

    Attributes:
        starts, goals: nodes, per agent.
        h: (A, N) float64 steps from everywhere to each goal.
        indptr, indices: the graph.
        clock: the deadline.
    """

    starts: list[int]
    goals: list[int]
    h: Float64
    indptr: Int32
    indices: Int32
    clock: Clock

    @classmethod
    def of(cls, problem: Problem, weighted: Weighted, tables: Float64, clock: Clock) -> UnitProblem:
        """`problem` with its costs and distance tables."""
        forward = weighted.forward
        return cls(problem.starts.tolist(), problem.goals.tolist(), tables, forward.indptr, forward.indices, clock)

    @property
    def nodes(self) -> int:
        """Nodes of the graph."""
        return len(self.indptr) - 1
