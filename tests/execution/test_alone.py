from __future__ import annotations

import numpy as np

from navplan.control.straight_line import StraightLine
from navplan.execution.alone import alone
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.world import World


def test_alone_contacts_are_recorded_as_they_happen():
    world = World.from_walls("corridor", np.zeros((1, 7), bool))
    env = PointEnv(world, num_agents=2, rng=np.random.default_rng(0))
    head_on = {"starts": [[0.5, 0.5], [0.5, 6.5]], "goals": [[0.5, 6.5], [0.5, 0.5]]}
    env.reset(**head_on)
    through = alone(StraightLine(), env)
    assert through.reached
    assert through.num_agent_contacts > 0
    assert not through.success
    env.reset(**head_on)
    kept = alone(StraightLine(), env, max_steps=40, filtered=True)
    assert kept.num_agent_contacts == 0
