"""Which edges of a graph to draw: all of a sparse one, the local mesh of a dense one, so that one sees structure, not hair."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.spatial import Delaunay, QhullError

from navplan.graph.state_graph import StateGraph
from navplan.system.arrays import Float64, Int32, Int64

SPARSE_DEGREE = 4.0
"""Undirected edges per node up to which a graph is drawn whole."""

MATCHED_PRUNED = 20_000
"""Shortest pruned pairs among which those to draw are picked."""


class EdgeTable(NamedTuple):
    """Undirected edges, ascending by `key` = low * N + high; risk is that of the worse direction."""

    key: Int64
    low: Int64
    high: Int64
    risk: Float64
    distance: Float64
    num_nodes: int


def edge_table(graph: StateGraph) -> EdgeTable:
    """Both directions of each edge folded into one."""
    n = graph.num_nodes
    tails = np.repeat(np.arange(n, dtype=np.int64), np.diff(graph.indptr))
    return _fold(n, tails, graph.indices.astype(np.int64), graph.risk, graph.distance)


def pruned_table(graph: StateGraph, kept: EdgeTable, pruned: StateGraph | Int32) -> EdgeTable:
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


def _fold(n: int, tails: Int64, heads: Int64, risk: Float64, distance: Float64) -> EdgeTable:
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


def thin_nodes(states: Float64, spacing: float) -> Int64:
    """Ids of at most one node per square of `spacing` cells, the lowest id of each; all of them for spacing 0."""
    if spacing <= 0 or not len(states):
        return np.arange(len(states), dtype=np.int64)
    square = np.floor(states / spacing).astype(np.int64)
    _, first = np.unique(square, axis=0, return_index=True)
    return np.sort(first)


def mesh_keys(states: Float64, nodes: Int64) -> Int64:
    """Keys of the Gabriel edges between the shown nodes: pairs whose diametral circle holds no other of these nodes."""
    n = len(states)
    if len(nodes) < 2:
        return np.zeros(0, np.int64)
    points = states[nodes]
    try:
        corners = Delaunay(points).simplices.astype(np.int64)
    except (QhullError, ValueError):  # too few nodes, or all on one line: neighbours along the line
        order = np.lexsort((points[:, 1], points[:, 0]))
        return _keys(nodes[np.stack([order[:-1], order[1:]], axis=1)], n)
    # an edge of the Delaunay triangulation is a Gabriel edge unless a triangle's third corner sees it at more than 90 degrees
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    third = np.concatenate([corners[:, 2], corners[:, 0], corners[:, 1]])
    obtuse = ((points[pairs[:, 0]] - points[third]) * (points[pairs[:, 1]] - points[third])).sum(axis=1) < 0
    return np.setdiff1d(_keys(nodes[pairs], n), _keys(nodes[pairs[obtuse]], n), assume_unique=True)


def _keys(pairs: Int64, n: int) -> Int64:
    ends = np.sort(pairs, axis=1)
    return np.unique(ends[:, 0] * n + ends[:, 1])


def drawn_edges(table: EdgeTable, states: Float64, nodes: Int64, mesh: Int64) -> Int64:
    """Positions in `table` of the edges to draw: all of a sparse graph, else those of the mesh between the shown nodes."""
    if len(nodes) == len(states) and len(table.key) <= SPARSE_DEGREE * max(len(states), 1):
        return np.arange(len(table.key))
    return np.flatnonzero(np.isin(table.key, mesh, assume_unique=True))


def drawn_pruned(table: EdgeTable, states: Float64, nodes: Int64, mesh: Int64) -> Int64:
    """Positions in `table` of the pruned edges to draw: those of the mesh, and short ones that share no end with one another."""
    if len(nodes) == len(states) and len(table.key) <= len(states) // 2:
        return np.arange(len(table.key))
    shown = np.zeros(len(states), np.bool_)
    shown[nodes] = True
    among = np.flatnonzero(shown[table.low] & shown[table.high])
    length = np.linalg.norm(states[table.low[among]] - states[table.high[among]], axis=1)
    chosen: list[int] = []
    free = shown
    shorter_half = among[np.argsort(length, kind="stable")][: min(MATCHED_PRUNED, -(-len(among) // 2))]
    for edge in shorter_half.tolist():
        low, high = table.low[edge], table.high[edge]
        if free[low] and free[high]:
            free[low] = free[high] = False
            chosen.append(edge)
    in_mesh = np.flatnonzero(np.isin(table.key, mesh, assume_unique=True))
    return np.union1d(in_mesh, np.asarray(chosen, dtype=np.int64))
