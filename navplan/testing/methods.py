"""Is it a method: are its choices known, and does it bring two agents across an empty floor?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from navplan.control.interface import LowLevel
from navplan.control.straight_line import StraightLine
from navplan.navigation.methods import Method
from navplan.navigation.navigate import Navigation, navigate
from navplan.scenarios.scenario import Scenario
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Float32
from navplan.testing.faulty import Faulty, asked, require


class _Ruler:
    """Critics of an empty floor: straight lines, no risk; who drives goes straight."""

    scenario = "floor"

    def __init__(self, stage: int) -> None:
        self.stage = stage
        self.states: Float32 = np.random.default_rng(0).uniform(0.5, 7.5, (300, 2)).astype(np.float32)
        self.policies: Mapping[str, LowLevel] = {"policy": StraightLine(), "behaviour-cloning": StraightLine()}

    def evaluate(self, observations: Float32, goals: Float32) -> tuple[Float32, Float32]:
        return self.distance(observations, goals), np.zeros(len(observations), np.float32)

    def distance(self, observations: Float32, goals: Float32) -> Float32:
        return np.asarray(np.maximum(np.abs(goals - observations).max(axis=1), 1), np.float32)


def check_method(method: Method) -> None:
    """Navigate with it, on a floor of 8 x 8 cells with critics that measure straight lines.

    Raises:
        Faulty: it is no Method, names a planner, low level or value that is not known, or does not bring the agents home.
    """
    require(isinstance(method, Method), f"method is a {type(method).__name__}, expected a navplan.navigation.methods.Method")
    require(method.summary and "\n" not in method.summary, "method: its summary is no line of text")
    scenario = Scenario("floor", World.from_walls("floor", np.zeros((8, 8), bool)), 2, max_distance=2.5)
    starts, goals = [[1.0, 1.0], [1.0, 7.0]], [[7.0, 1.5], [7.0, 6.5]]
    critics = _Ruler(2 if method.constrained else 1)
    result: Navigation = asked("method", navigate, scenario, critics, starts, goals, method=method)
    if not result.success:
        why = result.plan.reason if result.plan is not None and not result.plan.solved else "agents did not arrive"
        raise Faulty(f"method: two agents do not cross an empty floor: {why}")
