"""`navplan train --data` and `navplan judge --data`, from files to verdicts."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest

import navplan as nv
from navplan.cli.command_line import main
from navplan.learned.training.train import train
from navplan.scenarios.environments.mazes import make_logs
from navplan.system.progress import Silence

SETTINGS = 'recipe = "offline"\nbatch_size = 16\nhidden = 8\ncheckpoint_interval = 100\nlog_interval = 100\nexport_states = 50\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Logs of a car in two files, and the settings of a small run."""
    where = tmp_path_factory.mktemp("logs")
    logs = make_logs("carmaze-medium-stitch", transitions=4000, seed=0)
    logs["bumps"] = np.ones(len(logs["actions"]))
    half = 201 * 10
    np.savez(where / "a.npz", **{name: array[:half] for name, array in logs.items()})
    np.savez(where / "b.npz", **{name: array[half:] for name, array in logs.items()})
    np.savez(where / "wide.npz", **{**logs, "observations": np.hstack([logs["observations"]] * 2)})
    np.savez(where / "open.npz", observations=logs["observations"], actions=logs["actions"])
    bad = logs["observations"].copy()
    bad[5] = np.nan
    np.savez(where / "nan.npz", **{**logs, "observations": bad})
    (where / "small.toml").write_text(SETTINGS)
    return where


def navplan(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = main([str(word) for word in words])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def trained(folder: Path, out: Path, *more: object) -> list[object]:
    car = ("--goal", "0,1", "--position", "0,1", "--config", folder / "small.toml", "--steps", 200)
    return ["train", "--data", folder / "[ab].npz", *car, "--out", out, *more]


def test_train_judge_and_load(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    words = trained(folder, out, "--cost", "bumps", "--set", "critic=quasimetric", "--seed", 4, "--json")
    status, printed, said = navplan(capsys, *words)
    assert status == 0
    assert "4000 steps in 20 trajectories; ends: terminals (OGBench)" in said
    assert json.loads(printed)["updates"] == 200
    critics = nv.load_checkpoint(out)
    config = json.loads((out / "config.json").read_text())["config"]
    assert (config["data"], config["goal"], config["cost"]) == ([str(folder / "[ab].npz")], [0, 1], "bumps")
    assert critics.evaluate(np.zeros((2, 5)), np.zeros((2, 2)))[1].shape == (2,)

    status, printed, _ = navplan(capsys, "judge", out, "--data", folder / "a.npz", "--json")
    (verdict,) = json.loads(printed)["runs"]
    assert status == (0 if verdict["passed"] else 1)
    assert verdict["passed"] == (verdict["failures"] == [])
    assert verdict["pairs"] > 1000
    table = navplan(capsys, "judge", out, "--data", folder / "a.npz")[1].splitlines()
    assert table[1].startswith(f"{out} | {'yes' if verdict['passed'] else 'FAILED'} | {100 * verdict['upheld']:.1f} %")
    assert [line.removeprefix(f"{out}: ") for line in table[2:]] == verdict["failures"]
    status, _, said = navplan(capsys, "judge", out)
    assert (status, said) == (
        2,
        f"error: {out}: was learned from logs and is judged by logs that it has not seen, expected --data LOGS\n",
    )
    assert "was learned in a scenario" in navplan(capsys, "judge", "center-dot", "--data", folder / "a.npz")[2]
    assert "as the run's logs had" in navplan(capsys, "judge", out, "--data", folder / "wide.npz")[2]


def test_interrupted_runs_become_what_they_would_have_been(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert navplan(capsys, *trained(folder, whole))[0] == 0

    class Interrupts(Silence):
        def show(self, done: int, total: int, note: str = "") -> None:
            if done == 100:
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("navplan.learned.training.train.train", lambda *a, **k: train(*a, **{**k, "progress": Interrupts()}))
    assert navplan(capsys, *trained(folder, cut))[0] == 130
    assert not (cut / "policy.safetensors").exists()
    monkeypatch.undo()
    assert navplan(capsys, "train", "--out", cut, "--resume")[:2] == (0, f"{cut}\n")
    for name in ("policy.safetensors", "config.json"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()
    assert "with another configuration" in navplan(capsys, "train", "--out", cut, "--resume", "--goal", "0")[2]


def test_rows_of_no_numbers_are_said_and_left_out(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--config", folder / "small.toml", "--steps", 20, "--quiet")
    status, _, said = navplan(capsys, "train", "--data", folder / "nan.npz", *words, "--out", tmp_path / "run")
    assert status == 0
    assert said.startswith("warning: rows with NaN or infinity: 1 (first: episode 0, row 5 of it, 5 of all)\n")
    assert all(line.startswith("warning: ") for line in said.splitlines())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--data open.npz", "no end of a trajectory is marked"),
        ("--data a.npz wide.npz", "observations have shape (rows, 10), expected (rows, 5) as in a.npz"),
        ("--data none*.npz", "fits no file"),
        ("--data a.npz --scenario line", "--scenario and --data are both given, expected one of them"),
        ("--data a.npz --recipe paper", "--data is for learning from logs, which recipe 'paper' does not do"),
        ("--data a.npz --set critic=temporl", "unknown critic 'temporl': did you mean 'temporal'?"),
        ("--data a.npz --set curriculum=uniform", "recipe 'offline' has no such slot, expected critic or policy"),
        ("--data a.npz --goal 0,9", "there is no column 9, expected from 0 to 4"),
        ("--data a.npz --position 0,9", "there is no column 9, expected from 0 to 4"),
        ("--data a.npz --position 0", "expected the numbers of two columns"),
        ("--data a.npz --goal 1,1", "expected the numbers of different columns"),
        ("--data a.npz --cost price", "a.npz: price is missing among actions, bumps, observations, terminals"),
        ("--scenario line --goal 0,1", "--goal is for learning from logs, which recipe 'navplan' does not do"),
        ("--steps 3", "--scenario is missing, expected the name of a scenario or the path of a scenario file, or --data"),
    ],
)
def test_bad_input_ends_before_work(
    words: str, message: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    status, out, said = navplan(capsys, "train", *words.split(), "--out", tmp_path / "run", "--quiet")
    assert (status, out, said.count("\n")) == (2, "", 1)
    assert message in said
    assert not (tmp_path / "run").exists()
