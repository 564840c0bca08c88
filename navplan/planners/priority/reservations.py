"""What the planners that plan one agent after another share: tables, reservations, memory that grows, and the plan at the end."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from navplan.errors import InvalidInput, InvalidProblem
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.search.dijkstra import breadth_first, dijkstra
from navplan.kernels.search.reservation import NEVER, Reservations, insert, move_paths, remove, remove_all
from navplan.kernels.search.sipp import LENGTH, MADE, Ground, SippWork, search
from navplan.plan.plan import Plan, Status, make_plan
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, Prepared, Weighted, expansions_per_slice, freeze, make_queue, seed_queue
from navplan.system.arrays import Float32, Float64, Int32

# On a grid two agents that share no node and do not swap are never nearer than half a cell's diagonal.
GRID_CLEARANCE = math.sqrt(0.5)
# Costs that differ by less, relatively, are one cost summed in two orders.
SAME = 1e-11


class Hopeless(Exception):
    """No plan exists; the message says why."""


def refuse_clearance(name: str, problem: Problem) -> None:
    """Raise InvalidProblem unless vertex and swap conflicts are all that there is to avoid."""
    if problem.spacing == 0.0 or (problem.graph.is_grid and problem.spacing <= GRID_CLEARANCE):
        return
    raise InvalidProblem(
        f"planner {name} avoids shared nodes and swaps only, but the clearance is {problem.spacing:g}; "
        "use cbs or ecbs, or clearance 0"
    )


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
    def of(cls, problem: Problem, prepared: Prepared, clock: Clock) -> Field:
        """Build the tables of `problem`.

        Raises:
            Hopeless: an agent cannot reach its goal.
            OutOfTime: the deadline passed on the way.
        """
        weighted = Weighted.of(problem, prepared)
        timed = not (weighted.unit and bool((weighted.waits == 1.0).all()))
        tables, optima = goal_tables(weighted, problem.starts, problem.goals, clock)
        lost = np.flatnonzero(np.isinf(optima))
        if lost.size:
            agent = int(lost[0])
            more = f" (nor can {lost.size - 1} others)" if lost.size > 1 else ""
            ends = f"from node {problem.starts[agent]} to node {problem.goals[agent]}"
            raise Hopeless(f"agent {agent} cannot reach its goal: no way {ends}{more}")
        starts, goals = problem.starts.copy(), problem.goals.copy()
        flags = np.array([timed], np.int64)
        freeze(starts, goals, flags, tables, optima)
        forward = weighted.forward
        ground = Ground(forward.indptr, forward.indices, forward.weights, weighted.waits, tables, starts, goals, flags)
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
    graph = weighted.backward
    nodes = len(graph.indptr) - 1
    tables = np.empty((len(goals), nodes), np.float32)
    optima = np.empty(len(goals))
    exact = np.empty(nodes)
    scratch = np.empty(nodes, np.int32)
    queue = None if weighted.unit else make_queue(len(graph.indices))
    slice_size = expansions_per_slice(weighted.max_degree, 0)
    for agent, goal in enumerate(goals.tolist()):
        clock.check()
        if queue is None:
            breadth_first(graph.indptr, graph.indices, goal, exact, scratch)
            tables[agent] = exact
        else:
            exact.fill(np.inf)
            seed_queue(queue, exact, goal)
            while dijkstra(graph, exact, queue, slice_size) == BUDGET:
                clock.check()
            rounded = exact.astype(np.float32)
            tables[agent] = np.where(rounded > exact, np.nextafter(rounded, np.float32(0.0)), rounded)
        optima[agent] = exact[starts[agent]]
    return tables, optima


class Arena:
    """Paths of a fleet and the memory to search for more; one thread works on one arena.

    Attributes:
        field: the problem.
        table, work: arrays for the kernels; replaced when they must grow.
        costs: (A,) float64 cost of each path in the table.
    """

    def __init__(self, field: Field) -> None:
        self.field = field
        agents, nodes = field.ground.tables.shape
        longest = 64.0 if field.ground.timed[0] else float(field.optima.max(initial=0.0)) * 1.3 + 48.0
        self.owner = np.full(nodes, -1, np.int32)
        self.owner[field.ground.goals] = np.arange(agents, dtype=np.int32)
        self.table = self._make_table(longest)
        self.work = self._make_work(4 * nodes + 1024)
        self.costs = np.zeros(agents)
        move_paths(self.table, self.table)  # nothing yet: compiled before it is needed

    def _make_table(self, steps: float) -> Reservations:
        agents, nodes = self.field.ground.tables.shape
        words = max(2, math.ceil(steps / 32))
        return Reservations(
            bits=np.zeros((nodes, words), np.uint32),
            head=np.full((nodes, 32 * words), -1, np.int32),
            link=np.empty((agents, 32 * words), np.int32),
            paths=np.empty((agents, 32 * words), np.int32),
            lengths=np.zeros(agents, np.int32),
            rests=np.full(nodes, NEVER, np.int32),
            owner=self.owner,
            horizon=np.zeros(1, np.int64),
        )

    def _make_work(self, labels: int) -> SippWork:
        agents, nodes = self.field.ground.tables.shape
        return SippWork(
            keys=np.empty(labels + 1),
            ties=np.empty(labels + 1),
            items=np.empty(labels + 1, np.int32),
            nodes=np.empty(labels, np.int32),
            times=np.empty(labels, np.int32),
            ends=np.empty(labels, np.int32),
            softs=np.empty(labels, np.int32),
            parents=np.empty(labels, np.int32),
            siblings=np.empty(labels, np.int32),
            costs=np.empty(labels),
            dead=np.empty(labels, np.uint8),
            first=np.empty(nodes, np.int32),
            stamps=np.zeros(nodes, np.int32),
            hard=np.zeros(agents, np.uint8),
            path=np.empty(self.table.head.shape[1], np.int32),
            counts=np.zeros(8, np.int64),
            price=np.zeros(1),
        )

    @property
    def steps(self) -> int:
        """Time steps that the table has room for."""
        return int(self.table.head.shape[1])

    def grow(self) -> None:
        """Double what was too small in the last search that came back FULL."""
        old = self.work
        if old.counts[MADE] < len(old.nodes):
            self.widen(max(int(old.counts[LENGTH]), 2 * self.steps))
            return
        self.work = self._make_work(2 * len(old.nodes))
        self.work.hard[:] = old.hard
        self.work.counts[4:] = old.counts[4:]

    def widen(self, steps: int) -> None:
        """Make room for paths of at least `steps` entries."""
        if steps <= self.steps:
            return
        table = self._make_table(steps)
        move_paths(self.table, table)
        self.table = table
        self.work = self.work._replace(path=np.empty(self.steps, np.int32))

    def clear(self) -> None:
        """Take every path out."""
        remove_all(self.table)

    def put(self, agent: int, path: Int32, cost: float) -> None:
        """Enter `path` for `agent`, in place of the one it had."""
        self.widen(len(path))
        remove(self.table, agent)
        insert(self.table, agent, np.ascontiguousarray(path, np.int32), len(path))
        self.costs[agent] = cost

    def path(self, agent: int) -> Int32:
        """A copy of the path of `agent`."""
        return self.table.paths[agent, : self.table.lengths[agent]].copy()

    def paths(self) -> list[Int32]:
        """Copies of all paths."""
        return [self.path(agent) for agent in range(len(self.costs))]

    def plan(self, agent: int, mode: int, clock: Clock, bound: float = math.inf) -> bool:
        """Search a path for `agent`, which has none in the table, and enter it; False when there is none.

        Raises:
            OutOfTime: the deadline passed on the way.
        """
        clock.check()
        size = self.field.slice_size
        status = search(self.field.ground, self.table, self.work, agent, mode, bound, size, 0)
        while status in (BUDGET, FULL):
            clock.check()
            if status == FULL:
                self.grow()
            resume = int(status == BUDGET)
            status = search(self.field.ground, self.table, self.work, agent, mode, bound, size, resume)
        if status == EXHAUSTED:
            return False
        assert status == FOUND
        insert(self.table, agent, self.work.path, self.work.counts[LENGTH])
        self.costs[agent] = self.work.price[0]
        return True


def finish(
    problem: Problem,
    name: str,
    paths: list[Int32] | None,
    bound: float | None,
    *,
    began: float,
    status: Status = "unsolved",
    reason: str = "",
    stats: Mapping[str, Any] | None = None,
) -> Plan:
    """The Plan: optimal or feasible with paths, else `status` with its reason."""
    if paths is not None:
        status, reason = "feasible", ""
    plan = make_plan(problem, name, status, paths or (), lower_bound=bound, reason=reason, stats=stats)
    cost = plan.sum_of_costs
    if cost is not None and bound is not None and cost <= bound * (1.0 + SAME):
        plan = dataclasses.replace(plan, status="optimal", lower_bound=cost, suboptimality=1.0)
    return dataclasses.replace(plan, runtime_s=time.perf_counter() - began)


def check_count(name: str, value: int | None) -> None:
    """Raise InvalidInput unless `value` is None or an integer of at least 0."""
    if value is not None and not (isinstance(value, int | np.integer) and value >= 0):
        raise InvalidInput(f"{name} is {value!r}, expected an integer of at least 0 or None")
