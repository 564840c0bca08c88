"""What one run is worth: success, contacts, costs and steps of all agents, whatever became of them.

Every method is scored alike, over all problems, failures included, and nothing is put in a failure's place. An agent's cumulative
cost and its steps end with its final arrival; an agent that never arrives pays for all its steps, and its steps are the budget. A
method that finds no plan leaves its agents where they are: they stand at their starts for the whole budget and pay for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from navplan.execution.trajectory import Trajectory

if TYPE_CHECKING:
    from navplan.scenarios.environments.point import Outline
    from navplan.scenarios.scenario import Scenario


def score(trajectory: Trajectory, budget: int) -> dict[str, Any]:
    """Columns of one run.

    Args:
        trajectory: what happened, at most `budget` steps; fewer where all agents had arrived.
        budget: steps that every agent had.

    Returns:
        success, reached, agent_contacts (pairs, once per step), cost_max, cost_mean, cost_total over agents, steps_mean,
        steps_max, steps_total (the budget for an agent that never arrives), arrived (how many), wall_contacts (agents and
        half-steps), bumps.
    """
    arrival = trajectory.arrival
    steps = np.where(arrival >= 0, arrival, budget)
    cost = trajectory.cost_until_arrival
    return {
        "success": trajectory.success,
        "reached": trajectory.reached,
        "agent_contacts": trajectory.num_agent_contacts,
        "cost_max": float(cost.max()),
        "cost_mean": float(cost.mean()),
        "cost_total": float(cost.sum()),
        "steps_mean": float(steps.mean()),
        "steps_max": int(steps.max()),
        "steps_total": int(steps.sum()),
        "arrived": int((arrival >= 0).sum()),
        "wall_contacts": trajectory.num_wall_contacts,
        "bumps": int(trajectory.bumps.sum()),
    }


def oracle_columns(cost: NDArray[np.floating], steps: NDArray[np.floating]) -> dict[str, float]:
    """What was possible for the problem's agents, each alone on the map.

    Args:
        cost: (A,) cheapest possible cumulative cost of each agent.
        steps: (A,) steps of the fastest path of each agent.
    """
    return {
        "oracle_cost_max": float(cost.max()),
        "oracle_cost_mean": float(cost.mean()),
        "oracle_cost_total": float(cost.sum()),
        "oracle_steps_mean": float(steps.mean()),
        "oracle_steps_max": float(steps.max()),
    }


def standing(scenario: Scenario, starts: ArrayLike, goals: ArrayLike, budget: int, body: Outline = "disc") -> Trajectory:
    """What happens when nobody moves: `budget` steps at the starts, each as the environment charges it."""
    from navplan.execution.simulator import Decision, make_step, record
    from navplan.navigation.navigate import make_env
    from navplan.plan.plan import Plan

    env = make_env(scenario, starts, goals, body=body)
    begin = env.states[0].copy()
    agents = len(begin)
    plan = Plan("unsolved", "none", agents, reason="nobody moves")
    still = np.zeros((1, agents, 2), np.float32)
    # Nothing changes from step to step, so one is simulated for all.
    result = env.step(still)
    step = make_step(0, result, Decision(still[0], begin, np.zeros(agents), plan), env)
    return record(env, begin, [step] * budget, plan)


def budget_of(oracle_steps: NDArray[np.floating], budget: int | None, factor: float | None) -> int:
    """Steps of every agent: `budget`, or `factor` times the oracle steps of the slowest agent, rounded up."""
    if budget is not None:
        return budget
    assert factor is not None  # a suite has one of them
    return int(np.ceil(factor * float(oracle_steps.max())))
