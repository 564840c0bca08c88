"""The high level of EECBS, compiled: plan the root, mend it, then split on conflicts until a node has none.

Searches are long, so every step is a phase that the kernel can leave and come back to.
"""

from __future__ import annotations

import numpy as np

from navplan.kernels.cbs.eecbs_agent import (
    INT,
    KEEP_OUT,
    LATER,
    MOVE,
    REAL,
    SAME,
    TIME,
    add_rule,
    open_search,
    run_search,
    start_search,
    unwind,
)
from navplan.kernels.cbs.eecbs_nodes import (
    CLOSED,
    COST,
    COUNT,
    FLOOR,
    KIND,
    LENGTH,
    MEETS,
    MOVED,
    NODE,
    PARENT,
    PATH_BOUND,
    PATH_COST,
    SHOWN,
    START,
    STATE,
    STEP,
    TAIL,
    VALUE,
    conflicts,
    enlist,
    learn,
    path_of,
    pick,
    put,
    select,
    show,
    touching,
)
from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.search.reservation import remove

# Phases: the first path of each agent; paths of agents in conflict again, among all others; the next tree node; its conflicts;
# one side of the conflict chosen; the search that one of these needs, which leads back to it; a solution.
ROOT, MEND, SELECT, LOOK, CHILD, LOW, DONE = range(7)
# What to enlarge when FULL: the search's labels, tree nodes, path pool, time steps, conflicts. NOTHING: `max_splits` are spent.
# DUES: the proved bound keeps nodes with few conflicts out, and should be raised by what pairs of agents must pay.
LABELS, TREE_NODES, PATHS, STEPS, CONFLICT_LIST, NOTHING, DUES = range(7)
# Rounds in which the root is mended, at most.
ROUNDS = 6


@kernel
def run_tree(ground, table, work, tree, budget, max_splits):
    """Go on: FOUND (the goal is `STATE.current`), EXHAUSTED, BUDGET, or FULL with `STATE.need` saying of what.

    Args:
        budget: low-level expansions, about.
        max_splits: tree nodes to expand before BUDGET is returned for good, NOTHING being needed; -1 for no limit.
    """
    state = tree.state
    last = work.ints[INT.expanded] + budget
    while work.ints[INT.expanded] < last:
        last -= 20
        if state[STATE.phase] == DONE:
            return FOUND
        if state[STATE.phase] != LOW:
            status = _prepare(ground, table, work, tree, max_splits)
            if status != FOUND:
                return status
            continue
        status = run_search(ground, table, work, last - work.ints[INT.expanded])
        if status == BUDGET:
            return BUDGET
        if status == FULL:
            state[STATE.need] = LABELS
            return FULL
        if status == FOUND:
            state[STATE.need] = _room(table, work, tree)
            if state[STATE.need] >= 0:
                return FULL
        state[STATE.phase] = state[STATE.back]
        if state[STATE.back] == CHILD:
            _settle_child(table, work, tree, status)
        elif status == EXHAUSTED:
            return EXHAUSTED
        else:
            _settle_root(table, work, tree)
    return BUDGET


@inner
def _room(table, work, tree):
    """What must grow before the search's result can be kept, -1 for nothing."""
    needed = work.labels[work.ints[INT.result], TIME] + 1
    if tree.counts[COUNT.nodes] + 2 > tree.whole.shape[0]:
        return TREE_NODES
    if tree.counts[COUNT.pool] + needed > tree.pool.size:
        return PATHS
    if needed + 1 > table.head.shape[1]:
        return STEPS
    return -1


@inner
def _prepare(ground, table, work, tree, max_splits):
    """Do one step that is no search: FOUND to go on, or what `run_tree` is to return."""
    state, counts = tree.state, tree.counts
    if state[STATE.phase] == CHILD:
        if state[STATE.side] < 2:
            _begin_child(ground, table, work, tree)
        else:
            learn(tree)
            state[STATE.phase] = SELECT
    elif state[STATE.phase] == SELECT:
        state[STATE.current] = select(tree)
        if state[STATE.current] < 0:
            return EXHAUSTED
        state[STATE.phase] = LOOK
        if state[STATE.tight] == 1:
            state[STATE.tight] = 2
            state[STATE.need] = DUES
            return FULL
    elif state[STATE.phase] == LOOK:
        if tree.whole[state[STATE.current], MEETS] > tree.clashes.shape[0]:
            state[STATE.need] = CONFLICT_LIST
            return FULL
        show(table, tree, state[STATE.current])
        if counts[COUNT.clashes] == 0:
            state[STATE.phase] = DONE
            return FOUND
        if 0 <= max_splits <= counts[COUNT.splits]:
            state[STATE.need] = NOTHING
            return BUDGET
        counts[COUNT.splits] += 1
        state[STATE.chosen] = pick(tree)
        state[STATE.side] = 0
        state[STATE.first_child] = -1
        state[STATE.second_child] = -1
        state[STATE.phase] = CHILD
    else:
        _next_of_root(ground, table, work, tree)
    return FOUND


