from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from navplan.viewer.edges import drawn_edges, drawn_pruned, edge_table, mesh_keys, pruned_table, thin_nodes
from tests.support.scenes import lattice, walled_world, whole_scene


def test_both_directions_fold_into_one_with_the_worse_risk() -> None:
    graph = lattice(walled_world())
    table = edge_table(graph)
    assert len(table.key) * 2 == graph.num_edges
    assert (np.diff(table.key) > 0).all()
    assert (table.low < table.high).all()
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    for edge in range(0, len(table.key), 17):
        both = (np.minimum(tails, graph.indices) == table.low[edge]) & (np.maximum(tails, graph.indices) == table.high[edge])
        assert table.risk[edge] == graph.risk[both].max()


def test_pruned_edges_are_those_of_the_graph_before_that_are_gone() -> None:
    scene = whole_scene()
    assert scene.graph is not None
    kept = edge_table(scene.graph)
    before = scene.pruned
    gone = pruned_table(scene.graph, kept, before)  # type: ignore[arg-type]
    everything = edge_table(before)  # type: ignore[arg-type]
    assert set(gone.key) == set(everything.key) - set(kept.key)
    assert (gone.risk >= 2.0).all()
    pairs = np.stack([gone.high, gone.low], axis=1).astype(np.int32)
    assert np.array_equal(pruned_table(scene.graph, kept, pairs).key, gone.key)


def test_a_dense_graph_is_drawn_as_its_local_mesh() -> None:
    graph = lattice(walled_world(), 0.5, reach=5.0)
    table = edge_table(graph)
    nodes = thin_nodes(graph.states, 0.0)
    chosen = drawn_edges(table, graph.states, nodes, mesh_keys(graph.states, nodes))
    assert len(table.key) > 8 * graph.num_nodes
    assert graph.num_nodes < len(chosen) < 3 * graph.num_nodes
    assert table.distance[chosen].max() < 3.0  # across the block
    gone = drawn_pruned(table, graph.states, nodes, np.zeros(0, np.int64))
    assert 0 < len(gone) <= graph.num_nodes // 2


@given(st.integers(0, 2**32 - 1), st.integers(2, 25))
def test_mesh_edges_are_gabriel_edges(seed: int, count: int) -> None:
    points = np.random.default_rng(seed).uniform(0, 10, (count, 2)).astype(np.float32)
    keys = mesh_keys(points, np.arange(count))
    exact = points.astype(np.float64)
    expected = []
    for a in range(count):
        for b in range(a + 1, count):
            inside = np.linalg.norm(exact - (exact[a] + exact[b]) / 2, axis=1) < np.linalg.norm(exact[a] - exact[b]) / 2 - 1e-9
            inside[[a, b]] = False
            if not inside.any():
                expected.append(a * count + b)
    assert keys.tolist() == expected


def test_few_or_collinear_nodes_still_have_a_mesh() -> None:
    line = np.float32([[0, 0], [0, 3], [0, 1]])
    assert mesh_keys(line, np.arange(3)).tolist() == [0 * 3 + 2, 1 * 3 + 2]
    assert mesh_keys(line, np.arange(1)).size == 0


def test_thinning_keeps_one_node_a_square() -> None:
    states = np.random.default_rng(1).uniform(0, 10, (500, 2)).astype(np.float32)
    nodes = thin_nodes(states, 2.0)
    assert len(nodes) == 25
    assert len(thin_nodes(states, 0.0)) == 500
