"""LaCAM: valid plans, proofs that there is none, bounds, the same plan for the same seed."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import numpy as np
import pytest

import navplan as nv
from navplan.errors import InvalidInput, InvalidProblem
from navplan.graph.prepared import PreparedGraph
from navplan.graph.state_graph import StateGraph
from navplan.kernels.lacam.pibt import guided
from navplan.plan.problem import Problem
from navplan.plan.validation import validate
from navplan.planners.base import Clock
from navplan.planners.lacam import lacam
from navplan.planners.lacam.guide import add_guide
from navplan.planners.lacam.team import make_team
from navplan.planners.solving import solve
from tests.support.folders import MOVINGAI, needs_movingai
from tests.support.instances import random_digraph, random_grid, relabelled
from tests.support.naive import planning as naive


def problems(kind: str, count: int, seed: int = 7) -> Iterator[Problem]:
    """Random small problems, with or without a plan."""
    rng = np.random.default_rng([seed, len(kind)])
    found = 0
    while found < count:
        problem = random_grid(rng) if kind == "grid" else random_digraph(rng, 0.0)
        if problem is not None:
            found += 1
            yield problem


def grid(rows: list[str]) -> StateGraph:
    """A grid from its picture, # for walls."""
    return StateGraph.from_grid(np.array([[cell == "#" for cell in row] for row in rows]))


def task(rows: list[str], starts: list[int], goals: list[int]) -> Problem:
    """A problem on a grid from its picture."""
    return Problem(grid(rows), np.array(starts, np.int32), np.array(goals, np.int32))


def crowd(rng: np.random.Generator, side: int, agents: int) -> Problem:
    """Many agents on a random grid of which nothing is known."""
    graph = StateGraph.from_grid(rng.random((side, side)) < 0.15)
    starts, goals = (rng.choice(graph.num_nodes, agents, replace=False).astype(np.int32) for _ in range(2))
    return Problem(graph, starts, goals)


@pytest.mark.parametrize(("kind", "count"), [("grid", 250), ("digraph", 150)])
def test_first_plans_are_valid_and_bounded(kind: str, count: int) -> None:
    solved = 0
    for number, problem in enumerate(problems(kind, count)):
        plan = solve(problem, "lacam", time_limit=20)
        note = f"{kind} {number}: {plan.status} {plan.reason}"
        if plan.status == "infeasible":
            continue
        assert plan.status in ("feasible", "optimal"), note
        solved += 1
        validate(plan, problem)
        assert not naive.conflicts(problem, plan.paths), note
        assert plan.sum_of_costs == pytest.approx(naive.cost(problem, plan.paths)), note
        edges = naive.successors(problem)
        ends = zip(problem.starts.tolist(), problem.goals.tolist(), strict=True)
        alone = sum(naive.dijkstra(edges, start)[goal] for start, goal in ends)
        assert plan.lower_bound == pytest.approx(alone), note
    assert solved > count // 2


def test_small_problems_without_a_plan_are_proved_infeasible() -> None:
    """Against the joint-state oracle, on mazes so narrow that many problems have no plan."""
    rng = np.random.default_rng(11)
    proved = 0
    for _ in range(60):
        walls = rng.random((2, 4)) < 0.3
        graph = StateGraph.from_grid(walls)
        agents = 2 if graph.num_nodes < 6 else 3
        if graph.num_nodes <= agents:
            continue
        starts, goals = (rng.choice(graph.num_nodes, agents, replace=False).astype(np.int32) for _ in range(2))
        problem = Problem(graph, starts, goals)
        optimum = naive.joint_optimum(problem)
        plan = solve(problem, "lacam")
        assert plan.solved == math.isfinite(optimum if optimum is not None else 0.0)
        if plan.solved:
            validate(plan, problem)
        else:
            assert plan.status == "infeasible"
            proved += 1
    assert proved >= 10


def test_a_corridor_where_agents_cannot_pass_is_infeasible() -> None:
    plan = solve(task(["....."], [0, 4], [4, 0]), "lacam")
    assert plan.status == "infeasible"
    assert "tried" in plan.reason
    assert not plan.paths


def test_searches_that_begin_again_and_again_stay_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """With patience for one configuration at first, what has a plan gets one and what has none is proved to have none."""
    monkeypatch.setattr(lacam, "FEW_STEPS", 1)
    monkeypatch.setattr(lacam, "PATIENCE", 0.0)
    restarts = 0.0
    for problem in problems("digraph", 60, seed=5):
        plan = solve(problem, "lacam")
        restarts += plan.stats["restarts"]
        assert plan.solved == math.isfinite(naive.joint_optimum(problem))
        if plan.solved:
            validate(plan, problem)
    assert restarts >= 30


def test_an_unreachable_goal_names_the_agent() -> None:
    plan = solve(task([".#.", ".#."], [0, 1], [3, 2]), "lacam")
    assert plan.status == "infeasible"
    assert "agent 0" in plan.reason


@pytest.mark.parametrize(
    ("rows", "starts", "goals"),
    [
        ([".......", "#####.#"], [0, 6], [6, 0]),
        (["......", "##.###"], [0, 1, 5], [5, 4, 0]),
        ([".#####", "......", ".#####"], [3, 4], [4, 3]),
    ],
)
def test_agents_change_places_in_corridors(rows: list[str], starts: list[int], goals: list[int]) -> None:
    problem = task(rows, starts, goals)
    plan = solve(problem, "lacam")
    assert plan.solved
    validate(plan, problem)


