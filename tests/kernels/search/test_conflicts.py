from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navplan.kernels.search.conflicts import count_conflicts, find_conflicts, moves_conflict, nearest_time
from tests.support.naive import planning as naive

pytestmark = pytest.mark.kernels

points = st.lists(st.floats(-3, 3, allow_nan=False, width=32), min_size=8, max_size=8)


@given(points)
def test_the_closest_approach_is_in_closed_form(values: list[float]) -> None:
    xy = np.array(values).reshape(4, 2)
    tau, squared = nearest_time(xy, 0, 1, 2, 3)
    assert 0.0 <= tau <= 1.0
    assert math.sqrt(squared) == pytest.approx(naive.closest(xy[0], xy[1], xy[2], xy[3]), abs=1e-6)
    at = [xy[0] + tau * (xy[1] - xy[0]), xy[2] + tau * (xy[3] - xy[2])]
    assert math.sqrt(squared) == pytest.approx(float(np.linalg.norm(at[0] - at[1])), abs=1e-9)


@given(points, st.sampled_from([0.25, 0.5, 1.5]))
def test_moves_conflict_when_they_come_closer_than_the_clearance(values: list[float], clearance: float) -> None:
    xy = np.array(values).reshape(4, 2)
    gap = naive.closest(xy[0], xy[1], xy[2], xy[3])
    if abs(gap - clearance) > 1e-6:
        assert moves_conflict(xy, clearance, 0, 1, 2, 3) == (gap < clearance)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.4]))
def test_every_conflict_at_every_step_is_listed(seed: int, clearance: float) -> None:
    rng = np.random.default_rng(seed)
    xy = rng.random((8, 2)) * 3
    paths = rng.integers(0, 8, (5, 4)).astype(np.int32)
    where, which = np.empty((60, 4), np.int32), np.empty((60, 3))
    count = find_conflicts(xy, clearance, paths, -1, 10, where, which)
    listed = {tuple(row[:3]) for row in where[:count].tolist()}
    expected = set()
    for i, j in itertools.combinations(range(4), 2):
        for step in range(4):
            u, v, a, b = paths[step, i], paths[step + 1, i], paths[step, j], paths[step + 1, j]
            close = clearance > 0 and naive.closest(xy[u], xy[v], xy[a], xy[b]) < clearance
            if v == b or (u == b and v == a) or close:
                expected.add((i, j, step))
    assert listed == expected
    mine = find_conflicts(xy, clearance, paths, 2, 10, where, which)
    assert {tuple(row[:3]) for row in where[:mine].tolist()} == {row for row in expected if 2 in row[:2]}
    total = sum(count_conflicts(xy, clearance, paths, 2, step, paths[step, 2], paths[step + 1, 2]) for step in range(4))
    assert total == mine
