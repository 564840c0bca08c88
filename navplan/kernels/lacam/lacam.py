"""LaCAM*: depth-first search over configurations of all agents, with PIBT as the generator (Okumura 2023).

A configuration is a row of nodes. Each carries a tree of constraints "agent k moves to v", grown breadth-first as the
configuration is met again, so that in the end every joint move has been tried. What the search minimises is the loss: the costs
of all moves and waits but the waits at goals, a lower bound of the sum of costs and equal to it when nobody leaves its goal.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.heap import pop, push
from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.lacam.pibt import clear, decide_all, draw, place, reorder, undecide

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
def rest_bound(tables, far, nodes):
    """Sum of the agents' distances to their goals, inf when one cannot get there."""
    total = 0.0
    for agent in range(nodes.size):
        distance = np.float64(tables[agent, nodes[agent]])
        if distance >= far:
            return np.inf
        total += distance
    return total


@inner
def step_loss(scene, now, then):
    """Cost of the moves from one configuration to another, waits at goals free."""
    total = 0.0
    for agent in range(now.size):
        u, v = now[agent], then[agent]
        if u == v:
            if u != scene.goals[agent]:
                total += scene.costs[u]
            continue
        for edge in range(scene.indptr[u], scene.indptr[u + 1]):
            if scene.indices[edge] == v:
                total += scene.weights[edge]
                break
    return total


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


@kernel
def begin(scene, configurations, pools, counters, ranks, starts, rest):
    """Make the start, `rest` from the goal at least, the only open configuration."""
    for counter in range(counters.size):
        counters[counter] = 0
    counters[GOAL] = -1
    for slot in range(pools.slots.size):
        pools.slots[slot] = -1
    code = hash_nodes(starts)
    new = add_configuration(configurations, pools, counters, starts, code, -1 - find(configurations, pools.slots, starts, code))
    configurations.parent[new] = -1
    configurations.g[new] = 0.0
    configurations.h[new] = rest
    reorder(ranks, ranks, starts, scene.goals, configurations.order[new])
    pools.stack[0] = new
    counters[STACK] = 1


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
def obey(crew, order, pools, constraint):
    """Decide what the constraint and its ancestors say; False when they contradict each other."""
    while pools.up[constraint] >= 0:
        agent = order[pools.depth[constraint] - 1]
        v = pools.node[constraint]
        other = crew.here[v]
        if crew.there[v] >= 0 or (other >= 0 and other != agent and crew.then[other] == crew.now[agent]):
            return False
        crew.then[agent] = v
        crew.there[v] = agent
        constraint = pools.up[constraint]
    return True


@inner
def branch(scene, crew, configurations, pools, counters, config, constraint):
    """Queue the children of a constraint: one per choice of the next agent in order, shuffled."""
    depth = pools.depth[constraint]
    if depth >= crew.now.size:
        return
    agent = configurations.order[config, depth]
    at = crew.now[agent]
    choices = crew.choices[0]
    count = 1
    choices[0] = at
    for edge in range(scene.indptr[at], scene.indptr[at + 1]):
        other = draw(crew.random) % (count + 1)
        choices[count] = choices[other]
        choices[other] = scene.indices[edge]
        count += 1
    for k in range(count):
        child = counters[CONSTRAINTS]
        counters[CONSTRAINTS] = child + 1
        pools.depth[child] = depth + 1
        pools.node[child] = choices[k]
        pools.up[child] = constraint
        pools.after[child] = -1
        if configurations.first[config] < 0:
            configurations.first[config] = child
        else:
            pools.after[configurations.last[config]] = child
        configurations.last[config] = child


@inner
def generate(scene, tables, crew, order, pools, constraint, samples, best):
    """Run PIBT under a constraint `samples` times and keep the configuration of least loss and bound.

    Returns:
        The bound on the loss from there to the goal, inf when there is no such configuration.
    """
    least = np.inf
    least_rest = np.inf
    for sample in range(samples):
        if sample > 0:
            undecide(crew)
            obey(crew, order, pools, constraint)
        if not decide_all(scene, tables, crew, order):
            continue
        rest = rest_bound(tables, scene.far, crew.then)
        value = rest
        if samples > 1 and rest < np.inf:
            value += step_loss(scene, crew.now, crew.then)
        if value < least:
            least = value
            least_rest = rest
            for agent in range(best.size):
                best[agent] = crew.then[agent]
    return least_rest


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


