"""What is otherwise in driving than in training (bench/evaluate/perturbations.py), and suites that have it."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pytest

from navplan.bench.evaluate.perturbations import KINDS, NO_PERTURBATION, Perturbation
from navplan.bench.evaluate.perturbed import perturbed_tables
from navplan.bench.evaluate.plan import arms_of, plan_of
from navplan.bench.evaluate.report import console_text, report_text
from navplan.bench.evaluate.results import PERTURBED_RESULTS, RESULTS
from navplan.bench.evaluate.run import evaluate, read_evidence, report_again
from navplan.bench.evaluate.suite import load_suite, read_suite
from navplan.bench.evaluate.tables import Evidence
from navplan.bench.evaluate.targets import missed, target_checks
from navplan.bench.shards import key_of
from navplan.control.disturbance import CALM, Disturbance
from navplan.errors import FileFormatError, InvalidInput, UnknownName
from navplan.scenarios.registry import load_scenario
from tests.support.suites import SUITE, row, write_suite

DOT = load_scenario("center-dot")
PERTURBED = (
    SUITE
    + """
[[settings]]
method = "constrained-policy+filter"
[[settings]]
method = "constrained-policy+filter"
name = "unprepared"
prepared = false
problems = 1
[[perturbations]]
name = "none"
[[perturbations]]
name = "late"
levels = [1, 2]
[[perturbations]]
name = "moved-obstacle"
levels = [2]
[fewer]
2 = 2
50 = 1
"""
)


def test_each_is_what_it_says() -> None:
    assert NO_PERTURBATION.disturbance == CALM
    assert Perturbation("action-noise", 0.05).disturbance == Disturbance(action_noise=0.05)
    assert Perturbation("localisation-noise", 0.1).disturbance == Disturbance(localisation_noise=0.1)
    assert Perturbation("lost-moves", 0.1).disturbance == Disturbance(lost_moves=0.1)
    assert Perturbation("late", 1.0).disturbance == Disturbance(late=1)
    assert Perturbation("all-four", 0.05).disturbance == Disturbance(0.05, 0.05, 0.1, 1)
    for same in (NO_PERTURBATION, Perturbation("action-noise", 0.05), Perturbation("late", 1.0), Perturbation("all-four", 0.05)):
        assert same.driven(DOT) is DOT
        assert same.keeps_oracle
    nearer, larger = Perturbation("goal-tolerance", 0.25).driven(DOT), Perturbation("radius", 0.35).driven(DOT)
    assert (nearer.goal_tolerance, nearer.radius, nearer.world) == (0.25, 0.25, DOT.world)
    assert (larger.goal_tolerance, larger.radius, larger.world) == (0.5, 0.35, DOT.world)
    moved = Perturbation("moved-obstacle", 2.0).driven(DOT).world
    assert moved.walls is not None
    assert np.argwhere(moved.walls).min(axis=0).tolist() == [6, 8]
    assert moved.walls.sum() == 9
    assert not Perturbation("moved-obstacle", 2.0).keeps_oracle
    assert {one.name for one in load_suite("robust").perturbations} == set(KINDS)


@pytest.mark.parametrize(
    ("name", "level", "message"),
    [
        ("nois", 0.1, "unknown perturbation 'nois'"),
        ("none", 0.1, "perturbation none has level 0.1, expected 0"),
        ("late", 0.0, "perturbation late has level 0, expected a number above 0"),
        ("late", 0.5, "perturbation late has level 0.5, expected a whole number"),
        ("lost-moves", 1.0, "lost_moves is 1.0, expected a probability below 1"),
    ],
)
def test_levels_that_are_not_possible_are_refused(tmp_path: Path, name: str, level: float, message: str) -> None:
    with pytest.raises((InvalidInput, UnknownName), match=message):
        Perturbation(name, level)
    path = tmp_path / "quick.toml"
    path.write_text(f'{SUITE}[[perturbations]]\nname = "{name}"\nlevels = [{level}]\n')
    with pytest.raises(FileFormatError, match=message):
        read_suite(path)


def test_noise_is_of_the_run_not_of_the_method() -> None:
    one = Perturbation("late", 1.0)
    draws = [one.noise("s", "m", 3).random(), one.noise("s", "m", 3).random(), one.noise("s", "m", 4).random()]
    assert draws[0] == draws[1] != draws[2]


def test_arms_and_keys_of_a_suite_with_perturbations(tmp_path: Path) -> None:
    suite = load_suite(write_suite(tmp_path, PERTURBED))
    assert [(one.name, one.level) for one in suite.perturbations] == [
        *(("none", 0.0), ("late", 1.0), ("late", 2.0), ("moved-obstacle", 2.0))
    ]
    arms = [(arm.perturbation.label, arm.setting.label, arm.problems) for arm in arms_of(suite, 2) if arm.perturbation]
    told = [setting.label for setting in suite.settings if setting.prepared]
    wanted = []
    for label in ("none", "late 1", "late 2", "moved-obstacle 2"):
        wanted += [(label, name, 2) for name in told]
        wanted += [(label, "constrained-policy+filter/unprepared", 1)] if label.startswith("late") else []
    assert arms == wanted
    assert {arm.problems for arm in arms_of(suite, 50)} == {1}
    robust = load_suite("robust")
    few = {n: {arm.perturbation.name for arm in arms_of(robust, n) if arm.perturbation} for n in robust.agents}
    assert few[5] == few[20] == set(KINDS)
    assert set(KINDS) - few[50] == {"all-four"}
    shards = plan_of(suite, {}).problems
    assert len({key_of(shard) for shard in shards}) == len(shards) == len(arms)
    # without perturbations the same problems have the keys that they always had
    plain = dataclasses.replace(suite, perturbations=(), fewer={})
    shard = plan_of(plain, {}).problems[0]
    assert not {"perturbation", "level", "prepared"} & shard.identity.keys()
    assert key_of(shard) != key_of(shards[0])
    assert suite.narrowed(perturbations=["late"]).perturbations == suite.perturbations[1:3]
    with pytest.raises(UnknownName, match="unknown perturbation of suite quick 'lat'"):
        suite.narrowed(perturbations=["lat"])
    with pytest.raises(InvalidInput, match="suite paper-2d has no perturbations, got late"):
        load_suite("paper-2d").narrowed(perturbations=["late"])
    with pytest.raises(FileFormatError, match="a perturbation is there twice"):
        load_suite(write_suite(tmp_path, PERTURBED.replace("levels = [1, 2]", "levels = [1]\n[[perturbations]]\nname = 'none'")))
    with pytest.raises(FileFormatError, match=r"fewer\.x: expected a number of agents"):
        load_suite(write_suite(tmp_path, PERTURBED.replace("50 = 1", "x = 1")))


def test_a_small_suite_with_perturbations(tmp_path: Path) -> None:
    suite, out = load_suite(write_suite(tmp_path, PERTURBED)), tmp_path / "out"
    found = evaluate(suite, out)
    assert not found.failures
    rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
    assert list(rows[0]) == list(PERTURBED_RESULTS.columns)
    assert set(PERTURBED_RESULTS.columns) - set(RESULTS.columns) == {"perturbation", "level"}
    assert [row["level"] for row in rows if row["perturbation"] == "late" and row["method"] == "policy"] == ["1", "1", "2", "2"]
    assert len(rows) == 4 * 3 * 2 + 2
    for one in rows:
        assert (one["oracle_cost_max"] == "") == (one["perturbation"] == "moved-obstacle")
    by_key = {(one["perturbation"], one["level"], one["method"], one["setting"], one["problem"]): one for one in rows}
    steps = {
        level: int(by_key["late" if level else "none", str(level), "policy", "default", "0"]["steps_max"]) for level in (0, 1, 2)
    }
    assert steps[0] < steps[1] < steps[2]
    evidence = read_evidence(suite, out)
    assert evidence.complete
    assert evidence.rows == found.evidence.rows
    assert len(read_evidence(dataclasses.replace(suite, problems=1), out).rows) == 4 * 3 + 2
    report = (out / "report.md").read_text()
    assert "## Under perturbation" in report
    assert report_again(suite, out).evidence.complete
    assert (out / "report.md").read_text() == report
    part = suite.narrowed(perturbations=["late"])
    assert {row["perturbation"] for row in read_evidence(part, out).rows} == {"late"}
    assert read_evidence(part, out).complete


def test_the_report_has_a_line_for_each_perturbation() -> None:
    suite = dataclasses.replace(load_suite("robust"), draws=50)
    rows = []
    for one in suite.perturbations:
        for label in ("navplan/default", "navplan/unprepared", "policy+filter/default"):
            method, setting = label.split("/")
            if setting == "unprepared" and one.disturbance == CALM:
                continue
            for problem in range(4):
                fails = setting == "unprepared" or (one.name == "late" and problem == 0)
                cost = 4.0 if method == "navplan" else 8.0
                about = {"suite": "robust", "agents": 20, "method": method, "setting": setting, "problem": problem}
                outcome = {"success": not fails, "agent_contacts": 2 * fails, "status": "contact" if fails else "success"}
                rows.append(row(**about, **outcome, cost_max=100.0 if fails else cost, perturbation=one.name, level=one.level))
    evidence = Evidence(suite, rows)
    ((where, table),) = perturbed_tables(evidence)
    assert where == ("center-dot", "hard", 20)
    assert table.header == ("perturbation", "level", "navplan", "navplan unprepared", "policy + filter")
    assert [line[:2] for line in table.lines] == [
        *(("none", ""), ("action-noise", "0.05"), ("localisation-noise", "0.05"), ("localisation-noise", "0.1")),
        *(("lost-moves", "0.1"), ("late", "1"), ("all-four", "0.05"), ("moved-obstacle", "2")),
        *(("goal-tolerance", "0.25"), ("radius", "0.35")),
    ]
    assert table.lines[0][2:] == ("100 %; 0.00 / 0.00; 4.00", "-", "100 %; 0.00 / 0.00; 8.00")
    assert table.lines[5][2:4] == ("75 % [25, 100]; 0.50 / 0.00; 4.00", "0 %; 2.00 / 0.00; -")
    text = report_text(evidence, [])
    assert "none: 100 %, policy + filter 100 % at 2.0 times navplan's cost" in text
    assert "late 1: 75 % (unprepared 0 %), policy + filter 75 % at 2.0 times navplan's cost" in text
    assert "Runs in a cell: 4 of navplan, navplan unprepared, policy + filter." in text
    assert "navplan" in console_text(evidence)
    bar = [(check.what, check.reached) for check in target_checks(evidence)]
    assert len(bar) == 8
    assert [what for what, reached in bar if not reached] == ["success under late 1", "contacts a problem under late 1"]
    assert "success under late 1 is 75 %, to reach was at least 98 %" in missed(evidence)[0]
