"""What a low level answers, checked: it may be anybody's."""

from __future__ import annotations

import numpy as np

from navplan.control.interface import LowLevel
from navplan.errors import InvalidInput
from navplan.system.arrays import Float32
from navplan.system.numbers import as_numbers, detached


def wished(low_level: LowLevel, here: Float32, aims: Float32, condition: Float32 | None = None) -> Float32:
    """(A, 2) float32 actions of all agents, one's own copy.

    Args:
        low_level: what drives them.
        here, aims: (A, 2) float32 where they are and are to go.
        condition: (A, C) float32 what it is told of their bodies, None for nothing.

    Raises:
        InvalidInput: it answers with something else than (A, 2) numbers.
    """
    name = type(low_level).__name__
    asked = low_level.act(here, aims) if condition is None else low_level.act(here, aims, condition)
    actions = np.array(as_numbers(detached(asked), f"the actions of {name}", np.float32))
    if actions.shape != here.shape:
        raise InvalidInput(f"the actions of {name} have shape {actions.shape}, expected {here.shape}, two numbers for each agent")
    return actions


def check_low_level(low_level: object) -> None:
    """Raise InvalidInput unless it can act."""
    if not callable(getattr(low_level, "act", None)):
        raise InvalidInput(
            f"what drives is a {type(low_level).__name__} without `act`, expected act(observations, goals, condition=None)"
        )
