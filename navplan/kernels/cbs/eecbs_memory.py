"""What EECBS remembers between two calls of its kernels: the arrays of either level, and what lies where in them.

Tested through tests/planners/cbs/test_eecbs.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Columns of `AgentWork.labels` and of `AgentWork.rules`.
SPOT, TIME, END, SOFT, BEFORE, SIBLING, DEAD = range(7)
RULE_NODE, RULE_KIND, RULE_FROM, RULE_STEP, RULE_NEXT = range(5)
# Rows of `AgentWork.nodes`: newest label of a node, the search it belongs to, newest rule of a node.
NEWEST, BELONGS, RULED = range(3)
# Columns of `TreeWork.whole`: START and LENGTH of the new path in the pool; MEETS: pairs of agents that conflict; the rule, KIND
# -1 for none; CLOSED: 1 once it is in no list.
PARENT, MOVED, START, LENGTH, MEETS, KIND, NODE, TAIL, STEP, CLOSED = range(10)
# Columns of `TreeWork.real`: of the new path its cost and a lower bound under the node's rules; of all paths the sums of both,
# and the estimated cost of a solution below.
PATH_COST, PATH_BOUND, COST, FLOOR, ESTIMATE = range(5)
# Rows of `TreeWork.agents`: the tree node whose path is in the table; the one that should be; scratch.
SHOWN, WANTED, MARK = range(3)
# Rows of the heaps, and their places in `TreeWork.sizes`: open nodes by bound; by estimate; by conflicts, those whose estimate is
# near the least and whose cost is allowed; those with a greater estimate; those that cost more than is allowed yet.
CLEAN, OPEN, FOCAL, WAIT, DEAR = range(5)


class AgentInts(NamedTuple):
    """Where things lie in `AgentWork.ints`.

    Attributes:
        made: labels in use.
        size: entries of the heap.
        searches: number of the search, one per mode; lists of nodes that belong to another are empty.
        agent: for whom.
        rules: rules in use.
        static: no rule speaks of this time or a later one.
        earliest: no arrival for good before this time.
        mode: CHEAPEST or FEWEST.
        result: label that ends the path found, -1 before.
        expanded: labels, over all searches.
        until: intervals that begin before this time are one time step long; 0 where cost is time.
    """

    made: int
    size: int
    searches: int
    agent: int
    rules: int
    static: int
    earliest: int
    mode: int
    result: int
    expanded: int
    until: int


class AgentReals(NamedTuple):
    """Where things lie in `AgentWork.reals`.

    Attributes:
        fmin: least cost that the rules allow.
        factor: how many times that a path may cost.
        slack: what it may cost beyond that, left over by others.
        min_step: least cost of any move or wait.
        greed: how much states near the goal are preferred among those that meet equally many.
        limit: costlier paths are not wanted.
        worth: where even the cheapest path costs more, it will do.
    """

    fmin: int
    factor: int
    slack: int
    min_step: int
    greed: int
    limit: int
    worth: int


INT = AgentInts(*range(11))
REAL = AgentReals(*range(7))


class AgentWork(NamedTuple):
    """Memory of one search for L labels; columns and rows are named by the constants of this module, places by INT and REAL.

    Attributes:
        keys, ties, items: the heap, L + 1 entries.
        labels: (L, 7) int32; END is the interval's last time, -1 for a finished path.
        costs: (L,) float64.
        nodes: (3, N) int32 heads of lists.
        rules: (R, 5) int32.
        ints, reals: int64 and float64 registers.
    """

    keys: NDArray[np.float64]
    ties: NDArray[np.float64]
    items: NDArray[np.int32]
    labels: NDArray[np.int32]
    costs: NDArray[np.float64]
    nodes: NDArray[np.int32]
    rules: NDArray[np.int32]
    ints: NDArray[np.int64]
    reals: NDArray[np.float64]


class TreeState(NamedTuple):
    """Where the registers of the phase machine lie in `TreeWork.state`.

    Attributes:
        phase: what is done next, a phase of `navplan.kernels.cbs.eecbs_tree`.
        back: the phase that a search leads back to.
        need: what must grow when FULL, or why BUDGET was returned for good.
        mover: agent whose search is on; in the root phases the agent whose turn it is.
        round: rounds in which the root has been mended.
        better: agents that got a better path in this round.
        current: tree node in the table, or to be looked at next.
        cleaned: 1 when it was chosen to raise the bound.
        chosen: conflict that it is split on.
        side: 0 and 1 while the first and the second child are made, 2 afterwards.
        first_child, second_child: those made, -1 for none.
        fewest_met: fewest conflicts of a node split so far.
        progress: splits when that was found.
        tight: 1 once the bound has kept a node with few conflicts out, 2 once that was told.
        alone: 1 when each path is within the factor by itself, 0 when agents share what they leave.
    """

    phase: int
    back: int
    need: int
    mover: int
    round: int
    better: int
    current: int
    cleaned: int
    chosen: int
    side: int
    first_child: int
    second_child: int
    fewest_met: int
    progress: int
    tight: int
    alone: int


class TreeCounts(NamedTuple):
    """Where the counters lie in `TreeWork.counts`.

    Attributes:
        nodes: tree nodes made.
        pool: entries of the pool in use.
        clashes: conflicts listed.
        stamp: number of the last look at the agents, which it marks.
        splits: tree nodes expanded.
        bypassed: children that replaced their parents.
        calls: searches for an agent.
    """

    nodes: int
    pool: int
    clashes: int
    stamp: int
    splits: int
    bypassed: int
    calls: int


class TreeValues(NamedTuple):
    """Where things lie in `TreeWork.values`.

    Attributes:
        factor: how many times the optimum a solution may cost.
        proved: no solution costs less.
        cost_error, distance_error: sums of what resolving one conflict has cost, and of conflicts it has left beyond one less.
        samples: how often that was seen.
    """

    factor: int
    proved: int
    cost_error: int
    distance_error: int
    samples: int


STATE = TreeState(*range(16))
COUNT = TreeCounts(*range(7))
VALUE = TreeValues(*range(5))


class TreeWork(NamedTuple):
    """Arrays of X tree nodes and A agents; columns and rows are named by the constants of this module, places by its tuples.

    Attributes:
        whole, real: (X, 10) int64 and (X, 5) float64.
        keys, ties, items: (5, X) the heaps.
        pool: (P,) int32 paths.
        clashes: (C, 6) int32 conflicts in the table, one per pair: agents, time, kind, tail and head of the first agent's move.
        agents: (3, A) int32.
        sizes: (5,) int64 of the heaps.
        state, counts, values: registers, int64, int64 and float64.
    """

    whole: NDArray[np.int64]
    real: NDArray[np.float64]
    keys: NDArray[np.float64]
    ties: NDArray[np.float64]
    items: NDArray[np.int32]
    pool: NDArray[np.int32]
    clashes: NDArray[np.int32]
    agents: NDArray[np.int32]
    sizes: NDArray[np.int64]
    state: NDArray[np.int64]
    counts: NDArray[np.int64]
    values: NDArray[np.float64]
