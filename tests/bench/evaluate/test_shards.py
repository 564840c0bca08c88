"""Names and files of the shards of an evaluation (bench/evaluate/shards.py, plan.py)."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from navplan.bench.evaluate import shards
from navplan.bench.evaluate.cells import Cell
from navplan.bench.evaluate.checkpoints import TrainedRun
from navplan.bench.evaluate.options import options_text
from navplan.bench.evaluate.plan import plan_of
from navplan.bench.evaluate.shards import CalibrationShard, FrontShard, ProblemsShard
from navplan.bench.evaluate.suite import Suite, load_suite
from navplan.bench.shards import key_of, read_shard, shard_file
from navplan.navigation.methods import Options
from tests.support.suites import write_suite

POINTS = np.arange(4, dtype=np.float32).reshape(1, 2, 2)
CELL = Cell(
    *("center-dot", "m", "hard", 2),
    *(POINTS, POINTS + 1, np.array([[0.5, 1.0]]), np.array([[3.0, 4.0]]), np.array([300], np.int64)),
)
RUN = TrainedRun("r", Path("r"), "c", train_seed=1, stage=2)


def keys(suite: Suite) -> set[str]:
    plan = plan_of(suite, {})
    return {key_of(shard) for shard in (*plan.problems, *plan.fronts, *plan.calibrations)}


def test_what_decides_a_result_is_in_its_name(tmp_path: Path) -> None:
    suite = load_suite(write_suite(tmp_path))
    known = keys(suite)
    options = replace(suite, settings=tuple(replace(one, options={"seed": 1}) for one in suite.settings))
    assert len(known | keys(replace(suite, budget=31))) == 4
    assert not known & keys(replace(suite, problems=1))
    assert not known & keys(options)
    assert known == keys(replace(suite, draws=9))


def test_shards_of_earlier_runs_are_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of version 0.1.0, as they were before shards had an engine of their own."""
    monkeypatch.setattr(shards, "version", lambda: "0.1.0")
    suite = load_suite("ablations")
    assert key_of(ProblemsShard("ablations", CELL, suite.setting("navplan/one critic"), RUN)) == "6ae4b01820000eaf"
    assert key_of(ProblemsShard("ablations", CELL, suite.setting("navplan/no order"), RUN, keep=0)) == "50548ee828787e03"
    figures = load_suite("paper-2d").figures
    assert figures is not None
    assert key_of(FrontShard(CELL, figures.step_weights, 0.125)) == "fdfcaa0b2c67ed5b"
    assert key_of(CalibrationShard("center-dot", "m", RUN)) == "39bcf3cecc663411"


def test_every_option_is_in_the_key() -> None:
    for option in dataclasses.fields(Options):
        if option.name not in ("body", "environment", "filter"):  # came later: named where they are given
            assert f"{option.name}=" in options_text({})
    assert "environment" not in options_text({})
    assert "environment='mud'" in options_text({"environment": "mud"})
    assert "body=" not in options_text({"body": "point"})
    assert "filter=" not in options_text({})
    assert options_text({}) == options_text({"body": "disc"}) != options_text({"body": "point"})
    assert options_text({"filter": "without-walls"}) != options_text({})
    assert "beta=4.0" in options_text({})
    assert "beta=2.0" in options_text({"beta": 2.0})


def test_a_file_is_read_only_when_it_is_the_shards_own_and_whole(tmp_path: Path) -> None:
    plain = ProblemsShard("ablations", CELL, load_suite("ablations").settings[0], RUN)
    shown = replace(plain, keep=0)
    file = shard_file(plain, tmp_path)
    file.parent.mkdir()
    whole = {"key": file.stem, "kind": "problems", "identity": {}, "code": "x", "result": {"rows": [], "times": []}}
    for document in ({}, {**whole, "key": "0" * 16}, {"key": file.stem}, [whole]):
        file.write_text(json.dumps(document))
        assert read_shard(plain, tmp_path) is None
    file.write_text(json.dumps(whole))
    assert read_shard(plain, tmp_path) == whole
    assert read_shard(shown, tmp_path) is None  # the same result, but the trajectory is missing
    shown.trajectory_file(tmp_path).parent.mkdir()
    shown.trajectory_file(tmp_path).touch()
    assert read_shard(shown, tmp_path) == whole
