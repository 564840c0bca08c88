"""The conflict tree of EECBS: its nodes, the three lists they are chosen from, and the conflicts of the one in the table.

A tree node holds one agent's new path and at most one rule; the rest is its ancestors'. The first A nodes are the root, one per
agent. To look at a node, the paths in which it differs from the last are exchanged in the reservation table, and the conflicts of
those with them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.cbs.eecbs_agent import AT, KEEP_OUT, MOVE, SAME
from navplan.kernels.common.hashing import home
from navplan.kernels.common.heap import pop, push
from navplan.kernels.common.jit import inner
from navplan.kernels.search.reservation import NEVER, insert, next_taken, remove

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
# While nodes with too great a cost wait, one in EVERY goes to raise the bound. Nodes after which other conflicts are split on.
EVERY = 4
STUCK = 100


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
    """Arrays of X tree nodes and A agents; columns and rows are named by the constants of this module, registers by its tuples.

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


@inner
def note(tree, keep, other, first, second, t, kind, u, v):
    """Count the first conflict with `other`, and write it down if wanted; returns 1 if it is the first."""
    if tree.agents[MARK, other] == tree.counts[COUNT.stamp]:
        return 0
    tree.agents[MARK, other] = tree.counts[COUNT.stamp]
    if keep:
        row = tree.clashes[tree.counts[COUNT.clashes]]
        row[0], row[1], row[2], row[3], row[4], row[5] = first, second, t, kind, u, v
        tree.counts[COUNT.clashes] += 1
    return 1


@inner
def conflicts(table, tree, a, path, length, keep):
    """Number of agents in the table with which the path of `a`, not there itself, conflicts; with `keep`, also list them.

    Kinds are AT, MOVE, or KEEP_OUT where the first agent has arrived for good.
    """
    tree.counts[COUNT.stamp] += 1
    count = 0
    for t in range(1, length):
        u, v = path[t - 1], path[t]
        if t < table.head.shape[1]:
            b = np.int64(table.head[v, t])
            while b >= 0:
                if t == length - 1:
                    count += note(tree, keep, b, a, b, t, KEEP_OUT, u, v)
                elif t == table.lengths[b] - 1:
                    count += note(tree, keep, b, b, a, t, KEEP_OUT, u, v)
                else:
                    count += note(tree, keep, b, a, b, t, AT, u, v)
                b = np.int64(table.link[b, t])
            b = np.int64(table.head[u, t]) if u != v else np.int64(-1)
            while b >= 0:
                if table.paths[b, t - 1] == v:
                    count += note(tree, keep, b, a, b, t, MOVE, u, v)
                b = np.int64(table.link[b, t])
        if table.rests[v] <= t:
            b = np.int64(table.owner[v])
            count += note(tree, keep, b, b, a, t, KEEP_OUT, v, v)
    goal = path[length - 1]
    t = next_taken(table.bits, goal, length)
    while t < NEVER:
        b = np.int64(table.head[goal, t])
        while b >= 0:
            count += note(tree, keep, b, a, b, t, KEEP_OUT, goal, goal)
            b = np.int64(table.link[b, t])
        t = next_taken(table.bits, goal, t + 1)
    return count


@inner
def path_of(tree, x):
    """The path that came with tree node x."""
    start = tree.whole[x, START]
    return tree.pool[start : start + tree.whole[x, LENGTH]]


@inner
def put(table, tree, agent):
    """Enter the path of `agent` that the current tree node has."""
    x = np.int64(tree.agents[SHOWN, agent])
    insert(table, agent, path_of(tree, x), tree.whole[x, LENGTH])


@inner
def show(table, tree, x):
    """Exchange paths so that the table holds those of tree node x, and list its conflicts."""
    shown, wanted, mark = tree.agents[SHOWN], tree.agents[WANTED], tree.agents[MARK]
    agents = shown.size
    tree.counts[COUNT.stamp] += 1
    stamp = tree.counts[COUNT.stamp]
    n = x
    while n >= agents:
        a = tree.whole[n, MOVED]
        if mark[a] != stamp:
            mark[a] = stamp
            wanted[a] = n
        n = tree.whole[n, PARENT]
    kept = 0
    for a in range(agents):
        if mark[a] != stamp:
            wanted[a] = a
        if shown[a] != wanted[a] and shown[a] >= 0:
            remove(table, np.int64(a))
    for k in range(tree.counts[COUNT.clashes]):
        a, b = tree.clashes[k, 0], tree.clashes[k, 1]
        if shown[a] == wanted[a] and shown[b] == wanted[b]:
            tree.clashes[kept] = tree.clashes[k]
            kept += 1
    tree.counts[COUNT.clashes] = kept
    for a in range(agents):
        if shown[a] != wanted[a]:
            n = np.int64(wanted[a])
            shown[a] = n
            conflicts(table, tree, np.int64(a), path_of(tree, n), tree.whole[n, LENGTH], True)
            put(table, tree, np.int64(a))


@inner
def touching(tree, agent):
    """Conflicts in the list in which `agent` takes part."""
    count = 0
    for k in range(tree.counts[COUNT.clashes]):
        if tree.clashes[k, 0] == agent or tree.clashes[k, 1] == agent:
            count += 1
    return count


@inner
def enqueue(tree, heap, x, key, tie):
    """Put a tree node into a heap."""
    size = tree.sizes[heap]
    tree.sizes[heap] = push(tree.keys[heap], tree.ties[heap], tree.items[heap], size, key, tie, np.int32(x))


