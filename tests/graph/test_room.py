"""Rooms of nodes and edges, beside distances by shapely."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from shapely import union_all
from shapely.geometry import LineString, box

from navplan.errors import InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from navplan.planners.solving import solve
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
    few = StateGraph.from_states(images, Ones(), 2.0, max_pairs=50)
    squares = ((images[:, None] - images[None]) ** 2).sum(axis=2)
    for node in range(12):  # the two nearest by their numbers, and two others
        heads = few.indices[few.indptr[node] : few.indptr[node + 1]].tolist()
        assert len(heads) == 4
        assert set(np.argsort(squares[node])[1:3].tolist()) <= set(heads)
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


def test_equal_graphs_give_equal_files_whether_rooms_were_asked_for_or_not(tmp_path: Path) -> None:
    learned = StateGraph.from_states(np.array([[0.0, 1.0], [2.0, 1.0]]), FieldCritics(), max_distance=4)
    for graph in (StateGraph.from_grid(np.zeros((3, 4), bool)), learned):
        graph.save(tmp_path / "before.npz")
        assert len(graph.node_room)
        graph.keep(np.ones(graph.num_edges, bool)).save(tmp_path / "after.npz")
        assert (tmp_path / "before.npz").read_bytes() == (tmp_path / "after.npz").read_bytes()


def test_files_of_version_1_are_read(tmp_path: Path) -> None:
    """They had neither positions nor rooms: states of two columns are positions, and a grid's cells say the rooms."""
    graph = StateGraph.from_grid(np.array([[0, 0, 1], [0, 0, 0]], bool))
    names = ("states", "indptr", "indices", "distance", "risk", "wait_risk")
    digest = hashlib.sha256()
    for name in names:
        array = getattr(graph, name)
        digest.update(f"{name}{array.shape}".encode() + array.tobytes())
    header = {"format": "navplan.graph", "version": 1, "shape": [2, 3], "limits": None, "sha256": digest.hexdigest()}
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    np.savez(tmp_path / "old.npz", header=text, **{name: getattr(graph, name) for name in names})
    found = StateGraph.load(tmp_path / "old.npz")
    assert found.shape == (2, 3)
    np.testing.assert_array_equal(found.positions, graph.states)
    np.testing.assert_array_equal(found.node_room, graph.node_room)
    np.testing.assert_array_equal(found.edge_room, graph.edge_room)


def test_positions_of_the_size_of_coordinates_of_the_earth_keep_their_centimetres(tmp_path: Path) -> None:
    corner = np.array([5_812_345.25, 451_234.75])
    places = corner + np.array([[0.0, 0.0], [0.0, 3.0], [0.61, 0.0], [0.61, 3.0]])
    graph = StateGraph.from_states(places, FieldCritics(), max_distance=6)
    assert not np.allclose(graph.states, places, atol=0.05, rtol=0)  # learned states are float32
    larger, ids = graph.attach(corner + np.array([[0.3, 1.5]]), FieldCritics())
    larger.prune(max_risk=9).save(tmp_path / "g.npz")
    found = StateGraph.load(tmp_path / "g.npz")
    np.testing.assert_array_equal(found.positions, np.concatenate([places, corner + np.array([[0.3, 1.5]])]))
    assert ids.tolist() == [4]
    assert found.positions.dtype == np.float64
    for radius, status in ((0.3, "optimal"), (0.31, "infeasible")):  # 0.61 apart, side by side
        bare = StateGraph(places, [0, 1, 2, 3, 4], [1, 0, 3, 2], np.full(4, 3.0), np.zeros(4), np.zeros(4))
        assert solve(Problem(bare, [0, 2], [1, 3], radius=radius), "cbs").status == status
    with pytest.raises(InvalidInput, match="float32 states too large to be positions"):
        Problem(dataclasses.replace(bare, states=places.astype(np.float32), positions=None), [0, 2], [1, 3], radius=0.31)
