from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import Polygon

from navplan.scenarios.worlds.free_space import FreeSpace
from navplan.scenarios.worlds.world import HAZARD_KINDS, Hazard, HazardKind, World


def test_blocked_points() -> None:
    walls = np.zeros((2, 3), bool)
    walls[1, 2] = True
    grid = World.from_walls("grid", walls)
    points = np.array([[0, 0], [1.5, 2.5], [2, 3], [2, 1.9], [2.01, 0], [0, -0.01], [np.nan, 1]])
    assert grid.blocked(points).tolist() == [False, True, True, False, True, True, True]
    yard = World("yard", None, 4.0, 4.0, (Polygon([(1, 1), (1, 3), (3, 3), (3, 1)]),))
    points = np.array([[0, 0], [2, 2], [1, 2], [4, 4], [4.1, 4], [0.99, 2]])
    assert yard.blocked(points).tolist() == [False, True, True, False, True, False]


@pytest.mark.parametrize("kind", HAZARD_KINDS)
def test_a_hazard_costs_what_the_environment_charges(kind: HazardKind) -> None:
    walls = np.zeros((9, 9), np.bool_)
    walls[4, 4] = True
    hazard = Hazard(kind, 2.0)
    columns = np.linspace(5.0, 8.9, 79)
    charged = FreeSpace(World.from_walls("block", walls, hazard)).cost_at(np.stack([np.full(79, 4.5), columns], axis=1))
    np.testing.assert_allclose(hazard.cost(columns.astype(np.float32) - 5.0), charged, atol=1e-6)
    assert hazard.peak == charged.max()
