"""Problems of libMultiRobotPlanning."""

from __future__ import annotations

from pathlib import Path

import pytest

import navplan as nv
from navplan.cli import main
from navplan.scenarios.formats.robot_planning import is_robot_planning, read_robot_planning
from tests.support.damaged_files import complaint

PROBLEM = """agents:
-   goal: [2, 0]
    name: agent0
    start: [0, 0]
-   goal: [0, 1]
    name: agent1
    start: [3, 1]
map:
    dimensions: [4, 2]
    obstacles:
    - !!python/tuple [1, 1]
"""


def test_map_and_agents(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(PROBLEM)
    problem = nv.load_problem(tmp_path / "p.yaml")
    assert problem.graph.shape == (2, 4)
    assert problem.graph.cells()[problem.starts].tolist() == [[0, 0], [1, 3]]
    assert problem.graph.cells()[problem.goals].tolist() == [[0, 2], [1, 0]]
    assert nv.load_map(tmp_path / "p.yaml").walls.tolist() == [[False] * 4, [False, True, False, False]]  # type: ignore[union-attr]
    assert nv.load_problem(tmp_path / "p.yaml", agents=1).num_agents == 1


def test_commands_take_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.yaml").write_text(PROBLEM)
    plan = str(tmp_path / "plan.json")
    assert main(["solve", "--map", str(tmp_path / "p.yaml"), "--out", plan, "--quiet"]) == 0
    assert main(["validate", plan]) == 0
    assert main(["scenario", "convert", str(tmp_path / "p.yaml"), str(tmp_path / "p.scen")]) == 0
    assert main(["view", str(tmp_path / "p.yaml"), "--export", str(tmp_path / "p.png"), "--quiet"]) == 0
    capsys.readouterr()


def test_a_map_of_ros_is_none(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("image: a.pgm\nresolution: 1\nmap: 3\n")
    assert not is_robot_planning(tmp_path / "m.yaml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[4, 2]", "[4]", "p.yaml:9: dimensions must be [x, y], two whole numbers"),
        ("[4, 2]", "[0, 2]", "p.yaml: dimensions are 0 x 2, expected 1 to"),
        ("[4, 2]", "[99999, 99999]", "p.yaml: dimensions are 99999 x 99999, expected 1 to"),
        ("[1, 1]", "[4, 1]", "p.yaml:11: an obstacle [4, 1] is outside the map of width 4 and height 2"),
        ("[3, 1]", "[3, -1]", "p.yaml:7: agent 1: start must be [x, y], two whole numbers"),
        ("    name: agent1\n    start: [3, 1]\n", "", "p.yaml: agent 1 has no start, expected map"),
        ("map:\n", "map: 3\n#", "p.yaml:"),
        ("-   goal: [2, 0]", "-   [", "p.yaml:"),
    ],
)
def test_malformed_problems(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert complaint(read_robot_planning, tmp_path / "p.yaml", PROBLEM.replace(old, new)).startswith(message)
