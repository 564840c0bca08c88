"""The loop that all ways of driving share, with the simplest of them."""

from __future__ import annotations

import numpy as np
import pytest

from navplan.control.disturbance import CALM
from navplan.control.straight_line import StraightLine
from navplan.execution.alone import alone
from navplan.execution.drive import Interrupted, drive_steps, drive_to_end
from navplan.execution.observer import Observer
from navplan.execution.simulator import Decision
from navplan.execution.synchronised import drive
from navplan.execution.waypoints import follow_waypoints
from navplan.plan.plan import Plan
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.world import World


class Rightwards:
    """Every agent goes right; it plans for a while at every second step."""

    def __init__(self, env: PointEnv, plan: Plan, stop_at: int = 99) -> None:
        self.plan, self.stop_at, self.observer = plan, stop_at, Observer.of(env, CALM)
        self.seen: list[tuple[int, list[bool]]] = []

    def act(self, index, here, home):
        if index == self.stop_at:
            raise KeyboardInterrupt
        self.seen.append((index, home.tolist()))
        actions = np.tile(np.float32([0, 1]), (len(here), 1))
        actions[home] = 0
        events = ({"step": index, "kind": "thought", "agents": []},) if index % 2 else ()
        return Decision(actions, here + actions, np.full(len(here), float(index)), self.plan, events, planning_s=0.25)


def corridor(*goals: float) -> tuple[PointEnv, Plan]:
    env = PointEnv(
        World.from_walls("hall", np.zeros((len(goals), 12), bool)), num_agents=len(goals), rng=np.random.default_rng(0)
    )
    rows = np.arange(len(goals)) + 0.5
    env.reset(starts=np.stack([rows, np.full(len(goals), 0.5)], 1), goals=np.stack([rows, goals], 1))
    return env, Plan("unsolved", "none", len(goals))


def test_it_ends_when_all_are_home_and_says_who_is() -> None:
    env, plan = corridor(2.5, 4.5)
    execution = Rightwards(env, plan)
    steps = list(drive_steps(execution, env, max_steps=20))
    assert execution.seen == [(0, [False, False]), (1, [False, False]), (2, [True, False]), (3, [True, False])]
    assert [step.index for step in steps] == [0, 1, 2, 3]
    np.testing.assert_allclose(steps[-1].states[:, 1], [2.5, 4.5], atol=1e-5)
    assert steps[2].progress.tolist() == [2.0, 2.0]
    assert steps[0].waypoints[0].tolist() == [0.5, 1.5]
    assert list(drive_steps(execution, env, max_steps=20)) == []


def test_the_budget_ends_it_too() -> None:
    env, plan = corridor(9.5)
    trajectory = drive_to_end(lambda: Rightwards(env, plan), env, plan, 3)
    assert trajectory.num_steps == 3
    assert not trajectory.reached
    assert [event["step"] for event in trajectory.events] == [1]
    assert trajectory.planning_s == pytest.approx(0.75)


def test_ctrl_c_while_driving_keeps_the_record() -> None:
    env, plan = corridor(9.5)
    with pytest.raises(Interrupted) as caught:
        drive_to_end(lambda: Rightwards(env, plan, stop_at=2), env, plan, 20)
    kept = caught.value.trajectory
    assert kept.num_steps == 2
    assert kept.plans == (plan,)
    np.testing.assert_allclose(kept.states[:, 0, 1], [0.5, 1.5, 2.5], atol=1e-5)


def test_ctrl_c_before_the_first_step_leaves_an_empty_record() -> None:
    env, plan = corridor(9.5)

    def start():
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        drive_to_end(start, env, plan, 20)
    assert caught.value.trajectory.num_steps == 0


class Tired:
    """Straight-line control that is interrupted when asked for the third time."""

    asked = 0

    def act(self, observations, goals, condition=None):
        self.asked += 1
        if self.asked == 3:
            raise KeyboardInterrupt
        return StraightLine().act(observations, goals)


def steps_between(tails, heads):
    return np.abs(heads - tails).max(axis=1)


@pytest.mark.parametrize("way", ["synchronised", "waypoints", "alone"])
def test_every_way_of_driving_keeps_what_was_driven(way: str) -> None:
    env, _ = corridor(9.5)
    nodes = np.float32([[0.5, 0.5], [0.5, 5.5], [0.5, 9.5]])
    plan = Plan("feasible", "hand", 1, (np.arange(3, dtype=np.int32),), (nodes,))
    runs = {
        "synchronised": lambda: drive(plan, Tired(), env),
        "waypoints": lambda: follow_waypoints(plan, Tired(), env, steps_between, reach=7.0),
        "alone": lambda: alone(Tired(), env),
    }
    with pytest.raises(Interrupted) as caught:
        runs[way]()
    assert caught.value.trajectory.num_steps == 2
    np.testing.assert_array_equal(caught.value.trajectory.states[-1], env.states[0])
