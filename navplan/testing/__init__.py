"""For authors of parts: each check takes a part as navplan would find it and raises `Faulty`, one line, at the first thing wrong.

Example:
    >>> from navplan.testing import check_planner
    >>> check_planner("cbs")
"""

from __future__ import annotations

from navplan.testing.critics import check_critic
from navplan.testing.driving import check_environment, check_low_level
from navplan.testing.faulty import Faulty
from navplan.testing.methods import check_method
from navplan.testing.modules import check_module
from navplan.testing.planners import check_planner

check_critics = check_critic

__all__ = [
    "Faulty",
    "check_critic",
    "check_critics",
    "check_environment",
    "check_low_level",
    "check_method",
    "check_module",
    "check_planner",
]
