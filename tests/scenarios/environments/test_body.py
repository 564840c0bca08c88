"""Disc bodies among walls, against shapely's distances."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon, box

from navplan.errors import InvalidInput
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.world import Hazard, World
from tests.kernels.motion.test_stepping import random_grid, random_polygons

DOT = load_scenario("center-dot").world


def make(world, **options):
    return PointEnv(world, rng=np.random.default_rng(0), **options)


def not_to_enter(world):
    """Obstacles and what lies outside the box, as one geometry."""
    inside = box(0, 0, world.height, world.width)
    around = inside.buffer(20, join_style="mitre").difference(inside)
    cells = [] if world.walls is None else [box(i, j, i + 1, j + 1) for i, j in np.argwhere(world.walls)]
    return shapely.union_all([around, *cells, *world.polygons])


def roomy(make_world, rng):
    """A world, and an environment of discs that fit into it."""
    while True:
        world, radius = make_world(rng, Hazard("linear", 1.0)), float(rng.uniform(0.05, 0.9))
        try:
            return world, PointEnv(world, num_envs=8, radius=radius, rng=rng)
        except InvalidInput:
            continue


@pytest.mark.parametrize("make_world", [random_grid, random_polygons])
@given(seed=st.integers(0, 2**32 - 1))
def test_discs_keep_out_go_as_far_as_they_can_and_are_measured_right(make_world, seed):
    rng = np.random.default_rng(seed)
    world, env = roomy(make_world, rng)
    taken = not_to_enter(world)
    action = rng.choice([-1.0, 1.0], size=(8, 1, 2)) * rng.choice([0.0, 0.5, 1.0], size=(8, 1, 2))
    for _ in range(4):
        action = np.where(rng.random((8, 1, 1)) < 0.3, rng.uniform(-1, 1, (8, 1, 2)), action).astype(np.float32)
        predicted = env.predict(action)
        result = env.step(action)
        track = env.track
        np.testing.assert_array_equal(track[:, :, 1:], predicted)
        np.testing.assert_array_equal(track[:, :, -1], result.states)
        places = track.astype(np.float64)
        gap = shapely.distance(taken, shapely.points(places))
        assert gap.min() >= env.radius - 1e-9
        assert not world.overlaps(track, env.radius).any()
        moves = np.diff(places, axis=2)
        assert np.abs(moves).max() <= 0.1 + 1e-6
        assert not moves[:, :, 0::2, 1].any()
        assert not moves[:, :, 1::2, 0].any()
        straight = places[:, :, 0] + action.astype(np.float64)
        unhindered = result.bumps == 0
        np.testing.assert_allclose(result.states[unhindered], straight[unhindered], atol=1e-5)
        wish = 0.1 * action[..., 0].astype(np.float64)
        short = np.flatnonzero(np.abs(moves[:, 0, 0, 0]) < np.abs(wish[:, 0]) - 1e-4)
        beyond = places[short, 0, 1] + np.stack([np.sign(wish[short, 0]) * 1e-4, np.zeros(len(short))], axis=1)
        assert (shapely.distance(taken, shapely.points(beyond)) < env.radius).all()


@pytest.mark.parametrize("make_world", [random_grid, random_polygons])
@given(seed=st.integers(0, 2**32 - 1))
def test_overlaps_are_those_of_shapely(make_world, seed):
    rng = np.random.default_rng(seed)
    world, radius = make_world(rng, Hazard()), float(rng.uniform(0.0, 2.5))
    points = rng.uniform(-0.5, 9.5, (40, 2))
    taken = not_to_enter(world)
    gap = shapely.distance(taken, shapely.points(points)) - shapely.distance(taken.boundary, shapely.points(points)) * (
        shapely.contains(taken, shapely.points(points))
    )
    clear = np.abs(radius - gap) > 1e-5  # the union has no seams between cells, of which a point of radius 0 may be one
    inside = shapely.contains(taken, shapely.points(points))
    np.testing.assert_array_equal(world.overlaps(points, radius)[clear & ~inside], (radius > gap)[clear & ~inside])
    assert world.overlaps(points[inside], 0.1).all()


def test_a_disc_stops_at_its_radius_and_slides():
    env = make(DOT, radius=0.4)
    env.reset([[7.5, 5.2]], [[1.0, 1.0]])
    result = env.step([[[0.3, 1.0]]])
    assert result.states[0, 0, 1] == pytest.approx(5.6, abs=1e-6)
    assert result.states[0, 0, 1] <= np.float32(5.6)
    assert result.states[0, 0, 0] == pytest.approx(7.8, abs=1e-5)
    assert result.bumps[0, 0] == 6
    env.reset([[0.5, 14.5]])
    np.testing.assert_allclose(env.step([[[-1.0, 1.0]]]).states[0, 0], [0.4, 14.6], atol=1e-6)


def test_a_disc_glides_round_a_corner():
    """The dot's corner is at (6, 6): straight down at column 5.75 a disc of radius 0.4 has to give way to the side."""
    env = make(DOT, radius=0.4)
    env.reset([[4.5, 5.75]])
    for _ in range(6):
        env.step([[[1.0, 0.0]]])
    np.testing.assert_allclose(env.states[0, 0, 1], 5.6, atol=1e-3)
    assert env.states[0, 0, 0] > 7.5


