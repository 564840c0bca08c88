"""The verb `solve`: options, statuses, deadlines, seeds, files of the benchmark."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navplan.errors import InvalidInput, InvalidProblem, PlanningFailed
from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from navplan.plan.validation import validate
from navplan.planners.cbs.cbs import CBS
from navplan.planners.cbs.ecbs import ECBS
from navplan.planners.cbs.vertex_cover import matching
from navplan.planners.solving import solve
from navplan.scenarios.problems.load import load_problem
from tests.support.folders import MOVINGAI, needs_movingai
from tests.support.instances import random_digraph, random_grid, relabelled
from tests.support.naive import planning as naive

FIRST_SCENARIOS = {
    "random-32-32-20": ("random-32-32-20-random-1", 200),
    "room-32-32-4": ("room-32-32-4-random-1", 305),
    "empty-16-16": ("empty-16-16-random-1", 102),
    "random-64-64-20": ("random-64-64-20-random-1", 465),
    "den520d": ("den520d-gen-1", 1770),
    "warehouse-10-20-10-2-1": ("warehouse-10-20-10-2-1-random-1", 611),
    "warehouse-20-40-10-2-2": ("warehouse-20-40-10-2-2-lns2-1", 1942),
    "Berlin_1_256": ("Berlin_1_256-even-1", 1548),
}


def open_grid(side: int, agents: int, seed: int = 0) -> Problem:
    graph = StateGraph.from_grid(np.zeros((side, side), bool))
    rng = np.random.default_rng(seed)
    starts, goals = (rng.choice(side * side, agents, replace=False).astype(np.int32) for _ in range(2))
    return Problem(graph, starts, goals)


def corridor_swap() -> Problem:
    """Two agents that cannot pass each other: no plan, and no end to the search for one."""
    return Problem(StateGraph.from_grid(np.zeros((1, 5), bool)), [0, 4], [4, 0])


def dense_graph(nodes: int, seed: int) -> StateGraph:
    """Uniform points in a 15 x 15 box, an edge wherever both coordinates differ by less than 7, as long as it is."""
    xy = (np.random.default_rng(seed).random((nodes, 2)) * 15).astype(np.float32)
    offset = xy[:, None] - xy[None]
    length = np.linalg.norm(offset.astype(float), axis=2)
    tails, heads = np.nonzero((np.abs(offset).max(axis=2) < 7) & (length > 0))
    return StateGraph(
        states=xy,
        indptr=np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=nodes))]).astype(np.int32),
        indices=heads.astype(np.int32),
        distance=length[tails, heads],
        risk=np.zeros(len(tails)),
        wait_risk=np.zeros(nodes),
    )


def spread(graph: StateGraph, count: int, spacing: float, rng: np.random.Generator) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < count:
        node = int(rng.integers(graph.num_nodes))
        if all(np.linalg.norm(graph.states[node] - graph.states[other]) >= spacing for other in chosen):
            chosen.append(node)
    return chosen


@needs_movingai
@pytest.mark.parametrize("name", FIRST_SCENARIOS)
def test_cbs_solves_the_first_scenario_of_each_map(name: str) -> None:
    scenario, cost = FIRST_SCENARIOS[name]
    problem = load_problem(MOVINGAI / "maps" / f"{name}.map", MOVINGAI / "scens" / f"{scenario}.scen", agents=10)
    plan = solve(problem, "cbs", time_limit=30)
    assert plan.status == "optimal", plan.reason
    assert plan.sum_of_costs == cost
    validate(plan, problem)


@pytest.mark.parametrize("clearance", [0.5, 0.6])
def test_ecbs_finds_room_for_twenty_on_a_dense_state_graph(clearance: float) -> None:
    graph = dense_graph(500, 0)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        problem = Problem(graph, spread(graph, 20, 1.0, rng), spread(graph, 20, 1.5, rng), clearance=clearance)
        plan = solve(problem, "ecbs", time_limit=20)
        assert plan.solved, plan.reason
        assert plan.suboptimality is not None
        assert plan.suboptimality <= 1.1
        validate(plan, problem)
        assert not naive.conflicts(problem, plan.paths)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["cbs", "ecbs"]))
@settings(max_examples=20)
def test_the_same_seed_gives_the_same_plan(seed: int, planner: str) -> None:
    problem = open_grid(6, 5, seed)
    first, second = (solve(problem, planner, seed=seed, max_nodes=300) for _ in range(2))
    assert first.status == second.status
    assert [p.tolist() for p in first.paths] == [p.tolist() for p in second.paths]


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.25]))
@settings(max_examples=40)
def test_relabelling_the_nodes_changes_no_cost(seed: int, clearance: float) -> None:
    rng = np.random.default_rng(seed)
    problem = random_digraph(rng, clearance)
    other = relabelled(problem, rng.permutation(problem.graph.num_nodes))
    plans = [solve(p, "cbs", max_nodes=300) for p in (problem, other)]
    if all(plan.status == "optimal" for plan in plans):
        assert plans[0].sum_of_costs == pytest.approx(plans[1].sum_of_costs, rel=1e-9)
    else:
        assert {plan.status for plan in plans} <= {"infeasible", "unsolved", "optimal"}
        assert {plan.status for plan in plans} != {"infeasible", "optimal"}


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_with_factor_one_ecbs_is_optimal(seed: int) -> None:
    problem = random_grid(np.random.default_rng(seed))
    if problem is None:
        return
    exact, near = solve(problem, "cbs", max_nodes=300), solve(problem, "ecbs", suboptimality=1.0, max_nodes=300)
    if exact.solved and near.solved:
        assert near.status == "optimal"
        assert near.sum_of_costs == exact.sum_of_costs


def test_single_agent_planners_agree_with_cbs() -> None:
    problem = open_grid(12, 1)
    costs = {name: solve(problem, name).sum_of_costs for name in ("astar", "dijkstra", "cbs", "ecbs")}
    assert len(set(costs.values())) == 1, costs


@pytest.mark.parametrize("planner", ["astar", "dijkstra"])
def test_single_agent_planners_refuse_company(planner: str) -> None:
    with pytest.raises(InvalidProblem, match="plans for 1 agent and would let 2 collide"):
        solve(open_grid(5, 2), planner)


@pytest.mark.parametrize("planner", ["astar", "dijkstra", "cbs", "ecbs"])
def test_a_goal_out_of_reach_is_infeasible_and_names_the_agent(planner: str) -> None:
    graph = StateGraph.from_grid(np.array([[0, 0, 1, 0]], bool))
    plan = solve(Problem(graph, [0], [2]), planner)
    assert (plan.status, plan.paths, plan.solved) == ("infeasible", (), False)
    assert "agent 0 cannot reach its goal" in plan.reason
    if planner in ("cbs", "ecbs"):
        plan = solve(Problem(graph, [0, 1], [1, 2]), planner)
        assert "agent 1 cannot reach its goal" in plan.reason


def test_an_agent_already_at_its_goal_pays_nothing() -> None:
    problem = Problem(StateGraph.from_grid(np.zeros((3, 3), bool)), [4, 0], [4, 8])
    plan = solve(problem)
    assert plan.paths[0].tolist() == [4]
    assert plan.sum_of_costs == 4.0


def test_an_agent_may_pass_its_goal_and_come_back() -> None:
    """Both in a corridor with a siding beyond agent 1's goal: it must go on, let agent 0 by, and return."""
    walls = np.array([[1, 1, 1, 0, 1, 1], [0, 0, 0, 0, 0, 0]], bool)
    graph = StateGraph.from_grid(walls)
    node = {(int(r), int(c)): i for i, (r, c) in enumerate(graph.cells())}
    problem = Problem(graph, [node[1, 0], node[1, 2]], [node[1, 4], node[1, 2]])
    plan = solve(problem)
    assert plan.paths[1].tolist().count(node[1, 2]) >= 2
    assert plan.sum_of_costs == naive.joint_optimum(problem)
    validate(plan, problem)


