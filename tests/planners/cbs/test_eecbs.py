"""EECBS against the joint-state oracle: cost within the factor, bound proved, plans valid, limits kept."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest

from navplan.errors import InvalidInput, InvalidProblem
from navplan.graph.state_graph import StateGraph
from navplan.kernels.cbs.eecbs_memory import STATE
from navplan.kernels.cbs.eecbs_tree import CONFLICT_LIST, LABELS, PATHS, STEPS, TREE_NODES
from navplan.plan.problem import Problem
from navplan.plan.validation import validate
from navplan.planners.base import Clock
from navplan.planners.cbs import eecbs_search
from navplan.planners.cbs.eecbs import EECBS
from navplan.planners.cbs.eecbs_search import ExplicitEstimationSearch
from navplan.planners.cbs.root_bound import RootBound
from navplan.planners.field import Field
from navplan.planners.solving import solve
from tests.support.instances import interact, random_digraph, random_grid, relabelled
from tests.support.naive import planning as naive

CASES = 300
# Costs add up to within this much of what they are.
ROUNDING = 1e-9


def problem_of(seed: int) -> Problem:
    """A small problem whose agents meet: a grid for odd seeds, a directed weighted graph for even ones."""
    rng = np.random.default_rng(seed)
    while True:
        problem = random_grid(rng) if seed % 2 else random_digraph(rng, 0.0)
        if problem is not None and interact(problem):
            return problem


def paths_of(problem: Problem, **options: Any) -> list[list[int]]:
    return [path.tolist() for path in solve(problem, "eecbs", **options).paths]


@pytest.mark.parametrize("part", range(4))
def test_cost_within_factor_and_bound_below_optimum(part: int) -> None:
    solved = 0
    for seed in range(part * CASES, (part + 1) * CASES):
        problem = problem_of(seed)
        optimum = naive.joint_optimum(problem, 30_000)
        if optimum is None or optimum == math.inf:
            continue
        factor = (1.0, 1.02, 1.05, 1.2, 2.0)[seed // 2 % 5]
        plan = solve(problem, "eecbs", suboptimality=factor, flexible=seed % 3 > 0, max_nodes=20_000)
        assert plan.solved or plan.status == "unsolved", seed
        assert plan.lower_bound is not None
        assert plan.lower_bound <= optimum + ROUNDING, seed
        if not plan.solved:
            continue
        solved += 1
        validate(plan, problem)
        assert plan.sum_of_costs is not None
        assert optimum - ROUNDING <= plan.sum_of_costs <= factor * optimum + ROUNDING, seed
        assert plan.sum_of_costs <= factor * plan.lower_bound * (1.0 + ROUNDING) + ROUNDING, seed
        if factor == 1.0:
            assert plan.status == "optimal"
        assert naive.cost(problem, plan.paths) == pytest.approx(plan.sum_of_costs)
    assert solved >= 0.6 * CASES


def test_pairs_raise_the_bound() -> None:
    # two agents swap ends of a corridor with one pocket: each alone pays 4, together they must pay more
    walls = np.array([[1, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)
    graph = StateGraph.from_grid(walls)
    ids = {tuple(cell): node for node, cell in enumerate(graph.cells().tolist())}
    problem = make(graph, [ids[1, 0], ids[1, 4]], [ids[1, 4], ids[1, 0]])
    prepared = EECBS().prepare(graph)
    bound = RootBound(Field.of(problem, prepared, Clock(None)))
    assert bound.total([(1, 0)], Clock(None)) + 8.0 == naive.joint_optimum(problem)


@pytest.mark.kernels
def test_crossing_agents_take_turns() -> None:
    graph = StateGraph.from_grid(np.zeros((3, 3), bool))
    plan = solve(make(graph, [1, 3], [7, 5]), "eecbs", suboptimality=1.0)
    assert plan.status == "optimal"
    assert plan.sum_of_costs == 5.0
    assert plan.suboptimality == 1.0


@pytest.mark.kernels
def test_agent_at_rest_makes_way() -> None:
    # the first agent's goal lies in a corridor that the second must pass: only the pocket lets them
    walls = np.array([[1, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)
    graph = StateGraph.from_grid(walls)
    ids = {tuple(cell): node for node, cell in enumerate(graph.cells().tolist())}
    problem = make(graph, [ids[1, 1], ids[1, 0]], [ids[1, 2], ids[1, 4]])
    optimum = naive.joint_optimum(problem)
    plan = solve(problem, "eecbs", suboptimality=1.0)
    validate(plan, problem)
    assert plan.sum_of_costs == optimum
    assert plan.status == "optimal"


def make(graph: StateGraph, starts: list[int], goals: list[int], clearance: float | None = None) -> Problem:
    return Problem(graph, np.array(starts, np.int32), np.array(goals, np.int32), clearance=clearance)


def crowd(agents: int, seed: int, size: int = 12) -> Problem:
    rng = np.random.default_rng(seed)
    graph = StateGraph.from_grid(rng.random((size, size)) < 0.1)
    home = naive.dijkstra(naive.successors(make(graph, [0], [1])), 0)
    reach = np.flatnonzero(np.isfinite(home))
    return Problem(graph, rng.choice(reach, agents, replace=False), rng.choice(reach, agents, replace=False))


@pytest.mark.parametrize("flexible", [False, True])
def test_crowds(flexible: bool) -> None:
    for seed in range(6):
        problem = crowd(30, seed)
        plan = solve(problem, "eecbs", time_limit=20, flexible=flexible)
        assert plan.solved, plan.reason
        validate(plan, problem)
        assert plan.lower_bound is not None
        assert plan.sum_of_costs is not None
        assert plan.sum_of_costs <= 1.2 * plan.lower_bound + ROUNDING


def test_same_seed_same_plan() -> None:
    problem = crowd(30, 3)
    assert paths_of(problem, seed=5) == paths_of(problem, seed=5)


def test_relabelled_vertices_keep_the_optimum() -> None:
    for seed in range(0, 40, 2):
        problem = problem_of(seed)
        order = np.random.default_rng(seed).permutation(problem.graph.num_nodes)
        here = solve(problem, "eecbs", suboptimality=1.0, max_nodes=2000)
        there = solve(relabelled(problem, order), "eecbs", suboptimality=1.0, max_nodes=2000)
        if here.solved and there.solved:
            assert here.sum_of_costs == pytest.approx(there.sum_of_costs)


@pytest.mark.alone
def test_deadline_is_kept() -> None:
    problem = crowd(90, 1)
    solve(crowd(4, 0), "eecbs")
    began = time.perf_counter()
    plan = solve(problem, "eecbs", suboptimality=1.0, time_limit=0.5)
    assert time.perf_counter() - began < 1.5
    assert plan.status == "timeout"
    assert "time limit" in plan.reason
    assert plan.lower_bound is not None
    assert solve(problem, "eecbs", time_limit=0.0).status == "timeout"


def test_node_limit() -> None:
    plan = solve(crowd(60, 1), "eecbs", suboptimality=1.0, max_nodes=3)
    assert plan.status == "unsolved"
    assert "node limit of 3" in plan.reason
    assert plan.stats["expanded"] == 3


def test_unreachable_goal_is_named() -> None:
    walls = np.array([[0, 0, 1, 0]], bool)
    plan = solve(make(StateGraph.from_grid(walls), [0, 1], [1, 2]), "eecbs")
    assert plan.status == "infeasible"
    assert "agent 1 cannot reach its goal" in plan.reason


def test_refusals() -> None:
    graph = StateGraph.from_grid(np.zeros((3, 3), bool))
    with pytest.raises(InvalidProblem, match="use ecbs"):
        solve(make(graph, [0, 8], [8, 0], clearance=0.9), "eecbs")
    with pytest.raises(InvalidInput, match="suboptimality"):
        EECBS(suboptimality=0.9)
    with pytest.raises(InvalidInput, match="max_nodes"):
        EECBS(max_nodes=-1)


def test_one_agent_already_there() -> None:
    graph = StateGraph.from_grid(np.zeros((2, 2), bool))
    plan = solve(make(graph, [1], [1]), "eecbs")
    assert plan.status == "optimal"
    assert plan.sum_of_costs == 0.0


def test_growing_pools_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = crowd(100, 2, size=24)
    before = paths_of(problem)
    make_work, make_tree, make_table = eecbs_search._make_work, eecbs_search._make_tree, eecbs_search._make_table
    grown: list[int] = []
    monkeypatch.setattr(eecbs_search, "_make_work", lambda nodes, *_: make_work(nodes, 32, 4))
    monkeypatch.setattr(eecbs_search, "_make_tree", lambda agents, *_: make_tree(agents, agents + 4, 64, 1))
    monkeypatch.setattr(eecbs_search, "_make_table", lambda field, steps: make_table(field, 5 if not grown else steps))
    grow = ExplicitEstimationSearch._grow

    def watched(search: ExplicitEstimationSearch) -> None:
        grown.append(int(search.tree.state[STATE.need]))
        grow(search)

    monkeypatch.setattr(ExplicitEstimationSearch, "_grow", watched)
    assert paths_of(problem) == before
    assert set(grown) == {LABELS, TREE_NODES, PATHS, STEPS, CONFLICT_LIST}
