"""Goals for logged steps, drawn afterwards: what the same trajectory reached later, what is near, or anything."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from navplan.errors import InvalidInput
from navplan.learned.datasets.dataset import Dataset
from navplan.system.arrays import Int64
from navplan.system.numbers import is_finite
from navplan.system.words import said


@dataclass(frozen=True)
class GoalSampler:
    """Which row becomes the goal of a step (Park et al. 2025, OGBench, for the shares of value learning).

    Attributes:
        here: share of goals that are the very row.
        later: share of rows further on in the same trajectory; the rest of the shares are rows of anywhere.
        discount: later rows are drawn geometrically, 1 / (1 - discount) steps ahead on average, cut at the end; None: uniformly.
        within: later rows are at most this many steps ahead; None: to the end.
    """

    here: float = 0.2
    later: float = 0.5
    discount: float | None = 0.99
    within: int | None = None

    def __post_init__(self) -> None:
        for name in ("here", "later"):
            if not (is_finite(getattr(self, name)) and 0 <= getattr(self, name) <= 1):
                raise InvalidInput(f"GoalSampler.{name} is {said(getattr(self, name))}, expected a share from 0 to 1")
        if self.here + self.later > 1 + 1e-9:
            raise InvalidInput(f"GoalSampler.here and later are {self.here} and {self.later}, expected at most 1 together")
        if self.discount is not None and not (is_finite(self.discount) and 0 < self.discount < 1):
            raise InvalidInput(f"GoalSampler.discount is {said(self.discount)}, expected between 0 and 1, or None")
        if self.within is not None and self.within < 1:
            raise InvalidInput(f"GoalSampler.within is {self.within}, expected at least 1, or None")

    def draw(self, data: Dataset, rows: Int64, rng: np.random.Generator) -> Int64:
        """(B,) the row of each goal, for steps that begin in `rows`; later ones are at least one step ahead."""
        count = len(rows)
        which = rng.random(count)
        left = data.last(rows) - rows
        most = left if self.within is None else np.minimum(left, self.within)
        if self.discount is None:
            ahead = 1 + (rng.random(count) * most).astype(np.int64)
        else:
            ahead = rng.geometric(1.0 - self.discount, count)
        later = rows + np.minimum(ahead, most)
        anywhere = rng.integers(data.num_rows, size=count)
        return np.where(which < self.here, rows, np.where(which < self.here + self.later, later, anywhere))
