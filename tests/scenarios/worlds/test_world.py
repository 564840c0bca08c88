from __future__ import annotations

import numpy as np
from shapely.geometry import Polygon

from navplan.scenarios.worlds.world import World


def test_blocked_points() -> None:
    walls = np.zeros((2, 3), bool)
    walls[1, 2] = True
    grid = World.from_walls("grid", walls)
    points = np.array([[0, 0], [1.5, 2.5], [2, 3], [2, 1.9], [2.01, 0], [0, -0.01], [np.nan, 1]])
    assert grid.blocked(points).tolist() == [False, True, True, False, True, True, True]
    yard = World("yard", None, 4.0, 4.0, (Polygon([(1, 1), (1, 3), (3, 3), (3, 1)]),))
    points = np.array([[0, 0], [2, 2], [1, 2], [4, 4], [4.1, 4], [0.99, 2]])
    assert yard.blocked(points).tolist() == [False, True, True, False, True, False]
