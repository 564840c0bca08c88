"""The filter without walls: positions and free motion, nothing else."""

from __future__ import annotations

import numpy as np

from navplan.execution.free_motion import without_walls
from navplan.navigation.methods import METHODS, Options
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.world import World

WALLS = np.zeros((4, 6), np.bool_)
WALLS[:, 3] = True


def test_it_predicts_what_an_open_field_would_and_drives_in_the_real_one() -> None:
    rng = np.random.default_rng(0)
    worlds = {name: World.from_walls(name, walls) for name, walls in (("wall", WALLS), ("open", np.zeros((40, 60), np.bool_)))}
    walled = PointEnv(worlds["wall"], num_agents=2, rng=rng)
    walled.reset([[0.5, 2.6], [2.5, 2.0]])
    field = PointEnv(worlds["open"], num_agents=2, rng=rng)
    blind = without_walls(walled)
    actions = rng.uniform(-1.5, 1.5, (7, 2, 2)).astype(np.float32)
    actions[:, :, 1] = 1.0
    actions[:, 0, 0] = 0.4
    shifted = field.predict(actions, walled.states[0] + np.float32([20, 20])) - np.float32([20, 20])
    np.testing.assert_allclose(blind.predict(actions, walled.states[0]), shifted, atol=1e-4)
    np.testing.assert_allclose(blind.predict(actions[:1]), shifted[:1], atol=1e-4)
    assert not np.allclose(blind.predict(actions, walled.states[0]), walled.predict(actions, walled.states[0]), atol=0.1)
    result = blind.step(actions[:1])
    np.testing.assert_array_equal(result.states, walled.states)
    assert result.bumps.sum() > 0
    np.testing.assert_array_equal(blind.track, walled.track)


def test_it_is_an_option_of_the_method() -> None:
    assert METHODS["navplan"].driving.filter == "with-walls"
    assert Options(filter="without-walls").applied(METHODS["navplan"]).driving.filter == "without-walls"
