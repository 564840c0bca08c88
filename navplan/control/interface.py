"""What the rooms ask of one another, as structural types: a low level that acts, critics that weigh edges."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from navplan.system.arrays import Float32


@runtime_checkable
class LowLevel(Protocol):
    """A goal-conditioned controller shared by all agents: learned policy, behaviour cloning, straight-line control, …"""

    def act(self, observations: Float32, goals: Float32, condition: Float32 | None = None) -> Float32:
        """Actions for a batch of agents.

        Args:
            observations: (B, D) float32 states in cell units, (row, col).
            goals: (B, D) float32 goals in cell units.
            condition: (B, C) float32 extra conditioning, or None; a controller that takes none ignores None only.

        Returns:
            (B, 2) float32 in [-1, 1]: displacement wished for in one environment step, cells per axis.
        """
        ...


@runtime_checkable
class EdgeCritics(Protocol):
    """Learned weights of directed edges."""

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
