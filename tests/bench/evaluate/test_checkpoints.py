from __future__ import annotations

import argparse
import json
import shlex
import tomllib
from pathlib import Path

import pytest

from navplan.bench.evaluate.checkpoints import load_run, run_of, training_command
from navplan.bench.evaluate.run import evaluate
from navplan.bench.evaluate.suite import load_suite, suite_names
from navplan.cli import train
from navplan.cli.command_line import main
from navplan.errors import FileAccessError, InvalidInput
from navplan.learned.training.load import checkpoint_folder


def test_a_missing_run_is_one_line_with_the_command_that_trains_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "--suite", "ablations", "--train-seeds", "3", "--out", "out"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    name = "runs/center-dot-without-self-training-seed3"
    assert said.startswith(f"error: {name}: no such run, which navplan/no self-training needs; train it with: navplan train ")
    assert said.endswith(f"center-dot-without-self-training.toml --seed 3 --out {name}\n")
    assert list(tmp_path.iterdir()) == []  # said before anything is written


def test_the_command_makes_the_very_run() -> None:
    """Of every setting and map of the committed suites: scenario, seed and recipe are those that the committed run had."""
    parser = argparse.ArgumentParser()
    train.configure(parser)
    compared = 0
    for suite in map(load_suite, suite_names()):
        for setting in suite.settings:
            for scenario in suite.maps:
                words = shlex.split(training_command(setting, scenario, 2))
                assert words[:2] == ["navplan", "train"]
                args = parser.parse_args(words[2:])
                assert (args.seed, str(args.out)) == (2, setting.checkpoints.of(scenario, 2))
                if args.out.parts[:-1]:  # not bundled
                    assert tomllib.loads(args.config.read_text())["scenario"] == scenario
                    continue
                ran = json.loads((checkpoint_folder(str(args.out)) / "config.json").read_text())["config"]
                assert (ran["scenario"], ran["seed"], ran["recipe"]) == (args.scenario, args.seed, args.recipe or "navplan")
                compared += 1
    assert compared > 50


def test_a_run_elsewhere_is_found_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    setting = load_suite("ablations").setting("navplan/no self-training")
    with pytest.raises(FileAccessError, match="no such run"):
        run_of(setting, "center-dot", 0, {})
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "center-dot-without-self-training").symlink_to(checkpoint_folder("center-dot"))
    found = run_of(setting, "center-dot", 0, {})
    assert (found.name, found.train_seed, found.stage) == ("center-dot-without-self-training", 0, 2)
    assert found.sha256 == run_of(load_suite("ablations").settings[0], "center-dot", 0, {}).sha256


def test_fewer_critics_are_asked_than_there_are(tmp_path: Path) -> None:
    run = run_of(load_suite("ablations").settings[0], "center-dot", 0, {})
    whole, one = load_run(run, None), load_run(run, 1)
    pairs = whole.states[:5], whole.states[5:10]
    assert [part.shape for part in one.members(*pairs)] == [(1, 5)] * 2
    for mine, all_of_them in zip(one.evaluate(*pairs), whole.members(*pairs), strict=True):
        assert mine.tolist() == all_of_them[0].tolist()
    with pytest.raises(InvalidInput, match="center-dot: "):
        load_run(run, 99)


def test_a_suite_can_do_without_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    suite = load_suite("ablations").narrowed(agents=[5], problems=1, train_seeds=[0])
    with pytest.raises(FileAccessError):
        evaluate(suite, tmp_path / "out")
    outcome = evaluate(suite.narrowed(methods=["navplan/hops"]), tmp_path / "out")
    assert [row["setting"] for row in outcome.evidence.rows] == ["hops"]
