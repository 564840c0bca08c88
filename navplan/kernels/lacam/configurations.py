"""What LaCAM* has met: a pool of configurations with their constraints still to try and their links, found again by a hash."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.jit import inner, kernel

# Entries of the counters.
NODES = 0
CONSTRAINTS = 1
LINKS = 2
STACK = 3
GOAL = 4
EXPANDED = 5
GENERATED = 6
KNOWN = 7
COUNTERS = 8


class Configurations(NamedTuple):
    """Pool of configurations, C rows.

    Attributes:
        nodes: (C, A) int32.
        order: (C, A) int32 agents by priority.
        parent: (C,) int32, -1 for the start.
        g, h: (C,) float64 loss so far (improved by rewiring) and a lower bound on the rest.
        code: (C,) int64 hash.
        first, last: (C,) int32 queue of constraints still to try, -1 when empty.
        neighbours: (C,) int32 first link to a configuration reached in one step, or -1.
    """

    nodes: NDArray[np.int32]
    order: NDArray[np.int32]
    parent: NDArray[np.int32]
    g: NDArray[np.float64]
    h: NDArray[np.float64]
    code: NDArray[np.int64]
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    neighbours: NDArray[np.int32]


class Pools(NamedTuple):
    """The smaller pools of the search.

    Attributes:
        depth, node, up, after: (K,) int32 constraints: level in the tree (0 is the root, which says nothing), node to move to,
            parent, next in the queue.
        to, more: (L,) int32 links between configurations: target, next link.
        slots: (power of two,) int32 hash table of configurations, -1 is empty.
        stack: (S,) int32 the open configurations.
        keys, ties, items: the heap of a rewiring, room for a configuration per link.
    """

    depth: NDArray[np.int32]
    node: NDArray[np.int32]
    up: NDArray[np.int32]
    after: NDArray[np.int32]
    to: NDArray[np.int32]
    more: NDArray[np.int32]
    slots: NDArray[np.int32]
    stack: NDArray[np.int32]
    keys: NDArray[np.float64]
    ties: NDArray[np.float64]
    items: NDArray[np.int32]


@inner
def hash_nodes(nodes):
    """31 bits of hash of a configuration."""
    code = np.int64(17)
    for k in range(nodes.size):
        code = ((code ^ np.int64(nodes[k])) * 1540483477) & 0x7FFFFFFFFFFF
        code ^= code >> 15
        code &= 0x7FFFFFFF
    return code


@inner
def find(configurations, slots, nodes, code):
    """The configuration's number, or -1 - slot where it belongs."""
    mask = slots.size - 1
    slot = code & mask
    while True:
        known = slots[slot]
        if known < 0:
            return -1 - slot
        if configurations.code[known] == code:
            row = configurations.nodes[known]
            same = True
            for k in range(nodes.size):
                if row[k] != nodes[k]:
                    same = False
                    break
            if same:
                return np.int64(known)
        slot = (slot + 1) & mask


@kernel
def rehash(slots, code, count):
    """Fill an empty hash table with the first `count` configurations."""
    mask = slots.size - 1
    for config in range(count):
        slot = code[config] & mask
        while slots[slot] >= 0:
            slot = (slot + 1) & mask
        slots[slot] = config


@inner
def add_configuration(configurations, pools, counters, nodes, code, slot):
    """Store a configuration with an untried root constraint; its parent, g, h and order are the caller's business."""
    new = counters[NODES]
    counters[NODES] = new + 1
    for agent in range(nodes.size):
        configurations.nodes[new, agent] = nodes[agent]
    configurations.code[new] = code
    configurations.neighbours[new] = -1
    pools.slots[slot] = new
    constraint = counters[CONSTRAINTS]
    counters[CONSTRAINTS] = constraint + 1
    pools.depth[constraint] = 0
    pools.node[constraint] = -1
    pools.up[constraint] = -1
    pools.after[constraint] = -1
    configurations.first[new] = constraint
    configurations.last[new] = constraint
    return new


@inner
def has_room(configurations, pools, counters, branching):
    """True when one more iteration cannot overflow a pool."""
    return (
        counters[NODES] + 1 < configurations.g.size
        and 2 * (counters[NODES] + 1) <= pools.slots.size
        and counters[CONSTRAINTS] + branching + 1 < pools.up.size
        and counters[LINKS] + 1 < min(pools.to.size, pools.items.size)
        and counters[STACK] + counters[NODES] + 3 < pools.stack.size
    )


@inner
def link(configurations, pools, counters, source, target):
    """Remember that `target` follows `source` in one step; False when that was seen to be known (a few links are looked at)."""
    at = configurations.neighbours[source]
    looks = 32
    while at >= 0 and looks > 0:
        if pools.to[at] == target:
            return False
        at = pools.more[at]
        looks -= 1
    new = counters[LINKS]
    counters[LINKS] = new + 1
    pools.to[new] = target
    pools.more[new] = configurations.neighbours[source]
    configurations.neighbours[source] = new
    return True


@kernel
def route(configurations, config, out):
    """Write the configurations from the start to `config`, backwards; returns their number, more than out's rows when cut."""
    count = 0
    while config >= 0:
        if count < out.shape[0]:
            out[count] = configurations.nodes[config]
        count += 1
        config = configurations.parent[config]
    return count
