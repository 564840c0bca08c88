"""Edges left out and looked up, by mask and by their two ends."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from navplan.graph.edit import edge_distances, without_edges
from navplan.graph.limits import EdgeLimits
from navplan.graph.state_graph import StateGraph
from tests.support.critics import FieldCritics


def built(n: int = 20, seed: int = 0) -> StateGraph:
    states = np.random.default_rng(seed).random((n, 2)) * 10
    return StateGraph.from_states(states, FieldCritics(), 4.0, 9.0)


def edges(graph: StateGraph) -> dict[tuple[int, int], tuple[float, float]]:
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr)).tolist()
    return dict(zip(zip(tails, graph.indices.tolist()), zip(graph.distance.tolist(), graph.risk.tolist())))


@given(st.integers(0, 2**32 - 1))
def test_a_mask_keeps_its_edges_and_all_nodes(seed: int) -> None:
    graph = built()
    mask = np.random.default_rng(seed).random(graph.num_edges) < 0.4
    kept = graph.keep(mask)
    assert edges(kept) == dict(item for item, there in zip(edges(graph).items(), mask.tolist()) if there)
    assert np.array_equal(kept.states, graph.states)
    assert np.array_equal(kept.wait_risk, graph.wait_risk)
    assert kept.limits == graph.limits
    assert graph.keep(mask, EdgeLimits(3.0)).limits == EdgeLimits(3.0)


@given(st.sets(st.tuples(st.integers(0, 25), st.integers(0, 25)), max_size=60))
def test_edges_can_be_left_out_by_their_ends(named: set[tuple[int, int]]) -> None:
    graph = built()
    less = without_edges(graph, named)
    assert edges(less) == {pair: values for pair, values in edges(graph).items() if pair not in named}
    assert (less is graph) == (not named & edges(graph).keys())


def test_distances_along_a_path_are_those_of_its_edges_and_0_for_waits() -> None:
    graph = built()
    (u, v), (distance, _) = next(iter(edges(graph).items()))
    back = edges(graph)[v, u][0]
    assert edge_distances(graph, np.array([u, v, v, u], np.int32)).tolist() == [distance, 0.0, back]
    assert edge_distances(graph, np.array([u], np.int32)).tolist() == []
