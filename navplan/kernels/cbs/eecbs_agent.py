"""One agent's search for EECBS: the cheapest path its rules allow, then, within the factor of that, the one that meets fewest.

A label is a node and an interval of time in which nothing changes there (SIPP, Phillips and Likhachev 2011); the others' paths
are soft obstacles, whose times may be entered at the price of a conflict (SIPPS, Li et al. 2022). Where moves and waits cost 1
each, cost is time, and the earliest arrival in an interval is all that counts. Elsewhere an interval is one time step, up to a
horizon after which nothing changes. Rules hang on lists per node. Labels live in pools that Python doubles when a search comes
back FULL; it then goes on where it was.

Tested through tests/planners/cbs/test_eecbs.py.
"""

from __future__ import annotations

import numpy as np

from navplan.kernels.cbs.eecbs_memory import (
    BEFORE,
    BELONGS,
    DEAD,
    END,
    INT,
    NEWEST,
    REAL,
    RULE_FROM,
    RULE_KIND,
    RULE_NEXT,
    RULE_NODE,
    RULE_STEP,
    RULED,
    SIBLING,
    SOFT,
    SPOT,
    TIME,
)
from navplan.kernels.common.heap import pop, push
from navplan.kernels.common.jit import inner
from navplan.kernels.common.masks import closed_to
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.search.reservation import NEVER, next_taken

FOREVER = NEVER - 1
# Kinds of rule: not at v at t; not from u to v, arriving at t; not at v from t on; last arrival after t.
AT, MOVE, KEEP_OUT, LATER = 0, 1, 2, 3
# Modes: others are not seen and the least cost is wanted, or the fewest conflicts.
CHEAPEST, FEWEST = 0, 1
# Costs that differ by less, relatively, are one cost summed in two orders.
SAME = 1e-11


@inner
def open_search(work, agent):
    """Forget the last search, and name the agent of the next; rules are added after this and before `start_search`."""
    ints = work.ints
    for k in range(ints[INT.rules]):
        work.nodes[RULED, work.rules[k, RULE_NODE]] = -1
    ints[INT.rules] = 0
    ints[INT.agent] = agent
    ints[INT.static] = 0
    ints[INT.earliest] = 0


@inner
def add_rule(work, goal, kind, v, u, t):
    """One more rule for the agent of the search that is being set up; `goal` is its goal."""
    ints = work.ints
    ints[INT.static] = max(ints[INT.static], t + 1)
    if kind == LATER or (kind == AT and v == goal):
        ints[INT.earliest] = max(ints[INT.earliest], t + 1)
    if kind == LATER:
        return
    k = ints[INT.rules]
    row = work.rules[k]
    row[RULE_NODE] = v
    row[RULE_KIND] = kind
    row[RULE_FROM] = u
    row[RULE_STEP] = t
    row[RULE_NEXT] = work.nodes[RULED, v]
    work.nodes[RULED, v] = k
    ints[INT.rules] = k + 1


@inner
def start_search(ground, table, work, slack):
    """Begin; the path may cost FACTOR * f + slack, where f is the least that the rules allow."""
    work.reals[REAL.slack] = slack
    work.ints[INT.result] = -1
    if ground.timed[0] == 0 and work.ints[INT.static] == 0:
        work.reals[REAL.fmin] = ground.tables[work.ints[INT.agent], ground.starts[work.ints[INT.agent]]]
        enter(ground, table, work, FEWEST)
    else:
        enter(ground, table, work, CHEAPEST)


