"""Goals and places that are a choice of an observation's columns, which files can name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from navplan.errors import InvalidInput
from navplan.learned.datasets.dataset import Dataset


@dataclass(frozen=True)
class Columns:
    """Some columns of observations, (B, D) -> (B, G).

    Example:
        >>> import numpy as np
        >>> Columns((2, 0))(np.array([[1.0, 2.0, 3.0]])).tolist()
        [[3.0, 1.0]]
    """

    numbers: tuple[int, ...]

    def __call__(self, observations: NDArray[Any]) -> NDArray[Any]:
        """See the class.

        Raises:
            InvalidInput: there is no such column, or observations are no vectors.
        """
        if observations.ndim != 2:
            raise InvalidInput("observations are no vectors, which columns could be taken of")
        width = observations.shape[1]
        if max(self.numbers) >= width:
            raise InvalidInput(f"there is no column {max(self.numbers)}, expected from 0 to {width - 1}")
        return observations[:, list(self.numbers)]


def named_logs(paths: Sequence[str], goal: Sequence[int] = (), position: Sequence[int] = (), cost: str | None = None) -> Dataset:
    """`Dataset.load` where goal and place are columns, none where there are no numbers of them; raises as that does."""
    goals, places = (Columns(tuple(numbers)) if numbers else None for numbers in (goal, position))
    return Dataset.load(paths, goal=goals, position=places, cost=cost or None)
