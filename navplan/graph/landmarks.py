"""Choosing landmarks and filling their tables (Goldberg and Harrelson, SODA 2005): each as far as can be from those before."""

from __future__ import annotations

import numpy as np

from navplan.graph.one_to_all import OneToAll
from navplan.kernels.search.dijkstra import Csr
from navplan.kernels.search.landmarks import write_landmark
from navplan.system.arrays import Float32, Float64

# Nodes that are tried as the first: the one that reaches most others and is reached from most wins.
_TRIES = 3


def landmark_tables(forward: Csr, backward: Csr, unit: bool, count: int) -> Float32:
    """(N, 2 K) float32 tables, see `navplan.kernels.search.landmarks`; K is `count`, or N where that is less.

    Takes 2 K searches from one node to all.

    Args:
        forward, backward: the graph and the graph turned round.
        unit: every edge costs 1.
        count: how many landmarks.
    """
    nodes = len(forward.indptr) - 1
    count = min(count, nodes)
    tables = np.empty((nodes, 2 * count), np.float32)
    there, back = OneToAll(forward, unit), OneToAll(backward, unit)
    costs, others = np.empty(nodes), np.empty(nodes)
    near = _first(there, back, forward, backward)
    for k in range(count):
        landmark = int(np.argmax(np.where(np.isfinite(near), near, -1.0)))
        there.write(forward, landmark, costs)
        back.write(backward, landmark, others)
        write_landmark(costs, others, tables, k)
        nearer = np.minimum(costs, others)
        near = nearer if k == 0 else np.minimum(near, nearer)
        near[landmark] = 0.0
    return tables


def _first(there: OneToAll, back: OneToAll, forward: Csr, backward: Csr) -> Float64:
    """(N,) how far nodes are from one in the graph's largest part: the farthest becomes the first landmark."""
    nodes = len(forward.indptr) - 1
    costs, others = np.empty(nodes), np.empty(nodes)
    best, most = np.zeros(nodes), -1
    for node in np.unique(np.linspace(0, nodes - 1, _TRIES).astype(np.int64)).tolist():
        there.write(forward, node, costs)
        back.write(backward, node, others)
        both = np.maximum(costs, others)
        reached = int(np.isfinite(both).sum())
        if reached > most:
            best, most = both, reached
    return best
