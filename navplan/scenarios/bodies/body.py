"""Bodies: what kind a robot is, how large, and how fast it may move, speed up and turn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from navplan.errors import InvalidInput, did_you_mean
from navplan.kernels.motion.embodied import BodyTable
from navplan.kernels.motion.stepping import SUBSTEPS
from navplan.kernels.motion.trackers import follow
from navplan.system.arrays import Float64
from navplan.system.numbers import check_numbers
from navplan.system.words import said

MOST_TAIL = 8
"""Steps within which every body must be able to stop."""

DEFAULTS: Mapping[str, Mapping[str, float]] = {
    "point": {"tube": 0.0},
    "unicycle": {"max_accel": 1.0, "max_turn": 2.0, "max_turn_accel": 6.0, "tube": 0.05},
    "car": {"max_accel": 1.0, "min_turn_radius": 0.8, "max_steering": 3.0, "tube": 0.2},
    "double-integrator": {"max_accel": 1.0, "tube": 0.1},
    "quad": {"max_accel": 1.0, "lag": 0.2, "tube": 0.1},
}
"""Kind -> the limits that it has, and what they are unless stated otherwise; in the order of the kernels' numbers."""

KINDS = tuple(DEFAULTS)


@dataclass(frozen=True)
class Body:
    """One robot, a disc.

    A limit that its kind does not have is None and cannot be given; those of its kind have defaults, see `DEFAULTS`.

    Attributes:
        kind: "point" moves as it wishes; "unicycle" turns on the spot; "car" does not, and reverses; "double-integrator"
            speeds up in any direction; "quad" does so with a lag, as a quadrotor that has to tilt first.
        radius: cells.
        max_speed: cells per step, at most 1; of a point on each axis.
        max_accel: cells per step, per step.
        max_turn: radians per step.
        max_turn_accel: radians per step, per step.
        min_turn_radius: cells.
        max_steering: change of the curvature, 1 / cells per step.
        lag: steps in which the acceleration comes to within 1/e of what is asked for.
        tube: cells by which it may leave a course of straight lines; edges need that much more room.

    Raises:
        InvalidInput: no such kind, a limit that the kind does not have, a number out of range, or it cannot stop in time.

    Example:
        >>> Body("car", radius=0.35).min_turn_radius
        0.8
    """

    kind: str = "point"
    radius: float = 0.25
    max_speed: float = 1.0
    max_accel: float | None = None
    max_turn: float | None = None
    max_turn_accel: float | None = None
    min_turn_radius: float | None = None
    max_steering: float | None = None
    lag: float | None = None
    tube: float | None = None

    def __post_init__(self) -> None:
        check_body_kind(self.kind)
        limits = DEFAULTS[self.kind]
        for option in fields(self)[1:]:
            name, value = option.name, getattr(self, option.name)
            if name not in ("radius", "max_speed") and name not in limits:
                if value is not None:
                    raise InvalidInput(f"{self.kind}: {name} is given, expected none but {', '.join(options_of(self.kind))}")
                continue
            value = limits[name] if value is None and name in limits else value
            check_numbers(**{name: value})
            least = value >= 0 if name in ("lag", "tube") else value > 0
            if not (least and math.isfinite(value)):
                wanted = "a finite number that is not negative" if name in ("lag", "tube") else "a finite number above 0"
                raise InvalidInput(f"{self.kind}: {name} is {said(value)}, expected {wanted}")
            object.__setattr__(self, name, float(value))
        if self.max_speed > 1.0:
            raise InvalidInput(f"{self.kind}: max_speed is {self.max_speed:g}, expected at most 1 cell per step")
        if self.tail > MOST_TAIL:
            cause = "lower lag, or raise max_accel" if self.kind == "quad" else "raise max_accel"
            raise InvalidInput(f"{self.kind}: this body cannot stop within {MOST_TAIL} steps: {cause}")

    @property
    def number(self) -> int:
        """Of its kind, as `navplan.kernels.motion.trackers` has it."""
        return KINDS.index(self.kind)

    @property
    def has_heading(self) -> bool:
        """Whether it faces a way."""
        return self.kind in ("unicycle", "car")

    @property
    def limits(self) -> Float64:
        """(5,) float64 as `navplan.kernels.motion.trackers` has them."""
        curvature = 0.0 if self.min_turn_radius is None else 1.0 / self.min_turn_radius
        turn, quickness = self.max_turn or curvature, self.max_turn_accel or self.max_steering
        return np.array([self.max_speed, self.max_accel or 0.0, turn, quickness or 0.0, self.lag or 0.0])

    @cached_property
    def tail(self) -> int:
        """Environment steps after which it rests for certain when it brakes; `MOST_TAIL` + 1 for more.

        The braking of a body that accelerates with a lag depends on its acceleration too: the longest of some is taken.
        """
        if self.kind == "point":
            return 0
        limits = self.limits
        starts = [[0.0, self.max_speed, limits[2], 1.0]]
        if self.kind == "double-integrator":
            starts = [[self.max_speed, 0.0, 0.0, 0.0]]
        elif self.kind == "quad":
            angles = np.linspace(0.0, math.pi, 9)
            speeds, pushes = np.linspace(0.0, 1.0, 5) * self.max_speed, np.linspace(0.25, 1.0, 4) * limits[1]
            starts = [[v, 0.0, a * math.cos(t), a * math.sin(t)] for v in speeds for a in pushes for t in angles]
        return -(-(1 + max(self._braking(start) for start in starts)) // SUBSTEPS)  # one more for rounding

    def _braking(self, start: list[float]) -> int:
        """Sub-steps after which a body in this state stands when it brakes, as far as they are looked at."""
        most = MOST_TAIL * SUBSTEPS + 1
        steps, states = np.empty((most, 2)), np.empty((most, 4))
        follow(self.number, self.limits, np.array(start, np.float64), np.zeros((most, 2)), states, steps)
        moving = np.flatnonzero(steps.any(axis=1))
        return int(moving[-1]) + 2 if moving.size else 0


def check_body_kind(kind: object) -> None:
    """Raise InvalidInput unless there is such a kind of body."""
    if not isinstance(kind, str) or kind not in DEFAULTS:
        hint = did_you_mean(kind, KINDS) if isinstance(kind, str) else ""
        raise InvalidInput(f"body kind is {said(kind)}{hint}, expected {', '.join(KINDS)}")


def options_of(kind: str) -> tuple[str, ...]:
    """Names of the numbers that a body of this kind has."""
    return ("radius", "max_speed", *DEFAULTS[kind])


def stated(body: Body) -> dict[str, Any]:
    """The kind of a body and the numbers that it has."""
    return {"kind": body.kind, **{name: getattr(body, name) for name in options_of(body.kind)}}


def body_table(bodies: Sequence[Body]) -> BodyTable:
    """The bodies as kernels take them."""
    return BodyTable(
        np.array([body.number for body in bodies], np.int64),
        np.array([body.radius for body in bodies], np.float64),
        np.array([body.limits for body in bodies], np.float64).reshape(len(bodies), 5),
    )
