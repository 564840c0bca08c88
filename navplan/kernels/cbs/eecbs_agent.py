"""One agent's search for EECBS: the cheapest path its rules allow, then, within the factor of that, the one that meets fewest.

A label is a node and an interval of time in which nothing changes there (SIPP, Phillips and Likhachev 2011); the others' paths
are soft obstacles, whose times may be entered at the price of a conflict (SIPPS, Li et al. 2022). Where moves and waits cost 1
each, cost is time, and the earliest arrival in an interval is all that counts. Elsewhere an interval is one time step, up to a
horizon after which nothing changes. Rules hang on lists per node. Labels live in pools that Python doubles when a search comes
back FULL; it then goes on where it was.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.heap import pop, push
from navplan.kernels.common.jit import inner
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.search.reservation import NEVER, next_taken

FOREVER = NEVER - 1
# Kinds of rule: not at v at t; not from u to v, arriving at t; not at v from t on; last arrival after t.
AT, MOVE, KEEP_OUT, LATER = 0, 1, 2, 3
# Columns of `Search.labels` and of `Search.rules`.
SPOT, TIME, END, SOFT, BEFORE, SIBLING, DEAD = range(7)
RULE_NODE, RULE_KIND, RULE_FROM, RULE_STEP, RULE_NEXT = range(5)
# Rows of `Search.nodes`: newest label of a node, the search it belongs to, newest rule of a node.
NEWEST, BELONGS, RULED = range(3)
# What `Search.ints` holds; STATIC: no rule speaks of this time or a later one; EARLIEST: no arrival for good before.
MADE, SIZE, SEARCHES, AGENT, RULES, STATIC, EARLIEST, MODE, RESULT, EXPANDED, UNTIL = range(11)
# What `Search.reals` holds; LIMIT: costlier paths are not wanted; WORTH: where even the cheapest path costs more, it will do.
FMIN, FACTOR, SLACK, MIN_STEP, GREED, LIMIT, WORTH = range(7)
# Modes: others are not seen and the least cost is wanted, or the fewest conflicts.
CHEAPEST, FEWEST = 0, 1
# Costs that differ by less, relatively, are one cost summed in two orders.
SAME = 1e-11


class Search(NamedTuple):
    """Memory of one search for L labels; columns and places are named by the constants of this module.

    Attributes:
        keys, ties, items: the heap, L + 1 entries.
        labels: (L, 7) int32; END is the interval's last time, -1 for a finished path.
        costs: (L,) float64.
        nodes: (3, N) int32 heads of lists.
        rules: (R, 5) int32.
        ints, reals: int64 and float64.
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


@inner
def open_search(search, agent):
    """Forget the last search, and name the agent of the next; rules are added after this and before `start_search`."""
    count = search.ints
    for k in range(count[RULES]):
        search.nodes[RULED, search.rules[k, RULE_NODE]] = -1
    count[RULES] = 0
    count[AGENT] = agent
    count[STATIC] = 0
    count[EARLIEST] = 0


@inner
def add_rule(search, goal, kind, v, u, t):
    """One more rule for the agent of the search that is being set up; `goal` is its goal."""
    count = search.ints
    count[STATIC] = max(count[STATIC], t + 1)
    if kind == LATER or (kind == AT and v == goal):
        count[EARLIEST] = max(count[EARLIEST], t + 1)
    if kind == LATER:
        return
    k = count[RULES]
    row = search.rules[k]
    row[RULE_NODE] = v
    row[RULE_KIND] = kind
    row[RULE_FROM] = u
    row[RULE_STEP] = t
    row[RULE_NEXT] = search.nodes[RULED, v]
    search.nodes[RULED, v] = k
    count[RULES] = k + 1


@inner
def start_search(ground, table, search, slack):
    """Begin; the path may cost FACTOR * f + slack, where f is the least that the rules allow."""
    search.reals[SLACK] = slack
    search.ints[RESULT] = -1
    if ground.timed[0] == 0 and search.ints[STATIC] == 0:
        search.reals[FMIN] = ground.tables[search.ints[AGENT], ground.starts[search.ints[AGENT]]]
        enter(ground, table, search, FEWEST)
    else:
        enter(ground, table, search, CHEAPEST)