@inner
def _begin(ground, table, work, tree, slack):
    """Start the search of the mover, whose path is not in the table; `slack` is what others leave of their allowance."""
    state, counts = tree.state, tree.counts
    work.reals[REAL.factor] = tree.values[VALUE.factor]
    start_search(ground, table, work, 0.0 if state[STATE.alone] else slack)
    counts[COUNT.calls] += 1
    state[STATE.back] = state[STATE.phase]
    state[STATE.phase] = LOW


@inner
def _next_of_root(ground, table, work, tree):
    """In ROOT and MEND: begin the search of the next agent that needs one, or be done with the root."""
    state = tree.state
    agents = tree.agents.shape[1]
    if state[STATE.mover] == agents:
        if state[STATE.phase] == ROOT or (state[STATE.better] > 0 and state[STATE.round] < ROUNDS):
            state[STATE.phase] = MEND
            state[STATE.mover] = 0
            state[STATE.round] += 1
            state[STATE.better] = 0
        else:
            _finish_root(table, tree)
        return
    a = state[STATE.mover]
    if state[STATE.phase] == MEND:
        remove(table, a)
        if conflicts(table, tree, a, path_of(tree, a), tree.whole[a, LENGTH], False) == 0:
            put(table, tree, a)
            state[STATE.mover] = a + 1
            return
    work.reals[REAL.worth] = np.inf
    slack = 0.0
    for b in range(agents):
        if b != a:
            slack += tree.values[VALUE.factor] * tree.real[b, PATH_BOUND] - tree.real[b, PATH_COST]
    open_search(work, a)
    _begin(ground, table, work, tree, slack)


@inner
def _settle_root(table, work, tree):
    """Keep the path found for an agent of the root, unless it had one that is no worse."""
    state, counts = tree.state, tree.counts
    a = state[STATE.mover]
    s = work.ints[INT.result]
    start = counts[COUNT.pool]
    length = work.labels[s, TIME] + 1
    path = tree.pool[start : start + length]
    unwind(work, path, length)
    kept = True
    if state[STATE.phase] == MEND:
        before = conflicts(table, tree, a, path_of(tree, a), tree.whole[a, LENGTH], False)
        after = conflicts(table, tree, a, path, length, False)
        kept = after < before or (after == before and work.costs[s] < tree.real[a, PATH_COST])
        state[STATE.better] += 1 if kept else 0
    if kept:
        counts[COUNT.pool] = start + length
        tree.whole[a, START] = start
        tree.whole[a, LENGTH] = length
        tree.real[a, PATH_COST] = work.costs[s]
        tree.real[a, PATH_BOUND] = work.reals[REAL.fmin]
    tree.agents[SHOWN, a] = a
    put(table, tree, a)
    state[STATE.mover] = a + 1


@inner
def _finish_root(table, tree):
    """Sum the root up; its paths leave the table, to be listed with their conflicts when it is looked at."""
    agents = tree.agents.shape[1]
    x = agents - 1
    for a in range(agents):
        tree.whole[a, PARENT] = a - 1
        tree.whole[a, MOVED] = a
        tree.whole[a, KIND] = -1
        tree.whole[a, CLOSED] = 1
        tree.real[x, COST] += tree.real[a, PATH_COST]
        tree.real[x, FLOOR] += tree.real[a, PATH_BOUND]
        remove(table, a)
        tree.agents[SHOWN, a] = -1
        tree.whole[x, MEETS] += conflicts(table, tree, a, path_of(tree, a), tree.whole[a, LENGTH], False)
    tree.whole[x, CLOSED] = 0
    tree.values[VALUE.proved] = tree.real[x, FLOOR]
    enlist(tree, x)
    tree.state[STATE.phase] = SELECT


