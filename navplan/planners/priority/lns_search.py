"""The state of a large-neighbourhood search: paths, what the kernels keep beside them, improvement."""

from __future__ import annotations

import time

import numpy as np

from navplan.errors import InvalidProblem
from navplan.kernels.common.status import FULL
from navplan.kernels.priority.lns import IMPROVE, REPAIR, count_clashes, iterate, thin_out
from navplan.kernels.priority.neighbourhoods import ACCEPTED, ITERATIONS, PAIRS, Pool
from navplan.kernels.search.sipp import EXPANDED
from navplan.plan.plan import Plan
from navplan.planners.base import SAME, Clock, OutOfTime
from navplan.planners.field import Field
from navplan.planners.priority.reservations import Arena


class LNSSearch:
    """An arena with the memory of a large-neighbourhood search.

    Attributes:
        arena: the paths.
        pool: arrays for the kernels.
        solved: every agent has a path and none conflict.
        pairs: conflicting pairs during repair, -1 before.
        repairs: iterations of repair.
        first_s, first_cost: when the first solution was there, from the start of the search, and its sum of costs.
    """

    def __init__(self, field: Field, neighbours: int, rng: np.random.Generator) -> None:
        self._began = time.perf_counter()
        self.arena = Arena(field)
        self.solved = False
        self.pairs = -1
        self.first_s = 0.0
        self.first_cost = 0.0
        self.repairs = 0
        self.proved = field.lower_bound
        self._size = min(neighbours, field.problem.num_agents)
        degrees = np.diff(field.ground.indptr)
        agents, nodes = field.ground.tables.shape
        self.pool = Pool(
            costs=self.arena.costs,
            optima=field.optima,
            clashes=np.zeros(agents, np.int32),
            weights=np.ones(4),
            random=rng.integers(1, 1 << 32, 4, dtype=np.int64),
            group=np.empty(2 * agents + self._size, np.int32),
            tabu=np.zeros(agents, np.uint8),
            marks=np.zeros(agents, np.int64),
            members=np.zeros(agents, np.int64),
            stamp=np.zeros(1, np.int64),
            met=np.empty(agents, np.int32),
            changed=np.zeros(agents, np.uint8),
            queue=np.empty(nodes, np.int32),
            seen=np.zeros(nodes, np.int64),
            junctions=np.flatnonzero(degrees > 2).astype(np.int32),
            old_paths=np.empty((self._size, self.arena.steps), np.int32),
            old_lengths=np.zeros(self._size, np.int32),
            old_costs=np.zeros(self._size),
            tallies=np.zeros(8, np.int64),
        )
        # nothing to do yet: compiled before they are needed
        count_clashes(self.arena.table, self.pool)
        self.iterate(REPAIR, 0)
        thin_out(self.arena.table, self.pool, self.pool.group)

    @property
    def cost(self) -> float:
        """Sum of costs of the paths."""
        return float(self.arena.costs.sum())

    @property
    def lower_bound(self) -> float:
        """Proved for the sum of costs."""
        return self.proved

    @property
    def optimal(self) -> bool:
        """The sum of costs has reached the bound."""
        return self.cost <= self.lower_bound * (1.0 + SAME)

    def adopt(self, plan: Plan) -> None:
        """Start from the paths of `plan`.

        Raises:
            InvalidProblem: they are not a solution of this problem.
        """
        problem = self.arena.field.problem
        ends = [(int(p[0]), int(p[-1])) for p in plan.paths]
        if ends != list(zip(problem.starts.tolist(), problem.goals.tolist(), strict=True)):
            raise InvalidProblem("the plan to improve does not lead from this problem's starts to its goals")
        costs = self.arena.field.costs(plan.paths).tolist()
        if min(costs) < 0.0:
            raise InvalidProblem("the plan to improve takes a step that is no edge of this problem's graph")
        self.arena.clear()
        self.arena.widen(max(len(path) for path in plan.paths) + 32)
        for agent, path in enumerate(plan.paths):
            self.arena.put(agent, path, costs[agent])
        count_clashes(self.arena.table, self.pool)
        if self.pool.tallies[PAIRS]:
            raise InvalidProblem(f"the plan to improve has {self.pool.tallies[PAIRS]} pairs of agents in conflict")
        self.found()

    def improve(self, clock: Clock, max_iterations: int | None) -> None:
        """Lower the sum of costs until the deadline, the bound or `max_iterations` is reached, or Ctrl-C is pressed."""
        try:
            done = 0
            while (max_iterations is None or done < max_iterations) and not self.optimal:
                clock.check()
                before = int(self.pool.tallies[ITERATIONS])
                self.iterate(IMPROVE, 1000 if max_iterations is None else min(1000, max_iterations - done))
                done += int(self.pool.tallies[ITERATIONS]) - before
        except (OutOfTime, KeyboardInterrupt):
            return  # every kernel call leaves a solution behind

    def slice(self, turns: int, expansions: int) -> None:
        """Improvement for at most `turns` iterations and about so many expansions."""
        self.iterate(IMPROVE, turns, expansions)

    def iterate(self, task: int, turns: int, expansions: int | None = None) -> int:
        """At most `turns` iterations, about as many as fit into a slice of time; memory grows as needed."""
        arena = self.arena
        if self.pool.old_paths.shape[1] != arena.steps:
            self.pool = self.pool._replace(old_paths=np.empty((self._size, arena.steps), np.int32))
        status = iterate(
            arena.field.ground,
            arena.table,
            arena.work,
            self.pool,
            task,
            self._size,
            turns,
            arena.field.slice_size if expansions is None else expansions,
        )
        if status == FULL:
            arena.grow()
        return int(status)

    def found(self) -> None:
        """Note that the paths are a solution, the first."""
        self.solved = True
        self.first_s = time.perf_counter() - self._began
        self.first_cost = self.cost
        self.pool.tallies[ITERATIONS] = 0
        self.pool.tallies[ACCEPTED] = 0
        self.pool.weights[:] = 1.0
        self.pool.changed[:] = 0

    def progress(self) -> str:
        """How far the first solution is, for a plan's reason."""
        return f" with {self.pairs} pairs of agents in conflict" if self.pairs >= 0 else ""

    def stats(self) -> dict[str, float]:
        """Counters for the plan."""
        return {
            "expanded": int(self.arena.work.counts[EXPANDED]),
            "repairs": self.repairs,
            "iterations": int(self.pool.tallies[ITERATIONS]) if self.solved else 0,
            "accepted": int(self.pool.tallies[ACCEPTED]) if self.solved else 0,
            "first_s": round(self.first_s, 3),
            "first_sum_of_costs": self.first_cost,
        }
