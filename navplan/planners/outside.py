"""Plans of planners that navplan did not ship are checked before they are believed."""

from __future__ import annotations

from typing import Any

from navplan.errors import InvalidInput
from navplan.plan.plan import STATUSES, Plan, make_plan
from navplan.plan.problem import Problem
from navplan.plan.validation import violations
from navplan.system.words import said


def is_outside(kind: type[Any]) -> bool:
    """Whether a planner's class is written elsewhere than in navplan."""
    return kind.__module__.partition(".")[0] != "navplan"


def believed(plan: object, problem: Problem, planner: str) -> Plan:
    """The plan of a planner from outside, or one that is unsolved for the first thing that is wrong with it."""
    fault = fault_of(plan, problem)
    if fault is None and isinstance(plan, Plan):
        return plan
    return make_plan(problem, planner, "unsolved", reason=f"planner {planner} is at fault: {fault}")


def fault_of(plan: object, problem: Problem) -> str | None:
    """What is wrong with what a planner returned, in one line; None where nothing is."""
    if not isinstance(plan, Plan):
        return f"it returned {type(plan).__name__}, expected a Plan, see navplan.planners.attempt"
    if plan.status not in STATUSES:
        return f"its plan has status {said(plan.status)}, expected one of {', '.join(STATUSES)}"
    if plan.num_agents != problem.num_agents:
        return f"its plan is for {plan.num_agents} agents, the problem has {problem.num_agents}"
    if not plan.solved:
        return None
    try:
        first = next(iter(violations(plan, problem)), None)
    except (InvalidInput, TypeError, ValueError, IndexError, AttributeError) as error:
        return f"its plan cannot be checked ({type(error).__name__}: {' '.join(str(error).split())})"
    return None if first is None else str(first.message)
