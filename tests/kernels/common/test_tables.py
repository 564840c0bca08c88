from __future__ import annotations

import numpy as np
import pytest

from navplan.kernels.common.tables import FAR, hops
from tests.support.instances import random_grid
from tests.support.naive import planning as naive

pytestmark = pytest.mark.kernels


def test_hop_counts_are_those_of_naive_dijkstra() -> None:
    rng = np.random.default_rng(5)
    unreachable = 0
    for problem in filter(None, (random_grid(rng) for _ in range(30))):
        graph, goals = problem.graph, problem.goals
        tables = np.zeros((len(goals), graph.num_nodes), np.uint16)
        # grids lead both ways, so that the graph is its own reverse
        hops(graph.indptr, graph.indices, goals, tables, 1, len(goals), np.empty(graph.num_nodes, np.int32))
        assert not tables[0].any(), "not asked for"
        for row, goal in zip(tables[1:], goals[1:], strict=True):
            expected = naive.dijkstra(naive.successors(problem), int(goal))
            assert row.tolist() == [FAR if steps == np.inf else steps for steps in expected]
            unreachable += int((row == FAR).sum())
    assert unreachable > 0
