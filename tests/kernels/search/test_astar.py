from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navplan.graph.state_graph import StateGraph
from navplan.kernels.search.astar import cheapest_rates, estimate
from navplan.kernels.search.dijkstra import Csr
from navplan.plan.problem import Problem
from navplan.planners.base import Clock, freeze
from navplan.planners.single.astar import query
from tests.support.instances import random_digraph
from tests.support.naive import planning as naive

pytestmark = pytest.mark.kernels


def prepared(problem: Problem) -> tuple[Csr, np.ndarray, np.ndarray]:
    weights = problem.edge_weights()
    xy = problem.graph.states.astype(np.float64)
    freeze(weights, xy)
    graph = Csr(problem.graph.indptr, problem.graph.indices, weights)
    rates = np.empty(3)
    cheapest_rates(graph, xy, rates)
    return graph, xy, rates


@given(st.integers(0, 2**32 - 1))
def test_a_query_costs_what_naive_dijkstra_says(seed: int) -> None:
    problem = random_digraph(np.random.default_rng(seed), 0.0)
    source, goal = int(problem.starts[0]), int(problem.goals[0])
    path, _ = query(*prepared(problem), source, goal, Clock(None))
    expected = naive.dijkstra(naive.successors(problem), source)[goal]
    alone = dataclasses.replace(problem, starts=problem.starts[:1], goals=problem.goals[:1])
    assert naive.cost(alone, [path]) == pytest.approx(expected)


@given(st.integers(0, 2**32 - 1))
def test_the_estimate_never_overestimates(seed: int) -> None:
    problem = random_digraph(np.random.default_rng(seed), 0.0)
    _, xy, rates = prepared(problem)
    goal = int(problem.goals[0])
    back = naive.dijkstra(naive.reversed_edges(naive.successors(problem)), goal)
    for node, true in enumerate(back):
        assert estimate(xy, rates, node, goal) <= true * (1 + 1e-12)


def test_on_a_unit_grid_the_estimate_is_the_manhattan_distance() -> None:
    graph = StateGraph.from_grid(np.zeros((20, 20), bool))
    csr, xy, rates = prepared(Problem(graph, [0], [399]))
    assert estimate(xy, rates, 0, 399) == 38.0
    path, expanded = query(csr, xy, rates, 0, 399, Clock(None))
    assert len(path) == 39
    assert expanded <= 39


def test_no_way_gives_no_path() -> None:
    graph = StateGraph.from_grid(np.array([[0, 1, 0]], bool))
    path, _ = query(*prepared(Problem(graph, [0], [1])), 0, 1, Clock(None))
    assert path == []
