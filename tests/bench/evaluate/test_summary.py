"""Rows put together, and the published way of scoring (bench/evaluate/summary.py, paper.py)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap

from navplan.bench.evaluate.paper import _ROWS, SWEEP, paper_score, published
from navplan.bench.evaluate.summary import Bootstrap, groups, headline, interval, on_shared_problems, paired
from tests.support.suites import row


def test_the_headline_is_the_median_over_seeds_of_means_over_problems() -> None:
    values = np.array([[1.0, 3.0], [10.0, 10.0], [0.0, 0.0]])
    assert headline(values) == 2.0
    weights = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    assert headline(values * weights, weights) == 6.0  # the third has nothing to divide by
    assert math.isnan(headline(values, np.zeros((3, 2))))


def test_intervals_agree_with_scipy_for_one_seed() -> None:
    values = np.random.default_rng(1).gamma(2.0, size=(1, 50))
    found = interval(values, draws=20_000)
    peer = scipy_bootstrap((values[0],), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(2))
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(peer.confidence_interval.low, abs=0.02)
    assert found.high == pytest.approx(peer.confidence_interval.high, abs=0.02)


def test_intervals_agree_with_scipy_for_ratios() -> None:
    rng = np.random.default_rng(3)
    below = rng.gamma(3.0, size=(1, 40))
    above = 1.5 * below + rng.normal(0, 0.3, size=(1, 40))
    found = interval(above, below, draws=20_000, confidence=0.9)
    peer = scipy_bootstrap(
        (above[0], below[0]),
        lambda a, b, axis: a.mean(axis=axis) / b.mean(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method="percentile",
        confidence_level=0.9,
        rng=np.random.default_rng(4),
    )
    assert found.low == pytest.approx(peer.confidence_interval.low, abs=0.01)
    assert found.high == pytest.approx(peer.confidence_interval.high, abs=0.01)


def test_intervals_draw_problems_and_seeds_again() -> None:
    """Against the definition, one draw at a time."""
    values = np.random.default_rng(5).normal(size=(5, 12)) + np.arange(5)[:, None]
    found = interval(values, draws=4000, seed=1)
    rng = np.random.default_rng(6)
    drawn = []
    for _ in range(4000):
        problems, seeds = rng.integers(12, size=12), rng.integers(5, size=5)
        drawn.append(np.median(values[seeds][:, problems].mean(axis=1)))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found.low == pytest.approx(low, abs=0.15)
    assert found.high == pytest.approx(high, abs=0.15)
    assert interval(values, draws=4000, seed=1) == found


def test_rows_are_put_together_by_cell_and_setting() -> None:
    rows = [row(problem=p, train_seed=s, cost_max=10.0 * s + p) for p in (1, 0) for s in (1, 0)]
    rows += [row(method="policy", cost_max=4.0)]
    first, second = groups(rows)
    assert first.seeds == (0, 1)
    assert first.values("cost_max").tolist() == [[0.0, 1.0], [10.0, 11.0]]
    assert (first.label, first.runs, second.runs) == ("navplan/default", 4, 1)
    assert first.cost_ratio == 11.0
    assert paired(first, second, "cost_max") is None
    assert paired(first, first, "cost_max").tolist() == [[0.0, 0.0], [0.0, 0.0]]  # type: ignore[union-attr]


def test_only_problems_that_all_were_run_on_are_laid_side_by_side() -> None:
    rows = [row(problem=p, train_seed=s, cost_max=float(p)) for p in (0, 1, 2) for s in (0, 1)]
    rows += [row(method="policy", problem=p, train_seed=0, cost_max=5.0) for p in (2, 1)]
    rows += [row(method="sorb", problem=9)]
    ours, policy, sorb = groups(rows)
    mine, theirs = on_shared_problems([ours, policy])
    assert mine.values("cost_max").tolist() == [[1.0, 2.0], [1.0, 2.0]]
    assert theirs.values("cost_max").tolist() == [[5.0, 5.0]]
    assert on_shared_problems([ours, sorb]) == []
    assert on_shared_problems([]) == []


def test_the_papers_scoring() -> None:
    boot = Bootstrap(100)
    search = {"method": "constrained-search", "agents": 20}
    many = [
        row(**search, setting="a", problem=0, cost_max=2.0, success=False, agent_contacts=9, status="contact", steps_total=320),
        row(**search, setting="a", problem=1, cost_max=8.0, reached=False, status="not-reached", steps_total=5000),
        row(**search, setting="a", problem=2, cost_max=900.0, reached=False, status="infeasible", steps_total=6000),
        row(**search, setting="a", problem=3, cost_max=50.0, steps_total=321),
    ]
    cheap = [{**one, "setting": "b", "cost_max": 1.0, "status": "success", "reached": True, "steps_total": 9} for one in many]
    spare = [row(method="constrained-policy", agents=20, problem=p, cost_max=4.0, steps_total=160) for p in range(4)]
    a, b, fallback = groups([*many, *cheap, *spare])
    found = paper_score([a], fallback, boot)
    assert found is not None
    assert found.success == 0.5  # contacts do not matter; 321 calls are too many; the failed plan is replaced
    assert found.cost.value == 3.0
    assert found.replaced == 0.25
    assert paper_score([a], None, boot) is None
    best = paper_score([a, b], fallback, boot)
    assert best is not None
    assert (best.setting, best.cost.value, best.success) == ("b", 1.0, 1.0)


def test_the_published_figures() -> None:
    hard = published("center-dot", "hard", 20, "constrained-search")
    assert hard is not None
    assert (hard.cost, hard.spread, hard.success) == (8.36, 1.58, 100)
    assert published("center-dot", "hard", 20, "policy").cost == 14.91  # type: ignore[union-attr]
    assert published("center-dot", "easy", 5, "policy") is None
    assert published("center-dot", "hard", 20, "navplan") is None
    assert published("four-rooms", "hard", 20, "sorb") is None
    # the table takes the best of the sweep, which was found on the test problems
    assert [min(SWEEP[agents]) for agents in SWEEP] == [_ROWS["hard", agents][3][0] for agents in SWEEP]  # type: ignore[index]
