"""Where agents are when they are told so inexactly."""

from __future__ import annotations

import numpy as np
import pytest

from navplan.control.disturbance import Disturbance
from navplan.control.straight_line import StraightLine
from navplan.execution.alone import alone
from navplan.execution.observer import Observer
from navplan.scenarios.environments.disturbed import DisturbedEnv
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.world import World


def hall(disturbance: Disturbance, starts, goals=None, walls=None) -> DisturbedEnv:
    world = World.from_walls("hall", np.zeros((20, 20), bool) if walls is None else walls)
    env = PointEnv(world, num_agents=len(starts), rng=np.random.default_rng(0))
    env.reset(starts=starts, goals=starts if goals is None else goals)
    return DisturbedEnv(env, disturbance, np.random.default_rng(3))


KINDS = {
    "localisation": Disturbance(localisation_noise=0.1),
    "lost": Disturbance(localisation_noise=0.1, lost_moves=0.3),
    "noise": Disturbance(localisation_noise=0.1, action_noise=0.05),
    "all": Disturbance(localisation_noise=0.1, action_noise=0.05, lost_moves=0.3),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_agent_is_in_its_box(kind: str) -> None:
    starts = np.random.default_rng(0).uniform(8, 12, (40, 2)).astype(np.float32)
    env = hall(KINDS[kind], starts)
    observer, rng, halves = Observer.of(env, KINDS[kind]), np.random.default_rng(1), []
    for _ in range(12):
        here = observer.look()
        np.testing.assert_allclose(here, observer.centre, atol=1e-5)
        assert (np.abs(env.states[0] - observer.centre) <= observer.half + 1e-4).all()
        halves.append(observer.half.mean())
        actions = rng.uniform(-0.5, 0.5, (40, 2)).astype(np.float32)
        observer.decided(actions)
        env.step(actions[None])
    assert halves[0] == pytest.approx(0.2)
    assert halves[-1] < {"localisation": 0.08, "lost": 0.15, "noise": 0.19, "all": 0.2}[kind]


def test_the_box_is_a_bound_beside_walls_too() -> None:
    walls = np.zeros((9, 9), bool)
    walls[4, 2:7] = True
    expected = Disturbance(localisation_noise=0.1)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        starts = np.stack([rng.uniform(3.2, 3.7, 60), rng.uniform(2.5, 6.5, 60)], axis=1).astype(np.float32)
        env = hall(expected, starts, walls=walls)
        observer, beyond = Observer.of(env, expected), []
        for _ in range(12):
            observer.look()
            beyond.append((np.abs(env.states[0] - observer.centre) - observer.half).max(axis=1))
            actions = rng.uniform(-0.3, 1.0, (60, 2)).astype(np.float32)  # on the whole down, into the wall and along it
            actions[:, 1] *= 0.5
            observer.decided(actions)
            env.step(actions[None])
        assert (env.states[0, :, 0] > 3.7).any()
        assert max(found.max() for found in beyond) < 0.15
        assert np.mean([(found > 1e-4).mean() for found in beyond]) < 0.05


def test_what_is_decided_late_is_decided_for_where_it_takes_effect() -> None:
    expected = Disturbance(late=2)
    env = hall(expected, np.float32([[5.0, 5.0]]))
    observer, seen, came = Observer.of(env, expected), [], []
    for move in (0.5, -0.25, 0.75, 0.0, 0.0, 0.0):
        seen.append(observer.look()[0, 0])
        actions = np.full((1, 2), move, np.float32)
        observer.decided(actions)
        env.step(actions[None])
        came.append(env.states[0, 0, 0])
    # what is seen at a step is where the agent is when that step's action is made, two steps later
    np.testing.assert_allclose(seen[:4], came[1:5], atol=1e-5)


def test_told_to_be_inside_a_wall_it_is_taken_to_be_beside_it() -> None:
    walls = np.zeros((5, 5), bool)
    walls[2, 2] = True
    env = hall(Disturbance(localisation_noise=0.1), np.float32([[1.74, 2.5]] * 50), walls=walls)
    observer = Observer.of(env, env.disturbance)
    assert not env.is_free(env.observe()).all()
    for _ in range(5):
        here = observer.look()
        assert env.is_free(here).all()
        observer.decided(np.zeros((50, 2), np.float32))
        env.predict(np.zeros((1, 50, 2), np.float32), here)  # does not raise


DISTURBANCES = {
    "action noise": Disturbance(action_noise=0.05),
    "localisation noise": Disturbance(localisation_noise=0.05),
    "lost moves": Disturbance(lost_moves=0.1),
    "late": Disturbance(late=1),
}


@pytest.mark.parametrize("kind", DISTURBANCES)
def test_the_filter_keeps_disturbed_agents_apart_when_it_knows_and_not_when_it_does_not(kind: str) -> None:
    angles = np.arange(8) * np.pi / 4 + 0.1
    circle = 10 + 6 * np.stack([np.sin(angles), np.cos(angles)], 1).astype(np.float32)
    expected = DISTURBANCES[kind]
    for seed in range(3):
        env = hall(expected, circle, 20 - circle)
        env.rng = np.random.default_rng(seed)
        driven = alone(StraightLine(), env, filtered=True, expects=expected, max_steps=120)
        assert driven.num_agent_contacts == 0
        assert driven.success
    contacts = 0
    for seed in range(3):
        env = hall(expected, circle, 20 - circle)
        env.rng = np.random.default_rng(seed)
        contacts += alone(StraightLine(), env, filtered=True, max_steps=120).num_agent_contacts
    assert contacts > 0