@inner
def enter(ground, table, work, mode):
    """Put the start into the heap for a search in `mode`."""
    ints = work.ints
    reals = work.reals
    ints[INT.mode] = mode
    ints[INT.made] = 0
    ints[INT.size] = 0
    ints[INT.searches] += 1
    ints[INT.until] = 0
    if ground.timed[0] != 0:
        ints[INT.until] = ints[INT.static]
        if mode == FEWEST:
            ints[INT.until] = max(ints[INT.until], table.horizon[0])
    reals[REAL.limit] = np.inf
    if mode == FEWEST:
        reals[REAL.limit] = max(reals[REAL.factor] * reals[REAL.fmin] + reals[REAL.slack], reals[REAL.fmin]) * (1.0 + SAME)
    start = ground.starts[ints[INT.agent]]
    h = float(ground.tables[ints[INT.agent], start])
    when, end, soft = interval(table, work, start, 0, 0)
    if when == 0 and h < np.inf:
        add_label(work, start, 0, end, soft, 0.0, -1, max(h, float(ints[INT.earliest]) * reals[REAL.min_step]), h)


@inner
def interval(table, work, node, time, limit):
    """The first interval at `node` that can be entered from `time` to `limit`.

    Returns:
        First time from `time` on in it, or NEVER; its last time; agents met on entering.
    """
    while time <= limit:
        end = FOREVER
        k = work.nodes[RULED, node]
        while k >= 0:
            at = work.rules[k, RULE_STEP]
            kind = work.rules[k, RULE_KIND]
            if kind == KEEP_OUT and at <= time:
                return NEVER, 0, 0
            if kind == AT and at == time:
                end = -1
                break
            if kind != MOVE and at > time:
                end = min(end, at - 1)
            k = work.rules[k, RULE_NEXT]
        if end < 0:
            time += 1
            continue
        soft = 0
        if work.ints[INT.mode] == FEWEST:
            taken = next_taken(table.bits, node, time)
            if taken == time:
                end = time
                other = table.head[node, time] - 1
                while other >= 0:
                    soft += 1
                    other = table.link[other, time]
            else:
                end = min(end, taken - 1)
            if table.rests[node] <= time:
                soft += 1
            else:
                end = min(end, table.rests[node] - 1)
        if time < work.ints[INT.until]:
            end = time
        return time, end, soft
    return NEVER, 0, 0


@inner
def add_label(work, node, time, end, soft, cost, parent, f, h):
    """Enter a label unless another of its interval is no worse; False when there is no room."""
    ints = work.ints
    labels = work.labels
    label = ints[INT.made]
    sibling = -1
    if end >= 0:
        if work.nodes[BELONGS, node] != ints[INT.searches]:
            work.nodes[BELONGS, node] = ints[INT.searches]
            work.nodes[NEWEST, node] = -1
        sibling = work.nodes[NEWEST, node]
        other = sibling
        while other >= 0:
            row = labels[other]
            if row[END] == end and row[DEAD] == 0:
                if row[SOFT] <= soft and work.costs[other] <= cost:
                    return True
                if row[SOFT] >= soft and work.costs[other] >= cost:
                    row[DEAD] = 1
            other = row[SIBLING]
    if label == work.costs.size:
        return False
    if end >= 0:
        work.nodes[NEWEST, node] = label
    row = labels[label]
    row[SPOT] = node
    row[TIME] = time
    row[END] = end
    row[SOFT] = soft
    row[BEFORE] = parent
    row[SIBLING] = sibling
    row[DEAD] = 0
    work.costs[label] = cost
    ints[INT.made] = label + 1
    if ints[INT.mode] == FEWEST:
        key, tie = float(soft), f + work.reals[REAL.greed] * h
    else:
        key, tie = f, h
    ints[INT.size] = push(work.keys, work.ties, work.items, ints[INT.size], key, tie, np.int32(label))
    return True


