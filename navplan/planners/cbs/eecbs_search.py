"""The search of EECBS: the memory of its kernels, and the loop around them that enlarges it and raises the bound."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from navplan.kernels.cbs import eecbs_tree
from navplan.kernels.cbs.eecbs_memory import COUNT, INT, MEETS, REAL, STATE, TIME, VALUE, AgentWork, TreeWork
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.search.reservation import Reservations, move_paths
from navplan.planners.base import Clock
from navplan.planners.cbs.joint_attempts import JointAttempts
from navplan.planners.cbs.root_bound import RootBound
from navplan.planners.cbs.tree import Node
from navplan.planners.field import Field, make_reservations
from navplan.system.arrays import Int32, freeze

# Low-level expansions of one kernel call, about 10 ms.
SLICE = 10_000


class ExplicitEstimationSearch:
    """One run of EECBS.

    Args:
        suboptimality, flexible, greed: see `navplan.planners.cbs.eecbs.EECBS`.

    Attributes:
        field: the problem.
        table, work, tree: arrays for the kernels, replaced when they must grow.
    """

    def __init__(self, field: Field, suboptimality: float, *, flexible: bool = False, greed: float = 0.1) -> None:
        self.field = field
        self._ground = field.ground
        if field.ground.groups.max(initial=-1) < 0:
            nothing = np.zeros(0, np.bool_)
            freeze(nothing)
            self._ground = field.ground._replace(closed=nothing)  # kernels that ask nothing of masks
        agents, nodes = field.ground.tables.shape
        timed = bool(field.ground.timed[0])
        self.table = _make_table(field, 64.0 if timed else float(field.optima.max()) * 1.1 + 32.0)
        self.work = _make_work(nodes, 4 * nodes + 1024, 1024)
        self.work.reals[REAL.min_step] = float(
            min(field.ground.weights.min(initial=math.inf), field.ground.waits.min(initial=math.inf))
        )
        self.work.reals[REAL.greed] = greed
        self.tree = _make_tree(agents, agents + 1024, agents * 64 + 65536, 1024)
        self.tree.counts[COUNT.nodes] = agents
        self.tree.state[STATE.current] = agents - 1
        self.tree.state[STATE.alone] = not flexible
        self.tree.values[VALUE.factor] = float(suboptimality)
        # kernels that may be needed later are compiled now
        move_paths(self.table, self.table)
        self._root_bound = RootBound(field)

    @property
    def lower_bound(self) -> float:
        """Proved so far for the sum of costs."""
        return max(self.field.lower_bound, float(self.tree.values[VALUE.proved]))

    def stats(self) -> dict[str, float]:
        """Counters for the plan."""
        counts = self.tree.counts
        return {
            "expanded": int(counts[COUNT.splits]),
            "generated": int(counts[COUNT.nodes]) - self.tree.agents.shape[1] + 1,
            "bypassed": int(counts[COUNT.bypassed]),
            "low_level_searches": int(counts[COUNT.calls]),
            "low_level_expanded": int(self.work.ints[INT.expanded]),
        }

    def progress(self) -> str:
        """How far it came, for a plan's reason."""
        expanded = int(self.tree.counts[COUNT.splits])
        return f" after {expanded} conflict-tree nodes; no solution costs less than {self.lower_bound:g}"

    def run(self, clock: Clock, max_nodes: int | None) -> int:
        """FOUND, EXHAUSTED, or BUDGET when `max_nodes` were expanded.

        Raises:
            OutOfTime: the deadline passed on the way.
        """
        return self.run_beside(None, clock, max_nodes)[0]

    def run_beside(self, attempts: JointAttempts | None, clock: Clock, max_nodes: int | None) -> tuple[int, Node | None]:
        """`run`, with attempts to plan all agents jointly between its slices; their solution, an optimal one, if one ends it."""
        limit = -1 if max_nodes is None else max_nodes
        while True:
            clock.check()
            if attempts is not None:
                attempts.tree.expanded = int(self.tree.counts[COUNT.splits])
                if attempts.due():
                    ended, found = attempts.run()
                    self.tree.values[VALUE.proved] = max(self.tree.values[VALUE.proved], attempts.tree.lower_bound)
                    if ended:
                        return (EXHAUSTED if found is None else FOUND), found
            status = int(eecbs_tree.run_tree(self._ground, self.table, self.work, self.tree, SLICE, limit))
            if status == FULL and self.tree.state[STATE.need] == eecbs_tree.DUES:
                self._raise_bound(clock)
            elif status == FULL:
                self._grow()
            elif status != BUDGET:
                return status, None
            elif self.tree.state[STATE.need] == eecbs_tree.NOTHING:
                return BUDGET, None

    def _raise_bound(self, clock: Clock) -> None:
        """Add what pairs of agents must pay between them to the proved bound: pairs whose cheapest paths conflict anyhow."""
        cheapest = ExplicitEstimationSearch(self.field, 1.0)
        if cheapest.run(clock, 0) == BUDGET:
            clashes = cheapest.tree.clashes[: cheapest.tree.counts[COUNT.clashes], :2]
            bound = self.field.lower_bound + self._root_bound.total(clashes.tolist(), clock)
            self.tree.values[VALUE.proved] = max(self.tree.values[VALUE.proved], bound)

    def paths(self) -> list[Int32]:
        """The paths of the current tree node."""
        return [self.table.paths[agent, :length].copy() for agent, length in enumerate(self.table.lengths)]

    def _grow(self) -> None:
        """Double what was too small."""
        need = int(self.tree.state[STATE.need])
        tree, work = self.tree, self.work
        if need == eecbs_tree.LABELS:
            names = ("keys", "ties", "items", "labels", "costs")
            self.work = _wider(work, names, 2 * len(work.costs), 0)
        elif need == eecbs_tree.TREE_NODES:
            room = 2 * len(tree.whole)
            self.tree = _wider(_wider(tree, ("whole", "real"), room, 0), ("keys", "ties", "items"), room, 1)
            self.work = _wider(work, ("rules",), max(len(work.rules), room), 0)
        elif need == eecbs_tree.PATHS:
            self.tree = _wider(tree, ("pool",), 2 * len(tree.pool), 0)
        elif need == eecbs_tree.CONFLICT_LIST:
            meets = int(tree.whole[tree.state[STATE.current], MEETS])
            self.tree = _wider(tree, ("clashes",), max(2 * len(tree.clashes), meets), 0)
        else:
            steps = int(work.labels[work.ints[INT.result], TIME]) + 2
            table = _make_table(self.field, max(1.5 * self.table.head.shape[1], steps))
            move_paths(self.table, table)
            self.table = table


