"""The conflict tree of EECBS: its nodes, the three lists they are chosen from, and the conflicts of the one in the table.

A tree node holds one agent's new path and at most one rule; the rest is its ancestors'. The first A nodes are the root, one per
agent. To look at a node, the paths in which it differs from the last are exchanged in the reservation table, and the conflicts of
those with them.

Tested through tests/planners/cbs/test_eecbs.py.
"""

from __future__ import annotations

import numpy as np

from navplan.kernels.cbs.eecbs_agent import AT, KEEP_OUT, MOVE, SAME
from navplan.kernels.cbs.eecbs_memory import (
    CLEAN,
    CLOSED,
    COST,
    COUNT,
    DEAR,
    ESTIMATE,
    FLOOR,
    FOCAL,
    LENGTH,
    MARK,
    MEETS,
    MOVED,
    OPEN,
    PARENT,
    SHOWN,
    START,
    STATE,
    VALUE,
    WAIT,
    WANTED,
)
from navplan.kernels.common.hashing import home
from navplan.kernels.common.heap import pop, push
from navplan.kernels.common.jit import inner
from navplan.kernels.search.reservation import NEVER, insert, next_taken, remove

# While nodes with too great a cost wait, one in EVERY goes to raise the bound. Nodes after which other conflicts are split on.
EVERY = 4
STUCK = 100


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
            b = np.int64(table.head[v, t]) - 1
            while b >= 0:
                if t == length - 1:
                    count += note(tree, keep, b, a, b, t, KEEP_OUT, u, v)
                elif t == table.lengths[b] - 1:
                    count += note(tree, keep, b, b, a, t, KEEP_OUT, u, v)
                else:
                    count += note(tree, keep, b, a, b, t, AT, u, v)
                b = np.int64(table.link[b, t])
            b = np.int64(table.head[u, t]) - 1 if u != v else np.int64(-1)
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
        b = np.int64(table.head[goal, t]) - 1
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
            for column in range(tree.clashes.shape[1]):
                tree.clashes[kept, column] = tree.clashes[k, column]
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
