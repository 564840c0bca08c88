"""Where states are: their own two columns, or what is said of them; never guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from navplan.graph.parts import given_positions
from navplan.system.arrays import Float32, Float64

Position: TypeAlias = Callable[[Float32], ArrayLike] | ArrayLike | None
"""(N, 2) positions, or what gives them from (N, D) states, or None: the states are positions, or none are known."""


class Points(NamedTuple):
    """(N, D) float32 states and their (N, 2) float64 positions, where they are known."""

    states: Float32
    positions: Float64 | None


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
