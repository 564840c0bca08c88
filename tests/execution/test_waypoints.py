from __future__ import annotations

import numpy as np
import pytest

from navplan.control.straight_line import StraightLine
from navplan.errors import InvalidInput
from navplan.execution.waypoints import follow_waypoints
from navplan.graph.state_graph import StateGraph
from navplan.navigation.navigate import make_env
from navplan.plan.problem import Problem
from navplan.planners.solving import solve
from navplan.scenarios.scenario import Scenario
from navplan.scenarios.worlds.world import Hazard, World
from tests.support.critics import AnalyticCritics


def hall(agents):
    return Scenario("hall", World.from_walls("hall", np.zeros((9, 15), bool), Hazard("linear", 1.0)), agents)


def planned(scenario, states, starts, goals, reach=7.0):
    """A plan on the complete graph of edges shorter than `reach`, and the critics that measured it."""
    critics = AnalyticCritics(scenario.world)
    graph, ids = StateGraph.from_states(np.float32(states), critics, max_distance=reach).attach(
        np.float32([*starts, *goals]), critics
    )
    plan = solve(Problem(graph, ids[: len(starts)], ids[len(starts) :], clearance=0.0), planner="cbs")
    assert plan.solved
    return plan, critics


def test_waypoints_are_passed_when_two_steps_away_and_then_the_goal_is_made_for():
    scenario = hall(1)
    start, waypoint, goal = [4.5, 1.5], [0.5, 4.5], [4.5, 7.6]
    plan, critics = planned(scenario, [waypoint], [start], [goal], reach=5.0)
    assert plan.states(0)[1].tolist() == waypoint
    trajectory = follow_waypoints(plan, StraightLine(), make_env(scenario, [start], [goal]), critics.distance, reach=5.0)
    assert trajectory.success
    # it turns towards the goal when the waypoint is predicted to be less than 2 steps away, before it gets there
    nearest = np.abs(trajectory.states[:, 0] - waypoint).max(axis=1).min()
    assert 0.5 < nearest < 2.0


def test_nobody_keeps_agents_apart_and_contacts_are_scored():
    scenario = hall(2)
    starts, goals = [[4.5, 1.5], [4.5, 13.5]], [[4.5, 13.5], [4.5, 1.5]]
    plan, critics = planned(scenario, [[4.5, 6.0], [4.5, 9.0]], starts, goals)
    env = make_env(scenario, starts, goals)
    trajectory = follow_waypoints(plan, StraightLine(), env, critics.distance, reach=20.0)
    assert trajectory.reached
    assert trajectory.num_agent_contacts > 0
    assert not trajectory.success


def test_the_filter_keeps_them_apart_all_the_same():
    scenario = hall(2)
    starts, goals = [[4.5, 1.5], [4.4, 13.5]], [[4.5, 13.5], [4.4, 1.5]]
    plan, critics = planned(scenario, [[4.5, 6.0], [4.5, 9.0]], starts, goals)
    env = make_env(scenario, starts, goals)
    trajectory = follow_waypoints(plan, StraightLine(), env, critics.distance, reach=20.0, filtered=True)
    assert trajectory.success
    assert trajectory.num_agent_contacts == 0


def test_another_number_of_agents_is_refused():
    scenario = hall(1)
    plan, critics = planned(scenario, [[2.0, 6.5]], [[4.5, 1.5]], [[4.5, 12.5]])
    env = make_env(scenario, [[4.5, 1.5], [1.5, 1.5]], [[4.5, 12.5], [1.5, 4.5]])
    with pytest.raises(InvalidInput, match="paths for 1 agents, the environment has 2"):
        follow_waypoints(plan, StraightLine(), env, critics.distance, reach=7.0)


def test_the_budget_is_kept_and_agents_at_their_goals_rest():
    scenario = hall(2)
    starts, goals = [[1.5, 1.5], [7.5, 1.5]], [[1.5, 3.5], [7.5, 13.5]]
    plan, critics = planned(scenario, [[7.5, 7.0]], starts, goals)
    env = make_env(scenario, starts, goals)
    trajectory = follow_waypoints(plan, StraightLine(), env, critics.distance, reach=7.0, max_steps=5)
    assert trajectory.num_steps == 5
    assert trajectory.arrival[0] == 2
    assert not trajectory.actions[2:, 0].any()
    assert trajectory.arrival[1] == -1
    assert trajectory.cost_until_arrival[0] == pytest.approx(trajectory.cost[:2, 0].sum())
    assert trajectory.cost_until_arrival[1] == pytest.approx(trajectory.cost[:, 1].sum())
