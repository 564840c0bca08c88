"""One agent's focal search in space and time: within w of the cheapest, as few conflicts with the others as can be.

The others' paths lie in a table over time step and node; each entry heads a list of the agents there. Constraints of the
agent hang on lists per node. States live in pools that Python doubles when a search comes back FULL.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.hashing import home
from navplan.kernels.heap import pop, pop_key, push, push_key
from navplan.kernels.jit import inner
from navplan.kernels.status import BUDGET, EXHAUSTED, FOUND, FULL

NEVER = 2**30
# Kinds of constraint: not at v in step t; not from u to v into step t; not at v from t on; last arrival after t.
AT, MOVE, KEEP_OUT, LATER = 0, 1, 2, 3
# What `Search.ints` holds.
MADE, OPEN_SIZE, FOCAL_SIZE, WAIT_SIZE, EPOCH, AGENT, GOAL, STATIC, EARLIEST, RULES, RESULT, EXPANDED = range(12)
# What `Search.reals` holds.
FMIN, FACTOR, SLACK, MIN_STEP, GREED = range(5)
IN_OPEN, CLOSED, STALE = 0, 1, 2


class Ground(NamedTuple):
    """The graph with its costs, the cost-to-go tables (A, N) float64, starts and goals (A,) int32; all read-only."""

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    weights: NDArray[np.float64]
    waits: NDArray[np.float64]
    tables: NDArray[np.float64]
    starts: NDArray[np.int32]
    goals: NDArray[np.int32]


class Traffic(NamedTuple):
    """Paths of the agents of one tree node.

    Attributes:
        head: (T, N) int32 first agent at a node in a step, -1 for none; agents at rest are not entered.
        link: (A, T) int32 next agent in the list of the same step and node.
        at: (A, T) int32 node per step up to the arrival.
        arrival: (A,) int32 last arrival, -1 while the agent has no path here.
        rest: (N,) int32 step from which an agent rests at the node for good, NEVER for none; one after its arrival.
        owner: (N,) int32 the agent whose goal the node is, -1 for none.
    """

    head: NDArray[np.int32]
    link: NDArray[np.int32]
    at: NDArray[np.int32]
    arrival: NDArray[np.int32]
    rest: NDArray[np.int32]
    owner: NDArray[np.int32]


class Search(NamedTuple):
    """Pools of one search; `ints` and `reals` are described by the constants of this module.

    Attributes:
        node, step, parent, conflicts, cost, key, mark: one entry per state; a node of N means "stays at the goal for good".
        open_keys, …: heaps: all open states by f; those within the limit by conflicts; those beyond it by f.
        slot_epoch, slot: (2^k,) hash table of states.
        first: (N,) int32 first rule per node; rule_kind, rule_from, rule_step, rule_next: the rules.
        later: (T + 1,) int32 agents that cross the goal in or after a step.
    """

    node: NDArray[np.int32]
    step: NDArray[np.int32]
    parent: NDArray[np.int32]
    conflicts: NDArray[np.int32]
    cost: NDArray[np.float64]
    key: NDArray[np.float64]
    mark: NDArray[np.uint8]
    open_keys: NDArray[np.float64]
    open_items: NDArray[np.int32]
    focal_keys: NDArray[np.float64]
    focal_ties: NDArray[np.float64]
    focal_items: NDArray[np.int32]
    wait_keys: NDArray[np.float64]
    wait_items: NDArray[np.int32]
    slot_epoch: NDArray[np.int32]
    slot: NDArray[np.int32]
    first: NDArray[np.int32]
    rule_node: NDArray[np.int32]
    rule_kind: NDArray[np.int32]
    rule_from: NDArray[np.int32]
    rule_step: NDArray[np.int32]
    rule_next: NDArray[np.int32]
    later: NDArray[np.int32]
    ints: NDArray[np.int64]
    reals: NDArray[np.float64]


@inner
def link_path(traffic, agent, path, start, length, goal):
    """Enter the path path[start : start + length] of `agent`, which has none; `length` is at most T."""
    for t in range(length):
        v = path[start + t]
        traffic.at[agent, t] = v
        traffic.link[agent, t] = traffic.head[t, v]
        traffic.head[t, v] = agent
    traffic.arrival[agent] = length - 1
    traffic.rest[goal] = length


@inner
def unlink_path(traffic, agent, goal):
    """Take the path of `agent` out."""
    for t in range(traffic.arrival[agent] + 1):
        v = traffic.at[agent, t]
        b = traffic.head[t, v]
        if b == agent:
            traffic.head[t, v] = traffic.link[agent, t]
            continue
        while traffic.link[b, t] != agent:
            b = traffic.link[b, t]
        traffic.link[b, t] = traffic.link[agent, t]
    traffic.arrival[agent] = -1
    traffic.rest[goal] = NEVER


@inner
def met(traffic, u, v, t):
    """Conflicts of the move from u to v in step t -> t + 1 with the agents in the table."""
    met_now = 0
    if t + 1 < traffic.head.shape[0]:
        b = traffic.head[t + 1, v]
        while b >= 0:
            met_now += 1
            b = traffic.link[b, t + 1]
        if u != v:
            b = traffic.head[t, v]
            while b >= 0:
                if t < traffic.arrival[b] and traffic.at[b, t + 1] == u:
                    met_now += 1
                b = traffic.link[b, t]
    if traffic.rest[v] <= t + 1:
        met_now += 1
    return met_now


@inner
def add_rule(search, kind, v, u, t):
    """One more rule for the agent of the search that is being set up."""
    if kind == LATER:
        search.ints[EARLIEST] = max(search.ints[EARLIEST], t + 1)
        search.ints[STATIC] = max(search.ints[STATIC], t + 1)
        return
    k = search.ints[RULES]
    search.rule_node[k] = v
    search.rule_kind[k] = kind
    search.rule_from[k] = u
    search.rule_step[k] = t
    search.rule_next[k] = search.first[v]
    search.first[v] = k
    search.ints[RULES] = k + 1
    search.ints[STATIC] = max(search.ints[STATIC], t + 1)
    if v == search.ints[GOAL] and kind == AT:
        search.ints[EARLIEST] = max(search.ints[EARLIEST], t + 1)


@inner
def open_search(ground, search, agent):
    """Forget the last search, and name the agent of the next; rules are added after this and before `start_search`."""
    for k in range(search.ints[RULES]):
        search.first[search.rule_node[k]] = -1
    search.ints[RULES] = 0
    search.ints[AGENT] = agent
    search.ints[GOAL] = ground.goals[agent]
    search.ints[STATIC] = 0
    search.ints[EARLIEST] = 0


@inner
def start_search(ground, traffic, search, factor, slack, known):
    """Put the start into the queues.

    Args:
        factor, slack: the path may cost factor * f + slack, where f is the least that any path could.
        known: a lower bound on f proved before.
    """
    count = search.ints
    agent = count[AGENT]
    goal = count[GOAL]
    steps = traffic.head.shape[0]
    latest = 0
    for b in range(traffic.arrival.size):
        latest = max(latest, traffic.arrival[b])
    count[STATIC] = max(count[STATIC], latest + 1)
    # agents that cross the goal in a step or later
    crossing = 0
    search.later[latest + 1] = 0
    for t in range(min(latest, steps - 1), -1, -1):
        b = traffic.head[t, goal]
        while b >= 0:
            crossing += 1
            b = traffic.link[b, t]
        search.later[t] = crossing
    count[MADE] = 0
    count[OPEN_SIZE] = 0
    count[FOCAL_SIZE] = 0
    count[WAIT_SIZE] = 0
    count[EPOCH] += 1
    count[RESULT] = -1
    search.reals[FACTOR] = factor
    search.reals[SLACK] = slack
    search.reals[FMIN] = known
    start = ground.starts[agent]
    ahead = ground.tables[agent, start]
    if ahead == np.inf:
        return
    _offer(search, ground.indptr.size - 1, start, 0, -1, 0, 0.0, ahead, -1.0)
    if start == goal and count[EARLIEST] == 0:
        _offer(search, ground.indptr.size - 1, ground.indptr.size - 1, 0, -1, search.later[min(1, latest + 1)], 0.0, 0.0, -1.0)


@inner
def _offer(search, nodes, v, t, parent, conflicts, cost, ahead, limit):
    """Enter a state, unless one that is at least as good is known for its node and step."""
    count = search.ints
    rest = count[EARLIEST] - t
    if v < nodes and rest > 0:
        ahead = max(ahead, rest * search.reals[MIN_STEP])
    key = np.int64(min(t, count[STATIC])) * (nodes + 1) + np.int64(v)
    mask = search.slot.size - 1
    place = home(key, mask)
    epoch = count[EPOCH]
    while search.slot_epoch[place] == epoch:
        s = search.slot[place]
        if search.node[s] == v and min(np.int64(search.step[s]), count[STATIC]) == min(t, count[STATIC]):
            if search.cost[s] < cost or (search.cost[s] == cost and search.conflicts[s] <= conflicts):
                return
            if search.mark[s] == IN_OPEN:
                search.mark[s] = STALE
            break
        place = (place + 1) & mask
    s = count[MADE]
    count[MADE] = s + 1
    search.slot_epoch[place] = epoch
    search.slot[place] = s
    f = cost + ahead
    search.node[s] = v
    search.step[s] = t
    search.parent[s] = parent
    search.conflicts[s] = conflicts
    search.cost[s] = cost
    search.key[s] = f
    search.mark[s] = IN_OPEN
    count[OPEN_SIZE] = push_key(search.open_keys, search.open_items, count[OPEN_SIZE], f, s)
    if f <= limit:
        size = count[FOCAL_SIZE]
        tie = f + search.reals[GREED] * ahead
        count[FOCAL_SIZE] = push(search.focal_keys, search.focal_ties, search.focal_items, size, conflicts, tie, s)
    else:
        count[WAIT_SIZE] = push_key(search.wait_keys, search.wait_items, count[WAIT_SIZE], f, s)


@inner
def run_search(ground, traffic, search, budget):
    """Go on with a search: FOUND, EXHAUSTED, BUDGET or FULL.

    Args:
        budget: expansions.
    """
    count = search.ints
    nodes = ground.indptr.size - 1
    table = ground.tables[count[AGENT]]
    goal = count[GOAL]
    room = search.node.size
    horizon = 0
    for b in range(traffic.arrival.size):
        horizon = max(horizon, traffic.arrival[b])
    expanded = 0
    while True:
        size = count[OPEN_SIZE]
        while size > 0 and search.mark[search.open_items[0]] != IN_OPEN:
            size = pop_key(search.open_keys, search.open_items, size)
        count[OPEN_SIZE] = size
        if size == 0:
            return EXHAUSTED
        search.reals[FMIN] = max(search.reals[FMIN], search.open_keys[0])
        limit = search.reals[FACTOR] * search.reals[FMIN] + search.reals[SLACK]
        limit = max(limit, search.reals[FMIN]) * (1.0 + 1e-11)
        while count[WAIT_SIZE] > 0 and search.wait_keys[0] <= limit:
            s = search.wait_items[0]
            f = search.wait_keys[0]
            count[WAIT_SIZE] = pop_key(search.wait_keys, search.wait_items, count[WAIT_SIZE])
            if search.mark[s] == IN_OPEN:
                size = count[FOCAL_SIZE]
                tie = f + search.reals[GREED] * (f - search.cost[s])
                count[FOCAL_SIZE] = push(
                    search.focal_keys, search.focal_ties, search.focal_items, size, search.conflicts[s], tie, s
                )
        s = search.focal_items[0]
        if search.mark[s] != IN_OPEN:
            count[FOCAL_SIZE] = pop(search.focal_keys, search.focal_ties, search.focal_items, count[FOCAL_SIZE])
            continue
        u = search.node[s]
        if u == nodes:
            count[RESULT] = s
            return FOUND
        if expanded >= budget:
            return BUDGET
        if count[MADE] + 2 * (ground.indptr[u + 1] - ground.indptr[u] + 1) > room:
            return FULL
        expanded += 1
        count[EXPANDED] += 1
        count[FOCAL_SIZE] = pop(search.focal_keys, search.focal_ties, search.focal_items, count[FOCAL_SIZE])
        search.mark[s] = CLOSED
        t = np.int64(search.step[s])
        for edge in range(ground.indptr[u], ground.indptr[u + 1] + 1):
            if edge < ground.indptr[u + 1]:
                v = ground.indices[edge]
                cost = search.cost[s] + ground.weights[edge]
            else:
                v = u
                cost = search.cost[s] + ground.waits[u]
            if table[v] == np.inf:
                continue
            k = search.first[v]
            while k >= 0:
                kind = search.rule_kind[k]
                at = search.rule_step[k]
                if (
                    (kind == AT and at == t + 1)
                    or (kind == MOVE and at == t + 1 and search.rule_from[k] == u)
                    or (kind == KEEP_OUT and at <= t + 1)
                ):
                    break
                k = search.rule_next[k]
            if k >= 0:
                continue
            total = search.conflicts[s] + met(traffic, u, v, t)
            _offer(search, nodes, v, t + 1, s, total, cost, table[v], limit)
            if v == goal and t + 1 >= count[EARLIEST]:
                over = search.later[t + 2] if t + 2 <= horizon else 0
                # the state that stays: its parent is the one before the arrival
                _offer(search, nodes, nodes, t + 1, s, total + over, cost, 0.0, limit)
