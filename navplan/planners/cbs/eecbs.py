"""EECBS: focal search on both levels with estimates that learn, within a factor of the optimum."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from navplan.errors import InvalidInput
from navplan.kernels.cbs import eecbs_agent as low
from navplan.kernels.cbs import eecbs_nodes as book
from navplan.kernels.cbs import eecbs_tree as high
from navplan.kernels.cbs.eecbs_tree import run_tree
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.search.reservation import Reservations, move_paths
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.planners.attempt import attempt
from navplan.planners.base import (
    Clock,
    GaveUp,
    Guarantee,
    Infeasible,
    Planner,
    Prepared,
    check_count,
    check_suboptimality,
    check_time_limit,
)
from navplan.planners.cbs.root_bound import Dues
from navplan.planners.field import Field, make_reservations
from navplan.system.arrays import Int32

# Low-level expansions of one kernel call, about 10 ms.
SLICE = 10_000


@dataclass(frozen=True, slots=True)
class EECBS(Planner):
    """Explicit Estimation CBS (Li, Ruml, Koenig 2021): a plan proved to be within `suboptimality` of the optimum.

    Of the conflict-tree nodes it expands the one with the fewest conflicts whose estimated solution is cheap enough; the
    estimates learn online what a conflict costs. The low level avoids the other agents' paths within its allowance, which
    agents may share (`flexible`, Chan et al. 2022).
    """

    name: ClassVar[str] = "eecbs"
    guarantee: ClassVar[Guarantee] = "bounded"
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs; clearance 0"
    about: ClassVar[str] = "explicit estimation CBS: within a factor (1.2) of the optimum, hundreds of agents"
    any_clearance: ClassVar[bool] = False
    kernels: ClassVar[tuple[str, ...]] = ("navplan.kernels.cbs.eecbs_tree",)

    suboptimality: float = 1.2
    """Largest allowed ratio of the plan's sum of costs to the optimum, at least 1."""
    time_limit: float | None = None
    """Wall seconds for one plan, None for no limit."""
    max_nodes: int | None = None
    """Conflict-tree nodes to expand before giving up (status unsolved), None for no limit."""
    flexible: bool = False
    """Agents may spend what others leave of their allowance; without, each path is within the factor by itself."""
    greed: float = 0.1
    """Among states with equally few conflicts, how much the low level prefers those near the goal, at least 0."""

    def __post_init__(self) -> None:
        check_suboptimality("EECBS.suboptimality", self.suboptimality)
        check_time_limit("EECBS.time_limit", self.time_limit)
        check_count("EECBS.max_nodes", self.max_nodes)
        if not (isinstance(self.greed, int | float) and 0.0 <= self.greed < math.inf):
            raise InvalidInput(f"EECBS.greed is {self.greed!r}, expected a number of at least 0")

    def plan(self, problem: Problem, state: Prepared, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """See `navplan.planners.base.Planner`; no choice is random."""
        with attempt(self.name, problem, deadline) as run:
            forest = run.watch(Forest(Field.of(problem, state, run.clock), self))
            found = forest.run(run.clock, self.max_nodes)
            if found == EXHAUSTED:
                raise Infeasible("every way of resolving the agents' conflicts leaves one without a path")
            if found != FOUND:
                raise GaveUp(f"node limit of {self.max_nodes} reached")
            run.found(forest.paths(), "bounded")
        return run.plan()


class Forest:
    """Memory of one planning run, and the loop around the kernel that enlarges it.

    Attributes:
        field: the problem.
        dues: of pairs of agents.
        table, search, tree: arrays for the kernels, replaced when they must grow.
    """

    def __init__(self, field: Field, options: EECBS) -> None:
        self.field = field
        agents, nodes = field.ground.tables.shape
        timed = bool(field.ground.timed[0])
        self.table = _make_table(field, 64.0 if timed else float(field.optima.max()) * 1.1 + 32.0)
        self.search = _make_search(nodes, 4 * nodes + 1024, 1024)
        self.search.reals[low.MIN_STEP] = float(
            min(field.ground.weights.min(initial=math.inf), field.ground.waits.min(initial=math.inf))
        )
        self.search.reals[low.GREED] = options.greed
        self.tree = _make_tree(agents, agents + 1024, agents * 64 + 65536, 1024)
        self.tree.reg[book.NODES] = agents
        self.tree.reg[book.CURRENT] = agents - 1
        self.tree.reg[book.ALONE] = not options.flexible
        self.tree.val[book.FACTOR] = float(options.suboptimality)
        # kernels that may be needed later are compiled now
        move_paths(self.table, self.table)
        self.dues = Dues(field)

    @property
    def lower_bound(self) -> float:
        """Proved so far for the sum of costs."""
        return max(self.field.lower_bound, float(self.tree.val[book.PROVED]))

    def stats(self) -> dict[str, float]:
        """Counters for the plan."""
        reg = self.tree.reg
        return {
            "expanded": int(reg[book.SPLITS]),
            "generated": int(reg[book.NODES]) - self.tree.agents.shape[1] + 1,
            "bypassed": int(reg[book.BYPASSED]),
            "low_level_searches": int(reg[book.CALLS]),
            "low_level_expanded": int(self.search.ints[low.EXPANDED]),
        }

    def progress(self) -> str:
        """How far it came, for a plan's reason."""
        expanded = int(self.tree.reg[book.SPLITS])
        return f" after {expanded} conflict-tree nodes; no solution costs less than {self.lower_bound:g}"

    def run(self, clock: Clock, max_nodes: int | None) -> int:
        """FOUND, EXHAUSTED, or BUDGET when `max_nodes` were expanded.

        Raises:
            OutOfTime: the deadline passed on the way.
        """
        limit = -1 if max_nodes is None else max_nodes
        while True:
            clock.check()
            status = int(run_tree(self.field.ground, self.table, self.search, self.tree, SLICE, limit))
            if status == FULL and self.tree.reg[book.NEED] == high.DUES:
                self._raise_bound(clock)
            elif status == FULL:
                self._grow()
            elif status != BUDGET:
                return status
            elif self.tree.reg[book.NEED] == high.NOTHING:
                return BUDGET

    def _raise_bound(self, clock: Clock) -> None:
        """Add what pairs of agents must pay between them to the proved bound: pairs whose cheapest paths conflict anyhow."""
        cheapest = Forest(self.field, EECBS(suboptimality=1.0))
        if cheapest.run(clock, 0) == BUDGET:
            clashes = cheapest.tree.clashes[: cheapest.tree.reg[book.CLASHES], :2]
            bound = self.field.lower_bound + self.dues.total(clashes.tolist(), clock)
            self.tree.val[book.PROVED] = max(self.tree.val[book.PROVED], bound)

    def paths(self) -> list[Int32]:
        """The paths of the current tree node."""
        return [self.table.paths[agent, :length].copy() for agent, length in enumerate(self.table.lengths)]

    def _grow(self) -> None:
        """Double what was too small."""
        need = int(self.tree.reg[book.NEED])
        tree, search = self.tree, self.search
        if need == high.LABELS:
            names = ("keys", "ties", "items", "labels", "costs")
            self.search = _wider(search, names, 2 * len(search.costs), 0)
        elif need == high.TREE_NODES:
            room = 2 * len(tree.whole)
            self.tree = _wider(_wider(tree, ("whole", "real"), room, 0), ("keys", "ties", "items"), room, 1)
            self.search = _wider(search, ("rules",), max(len(search.rules), room), 0)
        elif need == high.PATHS:
            self.tree = _wider(tree, ("pool",), 2 * len(tree.pool), 0)
        elif need == high.CONFLICT_LIST:
            meets = int(tree.whole[tree.reg[book.CURRENT], book.MEETS])
            self.tree = _wider(tree, ("clashes",), max(2 * len(tree.clashes), meets), 0)
        else:
            steps = int(search.labels[search.ints[low.RESULT], low.TIME]) + 2
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


def _make_search(nodes: int, labels: int, rules: int) -> low.Search:
    lists = np.full((3, nodes), -1, np.int32)
    return low.Search(
        keys=np.empty(labels + 1),
        ties=np.empty(labels + 1),
        items=np.empty(labels + 1, np.int32),
        labels=np.empty((labels, 7), np.int32),
        costs=np.empty(labels),
        nodes=lists,
        rules=np.empty((rules, 5), np.int32),
        ints=np.zeros(11, np.int64),
        reals=np.zeros(7),
    )


def _make_tree(agents: int, nodes: int, pool: int, conflicts: int) -> book.Tree:
    return book.Tree(
        whole=np.zeros((nodes, 10), np.int64),
        real=np.zeros((nodes, 5)),
        keys=np.empty((5, nodes + 1)),
        ties=np.empty((5, nodes + 1)),
        items=np.empty((5, nodes + 1), np.int32),
        pool=np.empty(pool, np.int32),
        clashes=np.empty((conflicts, 6), np.int32),
        agents=np.concatenate([np.full((1, agents), -1, np.int32), np.zeros((2, agents), np.int32)]),
        reg=np.zeros(28, np.int64),
        val=np.zeros(5),
    )
