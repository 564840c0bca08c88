from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navplan.graph.landmarks import landmark_tables
from navplan.graph.prepared import PreparedGraph
from navplan.kernels.search.landmarks import choose_landmarks, landmark_bound
from navplan.plan.problem import Problem
from tests.support.instances import random_digraph
from tests.support.naive import planning as naive

pytestmark = pytest.mark.kernels


def tables_of(problem: Problem, count: int) -> np.ndarray:
    costs = PreparedGraph(problem.graph).costs(problem.beta, problem.weight)
    return landmark_tables(costs.forward, costs.backward(), costs.unit, count)


@given(st.integers(0, 2**32 - 1))
def test_bounds_never_exceed_the_cost(seed: int) -> None:
    problem = random_digraph(np.random.default_rng(seed), 0.0)
    goal = int(problem.goals[0])
    true = naive.dijkstra(naive.reversed_edges(naive.successors(problem)), goal)
    tables = tables_of(problem, 4)
    chosen = np.arange(tables.shape[1] // 2, dtype=np.int32)
    for node, cost in enumerate(true):
        assert landmark_bound(tables, chosen, node, goal) <= cost


def test_between_landmarks_bounds_are_exact_up_to_rounding() -> None:
    graph = PreparedGraph(random_digraph(np.random.default_rng(5), 0.0).graph)
    costs = graph.costs()
    tables = landmark_tables(costs.forward, costs.backward(), False, graph.graph.num_nodes)
    chosen = np.arange(tables.shape[1] // 2, dtype=np.int32)
    marks = [int(np.flatnonzero(tables[:, 2 * k] == 0)[0]) for k in range(len(chosen))]
    for k, mark in enumerate(marks):
        for node in range(graph.graph.num_nodes):
            if np.isfinite(tables[node, 2 * k]):
                assert landmark_bound(tables, chosen, mark, node) == pytest.approx(float(tables[node, 2 * k]), rel=1e-5)


@given(st.integers(0, 2**32 - 1))
def test_the_best_landmarks_are_chosen_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    problem = random_digraph(rng, 0.0)
    tables = tables_of(problem, 6)
    count = tables.shape[1] // 2
    chosen = np.full(min(3, count), -1, np.int32)
    source, goal = (int(each) for each in rng.integers(problem.graph.num_nodes, size=2))
    choose_landmarks(tables, source, goal, chosen)
    bounds = [landmark_bound(tables, np.array([k], np.int32), source, goal) for k in range(count)]
    assert [bounds[k] for k in chosen] == sorted(bounds, reverse=True)[: len(chosen)]
    assert len(set(chosen.tolist())) == len(chosen)
