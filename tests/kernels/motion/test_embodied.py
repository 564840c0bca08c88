"""Steps of bodies among walls, and what is predicted of them."""

from __future__ import annotations

import numpy as np
import pytest

from navplan.scenarios.bodies.body import KINDS, Body
from navplan.scenarios.environments.embodied import EmbodiedEnv
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.world import Hazard, World
from tests.kernels.motion.test_stepping import random_grid, random_polygons

pytestmark = pytest.mark.kernels


def mixed(rng, make_world=random_grid, environments=3):
    """A world, and one body of each kind in it, of several sizes."""
    while True:
        world = make_world(rng, Hazard("linear", 1.0))
        bodies = [Body(kind, radius=float(rng.uniform(0.1, 0.3)), **turning(kind)) for kind in KINDS]
        try:
            return world, EmbodiedEnv(world, num_envs=environments, bodies=bodies, rng=rng)
        except ValueError:
            continue


def turning(kind):
    return {"min_turn_radius": 0.3} if kind == "car" else {}


@pytest.mark.parametrize("make_world", [random_grid, random_polygons])
def test_a_point_among_bodies_is_the_point_of_the_environment_of_points(make_world) -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        while True:
            world, radius = make_world(rng, Hazard("linear", 1.0)), float(rng.uniform(0.05, 0.4))
            try:
                ours = EmbodiedEnv(world, num_envs=5, bodies=[Body("point", radius)] * 2, rng=rng)
                break
            except ValueError:
                continue
        plain = PointEnv(world, num_envs=5, num_agents=2, radius=radius, rng=0)
        plain.reset(ours.states, ours.goals)
        for _ in range(12):
            actions = rng.uniform(-1.2, 1.2, (5, 2, 2)).astype(np.float32)
            foreseen = ours.predict(actions), plain.predict(actions)
            assert foreseen[0].tobytes() == foreseen[1].tobytes()
            for mine, his in zip(ours.step(actions), plain.step(actions), strict=True):
                assert mine.tobytes() == his.tobytes()
            assert ours.track.tobytes() == plain.track.tobytes()


@pytest.mark.parametrize("make_world", [random_grid, random_polygons])
def test_bodies_keep_out_of_walls_and_do_as_predicted(make_world) -> None:
    for seed in range(6):
        rng = np.random.default_rng(seed)
        world, env = mixed(rng, make_world)
        for _ in range(15):
            actions = rng.uniform(-1, 1, env.states.shape).astype(np.float32)
            begin, foreseen = env.states.copy(), env.predict(actions)
            result = env.step(actions)
            track = env.track
            assert track[:, :, 0].tobytes() == begin.tobytes()
            assert track[:, :, 1:].tobytes() == foreseen[:, :, :20].tobytes()
            assert track[:, :, -1].tobytes() == result.states.tobytes()
            for agent, radius in enumerate(env.radii):
                assert not world.overlaps(track[:, agent], float(radius)).any()
            worst = np.max([env.cost_at(np.clip(track[:, :, k], 0, [world.height, world.width])) for k in range(21)], axis=0)
            np.testing.assert_allclose(result.cost, worst, atol=1e-5)


def test_braking_is_the_end_of_the_track_that_was_driven() -> None:
    """Exactly, whatever walls do to it: that is what the safety filter relies on."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        _, env = mixed(rng)
        still = np.zeros(env.states.shape, np.float32)
        for _ in range(10):
            actions = rng.uniform(-1, 1, env.states.shape).astype(np.float32)
            foreseen = env.predict(actions)
            env.step(actions)
            braking = env.predict(still)
            rest = foreseen.shape[2] - 20
            assert braking[:, :, :rest].tobytes() == foreseen[:, :, 20:].tobytes()
            assert (braking[:, :, rest:] == braking[:, :, rest - 1 : rest]).all()


def test_after_their_tails_all_bodies_rest() -> None:
    rng = np.random.default_rng(0)
    _, env = mixed(rng)
    for _ in range(5):
        env.step(rng.uniform(-1, 1, env.states.shape))
    for _ in range(env.tail):
        env.step(np.zeros(env.states.shape))
    before = env.states.copy()
    assert env.at_rest.all()
    env.step(np.zeros(env.states.shape))
    np.testing.assert_array_equal(env.states, before)


def test_contacts_count_the_radii_of_the_two() -> None:
    world = World.from_walls("hall", np.zeros((4, 4), bool))
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        bodies = [Body("point", 0.1), Body("unicycle", 0.3), Body("quad", 0.5), Body("double-integrator", 0.2)]
        env = EmbodiedEnv(world, bodies=bodies, rng=rng)
        for _ in range(5):
            result = env.step(rng.uniform(-1, 1, env.states.shape))
            track = env.track[0].astype(np.float64)
            for a in range(4):
                for b in range(a):
                    gap = np.linalg.norm(track[a, 1:] - track[b, 1:], axis=1).min()
                    touch = bool(gap < env.radii[a] + env.radii[b])
                    assert result.agent_contacts[0, a, b] == touch == result.agent_contacts[0, b, a]
                    found.append(touch)
    assert 0 < sum(found) < len(found)


def test_states_after_a_step_are_foretold() -> None:
    rng = np.random.default_rng(3)
    _, env = mixed(rng, environments=1)
    for _ in range(5):
        actions = rng.uniform(-1, 1, env.states.shape).astype(np.float32)
        coming = env.later(actions, env.states, env.body)
        env.step(actions)
        assert coming.tobytes() == env.body.tobytes()


def test_what_a_wall_stops_is_gone() -> None:
    world = World.from_walls("hall", np.zeros((4, 6), bool))
    env = EmbodiedEnv(world, bodies=[Body("quad"), Body("car"), Body("double-integrator")], rng=0)
    env.reset([[2.5, 1.0], [2.5, 3.0], [2.5, 5.0]], [[1.0, 1.0], [1.0, 3.0], [1.0, 5.0]], headings=[0.0, 0.0, 0.0])
    for _ in range(8):
        bumps = env.step(np.array([[[1.0, 0.2], [1.0, 0.0], [1.0, -0.2]]])).bumps[0]
    assert (bumps > 0).all()
    np.testing.assert_allclose(env.states[0, :, 0], 3.75, atol=1e-6)
    assert env.body[0, 0, 0] == env.body[0, 1, 1] == env.body[0, 2, 0] == 0.0
    assert env.body[0, 0, 1] > 0.1
