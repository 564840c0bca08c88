"""The paper's published table, and its own way of scoring applied to our runs; both for comparison only.

The published scoring differs from ours (`score.py`) in five ways, all kept here: contacts between agents are not looked at; 300
calls are shared by all agents, each agent's steps taking one, with one more for every agent after the last; the cost is averaged
over successful problems only; a problem for which no plan was found takes the result of the same policy without search; and of
the five pruning factors the one that does best on the test problems is reported, for each row anew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from navplan.bench.evaluate.summary import Bootstrap, Estimate, SettingRuns, headline
from navplan.bench.tables import Record

SHARED_CALLS = 300
FALLBACK: Mapping[str, str] = {"constrained-search": "constrained-policy", "navplan": "constrained-policy", "sorb": "policy"}
"""Whose result takes the place of a failed plan."""
# Statuses of a run that never began for want of a plan.
DRIVEN = ("success", "contact", "not-reached")


@dataclass(frozen=True)
class Published:
    """A published figure: mean and standard deviation of the cost (the latter may be unknown), success in percent, source."""

    cost: float
    spread: float | None
    success: int | None
    source: str


_TABLE = "Table of the paper, 2-D navigation"
_NOTEBOOK = "the paper's released notebook, not in its table"
# difficulty, agents: unconstrained policy, SoRB + CBS, constrained policy, the paper's method; cost, spread, success in percent
_ROWS: dict[tuple[str, int], tuple[tuple[float, float, int] | None, ...]] = {
    ("easy", 1): ((0.46, 1.05, 100), (1.38, 2.62, 100), (0.47, 1.07, 100), (0.49, 1.06, 100)),
    ("easy", 5): (None, (6.39, 4.66, 100), None, (1.68, 1.21, 100)),
    ("easy", 10): (None, (8.69, 4.05, 100), None, (2.24, 1.03, 100)),
    ("easy", 20): (None, (10.51, 3.57, 100), None, (2.72, 0.80, 100)),
    ("medium", 1): ((1.58, 2.03, 100), (2.30, 3.02, 100), (1.58, 2.01, 100), (1.59, 1.99, 100)),
    ("medium", 5): (None, (5.12, 3.65, 100), None, (3.09, 1.50, 100)),
    ("medium", 10): (None, (7.27, 3.66, 98), None, (4.11, 1.48, 98)),
    ("medium", 20): (None, (8.73, 3.73, 98), None, (4.78, 1.33, 98)),
    ("hard", 1): ((3.98, 4.40, 100), (4.05, 4.19, 100), (4.19, 4.23, 100), (3.09, 3.87, 100)),
    ("hard", 5): (None, (8.58, 3.79, 100), None, (6.01, 1.96, 100)),
    ("hard", 10): (None, (10.77, 3.51, 100), None, (7.24, 1.52, 100)),
    ("hard", 20): (None, (11.96, 3.31, 100), None, (8.36, 1.58, 100)),
}
_METHODS = ("policy", "sorb", "constrained-policy", "constrained-search")
# Policies without search were run for several agents too, but their column in the table says "n/a".
_UNPRINTED = {
    ("hard", 5): {"policy": 8.88, "constrained-policy": 8.49},
    ("hard", 10): {"policy": 11.83, "constrained-policy": 10.23},
    ("hard", 20): {"policy": 14.91, "constrained-policy": 11.41},
}
FACTORS = (0.1, 0.25, 0.5, 0.75, 1.0)
SWEEP: Mapping[int, tuple[float, ...]] = {
    1: (3.09, 3.31, 3.23, 3.41, 3.58),
    5: (7.82, 6.61, 6.01, 6.85, 7.09),
    10: (9.95, 8.76, 7.24, 8.38, 8.78),
    20: (11.41, 11.13, 8.36, 9.69, 9.93),
}
"""Cost of the paper's method on hard problems, by agents, for each of `FACTORS`; from its released notebook."""


def published(map_name: str, difficulty: str, agents: int, method: str) -> Published | None:
    """What the paper says of a method, if it says something; navplan is not in it."""
    if map_name != "center-dot" or method not in _METHODS:
        return None
    found = _ROWS.get((difficulty, agents), (None,) * 4)[_METHODS.index(method)]
    if found is not None:
        return Published(*found, _TABLE)
    cost = _UNPRINTED.get((difficulty, agents), {}).get(method)
    return None if cost is None else Published(cost, None, None, _NOTEBOOK)


@dataclass(frozen=True)
class PaperScore:
    """What the paper's scoring says of a setting in a cell.

    Attributes:
        success: share of problems; cost: over the successful ones.
        replaced: share of runs that another method's result stands in for.
        setting: the one chosen on the test problems.
    """

    success: float
    cost: Estimate
    replaced: float
    setting: str


def paper_score(candidates: Sequence[SettingRuns], fallback: SettingRuns | None, bootstrap: Bootstrap) -> PaperScore | None:
    """The paper's scoring of a method in a cell: the best of its settings by cost, failed plans replaced.

    Args:
        candidates: the method's settings, on the same problems.
        fallback: the policy without search on the same problems; without it, where a plan failed, nothing can be said.

    Returns:
        None where a failed plan has no replacement.
    """
    scored = [found for group in candidates if (found := _scored(group, fallback, bootstrap)) is not None]
    if not scored:
        return None
    return min(scored, key=lambda one: (math.inf if math.isnan(one.cost.value) else one.cost.value, -one.success))


def _scored(group: SettingRuns, fallback: SettingRuns | None, bootstrap: Bootstrap) -> PaperScore | None:
    spare = {} if fallback is None else {(row["train_seed"], row["problem"]): row for line in fallback.rows for row in line}
    replaced = np.array([[float(row["status"] not in DRIVEN) for row in line] for line in group.rows])
    lines: list[list[Record]] = []
    for line in group.rows:
        lines.append([])
        for row in line:
            taken = row if row["status"] in DRIVEN else spare.get((row["train_seed"], row["problem"]))
            if taken is None:
                return None
            lines[-1].append(taken)
    limit = SHARED_CALLS + group.where[2]
    success = np.array([[float(row["reached"] and row["steps_total"] <= limit) for row in line] for line in lines])
    cost = np.array([[float(row["cost_max"]) for row in line] for line in lines])
    return PaperScore(headline(success), bootstrap.of(cost * success, success), float(replaced.mean()), group.setting)
