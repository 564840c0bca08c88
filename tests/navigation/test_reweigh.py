"""Another weight of risk at plan time: on the graph of a navigation, from the command line, for the viewer's slider."""

from __future__ import annotations

import dataclasses
import importlib
import itertools
import json

import numpy as np
import pytest

from navplan.cli.command_line import main
from navplan.errors import InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.navigation.files import write_run
from navplan.navigation.methods import DEFAULT_BETA
from navplan.navigation.navigate import navigate
from navplan.navigation.reweigh import Replanner, can_reweigh
from navplan.navigation.slider import driving_slider, planning_slider
from navplan.plan.plan import Plan
from navplan.plan.validation import validate
from navplan.planners.solving import solve
from navplan.scenarios.problems.hard import draw_hard
from navplan.scenarios.registry import load_scenario
from tests.support.critics import AnalyticCritics

CHANGES = {"low_level": "straight-line", "seed": 0}


@pytest.fixture(scope="module")
def demo():
    """Scenario, critics that measure the map, and what navigate made of six agents."""
    scenario = load_scenario("center-dot")
    critics = AnalyticCritics(scenario.world)
    starts, goals = draw_hard(scenario, 6, 0)
    return scenario, critics, navigate(scenario, critics, starts, goals, **CHANGES)


def test_more_aversion_plans_no_more_risk(demo):
    scenario, critics, result = demo
    slider = driving_slider(scenario, critics, result, CHANGES)
    assert slider["risk_aversion"] == DEFAULT_BETA
    plans = {beta: slider["on_risk_aversion"](beta) for beta in (0.0, 0.5, DEFAULT_BETA, 10.0)}
    risks = [plan.total_risk for plan in plans.values()]
    assert risks == sorted(risks, reverse=True)
    assert risks[0] > risks[-1]
    distances = [plan.sum_of_costs - beta * plan.total_risk for beta, plan in plans.items()]
    assert distances[0] < distances[-1]
    first = result.plan
    assert [p.tolist() for p in plans[DEFAULT_BETA].paths] == [p.tolist() for p in first.paths]
    for beta, plan in plans.items():
        replan: Replanner = slider["on_risk_aversion"]
        assert {**plan.problem, "beta": None} == {**first.problem, "beta": None}
        assert (plan.planner, plan.problem["beta"]) == (first.planner, beta)
        validate(plan, replan.problem(beta))


def test_an_optimal_planner_never_takes_more_risk(demo):
    _, _, result = demo
    problem = Replanner(result.plan, result.pruned).problem(0.0)
    alone = []
    for beta in np.linspace(0.0, 6.0, 13):
        one = dataclasses.replace(problem, starts=problem.starts[:1], goals=problem.goals[:1], beta=float(beta))
        alone.append(solve(one, planner="astar").total_risk)
    assert all(later <= sooner + 1e-9 for sooner, later in itertools.pairwise(alone))


def test_the_slider_drives_what_it_plans(demo):
    scenario, critics, result = demo
    slider = driving_slider(scenario, critics, result, CHANGES)
    plan, motion = slider["on_risk_aversion"](0.0), slider["on_drive"](0.0)
    assert motion.success
    assert [p.tolist() for p in motion.plans[0].paths] == [p.tolist() for p in plan.paths]
    again = slider["on_drive"](DEFAULT_BETA)
    assert np.array_equal(again.states, result.trajectory.states)


def test_what_cannot_be_weighed_has_no_slider(demo):
    scenario, critics, result = demo
    graph = result.pruned
    hops = dataclasses.replace(result.plan, problem={**result.plan.problem, "weight": "hops"})
    assert not can_reweigh(hops, graph)
    assert not can_reweigh(None, graph)
    assert not can_reweigh(result.plan, None)
    assert not can_reweigh(result.plan, dataclasses.replace(graph, risk=np.zeros_like(graph.risk)))
    assert not can_reweigh(result.plan, StateGraph.from_grid(np.zeros((3, 3), bool)))
    assert driving_slider(scenario, critics, dataclasses.replace(result, plan=None), CHANGES) == {}
    with pytest.raises(InvalidInput, match="coordinates"):
        Replanner(result.plan, dataclasses.replace(graph, states=graph.states[::-1].copy(), positions=None))
    with pytest.raises(InvalidInput, match="does not fit"):
        Replanner(dataclasses.replace(result.plan, problem={}), graph)


def test_the_folder_of_a_run_has_the_slider_too(demo, tmp_path, monkeypatch):
    _, _, result = demo
    write_run(tmp_path, result, result.summary())
    shown = {}
    window = importlib.import_module("navplan.viewer.app")
    monkeypatch.setattr(window, "check_display", lambda: None)
    monkeypatch.setattr(window, "show", lambda scene, **given: shown.update(given, scene=scene))
    for file in (tmp_path, tmp_path / "plan.json"):
        shown.clear()
        assert main(["view", str(file)]) == 0
        assert shown["risk_aversion"] == DEFAULT_BETA
        assert "on_drive" not in shown
        first, calm = shown["on_risk_aversion"](DEFAULT_BETA), shown["on_risk_aversion"](10.0)
        assert [p.tolist() for p in first.paths] == [p.tolist() for p in result.plan.paths]
        assert calm.total_risk <= first.total_risk
        assert "status" not in shown["scene"].facts
    shown.clear()
    assert main(["view", "center-dot"]) == 0
    assert set(shown) == {"scene", "start"}
    other = dataclasses.replace(result.pruned, states=result.pruned.states[::-1].copy(), positions=None)
    assert planning_slider(result.plan, other, result.summary()) == {}


def test_one_name_at_every_command(tmp_path, capsys, monkeypatch):
    critics = AnalyticCritics(load_scenario("center-dot").world)
    monkeypatch.setattr("navplan.learned.training.load.load_checkpoint", lambda name, stage=2: critics)
    command = ["run", "center-dot", "--checkpoint", "x", "--agents", "2", "--low-level", "straight-line", "--json"]
    assert main([*command, "--risk-aversion", "0.5", "--out", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["beta"] == 0.5
    assert Plan.load(tmp_path / "plan.json").problem["beta"] == 0.5
    plan = tmp_path / "again.json"
    solving = ["solve", "--map", str(tmp_path / "graph.npz"), "--agents", "1", "--out", str(plan), "--json"]
    assert main([*solving, "--risk-aversion", "0.5"]) == 0
    assert Plan.load(plan).problem["beta"] == 0.5
