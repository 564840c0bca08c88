from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely.geometry import MultiPoint, Polygon, box

from navplan.errors import InvalidInput
from navplan.kernels.motion.obstacles import BLOCKED, FREE, MIXED
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.geometry import Geometry
from navplan.scenarios.worlds.world import Hazard, World

SIZE = 8.0
# Eighths are exact in float32 and often meet vertices, edges and cell boundaries.
EIGHTHS = st.integers(-8, 72).map(lambda n: n / 8)
PLACES = st.tuples(EIGHTHS, EIGHTHS)
INSIDE = st.tuples(*[st.integers(0, 64).map(lambda n: n / 8) | st.floats(0, SIZE, width=32)] * 2)


@st.composite
def polygons(draw):
    hull = MultiPoint(draw(st.lists(PLACES, min_size=3, max_size=7, unique=True))).convex_hull
    assume(hull.geom_type == "Polygon")
    cut = box(*sorted(draw(st.tuples(EIGHTHS, EIGHTHS))), *(SIZE, SIZE)) if draw(st.booleans()) else Polygon()
    parts = [part for part in shapely.get_parts(hull.difference(cut)) if part.geom_type == "Polygon" and part.area > 0]
    if draw(st.booleans()):
        parts = [Polygon(part.exterior, [shapely.affinity.scale(part, 0.5, 0.5).exterior]) for part in parts]
        parts = [part for part in parts if part.is_valid]
    return parts


@given(st.lists(polygons(), min_size=1, max_size=3), st.lists(INSIDE, min_size=1, max_size=30))
def test_polygons_block_and_cost_as_shapely_says(groups, places):
    found = [polygon for group in groups for polygon in group]
    union = shapely.union_all(found)
    assume(union.distance(box(0, 0, SIZE, SIZE)) > 0 or not union.covers(box(0, 0, SIZE, SIZE)))
    radius = 4.0
    world = World("hypothesis", None, SIZE, SIZE, polygons=tuple(found), hazard=Hazard("linear", radius))
    env = PointEnv.__new__(PointEnv)  # the world may have no free point to place an agent on
    env.world, env.geometry = world, Geometry.from_world(world)
    points = np.array(places, dtype=np.float32)
    shapes = shapely.points(points.astype(np.float64))
    distance = shapely.distance(union, shapes) if not union.is_empty else np.full(len(points), math.inf)
    clear_cut = (distance > 1e-9) | shapely.covers(union, shapes)
    blocked = shapely.intersects(union, shapes)
    np.testing.assert_array_equal(env.is_free(points)[clear_cut], ~blocked[clear_cut])
    expected = np.where(distance <= radius, 2 - 2 * distance / radius, 0)
    np.testing.assert_allclose(env.cost_at(points), expected, atol=1e-6)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_rectangles_cover_the_walls_and_nothing_else(rows, cols, seed):
    walls = np.random.default_rng(seed).random((rows, cols)) < 0.6
    geometry = Geometry.from_world(World.from_walls("random", walls))
    covered = np.zeros_like(walls)
    for top, left, bottom, right in geometry.rectangles.astype(int):
        covered[top:bottom, left:right] = True
    np.testing.assert_array_equal(covered, walls)
    np.testing.assert_array_equal(geometry.cells, np.where(walls, BLOCKED, FREE))


def test_a_block_is_one_rectangle():
    walls = np.zeros((9, 9), dtype=bool)
    walls[2:5, 3:8] = True
    assert Geometry.from_world(World.from_walls("block", walls)).rectangles.tolist() == [[2, 3, 5, 8]]


def test_cells_of_polygons():
    square = Polygon([(1, 1), (1, 4), (4, 4), (4, 1)], [[(2.2, 2.2), (2.2, 2.8), (2.8, 2.8), (2.8, 2.2)]])
    geometry = Geometry.from_world(World("square", None, 6.0, 5.5, polygons=(square,)))
    F, B, M = FREE, BLOCKED, MIXED
    assert geometry.cells.tolist() == [
        [M, M, M, M, M, F],
        [M, B, B, B, M, F],
        [M, B, M, B, M, F],
        [M, B, B, B, M, F],
        [M, M, M, M, M, F],
        [F, F, F, F, F, F],
    ]
    assert geometry.width == np.float32(5.5)


@pytest.mark.parametrize(
    ("world", "message"),
    [
        (World("bow", None, 5.0, 5.0, polygons=(Polygon([(0, 0), (2, 2), (0, 2), (2, 0)]),)), "polygon 0 is invalid"),
        (World("huge", None, 1e5, 5.0), "at most 16384"),
    ],
)
def test_bad_worlds(world, message):
    with pytest.raises(InvalidInput, match=message):
        Geometry.from_world(world)