def _wider(group: Any, names: tuple[str, ...], room: int, axis: int) -> Any:
    """`group` with the named arrays made `room` long, or as much longer as they were before, along `axis`."""
    new = {}
    for name in names:
        old = getattr(group, name)
        more = room - old.shape[axis]
        pads = [(0, more if at == axis else 0) for at in range(old.ndim)]
        new[name] = np.pad(old, pads)
    return group._replace(**new)


def _make_table(field: Field, steps: float) -> Reservations:
    """An empty reservation table for at least `steps` time steps."""
    return make_reservations(field, math.ceil(steps / 32))


def _make_work(nodes: int, labels: int, rules: int) -> AgentWork:
    lists = np.full((3, nodes), -1, np.int32)
    return AgentWork(
        keys=np.empty(labels + 1),
        ties=np.empty(labels + 1),
        items=np.empty(labels + 1, np.int32),
        labels=np.empty((labels, 7), np.int32),
        costs=np.empty(labels),
        nodes=lists,
        rules=np.empty((rules, 5), np.int32),
        ints=np.zeros(len(INT), np.int64),
        reals=np.zeros(len(REAL)),
    )


def _make_tree(agents: int, nodes: int, pool: int, conflicts: int) -> TreeWork:
    return TreeWork(
        whole=np.zeros((nodes, 10), np.int64),
        real=np.zeros((nodes, 5)),
        keys=np.empty((5, nodes + 1)),
        ties=np.empty((5, nodes + 1)),
        items=np.empty((5, nodes + 1), np.int32),
        pool=np.empty(pool, np.int32),
        clashes=np.empty((conflicts, 6), np.int32),
        agents=np.concatenate([np.full((1, agents), -1, np.int32), np.zeros((2, agents), np.int32)]),
        sizes=np.zeros(5, np.int64),
        state=np.zeros(len(STATE), np.int64),
        counts=np.zeros(len(COUNT), np.int64),
        values=np.zeros(len(VALUE)),
    )
