from __future__ import annotations

import numpy as np

from navplan.learned.curriculum.uniform import Uniform
from navplan.learned.interface import Offer


def test_every_problem_is_as_likely() -> None:
    points, opinions = np.zeros((8, 2), np.float32), np.zeros((3, 8), np.float32)
    offer = Offer(points, points, opinions, opinions, 15.0, None)
    drawn = Uniform().draw(offer, 8000, np.random.default_rng(0))
    assert np.abs(np.bincount(drawn, minlength=8) - 1000).max() < 120
