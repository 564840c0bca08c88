from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import navplan as nv
from navplan.cli.command_line import main
from navplan.scenarios.environments.mazes import make_logs


def data(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = main([str(word) for word in words])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_make_then_inspect(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "logs.npz"
    make = ("data", "make", "carmaze_medium_stitch", "--transitions", 1500, "--seed", 3, "--out", file)
    status, out, err = data(capsys, *make)
    assert (status, err) == (0, "")
    assert out == f"{file}: 1600 steps in 8 trajectories of carmaze-medium-stitch, seed 3\n"
    with np.load(file) as written:
        for name, array in make_logs("carmaze-medium-stitch", 1500, 3).items():
            np.testing.assert_array_equal(written[name], array)
    assert json.loads(data(capsys, *make, "--json")[1]) == {
        "name": "carmaze-medium-stitch", "seed": 3, "transitions": 1600, "episodes": 8, "out": str(file),
    }  # fmt: skip
    status, out, _ = data(capsys, "data", "inspect", file, "--position", "0,1")
    assert status == 0
    assert "1600 steps in 8 trajectories; steps of each: 200" in out
    assert "terminals (OGBench)" in out
    assert "mistake" not in out
    document = json.loads(data(capsys, "data", "inspect", tmp_path / "*.npz", "--json")[1])
    assert (document["transitions"], document["mistakes"], document["measure"]) == (1600, [], "deviations")


def test_mistakes_are_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    logs = make_logs("pointmaze-large-stitch", 2000)
    logs["observations"][7] = np.nan
    logs["price"] = logs["observations"][:, 0] * 0 + 2
    np.savez(tmp_path / "a.npz", **logs)
    np.savez(tmp_path / "b.npz", **{name: array[:201] for name, array in logs.items()})
    status, out, err = data(capsys, "data", "inspect", tmp_path / "a.npz", tmp_path / "b.npz", "--cost", "price")
    assert (status, err) == (0, "")
    assert "costs 2 a step" in out
    assert "mistake: rows with NaN or infinity: 2 (first: episode 0, row 7 of it, 7 of all, in" in out
    twice = "mistake: trajectories that begin as an earlier one does: 1"
    assert f"{twice} (first: episode 10, row 0 of it, 2010 of all, in {tmp_path}/b.npz)" in out


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({}, "no end of a trajectory is marked in actions, observations"),
        ({"terminals": np.zeros(9)}, "no row of terminals is 1"),
        ({"terminals": np.ones(9)}, "every row is marked"),
        ({"timeouts": np.eye(9)[8][:4]}, "timeouts has shape (4,)"),
    ],
)
def test_logs_without_ends_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arrays: dict[str, np.ndarray], said: str
) -> None:
    np.savez(tmp_path / "a.npz", observations=np.zeros((9, 2)), actions=np.zeros((9, 2)), **arrays)
    status, out, err = data(capsys, "data", "inspect", tmp_path / "a.npz")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("make", "carmaze-large-stich", "--out", "x.npz"), "did you mean 'carmaze-large-stitch'"),
        (("make", "carmaze-large", "--out", "x.npz"), "expected logs in it: carmaze-large-navigate"),
        (("make", "carmaze-large-stitch"), "--out"),
        (("make", "carmaze-large-stitch", "--out", "no/such/x.npz", "--transitions", "0"), "at least 1"),
        (("make", "carmaze-large-stitch", "--out", "."), "is a folder"),
        (("inspect",), "LOGS"),
        (("inspect", "none*.npz"), "fits no file"),
        (("inspect", "."), "is a folder, expected a file, or a pattern"),
        (("inspect", "x.npz", "--position", "0"), "expected the numbers of two columns"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = data(capsys, "data", *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_logs_are_converted_and_merged(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    logs = make_logs("pointmaze-medium-stitch", 1000)
    np.savez(tmp_path / "a1.npz", **logs)
    seen, moves = logs["observations"], logs["actions"]
    keep = logs["terminals"] == 0
    ends = np.roll(logs["terminals"], -1)[keep]
    steps = {"observations": seen[keep], "actions": moves[keep], "next_observations": np.roll(seen, -1, axis=0)[keep]}
    np.savez(tmp_path / "a2.npz", **steps, timeouts=ends)
    status, out, err = data(capsys, "scenario", "convert", tmp_path / "a*.npz", tmp_path / "both.npz")
    assert (status, err) == (0, "")
    assert "2000 steps in 10 trajectories" in out
    assert "next_observations (D4RL)" in out
    both = nv.Dataset.load(tmp_path / "both.npz")
    np.testing.assert_array_equal(both.observations, np.concatenate([seen, seen]))
    status, _, err = data(capsys, "scenario", "convert", tmp_path / "a1.npz", tmp_path / "a.map")
    assert (status, err) == (2, f"error: {tmp_path / 'a.map'}: logs go to .npz, not to '.map'\n")