@inner
def enter(ground, table, search, mode):
    """Put the start into the heap for a search in `mode`."""
    count = search.ints
    reals = search.reals
    count[MODE] = mode
    count[MADE] = 0
    count[SIZE] = 0
    count[SEARCHES] += 1
    count[UNTIL] = 0
    if ground.timed[0] != 0:
        count[UNTIL] = count[STATIC]
        if mode == FEWEST:
            count[UNTIL] = max(count[UNTIL], table.horizon[0])
    reals[LIMIT] = np.inf
    if mode == FEWEST:
        reals[LIMIT] = max(reals[FACTOR] * reals[FMIN] + reals[SLACK], reals[FMIN]) * (1.0 + SAME)
    start = ground.starts[count[AGENT]]
    h = float(ground.tables[count[AGENT], start])
    when, end, soft = interval(table, search, start, 0, 0)
    if when == 0 and h < np.inf:
        add_label(search, start, 0, end, soft, 0.0, -1, max(h, float(count[EARLIEST]) * reals[MIN_STEP]), h)


@inner
def interval(table, search, node, time, limit):
    """The first interval at `node` that can be entered from `time` to `limit`.

    Returns:
        First time from `time` on in it, or NEVER; its last time; agents met on entering.
    """
    while time <= limit:
        end = FOREVER
        k = search.nodes[RULED, node]
        while k >= 0:
            at = search.rules[k, RULE_STEP]
            kind = search.rules[k, RULE_KIND]
            if kind == KEEP_OUT and at <= time:
                return NEVER, 0, 0
            if kind == AT and at == time:
                end = -1
                break
            if kind != MOVE and at > time:
                end = min(end, at - 1)
            k = search.rules[k, RULE_NEXT]
        if end < 0:
            time += 1
            continue
        soft = 0
        if search.ints[MODE] == FEWEST:
            taken = next_taken(table.bits, node, time)
            if taken == time:
                end = time
                other = table.head[node, time]
                while other >= 0:
                    soft += 1
                    other = table.link[other, time]
            else:
                end = min(end, taken - 1)
            if table.rests[node] <= time:
                soft += 1
            else:
                end = min(end, table.rests[node] - 1)
        if time < search.ints[UNTIL]:
            end = time
        return time, end, soft
    return NEVER, 0, 0


@inner
def add_label(search, node, time, end, soft, cost, parent, f, h):
    """Enter a label unless another of its interval is no worse; False when there is no room."""
    count = search.ints
    labels = search.labels
    label = count[MADE]
    sibling = -1
    if end >= 0:
        if search.nodes[BELONGS, node] != count[SEARCHES]:
            search.nodes[BELONGS, node] = count[SEARCHES]
            search.nodes[NEWEST, node] = -1
        sibling = search.nodes[NEWEST, node]
        other = sibling
        while other >= 0:
            row = labels[other]
            if row[END] == end and row[DEAD] == 0:
                if row[SOFT] <= soft and search.costs[other] <= cost:
                    return True
                if row[SOFT] >= soft and search.costs[other] >= cost:
                    row[DEAD] = 1
            other = row[SIBLING]
    if label == search.costs.size:
        return False
    if end >= 0:
        search.nodes[NEWEST, node] = label
    row = labels[label]
    row[SPOT] = node
    row[TIME] = time
    row[END] = end
    row[SOFT] = soft
    row[BEFORE] = parent
    row[SIBLING] = sibling
    row[DEAD] = 0
    search.costs[label] = cost
    count[MADE] = label + 1
    if count[MODE] == FEWEST:
        key, tie = float(soft), f + search.reals[GREED] * h
    else:
        key, tie = f, h
    count[SIZE] = push(search.keys, search.ties, search.items, count[SIZE], key, tie, np.int32(label))
    return True


