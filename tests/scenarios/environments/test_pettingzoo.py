from __future__ import annotations

import warnings

import numpy as np
import pytest

from navplan.errors import InvalidInput

pytest.importorskip("pettingzoo")

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # PettingZoo's test module imports what PettingZoo has deprecated
    from pettingzoo.test import parallel_api_test, parallel_seed_test

from navplan.scenarios.environments.pettingzoo import PointNavParallelEnv


@pytest.mark.parametrize("scenario", ["center-dot", "polygons"])
def test_pettingzoos_own_checks_pass(scenario):
    parallel_api_test(PointNavParallelEnv(scenario, num_agents=4, max_steps=50), num_cycles=1000)
    parallel_seed_test(lambda: PointNavParallelEnv(scenario, num_agents=3, max_steps=50), num_cycles=100)


def test_finished_agents_stay_as_bodies():
    env = PointNavParallelEnv("center-dot", num_agents=2, max_steps=9)
    env.reset(options={"starts": [[1, 1], [1, 3.2]], "goals": [[1, 1.2], [12, 12]]})
    still, left = np.zeros(2, dtype=np.float32), np.array([0, -1], dtype=np.float32)
    _, rewards, terminations, truncations, infos = env.step({"agent_0": still, "agent_1": left})
    assert rewards == {"agent_0": -1.0, "agent_1": -1.0}
    assert terminations == {"agent_0": True, "agent_1": False}
    assert truncations == {"agent_0": False, "agent_1": False}
    assert infos["agent_1"]["agent_contacts"] == []
    assert env.agents == ["agent_1"]
    observations, _, _, _, infos = env.step({"agent_1": left})
    assert list(observations) == ["agent_1"]
    assert infos["agent_1"]["agent_contacts"] == ["agent_0"]
    for _ in range(7):
        _, _, _, truncations, _ = env.step({"agent_1": still})
    assert truncations == {"agent_1": True}
    assert env.agents == []
    assert env.state().shape == (2, 4)


def test_bad_input():
    env = PointNavParallelEnv("center-dot", num_agents=2)
    with pytest.raises(InvalidInput, match="agent 1: start"):
        env.reset(options={"starts": [[1, 1], [7.5, 7.5]]})
    env.reset(seed=0)
    with pytest.raises(InvalidInput, match="agent_1 has shape"):
        env.step({"agent_0": np.zeros(2)})


def test_bodies_with_momentum_sense_themselves():
    env = PointNavParallelEnv("center-dot", bodies="car,quad,point")
    parallel_api_test(env, num_cycles=30)
    seen, _ = env.reset(seed=0)
    assert {name: values["body"].shape for name, values in seen.items()} == dict.fromkeys(env.possible_agents, (5,))
    assert all(env.observation_space(name).contains(values) for name, values in seen.items())
