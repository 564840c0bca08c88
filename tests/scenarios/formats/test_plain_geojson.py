"""GeoJSON polygons that navplan did not write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import navplan as nv
from navplan.scenarios.formats.geojson import read_geojson, write_graph_geojson
from navplan.scenarios.formats.plain_geojson import plain_world
from tests.support.damaged_files import complaint

SQUARE = {"type": "Polygon", "coordinates": [[[11, 21], [13, 21], [13, 23], [11, 23], [11, 21]]]}
TRIANGLES = {
    "type": "MultiPolygon",
    "coordinates": [[[[15, 20], [16, 20], [16, 21]]], [[[10, 24, 7.5], [11, 24, 7.5], [10, 25, 7.5]]]],
}


def feature(geometry: object) -> dict[str, object]:
    return {"type": "Feature", "properties": None, "geometry": geometry}


@pytest.mark.parametrize(
    "document",
    [
        {"type": "FeatureCollection", "features": [feature(SQUARE), feature(None), feature(TRIANGLES)]},
        feature({"type": "GeometryCollection", "geometries": [SQUARE, TRIANGLES]}),
        {"type": "GeometryCollection", "geometries": [TRIANGLES, SQUARE], "bbox": [10, 20, 16, 25]},
        {"type": "FeatureCollection", "features": [feature(TRIANGLES), feature(SQUARE)], "bbox": [10, 20, 0, 16, 25, 9]},
    ],
)
def test_polygons_are_obstacles_and_y_grows_upwards(document: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "yard.geojson").write_text(json.dumps(document))
    world = nv.load_map(tmp_path / "yard.geojson")
    assert (world.name, world.height, world.width) == ("yard", 5.0, 6.0)
    # x, y -> row = 25 - y, col = x - 10
    places = [[25 - 22, 12 - 10], [25 - 20.1, 15.9 - 10], [25 - 24.9, 10.01 - 10], [25 - 23.1, 12 - 10], [25 - 20.9, 15.05 - 10]]
    assert world.blocked(np.array(places)).tolist() == [True, True, True, False, False]
    assert nv.load_problem(tmp_path / "yard.geojson", agents=2).num_agents == 2


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            feature({"type": "Point", "coordinates": [1, 2]}),
            "a.geojson: the document is 'Point', expected Polygon or MultiPolygon",
        ),
        (
            {"type": "Polygon", "coordinates": [[[0, 0], [0.1, 0], [0.1, 0.1]]]},
            "a.geojson: the map has 0.1 x 0.1 units, expected",
        ),
        ({**SQUARE, "bbox": [0, 0, 1]}, "a.geojson: bbox is [0, 0, 1], expected [west, south, east, north]"),
        ({**SQUARE, "bbox": [9, 9, 0, 0]}, "a.geojson: the map has -9 x -9 units, expected at least 1 x 1"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2]]]}, "a.geojson: the document: the outline crosses"),
        ({"type": "Polygon", "coordinates": [[["0", 0]]]}, "a.geojson: the document: expected rings of [x, y] pairs"),
        ({"type": "FeatureCollection", "features": [3]}, "a.geojson: feature 0 is 3, expected a GeoJSON object"),
    ],
)
def test_what_is_no_map(document: dict[str, Any], message: str, tmp_path: Path) -> None:
    assert complaint(read_geojson, tmp_path / "a.geojson", json.dumps(document)).startswith(message)


def test_the_box_of_a_world_holds_its_polygons() -> None:
    world = plain_world("a.geojson", {"type": "GeometryCollection", "geometries": [SQUARE, TRIANGLES]})
    assert all(edge >= 0 for polygon in world.polygons for edge in polygon.bounds)
    assert max(polygon.bounds[2] for polygon in world.polygons) == world.height


def test_a_graph_that_navplan_wrote_is_planned_on_wherever_a_map_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from navplan.cli import main

    graph = nv.StateGraph.from_grid(np.zeros((3, 4), bool))
    write_graph_geojson(tmp_path / "graph.geojson", graph)
    assert (
        main(["solve", "--map", str(tmp_path / "graph.geojson"), "--agents", "2", "--out", str(tmp_path / "p.json"), "--quiet"])
        == 0
    )
    assert main(["validate", str(tmp_path / "p.json")]) == 0
    assert main(["scenario", "convert", str(tmp_path / "graph.geojson"), str(tmp_path / "graph.npz")]) == 0
    assert nv.StateGraph.load(tmp_path / "graph.npz").num_edges == graph.num_edges
    assert main(["view", str(tmp_path / "graph.geojson"), "--export", str(tmp_path / "g.png"), "--quiet"]) == 0
    assert main(["view", str(tmp_path / "p.json"), "--export", str(tmp_path / "p.png"), "--quiet"]) == 0
    capsys.readouterr()
    with pytest.raises(nv.FileFormatError, match="holds no map"):
        nv.load_map(tmp_path / "graph.geojson")
