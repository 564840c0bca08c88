from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from navplan.errors import InvalidInput
from navplan.learned.datasets.dataset import Dataset
from navplan.learned.datasets.relabel import GoalSampler

LENGTHS = np.array([400, 900, 700])
DATA = Dataset.from_episodes([{"observations": np.zeros((n + 1, 1)), "actions": np.zeros((n, 1))} for n in LENGTHS])


def test_shares_and_horizon_are_those_asked_for() -> None:
    rng = np.random.default_rng(0)
    rows = np.full(100_000, DATA.starts[1])
    goals = GoalSampler(0.2, 0.5, 0.9).draw(DATA, rows, rng)
    here = goals == rows
    ahead = goals - rows
    same = (DATA.episodes(goals) == 1) & ~here
    anywhere = 0.3 * 901 / DATA.num_rows  # by chance in the same trajectory
    counts = [here.sum(), same.sum(), (~here & ~same).sum()]
    chance = np.array([0.2 + 0.3 / DATA.num_rows, 0.5 + anywhere - 0.3 / DATA.num_rows, 0.3 - anywhere])
    assert chisquare(counts, chance * len(rows)).pvalue > 1e-3
    near = ahead[(ahead > 0) & (ahead < 90) & same]
    assert near.mean() == pytest.approx(10.0, rel=0.15)


@pytest.mark.parametrize("sampler", [GoalSampler(0.0, 1.0, None), GoalSampler(0.0, 1.0, 0.99), GoalSampler(0.0, 1.0, None, 15)])
def test_later_goals_stay_in_their_trajectory(sampler: GoalSampler) -> None:
    rng = np.random.default_rng(1)
    rows = DATA.rows(rng.integers(DATA.num_transitions, size=20_000))
    goals = sampler.draw(DATA, rows, rng)
    assert (goals > rows).all()
    assert (DATA.episodes(goals) == DATA.episodes(rows)).all()
    if sampler.within is not None:
        assert (goals - rows).max() == sampler.within


def test_what_makes_no_sense_is_refused() -> None:
    for options in ({"here": -0.1}, {"here": 0.7, "later": 0.7}, {"discount": 1.0}, {"within": 0}):
        with pytest.raises(InvalidInput):
            GoalSampler(**options)  # type: ignore[arg-type]
