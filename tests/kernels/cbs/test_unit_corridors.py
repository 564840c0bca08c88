from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from navplan.graph.state_graph import StateGraph
from navplan.kernels.cbs.unit_corridors import hops_around
from tests.support.instances import random_grid

pytestmark = pytest.mark.kernels


def naive_hops(graph: StateGraph, start: int, blocked: NDArray[np.uint8], goal: int) -> int:
    """Breadth first, with sets."""
    seen, level, steps = {start}, {start}, 0
    while level:
        if goal in level:
            return steps
        moves = {(u, int(v)) for u in level for v in graph.indices[graph.indptr[u] : graph.indptr[u + 1]]}
        level = {v for u, v in moves if blocked[v] != 1 and not (blocked[u] == 2 and blocked[v] == 2)} - seen
        seen |= level
        steps += 1
    return -1


def test_ways_round_blocked_nodes_and_edges() -> None:
    rng = np.random.default_rng(11)
    answers = set()
    for problem in filter(None, (random_grid(rng) for _ in range(200))):
        graph = problem.graph
        nodes = graph.num_nodes
        blocked = (rng.random(nodes) < 0.15).astype(np.uint8)
        u = int(rng.integers(nodes))
        neighbours = graph.indices[graph.indptr[u] : graph.indptr[u + 1]]
        if len(neighbours):
            blocked[[u, int(rng.choice(neighbours))]] = 2
        start, goal = int(problem.starts[0]), int(problem.goals[0])
        hops = np.full(nodes, -1, np.int32)
        steps = int(hops_around(graph.indptr, graph.indices, start, blocked, goal, hops, np.empty(nodes, np.int32)))
        assert steps == naive_hops(graph, start, blocked, goal)
        assert (hops == -1).all()
        answers.add(steps)
    assert {-1, 1, 2, 3} <= answers
