"""Large-neighbourhood search over paths: take some agents out, plan them again one by one, keep what is no worse.

Improvement lowers the sum of costs of paths without conflicts (MAPF-LNS, Li et al. 2021); repair lowers the number of pairs of
agents in conflict (MAPF-LNS2, Li et al. 2022). `iterate` does both, many iterations a call, up to a number of search expansions,
so that the caller can look at the clock; an iteration that does not succeed leaves everything as it was. It is one kernel with
one call of the search, because a kernel is compiled again with each that calls it.

Tested through tests/planners/priority/test_lns.py.
"""

from __future__ import annotations

import numpy as np

from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.priority.neighbourhoods import (
    ACCEPTED,
    BLOCKERS,
    IDLE,
    ITERATIONS,
    PAIRS,
    PLACE,
    WALK,
    blockers_group,
    draw,
    fresh,
    most_delayed,
    pick_kind,
    place_group,
    random_group,
    shuffle,
    some_delayed,
    walk_group,
)
from navplan.kernels.search.reservation import insert, meetings, remove
from navplan.kernels.search.sipp import CHEAPEST, EXPANDED, FEWEST, HARD, LENGTH, search

# What `iterate` is to lower: the sum of costs, or the number of pairs in conflict.
IMPROVE = 0
REPAIR = 1

# How fast the worth of a kind of neighbourhood follows what it brings.
_REACTION = 0.01
# How many expansions the search for one path may take: so many per node of the graph, within limits.
_PATIENCE = 40
_LEAST = 8000
_MOST = 40000


@inner
def take_out(table, pool, task, count):
    """Remember the paths of the group and remove them; returns their sum of costs, or the pairs in conflict that vanish."""
    total = 0.0
    for k in range(count):
        agent = pool.group[k]
        length = table.lengths[agent]
        for time in range(length):
            pool.old_paths[k, time] = table.paths[agent, time]
        pool.old_lengths[k] = length
        pool.old_costs[k] = pool.costs[agent]
        if task == REPAIR:
            total += leave(table, pool, agent)
        else:
            total += pool.costs[agent]
            remove(table, agent)
    return total


@inner
def put_back(table, pool, task, count):
    """Undo `take_out` and whatever was planned since."""
    for k in range(count):
        if task == REPAIR and table.lengths[pool.group[k]] > 0:
            leave(table, pool, pool.group[k])
        else:
            remove(table, pool.group[k])
    for k in range(count):
        agent = pool.group[k]
        pool.costs[agent] = pool.old_costs[k]
        if task == REPAIR:
            join(table, pool, agent, pool.old_paths[k], pool.old_lengths[k])
        else:
            insert(table, agent, pool.old_paths[k], pool.old_lengths[k])


@inner
def choose(ground, table, pool, task, kind, size, stamp):
    """Write a group of the given kind to `pool.group`, those in it marked with `stamp`; returns how many agents it has."""
    if task == REPAIR:
        if kind == 0:
            return component_group(ground, table, pool, size, stamp)
        if kind == 1:
            return target_group(ground, table, pool, size, stamp)
        return clashing_group(pool, size, stamp)
    if kind == PLACE:
        return place_group(ground, table, pool, size, stamp)
    if kind == WALK or kind == BLOCKERS:
        agent = most_delayed(pool) if kind == WALK else some_delayed(pool)
        if agent < 0:
            return 0
        pool.marks[agent] = stamp
        pool.group[0] = agent
        if kind == BLOCKERS:
            return 1
        return walk_group(ground, table, pool, agent, 1, size, stamp)
    return random_group(pool, 0, size, stamp)


@inner
def replan(ground, table, work, pool, task, kind, count, size, stamp, patience):
    """Plan the group again in random order; keep the result if it is no worse.

    For the kind BLOCKERS the group is one agent, to which those in the way of its cheapest path are added first.

    Returns:
        FOUND, or why there is no result; what was gained.
    """
    before = 0.0
    after = 0.0
    rest = 0.0
    k = -1 if task == IMPROVE and kind == BLOCKERS else 0
    while k < count:
        if k < 0:
            agent, mode, bound = pool.group[0], CHEAPEST, pool.optima[pool.group[0]] * (1.0 + 1e-9)
            kept = np.int64(table.lengths[agent])
            remove(table, agent)
        else:
            if k == 0:
                shuffle(pool.random, pool.group, count)
                before = take_out(table, pool, task, count)
                for i in range(count):
                    rest += pool.optima[pool.group[i]]
            agent, mode, bound = pool.group[k], FEWEST, np.inf
            rest -= pool.optima[agent]
            if task == IMPROVE:
                mode, bound = HARD, (before - after - rest) * (1.0 + 1e-12)
        status = search(ground, table, work, agent, mode, bound, patience, 0)
        if k < 0:
            if status == FOUND:
                count = min(size, blockers_group(table, pool, work.path, work.counts[LENGTH], stamp))
            insert(table, agent, table.paths[agent], kept)
            if status != FOUND:
                return status, 0.0
        elif status != FOUND:
            put_back(table, pool, task, count)
            return status, 0.0
        else:
            pool.costs[agent] = work.price[0]
            if task == REPAIR:
                after += join(table, pool, agent, work.path, work.counts[LENGTH])
            else:
                after += work.price[0]
                insert(table, agent, work.path, work.counts[LENGTH])
            if after > before:
                put_back(table, pool, task, count)
                return EXHAUSTED, 0.0
        k += 1
    for k in range(count):
        pool.changed[pool.group[k]] = 1
    return FOUND, before - after