@inner
def run_search(ground, table, search, budget):
    """Go on: FOUND (label RESULT, bound FMIN), EXHAUSTED, BUDGET after as many expansions, or FULL: no room for labels."""
    count = search.ints
    if count[RESULT] >= 0:
        return FOUND
    last = count[EXPANDED] + budget
    while count[SIZE] > 0:
        if count[EXPANDED] >= last:
            return BUDGET
        label = np.int64(search.items[0])
        key, tie = search.keys[0], search.ties[0]
        count[SIZE] = pop(search.keys, search.ties, search.items, count[SIZE])
        row = search.labels[label]
        if row[DEAD] != 0:
            continue
        if row[END] < 0:
            if count[MODE] == CHEAPEST:
                search.reals[FMIN] = search.costs[label]
            if count[MODE] == FEWEST or search.reals[FMIN] > search.reals[WORTH]:
                count[RESULT] = label
                return FOUND
            enter(ground, table, search, FEWEST)
            continue
        count[EXPANDED] += 1
        if not expand(ground, table, search, label):
            count[SIZE] = push(search.keys, search.ties, search.items, count[SIZE], key, tie, np.int32(label))
            return FULL
    return EXHAUSTED


@inner
def expand(ground, table, search, label):
    """Enter the labels that follow from `label`; False when there is no room for one."""
    timed = ground.timed[0] != 0
    agent = search.ints[AGENT]
    bound = search.reals[LIMIT]
    row = search.labels[label]
    node = row[SPOT]
    time = np.int64(row[TIME])
    end = np.int64(row[END])
    cost = search.costs[label]
    if node == ground.goals[agent] and not finish(table, search, label, timed):
        return False
    low, high = ground.indptr[node], ground.indptr[node + 1]
    for edge in range(low, high + 1 if end < FOREVER else high):
        if edge == high:
            target, step, when, limit = node, ground.waits[node], end + 1, end + 1
        else:
            target, step, when, limit = ground.indices[edge], ground.weights[edge], time + 1, min(end + 1, FOREVER)
        h = float(ground.tables[agent, target])
        if h == np.inf or cost + (step if timed else 1.0) + h > bound:
            continue
        if not timed and limit + h > bound:
            limit = np.int64(bound - h)
        while when <= limit:
            when, until, met = interval(table, search, target, when, limit)
            if when == NEVER:
                break
            if barred(search, node, target, when):
                when += 1
                continue
            if when == end + 1 and target != node and search.ints[MODE] == FEWEST:
                met += swappers(table, target, node, when)
            then = cost + step if timed else float(when)
            f = max(then + h, then + (search.ints[EARLIEST] - when) * search.reals[MIN_STEP])
            if f <= bound and not add_label(search, target, when, until, row[SOFT] + met, then, label, f, h):
                return False
            when = until + 1
    return True


@inner
def finish(table, search, label, timed):
    """From a label at the goal, enter one that stays for good, if it may; False when there is no room."""
    row = search.labels[label]
    time = max(np.int64(row[TIME]), search.ints[EARLIEST])
    if time > row[END]:
        return True
    met = 0
    if search.ints[MODE] == FEWEST:
        at = next_taken(table.bits, row[SPOT], time + 1)
        while at < NEVER:
            other = table.head[row[SPOT], at]
            while other >= 0:
                met += 1
                other = table.link[other, at]
            at = next_taken(table.bits, row[SPOT], at + 1)
    cost = search.costs[label] if timed else float(time)
    if cost > search.reals[LIMIT]:
        return True
    return add_label(search, row[SPOT], time, -1, row[SOFT] + met, cost, label, cost, 0.0)


@inner
def barred(search, before, node, time):
    """Whether a rule forbids the move from `before` to `node` that arrives at `time`."""
    k = search.nodes[RULED, node]
    while k >= 0:
        row = search.rules[k]
        if row[RULE_KIND] == MOVE and row[RULE_STEP] == time and row[RULE_FROM] == before:
            return True
        k = row[RULE_NEXT]
    return False


@inner
def swappers(table, node, before, time):
    """Agents that go from `node` to `before` while ours goes the other way, arriving at `time`."""
    count = 0
    if time < table.head.shape[1]:
        other = table.head[before, time]
        while other >= 0:
            if table.paths[other, time - 1] == node:
                count += 1
            other = table.link[other, time]
    return count


@inner
def unwind(search, path, length):
    """Write the path found, of `length` entries, to the beginning of `path`."""
    label = search.ints[RESULT]
    time = length
    while label >= 0:
        row = search.labels[label]
        for at in range(row[TIME], time):
            path[at] = row[SPOT]
        time = row[TIME]
        label = row[BEFORE]
