"""Whole evaluations, small ones (bench/evaluate/run.py, plan.py, cells.py, drive.py, trajectories.py)."""

from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from navplan.bench import tables
from navplan.bench.evaluate.cells import cells_of
from navplan.bench.evaluate.results import RESULTS
from navplan.bench.evaluate.run import evaluate, read_evidence, report_again
from navplan.bench.evaluate.suite import Suite, load_suite
from navplan.errors import FileAccessError, InvalidInput
from navplan.system.files import locked
from tests.support.suites import SUITE, tiny, write_suite

SURFACE = [
    *("suite", "map", "map_sha256", "difficulty", "agents", "problem", "method", "setting", "train_seed", "success", "reached"),
    *("agent_contacts", "cost_max", "cost_mean", "cost_total", "oracle_cost_max", "steps_mean", "steps_max"),
    *("oracle_steps_mean", "status"),
]


def quick(folder: Path, text: str = SUITE) -> Suite:
    return load_suite(write_suite(folder, text))


def test_a_small_paper_2d_is_the_same_however_it_is_run(tmp_path: Path) -> None:
    suite, out = tiny("paper-2d", tmp_path), tmp_path / "out"
    first = evaluate(suite, out, workers=2)
    assert not first.failures
    assert (first.done, first.planned) == (17, 17)  # fifteen settings, the oracle's front and the calibration
    table = (out / "results.csv").read_bytes()
    rows = list(csv.DictReader(table.decode().splitlines()))
    assert list(RESULTS.columns[: len(SURFACE)]) == SURFACE
    assert list(rows[0]) == list(RESULTS.columns)
    assert len(rows) == 15 * 2
    labels = [setting.label for setting in suite.settings for _ in range(2)]
    assert [f"{row['method']}/{row['setting']}" for row in rows] == labels
    assert all(float(row["cost_max"]) >= float(row["cost_mean"]) for row in rows)
    ours = [row for row in rows if row["method"] == "navplan"]
    assert [row["status"] for row in ours] == ["success", "success"]
    drawn = {path.name for path in (out / "figures").iterdir()}
    assert drawn == {f"{name}.{kind}" for name in ("pareto", "trajectories", "calibration") for kind in ("png", "svg", "pdf")}
    assert "SoRB + CBS" in first.text()
    report = (out / "report.md").read_text()
    assert "8.36" not in report  # nothing published for two agents
    assert "## Targets" in report

    # half the shards gone, one of them damaged, another process count, a stale file: the same bytes again
    shards = sorted((out / "shards").iterdir())
    for path in shards[::2]:
        path.unlink()
    shards[1].write_text("{")
    (out / "shards" / "0123456789abcdef.json").write_text(json.dumps({"key": "0123456789abcdef", "result": {}}))
    plain = replace(suite, figures=None)  # pictures are no part of what is run
    again = evaluate(plain, out, workers=1)
    assert not again.failures
    assert (out / "results.csv").read_bytes() == table
    report = (out / "report.md").read_text()
    kept = report_again(plain, out)
    assert kept.evidence.rows == RESULTS.read(out / "results.csv")
    same, figures = (out / "report.md").read_text().split("## Figures")
    assert same == report.split("## How it was scored")[0]
    assert "figures/trajectories.png" in figures


@pytest.mark.parametrize("name", ["long-horizon", "ablations", "ablations-maze", "paper-recipe"])
def test_small_versions_of_the_other_suites(tmp_path: Path, name: str) -> None:
    suite = tiny(name, tmp_path)
    few = [setting.label for setting in suite.settings if setting.name in ("default", "0.5", "base", "one critic", "hops")]
    suite = suite.narrowed(methods=few)
    if suite.figures is not None:
        suite = replace(suite, figures=None)  # an oracle for this map takes longer than all the rest
    outcome = evaluate(suite, tmp_path / "out")
    assert not outcome.failures
    assert len(outcome.evidence.rows) == 2 * len(few)
    cell = cells_of(suite)[0]
    budgets = [300, 300] if suite.budget else (4 * cell.oracle_steps.max(axis=1)).tolist()
    assert [row["budget"] for row in outcome.evidence.rows[:2]] == budgets
    report = (tmp_path / "out" / "report.md").read_text()
    assert ("## Ablations" in report) == name.startswith("ablations")


