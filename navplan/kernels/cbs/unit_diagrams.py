"""Multi-valued decision diagrams: all of an agent's paths of one cost, where every move and wait costs 1.

Level t of a diagram has the nodes at which the agent can be at time t on such a path.

Tested through tests/planners/cbs/test_unit.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.cbs.unit_search import barred
from navplan.kernels.common.fill import fill
from navplan.kernels.common.jit import inner, kernel

NEVER = np.int32(1 << 30)


class Diagram(NamedTuple):
    """The paths of one cost.

    Attributes:
        first: (C + 2,) int32 level t has the nodes first[t] .. first[t + 1] - 1.
        nodes: (K,) int32.
        after: (K + 1,) int32 where the successors of each begin.
        successors: (E,) int32 positions within the next level.
    """

    first: NDArray[np.int32]
    nodes: NDArray[np.int32]
    after: NDArray[np.int32]
    successors: NDArray[np.int32]


@kernel
def build_diagram(indptr, indices, h, start, goal, cost, rules, place, diagram):
    """Fill `diagram` with all paths under `rules` whose last arrival is at time `cost`.

    Args:
        place: (N,) int32, all -1, and left so.

    Returns:
        (nodes, successors) needed; the diagram is filled only if it has room for them. (0, 0) when there is no such path.
    """
    first, nodes = diagram.first, diagram.nodes
    if h[start] > cost or barred(rules, -1, start, 0):
        return 0, 0
    count = 1
    first[0] = 0
    first[1] = 1
    nodes[0] = start
    for time in range(1, cost + 1):
        for k in range(first[time - 1], first[time]):
            u = nodes[k]
            for edge in range(indptr[u], indptr[u + 1] + 1):
                v = indices[edge] if edge < indptr[u + 1] else u
                if h[v] > cost - time or place[v] >= 0 or barred(rules, u, v, time):
                    continue
                if time == cost and u == goal:
                    continue
                if count < nodes.size:
                    nodes[count] = v
                    place[v] = count
                count += 1
        if count >= nodes.size:
            for k in range(first[time], nodes.size):
                place[nodes[k]] = -1
            return count * 4, 0
        first[time + 1] = count
        for k in range(first[time], count):
            place[nodes[k]] = -1
        if count == first[time]:
            return 0, 0
    return prune(indptr, indices, h, goal, cost, rules, place, diagram)


@inner
def prune(indptr, indices, h, goal, cost, rules, place, diagram):
    """Drop the nodes from which the goal is not reached in time, and link the rest."""
    first, nodes, after, successors = diagram.first, diagram.nodes, diagram.after, diagram.successors
    # from the last level back: a node without a living successor is marked dead by -1 - node
    for time in range(cost - 1, -1, -1):
        for k in range(first[time + 1], first[time + 2]):
            if nodes[k] >= 0:
                place[nodes[k]] = k
        for k in range(first[time], first[time + 1]):
            u = nodes[k]
            alive = False
            for edge in range(indptr[u], indptr[u + 1] + 1):
                v = indices[edge] if edge < indptr[u + 1] else u
                if place[v] >= 0 and not barred(rules, u, v, time + 1) and not (time + 1 == cost and u == goal):
                    alive = True
                    break
            if not alive:
                nodes[k] = -1 - u
        for k in range(first[time + 1], first[time + 2]):
            if nodes[k] >= 0:
                place[nodes[k]] = -1
    count = 0
    begin = 0
    for time in range(cost + 1):
        end = first[time + 1]
        first[time] = count
        for k in range(begin, end):
            if nodes[k] >= 0:
                nodes[count] = nodes[k]
                count += 1
        begin = end
    first[cost + 1] = count
    links = 0
    for time in range(cost + 1):
        if time < cost:
            for k in range(first[time + 1], first[time + 2]):
                place[nodes[k]] = k - first[time + 1]
        for k in range(first[time], first[time + 1]):
            u = nodes[k]
            after[k] = links
            if time == cost:
                continue
            for edge in range(indptr[u], indptr[u + 1] + 1):
                v = indices[edge] if edge < indptr[u + 1] else u
                if place[v] >= 0 and not barred(rules, u, v, time + 1) and not (time + 1 == cost and u == goal):
                    if links < successors.size:
                        successors[links] = place[v]
                    links += 1
        if time < cost:
            for k in range(first[time + 1], first[time + 2]):
                place[nodes[k]] = -1
    after[count] = links
    return count, links


@kernel
def least_met(diagram, traffic, work, path):
    """Write the path of a diagram that is not empty with the fewest conflicts with the traffic.

    Args:
        work: (2, K) int32 scratch.
        path: (C + 1,) int32.

    Returns:
        How many conflicts there are up to the end of the path; resting at its last node is the same for all.
    """
    first, nodes, after, successors = diagram
    met, parent = work[0], work[1]
    last = traffic.head.shape[0] - 1
    cost = path.size - 1
    met[0] = 0
    for time in range(1, cost + 1):
        begin, end = first[time], first[time + 1]
        fill(met, begin, end, NEVER)
        for k in range(first[time - 1], begin):
            u = nodes[k]
            # those who are here now, which matter to whom we swap with
            here = traffic.head[min(time, last), u] - 1
            for link in range(after[k], after[k + 1]):
                to = begin + successors[link]
                total = met[k]
                v = nodes[to]
                other = here
                while other >= 0:
                    if v != u and traffic.paths[other, min(time, last) - 1] == v and time <= last:
                        total += 1
                    other = traffic.link[other, min(time, last)]
                if total < met[to]:
                    met[to] = total
                    parent[to] = k
        for k in range(begin, end):
            other = traffic.head[min(time, last), nodes[k]] - 1
            while other >= 0:
                met[k] += 1
                other = traffic.link[other, min(time, last)]
    at = first[cost]
    total = met[at]
    for time in range(cost, -1, -1):
        path[time] = nodes[at]
        at = parent[at]
    return total
