"""The paper's wandering, its ring of episodes, its queue of problems."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from navplan.kernels.motion.rollout import rollout
from navplan.learned.curriculum.disagreement import Problems
from navplan.learned.recipes.paper.collect import Ring, Wanderer
from navplan.learned.recipes.paper.experience import RingExperience
from navplan.learned.recipes.paper.learner import PaperLearner
from navplan.learned.training.run import Run
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.world import World
from tests.support.paper import SIZE, TINY, transitions


@pytest.fixture
def wanderer() -> Wanderer:
    return Wanderer(TINY, load_scenario("center-dot").world, SIZE, 0.5, np.random.default_rng(0))


def test_steps_are_those_of_the_environment_and_the_actor(wanderer: Wanderer) -> None:
    actor = PaperLearner(TINY, SIZE).networks["actor"]
    ring = Ring(1000)
    finished = wanderer.collect(actor, 300, ring)
    assert len(finished) >= 15
    rows = torch.from_numpy(ring.rows)
    env = PointEnv(wanderer.env.world, num_envs=300, body="point", rng=np.random.default_rng(0))
    env.reset(ring.rows[:, None, 0:2], ring.rows[:, None, 2:4])
    result = env.step(ring.rows[:, None, 4:6])
    np.testing.assert_array_equal(result.states[:, 0], ring.rows[:, 6:8])
    np.testing.assert_array_equal(result.cost[:, 0], ring.rows[:, 8])
    np.testing.assert_array_equal(result.reached[:, 0], ring.rows[:, 9] > 0)
    features = torch.cat([rows[:, 0:2], rows[:, 2:4]], 1) / 15
    with torch.no_grad():
        wished = actor(features)
    quiet = Wanderer(TINY.replace(noise=0.0), wanderer.env.world, SIZE, 0.5, np.random.default_rng(0))
    other = Ring(1000)
    quiet.collect(actor, 50, other)
    with torch.no_grad():
        exact = actor(torch.from_numpy(other.rows[:, 0:4]) / 15)
    np.testing.assert_allclose(other.rows[:, 4:6], exact.numpy(), atol=1e-5)
    assert np.abs(ring.rows[:, 4:6] - wished.numpy()).mean() > 0.3


@pytest.mark.kernels
def test_the_kernel_stops_at_the_goal() -> None:
    env = PointEnv(World.from_walls("field", np.zeros((6, 6), np.bool_)), body="point", rng=np.random.default_rng(0))
    layers = tuple(np.zeros(shape, np.float32) for shape in ((4, 3), 3, (3, 3), 3, (3, 2), 2))
    state, goal = np.full((1, 1, 2), 1.0, np.float32), np.full((1, 1, 2), 3.2, np.float32)
    noise = np.full((9, 2), 0.7, np.float32)
    states, actions, costs, reached = np.empty((9, 2), "f4"), np.empty((9, 2), "f4"), np.empty(9, "f4"), np.empty(9, "?")
    made = rollout(
        env.geometry, layers, np.ones(4, np.float32), state, goal, noise, False, 0.5, np.empty((2, 1, 11), np.float32),
        states, actions, costs, reached, np.empty((2, 3), np.float32), np.empty(2, np.float32),
    )  # fmt: skip
    assert made == 3
    np.testing.assert_allclose(states[:3], [[1.7, 1.7], [2.4, 2.4], [3.1, 3.1]], rtol=1e-5)
    assert reached[:3].tolist() == [False, False, True]
    np.testing.assert_array_equal(state[0, 0], states[2])


def test_weights_that_are_not_finite_end_the_run(wanderer: Wanderer) -> None:
    actor = PaperLearner(TINY, SIZE).networks["actor"]
    with torch.no_grad():
        actor.layers[2].bias.fill_(float("nan"))  # type: ignore[union-attr, operator]
    with pytest.raises(FloatingPointError, match="not finite"):
        wanderer.collect(actor, 10, Ring(100))


def test_episodes_begin_at_safe_corners_or_with_queued_problems(wanderer: Wanderer) -> None:
    assert len(wanderer.safe) == 161  # paper facts, section 2
    points = np.full((400, 2), 2.25, np.float32)
    queued = 0
    wanderer.queue.refill(Problems(points, points + 5))
    for _ in range(400):
        wanderer.reset()
        if wanderer.state[0, 0, 0] == 2.25:
            queued += 1
            np.testing.assert_array_equal(wanderer.goal[0, 0], [7.25, 7.25])
        else:
            np.testing.assert_array_equal(wanderer.state % 1, 0)
            assert wanderer.env.cost_at(wanderer.state[0]) == 0
    assert 160 < queued < 240
    assert len(wanderer.queue) == 400 - queued
    wanderer.queue.take(400)
    wanderer.reset()
    assert wanderer.state[0, 0, 0] != 2.25


def test_the_ring_forgets_the_oldest() -> None:
    ring = Ring(5)
    for k in range(4):
        ring.add(np.full((2, Ring.WIDTH), k, np.float32))
    assert sorted(ring.rows[:, 0].tolist()) == [1, 2, 2, 3, 3]
    batch = ring.sample(64, np.random.default_rng(0))
    assert set(batch.costs.tolist()) == {1.0, 2.0, 3.0}


def test_the_queue_is_replaced_by_the_published_numbers_of_problems() -> None:
    learner, experience = PaperLearner(TINY, SIZE), RingExperience(TINY, load_scenario("center-dot"))
    run = Run(TINY, learner, experience)
    run.warm_up()
    experience.refill(learner)
    assert len(experience.wanderer.queue) == 2 * TINY.queue_problems
    before = learner.critics.distance.w1.clone()
    experience.begin_stage_two(learner)
    assert (learner.stage, learner.multiplier, len(experience.wanderer.queue)) == (2, TINY.multiplier_start, 0)
    assert len(experience.ring.rows) == TINY.initial_steps
    run.round()
    torch.testing.assert_close(learner.stage1["critics"].distance.w1, before)
    assert not torch.equal(learner.critics.distance.w1, before)
    experience.refill(learner)
    assert len(experience.wanderer.queue) == TINY.queue_problems


def test_stage_two_practises_what_stage_one_thinks_of() -> None:
    learner = PaperLearner(TINY, SIZE)
    points = np.random.default_rng(0).uniform(0, 15, (2, 9, 2)).astype(np.float32)
    before = learner.members(*points)
    learner.begin_stage_two()
    for k in range(3):
        learner.update(transitions(16, k))
    for ours, theirs in zip(learner.members(*points), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


# -- runs -----------------------------------------------------------------------------------------------------------------------
