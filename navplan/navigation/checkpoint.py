"""What navigation asks of a trained checkpoint, as a structural type; `navplan.learned.trained.Critics` is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from navplan.control.interface import LowLevel
from navplan.system.arrays import Float32


class Checkpoint(Protocol):
    """Critics that weigh edges (`navplan.graph.critics.EdgeCritics`), and the policies that they judge."""

    @property
    def scenario(self) -> str:
        """Name of the scenario that it was trained on."""
        ...

    @property
    def stage(self) -> int:
        """1 for the unconstrained policy, 2 for the safety-constrained one."""
        ...

    @property
    def states(self) -> Float32:
        """(K, 2) float32 states in cell units that training has seen; graph nodes are chosen among them."""
        ...

    @property
    def policies(self) -> Mapping[str, LowLevel]:
        """The low levels that it brings, by name; "policy" is the one that its critics judge."""
        ...

    def evaluate(self, observations: Float32, goals: Float32) -> tuple[Float32, Float32]:
        """(B, 2), (B, 2) float32 cells -> pessimistic distance (B,) in environment steps and risk (B,), float32."""
        ...

    def distance(self, observations: Float32, goals: Float32) -> Float32:
        """(B, 2), (B, 2) float32 cells -> (B,) float32 environment steps, mean over the ensemble."""
        ...
