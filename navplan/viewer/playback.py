"""How a scene's motion is played: where it stands, whether it runs, and how fast."""

from __future__ import annotations

import math

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
STEPS_PER_SECOND = 4.0
"""At speed 1."""


class Playback:
    """Time in steps, from 0 to the last step, which passes while it plays.

    Args:
        steps: of the motion; 0: nothing moves and nothing plays.

    Attributes:
        time: where it stands, between two steps too.
        playing: whether time passes.
        speed: one of `SPEEDS`.
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.time = 0.0
        self.playing = steps > 0
        self.speed = 1.0
        self._left: tuple[float, bool] | None = None

    def toggle(self) -> None:
        """Play or pause; at the end, play from the start."""
        if self.steps == 0:
            return
        if not self.playing and self.time >= self.steps:
            self.time = 0.0
        self.playing = not self.playing

    def restart(self) -> None:
        """Play from the start."""
        self.time, self.playing = 0.0, self.steps > 0

    def pause_at(self, time: float) -> None:
        """Pause and go to a time, or to the end that it lies beyond."""
        self.playing, self.time = False, min(max(time, 0.0), float(self.steps))

    def step(self, by: int) -> None:
        """Pause and go to the next or the previous whole step."""
        whole = int(self.time)
        self.pause_at(whole + by if by > 0 or self.time == whole else whole)

    def faster(self, by: int) -> None:
        """The next speed up, or down where `by` is negative."""
        self.speed = SPEEDS[min(max(SPEEDS.index(self.speed) + by, 0), len(SPEEDS) - 1)]

    def pass_time(self, seconds: float) -> None:
        """Let time pass where it plays; at the end it stops."""
        if self.playing:
            self.time = min(self.time + seconds * STEPS_PER_SECOND * self.speed, float(self.steps))
            self.playing = self.time < self.steps

    def wait(self) -> None:
        """Wait at the start for another motion; `resume` goes on. Waiting already: nothing."""
        if self._left is None:
            ended = self.steps > 0 and self.time >= self.steps
            self._left = (math.inf if ended else self.time, self.playing)
            self.time, self.playing = 0.0, False

    def change(self, steps: int) -> None:
        """Another motion, of so many steps."""
        self.steps = steps
        self.time = min(self.time, float(steps))

    def resume(self) -> None:
        """After waiting: what played plays from the start, what was paused stands where it was, at the end at the new end."""
        if self._left is not None:
            time, playing = self._left
            self._left = None
            self.playing = playing and self.steps > 0
            self.time = 0.0 if playing else min(time, float(self.steps))
