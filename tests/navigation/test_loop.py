"""Ctrl-C in every way of driving leaves a navigation around what was driven."""

from __future__ import annotations

import numpy as np
import pytest

from navplan.control.straight_line import StraightLine
from navplan.execution.drive import Interrupted
from navplan.navigation.navigate import navigate
from navplan.scenarios.scenario import Scenario
from navplan.scenarios.worlds.world import Hazard, World
from tests.support.critics import AnalyticCritics


class Tired:
    """Straight-line control that is interrupted when asked for the third time."""

    asked = 0

    def act(self, observations, goals, condition=None):
        self.asked += 1
        if self.asked == 3:
            raise KeyboardInterrupt
        return StraightLine().act(observations, goals)


@pytest.mark.parametrize("method", ["navplan", "sorb", "policy"])
def test_ctrl_c_leaves_what_was_driven(method: str) -> None:
    scenario = Scenario("hall", World.from_walls("hall", np.zeros((6, 11), bool), Hazard("linear", 1.0)), 1)
    critics = AnalyticCritics(scenario.world, 60, policy=Tired())
    with pytest.raises(Interrupted) as caught:
        navigate(scenario, critics, [[1.5, 1.5]], [[1.5, 9.5]], method=method, graph_nodes=40)
    result = caught.value.result
    assert (result.method, result.reason, result.trajectory.num_steps) == (method, "interrupted", 2)
    assert (result.plan is None) == (method == "policy")
    assert not result.success
