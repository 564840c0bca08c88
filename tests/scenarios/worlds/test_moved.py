"""Obstacles that stand elsewhere than the map says."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import box

from navplan.errors import InvalidInput
from navplan.scenarios.worlds.mazes import ascii_rows
from navplan.scenarios.worlds.moved import with_moved_obstacles
from navplan.scenarios.worlds.world import Hazard, World


def grid(*rows: str) -> World:
    return World.from_walls("yard", np.array([[cell == "#" for cell in row] for row in rows]), Hazard("linear", 2.0), 0.05)


def test_what_touches_the_edge_stays_and_the_rest_moves() -> None:
    world = grid("##......", "#..#....", "....#...", "........", ".#......", ".......#")
    moved = with_moved_obstacles(world, 2)
    assert moved.walls is not None
    assert list(ascii_rows(moved.walls)) == ["##......", "#....#..", "......#.", "........", "...#....", ".......#"]
    assert (moved.hazard, moved.resolution, moved.name) == (world.hazard, world.resolution, world.name)
    back = with_moved_obstacles(moved, -2)
    assert back.walls is not None
    np.testing.assert_array_equal(back.walls, world.walls)


def test_polygons_move_too() -> None:
    world = World("rocks", None, 9.0, 12.0, (box(0, 0, 2, 2), box(3, 4, 5, 6)))
    moved = with_moved_obstacles(world, 3)
    assert [polygon.bounds for polygon in moved.polygons] == [(0, 0, 2, 2), (3, 7, 5, 9)]
    with pytest.raises(InvalidInput, match="moved by 7 columns would leave the map"):
        with_moved_obstacles(world, 7)
    with pytest.raises(InvalidInput, match="no obstacle stands free of the edge"):
        with_moved_obstacles(World("wall", None, 9.0, 12.0, (box(0, 0, 2, 2),)), 1)


def test_a_map_without_such_an_obstacle_is_refused() -> None:
    with pytest.raises(InvalidInput, match="world 'yard': no obstacle stands free of the edge"):
        with_moved_obstacles(grid("#..", "...", "..."), 1)
    with pytest.raises(InvalidInput, match="moved by 2 columns would leave the map"):
        with_moved_obstacles(grid("...", ".#.", "..."), 2)
