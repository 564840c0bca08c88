"""The high level of EECBS, compiled: three lists of conflict-tree nodes, and one node's paths at a time in the traffic table.

A tree node holds one agent's new path and at most one constraint; the rest is its ancestors'. The first A nodes are the root,
one per agent. To look at a node, the paths in which it differs from the last are exchanged in the table, and the list of
conflicts with them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.eecbs_low import (
    AT,
    FMIN,
    KEEP_OUT,
    LATER,
    MOVE,
    NEVER,
    RESULT,
    add_rule,
    link_path,
    open_search,
    run_search,
    start_search,
    unlink_path,
)
from navplan.kernels.heap import pop, push
from navplan.kernels.jit import inner, kernel
from navplan.kernels.status import BUDGET, EXHAUSTED, FOUND, FULL

# What `Tree.reg` holds.
(
    PHASE,
    NODES,
    POOL,
    CURRENT,
    SIDE,
    CHOSEN,
    AGENT_NOW,
    CONFLICTS,
    CLEAN_SIZE,
    OPEN_SIZE,
    FOCAL_SIZE,
    WAIT_SIZE,
    EXPANDED,
    SEARCHES,
    NEED,
    STAMP,
    FIRST_CHILD,
    SECOND_CHILD,
    CLEANED,
    BYPASSED,
    ROUND,
    ALONE,
) = range(22)
# What `Tree.val` holds: the factor, the proved bound, sums and counts of what a conflict costs to resolve.
FACTOR, BOUND, COST_ERROR, DISTANCE_ERROR, SAMPLES = range(5)
ROOT, MEND, SELECT, PICK, CHILD, LOW, DONE = range(7)
# What to enlarge when FULL: the search's states, tree nodes, path pool, time steps, conflicts.
STATES, TREE_NODES, PATHS, STEPS, CONFLICT_LIST = range(5)
SAME = 1e-11
# Rounds in which the root's agents in conflict are planned again before any constraint is made.
MENDS = 3


class Tree(NamedTuple):
    """Arrays of the conflict tree, one entry per tree node unless said otherwise; `reg` and `val` as in this module.

    Attributes:
        parent, agent: the node above; whose path is new.
        start, length: the new path in `pool`.
        path_cost, path_bound: of that path: its cost, a lower bound under the node's constraints.
        cost, bound, estimate, conflicts: of all paths: sum of costs, of bounds, estimated cost of a solution below; count.
        kind, node, tail, step: the constraint; kind -1 for none.
        closed: 1 once it is in no list.
        clean_*, open_*, focal_*, wait_*: heaps; the last two share the open nodes.
        pool: paths.
        clashes: (C, 6) int32 conflicts of the current node: agents, step, kind, tail and head of the first agent's move.
        shown: (A,) int32 tree node whose path of the agent is in the traffic table.
        wanted, stamp: (A,) int32 scratch.
    """

    parent: NDArray[np.int32]
    agent: NDArray[np.int32]
    start: NDArray[np.int64]
    length: NDArray[np.int32]
    path_cost: NDArray[np.float64]
    path_bound: NDArray[np.float64]
    cost: NDArray[np.float64]
    bound: NDArray[np.float64]
    estimate: NDArray[np.float64]
    conflicts: NDArray[np.int32]
    kind: NDArray[np.int8]
    node: NDArray[np.int32]
    tail: NDArray[np.int32]
    step: NDArray[np.int32]
    closed: NDArray[np.uint8]
    clean_keys: NDArray[np.float64]
    clean_ties: NDArray[np.float64]
    clean_items: NDArray[np.int32]
    open_keys: NDArray[np.float64]
    open_ties: NDArray[np.float64]
    open_items: NDArray[np.int32]
    focal_keys: NDArray[np.float64]
    focal_ties: NDArray[np.float64]
    focal_items: NDArray[np.int32]
    wait_keys: NDArray[np.float64]
    wait_ties: NDArray[np.float64]
    wait_items: NDArray[np.int32]
    pool: NDArray[np.int32]
    clashes: NDArray[np.int32]
    shown: NDArray[np.int32]
    wanted: NDArray[np.int32]
    stamp: NDArray[np.int32]
    reg: NDArray[np.int64]
    val: NDArray[np.float64]


@inner
def _clash(tree, a, b, t, kind, u, v):
    k = tree.reg[CONFLICTS]
    row = tree.clashes[k]
    row[0], row[1], row[2], row[3], row[4], row[5] = a, b, t, kind, u, v
    tree.reg[CONFLICTS] = k + 1


@inner
def _list_conflicts(traffic, tree, a, start, length):
    """Append the conflicts of a path with those in the table; kinds AT, MOVE, or KEEP_OUT where the first agent is at rest."""
    steps = traffic.head.shape[0]
    for t in range(1, length):
        u = tree.pool[start + t - 1]
        v = tree.pool[start + t]
        b = traffic.head[t, v]
        while b >= 0:
            if t == length - 1:
                _clash(tree, a, b, t, KEEP_OUT, u, v)
            elif t == traffic.arrival[b]:
                _clash(tree, b, a, t, KEEP_OUT, u, v)
            else:
                _clash(tree, a, b, t, AT, u, v)
            b = traffic.link[b, t]
        if traffic.rest[v] <= t:
            _clash(tree, traffic.owner[v], a, t, KEEP_OUT, v, v)
        if u != v:
            b = traffic.head[t - 1, v]
            while b >= 0:
                if t <= traffic.arrival[b] and traffic.at[b, t] == u:
                    _clash(tree, a, b, t, MOVE, u, v)
                b = traffic.link[b, t - 1]
    goal = tree.pool[start + length - 1]
    latest = 0
    for b in range(traffic.arrival.size):
        latest = max(latest, traffic.arrival[b])
    for t in range(length, min(latest + 1, steps)):
        b = traffic.head[t, goal]
        while b >= 0:
            _clash(tree, a, b, t, KEEP_OUT, goal, goal)
            b = traffic.link[b, t]


@inner
def _show(ground, traffic, tree, x):
    """Exchange paths so that the table holds those of tree node x, and list its conflicts."""
    agents = tree.shown.size
    tree.reg[STAMP] += 1
    stamp = tree.reg[STAMP]
    left = agents
    n = x
    while n >= 0 and left > 0:
        a = tree.agent[n]
        if tree.stamp[a] != stamp:
            tree.stamp[a] = stamp
            tree.wanted[a] = n
            left -= 1
        n = tree.parent[n]
    kept = 0
    for k in range(tree.reg[CONFLICTS]):
        row = tree.clashes[k]
        a, b = row[0], row[1]
        if tree.shown[a] == tree.wanted[a] and tree.shown[b] == tree.wanted[b]:
            if kept != k:
                tree.clashes[kept] = row
            kept += 1
    tree.reg[CONFLICTS] = kept
    for a in range(agents):
        if tree.shown[a] != tree.wanted[a] and tree.shown[a] >= 0 and traffic.arrival[a] >= 0:
            unlink_path(traffic, a, ground.goals[a])
    for a in range(agents):
        if tree.shown[a] != tree.wanted[a]:
            n = tree.wanted[a]
            _list_conflicts(traffic, tree, a, tree.start[n], tree.length[n])
            link_path(traffic, a, tree.pool, tree.start[n], tree.length[n], ground.goals[a])
            tree.shown[a] = n


@inner
def _touching(tree, agent):
    """Conflicts of the current node in which `agent` takes part."""
    count = 0
    for k in range(tree.reg[CONFLICTS]):
        if tree.clashes[k, 0] == agent or tree.clashes[k, 1] == agent:
            count += 1
    return count


@inner
def _new_node(ground, search, tree, parent, agent, cost, bound, conflicts):
    """A tree node with the path that the search has just found; the pools have room. Its constraint is not set."""
    x = tree.reg[NODES]
    tree.reg[NODES] = x + 1
    s = search.ints[RESULT]
    length = search.step[s] + 1
    start = tree.reg[POOL]
    tree.reg[POOL] = start + length
    tree.pool[start + length - 1] = ground.goals[agent]
    at = search.parent[s]
    for t in range(length - 2, -1, -1):
        tree.pool[start + t] = search.node[at]
        at = search.parent[at]
    tree.parent[x] = parent
    tree.agent[x] = agent
    tree.start[x] = start
    tree.length[x] = length
    tree.path_cost[x] = search.cost[s]
    tree.path_bound[x] = search.reals[FMIN]
    tree.cost[x] = cost
    tree.bound[x] = bound
    tree.conflicts[x] = conflicts
    tree.estimate[x] = cost
    tree.kind[x] = -1
    tree.closed[x] = 0
    return x


@inner
def _enlist(tree, x):
    """Put a node into every list, with its cost estimated by what conflicts have cost so far."""
    reg, val = tree.reg, tree.val
    per_conflict = 0.0
    if val[SAMPLES] > 0.0:
        distance = min(0.9, val[DISTANCE_ERROR] / val[SAMPLES])
        per_conflict = max(0.0, val[COST_ERROR] / val[SAMPLES] / (1.0 - distance))
    estimate = tree.cost[x] + per_conflict * tree.conflicts[x]
    tree.estimate[x] = estimate
    reg[CLEAN_SIZE] = push(tree.clean_keys, tree.clean_ties, tree.clean_items, reg[CLEAN_SIZE], tree.bound[x], estimate, x)
    reg[OPEN_SIZE] = push(tree.open_keys, tree.open_ties, tree.open_items, reg[OPEN_SIZE], estimate, tree.conflicts[x], x)
    reg[WAIT_SIZE] = push(tree.wait_keys, tree.wait_ties, tree.wait_items, reg[WAIT_SIZE], estimate, tree.conflicts[x], x)


@inner
def _select(tree):
    """Take the next node by the paper's rule; -1 when no node is left. Raises the proved bound on the way."""
    reg, val = tree.reg, tree.val
    while reg[CLEAN_SIZE] > 0 and tree.closed[tree.clean_items[0]]:
        reg[CLEAN_SIZE] = pop(tree.clean_keys, tree.clean_ties, tree.clean_items, reg[CLEAN_SIZE])
    if reg[CLEAN_SIZE] == 0:
        return -1
    val[BOUND] = max(val[BOUND], tree.clean_keys[0])
    limit = val[FACTOR] * val[BOUND] * (1.0 + SAME)
    while tree.closed[tree.open_items[0]]:
        reg[OPEN_SIZE] = pop(tree.open_keys, tree.open_ties, tree.open_items, reg[OPEN_SIZE])
    near = val[FACTOR] * tree.open_keys[0]
    while reg[WAIT_SIZE] > 0 and tree.wait_keys[0] <= near:
        x = tree.wait_items[0]
        reg[WAIT_SIZE] = pop(tree.wait_keys, tree.wait_ties, tree.wait_items, reg[WAIT_SIZE])
        if not tree.closed[x]:
            tie = tree.estimate[x] * (1.0 + 1e-9) - 1e-9 * x
            reg[FOCAL_SIZE] = push(tree.focal_keys, tree.focal_ties, tree.focal_items, reg[FOCAL_SIZE], tree.conflicts[x], tie, x)
    while reg[FOCAL_SIZE] > 0:
        x = tree.focal_items[0]
        if not tree.closed[x] and tree.estimate[x] <= near:
            break
        reg[FOCAL_SIZE] = pop(tree.focal_keys, tree.focal_ties, tree.focal_items, reg[FOCAL_SIZE])
        if not tree.closed[x]:  # the least estimate has fallen since it came in
            reg[WAIT_SIZE] = push(
                tree.wait_keys, tree.wait_ties, tree.wait_items, reg[WAIT_SIZE], tree.estimate[x], tree.conflicts[x], x
            )
    reg[CLEANED] = 0
    if reg[FOCAL_SIZE] > 0 and tree.cost[tree.focal_items[0]] <= limit:
        x = tree.focal_items[0]
    elif tree.cost[tree.open_items[0]] <= limit:
        x = tree.open_items[0]
    else:
        x = tree.clean_items[0]
        reg[CLEANED] = 1
    tree.closed[x] = 1
    return x