@pytest.mark.alone
@pytest.mark.parametrize("planner", [CBS(joint_after=10**9, team=0), ECBS(team=0)], ids=["cbs", "ecbs"])
def test_deadlines_are_kept_and_leave_a_bound(planner: CBS | ECBS) -> None:
    problem = corridor_swap()
    solve(problem, planner, time_limit=0)
    began = time.perf_counter()
    plan = solve(problem, planner, time_limit=0.5)
    took = time.perf_counter() - began
    assert plan.status == "timeout"
    assert "time limit reached" in plan.reason
    assert plan.lower_bound is not None
    assert plan.lower_bound >= 8.0
    assert 0.5 <= took < 1.0


def test_no_time_at_all_is_a_timeout_in_the_tables() -> None:
    plan = solve(open_grid(30, 4), time_limit=0)
    assert plan.status == "timeout"
    assert "distance tables" in plan.reason


@pytest.mark.parametrize("planner", ["cbs", "ecbs"])
def test_a_node_limit_leaves_it_unsolved(planner: str) -> None:
    plan = solve(corridor_swap(), planner, max_nodes=5)
    assert (plan.status, plan.stats["expanded"]) == ("unsolved", 5)
    assert "node limit of 5" in plan.reason


def test_a_pair_that_cannot_pass_is_found_infeasible() -> None:
    plan = solve(corridor_swap())
    assert plan.status == "infeasible"
    assert "leaves one without a path" in plan.reason


