"""Where states are: their own two columns, or what is said of them; never guessed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from navplan.graph.parts import given_positions
from navplan.system.arrays import Float32, Float64

Position: TypeAlias = Callable[[Float32], ArrayLike] | ArrayLike | None
"""(N, 2) positions, or what gives them from (N, D) states, or None: the states are positions, or none are known."""


class Points(NamedTuple):
    """States, and what is known of them.

    states: (N, D) float32. positions: (N, 2) float64, where they are known. observations (N, …) and goals (N, G): what critics
    are given of a state they go from and of one they go to; None: the state. norm: where it is given, states are embeddings, and
    the distance between two is never less than that between their states in this norm.
    """

    states: Float32
    positions: Float64 | None
    observations: NDArray[Any] | None = None
    goals: NDArray[Any] | None = None
    norm: float | None = None

    @property
    def origins(self) -> NDArray[Any]:
        """What critics are given of states that are gone from."""
        return self.states if self.observations is None else self.observations

    @property
    def targets(self) -> NDArray[Any]:
        """What critics are given of states that are gone to."""
        return self.states if self.goals is None else self.goals

    @property
    def where(self) -> Float64 | None:
        """Coordinates by which pairs that are too far apart are left out, without asking the critics; None: there are none."""
        return self.positions if self.norm is None and self.observations is None else self._embedded

    @property
    def _embedded(self) -> Float64 | None:
        return None if self.norm is None else self.states.astype(np.float64)

    @property
    def p(self) -> float:
        """The norm of `where`."""
        return math.inf if self.norm is None else self.norm

    def part(self, rows: slice) -> Points:
        """Some of them."""
        where, seen, aims = self.positions, self.observations, self.goals
        return Points(
            self.states[rows],
            None if where is None else where[rows],
            None if seen is None else seen[rows],
            None if aims is None else aims[rows],
            self.norm,
        )


def positions_of(given: ArrayLike, states: Float32, position: Position) -> Float64 | None:
    """(N, 2) float64 positions of `states`, or None where none are known.

    Args:
        given: the states as they were given, not rounded yet.
        states: (N, D) float32.
        position: see `Position`.

    Raises:
        InvalidInput: positions of another shape, or not finite.
    """
    stated = position(states) if callable(position) else position
    return given_positions(np.asarray(given), stated, len(states))
