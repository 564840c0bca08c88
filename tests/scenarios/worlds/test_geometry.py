from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from navplan.errors import InvalidInput
from navplan.kernels.motion.obstacles import BLOCKED, FREE, MIXED
from navplan.scenarios.worlds.geometry import Geometry
from navplan.scenarios.worlds.world import World


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
