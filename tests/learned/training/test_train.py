from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from navplan.cli import main
from navplan.errors import CheckpointError, FileAccessError, InvalidInput
from navplan.learned.evaluation.judge import evaluate_pairs
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.navplan.learner import NavplanLearner
from navplan.learned.recipes.paper.config import PaperConfig
from navplan.learned.training.load import load_checkpoint
from navplan.learned.training.run import new_run
from navplan.learned.training.tensors import read_tensors, write_tensors
from navplan.learned.training.train import train
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.geodesic import geodesic_steps
from navplan.scenarios.worlds.world import World
from navplan.system.files import locked
from navplan.system.progress import Silence
from tests.support.damaged_files import damaged, survives

TINY = TrainConfig(
    "center-dot",
    seed=5,
    threads=1,
    steps=80,
    updates_per_round=4,
    batch_size=16,
    hidden=8,
    num_envs=8,
    warmup_rounds=2,
    replay_episodes=40,
    checkpoint_interval=12,
    log_interval=20,
    multiplier_window=8,
    export_states=50,
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(TINY, tmp_path_factory.mktemp("runs") / "whole")


def assert_same_result(found: Path, wanted: Path) -> None:
    """Bit for bit: the exports, and everything in the checkpoint but the seconds that passed."""
    for name in ("policy.safetensors", "stage1.safetensors"):
        assert (found / name).read_bytes() == (wanted / name).read_bytes()
    a, b = load_file(found / "checkpoint.safetensors"), load_file(wanted / "checkpoint.safetensors")
    assert a.keys() == b.keys()
    for name in a:
        if name == "curves":
            a[name], b[name] = a[name][:, :-1], b[name][:, :-1]
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_a_run_is_a_folder_of_readable_files(undisturbed: Path) -> None:
    names = {path.name for path in undisturbed.iterdir()}
    exports = {"policy.safetensors", "stage1.safetensors"}
    assert names == {"config.json", "curves.csv", "checkpoint.safetensors", "checkpoint.json"} | exports
    assert TrainConfig.from_dict(json.loads((undisturbed / "config.json").read_text())["config"]) == TINY
    with (undisturbed / "curves.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == list(NavplanLearner.columns)
    assert [int(row["updates"]) for row in rows] == [20, 40, 60, 80]
    assert [int(row["stage"]) for row in rows] == [1, 2, 2, 2]
    critics = load_checkpoint(undisturbed)
    assert (critics.scenario, critics.seed, critics.stage, len(critics.states)) == ("center-dot", 5, 2, 50)
    assert load_checkpoint(undisturbed, stage=1).stage == 1


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(undisturbed: Path, tmp_path: Path) -> None:
    assert_same_result(train(TINY, tmp_path / "again"), undisturbed)
    other = train(TINY.replace(seed=6), tmp_path / "other")
    assert (other / "policy.safetensors").read_bytes() != (undisturbed / "policy.safetensors").read_bytes()


@pytest.mark.parametrize("stop_at", [24, 52])
def test_ctrl_c_saves_and_resuming_leaves_no_trace(undisturbed: Path, tmp_path: Path, stop_at: int) -> None:
    class Stop(Silence):
        def show(self, done: int, total: int, note: str = "") -> None:
            if done == stop_at:
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(TINY, tmp_path / "run", progress=Stop())
    assert json.loads((tmp_path / "run" / "checkpoint.json").read_text())["updates"] == stop_at + 4
    train(TINY, tmp_path / "run", resume=True)
    assert_same_result(tmp_path / "run", undisturbed)


PROGRAM = """
import sys, time
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.training.train import train
from navplan.system.progress import Silence
config = TrainConfig.from_dict(eval(sys.argv[2]))
class Slow(Silence):
    def show(self, *_):
        time.sleep(0.05)
train(config, sys.argv[1], progress=Slow())
"""


@pytest.mark.alone
def test_kill_9_and_resume_ends_bit_identical(undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-c", PROGRAM, str(out), repr(TINY.to_dict())]
    with subprocess.Popen(command) as process:
        deadline = time.monotonic() + 300
        while not (out / "checkpoint.safetensors").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.12)  # into the rounds after it
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (out / "policy.safetensors").exists()
    train(TINY, out, resume=True)
    assert_same_result(out, undisturbed)


def test_a_run_killed_before_its_first_checkpoint_starts_over(undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "config.json").write_bytes((undisturbed / "config.json").read_bytes())
    assert_same_result(train(TINY, out, resume=True), undisturbed)


@pytest.mark.parametrize("left", [".lock", ".config.json.abc.tmp"])
def test_a_run_killed_in_its_first_moments_is_started_again(left: str, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / left).write_text("")
    assert_same_result(train(TINY, out), undisturbed)
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in undisturbed.iterdir())


def test_a_run_in_use_is_left_alone(tmp_path: Path) -> None:
    with locked(tmp_path / "run"), pytest.raises(FileAccessError, match="another process is at work in it"):
        train(TINY, tmp_path / "run")


PAPER = PaperConfig(
    "center-dot", seed=1, threads=1, steps=40, batch_size=8, hidden=8, initial_steps=30, replay_size=500, export_states=20
)


def test_a_finished_run_of_recipe_paper_made_longer_is_one_long_run(tmp_path: Path) -> None:
    """Nothing in it is scheduled over the whole run, so that its networks are those of the long one, bit for bit."""
    short = train(PAPER, tmp_path / "run")
    longer = PAPER.extended(60)
    assert longer.stage1_steps == PAPER.stage1_steps
    assert main(["train", "--resume", "--steps", "60", "--out", str(short), "--quiet"]) == 0
    whole = train(longer, tmp_path / "whole")
    a, b = load_file(short / "checkpoint.safetensors"), load_file(whole / "checkpoint.safetensors")
    a.pop("curves"), b.pop("curves")  # the short run ended with a row of its own
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_a_run_of_recipe_navplan_goes_on_by_the_longer_schedule(undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    shutil.copytree(undisturbed, out)
    longer = TINY.extended(100)
    assert longer.stage1_steps == TINY.stage1_steps
    train(longer, out, resume=True)
    assert read_tensors(out / "checkpoint.safetensors", "checkpoint")[1]["updates"] == 100
    assert json.loads((out / "config.json").read_text())["config"] == longer.to_dict()
    with pytest.raises(InvalidInput, match="another configuration"):
        train(TINY, out, resume=True)  # no run is made shorter


def test_a_checkpoint_is_switched_by_one_rename(undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise OSError("killed here")

    (tmp_path / "checkpoint.safetensors").write_bytes(b"the one before")
    run = new_run(TINY)
    run.warm_up()
    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(OSError, match="killed here"):
        run.save(tmp_path)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == b"the one before"


def test_nothing_is_overwritten(undisturbed: Path, tmp_path: Path) -> None:
    before = (undisturbed / "policy.safetensors").read_bytes()
    with pytest.raises(InvalidInput, match=r"exists already.*--resume"):
        train(TINY, undisturbed)
    with pytest.raises(InvalidInput, match="another configuration"):
        train(TINY.replace(seed=9), undisturbed, resume=True)
    with pytest.raises(InvalidInput, match="holds no run to resume"):
        train(TINY, tmp_path / "nowhere", resume=True)
    assert (undisturbed / "policy.safetensors").read_bytes() == before
    assert not (tmp_path / "nowhere").exists()


def test_damaged_checkpoints_are_named(undisturbed: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((undisturbed / "config.json").read_bytes())
    data = (undisturbed / "checkpoint.safetensors").read_bytes()
    (tmp_path / "checkpoint.safetensors").write_bytes(data[:-100])
    with pytest.raises(CheckpointError, match=r"checkpoint\.safetensors: is truncated"):
        train(TINY, tmp_path, resume=True)
    (tmp_path / "checkpoint.safetensors").write_bytes((undisturbed / "policy.safetensors").read_bytes())
    with pytest.raises(CheckpointError, match="is a 'policy' of format 1, expected a 'checkpoint'"):
        train(TINY, tmp_path, resume=True)


@pytest.mark.parametrize(
    "name", ["replay.costs", "target_actor.layers.0.bias", "optimizer.critics.1.exp_avg", "stage1.critics.b3"]
)
def test_misshaped_tensors_in_a_checkpoint_are_named(undisturbed: Path, tmp_path: Path, name: str) -> None:
    arrays, document = read_tensors(undisturbed / "checkpoint.safetensors", "checkpoint")
    arrays[name] = arrays[name][..., :1]
    write_tensors(tmp_path / "c.safetensors", "checkpoint", arrays, document)
    with pytest.raises(CheckpointError, match=rf"tensor '{name}' is float32 \(.*\), expected float32"):
        new_run(TINY).restore(tmp_path / "c.safetensors")


@settings(max_examples=40)
@given(data=st.data())
def test_damaged_checkpoints_never_crash(
    undisturbed: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    whole = (undisturbed / "checkpoint.safetensors").read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    broken = data.draw(damaged(whole[8:header]))
    data_bytes = len(broken).to_bytes(8, "little") + broken + whole[header:]
    survives(new_run(TINY).restore, folder / "c.safetensors", data_bytes)


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "run")
    assert main(["train", "--out", out]) == 2
    assert main(["train", "--scenario", "center-dto", "--out", out]) == 2
    assert "did you mean 'center-dot'" in capsys.readouterr().err
    assert main(["train", "--scenario", "center-dot", "--resume", "--out", out]) == 2
    assert not Path(out).exists()
    capsys.readouterr()
    assert main(["train", "--scenario", "center-dot", "--seed", "3", "--steps", "1", "--out", out, "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert (document["run"], document["seed"], document["updates"]) == (out, 3, 1)
    assert captured.err == ""  # quiet in a pipe
    assert main(["train", "--scenario", "center-dot", "--out", out]) == 2
    assert "exists already" in capsys.readouterr().err


def test_command_line_takes_a_file_of_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own, out = tmp_path / "own.toml", tmp_path / "run"
    own.write_text('scenario = "center-dot"\nseed = 5\nsteps = 1\nself_training_share = 0.0\n')
    assert main(["train", "--config", str(own), "--seed", "6", "--out", str(out)]) == 0
    written = json.loads((out / "config.json").read_text())["config"]
    assert (written["seed"], written["steps"], written["self_training_share"]) == (6, 1, 0.0)
    capsys.readouterr()
    for beside in (["--resume"], ["--recipe", "paper"]):
        assert main(["train", "--config", str(own), *beside, "--out", str(out)]) == 2
        assert "--config is for new runs" in capsys.readouterr().err
    own.write_text('scenario = "center-dot"\nsteppes = 1\n')
    assert main(["train", "--config", str(own), "--out", str(tmp_path / "other")]) == 2
    error = capsys.readouterr().err
    assert str(own) in error
    assert "steppes" in error


def test_learning_a_small_world_takes_seconds(tmp_path: Path) -> None:
    scenario = tmp_path / "corner.toml"
    scenario.write_text(
        'name = "corner"\n[world]\nrows = ["....", "....", "..#.", "...."]\n[hazard]\nkind = "linear"\nradius = 1.0\n'
    )
    config = TrainConfig(
        str(scenario),
        steps=600,
        hidden=64,
        batch_size=128,
        num_envs=32,
        warmup_rounds=5,
        replay_episodes=1000,
        critic_rate=2e-3,
        actor_rate=2e-3,
        cost_max=10.0,
        polyak=0.05,
        export_states=100,
    )
    critics = load_checkpoint(train(config, tmp_path / "run"))
    walls = np.zeros((4, 4), np.bool_)
    walls[2, 2] = True
    world = World.from_walls("corner", walls)
    rng = np.random.default_rng(0)
    env = PointEnv(world, body="point", rng=rng)
    starts, goals = env.sample_free(300, rng), env.sample_free(300, rng)
    report = evaluate_pairs(critics, world, starts, goals, geodesic_steps(world, starts, goals))
    assert report.reached > 0.9
    assert report.distance_mae < 0.9


def test_an_exported_run_cannot_be_resumed(undisturbed: Path, tmp_path: Path) -> None:
    exported = tmp_path / "exported"
    exported.mkdir()
    for name in ("config.json", "policy.safetensors"):
        (exported / name).write_bytes((undisturbed / name).read_bytes())
    before = {path.name: path.read_bytes() for path in exported.iterdir()}
    with pytest.raises(InvalidInput, match=r"exported for use only"):
        train(TINY, exported, resume=True)
    assert {path.name: path.read_bytes() for path in exported.iterdir()} == before
