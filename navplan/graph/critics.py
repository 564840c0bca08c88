"""What weighs edges, as a structural type: learned critics, analytic ones, or lanes of either."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from navplan.system.arrays import Float32


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
