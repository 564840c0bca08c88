"""Suite offline-mazes in small: rungs run, are kept, go on, and are reported."""

import dataclasses
import json

import pytest

pytest.importorskip("torch")

from navplan.bench.mazes import run, rungs
from navplan.bench.mazes.report import RESULTS, report_text
from navplan.cli.command_line import main
from navplan.errors import UnknownName


@pytest.fixture
def small(monkeypatch):
    """Rungs a and b', with few logs, updates and nodes."""
    picked = [rung for rung in rungs.RUNGS if rung.name in ("a", "b'")]
    worlds = {"a": ("pointmaze-medium-stitch",), "b'": ("carmaze-medium-stitch",)}
    some = [
        dataclasses.replace(rung, worlds=worlds[rung.name], transitions=200_000 if rung.name == "a" else 2000, steps=3, nodes=400)
        for rung in picked
    ]
    some[1] = dataclasses.replace(some[1], nodes=40)
    monkeypatch.setattr(rungs, "RUNGS", tuple(some))


@pytest.mark.usefixtures("small")
def test_rungs_are_run_kept_and_reported(tmp_path, capsys):
    command = ["evaluate", "--suite", "offline-mazes", "--out", str(tmp_path), "--train-seeds", "0", "--problems", "1", "--quiet"]
    assert main([*command, "--methods", "planner-only", "navplan/default", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["done"], found["failures"]) == (2, [])
    by_arm = {(row["rung"], row["method"]): row for row in found["rows"]}
    assert {key: row["episodes"] for key, row in by_arm.items()} == dict.fromkeys(
        [("a", "planner-only"), ("b'", "navplan"), ("b'", "planner-only")], 1
    )
    solved = [row["reached"] for row in found["rows"] if row["rung"] == "a"]
    assert sum(solved) == len(solved) == 5
    rows = RESULTS.read(tmp_path / "results")
    assert [row["success"] for row in rows] == [row["success"] for row in found["rows"]]
    assert "| pointmaze-medium-stitch | 100.0, " in (tmp_path / "report.md").read_text()
    before = sorted(path.stat().st_mtime_ns for path in (tmp_path / "shards").iterdir())
    assert main([*command, "--methods", "planner-only", "navplan/default"]) == 0
    assert sorted(path.stat().st_mtime_ns for path in (tmp_path / "shards").iterdir()) == before
    assert not any((tmp_path / "runs").iterdir())


def test_unknown_methods_and_options_that_do_not_fit_are_refused(tmp_path, capsys):
    with pytest.raises(UnknownName, match="navplan/default"):
        run.narrowed(["navplan/defalt"])
    assert main(["evaluate", "--suite", "offline-mazs", "--out", str(tmp_path)]) == 2
    assert "did you mean 'offline-mazes'" in capsys.readouterr().err
    assert main(["evaluate", "--suite", "offline-mazes", "--out", str(tmp_path), "--agents", "5"]) == 2
    assert "--agents" in capsys.readouterr().err


def test_what_was_not_run_is_left_empty():
    text = report_text(rungs.RUNGS, [])
    assert text.startswith("# Offline mazes\n")
    assert "| pointmaze-giant-stitch |  |" in text
