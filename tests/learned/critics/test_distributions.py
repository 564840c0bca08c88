from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from navplan.learned.critics.distributions import expected_cost, expected_distance, project_cost, shift_distance


def naive_projection(p: np.ndarray, cost: float, done: bool, cost_max: float) -> np.ndarray:
    """C51, atom by atom."""
    atoms = len(p)
    z = np.linspace(0, cost_max, atoms)
    target = np.zeros(atoms)
    if done:
        p, z = np.ones(1), np.zeros(1)
    for mass, value in zip(p, z, strict=True):
        place = min(max(cost + value, 0.0), cost_max) / (cost_max / (atoms - 1))
        low, high = int(np.floor(place)), int(np.ceil(place))
        if low == high:
            target[low] += mass
        else:
            target[low] += mass * (high - place)
            target[high] += mass * (place - low)
    return target


histograms = st.lists(st.floats(0.01, 1), min_size=6, max_size=6).map(lambda v: np.array(v) / np.sum(v))


@given(st.lists(st.tuples(histograms, st.floats(0, 12), st.booleans()), min_size=1, max_size=5))
def test_projection_is_that_of_the_naive_loop(rows: list[tuple[np.ndarray, float, bool]]) -> None:
    p = torch.tensor(np.stack([row[0] for row in rows]), dtype=torch.float64)[None].repeat(2, 1, 1)
    cost = torch.tensor([row[1] for row in rows], dtype=torch.float64)
    done = torch.tensor([row[2] for row in rows])
    found = project_cost(p, cost, done, 10.0)
    wanted = np.stack([naive_projection(*row, 10.0) for row in rows])
    np.testing.assert_allclose(found[0], wanted, atol=1e-9)
    np.testing.assert_allclose(found[1], wanted, atol=1e-9)


@given(histograms, st.floats(0, 3))
def test_projection_keeps_the_mean_inside_the_support(p: np.ndarray, cost: float) -> None:
    p = p.copy()
    p[3:] = 0
    p /= p.sum()
    found = project_cost(torch.tensor(p)[None, None], torch.tensor([cost]), torch.tensor([False]), 10.0)[0, 0].numpy()
    z = np.linspace(0, 10, 6)
    assert abs(found @ z - (p @ z + cost)) < 1e-6
    assert abs(found.sum() - 1) < 1e-6


def test_distance_shifts_by_one_and_gathers_in_the_last_bin() -> None:
    p = torch.tensor([[[0.1, 0.2, 0.3, 0.4], [0.1, 0.2, 0.3, 0.4]]])
    shifted = shift_distance(p, torch.tensor([False, True]))
    torch.testing.assert_close(shifted, torch.tensor([[[0.0, 0.1, 0.2, 0.7], [1.0, 0.0, 0.0, 0.0]]]))


def test_expectations() -> None:
    sure = torch.full((1, 4), -100.0)
    sure[0, 2] = 100.0
    assert expected_distance(sure).item() == 3.0
    assert abs(expected_cost(sure, 9.0).item() - 6.0) < 1e-5
    assert abs(expected_distance(torch.zeros(4)).item() - 2.5) < 1e-6