@inner
def _pick(tree):
    """Index of the conflict to split on: an agent at rest first, then the earliest."""
    best = 0
    score = NEVER
    for k in range(tree.reg[CONFLICTS]):
        row = tree.clashes[k]
        rank = row[2]
        if rank < score:
            score = rank
            best = k
    return best


@inner
def _begin_child(ground, traffic, search, tree):
    """Set up the search of the agent that is to give way."""
    reg = tree.reg
    x = reg[CURRENT]
    row = tree.clashes[reg[CHOSEN]]
    agent = row[reg[SIDE]]
    reg[AGENT_NOW] = agent
    open_search(ground, search, agent)
    n = x
    while n >= 0:
        if tree.kind[n] >= 0 and tree.agent[n] == agent:
            add_rule(search, tree.kind[n], tree.node[n], tree.tail[n], tree.step[n])
        n = tree.parent[n]
    kind, v, u, t = _constraint(tree)
    add_rule(search, kind, v, u, t)
    _begin(ground, traffic, search, tree, agent, tree.path_cost[tree.shown[agent]], tree.path_bound[tree.shown[agent]])


@inner
def _constraint(tree):
    """Kind, node, tail and step of what the agent of the current side must not do."""
    row = tree.clashes[tree.reg[CHOSEN]]
    second = tree.reg[SIDE] == 1
    kind = row[3]
    u, v, t = row[4], row[5], row[2]
    if kind == KEEP_OUT:
        return (KEEP_OUT if second else LATER), v, -1, t
    if kind == MOVE and second:
        return MOVE, u, v, t
    if kind == MOVE:
        return MOVE, v, u, t
    return AT, v, -1, t


