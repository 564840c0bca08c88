"""What a low level is told of bodies."""

from __future__ import annotations

import math

import numpy as np
import pytest

from navplan.errors import InvalidInput
from navplan.scenarios.bodies.body import Body, body_table
from navplan.scenarios.bodies.condition import CONDITION, conditions
from navplan.scenarios.environments.point import PointEnv
from navplan.scenarios.registry import load_scenario

TABLE = body_table([Body("car", radius=0.3), Body("quad"), Body("unicycle")])
STATES = np.array([[1.0, 0.5, 0.8, 1.0], [0.3, -0.4, 1.0, 1.0], [2.0, 0.7, -1.5, 0.0]])


def column(values: np.ndarray, name: str) -> list[float]:
    return values[:, CONDITION.index(name)].tolist()


def test_columns_say_what_they_are_named_for() -> None:
    told = conditions(TABLE, STATES, (0.5, 0.25))
    assert told.shape == (3, len(CONDITION))
    assert told.dtype == np.float32
    assert column(told, "speed") == [0.5] * 3
    assert column(told, "caution") == [0.25] * 3
    assert column(told, "is_car") == [1, 0, 0]
    assert column(told, "is_quad") == [0, 1, 0]
    assert column(told, "radius") == pytest.approx([0.3, 0.25, 0.25])
    assert column(told, "max_turn_or_curvature") == pytest.approx([1.25, 0, 2])
    assert column(told, "lag") == pytest.approx([0, 0.2, 0])
    assert column(told, "forward") == pytest.approx([0.5, 0.3, 0.7])
    assert column(told, "sideways") == pytest.approx([0, -0.4, 0])
    assert column(told, "turning") == pytest.approx([0.4, 0, -1.5])


@pytest.mark.parametrize("command", [(1.0,), (1.0, 2.0), (math.nan, 0.0)])
def test_a_command_out_of_range_is_refused(command: tuple[float, ...]) -> None:
    with pytest.raises(InvalidInput, match="expected speed and caution from 0 to 1"):
        conditions(TABLE, STATES, command)


def test_points_are_told_of_as_well() -> None:
    env = PointEnv(load_scenario("center-dot").world, num_agents=2, radius=0.4, rng=0)
    told = env.condition()
    assert column(told, "is_point") == [1, 1]
    assert column(told, "radius") == pytest.approx([0.4, 0.4])
    assert not told[:, -3:].any()
