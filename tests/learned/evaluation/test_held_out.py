"""Held-out logs beside critics whose faults are known."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import navplan as nv
from navplan.errors import InvalidInput
from navplan.learned.evaluation.held_out import judge_held_out
from navplan.scenarios.environments.mazes import make_logs

SPEED = 0.2


@pytest.fixture(scope="module")
def held() -> nv.Dataset:
    logs = make_logs("pointmaze-medium-stitch", transitions=8000, seed=3)
    ends = np.flatnonzero(logs["terminals"]) + 1
    return nv.Dataset(logs["observations"], logs["actions"], np.append(0, ends), position=lambda seen: seen)


class Folded(nv.EuclideanCritics):
    """Takes places for one that lie 8 apart along the first coordinate, walls or not."""

    def evaluate(self, observations: NDArray[Any], goals: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        gaps = observations.astype(np.float64) - goals
        gaps[:, 0] = (gaps[:, 0] + 4) % 8 - 4
        return (np.linalg.norm(gaps, axis=1) / SPEED).astype(np.float32), np.zeros(len(goals), np.float32)


def test_right_distances_hold(held: nv.Dataset) -> None:
    found = judge_held_out(nv.EuclideanCritics(SPEED), held)
    assert found.failures == ()
    assert found.overstated == 0
    assert found.upheld > 0.8  # as a step moves up to 0.2 along both axes
    assert found.false_edges is not None
    assert found.false_edges < 0.01
    assert found.edges > 100
    assert len(found.ratios) == 10
    assert (found.outside, found.action_error) == (None, None)
    assert judge_held_out(nv.EuclideanCritics(SPEED), held) == found
    unplaced = judge_held_out(nv.EuclideanCritics(SPEED), dataclasses.replace(held, position=None))
    assert unplaced.false_edges == found.false_edges  # goals are places here


def test_what_sees_through_walls_is_found(held: nv.Dataset) -> None:
    found = judge_held_out(Folded(), held)
    assert found.overstated == 0
    assert found.false_edges is not None
    assert found.false_edges > 0.2
    assert [text.partition(":")[0] for text in found.failures] == ["false far edges"]


def test_overstated_distances_are_found(held: nv.Dataset) -> None:
    found = judge_held_out(nv.EuclideanCritics(SPEED / 8), held)
    assert found.overstated > 0.5
    assert [text.partition(":")[0] for text in found.failures] == ["overstated near distances"]
    slow, fast = found.ratios[-1], judge_held_out(nv.EuclideanCritics(SPEED), held).ratios[-1]
    np.testing.assert_allclose(slow / fast, 8, rtol=1e-5)


def test_support_and_actions(held: nv.Dataset) -> None:
    class Knows(nv.EuclideanCritics):
        def __init__(self, states: NDArray[Any], policy: Any) -> None:
            super().__init__(SPEED)
            self.states, self.policies = states, {"policy": policy}

    class Remembers:
        """The very action that was logged."""

        def act(self, observations: NDArray[Any], goals: NDArray[Any]) -> NDArray[Any]:
            order = np.lexsort(held.observations.T)
            place = {held.observations[row].tobytes(): row for row in order}
            return held.actions[[place[seen.tobytes()] for seen in observations]]

    class Constant:
        def act(self, observations: NDArray[Any], goals: NDArray[Any]) -> NDArray[Any]:
            return np.full((len(goals), 2), 0.5, np.float32)

    everywhere, one_corner = held.observations[::40], held.observations[(held.observations < 6).all(axis=1)][::20]
    good = judge_held_out(Knows(everywhere, Remembers()), held)
    assert good.failures == ()
    assert good.outside is not None
    assert good.outside < 0.05
    assert good.action_error is not None
    assert good.action_error < 0.01  # a place or two was seen twice
    bad = judge_held_out(Knows(one_corner, Constant()), held)
    assert bad.outside is not None
    assert bad.outside > 0.5
    assert bad.action_error is not None
    assert bad.action_error > 1
    assert [text.partition(":")[0] for text in bad.failures] == ["outside the logs", "actions"]


def test_logs_of_no_numbers_are_refused(held: nv.Dataset) -> None:
    with pytest.raises(InvalidInput, match="no step of the held-out logs is finite numbers"):
        judge_held_out(nv.EuclideanCritics(), dataclasses.replace(held, observations=held.observations * np.nan, position=None))
