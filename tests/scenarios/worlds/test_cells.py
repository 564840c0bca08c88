from __future__ import annotations

import pytest
from shapely.geometry import Polygon

from navplan.errors import InvalidInput
from navplan.scenarios.worlds.cells import occupied_cells
from navplan.scenarios.worlds.world import World


def test_occupied_cells_are_those_that_an_obstacle_touches() -> None:
    world = World(
        "w", None, 3.5, 4.0, (Polygon([(1, 1), (1, 2), (2, 2), (2, 1)]), Polygon([(-5, -5), (-5, 0.5), (0.5, 0.5), (0.5, -5)]))
    )
    expected = ["####", "###.", "###.", "####"]
    expected[0] = "###."
    assert ["".join("#" if cell else "." for cell in line) for line in occupied_cells(world).tolist()] == expected
    with pytest.raises(InvalidInput, match="too large to lay a grid over"):
        occupied_cells(World("w", None, 1e9, 1e9))
