"""The paper's runs: resumed, exported, damaged, from the command line."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest

from navplan.cli import main
from navplan.errors import CheckpointError, FileFormatError, InvalidInput
from navplan.graph.critics import EdgeCritics
from navplan.learned.evaluation.judge import evaluate_pairs
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.paper.config import PaperConfig, paper_config
from navplan.learned.training.load import load_checkpoint
from navplan.learned.training.run import new_run
from navplan.learned.training.tensors import read_tensors, write_tensors
from navplan.learned.training.train import train
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.worlds.geodesic import geodesic_steps
from navplan.scenarios.worlds.world import World
from navplan.system.progress import Silence
from tests.support.paper import TINY


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(TINY, tmp_path_factory.mktemp("paper") / "whole")


def exports(run: Path) -> list[bytes]:
    return [(run / name).read_bytes() for name in ("policy.safetensors", "stage1.safetensors")]


@pytest.mark.parametrize("stop_at", [200, 300])
def test_resuming_leaves_no_trace_in_either_stage(undisturbed: Path, tmp_path: Path, stop_at: int) -> None:
    class Stop(Silence):
        def show(self, done: int, total: int, note: str = "") -> None:
            if done == stop_at - 100:
                signal.raise_signal(signal.SIGINT)

    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(TINY, run, progress=Stop())
    assert json.loads((run / "checkpoint.json").read_text())["updates"] == stop_at
    train(TINY, run, resume=True)
    assert exports(run) == exports(undisturbed)


def test_a_checkpoint_without_a_generator_of_torch_resumes(undisturbed: Path, tmp_path: Path) -> None:
    """As they were written when only the recipes that draw from it saved it."""
    arrays, document = read_tensors(undisturbed / "checkpoint.safetensors", "checkpoint")
    del arrays["torch_rng"]
    (tmp_path / "config.json").write_bytes((undisturbed / "config.json").read_bytes())
    write_tensors(tmp_path / "checkpoint.safetensors", "checkpoint", arrays, document)
    train(TINY, tmp_path, resume=True)
    assert exports(tmp_path) == exports(undisturbed)


def test_the_export_serves_like_any_other(undisturbed: Path) -> None:
    critics = load_checkpoint(undisturbed)
    assert isinstance(critics, EdgeCritics)
    assert (critics.config.recipe, critics.stage, critics.seed, critics.states.shape) == ("paper", 2, 3, (40, 2))
    distance, risk = critics.evaluate(critics.states[:7], critics.states[1:8])
    assert distance.shape == risk.shape == (7,)
    assert ((distance >= 1) & (distance <= 20)).all()
    with pytest.raises(InvalidInput, match="recipe 'paper' trains none"):
        _ = critics.behaviour_cloning
    assert critics.policies == {"policy": critics.policy}
    assert load_checkpoint(undisturbed, stage=1).stage == 1


def test_damaged_files_are_named(undisturbed: Path, tmp_path: Path) -> None:
    arrays, document = read_tensors(undisturbed / "policy.safetensors", "policy")
    arrays["critics.cost.w3"] = arrays["critics.cost.w3"][:2]
    write_tensors(tmp_path / "a.safetensors", "policy", arrays, document)
    with pytest.raises(CheckpointError, match=r"'critics\.cost\.w3' is float32 \(2, 8, 40\), expected float32 \(3, 8, 40\)"):
        load_checkpoint(tmp_path / "a.safetensors")
    arrays, document = read_tensors(undisturbed / "checkpoint.safetensors", "checkpoint")
    arrays["ring"] = arrays["ring"][:, :3]
    write_tensors(tmp_path / "c.safetensors", "checkpoint", arrays, document)
    with pytest.raises(CheckpointError, match="'ring' is float32"):
        new_run(TINY).restore(tmp_path / "c.safetensors")


def test_each_recipe_has_a_configuration_of_its_own() -> None:
    with pytest.raises(FileFormatError, match="recipe is 'navplan', expected 'paper'"):
        PaperConfig.from_dict({"scenario": "line", "recipe": "navplan"})
    with pytest.raises(FileFormatError, match="recipe is 'paper', expected 'navplan'"):
        TrainConfig.from_dict({"scenario": "line", "recipe": "paper"})
    with pytest.raises(FileFormatError, match="unknown key 'num_envs'"):
        PaperConfig.from_dict({"scenario": "line", "num_envs": 3})
    with pytest.raises(InvalidInput, match="noise is -1"):
        PaperConfig("line", noise=-1.0)
    assert PaperConfig.from_dict(TINY.to_dict()) == TINY


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "run")
    command = ["train", "--scenario", "center-dot", "--recipe", "paper", "--seed", "1", "--steps", "3", "--out", out]
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["updates"] == 3
    assert load_checkpoint(out).config == paper_config("center-dot").replace(seed=1, steps=3)
    assert main(["train", "--resume", "--recipe", "navplan", "--out", out]) == 2
    assert "was started with recipe 'paper', not 'navplan'" in capsys.readouterr().err


def test_learning_a_small_world(tmp_path: Path) -> None:
    scenario = tmp_path / "corner.toml"
    scenario.write_text('name = "corner"\n[world]\nrows = ["....", "....", "..#.", "...."]\n')
    config = PaperConfig(
        str(scenario), steps=1600, hidden=32, actor_rate=1e-3, critic_rate=2e-3, cost_critic_rate=1e-3, replay_size=1000,
        cost_max=10.0, export_states=50,
    )  # fmt: skip
    critics = load_checkpoint(train(config, tmp_path / "run"))
    walls = np.zeros((4, 4), np.bool_)
    walls[2, 2] = True
    world = World.from_walls("corner", walls)
    env = PointEnv(world, body="point", rng=np.random.default_rng(0))
    starts, goals = env.sample_free(300), env.sample_free(300)
    report = evaluate_pairs(critics, world, starts, goals, geodesic_steps(world, starts, goals))
    assert report.reached > 0.9, report
    assert report.distance_mae < 0.9, report
