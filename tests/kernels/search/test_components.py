from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from navplan.graph.state_graph import StateGraph
from navplan.kernels.search.components import components

pytestmark = pytest.mark.kernels


@pytest.mark.parametrize("seed", range(20))
def test_components_are_numbered_as_scipy_numbers_strong_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = StateGraph.from_grid(rng.random((9, 11)) < rng.uniform(0.2, 0.6))
    n = graph.num_nodes
    label = np.empty(n, np.int32)
    count = components(graph.indptr, graph.indices, label, np.empty(n, np.int32))
    matrix = csr_array((np.ones(graph.num_edges), graph.indices, graph.indptr), shape=(n, n))
    expected = connected_components(matrix, directed=True, connection="strong")
    assert count == expected[0]
    np.testing.assert_array_equal(label, expected[1])
