"""Risk budgets: one agent and agents that share one, against exhaustive answers."""

from __future__ import annotations

import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from navplan.errors import InvalidInput, InvalidPlan, InvalidProblem, PlanningFailed
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.plan.validation import validate, violations
from navplan.planners.pareto import pareto_front
from navplan.planners.risk.planner import Risk
from navplan.planners.solving import solve
from tests.support.instances import relabelled
from tests.support.naive import planning as naive
from tests.support.naive import risk as risk_oracle

ALLOCATIONS = ("joint", "uniform", "surplus-deficit", "market-price")


def check(plan: Plan, problem: Problem) -> None:
    """The rules, the budget, and the proof of it."""
    validate(plan, problem)
    assert not naive.conflicts(problem, plan.paths)
    budget = problem.risk_budget
    assert budget is not None
    assert risk_of(plan, problem) <= budget + 1e-9
    assert plan.total_risk == pytest.approx(risk_of(plan, problem))
    assert len(plan.allocations) == len(plan.risks) == problem.num_agents
    assert math.fsum(plan.allocations) <= budget + 1e-9
    assert all(risk <= share + 1e-9 for risk, share in zip(plan.risks, plan.allocations, strict=True))


def risk_of(plan: Plan, problem: Problem) -> float:
    return risk_oracle.risk_of(problem, plan.paths)


def one_agent(seed: int) -> Problem:
    rng = np.random.default_rng([1, seed])
    return risk_oracle.with_budget(rng, 0.0, 1)


def assert_front(problem: Problem) -> None:
    free = dataclasses.replace(problem, risk_budget=None)
    expected = risk_oracle.front(free)
    found = pareto_front(free)
    assert [(p.distance, p.risk) for p in found] == [(pytest.approx(c), pytest.approx(r, abs=1e-12)) for c, r in expected]
    for point in found:
        assert naive.cost(free, [point.path]) == pytest.approx(point.distance)
        assert risk_oracle.risk_of(free, [point.path]) == pytest.approx(point.risk, abs=1e-12)
    budget = problem.risk_budget
    assert budget is not None
    assert len(pareto_front(problem)) == sum(risk <= budget + 1e-9 for _, risk in expected)


def assert_one(problem: Problem) -> None:
    budget = problem.risk_budget
    assert budget is not None
    costs = [cost for cost, risk in risk_oracle.front(problem) if risk <= budget + 1e-9]
    plan = solve(problem, "risk")
    if not costs:
        assert plan.status == "infeasible"
        assert f"{budget:g}" in plan.reason
        assert f"{risk_oracle.least_risk(problem):g}" in plan.reason
        return
    assert plan.status == "optimal", plan.reason
    assert plan.sum_of_costs == pytest.approx(costs[0])
    check(plan, problem)


def test_the_front_is_the_exhaustive_one() -> None:
    for seed in range(120):
        assert_front(one_agent(seed))


def test_one_agent_within_its_budget_costs_what_the_exhaustive_front_says() -> None:
    for seed in range(300):
        assert_one(one_agent(seed))


@pytest.mark.kernels
def test_a_few_small_enough_for_plain_python() -> None:
    for seed in range(5):
        assert_front(one_agent(seed))
        assert_one(one_agent(seed))
        assert_shared(shared_problem(seed, 2))


def shared_problem(seed: int, agents: int) -> Problem:
    rng = np.random.default_rng([agents, seed])
    return risk_oracle.with_budget(rng, float(rng.choice([0.0, 0.25])), agents)


def assert_shared(problem: Problem, limit: int = 60_000) -> bool:
    """False when the instance is too large for the oracle."""
    optimum = risk_oracle.joint_optimum(problem, limit)
    if optimum is None:
        return False
    for allocation in ALLOCATIONS:
        plan = solve(problem, Risk(allocation=allocation), time_limit=20)
        note = f"{allocation}: {plan.status}: {plan.reason}"
        if plan.solved:
            check(plan, problem)
            assert plan.sum_of_costs is not None
            assert plan.sum_of_costs >= optimum * (1 - 1e-9), note
        elif math.isfinite(optimum):
            assert allocation == "uniform", note
            assert plan.status == "unsolved", note
        if plan.lower_bound is not None and math.isfinite(optimum):
            assert plan.lower_bound <= optimum * (1 + 1e-9), note
        if plan.status == "optimal" or allocation == "joint":
            if math.isinf(optimum):
                assert plan.status in ("infeasible", "timeout"), note
            else:
                assert plan.status == "optimal", note
                assert plan.sum_of_costs == pytest.approx(optimum), note
        if plan.status == "infeasible":
            assert math.isinf(optimum), note
    return True


