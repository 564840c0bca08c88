"""Sensors: rays against polygons of another library, in both kinds of worlds."""

import dataclasses

import numpy as np
import pytest
import shapely

from navplan.errors import InvalidInput, UnknownName
from navplan.scenarios.sensors import Lidar, Sensor, State, sensor_named
from navplan.scenarios.worlds.world import World


def _brute(obstacles, world, poses, beams, most):
    """Lengths of rays as shapely cuts them."""
    solid = shapely.union_all([*obstacles, shapely.box(0, 0, world.height, world.width).exterior])
    found = np.empty((len(poses), beams))
    for n, (row, col, heading) in enumerate(poses):
        here = shapely.Point(row, col)
        for k in range(beams):
            angle = heading + 2 * np.pi * k / beams
            ray = shapely.LineString([(row, col), (row + most * np.cos(angle), col + most * np.sin(angle))])
            hit = shapely.intersection(ray, solid)
            found[n, k] = most if hit.is_empty else min(most, here.distance(hit))
    return found


def _poses(world, rng, count=30):
    poses = np.column_stack([rng.uniform(0, world.height, 400), rng.uniform(0, world.width, 400), rng.uniform(-4, 4, 400)])
    return poses[~world.blocked(poses[:, :2])][:count]


@pytest.mark.kernels
@pytest.mark.parametrize("seed", range(3))
def test_rays_in_grids_end_at_the_first_wall(seed):
    rng = np.random.default_rng(seed)
    walls = rng.random((9, 12)) < 0.2
    world = World.from_walls("random", walls)
    poses = _poses(world, rng)
    cells = [shapely.box(i, j, i + 1, j + 1) for i, j in np.argwhere(walls)]
    found = Lidar(beams=7, range=5.0).observe(world, poses)
    np.testing.assert_allclose(found, _brute(cells, world, poses, 7, 5.0), atol=1e-5)


@pytest.mark.kernels
def test_rays_among_polygons_end_at_the_first_edge():
    hole = shapely.Polygon([(5, 5), (9, 5), (9, 9), (5, 9)], [[(6, 6), (8, 6), (8, 8), (6, 8)]])
    world = World("shapes", None, 12.0, 14.0, (shapely.Polygon([(1, 1), (4, 2), (2, 5)]), hole))
    poses = _poses(world, np.random.default_rng(0))
    poses[0, :2] = 7, 7
    found = Lidar(beams=9, range=20.0).observe(world, poses)
    np.testing.assert_allclose(found, _brute(world.polygons, world, poses, 9, 20.0), atol=1e-5)


def test_nothing_is_seen_from_within_a_wall():
    walls = np.array([[True, False]])
    assert (Lidar(beams=3).observe(World.from_walls("w", walls), [[0.5, 0.5, 0]]) == 0).all()
    block = World("b", None, 5.0, 5.0, (shapely.box(1, 1, 3, 3),))
    assert (Lidar(beams=3).observe(block, [[2.0, 2.0, 0]]) == 0).all()


def test_sensors_are_frozen_and_found_by_name():
    world = World.from_walls("w", np.zeros((3, 3), bool))
    assert sensor_named("lidar") == Lidar()
    assert isinstance(sensor_named("state"), Sensor)
    np.testing.assert_array_equal(State().observe(world, [[1.5, 2.0, 0.3]]), [[1.5, 2.0]])
    with pytest.raises(dataclasses.FrozenInstanceError):
        Lidar().beams = 3
    with pytest.raises(UnknownName, match="lidar"):
        sensor_named("lidr")


@pytest.mark.parametrize("bad", [[[1.0]], [1.0, 2.0, 0.0], [[np.nan, 1.0, 0.0]]])
def test_poses_that_are_none_are_refused(bad):
    with pytest.raises(InvalidInput, match="row, col, heading"):
        Lidar().observe(World.from_walls("w", np.zeros((3, 3), bool)), bad)
    with pytest.raises(InvalidInput, match="beams"):
        Lidar(beams=0)
    with pytest.raises(InvalidInput, match="range"):
        Lidar(range=-1)
