from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from navplan.cli.command_line import main
from navplan.execution.trajectory import Trajectory
from navplan.graph.state_graph import StateGraph
from navplan.scenarios.formats.movingai import ScenRow, write_map, write_scen
from navplan.scenarios.problems.load import load_problem
from tests.support.damaged_files import damaged, survives
from tests.support.modules import hide_modules
from tests.support.scenes import driven, lattice, two_agent_plan, walled_world, whole_scene


@pytest.fixture(autouse=True)
def _no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)


def picture(*arguments: str, out: Path) -> np.ndarray:
    assert main(["view", *arguments, "--export", str(out)]) == 0
    with Image.open(out) as image:
        return np.asarray(image.convert("RGB"))


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(["view", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("error: ")
    return captured.err


@pytest.mark.parametrize("name", ["center-dot", "polygons"])
def test_scenarios_by_name(name: str, tmp_path: Path) -> None:
    assert picture(name, out=tmp_path / "a.png").std() > 10


def test_map_and_scen(tmp_path: Path) -> None:
    walls = np.zeros((8, 10), bool)
    walls[3, 2:6] = True
    write_map(tmp_path / "small.map", walls)
    write_scen(tmp_path / "small.scen", [ScenRow(0, "small.map", 10, 8, (0, 0), (7, 9), 16.0)])
    bare = picture(str(tmp_path / "small.map"), out=tmp_path / "a.png")
    posed = picture(str(tmp_path / "small.scen"), out=tmp_path / "b.png")
    assert bare.shape == posed.shape
    assert not np.array_equal(bare, posed)


def test_graph_plan_and_trajectory_files(tmp_path: Path) -> None:
    world = walled_world()
    graph = lattice(world)
    plan = two_agent_plan(graph)
    graph.save(tmp_path / "graph.npz")
    plan.save(tmp_path / "plan.json")
    driven(world, plan).save(tmp_path / "trajectory.npz")
    assert world.walls is not None
    write_map(tmp_path / "walled.map", world.walls)
    for arguments in (
        [str(tmp_path / "graph.npz")],
        [str(tmp_path / "trajectory.npz"), "--plan", str(tmp_path / "plan.json"), "--graph", str(tmp_path / "graph.npz")],
        [str(tmp_path / "plan.json"), "--map", str(tmp_path / "walled.map"), "--step", "2"],
        ["center-dot", "--trajectory", str(tmp_path / "trajectory.npz")],
    ):
        assert picture(*arguments, out=tmp_path / "a.png").std() > 10
    assert main(["view", str(tmp_path / "trajectory.npz"), "--export", str(tmp_path / "a.gif")]) == 0
    with Image.open(tmp_path / "a.gif") as movie:
        assert movie.n_frames > 10


def test_a_plan_finds_its_map(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from navplan.plan.plan import make_plan

    write_map(tmp_path / "open.map", np.zeros((4, 6), bool))
    problem = load_problem(tmp_path / "open.map", agents=1, seed=1)
    step = int(problem.graph.indices[problem.graph.indptr[problem.starts[0]]])
    make_plan(problem, "by-hand", "feasible", [[int(problem.starts[0]), step]]).save(tmp_path / "plan.json")
    assert picture(str(tmp_path / "plan.json"), out=tmp_path / "a.png").std() > 10
    (tmp_path / "open.map").rename(tmp_path / "moved.map")
    assert "--map" in fails(capsys, str(tmp_path / "plan.json"), "--export", str(tmp_path / "b.png"))
    assert not (tmp_path / "b.png").exists()
    assert picture(str(tmp_path / "plan.json"), "--map", str(tmp_path / "moved.map"), out=tmp_path / "c.png").std() > 10
    write_map(tmp_path / "other.map", np.ones((4, 6), bool))
    told = fails(capsys, str(tmp_path / "plan.json"), "--map", str(tmp_path / "other.map"), "--export", str(tmp_path / "d.png"))
    assert "is in an obstacle, expected the map of the plan" in told
    write_map(tmp_path / "small.map", np.zeros((1, 1), bool))
    told = fails(capsys, str(tmp_path / "plan.json"), "--map", str(tmp_path / "small.map"), "--export", str(tmp_path / "d.png"))
    assert "is outside, expected the map of the plan" in told


def test_the_folder_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = whole_scene()
    assert scene.plan is not None
    assert scene.trajectory is not None
    folder = tmp_path / "run"
    scene.plan.save(folder / "plan.json")
    scene.trajectory.save(folder / "trajectory.npz")
    (folder / "summary.json").write_text(json.dumps({"scenario": "gone", "seed": 3, "status": "success"}))
    assert picture(str(folder), out=tmp_path / "a.png").std() > 10
    (folder / "summary.json").write_text("{")
    assert "summary.json:1: is not JSON" in fails(capsys, str(folder), "--export", "x.png")
    (tmp_path / "empty").mkdir()
    assert "nothing to look at" in fails(capsys, str(tmp_path / "empty"), "--export", "x.png")


def test_errors_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--export" in fails(capsys, "center-dot")
    assert "did you mean 'center-dot'" in fails(capsys, "centre-dot", "--export", "x.png")
    assert "ending '.avi' is not supported" in fails(capsys, "center-dot", "--export", "x.avi")
    assert "step is 4" in fails(capsys, "center-dot", "--export", "x.png", "--step", "4")
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 no archive")
    assert "bad.npz" in fails(capsys, str(tmp_path / "bad.npz"), "--export", "x.png")


def test_a_missing_toolkit_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    hide_modules(monkeypatch, "navplan.viewer")
    monkeypatch.setitem(sys.modules, "pygame", None)
    assert (
        fails(capsys, "center-dot", "--export", "x.png") == "error: the viewer needs pygame-ce: pip install 'navplan[viewer]'\n"
    )


def test_a_missing_encoder_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert fails(capsys, "center-dot", "--export", "x.mp4") == "error: an .mp4 film needs PyAV: pip install 'navplan[video]'\n"


def test_trajectories_come_back_as_they_were(tmp_path: Path) -> None:
    trajectory = whole_scene().trajectory
    assert trajectory is not None
    trajectory.save(tmp_path / "t.npz")
    again = Trajectory.load(tmp_path / "t.npz")
    for name in ("walls", "starts", "goals", "states", "actions", "cost", "agent_contacts", "bumps"):
        there, here = getattr(again, name), getattr(trajectory, name)
        assert there.dtype == here.dtype
        assert np.array_equal(there, here)
    assert (again.radius, again.goal_tolerance) == (0.25, 0.5)
    assert again.track is None
    assert again.num_wall_contacts is None
    steps, agents = trajectory.bumps.shape
    track = np.random.default_rng(0).random((steps, agents, 21, 2)).astype(np.float32)
    measured = replace(trajectory, track=track, wall_contacts=np.full((steps, agents), 2, np.int32))
    measured.save(tmp_path / "t.npz")
    again = Trajectory.load(tmp_path / "t.npz")
    np.testing.assert_array_equal(again.track, track)
    assert again.num_wall_contacts == 2 * steps * agents


def test_trajectories_of_before_tracks_still_load(tmp_path: Path) -> None:
    """Their wall contacts are what is called bumps now."""
    trajectory = whole_scene().trajectory
    assert trajectory is not None
    trajectory.save(tmp_path / "t.npz")
    with np.load(tmp_path / "t.npz") as archive:
        arrays = {("wall_contacts" if name == "bumps" else name): archive[name] for name in archive.files}
    arrays["wall_contacts"] = arrays["wall_contacts"] + 3
    np.savez_compressed(tmp_path / "old.npz", **arrays)
    old = Trajectory.load(tmp_path / "old.npz")
    np.testing.assert_array_equal(old.bumps, trajectory.bumps + 3)
    assert (old.track, old.wall_contacts) == (None, None)


def test_damaged_trajectories_are_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    trajectory = whole_scene().trajectory
    assert trajectory is not None
    trajectory.save(folder / "t.npz")
    valid = (folder / "t.npz").read_bytes()

    @given(st.data())
    def check(data: st.DataObject) -> None:
        survives(Trajectory.load, folder / "x.npz", data.draw(damaged(valid)))

    check()


def test_a_grid_graph_shows_its_walls(tmp_path: Path) -> None:
    walls = np.zeros((5, 5), bool)
    walls[2, 1:4] = True
    StateGraph.from_grid(walls).save(tmp_path / "grid.npz")
    assert picture(str(tmp_path / "grid.npz"), out=tmp_path / "a.png").std() > 10