@pytest.mark.slow
@pytest.mark.parametrize(("agents", "count"), [(2, 200), (3, 40)])
def test_a_shared_budget_against_the_joint_state_oracle(agents: int, count: int) -> None:
    assert sum(assert_shared(shared_problem(seed, agents)) for seed in range(count)) > 0.8 * count


def free_waits(seed: int, agents: int) -> Problem:
    """Waits that cost and risk nothing: agents may put a conflict off for ever at no higher bound."""
    rng = np.random.default_rng([agents, seed, 77])
    problem = risk_oracle.with_budget(rng, float(rng.choice([0.0, 0.25])), agents)
    graph = dataclasses.replace(problem.graph, wait_risk=np.zeros(problem.graph.num_nodes))
    problem = dataclasses.replace(problem, graph=graph, wait_cost=0.0)
    return dataclasses.replace(problem, risk_budget=risk_oracle.least_risk(problem) + float(rng.choice([0.0, 0.3, 1.0, 3.0])))


def assert_proved(problem: Problem) -> None:
    optimum = risk_oracle.joint_optimum(problem, 60_000)
    assert optimum is not None
    plan = solve(problem, "risk", time_limit=20)
    assert plan.status == ("infeasible" if math.isinf(optimum) else "optimal"), plan.reason
    if plan.solved:
        check(plan, problem)
        assert plan.sum_of_costs == pytest.approx(optimum)


@pytest.mark.parametrize(("agents", "seed"), [(2, 0), (2, 1), (3, 2), (3, 17), (3, 18)])
def test_where_waits_are_free_the_bound_is_closed(agents: int, seed: int) -> None:
    """The last three ran for ever: a plan without proof, one that was not found, and no plan at all."""
    assert_proved(free_waits(seed, agents))


@pytest.mark.slow
@pytest.mark.parametrize("agents", [2, 3])
def test_where_waits_are_free_against_the_oracle(agents: int) -> None:
    for seed in range(100):
        assert_proved(free_waits(seed, agents))


@pytest.mark.parametrize("agents", [1, 3])
def test_more_budget_never_costs_more(agents: int) -> None:
    for seed in range(12):
        problem = shared_problem(seed, agents)
        low = risk_oracle.least_risk(problem)
        costs = []
        for share in (0.0, 0.1, 0.3, 0.6, 1.0, 2.0):
            plan = solve(dataclasses.replace(problem, risk_budget=low + share * agents), "risk", time_limit=20)
            costs.append(plan.sum_of_costs if plan.sum_of_costs is not None else math.inf)
        assert all(after <= before * (1 + 1e-9) for before, after in itertools.pairwise(costs) if before < math.inf)


def test_labels_of_vertices_change_no_cost_and_runs_repeat() -> None:
    for seed in range(20):
        problem = shared_problem(seed, 2)
        order = np.random.default_rng(seed).permutation(problem.graph.num_nodes)
        other = dataclasses.replace(relabelled(problem, order), risk_budget=problem.risk_budget)
        plan, again, moved = (solve(p, "risk", time_limit=20) for p in (problem, problem, other))
        assert plan.status == moved.status
        if plan.solved:
            assert moved.sum_of_costs == pytest.approx(plan.sum_of_costs)
            assert all((a == b).all() for a, b in zip(plan.paths, again.paths, strict=True))
            assert plan.allocations == again.allocations


def corridor() -> StateGraph:
    """0 - 1 - 2 short and risky, 0 - 3 - 4 - 2 long and safe, and back."""
    pairs = {(0, 1): (1.0, 3.0), (1, 2): (1.0, 1.0), (0, 3): (1.0, 0.1), (3, 4): (2.0, 0.2), (4, 2): (1.0, 0.1)}
    pairs.update({(v, u): both for (u, v), both in list(pairs.items())})
    edges = sorted(pairs)
    return StateGraph(
        states=np.array([[0, 0], [0, 1], [0, 2], [1, 0], [1, 2]], np.float32),
        indptr=np.searchsorted([u for u, _ in edges], range(6)).astype(np.int32),
        indices=np.array([v for _, v in edges], np.int32),
        distance=np.array([pairs[edge][0] for edge in edges]),
        risk=np.array([pairs[edge][1] for edge in edges]),
        wait_risk=np.full(5, 0.05),
    )


def test_the_front_of_a_corridor() -> None:
    problem = Problem(corridor(), [0], [2])
    assert [(p.distance, p.risk, p.path.tolist()) for p in pareto_front(problem)] == [
        (2.0, 4.0, [0, 1, 2]),
        (4.0, pytest.approx(0.4), [0, 3, 4, 2]),
    ]
    assert [p.distance for p in pareto_front(dataclasses.replace(problem, weight="hops"))] == [2.0, 3.0]
    plan = solve(dataclasses.replace(problem, risk_budget=1.0), "risk")
    assert plan.sum_of_costs == 4.0
    assert plan.summary()["risk_budget"] == 1.0
    assert plan.summary()["allocations"] == [1.0]


