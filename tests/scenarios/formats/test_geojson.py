from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon

from navplan.errors import InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.scenarios.formats.geojson import AXES, read_geojson, read_graph_geojson, write_geojson, write_graph_geojson
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.world import Hazard, World
from tests.support.critics import FieldCritics
from tests.support.damaged_files import complaint, damaged, survives

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
WORLD = World(
    "yard",
    None,
    8.0,
    9.5,
    (Polygon([(1, 2), (1, 5), (4, 5)]), Polygon([(5, 5), (5, 8), (8, 8), (8, 5)], [[(6, 6), (6, 7), (7, 7)]])),
    Hazard("cosine", 1.5),
    0.25,
)
GRAPH = StateGraph(
    states=np.array([[0.5, 1.5], [2.25, 3.125], [4, 4]], np.float32),
    indptr=np.array([0, 2, 3, 3], np.int32),
    indices=np.array([1, 2, 0], np.int32),
    distance=np.array([1.5, 2.5, 1 / 3]),
    risk=np.array([0.0, 0.1, 2.0]),
    wait_risk=np.array([0.0, 0.5, 1 / 7]),
)


def same_world(a: World, b: World) -> bool:
    facts = [(w.name, w.height, w.width, w.polygons, w.hazard, w.resolution) for w in (a, b)]
    return facts[0] == facts[1]


@pytest.mark.parametrize("world", [WORLD, load_scenario("polygons").world, World("empty", None, 2.0, 3.0)])
def test_world_round_trip(tmp_path, world):
    write_geojson(tmp_path / "a.geojson", world)
    assert same_world(read_geojson(tmp_path / "a.geojson"), world)


def test_points_are_column_then_row(tmp_path):
    write_geojson(tmp_path / "a.geojson", WORLD)
    document = json.loads((tmp_path / "a.geojson").read_text())
    assert document["navplan"]["axes"] == AXES
    assert document["features"][0]["geometry"]["coordinates"][0][:3] == [[2, 1], [5, 1], [5, 4]]


def test_multipolygons_are_several_obstacles(tmp_path):
    write_geojson(tmp_path / "a.geojson", WORLD)
    document = json.loads((tmp_path / "a.geojson").read_text())
    parts = [feature["geometry"]["coordinates"] for feature in document["features"]]
    geometry = {"type": "MultiPolygon", "coordinates": parts}
    document["features"] = [{"type": "Feature", "properties": None, "geometry": geometry}]
    (tmp_path / "a.geojson").write_text(json.dumps(document))
    assert same_world(read_geojson(tmp_path / "a.geojson"), WORLD)


def test_grids_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="grid"):
        write_geojson(tmp_path / "a.geojson", load_scenario("center-dot").world)
    assert not list(tmp_path.iterdir())


def world_text(**changes) -> str:
    about = {"kind": "world", "axes": AXES, "name": "w", "height": 5, "width": 6, "hazard": {"kind": "none", "radius": 0}}
    square = {"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]]}
    feature = {"type": "Feature", "properties": {}, "geometry": changes.pop("geometry", square)}
    features = changes.pop("features", [feature])
    return json.dumps({"type": "FeatureCollection", "navplan": about | changes, "features": features})


def ring(*points) -> dict:
    return {"type": "Polygon", "coordinates": [list(map(list, points))]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.geojson:1: is not JSON (Expecting value), expected GeoJSON"),
        ('{\n"type": }', "a.geojson:2: is not JSON (Expecting value), expected GeoJSON"),
        (b'{\n"\xff"}', "a.geojson:2: not UTF-8 text, expected GeoJSON"),
        ("[" * 100_000, "a.geojson: is nested more than 64 deep, expected GeoJSON"),
        ("1" * 5000, "a.geojson: holds a number of too many digits, expected GeoJSON"),
        ("[]", "a.geojson:1: expected a GeoJSON FeatureCollection"),
        ('{"type": "FeatureCollection"}', "a.geojson: the document: features must be a list"),
        ('{"type": "FeatureCollection", "features": []}', 'a.geojson: holds no polygon and no "bbox"'),
        ('{"type": "FeatureCollection", "navplan": {}}', 'a.geojson: expected a "navplan" member with "kind": "world"'),
        (world_text(axes="[lon, lat]"), "a.geojson: navplan.axes is '[lon, lat]', expected"),
        (world_text(height=-1), "a.geojson: navplan.height and width are -1 and 6, expected positive numbers"),
        (world_text(width="x"), "a.geojson: navplan.height and width are 5 and 'x', expected positive numbers"),
        (world_text(resolution=float("nan")), "a.geojson: navplan.resolution is nan, expected a positive number"),
        (world_text(hazard={"kind": "square", "radius": 1}), "a.geojson: navplan.hazard: hazard kind is 'square'"),
        (world_text(hazard=3), "a.geojson: navplan.hazard is 3, expected kind and radius"),
        (world_text(features=[1]), "a.geojson: features must be a list of objects"),
        (world_text(features=[{}]), "a.geojson: feature 0: expected a Feature with a geometry"),
        (world_text(geometry={"type": "Point", "coordinates": [1, 1]}), "a.geojson: feature 0 is 'Point', expected Polygon"),
        (world_text(geometry=ring((0, 0), (1, 1))), "a.geojson: feature 0: a ring has 2 vertices, expected at least 3"),
        (world_text(geometry=ring((0, 0), (1, 1), (1, 0), (0, 1))), "a.geojson: feature 0: the outline crosses itself"),
        (world_text(geometry=ring((0, 0), (1, 1), (1, 1e300))), "a.geojson: feature 0: a coordinate is beyond"),
        (world_text(geometry=ring((0, 0), (1, "x"))), "a.geojson: feature 0: expected rings of [x, y] pairs"),
        (world_text(geometry={"type": "MultiPolygon", "coordinates": 3}), "a.geojson: feature 0: coordinates of a MultiPolygon"),
    ],
)
def test_malformed_worlds(tmp_path, text, message):
    assert complaint(read_geojson, tmp_path / "a.geojson", text).startswith(message)


