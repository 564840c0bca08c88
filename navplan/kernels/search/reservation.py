"""Who is where and when: timed paths of many agents in dense tables, changed in time proportional to a path.

Several agents may share a node and a time: the agents there form a list, linked through a table by agent and time, since an agent
is at one node at a time. After its last entry an agent rests at its goal for good; goals are distinct, so one time per node says
it. Occupied times are also bits, 32 to a word, in which free intervals are found quickly.

Tested through tests/planners/priority/test_prioritized.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.jit import inner, kernel

NEVER = 1 << 30

_MASK = 0xFFFFFFFF
# Position of the lowest set bit by multiplication with a de Bruijn sequence of 32 bits.
_SEQUENCE = 0x077CB531
_PLACE = np.zeros(32, np.int64)
for _shift in range(32):
    _PLACE[((_SEQUENCE << _shift) & _MASK) >> 27] = _shift


class Reservations(NamedTuple):
    """The table. A agents, N nodes, C time steps, C a multiple of 32.

    Attributes:
        bits: (N, C / 32) uint32, bit t % 32 of word t // 32: some agent's path holds the node at t.
        head: (N, C) int32 one more than the first agent there, 0 for none: what is 0 takes no memory until it is written.
        link: (A, C) int32 next agent at the node that this agent is at, -1 for none.
        paths: (A, C) int32 nodes.
        lengths: (A,) int32 entries of a path; 0 for an agent that is not in the table.
        rests: (N,) int32 time from which the agent whose goal this is rests here beyond its path, NEVER without one.
        owner: (N,) int32 agent whose goal this is, -1 for none.
        horizon: (1,) int64 no path in the table has been longer.
    """

    bits: NDArray[np.uint32]
    head: NDArray[np.int32]
    link: NDArray[np.int32]
    paths: NDArray[np.int32]
    lengths: NDArray[np.int32]
    rests: NDArray[np.int32]
    owner: NDArray[np.int32]
    horizon: NDArray[np.int64]


@kernel
def next_taken(bits, node, time):
    """First time from `time` on at which some path holds `node`, NEVER if none."""
    word = time >> 5
    words = bits.shape[1]
    if word >= words:
        return NEVER
    found = np.int64(bits[node, word]) >> (time & 31)
    if found != 0:
        return time + _PLACE[(((found & -found) * _SEQUENCE) & _MASK) >> 27]
    for at in range(word + 1, words):
        found = np.int64(bits[node, at])
        if found != 0:
            return (at << 5) + _PLACE[(((found & -found) * _SEQUENCE) & _MASK) >> 27]
    return NEVER


@kernel
def next_free(bits, node, time):
    """First time from `time` on at which no path holds `node`."""
    word = time >> 5
    words = bits.shape[1]
    if word >= words:
        return time
    found = ((np.int64(bits[node, word]) ^ _MASK) & _MASK) >> (time & 31)
    if found != 0:
        return time + _PLACE[(((found & -found) * _SEQUENCE) & _MASK) >> 27]
    for at in range(word + 1, words):
        found = (np.int64(bits[node, at]) ^ _MASK) & _MASK
        if found != 0:
            return (at << 5) + _PLACE[(((found & -found) * _SEQUENCE) & _MASK) >> 27]
    return words << 5


@inner
def free_for_good(bits, node):
    """First time from which on no path holds `node`; agents resting there apart."""
    for word in range(bits.shape[1] - 1, -1, -1):
        found = np.int64(bits[node, word])
        if found != 0:
            time = word << 5
            while found != 0:
                found >>= 1
                time += 1
            return time
    return 0


@kernel
def insert(table, agent, path, length):
    """Enter the first `length` nodes of `path`, at most C, for `agent`, which then rests at the last."""
    bits, head, link = table.bits, table.head, table.link
    for time in range(length):
        node = path[time]
        table.paths[agent, time] = node
        link[agent, time] = head[node, time] - 1
        head[node, time] = agent + 1
        bits[node, time >> 5] = np.int64(bits[node, time >> 5]) | (1 << (time & 31))
    table.lengths[agent] = length
    table.rests[path[length - 1]] = length
    table.horizon[0] = max(table.horizon[0], length)


@kernel
def remove(table, agent):
    """Take the path of `agent` out; the entries of `paths` stay readable, its length becomes 0."""
    bits, head, link = table.bits, table.head, table.link
    length = table.lengths[agent]
    for time in range(length):
        node = table.paths[agent, time]
        after = link[agent, time]
        at = head[node, time] - 1
        if at == agent:
            head[node, time] = after + 1
            if after < 0:
                bits[node, time >> 5] = np.int64(bits[node, time >> 5]) & (_MASK ^ (1 << (time & 31)))
        else:
            while link[at, time] != agent:
                at = link[at, time]
            link[at, time] = after
    if length > 0:
        table.rests[table.paths[agent, length - 1]] = NEVER
    table.lengths[agent] = 0


@kernel
def remove_all(table):
    """Take every path out."""
    for agent in range(table.lengths.size):
        remove(table, agent)
    table.horizon[0] = 0


@kernel
def move_paths(old, new):
    """Enter every path of `old` into the empty table `new`, which has at least as many time steps."""
    for agent in range(old.lengths.size):
        if old.lengths[agent] > 0:
            insert(new, agent, old.paths[agent], old.lengths[agent])


@kernel
def meetings(table, agent, marks, stamp, out):
    """List the agents whose paths conflict with that of `agent`, both in the table.

    Same node at the same time, swaps, and either passing the other's goal while it rests there.

    Args:
        marks: (A,) int64, below `stamp` before the call; those listed are set to `stamp`.
        out: (A,) int32, written.

    Returns:
        The number listed.
    """
    count = 0
    length = table.lengths[agent]
    if length == 0:
        return 0
    marks[agent] = stamp
    for time in range(length):
        node = table.paths[agent, time]
        count = note(table, node, time, marks, stamp, out, count)
        if table.rests[node] <= time:
            other = table.owner[node]
            if marks[other] != stamp:
                marks[other] = stamp
                out[count] = other
                count += 1
        if time > 0 and table.paths[agent, time - 1] != node:
            left = table.paths[agent, time - 1]
            other = table.head[left, time] - 1
            while other >= 0:
                if marks[other] != stamp and table.paths[other, time - 1] == node:
                    marks[other] = stamp
                    out[count] = other
                    count += 1
                other = table.link[other, time]
    goal = table.paths[agent, length - 1]
    time = next_taken(table.bits, goal, length)
    while time < NEVER:
        count = note(table, goal, time, marks, stamp, out, count)
        time = next_taken(table.bits, goal, time + 1)
    return count


@inner
def note(table, node, time, marks, stamp, out, count):
    """Add the agents on their way at `node` at `time` to `out`, once each; returns the new count."""
    if time >= table.head.shape[1]:
        return count
    other = table.head[node, time] - 1
    while other >= 0:
        if marks[other] != stamp:
            marks[other] = stamp
            out[count] = other
            count += 1
        other = table.link[other, time]
    return count


@kernel
def first_clash(table, marks, stamp, out):
    """Two agents in the table whose paths conflict, or (-1, -1).

    Args:
        marks, out: as in `meetings`; stamps from `stamp` on, one per agent, must be unused.
    """
    for agent in range(table.lengths.size):
        if meetings(table, agent, marks, stamp + agent, out) > 0:
            return np.int64(agent), np.int64(out[0])
    return np.int64(-1), np.int64(-1)
