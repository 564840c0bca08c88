from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navplan.control.straight_line import StraightLine
from navplan.errors import InvalidInput
from navplan.execution.synchronised import Settings, drive, execute
from navplan.execution.trajectory import Trajectory
from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import Problem
from navplan.scenarios.environments.point import PointEnv
from tests.support.execution import Unruly, env_for, prioritised


def crowded(seed, agents, size=8, density=0.12):
    """Walls, and starts and goals on distinct cells of one connected room."""
    rng = np.random.default_rng(seed)
    walls = rng.random((size, size)) < density
    walls[:, 0] = walls[-1] = False
    walls[1:-1] &= ~(walls[:-2] | walls[1:-1].cumsum(axis=1).astype(bool) & (rng.random((size - 2, size)) < 0.5))
    free = int((~walls).sum())
    return walls, rng.permutation(free)[:agents], rng.permutation(free)[:agents]


def planned(seed, agents, **options):
    walls, starts, goals = crowded(seed, agents, **options)
    try:
        plan = prioritised(walls, starts, goals)
    except AssertionError:
        return None, None
    return plan, env_for(walls, plan)


def hand_plan(walls, *cells) -> tuple[Plan, PointEnv]:
    """A plan through the given cells, one list of (row, col) per agent."""
    from navplan.graph.state_graph import StateGraph

    graph = StateGraph.from_grid(walls)
    ids = {tuple(c): n for n, c in enumerate(graph.cells().tolist())}
    paths = [[ids[c] for c in path] for path in cells]
    problem = Problem(graph, np.array([p[0] for p in paths]), np.array([p[-1] for p in paths]))
    plan = make_plan(problem, "hand", "feasible", paths)
    return plan, env_for(walls, plan)


def check(trajectory: Trajectory) -> None:
    assert trajectory.num_agent_contacts == 0
    assert trajectory.reached
    assert trajectory.success


@pytest.mark.parametrize("seed", range(6))
def test_twelve_agents_arrive_close_to_the_plans_pace(seed):
    plan, env = planned(seed, 12)
    assert plan is not None
    trajectory = drive(plan, StraightLine(), env)
    check(trajectory)
    assert trajectory.num_steps <= 2 * plan.makespan + 6


@settings(max_examples=8)
@given(st.integers(0, 500), st.sampled_from([1, 2]))
def test_unruly_agents_arrive_without_a_touch(seed, lag):
    plan, env = planned(seed, 12)
    if plan is not None:
        check(drive(plan, Unruly(seed), env, settings=Settings(lag=lag)))


@settings(max_examples=8)
@given(st.integers(0, 500))
def test_whatever_the_policy_does_nobody_touches(seed):
    """Random actions at full speed: nobody need arrive, nobody may touch."""
    plan, env = planned(seed, 16)
    if plan is not None:
        trajectory = drive(plan, Unruly(seed, noise=3.0, idle=0.0), env, max_steps=80)
        assert trajectory.num_agent_contacts == 0


