"""Which risk aversion is asked for, and which scene answers it: planned while the slider moves, driven once it rests."""

from __future__ import annotations

import bisect
import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from navplan.errors import InvalidInput, NavplanError
from navplan.execution.trajectory import Trajectory
from navplan.plan.plan import Plan
from navplan.viewer.scene import Scene
from navplan.viewer.worker_thread import Answer, WorkerThread

OnRiskAversion = Callable[[float], Plan | None]
OnDrive = Callable[[float], Trajectory | None]

TOP = 10.0
SOFT = 0.5
"""The scale is linear well below this value and logarithmic well above it."""
STOPS = (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0)
"""Where keys stop."""
TICKS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
REST = 0.4
"""Seconds without another key until the slider counts as let go."""
SLOW = 0.3
"""Seconds after which waiting for a plan is worth a word."""


@dataclass(frozen=True)
class Scale:
    """Values from 0 to `top` on a line from 0 to 1; `default` is marked, and catches what comes near it."""

    default: float
    top: float = TOP

    @classmethod
    def around(cls, default: float) -> Scale:
        """Long enough for `default`.

        Raises:
            InvalidInput: it is negative or not finite.
        """
        if not (math.isfinite(default) and default >= 0):
            raise InvalidInput(f"risk aversion is {default!r}, expected a finite number that is not negative")
        return cls(float(default), max(TOP, float(default)))

    def share(self, value: float) -> float:
        """Where a value lies, 0 to 1."""
        return math.log1p(value / SOFT) / math.log1p(self.top / SOFT)

    def value(self, share: float, catch: float = 0.0) -> float:
        """The value at a place, rounded to what a hand can aim at; the default within `catch` of its place."""
        share = min(max(share, 0.0), 1.0)
        if abs(share - self.share(self.default)) <= catch:
            return self.default
        exact = SOFT * math.expm1(share * math.log1p(self.top / SOFT))
        grain = 0.05 if exact < 1 else 0.1 if exact < 5 else 0.5
        return min(round(round(exact / grain) * grain, 2), self.top)

    def beside(self, value: float, by: int) -> float:
        """The next stop above (`by` 1) or below (-1)."""
        stops = sorted({*STOPS, self.default, self.top})
        index = bisect.bisect_right(stops, value) if by > 0 else bisect.bisect_left(stops, value) - 1
        return stops[min(max(index, 0), len(stops) - 1)]