@inner
def _rule(tree):
    """Kind, node, tail and time of what the agent of the current side must not do."""
    row = tree.clashes[tree.state[STATE.chosen]]
    second = tree.state[STATE.side] == 1
    kind = np.int64(row[3])
    u, v, t = np.int64(row[4]), np.int64(row[5]), np.int64(row[2])
    if kind == KEEP_OUT and not second:
        return LATER, v, u, t
    if kind == MOVE and not second:
        return MOVE, v, u, t
    if kind == MOVE:
        return MOVE, u, v, t
    return kind, v, u, t


@inner
def _begin_child(ground, table, work, tree):
    """Start the search of the agent that is to give way."""
    state = tree.state
    x = state[STATE.current]
    agent = np.int64(tree.clashes[state[STATE.chosen], state[STATE.side]])
    goal = ground.goals[agent]
    state[STATE.mover] = agent
    open_search(work, agent)
    n = x
    while n >= tree.agents.shape[1]:
        row = tree.whole[n]
        if row[KIND] >= 0 and row[MOVED] == agent:
            add_rule(work, goal, row[KIND], row[NODE], row[TAIL], row[STEP])
        n = row[PARENT]
    kind, v, u, t = _rule(tree)
    add_rule(work, goal, kind, v, u, t)
    old = tree.agents[SHOWN, agent]
    remove(table, agent)
    slack = tree.values[VALUE.factor] * (tree.real[x, FLOOR] - tree.real[old, PATH_BOUND]) - (
        tree.real[x, COST] - tree.real[old, PATH_COST]
    )
    _begin(ground, table, work, tree, slack)


@inner
def _settle_child(table, work, tree, status):
    """Keep the path found, if one was: as a child, or in the node's own place when it does better there."""
    state, counts, values = tree.state, tree.counts, tree.values
    x, agent = state[STATE.current], state[STATE.mover]
    if status == EXHAUSTED:
        put(table, tree, agent)
        state[STATE.side] += 1
        return
    s = work.ints[INT.result]
    old = tree.agents[SHOWN, agent]
    start = counts[COUNT.pool]
    length = work.labels[s, TIME] + 1
    path = tree.pool[start : start + length]
    unwind(work, path, length)
    meets = tree.whole[x, MEETS] - touching(tree, agent) + conflicts(table, tree, agent, path, length, False)
    put(table, tree, agent)
    cost = tree.real[x, COST] - tree.real[old, PATH_COST] + work.costs[s]
    bound = work.reals[REAL.fmin]
    # no path, or with shared allowances no sum, may leave the factor of its own bound: the cleanest node relies on it
    if state[STATE.alone]:
        fair = work.costs[s] <= values[VALUE.factor] * tree.real[old, PATH_BOUND] * (1.0 + SAME)
    else:
        fair = cost <= values[VALUE.factor] * tree.real[x, FLOOR] * (1.0 + SAME)
    bypass = meets < tree.whole[x, MEETS] and cost <= values[VALUE.factor] * values[VALUE.proved] * (1.0 + SAME) and fair
    if bypass:
        bound = tree.real[old, PATH_BOUND]
    y = _new_node(tree, x, agent, length, meets)
    tree.real[y, PATH_COST] = work.costs[s]
    tree.real[y, PATH_BOUND] = bound
    tree.real[y, COST] = cost
    tree.real[y, FLOOR] = tree.real[x, FLOOR] + bound - tree.real[old, PATH_BOUND]
    if bypass:
        tree.whole[y, CLOSED] = 1
        counts[COUNT.bypassed] += 1
        state[STATE.current] = y
        state[STATE.phase] = LOOK
        return
    tree.whole[y, KIND], tree.whole[y, NODE], tree.whole[y, TAIL], tree.whole[y, STEP] = _rule(tree)
    state[STATE.first_child if state[STATE.side] == 0 else STATE.second_child] = y
    state[STATE.side] += 1


@inner
def _new_node(tree, parent, agent, length, meets):
    """A tree node without rule whose path, of `length` entries, lies at the end of the pool."""
    y = tree.counts[COUNT.nodes]
    tree.counts[COUNT.nodes] = y + 1
    row = tree.whole[y]
    row[PARENT] = parent
    row[MOVED] = agent
    row[START] = tree.counts[COUNT.pool]
    row[LENGTH] = length
    row[MEETS] = meets
    row[KIND] = -1
    row[CLOSED] = 0
    tree.counts[COUNT.pool] += length
    return y
