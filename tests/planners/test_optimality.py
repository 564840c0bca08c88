"""CBS against a joint-state oracle on 780 random small instances; ECBS within its bound on the same."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from navplan.plan.problem import Problem
from navplan.plan.validation import validate
from navplan.planners.solving import solve
from tests.support.instances import interact, random_digraph, random_grid, tight_grid
from tests.support.naive import planning as naive

ORACLE_LIMIT = 20_000


def instances(kind: str, count: int) -> Iterator[tuple[Problem, float]]:
    """Problems whose agents meet, with their optimal costs; those too large for the oracle, or without a plan, are redrawn."""
    rng = np.random.default_rng([2026, len(kind)])
    found = 0
    while found < count:
        if kind == "grid":
            problem = random_grid(rng)
        else:
            problem = tight_grid(rng) if kind == "tight" else random_digraph(rng, float(kind))
        if problem is None or not interact(problem):
            continue
        optimum = naive.joint_optimum(problem, ORACLE_LIMIT)
        if optimum is not None and math.isfinite(optimum):
            found += 1
            yield problem, optimum


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "count"), [("grid", 280), ("tight", 280), ("0.0", 120), ("0.25", 100)])
def test_cbs_costs_what_the_joint_state_oracle_says(kind: str, count: int) -> None:
    w = 1.1
    for number, (problem, optimum) in enumerate(instances(kind, count)):
        note = f"instance {number}"
        plan = solve(problem, "cbs", time_limit=60)
        assert plan.status == "optimal", f"{note}: {plan.reason}"
        assert plan.sum_of_costs == pytest.approx(optimum, rel=1e-9), note
        assert plan.lower_bound == plan.sum_of_costs, note
        validate(plan, problem)
        assert not naive.conflicts(problem, plan.paths), note
        assert naive.cost(problem, plan.paths) == pytest.approx(optimum, rel=1e-9), note

        if kind == "tight":  # a plain focal tree is lost there
            continue
        near = solve(problem, "ecbs", time_limit=60, suboptimality=w)
        assert near.solved, f"{note}: {near.reason}"
        assert near.sum_of_costs is not None
        assert near.lower_bound is not None
        assert near.sum_of_costs <= w * optimum * (1 + 1e-9), note
        assert near.lower_bound <= optimum * (1 + 1e-9), note
        assert near.suboptimality is not None
        assert near.suboptimality <= w * (1 + 1e-9), note
        validate(near, problem)
        assert not naive.conflicts(problem, near.paths), note


@pytest.mark.kernels
@pytest.mark.parametrize("kind", ["grid", "0.0", "0.25"])
def test_a_few_of_each_kind(kind: str) -> None:
    """Small enough to run as plain Python."""
    for problem, optimum in instances(kind, 3):
        plan = solve(problem, "cbs", max_nodes=200)
        if plan.status != "unsolved":
            assert plan.sum_of_costs == pytest.approx(optimum)
        near = solve(problem, "ecbs", max_nodes=200)
        if near.status != "unsolved":
            assert near.sum_of_costs is not None
            assert near.sum_of_costs <= 1.1 * optimum * (1 + 1e-9)
