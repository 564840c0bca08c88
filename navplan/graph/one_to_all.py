"""Costs from one node to all others: working memory of Dijkstra's algorithm, and its calls in slices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from navplan.kernels.common.status import BUDGET
from navplan.kernels.search.dijkstra import Csr, Queue, breadth_first_slice, dijkstra
from navplan.system.arrays import Float64

# Wall seconds that one kernel call may take, about; deadlines and Ctrl-C are looked at in between.
SLICE_S = 0.01
# Nodes that a pass over a graph goes through in about that time.
NODES_PER_SLICE = 300_000


class OneToAll:
    """Searches from one node to all, one after the other, on graphs with as many nodes and edges as `graph`.

    Args:
        graph: a Csr.
        unit: every edge costs 1: breadth-first search then, which is several times as fast.
    """

    def __init__(self, graph: Csr, unit: bool) -> None:
        nodes, edges = len(graph.indptr) - 1, len(graph.indices)
        self._most = expansions_per_slice(edges // max(1, nodes) + 1, 0)
        self._queue = None if unit else make_queue(edges)
        self._hops = np.empty(nodes if unit else 0, np.int32)
        self._front = np.zeros(2, np.int64)

    def write(self, graph: Csr, source: int, costs: Float64, check: Callable[[], object] = lambda: None) -> None:
        """Write the cost from `source` to every node into `costs` (N,), inf where there is no way.

        Args:
            check: called before each slice; it may raise.
        """
        check()
        if self._queue is None:
            rows, hops, front = (graph.indptr, graph.indices), self._hops, self._front
            front[:] = 0
            while breadth_first_slice(*rows, source, costs, hops, front, NODES_PER_SLICE) == BUDGET:
                check()
            return
        costs.fill(np.inf)
        seed_queue(self._queue, costs, source)
        while dijkstra(graph, costs, self._queue, self._most) == BUDGET:
            check()


def make_queue(edges: int) -> Queue:
    """Heap arrays for a graph of `edges` edges."""
    room = edges + 2
    return Queue(np.empty(room), np.empty(room, np.int32), np.zeros(1, np.int64))


def seed_queue(queue: Queue, distance: Float64, source: int) -> None:
    """Start a Dijkstra search from `source`; `distance` is filled with inf already."""
    distance[source] = 0.0
    queue.keys[0], queue.items[0], queue.size[0] = 0.0, source, 1


def expansions_per_slice(max_degree: int, others: int) -> int:
    """Expansions that take about `SLICE_S`, from the work that each may do: edges, and checks against other agents."""
    seconds = 2e-7 + max_degree * (4e-8 + 5e-9 * others)
    return max(1, int(SLICE_S / seconds))
