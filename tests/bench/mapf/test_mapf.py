from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import navplan.planners
from navplan.bench.mapf import pool as mapf_pool
from navplan.bench.mapf import report as mapf_report
from navplan.bench.mapf import results as mapf_results
from navplan.bench.mapf.generated import write_instances
from navplan.bench.mapf.instances import Config, chains, collect, find_instances, parse_planner, remaining, shard_file
from navplan.bench.mapf.report import filled, growth, once, peers_table, reached
from navplan.bench.mapf.results import COLUMNS, groups, read_csv, write_csv
from navplan.bench.mapf.run import run_mapf
from navplan.bench.mapf.targets import TARGETS, target_work
from navplan.bench.mapf.worker import describe, lengths
from navplan.errors import FileFormatError, InvalidInput, UnknownName
from navplan.plan.plan import make_plan
from navplan.plan.problem import Problem
from navplan.scenarios.load import load_problem

README = Path(mapf_report.__file__).parents[1] / "README.md"
# Planners that misbehave, as another distribution would register them.
BAD = """
import os, time
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from navplan.plan.plan import make_plan

class Base:
    guarantee = "none"; max_agents = None; graphs = "grids"; about = "for tests"; time_limit = None
    def prepare(self, graph):
        return None
    def tiny(self, problem):
        return problem.graph.num_nodes == 3  # the warm-up's graph
    def plan(self, problem, state, *, deadline, rng):
        if self.tiny(problem):
            return make_plan(problem, self.name, "unsolved", reason="warm-up")
        return self.work(problem)

@dataclass(frozen=True)
class Abort(Base):
    name: ClassVar[str] = "abort"
    def work(self, problem):
        os.abort()

@dataclass(frozen=True)
class Hang(Base):
    name: ClassVar[str] = "hang"
    def work(self, problem):
        while True:
            time.sleep(1)

@dataclass(frozen=True)
class Hog(Base):
    name: ClassVar[str] = "hog"
    def work(self, problem):
        return [np.empty(1 << 23) for _ in range(1 << 20)]

@dataclass(frozen=True)
class Liar(Base):
    name: ClassVar[str] = "liar"
    def work(self, problem):
        print("noise on standard output")
        here = [[int(s)] for s in problem.starts]
        return make_plan(problem, self.name, "feasible", here)
"""


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    folder = tmp_path / "maps"
    write_instances(folder, 2, 12, ("random",))
    return folder


@pytest.fixture
def bad_planners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    place = tmp_path / "site"
    info = place / "bad_planners-1.0.dist-info"
    info.mkdir(parents=True)
    (place / "bad_planners.py").write_text(BAD)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: bad-planners\nVersion: 1.0\n")
    lines = [f"{name.lower()} = bad_planners:{name}" for name in ("Abort", "Hang", "Hog", "Liar")]
    (info / "entry_points.txt").write_text("[navplan.planners]\n" + "\n".join(lines) + "\n")
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.syspath_prepend(str(place))
    navplan.planners._third_party.cache_clear()
    yield
    navplan.planners._third_party.cache_clear()
    sys.modules.pop("bad_planners", None)


def row(planner: str = "cbs", name: str = "m", agents: int = 10, number: int = 1, **changes: Any) -> dict[str, Any]:
    """A solved run."""
    base: dict[str, Any] = dict.fromkeys(COLUMNS)
    base |= {
        "planner": planner,
        "map_name": name,
        "agents": agents,
        "type_id": number,
        "scen_type": "random",
        "status": "optimal",
    }
    base |= {"solved": True, "valid": True, "sum_of_costs": 100.0, "lower_bound": 100.0, "suboptimality": 1.0}
    base |= {"runtime_s": 0.5, "time_limit": 30.0, "cells": 1000, "reason": "", "version": "0", "code": "c", "seed": 0}
    return base | changes


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
    assert list(remaining(config, work)) == []
    lost = shard_file(config.out, work[0].shards[1])
    lost.write_text("{broken")
    left = list(remaining(config, work))
    assert [shard.key() for _, shards in left for shard in shards] == [lost.stem]
    fresh = Config(maps, tmp_path / "out", ("cbs",), agents=(3, 6), time_limit=20, fresh=True)
    assert sum(len(shards) for _, shards in remaining(fresh, chains(fresh, find_instances(maps)))) == 4
    other = Config(maps, tmp_path / "out", ("cbs",), agents=(3, 6), time_limit=20, seed=1)
    assert sum(len(shards) for _, shards in remaining(other, chains(other, find_instances(maps)))) == 4


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
    assert list(remaining(config, work)) == []
    more = Config(maps, tmp_path / "out", ("cbs",), agents=(4, 8), scens=(1,), time_limit=20)
    assert [r["status"] for r in run_mapf(more).rows] == ["optimal", "optimal"]
    assert len(read_csv(tmp_path / "out" / "results.csv")) == 5  # both runs
    shard_file(config.out, work[0].shards[0]).unlink()
    assert [len(shards) for _, shards in remaining(config, work)] == [3]


