"""Batches of logged steps: within trajectories, scaled, and with the goals that they say."""

import numpy as np
import pytest

import navplan as nv
from navplan.errors import InvalidInput
from navplan.learned.datasets.relabel import GoalSampler
from navplan.learned.datasets.steps import Scaling, StepSampler, measured_scales


def _data(bad=False):
    """Observation = (trajectory, row within it); the action of a row is its row."""
    trips = []
    for number, steps in enumerate((30, 5, 60)):
        seen = np.stack([np.full(steps + 1, number), np.arange(steps + 1)], 1).astype(np.float32)
        if bad:
            seen[3] = np.nan
        trips.append({"observations": seen, "actions": np.arange(steps)[:, None] / 60, "costs": np.ones(steps)})
    return nv.Dataset.from_episodes(trips)


PLAIN = Scaling(np.zeros(2, np.float32), np.ones(2, np.float32))


def _sampler(data, **how):
    scales = measured_scales(data, np.random.default_rng(0))._replace(observations=PLAIN, goals=PLAIN)
    options = {"window": 5, "every": False, "near": 0.0, "ahead": 7} | how
    return StepSampler(data, scales, GoalSampler(0.1, 0.6), **options)


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("bad", [False, True])
def test_steps_stay_within_their_trajectory(every, bad):
    batch = _sampler(_data(bad), every=every).draw(4000, np.random.default_rng(1))
    for later, steps in ((batch.later, batch.steps), (batch.ahead, batch.ahead_steps)):
        np.testing.assert_array_equal(later[:, 0], batch.observations[:, 0])
        np.testing.assert_array_equal(later[:, 1] - batch.observations[:, 1], steps)
    assert batch.steps.max() == 5
    assert batch.ahead_steps.min() >= 1
    assert batch.ahead_steps.max() == 7
    np.testing.assert_array_equal(batch.ahead_costs, batch.ahead_steps)
    np.testing.assert_array_equal(batch.goals[batch.reached], batch.later_places[batch.reached])
    assert np.isfinite(np.concatenate([batch.goals, batch.away, batch.ahead, batch.later])).all()


def test_near_goals_are_near():
    sampler = _sampler(_data(), near=0.5)
    batch = sampler.draw(2000, np.random.default_rng(1))
    apart = np.abs(batch.away - batch.places).sum(axis=1)
    assert np.median(apart[:1000]) < np.median(apart[1000:]) / 4


def test_actions_are_scaled_to_their_range():
    batch = _sampler(_data()).draw(2000, np.random.default_rng(1))
    assert batch.actions.min() == pytest.approx(-1)
    assert batch.actions.max() == pytest.approx(1, abs=0.05)


def test_images_are_divided_by_255():
    assert Scaling.measured(np.full((3, 2, 2, 3), 255, np.uint8)).of(np.full((1, 2, 2, 3), 255, np.uint8)).max() == 1


def test_data_without_a_finite_step_is_refused():
    seen = np.full((4, 2), np.nan)
    data = nv.Dataset.from_episodes([{"observations": seen, "actions": np.zeros((3, 1))}])
    with pytest.raises(InvalidInput, match="finite"):
        measured_scales(data, np.random.default_rng(0))
