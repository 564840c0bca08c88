from __future__ import annotations

import numpy as np

from navplan.bench.speed import env as suite
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.registry import load_scenario


def test_the_peer_takes_the_same_steps():
    world = load_scenario("four-rooms-modified").world
    rng = np.random.default_rng(0)
    env = PointEnv(world, num_envs=64, body="point", rng=rng)
    before = env.states[:, 0]
    actions = rng.uniform(-1, 1, size=(64, 1, 2)).astype(np.float32)
    states, cost = suite.NumpyPeer.of(world).step(before, actions[:, 0])
    result = env.step(actions)
    np.testing.assert_array_equal(result.states[:, 0], states)
    np.testing.assert_allclose(result.cost[:, 0], cost, atol=1e-5)


def test_rows_report_rates_and_ratios():
    rows = suite.run(True)
    assert {row["unit"] for row in rows} == {"agent-steps/s"}
    assert all(row["value"] > 0 for row in rows)
    assert [row["ratio"] is not None for row in rows] == [bool(row["peer"]) for row in rows]
