"""Moves that go wrong and positions that are told inexactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from navplan.control.disturbance import CALM, CUT, Disturbance
from navplan.errors import InvalidInput
from navplan.scenarios.environments.disturbed import DisturbedEnv
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.world import World


def hall(disturbance: Disturbance, agents: int = 200) -> DisturbedEnv:
    env = PointEnv(World.from_walls("hall", np.zeros((9, 9), bool)), num_agents=agents, rng=np.random.default_rng(0))
    env.reset(starts=np.full((agents, 2), 4.5), goals=np.full((agents, 2), 4.5))
    return DisturbedEnv(env, disturbance, np.random.default_rng(1))


def test_without_disturbance_all_is_as_in_the_environment() -> None:
    env = hall(CALM, agents=2)
    plain = PointEnv(env.world, num_agents=2, rng=np.random.default_rng(0))
    plain.reset(starts=env.states[0], goals=env.goals[0])
    actions = np.float32([[[0.3, -1.5], [0.0, 0.7]]])
    for _ in range(3):
        np.testing.assert_array_equal(env.step(actions).states, plain.step(actions).states)
        np.testing.assert_array_equal(env.observe(), plain.states)
        np.testing.assert_array_equal(env.predict(actions), plain.predict(actions))


def test_noise_is_normal_and_cut_off() -> None:
    env = hall(Disturbance(action_noise=0.1, localisation_noise=0.05))
    env.step(np.zeros((1, 200, 2)))
    moved, told = env.states - 4.5, env.observe() - env.states
    for found, deviation in ((moved, 0.1), (told, 0.05)):
        assert np.abs(found).max() <= CUT * deviation + 1e-6
        # a normal cut at two deviations has 0.88 of its deviation
        assert found.std() == pytest.approx(0.88 * deviation, rel=0.1)
        assert abs(found.mean()) < 0.2 * deviation
    assert not np.array_equal(env.observe(), env.observe())


def test_lost_moves_are_not_made_and_late_ones_later() -> None:
    env = hall(Disturbance(lost_moves=0.25))
    env.step(np.full((1, 200, 2), 0.5))
    still = (env.states == 4.5).all(axis=2)
    assert 0.15 < still.mean() < 0.35
    np.testing.assert_allclose(env.states[~still], 5.0, atol=1e-5)
    late = hall(Disturbance(late=2), agents=1)
    rows = []
    for move in (0.1, 0.2, 0.3, 0.0):
        late.step(np.full((1, 1, 2), move))
        rows.append(float(late.states[0, 0, 0]))
    np.testing.assert_allclose(rows, [4.5, 4.5, 4.6, 4.8], atol=1e-5)


@pytest.mark.parametrize(
    "wrong", [{"action_noise": -1}, {"localisation_noise": np.nan}, {"lost_moves": 1.0}, {"late": -1}, {"late": 0.5}]
)
def test_numbers_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=next(iter(wrong))):
        Disturbance(**wrong)
