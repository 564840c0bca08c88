"""Plans on a prepared graph are those on a plain one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import navplan as nv
from navplan.graph.prepared import PreparedGraph
from navplan.planners.registry import get
from tests.support.instances import random_digraph, random_grid

PLANNERS = ("dijkstra", "cbs", "ecbs", "eecbs", "lacam", "pibt", "pbs", "prioritized", "risk")


def instances(count: int) -> list[nv.Problem]:
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        problem = random_grid(rng) if seed % 2 else random_digraph(rng, 0.0)
        if problem is not None:
            found.append(dataclasses.replace(problem, beta=float(seed % 3)))
    return found


@pytest.mark.parametrize("planner", PLANNERS)
def test_the_plan_is_the_same_however_often_a_prepared_graph_was_used(planner: str) -> None:
    for problem in instances(12):
        if get(planner).max_agents == 1:
            problem = dataclasses.replace(problem, starts=problem.starts[:1], goals=problem.goals[:1])
        plain = nv.solve(problem, planner, time_limit=20, seed=1)
        prepared = problem.graph.prepare(landmarks=2)
        for _ in range(2):
            again = nv.solve(problem, planner, time_limit=20, seed=1, prepared=prepared)
            assert (again.status, again.sum_of_costs) == (plain.status, plain.sum_of_costs)
            assert [path.tolist() for path in again.paths] == [path.tolist() for path in plain.paths]


def test_landmarks_leave_costs_alone() -> None:
    for problem in instances(30):
        alone = dataclasses.replace(problem, starts=problem.starts[:1], goals=problem.goals[:1])
        plain = nv.solve(alone, "dijkstra")
        led = nv.solve(alone, "astar", prepared=problem.graph.prepare(beta=problem.beta, landmarks=3))
        assert led.status == plain.status
        assert led.sum_of_costs == pytest.approx(plain.sum_of_costs)


def test_bodies_that_do_not_fit_everywhere_have_a_part_of_it() -> None:
    walls = np.zeros((5, 9), bool)
    walls[:2, 4] = walls[3:, 4] = True
    graph = nv.StateGraph.from_grid(walls)
    prepared = graph.prepare()
    for radius in (0.25, 0.6):
        problem = nv.Problem(graph, [18 - 9], [18 - 9 + 4], radius=radius)
        plain, again = nv.solve(problem, "astar"), nv.solve(problem, "astar", prepared=prepared)
        assert (again.status, again.sum_of_costs) == (plain.status, plain.sum_of_costs)
    assert prepared.fitting(0.25) is prepared
    assert prepared.fitting(0.6) is prepared.fitting(0.6) is not prepared


def test_one_of_another_graph_is_refused() -> None:
    graph = nv.StateGraph.from_grid(np.zeros((2, 3), bool))
    other = nv.StateGraph.from_grid(np.zeros((2, 3), bool))
    with pytest.raises(nv.InvalidInput, match="prepared is of another graph, with 6 nodes and 14 edges"):
        nv.solve(nv.Problem(graph, [0], [5]), "cbs", prepared=other.prepare())
    with pytest.raises(nv.InvalidInput, match="prepared is 3"):
        nv.solve(nv.Problem(graph, [0], [5]), "cbs", prepared=3)  # type: ignore[arg-type]


def test_tables_go_when_there_are_too_many() -> None:
    graph = nv.StateGraph.from_grid(np.zeros((10, 10), bool))
    prepared = PreparedGraph(graph, table_bytes=5 * 100 * 8)
    for goal in range(20):
        nv.solve(nv.Problem(graph, [99], [goal]), "cbs", prepared=prepared)
        assert len(prepared.tables) <= 5
