"""LaCAM*: depth-first search over configurations of all agents, with PIBT as the generator (Okumura 2023).

A configuration is a row of nodes. Each carries a tree of constraints "agent k moves to v", grown breadth-first as the
configuration is met again, so that in the end every joint move has been tried. What the search minimises is the loss: the costs
of all moves and waits but the waits at goals, a lower bound of the sum of costs and equal to it when nobody leaves its goal.

Tested through tests/planners/lacam/test_lacam.py.
"""

from __future__ import annotations

import numpy as np

from navplan.kernels.common.heap import pop, push
from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.common.masks import closed_to
from navplan.kernels.common.status import BUDGET, EXHAUSTED, FOUND, FULL
from navplan.kernels.lacam.configurations import (
    CONSTRAINTS,
    EXPANDED,
    GENERATED,
    GOAL,
    KNOWN,
    STACK,
    add_configuration,
    find,
    has_room,
    hash_nodes,
    link,
)
from navplan.kernels.lacam.pibt import clear, decide_all, draw, place, reorder, undecide


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
        if closed_to(scene.groups, scene.closed, agent, edge):
            continue
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
