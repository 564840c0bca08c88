"""What a low level is told of the body that it drives, beside position and goal: its `condition` argument."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from navplan.errors import InvalidInput
from navplan.kernels.motion.embodied import BodyTable
from navplan.kernels.motion.trackers import CAR, UNICYCLE
from navplan.scenarios.bodies.body import KINDS
from navplan.system.arrays import Float32, Float64
from navplan.system.numbers import as_numbers

COMMAND = ("speed", "caution")
"""What a user asks for, 0 to 1 each: the share of full speed, and how careful to be."""

CONDITION: tuple[str, ...] = (
    *COMMAND,
    *(f"is_{kind.replace('-', '_')}" for kind in KINDS),
    "radius",
    "max_speed",
    "max_accel",
    "max_turn_or_curvature",
    "max_turn_accel_or_steering",
    "lag",
    "forward",
    "sideways",
    "turning",
)
"""Names of the columns: command, kind, limits, the velocity in the body's own frame (cells, cells, radians per step)."""


def conditions(bodies: BodyTable, states: Float64, command: Sequence[float] = (1.0, 0.0)) -> Float32:
    """What a low level is told of some bodies.

    Bodies without a heading have the world's frame: forward is along growing rows.

    Args:
        bodies: A of them, as `body_table` makes it.
        states: (A, 4) float64 as `navplan.kernels.motion.trackers` has them.
        command: as `COMMAND`.

    Returns:
        (A, C) float32, columns as `CONDITION`.

    Raises:
        InvalidInput: a command of another length, or out of range.
    """
    asked = as_numbers(command, "command", np.float64)
    if asked.shape != (len(COMMAND),) or not ((asked >= 0) & (asked <= 1)).all():
        raise InvalidInput(f"command is {asked.tolist()}, expected {' and '.join(COMMAND)} from 0 to 1")
    agents, first = len(bodies.kinds), len(COMMAND) + len(KINDS)
    out = np.zeros((agents, len(CONDITION)), np.float32)
    out[:, : len(COMMAND)] = asked
    out[np.arange(agents), len(COMMAND) + bodies.kinds] = 1.0
    out[:, first] = bodies.radii
    out[:, first + 1 : first + 6] = bodies.limits
    out[:, -3:] = own_velocity(bodies, states)
    return out


def own_velocity(bodies: BodyTable, states: Float64) -> Float64:
    """(..., A, 3) float64 velocity of each body in its own frame, forward, sideways, turning, from states (..., A, 4)."""
    unicycle, car = bodies.kinds == UNICYCLE, bodies.kinds == CAR
    wheels = unicycle | car
    forward = np.where(wheels, states[..., 1], states[..., 0])
    sideways = np.where(wheels, 0.0, states[..., 1])
    turning = np.where(unicycle, states[..., 2], np.where(car, states[..., 1] * states[..., 2], 0.0))
    return np.stack([forward, sideways, turning], axis=-1)
