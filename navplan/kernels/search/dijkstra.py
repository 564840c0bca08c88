"""Single-source shortest paths over CSR arrays; reversed, they are the many-to-one tables that the planners use."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from navplan.kernels.common.fill import fill
from navplan.kernels.common.heap import pop_key, push_key
from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.common.status import BUDGET, EXHAUSTED


class Csr(NamedTuple):
    """A weighted directed graph: row starts (N + 1,) int32, edge heads (M,) int32, edge costs (M,) float64, all read-only."""

    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]
    weights: NDArray[np.float64]


class Queue(NamedTuple):
    """Heap arrays with room for every edge of the graph and one more; `size` (1,) int64 survives between calls."""

    keys: NDArray[np.float64]
    items: NDArray[np.int32]
    size: NDArray[np.int64]


@kernel
def reverse(indptr, indices, out_indptr, out_indices, out_edges):
    """Turn every edge round, keeping the tails of a row in ascending order.

    Args:
        indptr, indices: (N + 1,) and (M,) int32, the graph.
        out_indptr, out_indices: the same shapes, written.
        out_edges: (M,) int32, written: the edge that each reversed edge came from.
    """
    reverse_slice(indptr, indices, out_indptr, out_indices, out_edges, 0, indptr.size - 1)


@kernel
def reverse_slice(indptr, indices, out_indptr, out_indices, out_edges, first, last):
    """`reverse` for the rows of the tails `first` to `last`; slices come in order, from 0 to N."""
    n = indptr.size - 1
    if first == 0:
        fill(out_indptr, 0, out_indptr.size, 0)
        for edge in range(indices.size):
            out_indptr[indices[edge] + 1] += 1
        for v in range(n):
            out_indptr[v + 1] += out_indptr[v]
    for u in range(first, last):
        for edge in range(indptr[u], indptr[u + 1]):
            v = indices[edge]
            at = out_indptr[v]
            out_indices[at] = u
            out_edges[at] = edge
            out_indptr[v] = at + 1
    if last == n:
        for v in range(n, 0, -1):
            out_indptr[v] = out_indptr[v - 1]
        out_indptr[0] = 0


@kernel
def breadth_first(indptr, indices, source, distance, queue):
    """Hop counts from `source`; the shortcut for graphs whose edges all cost 1.

    Args:
        distance: (N,) float64, written; unreachable nodes stay inf.
        queue: (N,) int32 scratch.
    """
    breadth_first_slice(indptr, indices, source, distance, queue, np.zeros(2, np.int64), distance.size)


@kernel
def breadth_first_slice(indptr, indices, source, distance, queue, front, most):
    """`breadth_first` through at most `most` nodes; call again after BUDGET, EXHAUSTED when it is through.

    Args:
        front: (2,) int64, 0 at the beginning: how many nodes of the queue are done, and how many are in it.
    """
    if front[1] == 0:
        fill(distance, 0, distance.size, np.inf)
        distance[source] = 0.0
        queue[0] = source
        front[1] = 1
    head, tail = front[0], front[1]
    last = head + most
    while head < tail and head < last:
        u = queue[head]
        head += 1
        next_distance = distance[u] + 1.0
        for edge in range(indptr[u], indptr[u + 1]):
            v = indices[edge]
            if distance[v] == np.inf:
                distance[v] = next_distance
                queue[tail] = v
                tail += 1
    front[0], front[1] = head, tail
    return BUDGET if head < tail else EXHAUSTED


@kernel
def dijkstra(graph, distance, queue, max_expansions):
    """Settle nodes in order of distance (Dijkstra 1959).

    The caller fills `distance` with inf, sets the sources and pushes them; the kernel can be called again after BUDGET.

    Args:
        graph: a Csr.
        distance: (N,) float64, improved in place.
        queue: a Queue holding the frontier.
        max_expansions: nodes to settle in this call.

    Returns:
        EXHAUSTED when every reachable node is settled, else BUDGET.
    """
    keys, items = queue.keys, queue.items
    indptr, indices, weights = graph.indptr, graph.indices, graph.weights
    size = queue.size[0]
    expanded = 0
    while size > 0:
        if expanded >= max_expansions:
            queue.size[0] = size
            return BUDGET
        key, u = keys[0], items[0]
        size = pop_key(keys, items, size)
        if key > distance[u]:
            continue
        expanded += 1
        for edge in range(indptr[u], indptr[u + 1]):
            v = indices[edge]
            through = key + weights[edge]
            if through < distance[v]:
                distance[v] = through
                size = push_key(keys, items, size, through, v)
    queue.size[0] = 0
    return EXHAUSTED


@inner
def cheapest_step(graph, ahead, node):
    """Position of the edge out of `node` on the cheapest way on, given the (N,) costs `ahead` from every node; -1 without one."""
    best, least = -1, np.inf
    for edge in range(graph.indptr[node], graph.indptr[node + 1]):
        cost = graph.weights[edge] + ahead[graph.indices[edge]]
        if cost < least:
            best, least = edge, cost
    return best


@kernel
def follow(graph, ahead, start, goal, costs, risks):
    """Sum of `costs` and of `risks` (both (M,)) along the edges that lead from `start` to `goal` by least weight plus `ahead`.

    Args:
        graph: a Csr.
        ahead: (N,) float64 least weight from every node to `goal`.
        start, goal: nodes.
        costs, risks: (M,) float64.

    Returns:
        The two sums; inf both when the goal is not reached.
    """
    cost, risk = 0.0, 0.0
    node = start
    for _ in range(len(ahead)):
        if node == goal:
            return cost, risk
        edge = cheapest_step(graph, ahead, node)
        if edge < 0:
            break
        cost += costs[edge]
        risk += risks[edge]
        node = graph.indices[edge]
    return (cost, risk) if node == goal else (np.inf, np.inf)
