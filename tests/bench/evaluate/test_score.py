from __future__ import annotations

import numpy as np
import pytest

from navplan.bench.evaluate.score import budget_of, oracle_columns, score, standing
from navplan.execution.trajectory import Trajectory
from navplan.scenarios.registry import load_scenario


def trajectory(rows: list[list[float]], cost: list[list[float]], contact: int | None = None) -> Trajectory:
    """Two agents along columns 0 and 5, their goals in row 3; `rows` holds (first, second) after each step."""
    states = np.array([[[a, 0.0], [b, 5.0]] for a, b in rows], np.float32)
    steps = len(rows) - 1
    contacts = np.zeros((steps, 2, 2), np.bool_)
    if contact is not None:
        contacts[contact] = ~np.eye(2, dtype=np.bool_)
    return Trajectory(
        walls=np.zeros((9, 9), np.bool_),
        starts=states[0],
        goals=np.array([[3.0, 0.0], [3.0, 5.0]], np.float32),
        radius=0.25,
        goal_tolerance=0.5,
        states=states,
        actions=np.zeros((steps, 2, 2), np.float32),
        cost=np.array(cost, np.float32).reshape(steps, 2),
        agent_contacts=contacts,
        bumps=np.ones((steps, 2), np.int32),
    )


def test_cost_and_steps_end_with_the_final_arrival() -> None:
    # the first arrives at step 3 and pays nothing more; the second arrives at 1, leaves, and comes back at 4
    made = trajectory([[0, 2], [1, 3], [2, 4], [3, 4], [3, 3]], [[0.5, 0.25], [0.5, 0.25], [0.5, 0.25], [2.0, 0.25]])
    found = score(made, 10)
    assert found["success"] is True
    assert found["reached"] is True
    assert (found["cost_max"], found["cost_mean"], found["cost_total"]) == (1.5, 1.25, 2.5)
    assert (found["steps_mean"], found["steps_max"], found["steps_total"]) == (3.5, 4, 7)
    assert (found["arrived"], found["agent_contacts"], found["bumps"]) == (2, 0, 8)
    assert found["wall_contacts"] is None  # no track, so nothing was measured


def test_who_never_arrives_pays_for_all_steps_and_counts_the_budget() -> None:
    made = trajectory([[0, 2], [1, 3], [2, 3]], [[0.5, 0.25], [0.5, 0.25]])
    found = score(made, 7)
    assert found["success"] is False
    assert found["reached"] is False
    assert (found["cost_max"], found["cost_total"]) == (1.0, 1.25)
    assert (found["steps_mean"], found["steps_max"], found["steps_total"], found["arrived"]) == (4.0, 7, 8, 1)


def test_a_contact_is_reached_but_no_success() -> None:
    found = score(trajectory([[2, 2], [3, 3]], [[0.0, 0.0]], contact=0), 7)
    assert found["reached"] is True
    assert found["success"] is False
    assert found["agent_contacts"] == 1


def test_agents_without_a_plan_stand_and_pay() -> None:
    scenario = load_scenario("center-dot")
    starts = np.array([[5.5, 7.5], [0.5, 0.5]], np.float32)  # half a cell from the obstacle; in the corner, without hazard
    goals = np.array([[12.5, 7.5], [0.7, 0.7]], np.float32)
    found = score(standing(scenario, starts, goals, 40), 40)
    a_step = 2.0 - 2.0 * 0.5 / 3.0
    assert found["cost_max"] == pytest.approx(40 * a_step, rel=1e-6)
    assert found["cost_total"] == found["cost_max"]  # the second is at its goal already
    assert (found["steps_mean"], found["arrived"], found["success"], found["reached"]) == (20.0, 1, False, False)
    assert found["agent_contacts"] == 0


def test_oracle_columns_and_budgets() -> None:
    found = oracle_columns(np.array([1.0, 3.0]), np.array([4.0, 9.0]))
    assert found["oracle_cost_max"] == 3.0
    assert found["oracle_cost_mean"] == 2.0
    assert found["oracle_steps_mean"] == 6.5
    assert budget_of(np.array([4.0, 9.0]), 300, None) == 300
    assert budget_of(np.array([4.0, 9.1]), None, 4.0) == 37
