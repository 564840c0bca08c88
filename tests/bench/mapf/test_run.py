"""Whole runs, small ones (bench/mapf/run.py, generated.py)."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from navplan.bench.mapf import shards as mapf_shards
from navplan.bench.mapf.config import Config
from navplan.bench.mapf.instances import find_instances
from navplan.bench.mapf.results import groups, read_csv
from navplan.bench.mapf.run import run_mapf
from navplan.bench.mapf.shards import chains
from navplan.bench.shards import key_of, remaining, shard_file
from navplan.errors import FileAccessError
from navplan.system.files import locked


def test_a_run_writes_one_row_per_run_and_goes_on_where_it_ended(maps: Path, tmp_path: Path) -> None:
    config = Config(maps, tmp_path / "out", ("cbs", "ecbs:suboptimality=1.5"), agents=(3, 6), time_limit=20)
    outcome = run_mapf(config)
    assert not outcome.interrupted
    assert outcome.planned == 8
    with (tmp_path / "out" / "results.csv").open() as stream:
        table = list(csv.DictReader(stream))
    assert [line["planner"] for line in table] == ["cbs"] * 4 + ["ecbs:suboptimality=1.5"] * 4
    assert [(line["type_id"], line["agents"]) for line in table[:4]] == [("1", "3"), ("1", "6"), ("2", "3"), ("2", "6")]
    for line in table:
        assert line["solved"] == line["valid"] == "true"
        assert line["solution_cost"] == line["sum_of_costs"]
        assert float(line["lower_cost"]) <= float(line["solution_cost"])
        assert float(line["sum_of_shortest"]) <= float(line["lower_cost"])
        assert 0 < float(line["runtime_s"]) <= float(line["wall_s"]) + 1e-3
        assert float(line["peak_memory_mb"]) > 50
    names = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert names >= {"results.csv", "run.json", "report.md", "success.png", "runtime.png", "cost.png", "success.pdf"}
    assert outcome.document()["groups"][0]["rate"] == 1.0
    assert "2/2" in outcome.text()

    work = chains(config, find_instances(maps))
    assert remaining(work, config.out) == []
    lost = shard_file(work[0].shards[1], config.out)
    lost.write_text("{broken")
    assert [key_of(trial) for chain in remaining(work, config.out) for trial in chain.shards] == [lost.stem]
    other = Config(maps, tmp_path / "out", ("cbs",), agents=(3, 6), time_limit=20, seed=1)
    assert sum(len(chain.shards) for chain in remaining(chains(other, find_instances(maps)), config.out)) == 4


@pytest.mark.usefixtures("no_pictures")
def test_larger_teams_are_skipped_after_the_first_failure(maps: Path, tmp_path: Path) -> None:
    config = Config(maps, tmp_path / "out", ("cbs",), agents=(4, 8, 12), scens=(1,), time_limit=0)
    rows = run_mapf(config).rows
    assert [(r["agents"], r["status"], r["solved"]) for r in rows] == [
        (4, "timeout", False),
        (8, "skipped", False),
        (12, "skipped", False),
    ]
    assert "4 agents were not solved" in rows[1]["reason"]
    assert [g.rate for g in groups(rows)] == [0, 0, 0]
    work = chains(config, find_instances(maps, (), (1,)))
    assert remaining(work, config.out) == []
    more = Config(maps, tmp_path / "out", ("cbs",), agents=(4, 8), scens=(1,), time_limit=20)
    assert [r["status"] for r in run_mapf(more).rows] == ["optimal", "optimal"]
    assert len(read_csv(tmp_path / "out" / "results.csv")) == 5  # both runs
    shard_file(work[0].shards[0], config.out).unlink()
    assert [len(chain.shards) for chain in remaining(work, config.out)] == [3]


@pytest.mark.alone
@pytest.mark.usefixtures("no_pictures")
def test_crashes_hangs_and_lies_cost_one_run_each(
    maps: Path, tmp_path: Path, bad_planners: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapf_shards, "grace", lambda limit: 0.5)
    planners = ("abort", "hang", "hog", "liar", "cbs")
    config = Config(
        maps, tmp_path / "out", planners, agents=(4,), scens=(1,), time_limit=0.5, memory_limit=2, workers=2, keep_going=True
    )
    found = {r["planner"]: r for r in run_mapf(config).rows}
    assert {name: (r["status"], r["solved"]) for name, r in found.items()} == {
        "abort": ("crashed", False),
        "hang": ("killed", False),
        "hog": ("unsolved", False),
        "liar": ("unsolved", False),
        "cbs": ("optimal", True),
    }
    assert "SIGABRT" in found["abort"]["reason"]
    assert "still planning after 1 s" in found["hang"]["reason"]
    assert "memory limit of 2 GB" in found["hog"]["reason"]
    assert "ends at node" in found["liar"]["reason"]
    report = (tmp_path / "out" / "report.md").read_text()
    assert "Runs that went wrong" in report


def test_ctrl_c_keeps_what_is_done_and_exits_130(maps: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["--maps", str(maps), "--out", str(out), "--planners", "cbs", "--agents", ",".join(map(str, range(1, 13)))]
    command = [sys.executable, "-m", "navplan", "bench", "run", "mapf", "--quiet", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (out / "shards").is_dir() or not list((out / "shards").glob("*.json")):
        assert process.poll() is None, process.stderr
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    done = len(list((out / "shards").glob("*.json")))
    assert len(read_csv(out / "results.csv")) == done
    if done < 24:  # not all done before the signal came
        assert process.returncode == 130
        assert f"{done} of 24 runs" in stdout
    assert "Traceback" not in stderr
    assert stderr == "" or stderr.startswith("interrupted")


def test_a_folder_that_another_process_is_at_work_in_is_refused(maps: Path, tmp_path: Path) -> None:
    config = Config(maps, tmp_path / "out", ("cbs",), agents=(3,), time_limit=20)
    (tmp_path / "out" / "shards").mkdir(parents=True)
    (tmp_path / "out" / "shards" / ".half.json.abc.tmp").write_text("left behind")
    with locked(config.out), pytest.raises(FileAccessError, match="out: another process is at work in it"):
        run_mapf(config)
    assert not (config.out / "run.json").exists()
    with locked(config.out, "shards"):
        assert list((config.out / "shards").iterdir()) == []