@pytest.mark.parametrize(("kind", "count"), [("grid", 40), ("digraph", 40)])
def test_anytime_to_the_end_proves_the_least_loss(kind: str, count: int) -> None:
    """The loss proved is a lower bound of the optimum; where nobody leaves its goal again it is the optimum."""
    proved = 0
    for number, problem in enumerate(problems(kind, count, seed=3)):
        if problem.num_agents > 2:
            continue
        optimum = naive.joint_optimum(problem)
        plan = solve(problem, "lacam", anytime=True, time_limit=10)
        note = f"{kind} {number}: {plan.status} {plan.reason}"
        if optimum == math.inf:
            assert plan.status == "infeasible", note
            continue
        assert optimum is not None
        validate(plan, problem)
        assert plan.sum_of_costs is not None
        assert plan.lower_bound is not None
        assert plan.lower_bound <= optimum * (1 + 1e-9), note
        assert plan.sum_of_costs >= optimum * (1 - 1e-9), note
        proved += plan.status == "optimal"
    assert proved >= 5


@pytest.mark.alone
def test_anytime_improves_and_keeps_its_deadline() -> None:
    problem = crowd(np.random.default_rng(5), 12, 50)
    first = solve(problem, "lacam", scatter=False)
    better = solve(problem, "lacam", scatter=False, anytime=True, time_limit=1.0)
    assert first.sum_of_costs is not None
    assert better.sum_of_costs is not None
    assert better.sum_of_costs < first.sum_of_costs
    assert better.runtime_s < 1.1
    validate(better, problem)


@pytest.mark.alone
def test_a_deadline_in_the_past_is_a_timeout() -> None:
    problem = crowd(np.random.default_rng(5), 12, 30)
    solve(problem, "lacam", time_limit=0.0)  # kernels are loaded before the clock starts
    began = time.perf_counter()
    plan = solve(problem, "lacam", time_limit=0.0)
    assert plan.status == "timeout"
    assert time.perf_counter() - began < 0.5


def test_the_same_seed_gives_the_same_plan() -> None:
    problem = crowd(np.random.default_rng(8), 16, 80)
    plans = [solve(problem, "lacam", seed=seed) for seed in (3, 3, 4)]
    same = [all(np.array_equal(a, b) for a, b in zip(plans[0].paths, plan.paths, strict=True)) for plan in plans]
    assert same == [True, True, False]


@pytest.mark.parametrize("samples", [1, 5])
def test_relabelled_digraphs_have_plans_too(samples: int) -> None:
    rng = np.random.default_rng(17)
    for problem in problems("digraph", 20, seed=17):
        renamed = relabelled(problem, rng.permutation(problem.graph.num_nodes))
        plans = [solve(p, "lacam", samples=samples) for p in (problem, renamed)]
        assert plans[0].solved == plans[1].solved
        if plans[0].solved:
            validate(plans[0], problem)
            validate(plans[1], renamed)


def test_memory_is_limited() -> None:
    problem = crowd(np.random.default_rng(5), 12, 40)
    plan = solve(problem, "lacam", anytime=True, memory_mb=2, time_limit=20)
    assert plan.solved
    assert "memory" in plan.reason


def test_bodies_with_a_size_are_refused() -> None:
    problem = next(problems("digraph", 1))
    wide = Problem(problem.graph, problem.starts, problem.goals, clearance=0.5)
    with pytest.raises(InvalidProblem, match="clearance"):
        solve(wide, "lacam")


@pytest.mark.parametrize("bad", [{"samples": 0}, {"memory_mb": -1}, {"restart": 1.5}, {"time_limit": -1}])
def test_bad_options_are_named(bad: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(bad))):
        nv.planners.get("lacam")(**bad)


@needs_movingai
def test_hundreds_of_agents_on_a_crowded_map() -> None:
    folder = MOVINGAI
    problem = nv.load_problem(
        folder / "maps" / "random-32-32-20.map", scen=folder / "scens" / "random-32-32-20-random-1.scen", agents=400
    )
    plan = solve(problem, "lacam", time_limit=20)
    assert plan.status == "feasible"
    validate(plan, problem)


@pytest.mark.kernels
@pytest.mark.parametrize("kind", ["grid", "digraph"])
def test_a_few_of_each_kind(kind: str) -> None:
    """Small enough to run as plain Python."""
    for problem in problems(kind, 4, seed=23):
        for options in ({}, {"samples": 3}, {"anytime": True, "time_limit": 0.3}):
            plan = solve(problem, "lacam", **options)
            if plan.solved:
                validate(plan, problem)
                assert not naive.conflicts(problem, plan.paths)


@pytest.mark.kernels
def test_scattered_paths_are_near_shortest_and_meet_less() -> None:
    rng = np.random.default_rng(12)
    problem = crowd(rng, 10, 12)
    team = make_team(problem, PreparedGraph(problem.graph), Clock(None), rng)
    assert np.isfinite(team.alone).all()
    guided_team = add_guide(problem, team, Clock(None), rng, 6, None)
    paths = []
    for agent in range(problem.num_agents):
        nodes = [int(problem.starts[agent])]
        while nodes[-1] != problem.goals[agent]:
            nodes.append(int(guided(guided_team.scene, agent, nodes[-1])))
        assert len(nodes) - 1 <= team.alone[agent] + 6
        paths.append(nodes)
    naive.cost(problem, paths)
    alone = [naive.path(problem, agent) for agent in range(problem.num_agents)]
    assert len(naive.conflicts(problem, paths)) < len(naive.conflicts(problem, alone))


def test_scattering_pays_on_a_wide_map() -> None:
    problem = crowd(np.random.default_rng(6), 40, 150)
    with_it, without = (solve(problem, "lacam", scatter=choice).sum_of_costs for choice in (True, False))
    assert with_it is not None
    assert without is not None
    assert with_it < 0.98 * without
