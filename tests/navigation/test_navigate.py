from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from shapely.geometry import Polygon

from navplan.control.straight_line import StraightLine
from navplan.errors import InvalidInput, UnknownName
from navplan.navigation.navigate import METHODS, navigate
from navplan.plan.validation import validate
from navplan.scenarios.problems.draw import draw_problem
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.scenario import Scenario
from navplan.scenarios.worlds.world import Hazard, World
from tests.support.critics import AnalyticCritics


@pytest.fixture(scope="module")
def dot() -> tuple[Scenario, AnalyticCritics]:
    scenario = load_scenario("center-dot")
    return scenario, AnalyticCritics(scenario.world)


def drawn(scenario, agents, seed, distance=(7.5, 8.5)):
    rng = np.random.default_rng(seed)
    return draw_problem(scenario.world, agents, rng, distance=distance, radius=scenario.radius)


def go(dot, agents, seed, **changes):
    scenario, critics = dot
    changes = {"low_level": "straight-line", "seed": seed, **changes}
    return navigate(scenario, critics, *drawn(scenario, agents, seed), **changes)


@pytest.mark.parametrize("seed", range(4))
def test_eight_agents_cross_center_dot_at_less_cost_than_alone(dot, seed):
    result = go(dot, 8, seed)
    assert result.success
    assert result.status == "success"
    assert result.trajectory.num_agent_contacts == 0
    alone = go(dot, 8, seed, method="constrained-policy")
    assert result.summary()["cost_mean"] < alone.summary()["cost_mean"]


def test_twenty_agents(dot):
    said = []
    result = go(dot, 20, 1, progress=said.append)
    assert result.success
    assert any("pruned as unsafe" in line for line in said)
    assert result.clearance == pytest.approx(0.7, abs=0.01)


def test_the_plan_is_valid_and_its_summary_plain(dot):
    result = go(dot, 8, 3)
    from navplan.plan.problem import Problem

    stated = result.plan.problem
    problem = Problem(
        result.pruned, np.array(stated["starts"]), np.array(stated["goals"]), clearance=stated["clearance"], beta=stated["beta"]
    )
    validate(result.plan, problem)
    summary = json.loads(json.dumps(result.summary(), allow_nan=False))
    keys = {
        "agents",
        "success",
        "reached",
        "agent_contacts",
        "cost_max",
        "cost_mean",
        "plan_s",
        "planner",
        "bound",
        "graph",
        "seed",
        "scenario",
    }
    assert keys <= set(summary)
    assert summary["graph"]["edges"] + summary["graph"]["pruned"] == result.graph.num_edges
    assert (summary["planner"], summary["bound"]) == ("ecbs", 1.1)
    assert result.plan.suboptimality <= 1.1


def test_same_seed_same_trajectory(dot):
    one, two = go(dot, 8, 5), go(dot, 8, 5)
    np.testing.assert_array_equal(one.trajectory.states, two.trajectory.states)


def test_a_larger_beta_buys_less_cost(dot):
    brave, careful = (sum(go(dot, 6, s, beta=b).plan.total_risk for s in range(3)) for b in (0.0, 4.0))
    assert careful < 0.8 * brave


def test_methods_differ_as_they_say(dot):
    sorb = go(dot, 5, 2, method="sorb")
    assert sorb.pruned.num_edges == sorb.graph.num_edges
    assert sorb.beta == 0.0
    hops = go(dot, 5, 2, method="constrained-search")
    assert hops.pruned.num_edges < hops.graph.num_edges
    assert hops.plan.problem["weight"] == "hops"
    policy = go(dot, 5, 2, method="policy")
    assert policy.plan is None
    assert policy.summary()["graph"] is None


def test_the_unconstrained_methods_ask_for_the_unconstrained_policy(dot):
    scenario, critics = dot
    constrained = dataclasses.replace(critics)
    constrained.stage = 2
    starts, goals = drawn(scenario, 2, 0)
    for method in ("policy", "sorb"):
        with pytest.raises(InvalidInput, match="stage=1"):
            navigate(scenario, constrained, starts, goals, method=method)
    constrained.stage = 1
    assert navigate(scenario, constrained, starts, goals, method="policy").trajectory is not None
    assert {name for name, method in METHODS.items() if not method.constrained} == {
        *("policy", "policy+filter", "sorb", "sorb+filter", "sorb+synchronised")
    }


