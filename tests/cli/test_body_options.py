"""``--radius`` and ``--radius-m`` of the commands that drive or draw bodies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navplan.cli import main
from navplan.execution.trajectory import Trajectory
from navplan.scenarios.formats.images import encode_pgm
from navplan.viewer.open import open_scene

ROS = "image: floor.pgm\nresolution: 0.05\norigin: [0, 0, 0]\nnegate: 0\noccupied_thresh: 0.65\nfree_thresh: 0.196\n"
RUN = ["--checkpoint", "center-dot", "--method", "constrained-policy", "--quiet"]


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    (tmp_path / "floor.pgm").write_bytes(encode_pgm(np.full((9, 10), 254, np.uint8)))
    (tmp_path / "floor.yaml").write_text(ROS)
    return tmp_path / "floor.yaml"


@pytest.mark.parametrize(("asked", "cells"), [(["--radius", "0.4"], 0.4), (["--radius-m", "0.03"], 0.6), ([], 0.25)])
def test_run_drives_bodies_of_the_radius(asked: list[str], cells: float, floor: Path, tmp_path: Path) -> None:
    assert main(["run", str(floor), *RUN, "--agents", "2", "--out", str(tmp_path / "out"), *asked]) in (0, 1)
    driven = Trajectory.load(tmp_path / "out" / "trajectory.npz")
    assert driven.radius == pytest.approx(cells)
    assert ((driven.starts >= cells - 1e-5) & (driven.starts <= np.array([9, 10]) - cells + 1e-5)).all()
    assert driven.wall_contacts is not None
    assert driven.wall_contacts.sum() == 0


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["--radius", "0.2", "--radius-m", "0.01"], "--radius and --radius-m are both given"),
        (["--radius", "0.2,0.3"], "argument --radius: is '0.2,0.3', expected a number"),
        (["--radius", "6"], "no free point with room for a body of radius 6"),
        (["--radius", "-1"], "argument --radius: is '-1', expected a number that is not negative"),
    ],
)
def test_radii_that_are_none(asked: list[str], message: str, floor: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(floor), *RUN, *asked]) == 2
    assert message in capsys.readouterr().err


def test_metres_on_a_map_without(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["run", "empty", *RUN], ["demo", "--headless"], ["solve", "--map", "empty"]):
        assert main([*command, "--radius-m", "0.2"]) == 2
        assert "says nothing of metres" in capsys.readouterr().err


def test_view_draws_bodies_of_the_radius(floor: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan, picture = tmp_path / "p.json", tmp_path / "p.png"
    solve = ["solve", "--map", str(floor), "--agents", "2", "--radius", "0.2,0.4", "--out", str(plan), "--quiet"]
    assert main(solve) == 0
    assert open_scene(plan).radii.tolist() == [0.2, 0.4]
    pictures = []
    for asked in ([], ["--radius", "0.2,0.4"], ["--radius", "0.5"]):
        assert main(["view", str(plan), "--export", str(picture), "--quiet", *asked]) == 0
        pictures.append(picture.read_bytes())
    assert pictures[0] == pictures[1] != pictures[2]
    assert main(["view", str(plan), "--export", str(picture), "--radius", "0.1,0.2,0.3"]) == 2
    assert "radius is [0.1, 0.2, 0.3], expected" in capsys.readouterr().err


def test_the_front_of_one_body_keeps_clear_of_walls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.map").write_text("type octile\nheight 4\nwidth 5\nmap\n.....\n..@..\n..@..\n.....\n")
    (tmp_path / "a.scen").write_text("version 1\n0\ta.map\t5\t4\t0\t0\t4\t0\t4\n")
    solve = [
        "solve",
        "--map",
        str(tmp_path / "a.map"),
        "--scen",
        str(tmp_path / "a.scen"),
        "--agents",
        "1",
        "--pareto",
        "--quiet",
    ]
    assert main(solve) == 0
    assert main([*solve, "--radius", "0.6"]) == 2
    assert "its start, node 0, has room for radius 0.5, its body has 0.6" in capsys.readouterr().err


def test_solve_says_where_walls_are_known_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "--map", "small", "--agents", "1", "--quiet"]) == 0
    assert "; walls: map (" in capsys.readouterr().out
