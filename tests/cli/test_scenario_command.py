from __future__ import annotations

import json

import numpy as np
import pytest

from navplan.cli.command_line import main
from navplan.graph.state_graph import StateGraph
from navplan.scenarios.formats.movingai import map_text, read_map, read_scen
from navplan.scenarios.maps import load_map
from navplan.scenarios.problems.load import load_problem
from navplan.scenarios.registry import load_scenario, scenario_names
from navplan.scenarios.worlds.generators import generate


def scenario(capsys, *arguments: object) -> tuple[int, str, str]:
    status = main(["scenario", *map(str, arguments)])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_list(capsys):
    status, out, err = scenario(capsys, "list")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[1:]] == list(scenario_names())
    status, out, _ = scenario(capsys, "list", "--json")
    facts = {fact["name"]: fact for fact in json.loads(out)}
    assert facts["center-dot"]["free_cells"] == 216
    assert facts["polygons"]["polygons"] == 4


def test_show(capsys):
    status, out, _ = scenario(capsys, "show", "center-dot")
    assert status == 0
    assert out.splitlines()[7] == "......###......"
    assert "hazard: linear 3" in out
    status, out, _ = scenario(capsys, "show", "polygons", "--json")
    document = json.loads(out)
    assert (document["kind"], len(document["rows"])) == ("polygons", 15)


def test_show_a_map_file(capsys, tmp_path):
    (tmp_path / "a.map").write_bytes(map_text(np.eye(2, dtype=bool)))
    status, out, _ = scenario(capsys, "show", tmp_path / "a.map")
    assert status == 0
    assert out.startswith("#.\n.#\nname: a\n")


def test_make(capsys, tmp_path):
    expected = generate("rooms", 5, height=9, width=12, room=3)
    status, out, _ = scenario(capsys, "make", "rooms", "--height", 9, "--width", 12, "--room", 3, "--seed", 5)
    assert (status, out) == (0, map_text(expected).decode())
    status, out, _ = scenario(
        capsys, "make", "rooms", "--height", 9, "--width", 12, "--room", 3, "--seed", 5, "--out", tmp_path / "r.map"
    )
    assert status == 0
    assert (read_map(tmp_path / "r.map") == expected).all()
    status, out, _ = scenario(capsys, "make", "random", "--density", 0.5, "--json")
    assert json.loads(out)["params"] == {"height": 32, "width": 32, "density": 0.5}


@pytest.mark.parametrize("target", ["w.map", "w.toml", "w.yaml"])
def test_made_and_converted_maps_are_the_same(capsys, tmp_path, target):
    assert scenario(capsys, "make", "warehouse", "--seed", 3, "--out", tmp_path / target)[0] == 0
    assert (load_map(tmp_path / target).walls == generate("warehouse", 3)).all()
    for again in ("again.map", "again.toml", "again.yaml"):
        assert scenario(capsys, "convert", tmp_path / target, tmp_path / again)[0] == 0
        assert (load_map(tmp_path / again).walls == generate("warehouse", 3)).all()


def test_convert_polygons(capsys, tmp_path):
    status, out, _ = scenario(capsys, "convert", "polygons", tmp_path / "p.geojson", "--json")
    assert (status, json.loads(out)["in"]) == (0, "polygons")
    assert load_map(tmp_path / "p.geojson").polygons == load_scenario("polygons").world.polygons
    status, _, err = scenario(capsys, "convert", "polygons", tmp_path / "p.map")
    assert (status, err.count("\n")) == (2, 1)
    assert "--cells lays one over it" in err
    assert not (tmp_path / "p.map").exists()
    assert scenario(capsys, "convert", "polygons", tmp_path / "p.map", "--cells")[0] == 0


def test_convert_keeps_the_scenario(capsys, tmp_path):
    assert scenario(capsys, "convert", "line", tmp_path / "l.toml")[0] == 0
    assert load_scenario(tmp_path / "l.toml").num_agents == load_scenario("line").num_agents
    assert scenario(capsys, "convert", "line", tmp_path / "l.yaml", "--image", "png")[0] == 0
    assert (tmp_path / "l.png").exists()


def test_write_a_scen(capsys, tmp_path):
    assert scenario(capsys, "convert", "rooms", tmp_path / "rooms.map")[0] == 0
    assert scenario(capsys, "convert", tmp_path / "rooms.map", tmp_path / "rooms.scen", "--agents", 5, "--seed", 9)[0] == 0
    assert len(read_scen(tmp_path / "rooms.scen").rows) == 5
    problem = load_problem(tmp_path / "rooms.map", scen=tmp_path / "rooms.scen")
    drawn = load_problem(tmp_path / "rooms.map", agents=5, seed=9)
    assert (problem.starts == drawn.starts).all()
    assert (problem.goals == drawn.goals).all()


def test_convert_graphs(capsys, tmp_path):
    graph = StateGraph.from_grid(np.eye(4, dtype=bool))
    graph.save(tmp_path / "g.npz")
    assert scenario(capsys, "convert", tmp_path / "g.npz", tmp_path / "g.geojson")[0] == 0
    assert scenario(capsys, "convert", tmp_path / "g.geojson", tmp_path / "h.npz")[0] == 0
    assert (StateGraph.load(tmp_path / "h.npz").indices == graph.indices).all()
    assert scenario(capsys, "convert", tmp_path / "g.npz", tmp_path / "g.map")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required"),
        (["make"], "the following arguments are required"),
        (["make", "mazes"], "invalid choice: 'mazes'"),
        (["make", "maze", "--height", "tall"], "argument --height: invalid int value: 'tall'"),
        (["make", "maze", "--height", "-1"], "height is -1, expected a positive integer"),
        (["make", "maze", "--density", "1"], "unrecognized arguments"),
        (["make", "maze", "--out", "x.bmp"], "x.bmp: unknown kind of file '.bmp', expected .map"),
        (["show", "centre-dot"], "unknown scenario 'centre-dot': did you mean 'center-dot' or"),
        (["show", "none.map"], "none.map: cannot be read: no such file"),
        (["convert", "line", "line.geojson"], "is a grid, expected polygons"),
    ],
)
def test_bad_usage_is_one_line(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    status, out, err = scenario(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert not list(tmp_path.iterdir())


def test_infinite_limits_are_valid_json(capsys, tmp_path):
    (tmp_path / "a.toml").write_text('[world]\nmaze = "line"\n[limits]\nmax_risk = inf\n')
    _, out, _ = scenario(capsys, "show", tmp_path / "a.toml", "--json")
    assert json.loads(out, parse_constant=lambda word: pytest.fail(word))["max_risk"] is None
