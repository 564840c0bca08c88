"""Edges forbidden to some agents: kept by every planner that says so, refused by the others, checked by the validator."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from navplan.errors import InvalidProblem
from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from navplan.plan.validation import validate, violations
from navplan.planners import get, names
from navplan.planners.solving import solve
from tests.support.naive.planning import joint_optimum

KEEPING = ("cbs", "ecbs", "eecbs", "lacam", "lns", "pbs", "pibt", "prioritized")
LIMITS = {"lns": {"max_iterations": 20}}


def two_corridors() -> Problem:
    """Agent 0 may not use the short way, in either direction; agent 1 may use all."""
    walls = np.zeros((4, 5), bool)
    walls[1, 1:4] = True
    graph = StateGraph.from_grid(walls)
    node = {tuple(cell): k for k, cell in enumerate(graph.cells().tolist())}
    starts, goals = [node[0, 1], node[3, 0]], [node[0, 3], node[3, 4]]
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    pair = {node[0, 2], node[0, 3]}
    short = np.array([{int(u), int(v)} == pair for u, v in zip(tails, graph.indices, strict=True)])
    return Problem(graph, starts, goals, forbidden=(short, None))


@pytest.mark.parametrize("planner", KEEPING)
def test_an_agent_goes_round_what_is_forbidden_to_it_alone(planner: str) -> None:
    problem = two_corridors()
    plan = solve(problem, planner, **LIMITS.get(planner, {}))
    assert plan.solved, plan.reason
    validate(plan, problem)
    free = dataclasses.replace(problem, forbidden=None)
    with_masks, without = len(plan.paths[0]), len(solve(free, planner, **LIMITS.get(planner, {})).paths[0])
    assert with_masks >= 11 > without


@pytest.mark.parametrize("planner", KEEPING)
def test_no_way_left_is_told(planner: str) -> None:
    problem = two_corridors()
    shut = np.ones(problem.graph.num_edges, bool)
    plan = solve(dataclasses.replace(problem, forbidden=(None, shut)), planner)
    assert plan.status == "infeasible"
    assert "agent 1 cannot reach its goal" in plan.reason


def random_problem(rng: np.random.Generator) -> Problem:
    """Two agents on a graph of five nodes with symmetric edges, each with masks of its own."""
    nodes = 5
    matrix = np.triu(rng.random((nodes, nodes)) < 0.7, 1)
    matrix |= matrix.T
    cost = np.triu(rng.integers(1, 5, (nodes, nodes)), 1).astype(float)
    tails, heads = np.nonzero(matrix)
    indptr = np.searchsorted(tails, np.arange(nodes + 1)).astype(np.int32)
    distance = (cost + cost.T)[tails, heads]
    states = np.stack([np.arange(nodes) * 3.0, np.arange(nodes) % 2 * 4.0], axis=1).astype(np.float32)
    graph = StateGraph(states, indptr, heads.astype(np.int32), distance, np.zeros(len(heads)), np.zeros(nodes))
    starts, goals = rng.permutation(nodes)[:2], rng.permutation(nodes)[:2]
    masks = tuple(rng.random(graph.num_edges) < 0.25 for _ in range(2))
    return Problem(graph, starts, goals, clearance=0.0, forbidden=masks)


def test_costs_are_those_of_all_ways_tried() -> None:
    solvable = 0
    for seed in range(50):
        problem = random_problem(np.random.default_rng(seed))
        best = joint_optimum(problem)
        if best == math.inf:
            assert solve(problem, "lacam", time_limit=5).status == "infeasible"
            continue
        solvable += 1
        assert solve(problem, "cbs").sum_of_costs == pytest.approx(best)
        for name in KEEPING[1:]:
            plan = solve(problem, name, seed=seed, **LIMITS.get(name, {"time_limit": 2.0}))
            if plan.solved:
                validate(plan, problem)
                assert plan.sum_of_costs is not None
                assert plan.sum_of_costs >= best - 1e-9
            else:
                assert name in ("lns", "pbs", "pibt", "prioritized")
    assert 15 <= solvable < 50


def test_masks_follow_their_edges_onto_a_part_of_the_graph() -> None:
    problem = two_corridors()
    keep = np.arange(problem.graph.num_edges) % 5 != 0
    part = problem.on(problem.graph.keep(keep))
    assert part.forbidden is not None
    assert problem.forbidden is not None
    np.testing.assert_array_equal(part.forbidden[0], problem.forbidden[0][keep])
    assert problem.on(problem.graph) is problem


def test_the_validator_names_a_move_that_is_forbidden() -> None:
    problem = two_corridors()
    plan = solve(dataclasses.replace(problem, forbidden=None), "cbs")
    found = [violation for violation in violations(plan, problem) if violation.kind == "forbidden"]
    assert [violation.agents for violation in found] == [(0,)]
    assert "forbidden to it" in found[0].message


def test_other_planners_say_that_they_cannot() -> None:
    problem = two_corridors()
    for name in names():
        why = get(name)().supports(problem)
        assert (why is None) == (name in KEEPING), (name, why)


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ((None,), "1 masks for 2 agents"),
        (([True], None), r"agent 0: the forbidden edges have shape \(1,\)"),
        ((None, "x"), "agent 1: the forbidden edges"),
        (3, "forbidden is a int"),
    ],
)
def test_masks_that_are_none_are_refused(masks: object, message: str) -> None:
    with pytest.raises(InvalidProblem, match=message):
        dataclasses.replace(two_corridors(), forbidden=masks)