@inner
def _begin(ground, traffic, search, tree, agent, path_cost, path_bound):
    """Take the agent's path out of the table and start its search; what others leave of their allowance it may use."""
    reg = tree.reg
    x = reg[CURRENT]
    factor = tree.val[FACTOR]
    slack = 0.0
    if x >= 0:
        slack = factor * (tree.bound[x] - path_bound) - (tree.cost[x] - path_cost)
    if reg[ALONE]:
        slack = 0.0
    if traffic.arrival[agent] >= 0:
        unlink_path(traffic, agent, ground.goals[agent])
    start_search(ground, traffic, search, factor, slack, path_bound)
    reg[SEARCHES] += 1


@inner
def _put_back(ground, traffic, tree, agent):
    n = tree.shown[agent]
    link_path(traffic, agent, tree.pool, tree.start[n], tree.length[n], ground.goals[agent])


@inner
def _room(traffic, search, tree, needed):
    """What must grow before the search's result can be kept, -1 for nothing."""
    if tree.reg[NODES] + 2 > tree.parent.size:
        return TREE_NODES
    if tree.reg[POOL] + needed > tree.pool.size:
        return PATHS
    if needed + 1 > traffic.head.shape[0]:
        return STEPS
    return -1


@kernel
def run_tree(ground, traffic, search, tree, budget, max_nodes):
    """Go on: FOUND (the goal is CURRENT), EXHAUSTED (no solution), BUDGET, or FULL with NEED saying of what.

    Args:
        budget: low-level expansions, about.
        max_nodes: tree nodes to expand before BUDGET is returned for good, -1 for no limit.
    """
    reg = tree.reg
    spent = np.int64(0)
    agents = tree.shown.size
    while True:
        if spent > budget:
            return BUDGET
        if reg[PHASE] == DONE:
            return FOUND
        if reg[PHASE] == SELECT:
            x = _select(tree)
            if x < 0:
                return EXHAUSTED
            reg[CURRENT] = x
            reg[PHASE] = PICK
        if reg[PHASE] == PICK:
            x = reg[CURRENT]
            if tree.conflicts[x] > tree.clashes.shape[0]:
                reg[NEED] = CONFLICT_LIST
                return FULL
            _show(ground, traffic, tree, x)
            spent += 50
            if tree.conflicts[x] == 0:
                reg[PHASE] = DONE
                continue
            if 0 <= max_nodes <= reg[EXPANDED]:
                return BUDGET
            reg[EXPANDED] += 1
            reg[CHOSEN] = _pick(tree)
            reg[SIDE] = 0
            reg[FIRST_CHILD] = -1
            reg[SECOND_CHILD] = -1
            reg[PHASE] = CHILD
        if reg[PHASE] == CHILD:
            _begin_child(ground, traffic, search, tree)
            reg[PHASE] = LOW
        if reg[PHASE] == ROOT:
            a = reg[AGENT_NOW]
            if a == agents:
                reg[CURRENT] = agents - 1
                tree.val[BOUND] = tree.bound[agents - 1]
                _enlist(tree, agents - 1)
                reg[PHASE] = SELECT
                continue
            open_search(ground, search, a)
            reg[CURRENT] = a - 1
            _begin(ground, traffic, search, tree, a, 0.0, 0.0)
            reg[PHASE] = LOW
        status = run_search(ground, traffic, search, budget)
        if status == BUDGET:
            return BUDGET
        if status == FULL:
            reg[NEED] = STATES
            return FULL
        spent += 100
        root = reg[SIDE] < 0
        if status == EXHAUSTED:
            if root:
                return EXHAUSTED
            _put_back(ground, traffic, tree, reg[AGENT_NOW])
        else:
            needed = search.step[search.ints[RESULT]] + 1
            need = _room(traffic, search, tree, needed)
            if need >= 0:
                reg[NEED] = need
                return FULL
            spent += search.ints[0] // 4
            if root:
                _finish_root(ground, traffic, search, tree)
                continue
            if _finish_child(ground, traffic, search, tree):
                continue
        if reg[SIDE] == 0:
            reg[SIDE] = 1
            reg[PHASE] = CHILD
        else:
            _learn(tree)
            reg[PHASE] = SELECT


