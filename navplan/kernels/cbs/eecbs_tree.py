"""The high level of EECBS, compiled: plan the root, mend it, then split on conflicts until a node has none.

Searches are long, so every step is a phase that the kernel can leave and come back to.
"""

from __future__ import annotations

import numpy as np

from navplan.kernels.cbs.eecbs_agent import (
    EXPANDED,
    FMIN,
    KEEP_OUT,
    LATER,
    MOVE,
    RESULT,
    SAME,
    TIME,
    WORTH,
    add_rule,
    open_search,
    run_search,
    start_search,
    unwind,
)
from navplan.kernels.cbs.eecbs_agent import FACTOR as LOW_FACTOR
from navplan.kernels.cbs.eecbs_nodes import (
    ALONE,
    BACK,
    BETTER,
    BYPASSED,
    CALLS,
    CHOSEN,
    CLASHES,
    CLOSED,
    COST,
    CURRENT,
    FACTOR,
    FIRST_CHILD,
    FLOOR,
    KIND,
    LENGTH,
    MEETS,
    MOVED,
    MOVER,
    NEED,
    NODE,
    NODES,
    PARENT,
    PATH_BOUND,
    PATH_COST,
    PHASE,
    POOL,
    PROVED,
    ROUND,
    SECOND_CHILD,
    SHOWN,
    SIDE,
    SPLITS,
    START,
    STEP,
    TAIL,
    TIGHT,
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
# one side of the conflict chosen; the search that one of these needs, which leads BACK to it; a solution.
ROOT, MEND, SELECT, LOOK, CHILD, LOW, DONE = range(7)
# What to enlarge when FULL: the search's labels, tree nodes, path pool, time steps, conflicts. NOTHING: `max_splits` are spent.
# DUES: the proved bound keeps nodes with few conflicts out, and should be raised by what pairs of agents must pay.
LABELS, TREE_NODES, PATHS, STEPS, CONFLICT_LIST, NOTHING, DUES = range(7)
# Rounds in which the root is mended, at most.
ROUNDS = 6


@kernel
def run_tree(ground, table, search, tree, budget, max_splits):
    """Go on: FOUND (the goal is CURRENT), EXHAUSTED (no solution), BUDGET, or FULL with NEED saying of what.

    Args:
        budget: low-level expansions, about.
        max_splits: tree nodes to expand before BUDGET is returned for good, NEED saying NOTHING; -1 for no limit.
    """
    reg = tree.reg
    last = search.ints[EXPANDED] + budget
    while search.ints[EXPANDED] < last:
        last -= 20
        if reg[PHASE] == DONE:
            return FOUND
        if reg[PHASE] != LOW:
            status = _prepare(ground, table, search, tree, max_splits)
            if status != FOUND:
                return status
            continue
        status = run_search(ground, table, search, last - search.ints[EXPANDED])
        if status == BUDGET:
            return BUDGET
        if status == FULL:
            reg[NEED] = LABELS
            return FULL
        if status == FOUND:
            reg[NEED] = _room(table, search, tree)
            if reg[NEED] >= 0:
                return FULL
        reg[PHASE] = reg[BACK]
        if reg[BACK] == CHILD:
            _settle_child(table, search, tree, status)
        elif status == EXHAUSTED:
            return EXHAUSTED
        else:
            _settle_root(table, search, tree)
    return BUDGET


@inner
def _room(table, search, tree):
    """What must grow before the search's result can be kept, -1 for nothing."""
    needed = search.labels[search.ints[RESULT], TIME] + 1
    if tree.reg[NODES] + 2 > tree.whole.shape[0]:
        return TREE_NODES
    if tree.reg[POOL] + needed > tree.pool.size:
        return PATHS
    if needed + 1 > table.head.shape[1]:
        return STEPS
    return -1


@inner
def _prepare(ground, table, search, tree, max_splits):
    """Do one step that is no search: FOUND to go on, or what `run_tree` is to return."""
    reg = tree.reg
    if reg[PHASE] == CHILD:
        if reg[SIDE] < 2:
            _begin_child(ground, table, search, tree)
        else:
            learn(tree)
            reg[PHASE] = SELECT
    elif reg[PHASE] == SELECT:
        reg[CURRENT] = select(tree)
        if reg[CURRENT] < 0:
            return EXHAUSTED
        reg[PHASE] = LOOK
        if reg[TIGHT] == 1:
            reg[TIGHT] = 2
            reg[NEED] = DUES
            return FULL
    elif reg[PHASE] == LOOK:
        if tree.whole[reg[CURRENT], MEETS] > tree.clashes.shape[0]:
            reg[NEED] = CONFLICT_LIST
            return FULL
        show(table, tree, reg[CURRENT])
        if reg[CLASHES] == 0:
            reg[PHASE] = DONE
            return FOUND
        if 0 <= max_splits <= reg[SPLITS]:
            reg[NEED] = NOTHING
            return BUDGET
        reg[SPLITS] += 1
        reg[CHOSEN] = pick(tree)
        reg[SIDE] = 0
        reg[FIRST_CHILD] = -1
        reg[SECOND_CHILD] = -1
        reg[PHASE] = CHILD
    else:
        _next_of_root(ground, table, search, tree)
    return FOUND


@inner
def _begin(ground, table, search, tree, slack):
    """Start the search of MOVER, whose path is not in the table; `slack` is what others leave of their allowance."""
    reg = tree.reg
    search.reals[LOW_FACTOR] = tree.val[FACTOR]
    start_search(ground, table, search, 0.0 if reg[ALONE] else slack)
    reg[CALLS] += 1
    reg[BACK] = reg[PHASE]
    reg[PHASE] = LOW


@inner
def _next_of_root(ground, table, search, tree):
    """In ROOT and MEND: begin the search of the next agent that needs one, or be done with the root."""
    reg = tree.reg
    agents = tree.agents.shape[1]
    if reg[MOVER] == agents:
        if reg[PHASE] == ROOT or (reg[BETTER] > 0 and reg[ROUND] < ROUNDS):
            reg[PHASE] = MEND
            reg[MOVER] = 0
            reg[ROUND] += 1
            reg[BETTER] = 0
        else:
            _finish_root(table, tree)
        return
    a = reg[MOVER]
    if reg[PHASE] == MEND:
        remove(table, a)
        if conflicts(table, tree, a, path_of(tree, a), tree.whole[a, LENGTH], False) == 0:
            put(table, tree, a)
            reg[MOVER] = a + 1
            return
    search.reals[WORTH] = np.inf
    slack = 0.0
    for b in range(agents):
        if b != a:
            slack += tree.val[FACTOR] * tree.real[b, PATH_BOUND] - tree.real[b, PATH_COST]
    open_search(search, a)
    _begin(ground, table, search, tree, slack)


@inner
def _settle_root(table, search, tree):
    """Keep the path found for an agent of the root, unless it had one that is no worse."""
    reg = tree.reg
    a = reg[MOVER]
    s = search.ints[RESULT]
    start = reg[POOL]
    length = search.labels[s, TIME] + 1
    path = tree.pool[start : start + length]
    unwind(search, path, length)
    kept = True
    if reg[PHASE] == MEND:
        before = conflicts(table, tree, a, path_of(tree, a), tree.whole[a, LENGTH], False)
        after = conflicts(table, tree, a, path, length, False)
        kept = after < before or (after == before and search.costs[s] < tree.real[a, PATH_COST])
        reg[BETTER] += 1 if kept else 0
    if kept:
        reg[POOL] = start + length
        tree.whole[a, START] = start
        tree.whole[a, LENGTH] = length
        tree.real[a, PATH_COST] = search.costs[s]
        tree.real[a, PATH_BOUND] = search.reals[FMIN]
    tree.agents[SHOWN, a] = a
    put(table, tree, a)
    reg[MOVER] = a + 1


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
    tree.val[PROVED] = tree.real[x, FLOOR]
    enlist(tree, x)
    tree.reg[PHASE] = SELECT


@inner
def _rule(tree):
    """Kind, node, tail and time of what the agent of the current side must not do."""
    row = tree.clashes[tree.reg[CHOSEN]]
    second = tree.reg[SIDE] == 1
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
def _begin_child(ground, table, search, tree):
    """Start the search of the agent that is to give way."""
    reg = tree.reg
    x = reg[CURRENT]
    agent = np.int64(tree.clashes[reg[CHOSEN], reg[SIDE]])
    goal = ground.goals[agent]
    reg[MOVER] = agent
    open_search(search, agent)
    n = x
    while n >= tree.agents.shape[1]:
        row = tree.whole[n]
        if row[KIND] >= 0 and row[MOVED] == agent:
            add_rule(search, goal, row[KIND], row[NODE], row[TAIL], row[STEP])
        n = row[PARENT]
    kind, v, u, t = _rule(tree)
    add_rule(search, goal, kind, v, u, t)
    old = tree.agents[SHOWN, agent]
    remove(table, agent)
    slack = tree.val[FACTOR] * (tree.real[x, FLOOR] - tree.real[old, PATH_BOUND]) - (
        tree.real[x, COST] - tree.real[old, PATH_COST]
    )
    _begin(ground, table, search, tree, slack)


@inner
def _settle_child(table, search, tree, status):
    """Keep the path found, if one was: as a child, or in the node's own place when it does better there."""
    reg, val = tree.reg, tree.val
    x, agent = reg[CURRENT], reg[MOVER]
    if status == EXHAUSTED:
        put(table, tree, agent)
        reg[SIDE] += 1
        return
    s = search.ints[RESULT]
    old = tree.agents[SHOWN, agent]
    start = reg[POOL]
    length = search.labels[s, TIME] + 1
    path = tree.pool[start : start + length]
    unwind(search, path, length)
    meets = tree.whole[x, MEETS] - touching(tree, agent) + conflicts(table, tree, agent, path, length, False)
    put(table, tree, agent)
    cost = tree.real[x, COST] - tree.real[old, PATH_COST] + search.costs[s]
    bound = search.reals[FMIN]
    # no path, or with shared allowances no sum, may leave the factor of its own bound: the cleanest node relies on it
    if reg[ALONE]:
        fair = search.costs[s] <= val[FACTOR] * tree.real[old, PATH_BOUND] * (1.0 + SAME)
    else:
        fair = cost <= val[FACTOR] * tree.real[x, FLOOR] * (1.0 + SAME)
    bypass = meets < tree.whole[x, MEETS] and cost <= val[FACTOR] * val[PROVED] * (1.0 + SAME) and fair
    if bypass:
        bound = tree.real[old, PATH_BOUND]
    y = _new_node(tree, x, agent, length, meets)
    tree.real[y, PATH_COST] = search.costs[s]
    tree.real[y, PATH_BOUND] = bound
    tree.real[y, COST] = cost
    tree.real[y, FLOOR] = tree.real[x, FLOOR] + bound - tree.real[old, PATH_BOUND]
    if bypass:
        tree.whole[y, CLOSED] = 1
        reg[BYPASSED] += 1
        reg[CURRENT] = y
        reg[PHASE] = LOOK
        return
    tree.whole[y, KIND], tree.whole[y, NODE], tree.whole[y, TAIL], tree.whole[y, STEP] = _rule(tree)
    reg[FIRST_CHILD if reg[SIDE] == 0 else SECOND_CHILD] = y
    reg[SIDE] += 1


@inner
def _new_node(tree, parent, agent, length, meets):
    """A tree node without rule whose path, of `length` entries, lies at the end of the pool."""
    y = tree.reg[NODES]
    tree.reg[NODES] = y + 1
    row = tree.whole[y]
    row[PARENT] = parent
    row[MOVED] = agent
    row[START] = tree.reg[POOL]
    row[LENGTH] = length
    row[MEETS] = meets
    row[KIND] = -1
    row[CLOSED] = 0
    tree.reg[POOL] += length
    return y