def test_a_goal_cut_off_by_pruning_is_infeasible_and_named():
    walls = np.zeros((5, 15), bool)
    walls[[0, 1, 3, 4], 7] = True  # a gap that can only be passed close to its walls
    world = World.from_walls("gap", walls, Hazard("constant", 1.0))
    scenario = Scenario("gap", world, 2, max_risk=0.9)
    starts, goals = [[2.5, 1.5], [1.5, 12.5]], [[2.5, 13.5], [3.5, 10.0]]
    result = navigate(scenario, AnalyticCritics(world), starts, goals, low_level="straight-line")
    assert result.status == "infeasible"
    assert not result.success
    assert result.trajectory is None
    assert result.reason == "agent 0: goal cut off by pruning"
    assert navigate(scenario, AnalyticCritics(world), starts, goals, low_level="straight-line", max_risk=9.0).success


def test_agents_cross_a_polygon_world():
    rock = Polygon([(3, 4), (6.5, 5), (5, 8), (2.5, 6.5)])
    world = World("rock", None, 9.0, 12.0, (rock,), Hazard("linear", 1.5))
    scenario = Scenario("rock", world, 6)
    starts, goals = drawn(scenario, 6, 3, (6, 9))
    result = navigate(scenario, AnalyticCritics(world), starts, goals, low_level="straight-line")
    assert result.success
    assert result.trajectory.walls.shape == (0, 0)


@dataclasses.dataclass
class Shy:
    """Straight-line control that stops before a square that nothing else knows of."""

    def act(self, observations, goals, condition=None):
        actions = StraightLine().act(observations, goals)
        after = observations + actions
        actions[(np.abs(after - [7.5, 2.5]) < 1.2).all(axis=1)] = 0
        return actions


def test_edges_that_the_policy_cannot_drive_are_planned_around(dot):
    scenario, critics = dot
    result = navigate(scenario, dataclasses.replace(critics, policy=Shy()), [[2.5, 2.5]], [[12.5, 2.5]], beta=0.0)
    replans = [event for event in result.trajectory.events if event["kind"] == "replan"]
    assert result.success
    assert replans
    assert len(result.trajectory.plans) == len(replans) + 1
    assert result.summary()["replans"] == len(replans)


def test_a_policy_that_does_nothing_fails_honestly(dot):
    class Still:
        def act(self, observations, goals, condition=None):
            return np.zeros_like(observations)

    scenario, critics = dot
    short = dataclasses.replace(scenario, max_steps=20)
    starts, goals = drawn(scenario, 3, 0)
    result = navigate(short, dataclasses.replace(critics, policy=Still()), starts, goals)
    assert result.status == "not-reached"
    assert result.summary()["reached"] == 0
    assert result.reason == "agents 0, 1, 2 not at their goals after 20 steps"


def test_bad_input_is_named(dot):
    scenario, critics = dot
    near = [[1.0, 1.0], [1.0, 1.3]]
    far = [[9.5, 9.5], [12.0, 12.0]]
    with pytest.raises(InvalidInput, match=r"agents 0 and 1: starts are 0\.3 cells apart, expected at least 0\.5"):
        navigate(scenario, critics, near, far)
    with pytest.raises(InvalidInput, match="agents 0 and 1: goals are"):
        navigate(scenario, critics, far, near)
    with pytest.raises(InvalidInput, match=r"agent 1: start .* not finite"):
        navigate(scenario, critics, [[1, 1], [np.nan, 2]], far)
    with pytest.raises(InvalidInput, match="in an obstacle"):
        navigate(scenario, critics, [[1, 1], [7.5, 7.5]], far)
    with pytest.raises(InvalidInput, match="at least one agent"):
        navigate(scenario, critics, np.zeros((0, 2)), np.zeros((0, 2)))
    with pytest.raises(UnknownName, match="unknown method 'navplam': did you mean 'navplan'"):
        navigate(scenario, critics, far, far, method="navplam")
    with pytest.raises(UnknownName, match="unknown low level"):
        navigate(scenario, critics, far, far, low_level="pid")
    with pytest.raises(InvalidInput, match="unknown option"):
        navigate(scenario, critics, far, far, betta=1.0)
    with pytest.raises(InvalidInput, match="seed is -1, expected an integer"):
        navigate(scenario, critics, far, far, seed=-1)