class RiskChoice:
    """The value of the slider and the scene to show for it.

    Plans and motions are made in a thread. An answer to a question older than the one that the scene answers is kept for
    later and not shown; so is a motion for a value that the slider has left.

    Args:
        scene: as planned, and driven, with `value`.
        on_risk_aversion: plans again with another weight of risk; None or an unsolved plan where there is none.
        on_drive: drives with that weight; None: nothing is driven, and agents move along their planned paths.
        value: the weight that `scene` was planned with.
    """

    def __init__(
        self, scene: Scene, on_risk_aversion: OnRiskAversion, on_drive: OnDrive | None = None, value: float = 4.0
    ) -> None:
        self.scale = Scale.around(value)
        self.value = self.shown = self.scale.default
        self.scene = self.first = scene
        self.failure = ""
        self.held = False
        self.worker = WorkerThread()
        self._on_risk_aversion, self._on_drive = on_risk_aversion, on_drive
        self._scenes: dict[float, Scene] = {self.value: scene}
        self._settled = {self.value} if scene.trajectory is not None or on_drive is None else set()
        self._asked = self._answered = 0
        self._driving: float | None = None
        self._waited = 0.0
        self._rest: float | None = None
        self.largest_risk = float(max(scene.planned_risk, default=0.0))

    @property
    def state(self) -> Literal["driven", "planned", "driving", "planning", "failed"]:
        """What the scene is, seen from the slider."""
        if self.failure:
            return "failed"
        if self.shown != self.value:
            return "planning"
        if self.scene.trajectory is not None:
            return "driven"
        return "driving" if self._driving == self.value else "planned"

    @property
    def unsettled(self) -> bool:
        """Whether the scene will soon be replaced: the slider is held, or something is planned or driven."""
        if self.failure and not self.held:
            return False
        return self.held or self.shown != self.value or (self._on_drive is not None and self.value not in self._settled)

    @property
    def drives(self) -> bool:
        """Whether what is planned will also be driven."""
        return self._on_drive is not None

    @property
    def slow(self) -> bool:
        """Whether a plan has kept people waiting."""
        return self.state == "planning" and self._waited >= SLOW

    def warm_up(self) -> None:
        """Plan the first value again and forget the answer: what compiles does so before somebody waits for it."""
        value = self.scale.default
        self.worker.ask((0, value, "warm-up"), lambda: self._on_risk_aversion(value))

    def choose(self, value: float) -> None:
        """Move the slider; the routes follow."""
        if value == self.value:
            return
        self.value, self.failure, self._waited, self._rest, self._driving = value, "", 0.0, None, None
        self._asked += 1
        if value in self._scenes:
            self._show(self._asked, value)
        else:
            self.worker.ask((self._asked, value, "plan"), lambda: self._on_risk_aversion(value))

    def step(self, by: int) -> None:
        """Move to the next stop, by a key; after a short rest the slider counts as let go."""
        self.choose(self.scale.beside(self.value, by))
        self._rest = REST

    def hold(self) -> None:
        """The slider is being dragged: nothing is driven until it is let go."""
        self.held, self._rest = True, None

    def let_go(self) -> None:
        """The slider stays where it is: drive."""
        self.held, self._rest = False, 0.0

    def update(self, seconds: float) -> bool:
        """Let time pass and take what has been planned and driven; True when there is something else to see.

        Raises:
            Exception: whatever a callback raised, other than navplan's own errors, which are told in the panel.
        """
        before = (self.scene, self.state, self.slow, self.failure)
        self._waited += seconds
        for answer in self.worker.answers():
            self._take(answer)
        if self._rest is not None:
            self._rest = max(self._rest - seconds, 0.0)
            if self._rest == 0.0 and self.shown == self.value:
                self._rest = None
                self._drive()
        return before != (self.scene, self.state, self.slow, self.failure)

    def _drive(self) -> None:
        on_drive, value = self._on_drive, self.value
        if on_drive is not None and value not in self._settled and not self.failure:
            self._driving = value
            self.worker.ask((self._asked, value, "drive"), lambda: on_drive(value))

    def _take(self, answer: Answer) -> None:
        number, value, kind = answer.question
        if answer.error is not None and not isinstance(answer.error, NavplanError):
            raise answer.error
        if kind == "warm-up":
            return
        if kind == "drive":
            self._take_motion(value, answer)
            return
        plan = answer.value
        if answer.error is None and isinstance(plan, Plan) and plan.paths:
            first = self.first
            self._scenes[value] = dataclasses.replace(
                first,
                plan=plan,
                trajectory=None,
                starts=first.start_points,
                goals=first.goal_points,
                radius=first.radii,
                goal_tolerance=first.tolerance,
            )
            if number > self._answered:
                self._show(number, value)
        elif value == self.value:
            why = str(answer.error) if answer.error is not None else (plan.reason or plan.status) if plan is not None else ""
            self.failure = f"no plan with beta = {value:g}" + (f": {why}" if why else "")

    def _take_motion(self, value: float, answer: Answer) -> None:
        if self._driving == value:
            self._driving = None
        self._settled.add(value)
        if isinstance(answer.value, Trajectory):
            self._scenes[value] = dataclasses.replace(self._scenes[value], trajectory=answer.value)
        if value == self.value:
            self._show(self._asked, value)
            if not isinstance(answer.value, Trajectory):
                self.failure = str(answer.error) if answer.error is not None else f"not driven with beta = {value:g}"

    def _show(self, number: int, value: float) -> None:
        self._answered, self.shown = number, value
        self.scene = self._scenes[value]
        self.largest_risk = max(self.largest_risk, float(max(self.scene.planned_risk, default=0.0)))
