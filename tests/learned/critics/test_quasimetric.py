"""Quasimetric heads are quasimetrics, and pushing apart under logged steps gives shortest distances."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse.csgraph import floyd_warshall

torch = pytest.importorskip("torch")

from navplan.errors import InvalidInput  # noqa: E402
from navplan.learned.critics.quasimetric import Quasimetric, iqe, mrn  # noqa: E402


@pytest.mark.parametrize("head", [mrn, iqe])
def test_heads_are_quasimetrics(head):
    a, b, c = torch.randn(3, 10_000, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert (head(a, a) <= 1e-5).all()
    assert (head(a, b) >= 0).all()
    assert (head(a, c) <= head(a, b) + head(b, c) + 1e-5).all()
    assert (head(a, b) - head(b, a)).abs().max() > 0.1


def test_interval_lengths_are_those_of_unions():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, (2, 40, 16)).astype(float)
    for x, y, found in zip(a, b, iqe(torch.tensor(a), torch.tensor(b)).tolist(), strict=True):
        lengths = []
        for low, high in zip(x.reshape(-1, 8), y.reshape(-1, 8), strict=True):
            covered = {cell for u, v in zip(low, high, strict=True) for cell in range(int(u), int(v))}
            lengths.append(len(covered))
        assert found == pytest.approx(0.5 * max(lengths) + 0.5 * np.mean(lengths))


@pytest.mark.parametrize("seed", range(5))
def test_the_largest_quasimetric_under_logged_steps_is_the_shortest_distance(seed):
    """A linear programme; what is known of steps further on is implied, and changes nothing."""
    rng, n = np.random.default_rng(seed), 6
    steps = np.full((n, n), np.inf)
    steps[np.arange(n), (np.arange(n) + 1) % n] = 1
    steps[rng.integers(n, size=5), rng.integers(n, size=5)] = 1
    np.fill_diagonal(steps, 0)
    far = floyd_warshall(np.where(np.isfinite(steps), steps, 0))
    pair = {(i, j): k for k, (i, j) in enumerate(itertools.product(range(n), repeat=2))}
    rows, limits = [], []
    for i, j, k in itertools.product(range(n), repeat=3):
        row = np.zeros(n * n)
        row[pair[i, k]] += 1
        row[pair[i, j]] -= 1
        row[pair[j, k]] -= 1
        rows.append(row)
        limits.append(0.0)
    bounds = [(0, 0 if i == j else steps[i, j] if np.isfinite(steps[i, j]) else 100) for i, j in pair]
    plain = linprog(-np.ones(n * n), A_ub=np.array(rows), b_ub=limits, bounds=bounds)
    np.testing.assert_allclose(plain.x.reshape(n, n), far, atol=1e-6)
    hinges = [(low, min(high, far[i, j]) if far[i, j] <= 3 else high) for (i, j), (low, high) in zip(pair, bounds, strict=True)]
    assert linprog(-np.ones(n * n), A_ub=np.array(rows), b_ub=limits, bounds=hinges).fun == pytest.approx(plain.fun)


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(InvalidInput, match="mrn"):
        Quasimetric(head="l1")
    with pytest.raises(InvalidInput, match="multiple"):
        Quasimetric(width=20)
    assert Quasimetric(head="iqe").lower_bound is None