def test_interruption_returns_what_is_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    solve(corridor_swap(), "cbs", max_nodes=1, unit=False)
    monkeypatch.setattr("navplan.planners.cbs.conflicts.ConflictFinder.__call__", interrupt)
    plan = solve(corridor_swap(), "cbs", unit=False)
    assert plan.status == "unsolved"
    assert plan.reason.startswith("interrupted")
    assert plan.lower_bound == 8.0


def test_failure_can_raise() -> None:
    with pytest.raises(PlanningFailed, match="node limit") as caught:
        solve(corridor_swap(), max_nodes=1, raise_on_failure=True)
    assert caught.value.plan.status == "unsolved"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "options",
    [
        {"time_limit": -1.0},
        {"time_limit": float("nan")},
        {"seed": -1},
        {"suboptimality": 1.5},
        {"planner": "ecbs", "suboptimality": 0.9},
        {"planner": "ecbs", "suboptimality": float("inf")},
        {"max_nodes": 0},
        {"joint_after": -1},
        {"colour": "red"},
        {"planner": 7},
    ],
)
def test_bad_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        solve(open_grid(3, 1), **options)  # type: ignore[arg-type]


def test_a_planner_object_keeps_its_options_and_arguments_win() -> None:
    assert solve(corridor_swap(), CBS(max_nodes=3)).stats["expanded"] == 3
    assert solve(corridor_swap(), CBS(max_nodes=3), max_nodes=4).stats["expanded"] == 4
    assert solve(corridor_swap(), ECBS(time_limit=0.05, team=0)).status == "timeout"


def test_compiling_is_reported_apart() -> None:
    lines: list[str] = []
    problem = open_grid(4, 2)
    solve(problem)
    plan = solve(problem, progress=lines.append)
    assert plan.compile_s == 0.0
    assert lines == ["planning for 2 agents with cbs"]
    assert plan.runtime_s > 0.0


def test_weights_of_disjoint_pairs_add_up() -> None:
    assert matching({(0, 1): 2.0, (1, 2): 3.0, (3, 4): 1.0, (5, 6): 0.0}) == 4.0
    assert matching({}) == 0.0