@kernel
def iterate(ground, table, work, pool, task, size, max_iterations, max_expansions):
    """Iterations of improvement or repair.

    Args:
        ground, table, work, pool: see the classes; every agent has a path in the table.
        task: IMPROVE, when no paths conflict, or REPAIR, after `count_clashes`.
        size: agents of a group, at most K.
        max_iterations, max_expansions: in this call, about.

    Returns:
        FOUND when no paths conflict any more, BUDGET, or FULL: memory must grow, and the last iteration has been undone.
    """
    limit = work.counts[EXPANDED] + max_expansions
    patience = max(_LEAST, min(_MOST, _PATIENCE * table.head.shape[0]))
    for turn in range(max_iterations):
        began = work.counts[EXPANDED]
        if began >= limit or (task == REPAIR and pool.tallies[PAIRS] == 0):
            break
        pool.tallies[ITERATIONS] += 1
        pool.tallies[IDLE] += 1
        kind = pick_kind(pool.random, pool.weights, 4 if task == IMPROVE else 3)
        stamp = fresh(pool)
        count = choose(ground, table, pool, task, kind, size, stamp)
        if count == 0:
            pool.weights[kind] *= 1.0 - _REACTION
            continue
        status, gain = replan(ground, table, work, pool, task, kind, count, size, stamp, patience)
        if status == FULL:
            return FULL
        if status == FOUND:
            pool.tallies[ACCEPTED] += 1
            if gain > 1e-9:
                pool.tallies[IDLE] = 0
            if task == REPAIR:
                pool.tallies[PAIRS] -= np.int64(gain)
        worth = max(0.0, gain) / (1.0 + work.counts[EXPANDED] - began)
        pool.weights[kind] += _REACTION * (worth - pool.weights[kind])
    return FOUND if task == REPAIR and pool.tallies[PAIRS] == 0 else BUDGET


@kernel
def count_clashes(table, pool):
    """Set the number of conflicting agents of every agent, and that of pairs."""
    total = 0
    for agent in range(table.lengths.size):
        pool.clashes[agent] = meetings(table, agent, pool.marks, fresh(pool), pool.met)
        total += pool.clashes[agent]
    pool.tallies[PAIRS] = total // 2


@inner
def leave(table, pool, agent):
    """Remove the path of `agent` and its conflicts; returns how many pairs that were."""
    count = meetings(table, agent, pool.marks, fresh(pool), pool.met)
    for k in range(count):
        pool.clashes[pool.met[k]] -= 1
    pool.clashes[agent] = 0
    remove(table, agent)
    return count


@inner
def join(table, pool, agent, path, length):
    """Enter a path and count its conflicts; returns how many pairs there are."""
    insert(table, agent, path, length)
    count = meetings(table, agent, pool.marks, fresh(pool), pool.met)
    for k in range(count):
        pool.clashes[pool.met[k]] += 1
    pool.clashes[agent] = count
    return count


@kernel
def thin_out(table, pool, out):
    """Remove agents, those with most conflicts first, until no paths conflict, after `count_clashes`.

    Args:
        out: (A,) int32, written: the agents removed, in this order.

    Returns:
        How many.
    """
    count = 0
    while pool.tallies[PAIRS] > 0:
        worst = 0
        for agent in range(pool.clashes.size):
            if pool.clashes[agent] > pool.clashes[worst]:
                worst = agent
        pool.tallies[PAIRS] -= leave(table, pool, worst)
        out[count] = worst
        count += 1
    return count


@inner
def clashing_agent(pool):
    """A random agent that is in conflict; there is one."""
    agents = pool.clashes.size
    agent = draw(pool.random, agents)
    while pool.clashes[agent] == 0:
        agent = agent + 1 if agent + 1 < agents else 0
    return agent


