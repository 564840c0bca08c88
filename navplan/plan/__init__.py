"""What is asked and what comes out: the problem, the plan, its price, and a check that shares no code with planners."""

from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import Problem
from navplan.plan.validation import validate, violations

__all__ = ["Plan", "Problem", "make_plan", "validate", "violations"]