@inner
def run_search(ground, table, work, budget):
    """Go on: FOUND (label RESULT, bound FMIN), EXHAUSTED, BUDGET after as many expansions, or FULL: no room for labels."""
    ints = work.ints
    if ints[INT.result] >= 0:
        return FOUND
    last = ints[INT.expanded] + budget
    while ints[INT.size] > 0:
        if ints[INT.expanded] >= last:
            return BUDGET
        label = np.int64(work.items[0])
        key, tie = work.keys[0], work.ties[0]
        ints[INT.size] = pop(work.keys, work.ties, work.items, ints[INT.size])
        row = work.labels[label]
        if row[DEAD] != 0:
            continue
        if row[END] < 0:
            if ints[INT.mode] == CHEAPEST:
                work.reals[REAL.fmin] = work.costs[label]
            if ints[INT.mode] == FEWEST or work.reals[REAL.fmin] > work.reals[REAL.worth]:
                ints[INT.result] = label
                return FOUND
            enter(ground, table, work, FEWEST)
            continue
        ints[INT.expanded] += 1
        if not expand(ground, table, work, label):
            ints[INT.size] = push(work.keys, work.ties, work.items, ints[INT.size], key, tie, np.int32(label))
            return FULL
    return EXHAUSTED


@inner
def expand(ground, table, work, label):
    """Enter the labels that follow from `label`; False when there is no room for one."""
    timed = ground.timed[0] != 0
    agent = work.ints[INT.agent]
    bound = work.reals[REAL.limit]
    row = work.labels[label]
    node = row[SPOT]
    time = np.int64(row[TIME])
    end = np.int64(row[END])
    cost = work.costs[label]
    if node == ground.goals[agent] and not finish(table, work, label, timed):
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
        if edge < high and closed_to(ground.groups, ground.closed, agent, edge):
            continue
        if not timed and limit + h > bound:
            limit = np.int64(bound - h)
        while when <= limit:
            when, until, met = interval(table, work, target, when, limit)
            if when == NEVER:
                break
            if barred(work, node, target, when):
                when += 1
                continue
            if when == end + 1 and target != node and work.ints[INT.mode] == FEWEST:
                met += swappers(table, target, node, when)
            then = cost + step if timed else float(when)
            f = max(then + h, then + (work.ints[INT.earliest] - when) * work.reals[REAL.min_step])
            if f <= bound and not add_label(work, target, when, until, row[SOFT] + met, then, label, f, h):
                return False
            when = until + 1
    return True


@inner
def finish(table, work, label, timed):
    """From a label at the goal, enter one that stays for good, if it may; False when there is no room."""
    row = work.labels[label]
    time = max(np.int64(row[TIME]), work.ints[INT.earliest])
    if time > row[END]:
        return True
    met = 0
    if work.ints[INT.mode] == FEWEST:
        at = next_taken(table.bits, row[SPOT], time + 1)
        while at < NEVER:
            other = table.head[row[SPOT], at] - 1
            while other >= 0:
                met += 1
                other = table.link[other, at]
            at = next_taken(table.bits, row[SPOT], at + 1)
    cost = work.costs[label] if timed else float(time)
    if cost > work.reals[REAL.limit]:
        return True
    return add_label(work, row[SPOT], time, -1, row[SOFT] + met, cost, label, cost, 0.0)


@inner
def barred(work, before, node, time):
    """Whether a rule forbids the move from `before` to `node` that arrives at `time`."""
    k = work.nodes[RULED, node]
    while k >= 0:
        row = work.rules[k]
        if row[RULE_KIND] == MOVE and row[RULE_STEP] == time and row[RULE_FROM] == before:
            return True
        k = row[RULE_NEXT]
    return False


@inner
def swappers(table, node, before, time):
    """Agents that go from `node` to `before` while ours goes the other way, arriving at `time`."""
    count = 0
    if time < table.head.shape[1]:
        other = table.head[before, time] - 1
        while other >= 0:
            if table.paths[other, time - 1] == node:
                count += 1
            other = table.link[other, time]
    return count


@inner
def unwind(work, path, length):
    """Write the path found, of `length` entries, to the beginning of `path`."""
    label = work.ints[INT.result]
    time = length
    while label >= 0:
        row = work.labels[label]
        for at in range(row[TIME], time):
            path[at] = row[SPOT]
        time = row[TIME]
        label = row[BEFORE]
