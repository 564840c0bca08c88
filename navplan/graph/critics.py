"""What weighs edges, as a structural type: learned critics, analytic ones, or lanes of either."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from navplan.errors import InvalidInput
from navplan.system.arrays import Float32, Float64
from navplan.system.numbers import as_numbers, detached, is_finite
from navplan.system.words import said


@runtime_checkable
class EdgeCritics(Protocol):
    """Weights of directed edges, learned or measured."""

    def evaluate(self, observations: Float32, goals: Float32) -> tuple[Float32, Float32]:
        """Pessimistic distance (environment steps) and risk (cumulative cost) of going from each observation to its goal.

        Pessimistic = maximum over the ensemble. The actor is evaluated once per pair.

        Args:
            observations: (B, D) float32 states in cell units.
            goals: (B, D) float32 goals in cell units.

        Returns:
            distance (B,) float32 and risk (B,) float32, both >= 0.
        """
        ...


@runtime_checkable
class Embedding(Protocol):
    """What critics may have beside `evaluate`: a space in which near states are looked for.

    Attributes:
        lower_bound: "l2" or "linf" where the distance between two observations is never less than that of their embeddings in
            this norm, so that a search in the space misses none; None where the space is a hint only.
    """

    lower_bound: Literal["l2", "linf"] | None

    def embed(self, observations: NDArray[Any]) -> Float32 | None:
        """(B, …) observations -> (B, Z) float32, or None where there is no such space."""
        ...


def embedded(critics: object, observations: NDArray[Any]) -> Float32 | None:
    """(B, Z) observations in the critics' own space; None where they have none.

    Raises:
        InvalidInput: an answer of another shape.
    """
    embed = getattr(critics, "embed", None)
    given = None if embed is None else embed(observations)
    if given is None:
        return None
    space = np.ascontiguousarray(as_numbers(detached(given), "the critics' embedding", np.float32))
    if space.ndim != 2 or len(space) != len(observations) or space.shape[1] < 1:
        raise InvalidInput(f"the critics' embedding has shape {space.shape}, expected ({len(observations)}, Z)")
    return space


def norm_of(critics: object) -> float | None:
    """Order of the norm that bounds the critics' distances from below, see `Embedding`; None where there is none."""
    bound = getattr(critics, "lower_bound", None)
    if bound not in (None, "l2", "linf"):
        raise InvalidInput(f"the critics' lower_bound is {said(bound)}, expected 'l2', 'linf' or None")
    return None if bound is None or not hasattr(critics, "embed") else {"l2": 2.0, "linf": math.inf}[bound]


def answered(critics: EdgeCritics, origins: Float32, goals: Float32) -> tuple[Float64, Float64]:
    """The critics' distance and risk (B,) of each pair, as numbers in float64.

    Raises:
        InvalidInput: they cannot evaluate, or answer with something else than two times B numbers.
    """
    if not callable(getattr(critics, "evaluate", None)):
        raise InvalidInput(f"critics {type(critics).__name__} have no evaluate(observations, goals) -> (distance, risk)")
    given = critics.evaluate(origins, goals)
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise InvalidInput(f"the critics answered with {type(given).__name__}, expected a pair (distance, risk)")
    answers = [as_numbers(detached(answer), f"the critics' {name}") for name, answer in zip(("distance", "risk"), given)]
    for name, values in zip(("distance", "risk"), answers):
        if values.shape != (len(origins),):
            raise InvalidInput(f"the critics' {name} has shape {values.shape}, expected ({len(origins)},)")
    return answers[0], answers[1]


class EuclideanCritics:
    """Steps along straight lines at a known speed, no risk: the metric of places where nothing better is known.

    Args:
        speed: how far a step goes.
        place: what of observations a place is, (B, …) -> (B, G), as goals are; None: they are places.

    Example:
        >>> EuclideanCritics(0.5).evaluate(np.zeros((1, 2)), np.array([[3.0, 4.0]]))[0].tolist()
        [10.0]
    """

    lower_bound: Literal["l2", "linf"] | None = "l2"
    horizon = math.inf

    def __init__(self, speed: float = 1.0, place: Callable[[NDArray[Any]], ArrayLike] | None = None) -> None:
        if not (is_finite(speed) and speed > 0):
            raise InvalidInput(f"speed is {said(speed)}, expected a positive number")
        self.speed, self.place = float(speed), place

    def embed(self, observations: NDArray[Any]) -> Float32:
        """(B, …) -> (B, G) places, in steps."""
        places = np.asarray(observations if self.place is None else self.place(observations), np.float64) / self.speed
        return places.astype(np.float32)

    def evaluate(self, observations: NDArray[Any], goals: NDArray[Any]) -> tuple[Float32, Float32]:
        """See `EdgeCritics`."""
        gaps = self.embed(observations) - np.asarray(goals, np.float64) / self.speed
        return np.sqrt((gaps**2).sum(axis=1)).astype(np.float32), np.zeros(len(gaps), np.float32)
