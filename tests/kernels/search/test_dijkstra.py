from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navplan.graph.one_to_all import make_queue, seed_queue
from navplan.graph.prepared import PreparedGraph
from navplan.graph.state_graph import StateGraph
from navplan.kernels.common.status import BUDGET, EXHAUSTED
from navplan.kernels.search.dijkstra import Csr, breadth_first, dijkstra, reverse
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, OutOfTime
from navplan.planners.weighted import Weighted, distance_tables
from navplan.system.arrays import freeze
from tests.support.instances import random_digraph
from tests.support.naive import planning as naive

pytestmark = pytest.mark.kernels


def distances(problem: Problem, source: int, slice_size: int) -> tuple[np.ndarray, int]:
    graph = problem.graph
    weights = problem.edge_weights()
    freeze(weights)
    csr = Csr(graph.indptr, graph.indices, weights)
    found = np.full(graph.num_nodes, np.inf)
    queue = make_queue(graph.num_edges)
    seed_queue(queue, found, source)
    calls = 1
    while dijkstra(csr, found, queue, slice_size) == BUDGET:
        calls += 1
    assert dijkstra(csr, found, queue, slice_size) == EXHAUSTED
    return found, calls


@given(st.integers(0, 2**32 - 1))
def test_single_source_equals_naive_and_can_be_cut_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = random_digraph(rng, 0.0)
    source = int(problem.starts[0])
    whole, once = distances(problem, source, 1000)
    pieces, many = distances(problem, source, 1)
    assert once == 1 < many
    np.testing.assert_array_equal(whole, pieces)
    np.testing.assert_allclose(whole, naive.dijkstra(naive.successors(problem), source))


@given(st.integers(0, 2**32 - 1))
def test_reversing_turns_every_edge_round(seed: int) -> None:
    graph = random_digraph(np.random.default_rng(seed), 0.0).graph
    indptr, indices, edges = np.empty_like(graph.indptr), np.empty_like(graph.indices), np.empty_like(graph.indices)
    reverse(graph.indptr, graph.indices, indptr, indices, edges)
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    heads = np.repeat(np.arange(graph.num_nodes), np.diff(indptr))
    np.testing.assert_array_equal(tails[edges], indices)
    np.testing.assert_array_equal(graph.indices[edges], heads)
    assert sorted(edges.tolist()) == list(range(graph.num_edges))


@given(st.integers(0, 2**32 - 1))
def test_tables_hold_the_way_to_each_goal(seed: int) -> None:
    """Asymmetric weights: the table is over the reversed edges (D3: the paper takes an undirected copy)."""
    problem = random_digraph(np.random.default_rng(seed), 0.0)
    tables = distance_tables(Weighted.of(problem, PreparedGraph(problem.graph)), problem.goals, Clock(None))
    edges = naive.successors(problem)
    for agent, goal in enumerate(problem.goals.tolist()):
        for node in range(0, problem.graph.num_nodes, 3):
            assert tables[agent, node] == pytest.approx(naive.dijkstra(edges, node)[goal])


def test_breadth_first_counts_hops_round_walls() -> None:
    walls = np.array([[0, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 1]], bool)
    graph = StateGraph.from_grid(walls)
    found, scratch = np.empty(graph.num_nodes), np.empty(graph.num_nodes, np.int32)
    breadth_first(graph.indptr, graph.indices, 0, found, scratch)
    assert found.tolist() == [0, 1, 2, 3, 6, 5, 4, 7]


def test_tables_keep_the_deadline() -> None:
    problem = random_digraph(np.random.default_rng(0), 0.0)
    with pytest.raises(OutOfTime):
        distance_tables(Weighted.of(problem, PreparedGraph(problem.graph)), problem.goals, Clock(0.0))