@inner
def component_group(ground, table, pool, size, stamp):
    """Agents linked by conflicts to a random one in conflict, then those met on random walks off their paths."""
    pool.group[0] = clashing_agent(pool)
    members = fresh(pool)
    pool.members[pool.group[0]] = members
    count = 1
    head = 0
    while head < count and count < size:
        met = meetings(table, pool.group[head], pool.marks, fresh(pool), pool.met)
        shuffle(pool.random, pool.met, met)
        for k in range(met):
            other = pool.met[k]
            if count < size and pool.members[other] != members:
                pool.members[other] = members
                pool.group[count] = other
                count += 1
        head += 1
    for k in range(count):
        pool.marks[pool.group[k]] = stamp
    if count < size:
        count = walk_group(ground, table, pool, pool.group[draw(pool.random, count)], count, size, stamp)
    return count


@inner
def target_group(ground, table, pool, size, stamp):
    """A random agent in conflict, agents that pass its goal, and agents whose goals it passes."""
    agent = clashing_agent(pool)
    pool.group[0] = agent
    pool.marks[agent] = stamp
    count = 1
    goal = ground.goals[agent]
    for time in range(table.horizon[0]):
        if count >= size // 2:
            break
        other = table.head[goal, time] - 1
        while other >= 0:
            if pool.marks[other] != stamp:
                pool.marks[other] = stamp
                pool.group[count] = other
                count += 1
            other = table.link[other, time]
    length = np.int64(table.lengths[agent])
    first = draw(pool.random, length)
    for k in range(length):
        if count >= size:
            break
        other = table.owner[table.paths[agent, (first + k) % length]]
        if other >= 0 and pool.marks[other] != stamp:
            pool.marks[other] = stamp
            pool.group[count] = other
            count += 1
    return random_group(pool, min(count, size), size, stamp)


@inner
def clashing_group(pool, size, stamp):
    """Agents drawn at random, those in conflict before others."""
    count = 0
    for turn in range(size):
        agent = clashing_agent(pool)
        if pool.marks[agent] != stamp:
            pool.marks[agent] = stamp
            pool.group[count] = agent
            count += 1
    return random_group(pool, count, size, stamp)


@kernel
def merge(table, pool, other, theirs, old_paths, old_lengths, taken):
    """Take over what another search of the same start has changed since, as far as that fits to what this one has changed.

    Changes are given up one by one until what is left conflicts with nothing, and altogether when it then is no gain.

    Args:
        table, pool: this search, solved; `pool.changed` are the agents that it has planned again.
        other, theirs: the other search.
        old_paths: (A, C) int32 and old_lengths: (A,) int32, scratch.
        taken: (A,) uint8, written: whose paths were taken over.

    Returns:
        By how much the sum of costs has fallen.
    """
    gain = 0.0
    for agent in range(taken.size):
        taken[agent] = 0
        if theirs.changed[agent] == 0 or pool.changed[agent] != 0:
            continue
        taken[agent] = 1
        gain += pool.costs[agent] - theirs.costs[agent]
        old_lengths[agent] = table.lengths[agent]
        for time in range(table.lengths[agent]):
            old_paths[agent, time] = table.paths[agent, time]
        remove(table, agent)
        insert(table, agent, other.paths[agent], other.lengths[agent])
    again = True
    while again:
        again = False
        for agent in range(taken.size):
            if taken[agent] != 0 and meetings(table, agent, pool.marks, fresh(pool), pool.met) > 0:
                taken[agent] = 0
                gain -= pool.costs[agent] - theirs.costs[agent]
                remove(table, agent)
                insert(table, agent, old_paths[agent], old_lengths[agent])
                again = True
    for agent in range(taken.size):
        if taken[agent] != 0:
            if gain < 0.0:
                taken[agent] = 0
                remove(table, agent)
                insert(table, agent, old_paths[agent], old_lengths[agent])
            else:
                pool.costs[agent] = theirs.costs[agent]
                pool.changed[agent] = 1
    return max(0.0, gain)


@kernel
def follow(table, pool, other, theirs):
    """Make this search's paths those of the other, where either has changed any, and mark nothing as changed in either."""
    for agent in range(pool.changed.size):
        if pool.changed[agent] != 0 or theirs.changed[agent] != 0:
            remove(table, agent)
    for agent in range(pool.changed.size):
        if pool.changed[agent] != 0 or theirs.changed[agent] != 0:
            insert(table, agent, other.paths[agent], other.lengths[agent])
            pool.costs[agent] = theirs.costs[agent]
            pool.changed[agent] = 0
            theirs.changed[agent] = 0
