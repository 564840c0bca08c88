"""`navplan validate`: what a plan file says is checked against its map, and nothing that it says is taken on trust."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from navplan.cli.command_line import main
from navplan.plan.plan import make_plan
from navplan.scenarios.problems.load import load_problem

MAP = "type octile\nheight 2\nwidth 3\nmap\n...\n...\n"
SCEN = "version 1\n0\tsmall.map\t3\t2\t0\t0\t2\t0\t2\n0\tsmall.map\t3\t2\t2\t1\t0\t1\t2\n"


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    (tmp_path / "small.map").write_text(MAP)
    (tmp_path / "small.scen").write_text(SCEN)
    problem = load_problem(tmp_path / "small.map", tmp_path / "small.scen", 2)
    make_plan(problem, "by hand", "optimal", [[0, 1, 2], [5, 4, 3]], lower_bound=4.0).save(tmp_path / "plan.json")
    return tmp_path / "plan.json"


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> str:
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))
    return str(path)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["validate", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    return shown.err


def test_a_valid_plan(plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(plan_file)]) == 0
    assert "valid; 2 agents, sum of costs 4, makespan 2" in capsys.readouterr().out
    assert main(["validate", str(plan_file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["violations"] == []


def test_it_says_what_it_checked_and_what_it_took_on_trust(plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(plan_file), "--json", "--radius", "0.4", "--clearance", "0"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["walls"] == "map"
    assert "walls" in facts["checked"]
    assert facts["claimed"] == ["status", "lower_bound"]
    assert (facts["as_the_file_states"], facts["given"], facts["warnings"]) == (["beta"], ["radius", "clearance"], [])
    assert main(["validate", str(plan_file), "--clearance", "1.5"]) == 1
    change(plan_file, lambda d: d["problem"].pop("map_sha256"))
    capsys.readouterr()
    assert main(["validate", str(plan_file)]) == 0
    shown = capsys.readouterr().out
    assert "status and lower bound are claimed; radius, clearance, beta as the file states" in shown
    assert "warning: the plan has no SHA-256 of its map" in shown


@pytest.mark.parametrize("old", [False, True])
def test_a_map_with_other_line_ends_is_the_same_map(plan_file: Path, capsys: pytest.CaptureFixture[str], old: bool) -> None:
    if old:  # plans from before cells were hashed
        change(plan_file, lambda d: d["problem"].pop("map_cells_sha256"))
    (plan_file.parent / "small.map").write_bytes(MAP.replace("\n", "\r\n").encode())
    assert main(["validate", str(plan_file)]) == 0
    assert "has the same cells" in capsys.readouterr().out


def test_a_body_without_room_is_no_valid_plan(plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "agent 0: its start, node 0, has room for radius 0.5" in refused(capsys, str(plan_file), "--radius", "2")


def test_a_moved_folder_is_followed(plan_file: Path, tmp_path: Path) -> None:
    folder = plan_file.parent.rename(tmp_path.parent / f"{tmp_path.name}-moved")
    assert main(["validate", str(folder / "plan.json")]) == 0


def test_the_map_of_the_right_contents_is_taken(plan_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "small.map").write_text(MAP.replace(".", "@", 1))
    change(plan_file, lambda d: d["problem"].update(map_path="small.map"))
    monkeypatch.chdir(other)
    assert main(["validate", str(plan_file)]) == 0


def test_another_map_is_refused(plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (plan_file.parent / "small.map").write_text(MAP.replace(".", "@", 1))
    assert "SHA-256" in refused(capsys, str(plan_file))
    (plan_file.parent / "small.map").unlink()
    assert "give it with --map" in refused(capsys, str(plan_file))


@pytest.mark.parametrize("value", [None, "x", -1, [], [[]], [[0.5, 0.5]], [["a", "b"], [1, 2]], [[2.5, 0.5], [0.5, 2.5]]])
@pytest.mark.parametrize("name", ["start_states", "goal_states"])
def test_wrong_places_are_refused(plan_file: Path, capsys: pytest.CaptureFixture[str], name: str, value: object) -> None:
    said = refused(capsys, change(plan_file, lambda d: d["problem"].__setitem__(name, value)))
    fits = value in (None, [[2.5, 0.5], [0.5, 2.5]])
    assert f"{name} are not the coordinates" in said if fits else f"bad or missing field: problem {name}" in said


def test_starts_that_are_not_the_scenario_files(plan_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (plan_file.parent / "small.scen").write_text(SCEN.replace("\t2\t1\t0\t1", "\t1\t1\t0\t1"))
    change(plan_file, lambda d: d["problem"].pop("scen_sha256"))
    assert "starts are not the first 2" in refused(capsys, str(plan_file))


@pytest.mark.parametrize("text", ["", "[" * 100_000, '{"format": ' + "9" * 5000 + "}", "\0", "[1]"])
def test_what_is_no_plan_is_refused(plan_file: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    plan_file.write_text(text)
    assert str(plan_file) in refused(capsys, str(plan_file))
    assert "cannot be read" in refused(capsys, str(plan_file.parent))
