"""Edges out of logs: exact where nothing is random, honest where luck is."""

import numpy as np
import pytest

from navplan.graph.arcs import arcs, windows


def _found(node, starts, lengths, jumps=(), **options):
    node = np.asarray(node)
    flags = np.zeros(len(node), bool)
    flags[list(jumps)] = True
    found = arcs(node, flags, windows(np.asarray(starts), lengths), **options)
    return {(int(i), int(j)): float(w) for i, j, w in zip(found.tails, found.heads, found.steps, strict=True)}, found


def test_windows_stay_within_their_trajectory():
    seen = windows(np.array([0, 4, 6]), (1, 3))
    assert list(zip(seen.first.tolist(), seen.last.tolist(), seen.steps.tolist(), strict=True)) == [
        (0, 1, 1), (1, 2, 1), (2, 3, 1), (4, 5, 1), (0, 3, 3),
    ]  # fmt: skip


def test_steps_are_exact_on_a_log_without_noise():
    found, _ = _found([0, 1, 2, 3, 4, 3, 2], [0, 7], (1, 2))
    assert [found[arc] for arc in ((0, 1), (0, 2), (4, 3), (4, 2))] == [1, 2, 1, 2]
    assert (3, 3) not in found


def test_the_mean_is_not_too_short_where_rows_lie_anywhere_around_their_node_and_the_least_is():
    rng = np.random.default_rng(0)
    trips = [rng.uniform(0, 4) + np.arange(60) * 0.25 for _ in range(300)]  # four steps from one node to the next
    node = np.floor(np.concatenate(trips)).astype(np.int64)
    starts = np.arange(0, 60 * 301, 60)
    seen = windows(starts, (2, 4, 6))
    found, _ = _found(node, starts, (2, 4, 6))
    assert found[5, 6] == pytest.approx(4, rel=0.02)
    least = seen.steps[(node[seen.first] == 5) & (node[seen.last] == 6)].min()
    assert least == 2


def test_quantiles_are_those_of_the_windows():
    found, _ = _found([0, 1, 0, 5, 1, 0, 5, 6, 1], [0, 2, 5, 9], (1, 2, 3), quantile=1.0)
    assert found[0, 1] == 3
    assert _found([0, 1, 0, 5, 1, 0, 5, 6, 1], [0, 2, 5, 9], (1, 2, 3))[0][0, 1] == 2


def test_a_lucky_jump_costs_its_failures_too():
    """From node 1 one third of attempts lands at 9; the others stay, or are thrown back to 0, from where it is one step."""
    stays = _found([1, 9, 1, 1, 1, 1], [0, 2, 4, 6], (1,), jumps=[0])[0]
    assert stays[1, 9] == pytest.approx(3.0)
    back = _found([1, 9, 1, 0, 1, 0, 0, 1], [0, 2, 4, 6, 8], (1,), jumps=[0, 2, 4])[0]
    assert back[1, 9] == pytest.approx((1 + 2 / 3 * 1) / (1 / 3))
    lost = _found([1, 9, 1, 5, 1, 5], [0, 2, 4, 6], (1,), jumps=[0, 2, 4])[0]
    assert (1, 9) not in lost  # whoever fails does not come back


def test_costs_are_means_over_windows():
    _, found = _found([0, 1, 0, 1], [0, 2, 4], (1,), costs=np.array([1.0, 9.0, 3.0, 9.0], np.float32))
    assert found.cost.tolist() == [2.0]
