from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from shapely.geometry import box

from navplan.errors import InvalidInput
from navplan.scenarios.worlds.geodesic import cell_distances, diameter, geodesic_steps, occupied_centres
from navplan.scenarios.worlds.mazes import maze_walls
from navplan.scenarios.worlds.world import World


@pytest.mark.parametrize(
    ("name", "scale", "steps"),
    [
        ("center-dot", 3, 17),
        ("four-rooms-modified", 5, 69),
        ("central-obstacle", 5, 69),
        ("line", 4, 35),
        ("line", 3, 26),
        ("four-rooms", 1, 14),
    ],
)
def test_diameters_are_the_papers(name, scale, steps):
    assert diameter(maze_walls(name, scale)) == steps


@pytest.mark.kernels
def test_distances_are_those_of_networkx():
    rng = np.random.default_rng(4)
    walls = rng.random((6, 8)) < 0.4
    graph = nx.Graph()
    free = [tuple(cell) for cell in np.argwhere(~walls).tolist()]
    graph.add_nodes_from(free)
    graph.add_edges_from((a, b) for a in free for b in free if a < b and max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1)
    expected = np.full((48, 6, 8), np.inf)
    for source, lengths in nx.all_pairs_shortest_path_length(graph):
        for target, steps in lengths.items():
            expected[source[0] * 8 + source[1], target[0], target[1]] = steps
    np.testing.assert_array_equal(cell_distances(walls), expected)
    assert diameter(walls) == expected[np.isfinite(expected)].max()


def test_steps_between_points_count_cells():
    walls = np.array([[False, True, False, True], [False, False, False, True], [True, True, True, True], [False] * 4])
    world = World.from_walls("bend", walls)
    starts = [[0.9, 0.1], [0.9, 0.9], [1.0, 2.9], [0.5, 0.5]]
    goals = [[0.1, 0.9], [0.0, 2.0], [0.5, 0.5], [4.0, 4.0]]
    np.testing.assert_array_equal(geodesic_steps(world, starts, goals), [0, 2, 2, np.inf])
    with pytest.raises(InvalidInput, match="wall"):
        geodesic_steps(world, [[0.5, 0.5]], [[0.5, 1.5]])
    with pytest.raises(InvalidInput, match="not a free cell"):
        geodesic_steps(world, [[0.5, 1.5]], [[0.5, 0.5]])
    with pytest.raises(InvalidInput, match="in the box"):
        geodesic_steps(world, [[np.nan, 0.5]], [[0.5, 0.5]])


def test_polygons_are_rasterised_by_cell_centres() -> None:
    world = World("bar", None, 5.0, 5.5, polygons=(box(1.2, -1, 1.8, 4.6),))
    cells = occupied_centres(world)
    assert cells.shape == (5, 6)
    np.testing.assert_array_equal(np.argwhere(cells), [[1, j] for j in range(5)])
    assert geodesic_steps(world, [[0.5, 0.5]], [[2.5, 0.5]])[0] == 10
