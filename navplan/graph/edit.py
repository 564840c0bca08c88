"""Edges of a state graph by their two ends: looked up, and left out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from navplan.graph.state_graph import StateGraph
from navplan.system.arrays import Float64, Int32


def without_edges(graph: StateGraph, edges: Iterable[tuple[int, int]]) -> StateGraph:
    """`graph` without the given (from, to) edges; those that it does not have are passed over.

    Example:
        >>> without_edges(StateGraph.from_grid(np.zeros((1, 3), bool)), [(0, 1), (0, 2)]).num_edges
        3
    """
    keep = np.ones(graph.num_edges, dtype=np.bool_)
    for u, v in edges:
        if u < graph.num_nodes:
            low, high = graph.indptr[u], graph.indptr[u + 1]
            keep[low:high] &= graph.indices[low:high] != v
    return graph if keep.all() else graph.keep(keep)


def edge_distances(graph: StateGraph, path: Int32) -> Float64:
    """(T - 1,) float64 environment steps of each edge along `path` ((T,) node ids); 0 where it waits."""
    out = np.zeros(max(0, len(path) - 1))
    for t, (u, v) in enumerate(zip(path[:-1].tolist(), path[1:].tolist(), strict=True)):
        if u != v:
            low, high = graph.indptr[u], graph.indptr[u + 1]
            out[t] = graph.distance[low + int(np.searchsorted(graph.indices[low:high], v))]
    return out
