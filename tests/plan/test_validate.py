"""The checker must see every kind of broken rule, and nothing else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import navplan as nv
from navplan.plan.plan import Plan, make_plan

OPEN = np.zeros((3, 3), dtype=bool)


def grid_problem(starts: list[int], goals: list[int], **options: float) -> nv.Problem:
    return nv.Problem(nv.StateGraph.from_grid(OPEN), starts, goals, **options)


def plan_of(problem: nv.Problem, *paths: list[int]) -> Plan:
    return make_plan(problem, "by hand", "feasible", paths)


def kinds(plan: Plan, problem: nv.Problem, **options: bool) -> list[str]:
    return [v.kind for v in nv.violations(plan, problem, **options)]


def test_a_valid_plan_passes() -> None:
    problem = grid_problem([0, 8], [2, 6])
    plan = plan_of(problem, [0, 1, 2], [8, 7, 6])
    assert nv.violations(plan, problem) == []
    nv.validate(plan, problem)


def test_wrong_start_and_goal() -> None:
    problem = grid_problem([0], [2])
    assert kinds(plan_of(problem, [1, 2]), problem) == ["start"]
    assert kinds(plan_of(problem, [0, 1]), problem) == ["goal"]


def test_a_jump_is_not_an_edge() -> None:
    problem = grid_problem([0], [2])
    plan = plan_of(problem, [0, 1, 2])
    path = np.array([0, 2], dtype=np.int32)
    broken = dataclasses.replace(plan, paths=(path,), coordinates=(problem.graph.states[path],))
    assert kinds(broken, problem) == ["edge"]


def test_vertex_conflict_late_in_the_plan() -> None:
    problem = grid_problem([0, 8], [2, 6])
    plan = plan_of(problem, [0, 3, 4, 5, 2], [8, 7, 4, 3, 6])
    found = nv.violations(plan, problem)
    assert [(v.kind, v.step, v.agents) for v in found] == [("vertex", 2, (0, 1))]
    with pytest.raises(nv.InvalidPlan, match="both at node 4 at step 2"):
        nv.validate(plan, problem)


def test_swap_conflict() -> None:
    problem = grid_problem([0, 1], [1, 0])
    assert kinds(plan_of(problem, [0, 1], [1, 0]), problem) == ["swap"]


def test_an_agent_at_its_goal_stays_in_the_way() -> None:
    problem = grid_problem([1, 0], [4, 2])
    plan = plan_of(problem, [1, 4], [0, 3, 4, 5, 2])
    assert [(v.kind, v.step) for v in nv.violations(plan, problem)] == [("vertex", 2)]


def test_following_is_allowed_unless_forbidden() -> None:
    problem = grid_problem([0, 1], [1, 2])
    plan = plan_of(problem, [0, 1], [1, 2])
    assert kinds(plan, problem) == []
    assert kinds(plan, problem, forbid_following=True) == ["following"]


def test_clearance_sees_moves_that_pass_too_closely() -> None:
    # Two moves at a right angle round the corner node 0: at half time their centres are sqrt(0.5) apart.
    problem = grid_problem([1, 0], [0, 3], clearance=0.8)
    plan = plan_of(problem, [1, 0], [0, 3])
    found = nv.violations(plan, problem)
    assert [v.kind for v in found] == ["clearance"]
    assert "0.707" in found[0].message
    loose = grid_problem([1, 0], [0, 3], clearance=0.7)
    assert kinds(plan_of(loose, [1, 0], [0, 3]), loose) == []


def test_false_claims_are_found() -> None:
    problem = grid_problem([0], [2])
    plan = plan_of(problem, [0, 1, 2])
    assert kinds(dataclasses.replace(plan, sum_of_costs=1.0), problem) == ["cost"]
    assert kinds(dataclasses.replace(plan, lower_bound=3.0), problem) == ["bound"]
    assert kinds(dataclasses.replace(plan, status="optimal", lower_bound=1.0), problem) == ["bound"]
    assert kinds(dataclasses.replace(plan, status="optimal", lower_bound=2.0), problem) == []


def test_foreign_coordinates_are_found() -> None:
    problem = grid_problem([0], [2])
    plan = plan_of(problem, [0, 1, 2])
    moved = tuple(c + np.float32(1) for c in plan.coordinates)
    assert kinds(dataclasses.replace(plan, coordinates=moved), problem) == ["shape"]


def test_an_unsolved_plan_is_not_valid() -> None:
    problem = grid_problem([0], [2])
    assert kinds(make_plan(problem, "by hand", "timeout"), problem) == ["shape"]


def test_waits_are_priced_with_their_risk() -> None:
    base = nv.StateGraph.from_grid(OPEN)
    graph = dataclasses.replace(base, risk=np.full(base.num_edges, 0.5), wait_risk=np.full(9, 0.25))
    problem = nv.Problem(graph, [0], [2], beta=2.0, wait_cost=3.0)
    plan = plan_of(problem, [0, 0, 1, 2, 2])
    assert plan.sum_of_costs == pytest.approx((3.0 + 2 * 0.25) + 2 * (1 + 2 * 0.5))
    assert plan.total_risk == pytest.approx(0.25 + 2 * 0.5)
    assert plan.makespan == 3
    assert kinds(plan, problem) == []


def test_a_ratio_must_follow_from_the_bound() -> None:
    problem = grid_problem([0], [2])
    plan = make_plan(problem, "by hand", "bounded", [[0, 3, 4, 5, 2]], lower_bound=2.0)
    assert plan.suboptimality == 2.0
    assert kinds(plan, problem) == []
    assert kinds(dataclasses.replace(plan, suboptimality=2.5), problem) == []  # weaker, and as true
    assert kinds(dataclasses.replace(plan, suboptimality=1.5), problem) == ["bound"]
    assert kinds(dataclasses.replace(plan, suboptimality=None), problem) == ["bound"]
    assert kinds(dataclasses.replace(plan, lower_bound=None), problem) == ["bound"]
