from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.world import Hazard, World
from tests.support.naive.environment import NaiveEnv, contacts

KINDS = ("none", "linear", "cosine", "constant")


def random_grid(rng, hazard):
    rows, cols = rng.integers(1, 9, size=2)
    walls = rng.random((rows, cols)) < rng.choice([0.0, 0.15, 0.5])
    walls[rng.integers(rows), rng.integers(cols)] = False
    return World.from_walls("grid", np.kron(walls, np.ones((rng.integers(1, 4),) * 2, dtype=bool)), hazard)


def random_polygons(rng, hazard):
    height, width = rng.uniform(3, 9, size=2)
    polygons = []
    for _ in range(rng.integers(1, 4)):
        centre, size = rng.uniform(0, [height, width]), rng.uniform(0.05, 2, size=2)
        turns = np.sort(rng.uniform(0, 2 * math.pi, size=rng.integers(3, 8)))
        ring = centre + np.stack([np.cos(turns), np.sin(turns)], axis=1) * size
        hole = [centre + (ring - centre) * 0.6] if rng.random() < 0.5 else None
        polygon = Polygon(ring, hole)
        if polygon.is_valid and polygon.area > 1e-3:
            polygons.append(polygon)
    return World("polygons", None, float(height), float(width), polygons=tuple(polygons), hazard=hazard)


def assert_same_step(env, actions):
    """One step of `env` is what the naive environment makes of each agent."""
    naive = NaiveEnv(env.world)
    before = env.states
    predicted = env.predict(actions)
    result = env.step(actions)
    for b in range(env.num_envs):
        for a in range(env.num_agents):
            passed, rejected = naive.positions(before[b, a], actions[b, a])
            np.testing.assert_array_equal(predicted[b, a], passed)
            np.testing.assert_array_equal(result.states[b, a], passed[-1])
            assert result.bumps[b, a] == rejected
            distances = [naive.distance(*point) for point in [before[b, a], *passed]]
            if env.world.hazard.kind != "constant" or abs(min(distances) - env.world.hazard.radius) > 1e-5:
                assert result.cost[b, a] == pytest.approx(naive.step_cost(before[b, a], passed), abs=2e-5)
            gap = math.dist(passed[-1].astype(float), env.goals[b, a].astype(float))
            assert result.reached[b, a] == (gap < env.goal_tolerance)
        np.testing.assert_array_equal(result.agent_contacts[b], contacts(predicted[b], env.radius))


def drive(world, rng, steps, agents=2):
    env = PointEnv(world, num_envs=2, num_agents=agents, radius=float(rng.uniform(0.05, 1)), body="point", rng=rng)
    for _ in range(steps):
        actions = rng.uniform(-1.3, 1.3, size=(2, agents, 2)).astype(np.float32)
        actions[rng.random(actions.shape) < 0.2] = 1.0
        actions[rng.random(actions.shape) < 0.1] = 0.0
        assert_same_step(env, actions)


@given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS))
def test_a_grid_step_is_the_naive_step(seed, kind):
    rng = np.random.default_rng(seed)
    drive(random_grid(rng, Hazard(kind, float(rng.uniform(0.2, 6)))), rng, steps=3)


@given(st.integers(0, 2**32 - 1), st.sampled_from(KINDS))
def test_a_polygon_step_is_the_naive_step(seed, kind):
    rng = np.random.default_rng(seed)
    drive(random_polygons(rng, Hazard(kind, float(rng.uniform(0.2, 6)))), rng, steps=2)


@pytest.mark.kernels
def test_both_kinds_of_world_in_plain_python():
    rng = np.random.default_rng(3)
    for make in (random_grid, random_polygons):
        drive(make(rng, Hazard("linear", 2.0)), rng, steps=3)
