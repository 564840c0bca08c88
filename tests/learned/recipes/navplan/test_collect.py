from __future__ import annotations

import numpy as np
import pytest

from navplan.learned.curriculum.disagreement import ProblemQueue, Problems
from navplan.learned.datasets.replay import Replay
from navplan.learned.evaluation.judge import rollout
from navplan.learned.recipes.navplan.collect import Collector
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.world import World

CONFIG = TrainConfig("center-dot", num_envs=16, warmup_rounds=1, replay_episodes=100)


class Straight:
    """Walks towards the goal."""

    def act(self, observations: np.ndarray, goals: np.ndarray, condition: np.ndarray | None = None) -> np.ndarray:
        return np.clip(goals - observations, -1, 1)


@pytest.fixture
def world() -> World:
    return load_scenario("center-dot").world


@pytest.fixture
def replay(world: World) -> Replay:
    replay = Replay(100, 20)
    collector = Collector(
        CONFIG, PointEnv(world, num_envs=16, body="point", rng=np.random.default_rng(1)), np.random.default_rng(0)
    )
    assert collector.round(None, replay) == []
    outcome = collector.round(Straight(), replay)
    assert len(outcome) == 4  # a quarter of the environments is without noise
    assert np.mean([hit for _, hit in outcome]) >= 0.5
    assert all(cost >= 0 for cost, _ in outcome)
    return replay


def test_stored_transitions_are_the_environments(world: World, replay: Replay) -> None:
    assert replay.size == 32
    env = PointEnv(world, num_envs=32 * 20, body="point", rng=np.random.default_rng(0))
    env.reset(replay.states[:32, :-1].reshape(-1, 1, 2), replay.goals[:32].reshape(-1, 1, 2))
    result = env.step(replay.actions[:32].reshape(-1, 1, 2))
    np.testing.assert_array_equal(result.states.reshape(32, 20, 2), replay.states[:32, 1:])
    np.testing.assert_array_equal(result.cost.reshape(32, 20), replay.costs[:32])


def test_noise_free_environments_follow_the_policy_and_a_quarter_acts_at_random(replay: Replay) -> None:
    wished = np.clip(replay.goals[16:32] - replay.states[16:32, :-1], -1, 1)
    error = np.abs(replay.actions[16:32] - wished).mean(axis=(1, 2))
    np.testing.assert_allclose(error[:4], 0, atol=1e-6)
    assert (error[4:12] > 0.02).all()
    assert error[12:].mean() > 0.5


def test_a_reached_goal_is_followed_by_another(replay: Replay) -> None:
    goals, states = replay.goals[16:20], replay.states[16:20]
    reached = np.linalg.norm(states[:, 1:] - goals, axis=2) < 0.5
    changed = (goals[:, 1:] != goals[:, :-1]).any(axis=2)
    np.testing.assert_array_equal(changed, reached[:, :-1])
    assert changed.any()


def test_rollout_counts_steps_and_cost_until_the_goal(world: World) -> None:
    starts = np.array([[1.5, 1.5], [1.5, 1.5], [7.5, 4.5]], np.float32)
    goals = np.array([[1.5, 4.4], [1.5, 1.5], [7.5, 11.5]], np.float32)
    found = rollout(Straight(), world, starts, goals)
    assert found.steps.tolist() == [3.0, 1.0, np.inf]  # the last one pushes against the block
    assert found.cost[:2].tolist() == [0.0, 0.0]
    assert found.cost[2] > 30


def test_a_share_of_the_noisy_environments_practises_problems_from_the_queue(world: World, replay: Replay) -> None:
    env = PointEnv(world, num_envs=16, body="point", rng=np.random.default_rng(1))
    collector = Collector(CONFIG, env, np.random.default_rng(0))
    assert collector.practising.tolist() == [4, 5]
    queue = ProblemQueue()
    points = env.sample_free(6)
    queue.refill(Problems(points[:3], points[3:]))
    for taken in (2, 1, 0):  # the third round finds none left
        first = replay.head
        collector.round(Straight(), replay, queue)
        rows = first + collector.practising[:taken]
        problems = Problems(points[:3][3 - taken - len(queue) :][:taken], points[3:][3 - taken - len(queue) :][:taken])
        np.testing.assert_array_equal(replay.states[rows, 0], problems.starts)
        np.testing.assert_array_equal(replay.goals[rows, 0], problems.goals)
    assert len(queue) == 0
