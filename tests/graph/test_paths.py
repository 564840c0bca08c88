"""Cheapest paths on plain and prepared graphs, beside scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

import navplan as nv
from navplan.plan.pricing import find_edges
from tests.support.instances import random_digraph

GRID = nv.StateGraph.from_grid(np.zeros((3, 4), bool))


def matrix(graph: nv.StateGraph, beta: float = 0.0, weight: str = "cost") -> np.ndarray:
    """(N, N) costs by scipy."""
    costs = graph.weights(beta, weight)  # type: ignore[arg-type]
    sparse = csr_array((costs, graph.indices, graph.indptr), shape=(graph.num_nodes,) * 2)
    return np.asarray(dijkstra(sparse))


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 0, 3]), st.sampled_from([(0.0, "cost"), (2.5, "cost"), (0.0, "hops")]))
def test_paths_and_distances_are_scipys(seed: int, landmarks: int | None, price: tuple[float, str]) -> None:
    rng = np.random.default_rng(seed)
    graph = random_digraph(rng, 0.0).graph
    beta, weight = price
    how = {"beta": beta, "weight": weight}
    prepared = None if landmarks is None else graph.prepare(landmarks=landmarks)
    expected = matrix(graph, beta, weight)
    assert nv.distances(graph, range(graph.num_nodes), prepared=prepared, **how) == pytest.approx(expected)
    sources, targets = rng.integers(graph.num_nodes, size=(2, 40))
    between = nv.distances(graph, sources, targets, prepared=prepared, workers=2, **how)
    assert between == pytest.approx(expected[sources, targets])
    source, target = int(sources[0]), int(targets[0])
    path = nv.shortest_path(graph, source, target, prepared=prepared, **how)
    if np.isinf(expected[source, target]):
        assert path.size == 0
        return
    assert (path[0], path[-1]) == (source, target)
    edges = find_edges(graph.indptr, graph.indices, path[:-1].astype(np.int64), path[1:].astype(np.int64))
    assert (edges >= 0).all()
    cost = graph.weights(beta, weight)[edges].sum()  # type: ignore[arg-type]
    assert cost == pytest.approx(expected[source, target])


def test_pairs_follow_numpys_rules() -> None:
    rows, columns = np.array([0, 5, 11]), np.array([1, 2])
    table = nv.distances(GRID, rows[:, None], columns[None, :])
    assert table == pytest.approx(matrix(GRID)[np.ix_(rows, columns)])
    assert nv.distances(GRID, 0).shape == (12,)
    assert nv.distances(GRID, [[0, 1], [2, 3]]).shape == (2, 2, 12)
    assert nv.distances(GRID, [], []).shape == (0,)
    assert float(nv.distances(GRID, 0, 11)) == 5.0


def test_a_source_with_many_targets_is_searched_from_once() -> None:
    graph = random_digraph(np.random.default_rng(3), 0.0).graph
    targets = np.tile(np.arange(graph.num_nodes), 3)
    found = nv.distances(graph, np.full(len(targets), 1), targets, prepared=graph.prepare())
    assert found == pytest.approx(matrix(graph)[1, targets])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: nv.shortest_path(GRID, 12, 0), "source 12 is not a node, expected one of 0 to 11"),
        (lambda: nv.shortest_path(GRID, 0, -1), "target -1 is not a node, expected one of 0 to 11"),
        (lambda: nv.shortest_path(GRID, 0.5, 1), "source is 0.5, expected an integer"),
        (lambda: nv.shortest_path(GRID, 0, 1, beta=-1.0), "beta"),
        (lambda: nv.shortest_path(GRID, 0, 1, weight="length"), "weight is 'length'"),
        (lambda: nv.shortest_path("grid", 0, 1), "graph is a str"),
        (lambda: nv.distances(GRID, [0, 99]), "source 99 is not a node, expected one of 0 to 11"),
        (lambda: nv.distances(GRID, [0.5]), "sources are"),
        (lambda: nv.distances(GRID, [0, 1], [1, 2, 3]), "do not pair"),
        (lambda: nv.distances(GRID, 0, workers=0), "workers is 0"),
        (lambda: nv.shortest_path(GRID, 0, 1, prepared=GRID), "prepared is"),
        (lambda: nv.distances(GRID, 0, prepared=GRID.fitting(0.5).keep(np.ones(34, bool)).prepare()), "prepared is of another"),
        (lambda: GRID.prepare(landmarks=-1), "landmarks is -1"),
        (lambda: GRID.prepare(beta=-1.0), "beta"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(call, says: str) -> None:
    with pytest.raises(nv.InvalidInput, match=r"^[^\n]*$") as error:
        call()
    assert says in str(error.value)