class Late:
    """Goes straight, but agent 0 sleeps at first."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def act(self, observations, goals, condition=None):
        actions = StraightLine().act(observations, goals)
        if self.steps > 0:
            actions[0] = 0
        self.steps -= 1
        return actions


def crossing_plan() -> tuple[Plan, PointEnv]:
    """The second crosses (3, 3) three time steps after the first."""
    first = [(3, c) for c in range(7)]
    second = [(0, 3)] * 4 + [(r, 3) for r in range(1, 7)]
    return hand_plan(np.zeros((7, 7), bool), first, second)


def test_without_the_filter_the_order_of_passage_alone_keeps_bodies_apart():
    for clearance, filtered, touched in ((None, False, False), (0.0, False, True), (0.0, True, False)):
        plan, env = crossing_plan()
        trajectory = drive(plan, Late(0), env, settings=Settings(clearance=clearance), filtered=filtered)
        assert bool(trajectory.num_agent_contacts) == touched


def test_the_planned_first_goes_first_however_late_it_is():
    plan, env = crossing_plan()
    trajectory = drive(plan, Late(25), env, settings=Settings(patience=100))
    check(trajectory)
    crossing = [int(np.argmax(trajectory.states[:, a, axis] > 3.5)) for a, axis in ((0, 1), (1, 0))]
    assert 25 < crossing[0] <= crossing[1]
    # it came as near as the order allows meanwhile, and it loses no more than a step or two behind the first
    assert 1.5 < trajectory.states[25, 1, 0] < 3.0
    assert crossing[1] <= crossing[0] + 3


def test_agents_swap_in_a_corridor_through_its_bay():
    walls = np.ones((2, 7), bool)
    walls[1] = False
    walls[0, 3] = False
    right = [(1, 0), (1, 1), (1, 2), (1, 3), (0, 3), (0, 3), (1, 3), (1, 4), (1, 5), (1, 6)]
    left = [(1, 6), (1, 5), (1, 5), (1, 5), (1, 4), (1, 3), (1, 2), (1, 1), (1, 0)]
    plan, env = hand_plan(walls, right, left)
    check(drive(plan, StraightLine(), env))
    env.reset(starts=plan.problem["start_states"], goals=plan.problem["goal_states"])
    check(drive(plan, Unruly(3), env))


@pytest.mark.kernels
def test_an_agent_at_its_goal_steps_aside_and_returns():
    walls = np.zeros((3, 9), bool)
    resting = [(1, 4)]
    passing = [(1, c) for c in range(9)]
    plan, env = hand_plan(walls, resting, passing)
    trajectory = drive(plan, StraightLine(), env)
    check(trajectory)


class Refuses:
    """Straight-line control that never comes within a cell of one place."""

    def __init__(self, place):
        self.place = np.asarray(place, np.float32)

    def act(self, observations, goals, condition=None):
        actions = StraightLine().act(observations, goals)
        actions[np.linalg.norm(goals - self.place, axis=1) < 0.1] = 0
        return actions


def test_a_waypoint_that_cannot_be_driven_is_reported_and_planned_around():
    walls = np.zeros((3, 5), bool)
    plan, env = hand_plan(walls, [(1, 0), (1, 1), (1, 2), (1, 3), (1, 4)])
    asked = []

    def replan(states, failed, home):
        asked.append((states.copy(), failed, home))
        way = np.concatenate([states, [[0.5, 1.5], [0.5, 3.5], [1.5, 4.5]]]).astype(np.float32)
        return Plan("feasible", "hand", 1, (np.arange(4, dtype=np.int32),), (way,))

    trajectory = drive(plan, Refuses([1.5, 2.5]), env, replan=replan, settings=Settings(waypoint_tolerance=0.2))
    check(trajectory)
    (states, failed, home), *more = asked
    assert not more
    assert failed == ((0, int(plan.paths[0][1]), int(plan.paths[0][2])),)
    assert not home.any()
    np.testing.assert_allclose(states, [[1.5, 1.5]], atol=0.3)
    assert [event["kind"] for event in trajectory.events] == ["replan"]
    assert len(trajectory.plans) == 2


def test_without_replanning_the_next_waypoint_is_tried():
    plan, env = hand_plan(np.zeros((3, 5), bool), [(1, 0), (1, 1), (1, 2), (1, 3), (1, 4)])
    trajectory = drive(plan, Refuses([1.5, 2.5]), env, settings=Settings(waypoint_tolerance=0.2))
    check(trajectory)
    assert trajectory.events == ({"step": 10, "agents": [0], "kind": "stuck", "skipped": [0]},)


def test_a_failed_replan_is_recorded_and_changes_nothing():
    plan, env = hand_plan(np.zeros((3, 5), bool), [(1, 0), (1, 1), (1, 2), (1, 3), (1, 4)])
    policy = Refuses([1.5, 2.5])

    def replan(states, failed, home):
        return Plan("timeout", "hand", 1, reason="too slow")

    trajectory = drive(plan, policy, env, replan=replan, max_steps=40, settings=Settings(waypoint_tolerance=0.2, max_replans=2))
    assert [event["kind"] for event in trajectory.events][:3] == ["replan-failed", "replan-failed", "stuck"]
    assert trajectory.events[0]["reason"] == "too slow"
    check(trajectory)


class Still:
    """A low level that knows nothing and does nothing."""

    def act(self, observations, goals, condition=None):
        return np.zeros_like(observations)


def test_nothing_stands_in_for_the_low_level():
    plan, env = planned(1, 8)
    trajectory = drive(plan, Still(), env, max_steps=30)
    assert trajectory.num_steps == 30
    assert not trajectory.success
    np.testing.assert_array_equal(trajectory.states[-1], trajectory.starts)


def test_the_record_can_be_simulated_again():
    plan, env = planned(2, 10)
    trajectory = drive(plan, Unruly(1), env)
    env.reset(starts=trajectory.starts, goals=trajectory.goals)
    for t in range(trajectory.num_steps):
        result = env.step(trajectory.actions[t][None])
        np.testing.assert_array_equal(result.states[0], trajectory.states[t + 1])
        np.testing.assert_array_equal(result.cost[0], trajectory.cost[t])
        np.testing.assert_array_equal(result.agent_contacts[0], trajectory.agent_contacts[t])
        np.testing.assert_array_equal(result.bumps[0], trajectory.bumps[t])


def test_execution_is_a_generator_that_can_be_left():
    plan, env = planned(3, 8)
    steps = []
    for step in execute(plan, StraightLine(), env):
        steps.append(step)
        if step.index == 2:
            break
    assert [s.index for s in steps] == [0, 1, 2]
    np.testing.assert_array_equal(steps[-1].states, env.states[0])
    assert steps[0].waypoints.shape == steps[0].actions.shape == (8, 2)
    assert (steps[2].progress >= steps[1].progress).all()


def test_agents_that_start_at_their_goals_take_no_step():
    plan, env = hand_plan(np.zeros((3, 3), bool), [(0, 0)], [(2, 2)])
    trajectory = drive(plan, StraightLine(), env)
    assert trajectory.num_steps == 0
    assert trajectory.success


def test_bad_input_is_named():
    plan, env = hand_plan(np.zeros((3, 3), bool), [(0, 0), (0, 1)], [(2, 2), (2, 1)])
    unsolved = Plan("infeasible", "x", 2)
    with pytest.raises(InvalidInput, match="infeasible and has no paths"):
        drive(unsolved, StraightLine(), env)
    one, _ = hand_plan(np.zeros((3, 3), bool), [(0, 0), (0, 1)])
    with pytest.raises(InvalidInput, match="paths for 1 agents, the environment has 2"):
        drive(one, StraightLine(), env)
    env.reset(starts=[[0.5, 0.5], [1.5, 1.5]], goals=env.goals)
    with pytest.raises(InvalidInput, match="agent 1: the plan starts at"):
        drive(plan, StraightLine(), env)
    many = PointEnv(env.world, num_envs=2, num_agents=2, rng=np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="one environment, got 2"):
        drive(plan, StraightLine(), many)
