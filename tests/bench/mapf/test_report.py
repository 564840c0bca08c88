"""The report, the table beside the peers and its targets (bench/mapf/report.py, targets.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from navplan.bench.mapf import report as mapf_report
from navplan.bench.mapf.report import filled, growth, growth_table, once, peers_table, reached
from navplan.bench.mapf.results import groups, read_csv
from navplan.bench.mapf.targets import TARGETS, target_work
from tests.support.mapf_rows import row

README = Path(mapf_report.__file__).parents[1] / "README.md"


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
    assert "no exponent" in growth_table(rows)


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
