"""Starts and goals for a scenario: its own, or drawn at the paper's hard distance."""

from __future__ import annotations

import numpy as np

from navplan.errors import InvalidInput
from navplan.scenarios.problems.draw import draw_problem
from navplan.scenarios.scenario import Scenario
from navplan.scenarios.worlds.geodesic import diameter, occupied_centres
from navplan.system.arrays import Float32


def draw_hard(scenario: Scenario, agents: int, seed: int) -> tuple[Float32, Float32]:
    """Starts and goals (A, 2) at half the map's diameter, give or take half a step, with room for the scenario's bodies.

    Raises:
        InvalidInput: no room for so many agents.
    """
    half = diameter(occupied_centres(scenario.world)) / 2
    spacing = 2.0 * scenario.radius + 2.0 * scenario.goal_tolerance
    return draw_problem(
        scenario.world,
        agents,
        np.random.default_rng(seed),
        distance=(half - 0.5, half + 0.5),
        start_spacing=max(1.0, 2.0 * scenario.radius),
        goal_spacing=max(1.5, spacing),
        radius=scenario.radius,
    )


def starts_and_goals(scenario: Scenario, agents: int | None, seed: int) -> tuple[Float32, Float32]:
    """The scenario's own starts and goals (A, 2), the first `agents` of them, or drawn ones where it has none.

    Raises:
        InvalidInput: more agents than the scenario places, or than there is room for.
    """
    if scenario.starts is None or scenario.goals is None:
        return draw_hard(scenario, agents or scenario.num_agents, seed)
    count = agents or len(scenario.starts)
    if count > len(scenario.starts):
        raise InvalidInput(
            f"scenario {scenario.name!r} places {len(scenario.starts)} agents, expected at most that many, got {count}"
        )
    return scenario.starts[:count], scenario.goals[:count]
