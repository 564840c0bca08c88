"""What an edge weighs, and which pairs of states get one."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from navplan.errors import InvalidInput
from navplan.system.arrays import Bool, Float64
from navplan.system.numbers import check_numbers
from navplan.system.words import said

Weight = Literal["cost", "hops"]


@dataclass(frozen=True)
class EdgeLimits:
    """The rule by which edges were let into a state graph; remembered, so that attached nodes obey it too.

    An edge i -> j exists when ``distance < max_distance`` and ``risk < max_risk`` (paper, section 4). Pairs that cannot pass are
    not given to the critics: a step moves at most `max_speed` cells per axis and a goal counts as reached within
    `goal_tolerance`, so going from i to j takes at least ``(|i - j|_inf - goal_tolerance) / max_speed`` steps.

    Attributes:
        max_distance: environment steps, exclusive.
        max_risk: cumulative cost, exclusive.
        max_speed: cells per axis and step; inf switches the screen off.
        goal_tolerance: cells.
        max_neighbors: most candidates that a node hands to the critics, or None for all that pass the screen. When more pass,
            half are the nearest and the others are spread evenly over the ranks of the farther ones; no randomness.
    """

    max_distance: float = math.inf
    max_risk: float = math.inf
    max_speed: float = 1.0
    goal_tolerance: float = 0.5
    max_neighbors: int | None = None

    def __post_init__(self) -> None:
        numbers = {name: getattr(self, name) for name in ("max_distance", "max_risk", "max_speed", "goal_tolerance")}
        check_numbers(**numbers)
        for name in ("max_distance", "max_risk", "max_speed"):
            if not getattr(self, name) > 0:
                raise InvalidInput(f"{name} is {getattr(self, name)}, expected a positive number or inf")
        if not (self.goal_tolerance >= 0 and math.isfinite(self.goal_tolerance)):
            raise InvalidInput(f"goal_tolerance is {self.goal_tolerance}, expected a number that is not negative")
        most = self.max_neighbors
        if most is not None and not (isinstance(most, int | np.integer) and 1 <= most <= np.iinfo(np.int32).max):
            raise InvalidInput(f"max_neighbors is {said(most)}, expected a positive integer or None")

    @property
    def reach(self) -> float:
        """Largest Chebyshev displacement (exclusive, cells) of a pair that can pass."""
        return self.max_distance * self.max_speed + self.goal_tolerance

    def admit(self, distance: Float64, risk: Float64) -> Bool:
        """(M,) bool: the edges of these distances and risks, (M,) each, that are within the limits."""
        return (distance < self.max_distance) & (risk < self.max_risk)

    def tightened(self, max_risk: float | None = None, max_distance: float | None = None) -> EdgeLimits:
        """These limits or the given ones, whichever is less.

        Raises:
            InvalidInput: a limit is no positive number.
        """
        for name, value in (("max_risk", max_risk), ("max_distance", max_distance)):
            if value is not None:
                check_numbers(**{name: value})
            if value is not None and math.isnan(value):
                raise InvalidInput(f"{name} is nan, expected a positive number or inf")
        return dataclasses.replace(
            self,
            max_risk=min(self.max_risk, math.inf if max_risk is None else max_risk),
            max_distance=min(self.max_distance, math.inf if max_distance is None else max_distance),
        )
