from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from shapely import box as squares
from shapely import intersects
from shapely.geometry import Polygon, box

from navplan.errors import FileFormatError, InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.scenarios.formats.geojson import write_geojson
from navplan.scenarios.maps import grid_graph, load_graph
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.cells import occupied_cells
from navplan.scenarios.worlds.world import World


def test_occupied_cells_are_those_that_an_obstacle_touches() -> None:
    world = World(
        "w", None, 3.5, 4.0, (Polygon([(1, 1), (1, 2), (2, 2), (2, 1)]), Polygon([(-5, -5), (-5, 0.5), (0.5, 0.5), (0.5, -5)]))
    )
    expected = ["####", "###.", "###.", "####"]
    expected[0] = "###."
    assert ["".join("#" if cell else "." for cell in line) for line in occupied_cells(world).tolist()] == expected
    for size in (1e9, 1e308):
        with pytest.raises(InvalidInput, match="too large to lay a grid over"):
            occupied_cells(World("w", None, size, size))


@pytest.mark.parametrize("seed", range(12))
def test_every_cell_is_asked_by_itself(seed: int) -> None:
    """Triangles, and rectangles with corners on corners of cells, in boxes smaller and larger than a block."""
    rng = np.random.default_rng(seed)
    height, width = rng.uniform(2, 150, 2)
    polygons = []
    for _ in range(int(rng.integers(0, 8))):
        row, col = np.round(rng.uniform(0, (height, width)))
        polygons += [Polygon(rng.uniform(-2, max(height, width) + 2, (3, 2))), box(row, col, row + 3, col + rng.integers(1, 70))]
    found = occupied_cells(World("w", None, height, width, tuple(polygons)))
    rows, cols = np.mgrid[: found.shape[0], : found.shape[1]]
    expected = (rows + 1 > height) | (cols + 1 > width)
    for polygon in polygons:
        expected |= intersects(polygon, squares(rows, cols, rows + 1, cols + 1))
    np.testing.assert_array_equal(found, expected)


def test_many_polygons_are_laid_over_at_once_and_too_many_refused(tmp_path: Path) -> None:
    occupied_cells(World("w", None, 9, 9, (box(1, 1, 2, 2),)))  # what is compiled or loaded once
    small = tuple(box(i, j, i + 0.5, j + 0.5) for i in range(1, 1000, 20) for j in range(1, 1000, 20))
    began = time.process_time()
    assert occupied_cells(World("w", None, 1000, 1000, small)).sum() == 2500 * 4
    assert time.process_time() - began < 2
    write_geojson(tmp_path / "w.geojson", World("w", None, 1000, 1000, (box(1, 1, 999, 999),) * 200))
    began = time.process_time()
    with pytest.raises(FileFormatError, match=r"w\.geojson: world 'w': obstacles have 798400 cells of outline, too much"):
        load_graph(tmp_path / "w.geojson")
    assert time.process_time() - began < 2


def test_rooms_of_a_grid_over_polygons_are_measured_to_the_polygons() -> None:
    world = load_scenario("polygons").world
    graph = grid_graph(world)
    np.testing.assert_array_equal(graph.node_room, world.room(graph.positions))
    assert (graph.node_room > StateGraph.from_grid(occupied_cells(world)).node_room).any()