def test_two_agents_share_what_one_does_not_need() -> None:
    problem = Problem(corridor(), [0, 2], [2, 0], clearance=0.0, risk_budget=4.5)
    plan = solve(problem, "risk")
    assert plan.status == "optimal"
    assert plan.sum_of_costs == 6.0
    check(plan, problem)
    # with equal shares both must take the long way, where they cannot pass each other
    assert solve(problem, "risk", allocation="uniform", max_nodes=50).status == "unsolved"
    assert solve(problem, "risk", allocation="market-price").sum_of_costs == 6.0


def test_a_budget_below_the_safest_paths_is_infeasible_and_says_why() -> None:
    plan = solve(Problem(corridor(), [0, 4], [2, 3], clearance=0.0, risk_budget=0.5), "risk")
    assert plan.status == "infeasible"
    assert "0.5" in plan.reason
    assert "0.6" in plan.reason
    tight = Problem(corridor(), [0], [2], risk_budget=0.35)
    with pytest.raises(PlanningFailed, match=r"0\.35 cannot be kept: the safest path has a risk of 0\.4"):
        solve(tight, "risk", raise_on_failure=True)


def test_an_unreachable_goal_is_named() -> None:
    graph = StateGraph.from_grid(np.array([[False, True, False, False]]))
    plan = solve(Problem(graph, [1, 0], [2, 1], risk_budget=1.0), "risk")
    assert plan.status == "infeasible"
    assert "agent 1" in plan.reason


def test_no_budget_and_grids_without_risk() -> None:
    graph = StateGraph.from_grid(np.zeros((4, 4), bool))
    problem = Problem(graph, [0, 3, 12], [15, 12, 3])
    best = naive.joint_optimum(problem)
    assert solve(problem, "risk").sum_of_costs == best
    assert solve(dataclasses.replace(problem, risk_budget=0.0), "risk").sum_of_costs == best


def test_plans_that_break_the_budget_are_found_out(tmp_path: Path) -> None:
    problem = Problem(corridor(), [0, 4], [2, 3], clearance=0.0, risk_budget=5.0)
    plan = solve(problem, "risk")
    plan.save(tmp_path / "plan.json")
    loaded = Plan.load(tmp_path / "plan.json")
    assert loaded.allocations == plan.allocations
    assert loaded.risks == plan.risks
    validate(loaded, problem)
    assert [v.kind for v in violations(plan, dataclasses.replace(problem, risk_budget=1.0))].count("risk") >= 1
    shares = dataclasses.replace(plan, allocations=(plan.allocations[0] + 1.0, plan.allocations[1]))
    with pytest.raises(InvalidPlan, match="add up to"):
        validate(shares, problem)
    shares = dataclasses.replace(plan, allocations=(0.0, plan.allocations[1]))
    with pytest.raises(InvalidPlan, match="agent 0"):
        validate(shares, problem)
    with pytest.raises(InvalidPlan, match="allocations for 2"):
        validate(dataclasses.replace(plan, allocations=(1.0,)), problem)


@pytest.mark.parametrize("budget", [-1.0, math.nan, math.inf, "3"])
def test_a_budget_that_makes_no_sense(budget: float) -> None:
    with pytest.raises(InvalidProblem, match="risk_budget"):
        Problem(corridor(), [0], [2], risk_budget=budget)


def test_options_that_make_no_sense() -> None:
    problem = Problem(corridor(), [0], [2], risk_budget=1.0)
    with pytest.raises(InvalidProblem, match="cannot keep a risk budget"):
        solve(problem, "cbs")
    with pytest.raises(InvalidInput, match="allocation"):
        solve(problem, "risk", allocation="fair")
    with pytest.raises(InvalidInput, match="suboptimality"):
        solve(problem, "risk", suboptimality=0.5)
    with pytest.raises(InvalidProblem, match="for 1 agent"):
        pareto_front(Problem(corridor(), [0, 4], [2, 3]))


def test_time_and_node_limits() -> None:
    problem = shared_problem(3, 3)
    assert solve(problem, "risk", time_limit=0).status == "timeout"
    assert solve(one_agent(0), "risk", time_limit=0).status == "timeout"
    with pytest.raises(PlanningFailed, match="time limit"):
        pareto_front(one_agent(0), time_limit=0)
    plan = solve(problem, "risk", max_nodes=1, time_limit=10)
    assert plan.status in ("optimal", "bounded", "infeasible", "unsolved")