@pytest.mark.parametrize(
    "graph", [GRAPH, StateGraph.from_grid(np.eye(4, dtype=bool)), StateGraph.from_grid(np.ones((1, 2), bool))]
)
def test_graph_round_trip(tmp_path, graph):
    write_graph_geojson(tmp_path / "g.geojson", graph, beta=0.5)
    again = read_graph_geojson(tmp_path / "g.geojson")
    for name in ("states", "indptr", "indices", "distance", "risk", "wait_risk"):
        assert (getattr(again, name) == getattr(graph, name)).all(), name
    assert again.shape == graph.shape


def test_graph_edges_carry_their_cost(tmp_path):
    write_graph_geojson(tmp_path / "g.geojson", GRAPH, beta=0.5)
    features = json.loads((tmp_path / "g.geojson").read_text())["features"]
    assert features[0]["geometry"]["coordinates"] == [1.5, 0.5]
    assert [feature["properties"].get("cost") for feature in features[3:]] == pytest.approx(GRAPH.weights(0.5))


def test_one_dimension_has_no_coordinates(tmp_path):
    graph = StateGraph(np.zeros((1, 1)), np.zeros(2), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(1))
    with pytest.raises(InvalidInput):
        write_graph_geojson(tmp_path / "g.geojson", graph)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"id": 1,', '"id": 7,', "g.geojson: feature 1: expected node 1 with a state of finite numbers"),
        ('"wait_risk": 0.5', '"wait_risk": "x"', "g.geojson: feature 1: expected a wait_risk"),
        ('"endid": 2', '"endid": 3', "g.geojson: feature 4: startid and endid are (0, 3), expected nodes that come before it"),
        ('"distance": 1.5', '"distance": null', "g.geojson: feature 3: expected an edge with distance and risk"),
        ('"distance": 1.5', '"distance": -1.5', "g.geojson: edge distances must be finite and positive"),
        ('"type": "Point"', '"type": "Polygon"', "g.geojson: feature 0 is 'Polygon', expected Point or MultiLineString"),
        ('"shape": null', '"shape": 4', "g.geojson: navplan.shape is 4, expected [height, width] or null"),
    ],
)
def test_malformed_graphs(tmp_path, old, new, message):
    write_graph_geojson(tmp_path / "g.geojson", GRAPH)
    text = (tmp_path / "g.geojson").read_text()
    assert complaint(read_graph_geojson, tmp_path / "g.geojson", text.replace(old, new, 1)).startswith(message)


@same_folder
@given(st.data())
def test_damaged_worlds(tmp_path, data):
    write_geojson(tmp_path / "valid.geojson", WORLD)
    survives(read_geojson, tmp_path / "a.geojson", data.draw(damaged((tmp_path / "valid.geojson").read_bytes())))


@same_folder
@given(st.data())
def test_damaged_graphs(tmp_path, data):
    write_graph_geojson(tmp_path / "valid.geojson", GRAPH)
    survives(read_graph_geojson, tmp_path / "a.geojson", data.draw(damaged((tmp_path / "valid.geojson").read_bytes())))


def test_graphs_keep_their_rooms(tmp_path):
    rooms = {"node_room": np.array([0.5, np.inf, -1.0]), "edge_room": np.array([0.25, np.inf, 1 / 3])}
    write_graph_geojson(tmp_path / "a.geojson", dataclasses.replace(GRAPH, **rooms))
    found = read_graph_geojson(tmp_path / "a.geojson")
    for name, room in rooms.items():
        np.testing.assert_array_equal(getattr(found, name), room)
    assert found.walls == "map"
    measured = StateGraph.from_states(np.array([[1.0, 7.0], [4.5, 1.5]]), FieldCritics(), max_distance=9, world=WORLD)
    write_graph_geojson(tmp_path / "b.geojson", measured)
    found = read_graph_geojson(tmp_path / "b.geojson")
    np.testing.assert_array_equal(found.edge_room, measured.edge_room)
    assert np.isfinite(found.edge_room).all()
    for graph in (GRAPH, StateGraph.from_grid(np.zeros((2, 3), bool))):  # neither states rooms: they follow from the rest
        write_graph_geojson(tmp_path / "c.geojson", graph)
        assert '"room"' not in (tmp_path / "c.geojson").read_text()
        np.testing.assert_array_equal(read_graph_geojson(tmp_path / "c.geojson").node_room, graph.node_room)


def test_rooms_of_some_nodes_only(tmp_path):
    write_graph_geojson(tmp_path / "a.geojson", dataclasses.replace(GRAPH, node_room=np.ones(3), edge_room=np.ones(3)))
    text = (tmp_path / "a.geojson").read_text()
    for old, new, message in (
        (', "room": 1.0', "", "some nodes and edges state a room"),
        ('"room": 1.0', '"room": "wide"', "feature 0: room is 'wide', expected a number or null"),
    ):
        assert message in complaint(read_graph_geojson, tmp_path / "a.geojson", text.replace(old, new, 1))


def test_names_of_every_kind_are_kept(tmp_path):
    graph = dataclasses.replace(GRAPH, names=((0, 1), "dock", 7))
    write_graph_geojson(tmp_path / "a.geojson", graph)
    graph.save(tmp_path / "a.npz")
    assert read_graph_geojson(tmp_path / "a.geojson").names == StateGraph.load(tmp_path / "a.npz").names == graph.names