@inner
def _finish_root(ground, traffic, search, tree):
    reg = tree.reg
    a = reg[AGENT_NOW]
    s = search.ints[RESULT]
    cost, bound, conflicts = search.cost[s], search.reals[FMIN], search.conflicts[s]
    if a > 0:
        cost += tree.cost[a - 1]
        bound += tree.bound[a - 1]
        conflicts += tree.conflicts[a - 1]
    x = _new_node(ground, search, tree, a - 1, a, cost, bound, conflicts)
    tree.closed[x] = 1 if a + 1 < tree.shown.size else 0
    link_path(traffic, a, tree.pool, tree.start[x], tree.length[x], ground.goals[a])
    tree.shown[a] = -1
    reg[AGENT_NOW] = a + 1
    reg[PHASE] = ROOT
    if a + 1 == tree.shown.size:
        for b in range(a + 1):  # listed anew with their conflicts when the root is looked at
            unlink_path(traffic, b, ground.goals[b])


@inner
def _finish_child(ground, traffic, search, tree):
    """Keep the path found: as a child, or in the node's own place when it does better (True)."""
    reg, val = tree.reg, tree.val
    x = reg[CURRENT]
    agent = reg[AGENT_NOW]
    s = search.ints[RESULT]
    old = tree.shown[agent]
    cost = tree.cost[x] - tree.path_cost[old] + search.cost[s]
    conflicts = tree.conflicts[x] - _touching(tree, agent) + search.conflicts[s]
    allowed = val[FACTOR] * val[BOUND]
    own = search.cost[s] <= val[FACTOR] * tree.path_bound[old] * (1.0 + SAME) or not reg[ALONE]
    bypass = conflicts < tree.conflicts[x] and cost <= allowed * (1.0 + SAME) and own
    _put_back(ground, traffic, tree, agent)
    if bypass:
        y = _new_node(ground, search, tree, x, agent, cost, tree.bound[x], conflicts)
        tree.path_bound[y] = tree.path_bound[old]
        tree.closed[y] = 1
        reg[BYPASSED] += 1
        reg[CURRENT] = y
        reg[PHASE] = PICK
        return True
    bound = tree.bound[x] + search.reals[FMIN] - tree.path_bound[old]
    y = _new_node(ground, search, tree, x, agent, cost, bound, conflicts)
    kind, v, u, t = _constraint(tree)
    tree.kind[y] = kind
    tree.node[y] = v
    tree.tail[y] = u
    tree.step[y] = t
    if reg[SIDE] == 0:
        reg[FIRST_CHILD] = y
    else:
        reg[SECOND_CHILD] = y
    return False


@inner
def _learn(tree):
    """Compare the best child with what one resolved conflict should have cost, then put the children into the lists."""
    reg, val = tree.reg, tree.val
    x = reg[CURRENT]
    first, second = reg[FIRST_CHILD], reg[SECOND_CHILD]
    best = first
    if best < 0 or (
        second >= 0
        and (
            tree.cost[second] < tree.cost[best]
            or (tree.cost[second] == tree.cost[best] and tree.conflicts[second] < tree.conflicts[best])
        )
    ):
        best = second
    if best < 0:
        return
    val[COST_ERROR] += tree.cost[best] - tree.cost[x]
    val[DISTANCE_ERROR] += tree.conflicts[best] - (tree.conflicts[x] - 1)
    val[SAMPLES] += 1.0
    if first >= 0:
        _enlist(tree, first)
    if second >= 0:
        _enlist(tree, second)
