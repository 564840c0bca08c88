"""What weighs edges, as a structural type: learned critics, analytic ones, or lanes of either."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from navplan.errors import InvalidInput
from navplan.system.arrays import Float32, Float64
from navplan.system.numbers import as_numbers, detached


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
