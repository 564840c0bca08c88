"""Rooms of nodes and edges, beside distances by shapely."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shapely import union_all
from shapely.geometry import LineString, box

from navplan.errors import InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.scenarios.worlds.world import World
from tests.support.critics import FieldCritics


@pytest.mark.parametrize("seed", range(12))
def test_rooms_of_grids_are_the_distances_to_walls_and_edge(seed: int) -> None:
    """An edge's room is measured along the whole move, and is the less of its ends'."""
    rng = np.random.default_rng(seed)
    walls = rng.random((rng.integers(1, 11), rng.integers(1, 11))) < rng.choice([0.03, 0.2])
    walls[0, 0] = False
    graph = StateGraph.from_grid(walls)
    solid = union_all([box(i, j, i + 1, j + 1) for i, j in np.argwhere(walls)])
    edge = box(0, 0, *walls.shape).exterior
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    for tail, head, room in zip(tails, graph.indices, graph.edge_room, strict=True):
        way = LineString(graph.positions[[tail, head]])
        assert room == pytest.approx(min(way.distance(edge), way.distance(solid) if not solid.is_empty else np.inf), abs=1e-12)
    world = World.from_walls("walls", walls)
    np.testing.assert_allclose(graph.node_room, world.room(graph.positions), atol=1e-12)
    np.testing.assert_allclose(
        graph.edge_room, world.sweep_room(graph.positions[tails], graph.positions[graph.indices]), atol=1e-12
    )


def test_rooms_are_kept_by_files_attach_prune_and_networkx(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    walls = np.zeros((10, 10), bool)
    walls[4:6, 2:7] = True
    world = World.from_walls("block", walls)
    graph = StateGraph.from_states(rng.uniform(0.3, 9.7, (40, 2)), FieldCritics(), 4.0, world=world)
    assert graph.walls == "map"
    graph.save(tmp_path / "g.npz")
    loaded = StateGraph.load(tmp_path / "g.npz")
    for other in (loaded, StateGraph.from_networkx(graph.to_networkx())):
        np.testing.assert_array_equal(other.node_room, graph.node_room)
        np.testing.assert_array_equal(other.edge_room, graph.edge_room)
        np.testing.assert_array_equal(other.positions, graph.positions)
        assert other.walls == "map"
    pruned = loaded.prune(max_distance=2.0)
    mask = graph.distance < 2.0
    np.testing.assert_array_equal(pruned.edge_room, graph.edge_room[mask])
    points = rng.uniform(0.3, 9.7, (3, 2))
    with pytest.raises(InvalidInput, match="world="):
        loaded.attach(points, FieldCritics())
    larger, _ = loaded.attach(points, FieldCritics(), world=world)
    fresh, _ = graph.attach(points, FieldCritics())
    np.testing.assert_allclose(larger.edge_room, fresh.edge_room)
    np.testing.assert_allclose(larger.node_room, fresh.node_room)


def test_without_a_map_there_is_room_everywhere_and_walls_are_learned() -> None:
    graph = StateGraph.from_states(np.random.default_rng(0).random((9, 2)), FieldCritics())
    assert graph.walls == "learned"
    assert np.isinf(graph.node_room).all()
    assert np.isinf(graph.edge_room).all()


def test_states_without_positions_are_never_screened(tmp_path: Path) -> None:
    class Ones:
        pairs = 0

        def evaluate(self, observations: np.ndarray, goals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            self.pairs += len(goals)
            return np.ones(len(goals), np.float32), np.zeros(len(goals), np.float32)

    images = np.random.default_rng(0).random((12, 48)) * 1000
    critics = Ones()
    graph = StateGraph.from_states(images, critics, 2.0)
    assert graph.positions is None
    assert graph.num_edges == 12 * 11
    with pytest.raises(InvalidInput, match="give position="):
        StateGraph.from_states(images, Ones(), 2.0, max_pairs=50)
    placed = StateGraph.from_states(images, Ones(), 2.0, position=lambda states: states[:, :2])
    assert placed.num_edges == 0  # all farther apart than two steps
    np.testing.assert_array_equal(placed.positions, placed.states[:, :2])
    larger, ids = graph.attach(images[:1], Ones())
    assert ids.tolist() == [12]
    assert larger.positions is None
    with pytest.raises(InvalidInput, match="the graph has positions and the points have none"):
        placed.attach(images[:1], Ones())
    placed.save(tmp_path / "g.npz")
    np.testing.assert_array_equal(StateGraph.load(tmp_path / "g.npz").positions, placed.positions)
    np.testing.assert_array_equal(StateGraph.from_networkx(placed.to_networkx()).states, placed.states)