def test_a_failing_task_names_itself_and_spares_the_others(tmp_path: Path) -> None:
    suite = quick(tmp_path, SUITE + '[[settings]]\nmethod = "constrained-policy"\nname = "many"\nensemble = 99\n')
    lines: list[str] = []
    outcome = evaluate(suite, tmp_path / "out", checkpoints=["center-dot"], progress=lines.append)
    said = [line.removeprefix("failed: ") for line in lines if line.startswith("failed: ")]
    assert list(outcome.failures) == said
    assert lines[0] == f"evaluating {suite.name}: 3 of 3 tasks to do"
    assert len(said) == 1
    assert said[0].startswith("center-dot easy 2 constrained-policy/many seed 0: InvalidInput: center-dot: ")
    assert [(row["setting"], row["train_seed"]) for row in outcome.evidence.rows] == [("default", 0)] * 4
    assert "Incomplete" in (tmp_path / "out" / "report.md").read_text()
    assert "2 of 3 tasks are done" in outcome.text()


def test_large_tables_are_written_compressed_and_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, out = quick(tmp_path).narrowed(methods=["policy"]), tmp_path / "out"
    plain = evaluate(suite, out)
    data = (out / "results.csv").read_bytes()
    monkeypatch.setattr(tables, "LARGE", len(data) - 1)
    packed = evaluate(suite, out)
    assert gzip.decompress((out / "results.csv.gz").read_bytes()) == data
    assert not (out / "results.csv").exists()
    assert packed.evidence.rows == plain.evidence.rows == report_again(suite, out).evidence.rows
    assert f"wrote {out / 'results.csv.gz'}" in packed.text()


def test_runs_that_do_not_fit(tmp_path: Path) -> None:
    suite = quick(tmp_path)
    with pytest.raises(InvalidInput, match="trained on 'four-rooms-modified', expected a map of the suite: center-dot"):
        evaluate(suite, tmp_path / "out", checkpoints=["four-rooms-modified"])
    with pytest.raises(InvalidInput, match="trained on center-dot with seed 0, expected different seeds"):
        evaluate(suite, tmp_path / "out", checkpoints=["center-dot", "center-dot"])
    with pytest.raises(InvalidInput, match="no run of training seed 7"):
        evaluate(suite, tmp_path / "out", checkpoints=["center-dot"], train_seeds=[7])


def test_problem_sets_that_do_not_fit(tmp_path: Path) -> None:
    suite = quick(tmp_path)
    with pytest.raises(InvalidInput, match="center-dot, easy, 2 agents: 2 problems, expected 3"):
        cells_of(replace(suite, problems=3))
    with pytest.raises(InvalidInput, match="center-dot, hard, 2 agents: 0 problems, expected 2"):
        cells_of(replace(suite, difficulties=("hard",)))


def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    more = "".join(f'[[settings]]\nmethod = "navplan"\nname = "{k}"\noptions = {{ seed = {k} }}\n' for k in range(40))
    path, out = write_suite(tmp_path, SUITE + more), tmp_path / "out"
    command = "import sys; from navplan.cli.command_line import main; sys.exit(main())"
    arguments = ["evaluate", "--suite", str(path), "--out", str(out), "--workers", "1"]
    process = subprocess.Popen(
        [sys.executable, "-c", command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not list(out.glob("shards/*.json")) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the workers get it too
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    done = len(list(out.glob("shards/*.json")))
    assert 1 <= done < 42
    evidence = read_evidence(load_suite(path), out)
    assert len(evidence.rows) == 2 * done
    assert f"{done} of 42 tasks are done; the same command goes on from here" in stdout


def test_a_folder_that_another_process_is_at_work_in_is_refused(tmp_path: Path) -> None:
    suite, out = quick(tmp_path), tmp_path / "out"
    with locked(out), pytest.raises(FileAccessError, match="out: another process is at work in it"):
        evaluate(suite, out)
    assert not out.exists()
