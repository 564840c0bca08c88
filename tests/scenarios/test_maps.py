from __future__ import annotations

from pathlib import Path

import numpy as np

from navplan.scenarios.formats.geojson import write_geojson
from navplan.scenarios.formats.movingai import write_map
from navplan.scenarios.formats.ros_map import RosMap, write_ros_map
from navplan.scenarios.maps import find_map, load_graph, load_map
from navplan.scenarios.problems.load import load_problem
from navplan.scenarios.registry import load_scenario
from navplan.scenarios.worlds.mazes import parse_rows

WALLS = parse_rows(["..#.", "..#.", "...."], "memory")


def test_maps_of_every_kind(tmp_path: Path) -> None:
    write_map(tmp_path / "a.map", WALLS)
    occupancy = np.where(WALLS, 100, 0)
    occupancy[0, 0] = -1
    write_ros_map(tmp_path / "a.yaml", RosMap(occupancy, 0.5))
    write_geojson(tmp_path / "a.geojson", load_scenario("polygons").world)
    assert (load_map(tmp_path / "a.map").walls == WALLS).all()
    ros = load_map(tmp_path / "a.yaml")
    assert ros.walls[0, 0]
    assert ros.resolution == 0.5
    assert (load_map(tmp_path / "a.yaml", unknown="free").walls == WALLS).all()
    assert len(load_map(tmp_path / "a.geojson").polygons) == 4
    assert load_problem(tmp_path / "a.yaml", agents=2).graph.num_nodes == 9
    assert load_graph(tmp_path / "a.geojson").is_grid
    assert find_map("line").name == "line.toml"