def test_a_disc_glides_along_a_slanted_wall_as_without_friction():
    world = World("wedge", None, 10.0, 10.0, (Polygon([(10, 0), (10, 10), (0, 10)]),))
    env = make(world, radius=0.5)
    env.reset([[5 - math.sqrt(0.5) / 2 - 0.2, 5 - math.sqrt(0.5) / 2 - 0.2]])
    for _ in range(3):
        env.step([[[1.0, 0.0]]])
    np.testing.assert_allclose(env.states[0, 0].sum(), 10 - math.sqrt(0.5), atol=0.051)
    assert 0.9 < env.states[0, 0, 0] - 4.4464 < 1.5


def test_thin_polygons_are_not_jumped():
    world = World("blade", None, 4.0, 4.0, (Polygon([(2.0, 0.0), (2.0, 3.0), (2.0001, 3.0), (2.0001, 0.0)]),))
    env = make(world, radius=0.05)
    env.reset([[1.93, 1.0]])
    for _ in range(3):
        env.step([[[1.0, 0.0]]])
    np.testing.assert_allclose(env.states[0, 0], [1.95, 1.0], atol=1e-6)


def test_a_disc_that_overlaps_may_stay_slide_or_part():
    """Numbers of users are round: a start that lies a rounding inside a wall's margin must not be stuck there."""
    world = World("step", None, 4.0, 8.0, (box(0.0, 0.0, 1.0, 8.0),))
    for cells in (world, World.from_walls("step", np.arange(4)[:, None].repeat(8, 1) < 1)):
        env = make(cells, radius=0.3)
        env.reset([[1.3, 4.0]], [[2.0, 1.0]])
        assert np.float32(1.3) - 1 < 0.3
        np.testing.assert_allclose(env.step([[[-1.0, 1.0]]]).states[0, 0], [1.3, 5.0], atol=1e-5)
        np.testing.assert_allclose(env.step([[[1.0, -1.0]]]).states[0, 0], [2.3, 4.0], atol=1e-5)


def test_places_without_room_are_refused_and_never_drawn():
    env = make(DOT, radius=0.4, num_agents=2)
    points = env.sample_free(2000)
    assert not DOT.overlaps(points, 0.4).any()
    with pytest.raises(InvalidInput, match=r"agent 1: start \(5\.7, 7\) is too near to an obstacle .* radius 0\.4"):
        env.reset([[1.0, 1.0], [5.7, 7.0]])
    with pytest.raises(InvalidInput, match="agent 0: goal"):
        env.reset([[1.0, 1.0], [3.0, 3.0]], [[0.3, 5.0], [9.0, 9.0]])
    with pytest.raises(InvalidInput, match=r"no free point with room for a body of radius 0\.6"):
        make(World.from_walls("corridor", np.zeros((1, 9), np.bool_)), radius=0.6)


def test_a_point_body_is_the_papers_and_a_disc_without_radius_too():
    walls = {"point": make(DOT, radius=0.4, body="point"), "disc": make(DOT, radius=0.0)}
    for env in walls.values():
        env.reset([[7.5, 5.45]])
        np.testing.assert_allclose(env.step([[[0.3, 1.0]]]).states[0, 0], [7.8, 5.95], atol=1e-5)
    track = walls["point"].track
    np.testing.assert_array_equal(DOT.overlaps(track, 0.4), 6.0 - track[..., 1].astype(np.float64) < 0.4)
    assert DOT.overlaps(track, 0.4).any()
    with pytest.raises(InvalidInput, match="body is 'square', expected 'disc' or 'point'"):
        make(DOT, body="square")


@pytest.mark.kernels
def test_discs_in_plain_python():
    rng = np.random.default_rng(1)
    for make_world in (random_grid, random_polygons):
        world, env = roomy(make_world, rng)
        env.step(rng.uniform(-1, 1, (8, 1, 2)))
        assert not world.overlaps(env.track, env.radius).any()
