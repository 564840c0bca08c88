from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navplan.graph.paths import cheapest_path
from navplan.graph.prepared import Costs, PreparedGraph, grown, query_work
from navplan.graph.state_graph import StateGraph
from navplan.kernels.common.status import FULL
from navplan.kernels.search.astar import astar, estimate
from navplan.plan.problem import Problem
from tests.support.instances import random_digraph
from tests.support.naive import planning as naive

pytestmark = pytest.mark.kernels


def costs_of(problem: Problem, landmarks: int = 0) -> Costs:
    return PreparedGraph(problem.graph, landmarks).costs(problem.beta, problem.weight)


@given(st.integers(0, 2**32 - 1), st.sampled_from([(True, 0), (True, 1), (True, 5), (False, 0)]))
def test_a_query_costs_what_naive_dijkstra_says(seed: int, how: tuple[bool, int]) -> None:
    guided, landmarks = how
    problem = random_digraph(np.random.default_rng(seed), 0.0)
    source, goal = int(problem.starts[0]), int(problem.goals[0])
    path, _ = cheapest_path(costs_of(problem, landmarks), source, goal, guided=guided)
    expected = naive.dijkstra(naive.successors(problem), source)[goal]
    alone = dataclasses.replace(problem, starts=problem.starts[:1], goals=problem.goals[:1])
    assert naive.cost(alone, [path.tolist()]) == pytest.approx(expected)


@given(st.integers(0, 2**32 - 1))
def test_the_estimate_never_overestimates(seed: int) -> None:
    problem = random_digraph(np.random.default_rng(seed), 0.0)
    costs = costs_of(problem)
    xy, rates = costs.prepared.xy, costs.rates
    goal = int(problem.goals[0])
    back = naive.dijkstra(naive.reversed_edges(naive.successors(problem)), goal)
    for node, true in enumerate(back):
        assert estimate(xy, rates, node, goal) <= true * (1 + 1e-12)


def test_on_a_unit_grid_the_estimate_is_the_manhattan_distance() -> None:
    graph = StateGraph.from_grid(np.zeros((20, 20), bool))
    costs = costs_of(Problem(graph, [0], [399]))
    assert estimate(costs.prepared.xy, costs.rates, 0, 399) == 38.0
    path, expanded = cheapest_path(costs, 0, 399)
    assert len(path) == 39
    assert expanded <= 39


def test_no_way_gives_no_path() -> None:
    graph = StateGraph.from_grid(np.array([[0, 1, 0]], bool))
    for guided in (True, False):
        assert cheapest_path(costs_of(Problem(graph, [0], [1]), 2), 0, 1, guided=guided)[0].size == 0


def test_the_parent_of_a_node_is_the_last_of_those_that_account_for_it() -> None:
    graph = StateGraph.from_grid(np.zeros((3, 3), bool))
    path, expanded = cheapest_path(costs_of(Problem(graph, [0], [8])), 0, 8, guided=False)
    assert path.tolist() == [0, 3, 6, 7, 8]
    assert expanded == 8


@given(st.integers(0, 2**32 - 1))
def test_small_memory_grows(seed: int) -> None:
    problem = random_digraph(np.random.default_rng(seed), 0.0)
    source, goal = int(problem.starts[0]), int(problem.goals[0])
    costs = costs_of(problem)
    graph, heuristic = costs.forward, costs.heuristic()
    work = query_work(problem.graph.num_nodes, problem.graph.num_edges)
    work = work._replace(keys=work.keys[:1], items=work.items[:1], ready=work.ready[:1])
    status = FULL
    while status == FULL:
        status, _ = astar(graph, heuristic, source, goal, 10**9, work)
        work = grown(work) if status == FULL else work
    expected = naive.dijkstra(naive.successors(problem), source)[goal]
    assert work.g[goal] == pytest.approx(expected)


def test_work_is_clean_again() -> None:
    graph = StateGraph.from_grid(np.zeros((4, 4), bool))
    costs = costs_of(Problem(graph, [0], [15]))
    cheapest_path(costs, 0, 15)
    with costs.prepared.scratch() as work:
        assert np.isinf(work.g).all()
        assert not work.closed.any()
        assert work.sizes.tolist() == [0, 0, 0]