@inner
def dequeue(tree, heap):
    """Drop the first node of a heap."""
    tree.sizes[heap] = pop(tree.keys[heap], tree.ties[heap], tree.items[heap], tree.sizes[heap])


@inner
def enlist(tree, x):
    """Put a node into every list, with its cost estimated by what conflicts have cost so far."""
    values = tree.values
    meets = float(tree.whole[x, MEETS])
    per_conflict = 0.0
    if values[VALUE.samples] > 0.0:
        distance = min(0.9, values[VALUE.distance_error] / values[VALUE.samples])
        per_conflict = max(0.0, values[VALUE.cost_error] / values[VALUE.samples] / (1.0 - distance))
    estimate = tree.real[x, COST] + per_conflict * meets
    tree.real[x, ESTIMATE] = estimate
    enqueue(tree, CLEAN, x, tree.real[x, FLOOR], estimate)
    enqueue(tree, OPEN, x, estimate, meets)
    enqueue(tree, WAIT, x, estimate, meets)


@inner
def select(tree):
    """Take the next node by the paper's rule; -1 when no node is left. Raises the proved bound on the way."""
    state, counts, values, sizes = tree.state, tree.counts, tree.values, tree.sizes
    while sizes[CLEAN] > 0 and tree.whole[tree.items[CLEAN, 0], CLOSED]:
        dequeue(tree, CLEAN)
    if sizes[CLEAN] == 0:
        return -1
    values[VALUE.proved] = max(values[VALUE.proved], tree.keys[CLEAN, 0])
    limit = values[VALUE.factor] * values[VALUE.proved] * (1.0 + SAME)
    while tree.whole[tree.items[OPEN, 0], CLOSED]:
        dequeue(tree, OPEN)
    near = values[VALUE.factor] * tree.keys[OPEN, 0]
    while sizes[DEAR] > 0 and tree.keys[DEAR, 0] <= limit:
        x = np.int64(tree.items[DEAR, 0])
        dequeue(tree, DEAR)
        enqueue(tree, WAIT, x, tree.real[x, ESTIMATE], float(tree.whole[x, MEETS]))
    while sizes[WAIT] > 0 and tree.keys[WAIT, 0] <= near:
        x = np.int64(tree.items[WAIT, 0])
        dequeue(tree, WAIT)
        if tree.real[x, COST] > limit:
            enqueue(tree, DEAR, x, tree.real[x, COST], 0.0)
        elif not tree.whole[x, CLOSED]:
            # of equals the newest
            enqueue(tree, FOCAL, x, float(tree.whole[x, MEETS]), tree.real[x, ESTIMATE] * (1.0 + 1e-9) - 1e-9 * x)
    while sizes[FOCAL] > 0:
        x = np.int64(tree.items[FOCAL, 0])
        closed = tree.whole[x, CLOSED]
        if not closed and tree.real[x, ESTIMATE] <= near:
            break
        dequeue(tree, FOCAL)
        if not closed:  # the least estimate has fallen since it came in
            enqueue(tree, WAIT, x, tree.real[x, ESTIMATE], float(tree.whole[x, MEETS]))
    state[STATE.cleaned] = 0
    if sizes[FOCAL] > 0 and (sizes[DEAR] == 0 or counts[COUNT.splits] % EVERY != 0):
        x = np.int64(tree.items[FOCAL, 0])
    elif sizes[DEAR] == 0 and tree.real[tree.items[OPEN, 0], COST] <= limit:
        x = np.int64(tree.items[OPEN, 0])
    else:
        x = np.int64(tree.items[CLEAN, 0])
        state[STATE.cleaned] = 1
        state[STATE.tight] = max(state[STATE.tight], 1)
    tree.whole[x, CLOSED] = 1
    return x


@inner
def pick(tree):
    """Index of the conflict to split on.

    The earliest; of the cleanest node's, those at a goal go first, since they raise the bound. Where the same few conflicts come
    back and back, any other will do: one drawn by a hash, after STUCK nodes with no fewer conflicts than before.
    """
    state, counts = tree.state, tree.counts
    splits = counts[COUNT.splits]
    if splits == 1 or counts[COUNT.clashes] < state[STATE.fewest_met]:
        state[STATE.fewest_met] = counts[COUNT.clashes]
        state[STATE.progress] = splits
    best = 0
    least = NEVER
    for k in range(counts[COUNT.clashes]):
        row = tree.clashes[k]
        score = np.int64(row[2])
        if state[STATE.cleaned] != 0:
            score += 0 if row[3] == KEEP_OUT else NEVER >> 1
        elif splits - state[STATE.progress] > STUCK:
            score = home(np.int64(row[0]) * 7919 + np.int64(row[1]) * 104729 + score * 1299709 + splits * 15485863, 0xFFFFF)
        if score < least:
            best, least = k, score
    return best


@inner
def learn(tree):
    """Compare the best child with what one resolved conflict should have cost, then put the children into the lists."""
    state, values, real, whole = tree.state, tree.values, tree.real, tree.whole
    x, first, second = state[STATE.current], state[STATE.first_child], state[STATE.second_child]
    best = first
    if best < 0:
        best = second
    elif second >= 0 and real[second, COST] < real[best, COST]:
        best = second
    elif second >= 0 and real[second, COST] == real[best, COST] and whole[second, MEETS] < whole[best, MEETS]:
        best = second
    if best < 0:
        return
    values[VALUE.cost_error] += real[best, COST] - real[x, COST]
    values[VALUE.distance_error] += whole[best, MEETS] - (whole[x, MEETS] - 1)
    values[VALUE.samples] += 1.0
    if first >= 0:
        enlist(tree, first)
    if second >= 0:
        enlist(tree, second)
