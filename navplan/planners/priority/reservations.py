"""What the planners that plan one agent after another share: the paths so far as reservations, and memory that grows."""

from __future__ import annotations

import math

import numpy as np

from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.search.reservation import Reservations, insert, move_paths, remove, remove_all
from navplan.kernels.search.sipp import LENGTH, MADE, SippWork, search
from navplan.planners.base import Clock
from navplan.planners.field import Field, make_reservations
from navplan.system.arrays import Int32


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
        self.table = self._make_table(longest)
        self.work = self._make_work(4 * nodes + 1024)
        self.costs = np.zeros(agents)
        # Nothing happens yet: both are compiled before they are needed.
        move_paths(self.table, self.table)
        remove_all(self.table)

    def _make_table(self, steps: float) -> Reservations:
        return make_reservations(self.field, max(2, math.ceil(steps / 32)))

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
