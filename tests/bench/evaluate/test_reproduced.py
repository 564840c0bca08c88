"""The committed reports are what the present code measures: a few of their rows again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from navplan.bench.evaluate.results import RESULTS
from navplan.bench.evaluate.run import evaluate
from navplan.bench.evaluate.suite import load_suite
from tests.support.folders import CHECKOUT

PROBLEMS = 2
KEY = ("map", "difficulty", "agents", "problem", "method", "setting", "train_seed")
EXACT = ("map_sha256", "success", "reached", "agent_contacts", "status", "budget")
CLOSE = ("cost_max", "cost_mean", "cost_total", "steps_mean", "steps_max", "oracle_cost_max", "oracle_steps_mean")


@pytest.mark.parametrize(
    ("name", "only", "difficulty"),
    [("paper-2d", "center-dot", "hard"), ("long-horizon", "four-rooms-modified", "half"), ("ablations", "center-dot", "hard")],
)
def test_rows_of_the_committed_reports_come_out_again(name: str, only: str, difficulty: str, tmp_path: Path) -> None:
    suite = load_suite(name)
    chosen = list(suite.headlines) if suite.base is None else ["navplan/no avoidance", "navplan/hops"]
    suite = replace(suite, maps=(only,), difficulties=(difficulty,), figures=None)
    suite = suite.narrowed(methods=chosen, agents=[5], problems=PROBLEMS, train_seeds=[0])
    outcome = evaluate(suite, tmp_path / "out")
    assert not outcome.failures
    committed = {tuple(row[key] for key in KEY): row for row in RESULTS.read(CHECKOUT / "reports" / name / "results")}
    assert len(outcome.evidence.rows) == PROBLEMS * len(chosen)
    for row in outcome.evidence.rows:
        before = committed[tuple(row[key] for key in KEY)]
        assert [row[column] for column in EXACT] == [before[column] for column in EXACT], row
        # on the same machine to the last digit; another processor sums in another order, and agents part ways a little
        assert [row[column] for column in CLOSE] == pytest.approx([before[column] for column in CLOSE], rel=0.02, abs=0.05), row
