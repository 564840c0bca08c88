"""What may go wrong between a decision and what comes of it: noise, lost moves, moves that come late."""

from __future__ import annotations

import math
from dataclasses import dataclass

from navplan.errors import InvalidInput

CUT = 2.0
"""Standard deviations at which normal noise is cut off: draws beyond are drawn again, so that a margin can cover all of it."""


@dataclass(frozen=True)
class Disturbance:
    """What goes wrong.

    Attributes:
        action_noise: standard deviation of the normal noise on each axis of every move, resting agents included, cells.
        localisation_noise: of the noise on each axis of every position that agents are told, cells.
        lost_moves: probability that an agent's move is not made at all.
        late: steps by which moves come late; agents rest until the first.

    Raises:
        InvalidInput: a number is out of range.
    """

    action_noise: float = 0.0
    localisation_noise: float = 0.0
    lost_moves: float = 0.0
    late: int = 0

    def __post_init__(self) -> None:
        for name in ("action_noise", "localisation_noise"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InvalidInput(f"{name} is {value!r}, expected a finite number of cells, at least 0")
        if not 0 <= self.lost_moves < 1:
            raise InvalidInput(f"lost_moves is {self.lost_moves!r}, expected a probability below 1")
        if self.late != int(self.late) or self.late < 0:
            raise InvalidInput(f"late is {self.late!r}, expected a number of steps, at least 0")

    @property
    def action_bound(self) -> float:
        """Most that noise adds to a move, cells per axis."""
        return CUT * self.action_noise

    @property
    def localisation_bound(self) -> float:
        """Most that a position is told wrongly by, cells per axis."""
        return CUT * self.localisation_noise

    @property
    def stray(self) -> float:
        """Most that noise takes a move off, cells."""
        return math.sqrt(2.0) * self.action_bound

    @property
    def reach(self) -> float:
        """Most that one move and one told position can be off together, cells."""
        return self.stray + math.sqrt(2.0) * self.localisation_bound


CALM = Disturbance()
"""Nothing goes wrong."""
