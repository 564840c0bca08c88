"""What is driven, by what and where: checked before anything moves."""

from __future__ import annotations

from navplan.control.asking import check_low_level
from navplan.errors import InvalidInput
from navplan.plan.plan import Plan
from navplan.system.numbers import check_kind, check_whole

_NEEDED = ("states", "goals", "radius", "goal_tolerance", "step", "predict")


def check_driven(plan: object, low_level: object, env: object, max_steps: object) -> None:
    """Raise InvalidInput for a plan that is none, a low level that cannot act, an environment that lacks what is asked of it."""
    check_kind(plan, Plan, "plan", "a Plan, as solve returns it")
    check_low_level(low_level)
    for name in _NEEDED:
        if not hasattr(env, name):
            raise InvalidInput(f"environment {type(env).__name__} has no `{name}`, expected {', '.join(_NEEDED)} and track")
    check_whole(max_steps=max_steps)
