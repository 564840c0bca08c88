from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from shapely.geometry import box

from navplan.errors import InvalidInput
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.problems.draw import draw_problem
from navplan.scenarios.worlds.geodesic import geodesic_steps
from navplan.scenarios.worlds.mazes import maze_walls
from navplan.scenarios.worlds.world import World

WORLDS = {
    "grid": World.from_walls("center-dot", maze_walls("center-dot", 3)),
    "polygons": World("bars", None, 12.0, 12.5, polygons=(box(4.2, -1, 4.5, 8), box(8, 5, 9, 13))),
}


@pytest.mark.parametrize("name", WORLDS)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 8))
@settings(max_examples=20)
def test_problems_keep_distance_and_spacing(name, seed, agents, low):
    world = WORLDS[name]
    starts, goals = draw_problem(world, agents, np.random.default_rng(seed), distance=(low, low + 2))
    env = PointEnv(world, body="point", rng=np.random.default_rng(0))
    assert starts.shape == goals.shape == (agents, 2)
    assert starts.dtype == goals.dtype == np.float32
    assert env.is_free(starts).all()
    assert env.is_free(goals).all()
    steps = geodesic_steps(world, starts, goals)
    assert ((steps >= low) & (steps <= low + 2)).all()
    assert (pdist(starts.astype(float)) >= 1.0).all()
    assert (pdist(goals.astype(float)) >= 1.5).all()


def test_same_seed_same_problem():
    first, second, other = (draw_problem(WORLDS["grid"], 8, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_starts_are_uniform_over_the_free_space():
    rng = np.random.default_rng(0)
    world = World.from_walls("strip", np.array([[False, True, False, False]]))
    starts = np.concatenate([draw_problem(world, 1, rng, distance=(0, math.inf))[0] for _ in range(600)])
    counts = np.bincount(starts[:, 1].astype(int), minlength=4)
    assert counts[1] == 0
    assert counts[[0, 2, 3]].min() > 150


@pytest.mark.parametrize(
    ("agents", "options", "message"),
    [
        (0, {}, "num_agents is 0"),
        (1, {"distance": (3, 2)}, "distance"),
        (1, {"distance": (90, 99)}, "1 agents.*0 fitted"),
        (400, {}, "400 agents"),
        (1, {"start_spacing": math.nan}, "spacings"),
    ],
)
def test_impossible_problems_are_refused(agents, options, message):
    with pytest.raises(InvalidInput, match=message):
        draw_problem(WORLDS["grid"], agents, np.random.default_rng(0), **options)
