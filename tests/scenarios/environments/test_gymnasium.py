from __future__ import annotations

import sys

import numpy as np
import pytest

from navplan.errors import InvalidInput, MissingExtra

gymnasium = pytest.importorskip("gymnasium")
from gymnasium.utils.env_checker import check_env  # noqa: E402

from navplan.scenarios.environments.gymnasium import PointNavEnv  # noqa: E402

NAME = "navplan.scenarios.environments.gymnasium:navplan/PointNav-v0"


@pytest.mark.parametrize("scenario", ["center-dot", "polygons"])
def test_gymnasiums_own_checks_pass(scenario):
    env = gymnasium.make(NAME, scenario=scenario)
    check_env(env.unwrapped)


def test_reward_cost_termination_and_truncation():
    env = PointNavEnv("center-dot", max_steps=3)
    observation, info = env.reset(seed=1, options={"start": (7.5, 5.0), "goal": (0.5, 0.5)})
    np.testing.assert_allclose(observation["observation"], [0.5, 1 / 3], rtol=1e-6)
    assert info == {"cost": pytest.approx(2 - 2 / 3)}
    seen = [env.step(np.array([0.0, 1.0], dtype=np.float32)) for _ in range(3)]
    assert [step[1] for step in seen] == [-1.0] * 3
    assert [step[2] for step in seen] == [False] * 3
    assert [step[3] for step in seen] == [False, False, True]
    assert seen[-1][4]["cost"] == pytest.approx(2 - 2 * 0.25 / 3)
    assert seen[-1][4]["bumps"] == 10
    env.reset(options={"start": (1.0, 1.4), "goal": (0.5, 0.5)})
    assert env.step(np.array([-0.5, -0.5], dtype=np.float32))[2]


def test_distance_limits_the_problems():
    env = PointNavEnv("center-dot", distance=(8, 8))
    for seed in range(5):
        observation, _ = env.reset(seed=seed)
        cells = [np.floor(observation[name] * 15) for name in ("observation", "goal")]
        assert np.abs(cells[0] - cells[1]).max() <= 8


def test_bad_input():
    env = PointNavEnv("center-dot")
    with pytest.raises(InvalidInput, match=r"start .* is in an obstacle"):
        env.reset(options={"start": (7.5, 7.5)})
    with pytest.raises(InvalidInput, match="'begin' is unknown"):
        env.reset(options={"begin": (0, 0)})
    with pytest.raises(InvalidInput, match="agent 0: action"):
        env.step(np.array([np.nan, 0], dtype=np.float32))
    with pytest.raises(InvalidInput, match="render_mode"):
        PointNavEnv("center-dot", render_mode="human")


@pytest.mark.parametrize(
    ("module", "missing", "message"),
    [
        ("gymnasium", "gymnasium", r"needs Gymnasium: pip install 'navplan\[envs\]'"),
        ("pettingzoo", "pettingzoo", r"needs PettingZoo: pip install 'navplan\[envs\]'"),
    ],
)
def test_missing_extras_are_named(monkeypatch, module, missing, message):
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.delitem(sys.modules, f"navplan.scenarios.environments.{module}", raising=False)
    with pytest.raises(MissingExtra, match=message):
        __import__(f"navplan.scenarios.environments.{module}")


def test_a_body_with_momentum_senses_itself():
    env = PointNavEnv("center-dot", bodies="unicycle", render_mode="rgb_array")
    check_env(env, skip_render_check=True)
    seen, _ = env.reset(seed=3)
    assert not seen["body"][:3].any()
    assert seen["body"][3:] @ seen["body"][3:] == pytest.approx(1.0)
    still = env.render()
    for _ in range(3):
        seen = env.step(np.array([0.5, 0.0], np.float32))[0]
    assert seen["body"][:3].any()
    assert (env.render() != still).any()
    assert "body" not in PointNavEnv("center-dot").observation_space.spaces
    with pytest.raises(InvalidInput, match="2 bodies for 1 agents"):
        PointNavEnv("center-dot", bodies="car:2")
