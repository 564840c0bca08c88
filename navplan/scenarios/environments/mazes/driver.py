"""The scripted driver of a maze's bodies: it knows how they move, and no walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from navplan.errors import InvalidInput
from navplan.kernels.motion.goal_maze import CAR, POINT, head_all
from navplan.system.arrays import Float32
from navplan.system.numbers import as_numbers, check_choice

KINDS = ("pointmaze", "carmaze")


@dataclass(frozen=True)
class ScriptedDriver:
    """A low level that goes straight to a place; privileged, for it knows the body.

    Attributes:
        kind: "pointmaze" or "carmaze".

    Raises:
        InvalidInput: another kind.

    Example:
        >>> ScriptedDriver("pointmaze").act(np.zeros((1, 2)), np.array([[0.0, 5.0]])).round(3).tolist()
        [[0.0, 1.0]]
    """

    kind: str

    def __post_init__(self) -> None:
        check_choice("kind", self.kind, KINDS)

    def act(self, observations: Float32, goals: Float32, condition: Float32 | None = None) -> Float32:
        """Actions (B, 2) float32 for observations (B, D) of the kind's mazes and places (B, 2); takes no condition.

        Raises:
            InvalidInput: another shape, or a condition.
        """
        if condition is not None:
            raise InvalidInput("the scripted driver takes no condition")
        seen, places = as_numbers(observations, "observations"), np.ascontiguousarray(as_numbers(goals, "goals"))
        width = 5 if self.kind == "carmaze" else 2
        if seen.ndim != 2 or seen.shape[1] != width:
            raise InvalidInput(f"observations have shape {seen.shape}, expected (B, {width})")
        if places.shape != (len(seen), 2):
            raise InvalidInput(f"goals have shape {places.shape}, expected ({len(seen)}, 2): places")
        states = np.zeros((len(seen), 4))
        states[:, :2] = seen[:, :2]
        if self.kind == "carmaze":
            states[:, 2], states[:, 3] = np.arctan2(seen[:, 3], seen[:, 2]), seen[:, 4]
        actions = np.empty((len(seen), 2), np.float32)
        head_all(CAR if self.kind == "carmaze" else POINT, states, places, actions)
        return actions
