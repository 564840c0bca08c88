"""Which agents to plan again together: the destroy heuristics of large-neighbourhood search, and its random numbers.

Tested through tests/planners/priority/test_lns.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.search.reservation import NEVER, next_taken, note

WALK = 0
PLACE = 1
RANDOM = 2
BLOCKERS = 3

_MASK = 0xFFFFFFFF
# Nodes that a search for agents around a place may visit.
_REACH = 4096
_WALKS = 10


class Pool(NamedTuple):
    """Memory of a large-neighbourhood search for groups of at most K agents.

    Attributes:
        costs: (A,) float64 cost of each agent's path.
        optima: (A,) float64 least cost of each agent's path, alone.
        clashes: (A,) int32 other agents that each agent's path conflicts with.
        weights: (4,) float64 what each kind of neighbourhood has been worth.
        random: (4,) int64 state of the generator, 32 bits each.
        group: (A + K,) int32 agents to plan again.
        tabu: (A,) uint8 delayed agents that have had their turn.
        marks, members: (A,) int64 and stamp: (1,) int64, for sets of agents.
        met: (A,) int32 agents met.
        changed: (A,) uint8 agents planned again since somebody last looked.
        queue: (N,) int32 and seen: (N,) int64, for sets of nodes.
        junctions: (J,) int32 nodes with more than two ways out.
        old_paths: (K, C) int32, old_lengths: (K,) int32, old_costs: (K,) float64, the group's before.
        tallies: (8,) int64: iterations, accepted, pairs in conflict, iterations without a better result.
    """

    costs: NDArray[np.float64]
    optima: NDArray[np.float64]
    clashes: NDArray[np.int32]
    weights: NDArray[np.float64]
    random: NDArray[np.int64]
    group: NDArray[np.int32]
    tabu: NDArray[np.uint8]
    marks: NDArray[np.int64]
    members: NDArray[np.int64]
    stamp: NDArray[np.int64]
    met: NDArray[np.int32]
    changed: NDArray[np.uint8]
    queue: NDArray[np.int32]
    seen: NDArray[np.int64]
    junctions: NDArray[np.int32]
    old_paths: NDArray[np.int32]
    old_lengths: NDArray[np.int32]
    old_costs: NDArray[np.float64]
    tallies: NDArray[np.int64]


ITERATIONS, ACCEPTED, PAIRS, IDLE = 0, 1, 2, 3


@kernel
def draw(state, bound):
    """A random integer in [0, bound), by a 128-bit xorshift generator (Marsaglia 2003) in words of 32 bits.

    Args:
        state: (4,) int64, not all zero.
    """
    t = state[3]
    s = state[0]
    state[3] = state[2]
    state[2] = state[1]
    state[1] = s
    t ^= (t << 11) & _MASK
    t ^= t >> 8
    state[0] = t ^ s ^ (s >> 19)
    return (state[0] * bound) >> 32


@inner
def shuffle(state, values, count):
    """Put the first `count` values in random order."""
    for i in range(count - 1, 0, -1):
        j = draw(state, i + 1)
        values[i], values[j] = values[j], values[i]


@kernel
def fresh(pool):
    """A stamp that no mark bears yet."""
    pool.stamp[0] += 1
    return pool.stamp[0]


@inner
def pick_kind(state, weights, kinds):
    """One of the first `kinds` with a chance in proportion to its weight, and a small one whatever its weight."""
    total = 0.0
    for kind in range(kinds):
        total += weights[kind]
    floor = 0.05 * total / kinds
    point = draw(state, 1 << 30) / (1 << 30) * (total + floor * kinds)
    for kind in range(kinds):
        point -= weights[kind] + floor
        if point < 0.0:
            return kind
    return kinds - 1


@inner
def most_delayed(pool):
    """The agent farthest above its optimum that has not had its turn; -1 when none is above."""
    for turn in range(2):
        best = -1
        most = 1e-9
        for agent in range(pool.costs.size):
            delay = pool.costs[agent] - pool.optima[agent]
            if delay > most and pool.tabu[agent] == 0:
                best = agent
                most = delay
        if best >= 0:
            pool.tabu[best] = 1
            return best
        for agent in range(pool.tabu.size):
            pool.tabu[agent] = 0
    return -1


@inner
def some_delayed(pool):
    """The more delayed of a few agents drawn at random; -1 when none of them is delayed."""
    best = -1
    most = 1e-9
    for turn in range(8):
        agent = draw(pool.random, pool.costs.size)
        delay = pool.costs[agent] - pool.optima[agent]
        if delay > most:
            best = agent
            most = delay
        if best >= 0 and turn >= 3:
            break
    return best


@inner
def walk_group(ground, table, pool, agent, count, size, stamp):
    """Add to the group those whom `agent` would meet on random walks off its path that may end sooner (Li et al. 2021).

    Args:
        count: agents in the group already, marked with `stamp`.

    Returns:
        The new count.
    """
    length = np.int64(table.lengths[agent])
    timed = ground.timed[0] != 0
    for turn in range(_WALKS):
        if count >= size or length < 2:
            break
        time = draw(pool.random, length - 1)
        node = table.paths[agent, time]
        while count < size and time < length - 1:
            low, high = ground.indptr[node], ground.indptr[node + 1]
            ways = np.int64(high - low) + 1
            first = draw(pool.random, ways)
            follow = -1
            for k in range(ways):
                edge = low + (first + k) % ways
                target = node if edge == high else ground.indices[edge]
                if timed or time + 1 + ground.tables[agent, target] < length - 1:
                    follow = target
                    break
            if follow < 0:
                break
            time += 1
            before = count
            count = note(table, follow, time, pool.marks, stamp, pool.group, count)
            if table.rests[follow] <= time and pool.marks[table.owner[follow]] != stamp:
                pool.marks[table.owner[follow]] = stamp
                pool.group[count] = table.owner[follow]
                count += 1
            if count == before and follow != node and time < table.head.shape[1]:
                other = table.head[node, time] - 1
                while other >= 0:
                    if table.paths[other, time - 1] == follow and pool.marks[other] != stamp:
                        pool.marks[other] = stamp
                        pool.group[count] = other
                        count += 1
                    other = table.link[other, time]
            node = follow
    return min(count, size)


@inner
def place_group(ground, table, pool, size, stamp):
    """Agents that pass a random junction and those around it, from a random time on; returns how many."""
    count = 0
    if pool.junctions.size == 0:
        return 0
    origin = pool.junctions[draw(pool.random, pool.junctions.size)]
    pool.queue[0] = origin
    pool.seen[origin] = stamp
    head = 0
    tail = 1
    horizon = max(1, table.horizon[0])
    while head < tail and head < _REACH and count < size:
        node = pool.queue[head]
        head += 1
        if ground.indptr[node + 1] - ground.indptr[node] > 2:
            start = draw(pool.random, horizon)
            time = next_taken(table.bits, node, start)
            while time < NEVER and count < size:
                count = note(table, node, time, pool.marks, stamp, pool.group, count)
                time = next_taken(table.bits, node, time + 1)
            time = next_taken(table.bits, node, 0)
            while time < start and count < size:
                count = note(table, node, time, pool.marks, stamp, pool.group, count)
                time = next_taken(table.bits, node, time + 1)
        for edge in range(ground.indptr[node], ground.indptr[node + 1]):
            target = ground.indices[edge]
            if pool.seen[target] != stamp:
                pool.seen[target] = stamp
                pool.queue[tail] = target
                tail += 1
    return min(count, size)


@inner
def random_group(pool, count, size, stamp):
    """Fill the group with agents drawn at random; returns the new count."""
    agents = pool.costs.size
    for turn in range(4 * size):
        if count >= size:
            break
        agent = draw(pool.random, agents)
        if pool.marks[agent] != stamp:
            pool.marks[agent] = stamp
            pool.group[count] = agent
            count += 1
    return count


@inner
def blockers_group(table, pool, path, length, stamp):
    """Add to the group of one agent, not in the table, those in the way of a path for it; returns how many there are then."""
    count = 1
    for time in range(length):
        node = path[time]
        count = note(table, node, time, pool.marks, stamp, pool.group, count)
        other = table.owner[node]
        if table.rests[node] <= time and pool.marks[other] != stamp:
            pool.marks[other] = stamp
            pool.group[count] = other
            count += 1
        if time > 0 and time < table.head.shape[1]:
            other = table.head[path[time - 1], time] - 1
            while other >= 0:
                if table.paths[other, time - 1] == node and pool.marks[other] != stamp:
                    pool.marks[other] = stamp
                    pool.group[count] = other
                    count += 1
                other = table.link[other, time]
    time = next_taken(table.bits, path[length - 1], length)
    while time < NEVER:
        count = note(table, path[length - 1], time, pool.marks, stamp, pool.group, count)
        time = next_taken(table.bits, path[length - 1], time + 1)
    return count