@inner
def rewire(scene, configurations, pools, counters, source):
    """Carry the shorter way to `source` on through the known configurations (Dijkstra) and open those that may beat the goal."""
    g, h = configurations.g, configurations.h
    goal = counters[GOAL]
    size = push(pools.keys, pools.ties, pools.items, 0, g[source], 0.0, source)
    while size > 0:
        key, u = pools.keys[0], pools.items[0]
        size = pop(pools.keys, pools.ties, pools.items, size)
        if key > g[u]:
            continue
        at = configurations.neighbours[u]
        while at >= 0:
            v = pools.to[at]
            at = pools.more[at]
            if key >= g[v]:
                continue
            through = key + step_loss(scene, configurations.nodes[u], configurations.nodes[v])
            if through < g[v]:
                g[v] = through
                configurations.parent[v] = u
                size = push(pools.keys, pools.ties, pools.items, size, through, 0.0, v)
                if goal >= 0 and v != goal and through + h[v] < g[goal]:
                    if counters[STACK] < pools.stack.size:
                        pools.stack[counters[STACK]] = v
                        counters[STACK] += 1


@inner
def arrive(scene, configurations, pools, counters, ranks, config, best, rest, star):
    """Store or recognise the configuration `best`, a successor of `config`, and open it.

    Args:
        rest: lower bound on the loss from `best` to the goal.
        star: keep links and rewire.
    """
    g, h = configurations.g, configurations.h
    goal = counters[GOAL]
    code = hash_nodes(best)
    known = find(configurations, pools.slots, best, code)
    if known >= 0:
        counters[KNOWN] += 1
        opened = known
        if star:
            if link(configurations, pools, counters, config, known):
                through = g[config] + step_loss(scene, configurations.nodes[config], best)
                if through < g[known]:
                    g[known] = through
                    configurations.parent[known] = config
                    rewire(scene, configurations, pools, counters, known)
    else:
        opened = add_configuration(configurations, pools, counters, best, code, -1 - known)
        configurations.parent[opened] = config
        g[opened] = g[config] + step_loss(scene, configurations.nodes[config], best)
        h[opened] = rest
        reorder(configurations.order[config], ranks, best, scene.goals, configurations.order[opened])
        if star:
            link(configurations, pools, counters, config, opened)
    if goal < 0 or g[opened] + h[opened] < g[goal]:
        pools.stack[counters[STACK]] = opened
        counters[STACK] += 1


@kernel
def explore(scene, tables, crew, configurations, pools, counters, ranks, best, samples, star, restart, branching, budget):
    """Search on until something is worth telling.

    Args:
        ranks: (A,) int32 agents by first priority.
        best: (A,) int32 scratch.
        samples: PIBT runs per configuration wanted.
        star: go on after the first solution to a better one, until none is left.
        restart: chance in 2**32 to go back to the start after a step, once there is a solution.
        branching: most choices of an agent.
        budget: joint moves to generate in this call.

    Returns:
        FOUND when the goal was reached at less loss than before, EXHAUSTED, BUDGET or FULL.
    """
    g, h = configurations.g, configurations.h
    for _ in range(budget):
        if not has_room(configurations, pools, counters, branching):
            return FULL
        if counters[STACK] == 0:
            return EXHAUSTED
        config = pools.stack[counters[STACK] - 1]
        goal = counters[GOAL]
        if goal >= 0 and g[config] + h[config] >= g[goal]:
            counters[STACK] -= 1
            continue
        if h[config] == 0.0:
            counters[GOAL] = config
            counters[STACK] -= 1
            return FOUND
        constraint = configurations.first[config]
        if constraint < 0:
            counters[STACK] -= 1
            continue
        configurations.first[config] = pools.after[constraint]
        before = np.inf
        if goal >= 0:
            before = g[goal]
        counters[EXPANDED] += 1
        place(crew, configurations.nodes[config])
        order = configurations.order[config]
        # constraints that contradict each other rule out everything below them
        if obey(crew, order, pools, constraint):
            branch(scene, crew, configurations, pools, counters, config, constraint)
            rest = generate(scene, tables, crew, order, pools, constraint, samples, best)
            counters[GENERATED] += samples
            clear(crew)
            if rest < np.inf:
                arrive(scene, configurations, pools, counters, ranks, config, best, rest, star)
                if goal >= 0 and draw(crew.random) < restart:
                    pools.stack[counters[STACK]] = 0
                    counters[STACK] += 1
        else:
            clear(crew)
        if goal >= 0 and g[goal] < before:
            return FOUND
    return BUDGET


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
