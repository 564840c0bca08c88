"""One problem ready for single-agent searches: its arrays, the tables of distances to the goals, an empty reservation table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from navplan.graph.one_to_all import OneToAll, expansions_per_slice
from navplan.graph.prepared import PreparedGraph
from navplan.kernels.search.reservation import NEVER, Reservations
from navplan.kernels.search.sipp import Ground
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, check_reachable
from navplan.planners.weighted import Weighted
from navplan.system.arrays import Float32, Float64, Int32, freeze
from navplan.system.memory import sparse_zeros


@dataclass(frozen=True, eq=False)
class Field:
    """One problem ready for single-agent searches; shared between threads, since nothing in it changes.

    Attributes:
        problem: the problem.
        ground: its arrays, all read-only.
        optima: (A,) float64 cost of each agent's cheapest path, alone.
        slice_size: expansions that a kernel may make in one call.
    """

    problem: Problem
    ground: Ground
    optima: Float64
    slice_size: int

    @classmethod
    def of(cls, problem: Problem, prepared: PreparedGraph, clock: Clock) -> Field:
        """Build the tables of `problem`.

        Raises:
            Infeasible: an agent cannot reach its goal.
            OutOfTime: the deadline passed on the way.
        """
        weighted = Weighted.of(problem, prepared, clock)
        timed = not (weighted.unit and bool((weighted.waits == 1.0).all()))
        tables, optima = goal_tables(weighted, problem.starts, problem.goals, clock)
        clock.check()
        check_reachable(problem, optima)
        starts, goals = problem.starts.copy(), problem.goals.copy()
        flags = np.array([timed], np.int64)
        groups, closed = weighted.masks
        freeze(starts, goals, flags, tables, optima)
        forward = weighted.forward
        ground = Ground(
            forward.indptr, forward.indices, forward.weights, weighted.waits, tables, starts, goals, flags, groups, closed
        )
        return cls(problem, ground, optima, max(1, expansions_per_slice(weighted.max_degree, 0) // 2))

    @property
    def lower_bound(self) -> float:
        """Sum of the optima."""
        return math.fsum(self.optima.tolist())

    def costs(self, paths: Sequence[Int32]) -> Float64:
        """(A,) float64 cost of each path up to its last arrival; -1 where a step is neither an edge nor a wait."""
        ground = self.ground
        nodes = len(ground.indptr) - 1
        tails = np.repeat(np.arange(nodes, dtype=np.int64), np.diff(ground.indptr))
        keys = np.append(tails * nodes + ground.indices, nodes * nodes)
        out = np.empty(len(paths))
        for agent, path in enumerate(paths):
            moved = np.flatnonzero(path != path[-1])
            last = int(moved[-1]) + 1 if moved.size else 0
            u, v = path[:last].astype(np.int64), path[1 : last + 1]
            wanted = u * nodes + v
            at = np.searchsorted(keys, wanted)
            waits = u == v
            if ((keys[at] != wanted) & ~waits).any():
                out[agent] = -1.0
            elif self.ground.timed[0] == 0:
                out[agent] = last
            else:
                steps = np.where(waits, ground.waits[u], ground.weights[np.minimum(at, ground.weights.size - 1)])
                out[agent] = math.fsum(steps.tolist())
        return out


def goal_tables(weighted: Weighted, starts: Int32, goals: Int32, clock: Clock) -> tuple[Float32, Float64]:
    """Cost from every node to each goal, rounded down to (A, N) float32, and exactly from each start, (A,) float64."""
    nodes = len(weighted.backward.indptr) - 1
    tables = np.empty((len(goals), nodes), np.float32)
    optima = np.empty(len(goals))
    exact = np.empty(nodes)
    search = OneToAll(weighted.backward, weighted.unit)
    for agent, goal in enumerate(goals.tolist()):
        weighted.of_agent(agent).write_table(goal, search, exact, clock)
        if weighted.unit:
            tables[agent] = exact
        else:
            rounded = exact.astype(np.float32)
            tables[agent] = np.where(rounded > exact, np.nextafter(rounded, np.float32(0.0)), rounded)
        optima[agent] = exact[starts[agent]]
    return tables, optima


def make_reservations(field: Field, words: int) -> Reservations:
    """An empty reservation table for the agents of `field`, with room for 32 time steps a word."""
    agents, nodes = field.ground.tables.shape
    owner = np.full(nodes, -1, np.int32)
    owner[field.ground.goals] = np.arange(agents, dtype=np.int32)
    return Reservations(
        bits=sparse_zeros((nodes, words), np.uint32),
        head=sparse_zeros((nodes, 32 * words), np.int32),
        link=np.empty((agents, 32 * words), np.int32),
        paths=np.empty((agents, 32 * words), np.int32),
        lengths=np.zeros(agents, np.int32),
        rests=np.full(nodes, NEVER, np.int32),
        owner=owner,
        horizon=np.zeros(1, np.int64),
    )
