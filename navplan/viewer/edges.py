"""Which edges of a graph to draw: all of a sparse one, the local mesh of a dense one, so that one sees structure, not hair."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, QhullError

from navplan.graph import StateGraph

SPARSE_DEGREE = 4.0
"""Undirected edges per node up to which a graph is drawn whole."""


class EdgeTable(NamedTuple):
    """Undirected edges, ascending by `key` = low * N + high; risk is that of the worse direction."""

    key: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    risk: NDArray[np.float64]
    distance: NDArray[np.float64]
    num_nodes: int


def edge_table(graph: StateGraph) -> EdgeTable:
    """Both directions of each edge folded into one."""
    n = graph.num_nodes
    tails = np.repeat(np.arange(n, dtype=np.int64), np.diff(graph.indptr))
    return _fold(n, tails, graph.indices.astype(np.int64), graph.risk, graph.distance)


def pruned_table(graph: StateGraph, kept: EdgeTable, pruned: StateGraph | NDArray[np.int32]) -> EdgeTable:
    """Edges that pruning took away: those of the graph before that `kept` lacks, or the pairs given."""
    if isinstance(pruned, StateGraph):
        before = edge_table(pruned)
        n = max(before.num_nodes, kept.num_nodes)
        gone = ~np.isin(before.low * n + before.high, kept.low * n + kept.high)
        inside = gone & (before.high < graph.num_nodes)
        low, high = before.low[inside], before.high[inside]
        return _fold(graph.num_nodes, low, high, before.risk[inside], before.distance[inside])
    pairs = np.asarray(pruned, dtype=np.int64).reshape(-1, 2)
    nothing = np.zeros(len(pairs))
    return _fold(graph.num_nodes, pairs[:, 0], pairs[:, 1], nothing, nothing)


def _fold(
    n: int, tails: NDArray[np.int64], heads: NDArray[np.int64], risk: NDArray[np.float64], distance: NDArray[np.float64]
) -> EdgeTable:
    low, high = np.minimum(tails, heads), np.maximum(tails, heads)
    key = low * n + high
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1) != 0)
    if not len(first):
        none = np.zeros(0, np.int64)
        return EdgeTable(none, none, none, np.zeros(0), np.zeros(0), n)
    at = order[first]
    return EdgeTable(
        key[at],
        low[at],
        high[at],
        np.maximum.reduceat(risk[order], first),
        np.maximum.reduceat(distance[order], first),
        n,
    )


def thin_nodes(states: NDArray[np.float32], spacing: float) -> NDArray[np.int64]:
    """Ids of at most one node per square of `spacing` cells, the lowest id of each; all of them for spacing 0."""
    if spacing <= 0 or not len(states):
        return np.arange(len(states), dtype=np.int64)
    square = np.floor(states[:, :2] / spacing).astype(np.int64)
    _, first = np.unique(square, axis=0, return_index=True)
    return np.sort(first)


def select(table: EdgeTable, states: NDArray[np.float32], nodes: NDArray[np.int64], mesh: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions in `table` of the edges to draw: all of a sparse graph, else those of the mesh between the shown nodes."""
    if len(nodes) == len(states) and len(table.key) <= SPARSE_DEGREE * max(len(states), 1):
        return np.arange(len(table.key))
    return np.flatnonzero(np.isin(table.key, mesh, assume_unique=True))


def mesh_keys(states: NDArray[np.float32], nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keys of the Delaunay edges between the shown nodes: the pairs that see one another with no node in between."""
    n = len(states)
    if len(nodes) < 2:
        return np.zeros(0, np.int64)
    points = states[nodes, :2].astype(np.float64)
    try:
        corners = Delaunay(points).simplices.astype(np.int64)
        pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    except (QhullError, ValueError):  # too few nodes, or all on one line: neighbours along the line
        order = np.lexsort((points[:, 1], points[:, 0]))
        pairs = np.stack([order[:-1], order[1:]], axis=1)
    ends = np.sort(nodes[pairs], axis=1)
    return np.unique(ends[:, 0] * n + ends[:, 1])
