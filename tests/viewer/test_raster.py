from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import Polygon

from navplan.scenarios.worlds.world import Hazard, World
from navplan.viewer.raster import hazard_at, rasterise
from tests.support.scenes import walled_world


@pytest.mark.parametrize(("kind", "expected"), [("linear", 1.0), ("cosine", 1.0), ("constant", 1.0)])
def test_cost_half_way_to_the_radius(kind: str, expected: float) -> None:
    distance, cost = hazard_at(walled_world(kind), 3.0, 6.5)
    assert distance == pytest.approx(1.0)
    assert cost == pytest.approx(expected)


def test_cost_is_highest_at_the_wall_and_nothing_beyond_the_radius() -> None:
    world = walled_world()
    assert hazard_at(world, 3.9999, 6.5)[1] == pytest.approx(2.0, abs=1e-3)
    assert hazard_at(world, 1.5, 6.5)[1] == 0.0
    assert hazard_at(World.from_walls("empty", np.zeros((3, 3), bool), Hazard("linear", 1.0)), 1, 1) == (np.inf, 0.0)


def test_raster_agrees_with_the_exact_field() -> None:
    world = walled_world()
    raster = rasterise(world, 300)
    rng = np.random.default_rng(0)
    for row, col in rng.uniform(0, [9, 12], (200, 2)):
        pixel = int(row * raster.fine), int(col * raster.fine)
        centre = (pixel[0] + 0.5) / raster.fine, (pixel[1] + 0.5) / raster.fine
        assert raster.blocked[pixel] == world.blocked([centre])[0]
        if not raster.blocked[pixel]:
            assert raster.cost[pixel] == pytest.approx(hazard_at(world, *centre)[1], abs=1.0 / raster.fine)


def test_polygon_raster_and_exact_distance() -> None:
    ring = Polygon([(2, 2), (2, 6), (6, 6), (6, 2)], [[(3, 3), (3, 5), (5, 5), (5, 3)]])
    world = World("ring", None, 8.0, 10.0, (ring,), Hazard("linear", 2.0))
    raster = rasterise(world, 200)
    at = lambda row, col: (int(row * raster.fine), int(col * raster.fine))  # noqa: E731
    assert raster.blocked[at(2.5, 4)]
    assert not raster.blocked[at(4, 4)]
    assert hazard_at(world, 4.0, 7.0)[0] == pytest.approx(1.0)
    assert raster.cost[at(4, 7)] == pytest.approx(1.0, abs=0.06)
