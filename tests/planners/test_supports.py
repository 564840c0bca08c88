"""What each planner can plan for: it says so before it starts, and keeps to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import navplan as nv
from navplan.cli import main
from navplan.errors import InvalidProblem
from navplan.graph.prepared import PreparedGraph
from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import GRID_CLEARANCE, Problem
from navplan.plan.validation import validate
from navplan.planners import get, names
from navplan.planners.base import Planner
from navplan.planners.lifelong.lifelong import lifelong
from navplan.planners.priority.lns import LNS
from navplan.planners.solving import solve
from navplan.planners.warm_up import warm_up

FLEETS = [name for name in names() if get(name).max_agents is None]
QUICK = {"anytime": {"max_rounds": 1}, "lns": {"max_iterations": 10}}
GRID = nv.StateGraph.from_grid(np.zeros((5, 5), bool))


def crossing(clearance: float) -> Problem:
    """Two agents that must cross each other's way."""
    return Problem(GRID, [10, 2], [14, 22], clearance=clearance)


@pytest.mark.parametrize("clearance", [0.0, 0.5, GRID_CLEARANCE])
@pytest.mark.parametrize("planner", FLEETS)
def test_on_grids_all_keep_what_nodes_and_swaps_keep(planner: str, clearance: float) -> None:
    problem = crossing(clearance)
    assert get(planner)().supports(problem) is None
    plan = solve(problem, planner, **QUICK.get(planner, {}))
    assert plan.solved, plan.reason
    assert plan.planner == planner
    validate(plan, problem)


@pytest.mark.parametrize("planner", FLEETS)
def test_beyond_that_a_planner_keeps_it_or_refuses_in_its_own_name(planner: str) -> None:
    problem = crossing(0.8)
    if get(planner).any_clearance:
        validate(solve(problem, planner), problem)
        return
    line = f"planner {planner} plans with clearance 0: .* keeps agents 0.71 apart; here the clearance is 0.8, so use ecbs or cbs"
    with pytest.raises(InvalidProblem, match=f"^{line}$"):
        solve(problem, planner)
    with pytest.raises(InvalidProblem, match=f"planner {planner} "):
        lifelong(problem, steps=3, planner=planner)


def test_on_state_graphs_nodes_and_swaps_keep_nothing() -> None:
    graph = nv.StateGraph(GRID.states, GRID.indptr, GRID.indices, GRID.distance, GRID.risk, GRID.wait_risk)
    for name in FLEETS:
        refused = get(name)().supports(Problem(graph, [10, 2], [14, 22], clearance=0.5))
        assert (refused is None) == get(name).any_clearance
        assert get(name)().supports(Problem(graph, [10, 2], [14, 22], clearance=0.0)) is None


@pytest.mark.parametrize("planner", names())
def test_agents_and_budgets(planner: str) -> None:
    chosen = get(planner)()
    company, budget = crossing(0.0), Problem(GRID, [0], [24], risk_budget=1.0)
    if chosen.max_agents == 1:
        assert f"planner {planner} plans for 1 agent" in str(chosen.supports(company))
        assert chosen.supports(Problem(GRID, [0], [24], clearance=3.0)) is None
    if chosen.keeps_budget:
        assert solve(budget, planner).solved
    else:
        assert f"planner {planner} cannot keep a risk budget" in str(chosen.supports(budget))
        with pytest.raises(InvalidProblem, match=f"planner {planner} cannot keep a risk budget"):
            solve(budget, planner)


def test_improving_a_plan_is_refused_as_planning_is() -> None:
    problem = crossing(0.8)
    plan = solve(problem, "cbs")
    with pytest.raises(InvalidProblem, match="planner lns plans with clearance 0"):
        LNS().improve(problem, plan, LNS().prepare(GRID), deadline=None, rng=np.random.default_rng(0))


@dataclass(frozen=True)
class GridsOnly(Planner):
    """The least that a planner needs to define, and a word of its own on what it can do."""

    name: ClassVar[str] = "grids-only"

    def supports(self, problem: Problem) -> str | None:
        return Planner.supports(self, problem) or (None if problem.graph.is_grid else "planner grids-only is for grids")

    def plan(self, problem: Problem, state: PreparedGraph, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        assert problem.graph.is_grid
        assert state.graph is problem.graph
        return make_plan(problem, self.name, "unsolved", reason="it is a test")


def test_a_planner_may_say_more_than_its_class_variables() -> None:
    plan = solve(crossing(0.0), GridsOnly())
    assert (plan.planner, plan.reason) == ("grids-only", "it is a test")
    graph = nv.StateGraph(GRID.states, GRID.indptr, GRID.indices, GRID.distance, GRID.risk, GRID.wait_risk)
    with pytest.raises(InvalidProblem, match="planner grids-only is for grids"):
        solve(Problem(graph, [0], [24], clearance=0.0), GridsOnly())
    with pytest.raises(InvalidProblem, match="cannot keep a risk budget"):
        solve(Problem(GRID, [0], [24], risk_budget=1.0), GridsOnly())
    warm_up(GridsOnly())  # whose graph is none for it, so that it is asked nothing
    with pytest.raises(TypeError, match="abstract"):
        dataclass(type("Nothing", (Planner,), {"name": "nothing"}))()  # type: ignore[abstract]


def test_the_command_line_lists_what_is_supported(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["planners", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert sorted(rows) == names()
    assert [name for name in names() if rows[name]["keeps_budget"]] == ["risk"]
    assert [name for name in names() if rows[name]["stepwise"]] == ["pibt"]
    assert [name for name in FLEETS if rows[name]["any_clearance"]] == ["cbs", "ecbs", "risk"]
    assert rows["anytime"]["parts"] == ["cbs", "lns", "lacam"]
    assert rows["pbs"]["kernels"] == ["navplan.kernels.search.sipp"]
    assert main(["planners"]) == 0
    lines = capsys.readouterr().out.splitlines()
    supports = {name: line.split("supports: ")[1] for name, line in zip(names(), lines[2::4], strict=True)}
    assert supports["lacam"] == "any number of agents; clearance 0, on grids up to 0.71"
    assert supports["risk"] == "any number of agents; any clearance; risk budgets"
    assert supports["astar"] == "1 agent; any clearance"
    assert supports["pibt"].endswith("lifelong runs step by step")
