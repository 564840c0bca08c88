"""Candidate pairs of states: what is listed beside what a double loop says."""

from __future__ import annotations

import numpy as np
import pytest

from navplan.graph.candidates import candidates, passing
from navplan.graph.limits import EdgeLimits
from navplan.graph.positions import Points


def listed(points: Points, limits: EdgeLimits) -> np.ndarray:
    """(K, 2) pairs, all blocks together."""
    blocks = [np.stack(block, axis=1) for block in candidates(points, points, limits, same=True)]
    return np.concatenate(blocks)


def spots(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((count, 2)) * 12


@pytest.mark.parametrize("block", [300, 100_000])
def test_where_nobody_lists_them_all_the_nearest_are_there_and_a_sample_of_the_others(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("navplan.graph.candidates.LISTED", 100)
    monkeypatch.setattr("navplan.graph.candidates.PAIRS_PER_BLOCK", block)
    where = spots(400, 0)
    most, limits = 24, EdgeLimits(max_distance=4.0, max_neighbors=24)
    pairs = listed(Points(where.astype(np.float32), where), limits)
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    apart = np.abs(where[:, None] - where[None]).max(axis=2)
    np.fill_diagonal(apart, np.inf)
    ranks = []
    for node in range(400):
        mine = pairs[pairs[:, 0] == node, 1]
        inside = np.flatnonzero(apart[node] < limits.reach)
        assert set(mine.tolist()) <= set(inside.tolist())
        assert len(mine) == len(inside) if len(inside) <= most else 0.65 * most <= len(mine) <= most
        assert set(np.argsort(apart[node])[: min(12, len(inside))].tolist()) <= set(mine.tolist())
        if len(inside) > most:
            order = inside[np.argsort(apart[node, inside])].tolist()
            ranks += [order.index(j) / len(order) for j in mine.tolist() if order.index(j) >= 12]
    assert np.mean(ranks) == pytest.approx(0.5 * (1 + 12 / 100), abs=0.1)  # evenly, between the nearest and the farthest
    assert np.std(ranks) == pytest.approx(0.25, abs=0.06)


@pytest.mark.parametrize("positions", [False, True])
def test_without_a_screen_the_nearest_are_those_of_a_double_loop(positions: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("navplan.graph.candidates.LISTED", 100)
    states = np.random.default_rng(1).random((90, 7)).astype(np.float32)
    where = states[:, :2].astype(np.float64) if positions else None
    pairs = listed(Points(states, where), EdgeLimits(max_speed=np.inf, max_neighbors=10))
    gaps = (
        np.abs(where[:, None] - where[None]).max(axis=2)
        if where is not None
        else np.linalg.norm(states[:, None] - states[None], axis=2)
    )
    for node in range(90):
        mine = pairs[pairs[:, 0] == node, 1].tolist()
        near = [j for j in np.argsort(gaps[node], kind="stable").tolist() if j != node][:5]
        assert set(near) <= set(mine)
        assert 7 <= len(mine) <= 10


def test_their_number_grows_with_the_states() -> None:
    limits = EdgeLimits(max_distance=4.0, max_neighbors=30)
    counts = []
    for count in (500, 4000):
        where = spots(count, 2)
        points = Points(where.astype(np.float32), where)
        counts.append(len(listed(points, limits)))
        assert passing(points, points, limits) > counts[-1]
    assert counts[1] <= 8.1 * counts[0]
