from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navplan.errors import InvalidInput
from navplan.learned.datasets.replay import GoalMix, Replay


def episodes(numbers: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Episodes whose every value tells its episode and step: state t of episode n is (n, t)."""
    count = len(numbers)
    states = np.zeros((count, steps + 1, 2), np.float32)
    states[:, :, 0], states[:, :, 1] = numbers[:, None], np.arange(steps + 1)
    return states, states[:, :-1] + 0.25, states[:, :-1, 1] + numbers[:, None] * 100, states[:, :-1] - 1000


def filled(count: int, steps: int = 5, capacity: int | None = None) -> Replay:
    replay = Replay(capacity or count, steps)
    replay.add(*episodes(np.arange(count), steps))
    return replay


@given(st.integers(1, 7), st.lists(st.integers(1, 7), min_size=1, max_size=8))
def test_the_ring_holds_the_latest_episodes(capacity: int, sizes: list[int]) -> None:
    replay, number = Replay(capacity, 3), 0
    for size in (min(size, capacity) for size in sizes):
        replay.add(*episodes(np.arange(number, number + size), 3))
        number += size
    assert replay.size == min(capacity, number)
    held = sorted(replay.states[: replay.size, 0, 0].tolist())
    assert held == list(range(number - replay.size, number))
    rows = np.arange(replay.size)
    np.testing.assert_array_equal(replay.costs[rows, 1], 1 + 100 * replay.states[rows, 0, 0])


@given(st.integers(0, 2**32 - 1))
def test_transitions_are_whole(seed: int) -> None:
    batch = filled(9).sample(200, np.random.default_rng(seed), GoalMix(0.3, 0.3, 0.2, 0.1, 3.0, 4))
    np.testing.assert_array_equal(batch.next_states, batch.states + np.array([0, 1], np.float32))
    np.testing.assert_array_equal(batch.actions, batch.states + np.float32(0.25))
    np.testing.assert_array_equal(batch.costs, batch.states[:, 1] + 100 * batch.states[:, 0])


@given(st.integers(0, 2**32 - 1))
def test_future_goals_are_later_states_of_the_same_episode(seed: int) -> None:
    batch = filled(9).sample(200, np.random.default_rng(seed), GoalMix(1, 0, 0, 0, 3.0, 4))
    assert batch.future.all()
    np.testing.assert_array_equal(batch.goals[:, 0], batch.states[:, 0])
    assert (batch.goals[:, 1] > batch.states[:, 1]).all()
    assert batch.goals[:, 1].max() == 5


def test_every_later_state_is_drawn() -> None:
    batch = filled(1).sample(2000, np.random.default_rng(0), GoalMix(1, 0, 0, 0, 3.0, 4))
    assert len(np.unique(np.column_stack([batch.states[:, 1], batch.goals[:, 1]]), axis=0)) == 15


def test_what_is_left_keeps_the_goal_pursued() -> None:
    batch = filled(4).sample(100, np.random.default_rng(0), GoalMix(0, 0, 0, 0, 3.0, 4))
    np.testing.assert_array_equal(batch.goals, batch.states - 1000)
    assert not batch.future.any()


def test_goals_here_are_the_state_itself() -> None:
    batch = filled(4).sample(100, np.random.default_rng(0), GoalMix(0, 0, 0, 1, 3.0, 4))
    np.testing.assert_array_equal(batch.goals, batch.states)


def test_shares_are_kept() -> None:
    batch = filled(50).sample(20_000, np.random.default_rng(0), GoalMix(0.4, 0, 0.3, 0.1, 3.0, 4))
    kept = (batch.goals == batch.states - 1000).all(axis=1).mean()
    here = (batch.goals == batch.states).all(axis=1).mean()
    assert batch.future.mean() == pytest.approx(0.4, abs=0.02)
    assert kept == pytest.approx(0.2, abs=0.02)
    assert here == pytest.approx(0.1, abs=0.02)


def test_near_goals_are_near() -> None:
    rng = np.random.default_rng(0)
    replay = Replay(500, 5)
    states = rng.uniform(0, 50, (500, 6, 2)).astype(np.float32)
    replay.add(states, states[:, 1:] * 0, states[:, 1:, 0] * 0, states[:, 1:])
    asked = rng.uniform(10, 40, (400, 2)).astype(np.float32)
    near = np.abs(replay.near_states(asked, rng, 5.0, 256) - asked).max(axis=1)
    assert np.mean(near < 8) > 0.97
    assert np.median(near) > 2  # spread over the square, not all at its centre


def test_too_many_at_once() -> None:
    with pytest.raises(InvalidInput, match="do not fit"):
        filled(4, capacity=3)
    with pytest.raises(InvalidInput, match="at least one"):
        Replay(0, 3)