def test_crashes_hangs_and_lies_cost_one_run_each(
    maps: Path, tmp_path: Path, bad_planners: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapf_pool, "grace", lambda limit: 0.5)
    planners = ("abort", "hang", "hog", "liar", "cbs")
    config = Config(
        maps, tmp_path / "out", planners, agents=(4,), scens=(1,), time_limit=0.5, memory_limit=2, workers=2, keep_going=True
    )
    found = {r["planner"]: r for r in run_mapf(config).rows}
    assert {name: (r["status"], r["solved"]) for name, r in found.items()} == {
        "abort": ("crashed", False),
        "hang": ("killed", False),
        "hog": ("unsolved", False),
        "liar": ("invalid", False),
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
    command = [sys.executable, "-m", "navplan", "bench", "run", "mapf", *arguments]
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


def test_workers_leave_when_their_parent_is_gone(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time, os\n"
        "worker = [sys.executable, '-m', 'navplan.bench.mapf.worker']\n"
        "p = subprocess.Popen(worker, stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "os.set_inheritable(p.stdin.fileno(), True)\n"
        # somebody else holds its standard input open, so that it does not end
        "keep = subprocess.Popen(['sleep', '60'], pass_fds=[p.stdin.fileno()], stdout=-3, stderr=-3)\n"
        "p.stdin.write(b'{}\\n'); p.stdin.flush(); p.stdout.close()\n"
        "print(p.pid, keep.pid, flush=True)\n"
        "time.sleep(3)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    worker, keeper = map(int, done.stdout.split())
    os.kill(keeper, signal.SIGTERM)
    for _ in range(200):
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{worker}/stat").exists() and Path(f"/proc/{worker}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("the worker is still there")


def test_maps_and_scenarios_are_found_by_name(tmp_path: Path) -> None:
    write_instances(tmp_path / "maps", 1, 3, ("random", "maze"))
    (tmp_path / "scens").mkdir()
    text = (tmp_path / "maps" / "random-drawn-1.scen").read_text()
    (tmp_path / "scens" / "random-even-7.scen").write_text(text)
    (tmp_path / "scens" / "other-even-1.scen").write_text(text)
    found = find_instances(tmp_path)
    assert [(i.map_name, i.scen_type, i.type_id, i.rows) for i in found] == [
        ("maze", "drawn", 1, 3),
        ("random", "drawn", 1, 3),
        ("random", "even", 7, 3),
    ]
    assert [i.scen_type for i in find_instances(tmp_path, ["random"], [7])] == ["even"]
    with pytest.raises(InvalidInput, match="holds no map 'rand'"):
        find_instances(tmp_path, ["rand"])
    with pytest.raises(InvalidInput, match="no scenario file"):
        find_instances(tmp_path, (), [9])
    with pytest.raises(InvalidInput, match="no scenario has as many rows"):
        run_mapf(Config(tmp_path, tmp_path / "out", ("cbs",), agents=(50,)))


def test_the_shard_key_depends_on_contents_not_on_places(maps: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    before = chains(Config(maps, tmp_path, ("cbs",), agents=(3,)), find_instances(maps))[0].shards[0]
    maps.rename(moved)
    after = chains(Config(moved, tmp_path, ("cbs",), agents=(3,)), find_instances(moved))[0].shards[0]
    assert before.key() == after.key()
    scen = next(moved.glob("*-1.scen"))
    scen.write_text(scen.read_text() + "\n")
    assert (
        len({before.key(), chains(Config(moved, tmp_path, ("cbs",), agents=(4,)), find_instances(moved))[0].shards[0].key()}) == 2
    )


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("cbz", UnknownName),
        ("ecbs:w=2", InvalidInput),
        ("ecbs:suboptimality=0", InvalidInput),
        ("astar", InvalidInput),
        ("ecbs:", InvalidInput),
        ("lacam:scatter=no", InvalidInput),
    ],
)
def test_bad_planners_are_refused_before_anything_runs(spec: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_planner(spec)


def test_words_for_values_are_understood() -> None:
    assert parse_planner("lacam:scatter=False:samples=2") == ("lacam", {"scatter": False, "samples": 2})
    assert parse_planner("lacam:scatter=true:time_limit=None") == ("lacam", {"scatter": True, "time_limit": None})


def known(value: Any) -> bool:
    return value is not None and value != ""


def test_rows_survive_the_csv(tmp_path: Path) -> None:
    rows = [row(), row(solved=False, status="timeout", reason='a "b", c', sum_of_costs=None, valid=None, runtime_s=30.0)]
    write_csv(tmp_path / "r.csv", rows)
    again = read_csv(tmp_path / "r.csv")
    for before, after in zip(rows, again, strict=True):
        expected = {**before, "lower_cost": before["lower_bound"], "solution_cost": before["sum_of_costs"]}
        assert {k: v for k, v in after.items() if v not in (None, "")} == {
            k: v for k, v in expected.items() if v not in (None, "")
        }
    (tmp_path / "r.csv").write_text((tmp_path / "r.csv").read_text().replace(",true", ",maybe"))
    with pytest.raises(FileFormatError, match=r"r.csv:2: malformed cell: solved is 'maybe'"):
        read_csv(tmp_path / "r.csv")
    (tmp_path / "r.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FileFormatError, match="has no column 'map_name'"):
        read_csv(tmp_path / "r.csv")


def test_groups_count_unsolved_runs_and_take_medians_over_solved_ones() -> None:
    rows = [
        row(number=1, runtime_s=1.0),
        row(number=2, runtime_s=3.0),
        row(number=3, solved=False, status="skipped", runtime_s=None),
    ]
    group = groups(rows)[0]
    assert (group.runs, group.solved, group.solved_s, group.runtime_s) == (3, 2, 2.0, 3.0)
    assert group.rate == pytest.approx(2 / 3)


def test_growth_finds_the_exponents_it_was_given() -> None:
    rows = [
        row("p", name, agents, number, runtime_s=1e-4 * agents**1.7 * cells**0.6, cells=cells)
        for name, cells in (("a", 1000), ("b", 30000))
        for agents in (50, 100, 200, 400)
        for number in (1, 2, 3)
    ]
    fits = {fit.map_name: fit for fit in growth(rows)}
    assert fits["a"].agents == pytest.approx(1.7)
    assert fits[""].agents == pytest.approx(1.7)
    assert fits[""].cells == pytest.approx(0.6)
    assert fits[""].r2 == pytest.approx(1)
    rows = [row("p", "a", agents, runtime_s=1.0 * agents) for agents in (10, 12)]
    assert growth(rows) == []
    assert "no exponent" in mapf_report.growth_table(rows)


def test_the_peers_table_says_what_is_reached_and_what_is_not() -> None:
    target = TARGETS[0]
    rows = [row(target.planner, target.map_name, target.agents, n, runtime_s=0.3, cpu_s=0.2) for n in (1, 2, 3)]
    assert reached(target, groups(rows)[0]) == "yes"
    assert reached(target, groups(rows[:2])[0]) == "not measured"
    slow = [r | {"runtime_s": 3.0} for r in rows]
    assert reached(target, groups(slow)[0]) == "solved, slower"
    failed = [r | {"solved": r["type_id"] == 1} for r in rows]
    assert reached(target, groups(failed)[0]) == "no: 1 of 2 solved"
    cost = next(t for t in TARGETS if t.cost is not None)
    dear = [row(cost.planner, cost.map_name, cost.agents, n, time_limit=10.0, sum_of_costs=cost.cost + 1) for n in (1, 2, 3)]
    assert reached(cost, groups(dear)[0]) == "no: costs more"
    text = peers_table(rows)
    assert text.count("not measured") == len(TARGETS) - 1
    assert "| `cbs` | random-32-32-20 | 50 | 3/3 | 0.3 | 0.2 | CBSH2-RTC | 4/5 | 0.219 | 1.4 | yes |" in text


def test_a_scenario_that_was_run_twice_counts_once() -> None:
    target = TARGETS[0]
    rows = [
        row(target.planner, target.map_name, target.agents, n, time_limit=30.0, runtime_s=0.1 * k)
        for k in (1, 9)
        for n in (1, 2, 3)
    ]
    assert [one["runtime_s"] for one in once(rows)] == [0.1] * 3
    assert "| 3/3 | 0.1 |" in peers_table(rows)


def test_target_work_is_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    work = target_work()
    assert set(work) <= {(t.planner, t.map_name, t.agents, t.time_limit) for t in TARGETS}
    assert ("cbs", "den520d", 100, 30) in work
    assert {w[0] for w in target_work(["cbs"])} == {"cbs"}
    assert len(target_work(["cbs"], None, 1)) == 1
    assert {w[1] for w in target_work(None, ["den520d"])} == {"den520d"}


def test_the_readme_holds_the_table_of_the_committed_results() -> None:
    rows = read_csv(README.parent / "results" / "mapf.csv")
    assert filled(README, rows) == README.read_text(encoding="utf-8")


def test_lengths_and_lateness(maps: Path) -> None:
    problem = load_problem(maps / "random.map", maps / "random-drawn-1.scen", 5)
    alone = [make_alone(problem, agent) for agent in range(5)]
    assert lengths(problem.graph, problem.starts, problem.goals) == alone
    from navplan.planners.solve import solve

    plan = solve(problem, "cbs")
    assert describe(plan, problem, sum(alone), 1e-9)["solved"] is (plan.runtime_s <= 0.1)
    assert describe(plan, problem, sum(alone), 60.0)["solved"] is True
    other = make_plan(problem, "x", "feasible", [np.array([s]) for s in problem.starts])
    assert describe(other, problem, sum(alone), 60.0)["status"] == "invalid"


def make_alone(problem: Problem, agent: int) -> float:
    """Length of a shortest path by the naive breadth-first search."""
    graph = problem.graph
    distance = {int(problem.starts[agent]): 0}
    layer = list(distance)
    while int(problem.goals[agent]) not in distance:
        layer = [
            v
            for u in layer
            for v in graph.indices[graph.indptr[u] : graph.indptr[u + 1]].tolist()
            if distance.setdefault(v, distance[u] + 1) == distance[u] + 1
        ]
    return float(distance[int(problem.goals[agent])])


def test_plots_are_pictures_and_not_blank(tmp_path: Path) -> None:
    from PIL import Image

    from navplan.bench.mapf.plots import draw_all

    rows = [
        row(planner, name, agents, number, runtime_s=0.01 * agents, peak_memory_mb=300.0, suboptimality=1 + agents / 1e4)
        for planner in ("cbs", "lacam")
        for name in ("a", "b")
        for agents in (10, 100, 1000)
        for number in (1, 2)
    ]
    files = draw_all(tmp_path, rows)
    assert {path.name for path in files} >= {"success.png", "runtime.png", "cost.png", "memory.png", "cost.pdf"}
    for path in files:
        if path.suffix == ".png":
            pixels = np.asarray(Image.open(path).convert("RGB"))
            assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20
            assert pixels.shape[1] > 600


def test_json_of_a_shard_is_read_back_only_under_its_own_name(maps: Path, tmp_path: Path) -> None:
    config = Config(maps, tmp_path / "out", ("cbs",), agents=(2,), scens=(1,))
    work = chains(config, find_instances(maps, (), (1,)))
    path = shard_file(config.out, work[0].shards[0])
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"shard": "another", "solved": True}))
    assert collect(config, work) == []
    assert len(list(remaining(config, work))) == 1


def test_columns_are_those_of_the_tracker_first() -> None:
    assert mapf_results.COLUMNS[:6] == ("map_name", "scen_type", "type_id", "agents", "lower_cost", "solution_cost")
