from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely.geometry import MultiPoint, Polygon, box

from navplan.errors import InvalidInput
from navplan.scenarios.worlds.free_space import FreeSpace
from navplan.scenarios.worlds.world import Hazard, World

SIZE = 8.0
# Eighths are exact in float32 and often meet vertices, edges and cell boundaries.
EIGHTHS = st.integers(-8, 72).map(lambda n: n / 8)
PLACES = st.tuples(EIGHTHS, EIGHTHS)
INSIDE = st.tuples(*[st.integers(0, 64).map(lambda n: n / 8) | st.floats(0, SIZE, width=32)] * 2)


@st.composite
def polygons(draw: st.DrawFn) -> list[Polygon]:
    hull = MultiPoint(draw(st.lists(PLACES, min_size=3, max_size=7, unique=True))).convex_hull
    assume(hull.geom_type == "Polygon")
    cut = box(*sorted(draw(st.tuples(EIGHTHS, EIGHTHS))), *(SIZE, SIZE)) if draw(st.booleans()) else Polygon()
    parts = [part for part in shapely.get_parts(hull.difference(cut)) if part.geom_type == "Polygon" and part.area > 0]
    if draw(st.booleans()):
        parts = [Polygon(part.exterior, [shapely.affinity.scale(part, 0.5, 0.5).exterior]) for part in parts]
        parts = [part for part in parts if part.is_valid]
    return parts


@given(st.lists(polygons(), min_size=1, max_size=3), st.lists(INSIDE, min_size=1, max_size=30))
def test_polygons_block_and_cost_as_shapely_says(groups: list[list[Polygon]], places: list[tuple[float, float]]) -> None:
    found = [polygon for group in groups for polygon in group]
    union = shapely.union_all(found)
    assume(union.distance(box(0, 0, SIZE, SIZE)) > 0 or not union.covers(box(0, 0, SIZE, SIZE)))
    radius = 4.0
    world = World("hypothesis", None, SIZE, SIZE, polygons=tuple(found), hazard=Hazard("linear", radius))
    space = FreeSpace(world)
    points = np.array(places, dtype=np.float32)
    shapes = shapely.points(points.astype(np.float64))
    distance = shapely.distance(union, shapes) if not union.is_empty else np.full(len(points), math.inf)
    clear_cut = (distance > 1e-9) | shapely.covers(union, shapes)
    blocked = shapely.intersects(union, shapes)
    np.testing.assert_array_equal(space.is_free(points)[clear_cut], ~blocked[clear_cut])
    expected = np.where(distance <= radius, 2 - 2 * distance / radius, 0)
    np.testing.assert_allclose(space.cost_at(points), expected, atol=1e-6)


def test_a_world_of_walls_has_no_free_space() -> None:
    with pytest.raises(InvalidInput, match="world 'full' has no free cell"):
        FreeSpace(World.from_walls("full", np.ones((2, 3), np.bool_)))


def test_drawn_points_are_free_and_fill_every_open_cell() -> None:
    walls = np.array([[False, True, False], [False, False, True]])
    space = FreeSpace(World.from_walls("floor", walls))
    points = space.sample(400, np.random.default_rng(0))
    assert points.dtype == np.float32
    assert space.is_free(points).all()
    assert {tuple(cell) for cell in points.astype(int).tolist()} == {tuple(cell) for cell in np.argwhere(~walls).tolist()}
    np.testing.assert_array_equal(points, space.sample(400, np.random.default_rng(0)))


@pytest.mark.parametrize("radius", [0.0, 0.3])
def test_the_nearest_free_point_is_as_near_as_shapely_says(radius: float) -> None:
    walls = np.random.default_rng(3).random((9, 11)) < 0.2
    space = FreeSpace(World.from_walls("floor", walls), radius)
    points = np.random.default_rng(4).uniform(-1, 12, (200, 2)).astype(np.float32)
    found = space.nearest(points)
    free = space.is_free(points)
    np.testing.assert_array_equal(found[free], points[free])
    assert space.is_free(found).all()
    blocked = shapely.union_all([box(row, col, row + 1, col + 1) for row, col in np.argwhere(walls)])
    open_places = box(0, 0, 9, 11).buffer(-radius).difference(blocked.buffer(radius, quad_segs=64))
    least = shapely.distance(open_places, shapely.points(points.astype(np.float64)))
    gone = np.linalg.norm(found.astype(np.float64) - points, axis=1)
    assert (~free).sum() > 50
    assert (gone >= least - 1e-3).all()
    assert (gone <= 1.05 * least + 1e-3).all()
    assert space.nearest(points[:6].reshape(3, 2, 2)).shape == (3, 2, 2)
    with pytest.raises(InvalidInput, match=r"point 0 is .* expected two finite numbers"):
        space.nearest([np.nan, 1.0])
