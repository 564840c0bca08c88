"""Who drives, as a structural type."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from navplan.system.arrays import Float32


@runtime_checkable
class LowLevel(Protocol):
    """What turns a state and a goal into an action, shared by all agents: a learned policy, straight-line control, …

    One whose attribute `conditioned` is True is told of the bodies that it drives, by the condition that the environment states
    (`navplan.scenarios.bodies.condition`): what the user commands, kind and limits of each body, its velocity in its own frame.
    """

    def act(self, observations: Float32, goals: Float32, condition: Float32 | None = None) -> Float32:
        """Actions for a batch of agents.

        Args:
            observations: (B, D) float32 states in cell units, (row, col).
            goals: (B, D) float32 goals in cell units.
            condition: (B, C) float32 extra conditioning, or None; a low level that takes none refuses any.

        Returns:
            (B, 2) float32 in [-1, 1]: displacement wished for in one environment step, cells per axis.
        """
        ...


@runtime_checkable
class Controller(Protocol):
    """What drives one kind of robot by what it observes, whatever its observations and actions are."""

    def act(self, observations: NDArray[Any], goals: NDArray[Any]) -> NDArray[Any]:
        """(B, …) observations and (B, G) goals -> (B, A) actions, as the robot takes them."""
        ...
