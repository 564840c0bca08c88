"""The folder of a run: what is written is read back, and nothing of an earlier run stays."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from navplan.errors import FileAccessError, FileFormatError
from navplan.execution.drive import Interrupted
from navplan.navigation.files import read_run, read_summary, remove, write_run, written_when_interrupted
from navplan.navigation.navigate import Navigation, navigate
from navplan.plan.plan import Plan
from navplan.scenarios.problems.hard import draw_hard
from navplan.scenarios.registry import load_scenario
from tests.support.critics import AnalyticCritics


@pytest.fixture(scope="module")
def driven() -> Navigation:
    scenario = load_scenario("center-dot")
    return navigate(scenario, AnalyticCritics(scenario.world), *draw_hard(scenario, 2, 0), low_level="straight-line")


def test_what_is_written_is_read_back(driven: Navigation, tmp_path: Path) -> None:
    write_run(tmp_path / "run", driven, driven.summary())
    found = read_run(tmp_path / "run")
    assert found.summary == driven.summary()
    assert found.plan is not None
    assert found.trajectory is not None
    assert found.graph is not None
    assert found.plan.problem["map"] == "graph.npz"
    assert np.array_equal(found.trajectory.states, driven.trajectory.states)
    assert np.array_equal(found.graph.indices, driven.pruned.indices)


def test_nothing_of_an_earlier_run_stays(driven: Navigation, tmp_path: Path) -> None:
    write_run(tmp_path, driven, driven.summary())
    bare = dataclasses.replace(driven, plan=None, pruned=None, graph=None)
    write_run(tmp_path, bare, bare.summary())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["summary.json", "trajectory.npz"]
    (tmp_path / "plan.json").mkdir()
    with pytest.raises(FileAccessError, match="cannot be removed"):
        remove(tmp_path / "plan.json")


def test_an_interrupted_drive_is_written_and_still_raised(driven: Navigation, tmp_path: Path) -> None:
    def drive() -> None:
        stop = Interrupted(driven.trajectory)
        stop.result = driven
        raise stop

    with pytest.raises(Interrupted), written_when_interrupted(None):
        drive()
    with pytest.raises(Interrupted), written_when_interrupted(tmp_path / "run"):
        drive()
    assert read_run(tmp_path / "run").trajectory is not None
    with pytest.raises(KeyboardInterrupt), written_when_interrupted(tmp_path / "early"):
        raise KeyboardInterrupt
    assert not (tmp_path / "early").exists()


@pytest.mark.parametrize("text", ["{", "[1]", "\udcff", "[" * 100_000])
def test_damaged_summaries_are_refused(text: str, tmp_path: Path) -> None:
    assert read_summary(tmp_path) == {}
    (tmp_path / "summary.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(FileFormatError, match="expected a summary"):
        read_summary(tmp_path)


def test_an_empty_folder_holds_no_run(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="nothing to look at"):
        read_run(tmp_path)
    Plan("unsolved", "cbs", 1).save(tmp_path / "plan.json")
    assert read_run(tmp_path).plan is not None
