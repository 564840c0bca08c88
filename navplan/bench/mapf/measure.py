"""Columns about a plan, checked by the independent validator and beside the shortest paths."""

from __future__ import annotations

from typing import Any

import numpy as np

from navplan.graph.prepared import PreparedGraph
from navplan.graph.state_graph import StateGraph
from navplan.kernels.search.dijkstra import breadth_first
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.plan.validation import violations
from navplan.system.arrays import Int32

# A plan that comes later than this after the time limit is not counted as solved.
LATE_SHARE, LATE_S = 0.05, 0.1


def lengths(graph: StateGraph, starts: Int32, goals: Int32) -> list[float]:
    """Edges of the shortest path from each start to its goal, inf where there is none."""
    reverse = PreparedGraph(graph).reverse()
    table = np.empty(graph.num_nodes)
    scratch = np.empty(graph.num_nodes, np.int32)
    found = []
    for start, goal in zip(starts.tolist(), goals.tolist(), strict=True):
        table.fill(np.inf)
        breadth_first(reverse.indptr, reverse.indices, goal, table, scratch)
        found.append(float(table[start]))
    return found


def describe(plan: Plan, problem: Problem, shortest: float, limit: float) -> dict[str, Any]:
    """Columns about the plan; `shortest` bounds its cost from below where it is finite."""
    broken = violations(plan, problem, limit=1) if plan.solved else []
    late = plan.runtime_s > max(limit * (1 + LATE_SHARE), limit + LATE_S)
    reason = plan.reason
    if broken:
        reason = f"invalid plan: {broken[0].message}"
    elif plan.solved and late:
        reason = f"late: {plan.runtime_s:.2f} s with a limit of {limit:g} s"
    bounds = [b for b in (plan.lower_bound, shortest) if b is not None and np.isfinite(b)]
    bound = max(bounds, default=None)
    cost = None if broken else plan.sum_of_costs
    return {
        "status": "invalid" if broken else plan.status,
        "solved": plan.solved and not broken and not late,
        "valid": not broken if plan.solved else None,
        "sum_of_costs": cost,
        "lower_bound": bound,
        "sum_of_shortest": shortest if np.isfinite(shortest) else None,
        "makespan": None if broken else plan.makespan,
        "suboptimality": None if cost is None or not bound else round(cost / bound, 6),
        "runtime_s": round(plan.runtime_s, 6),
        "cells": problem.graph.num_nodes,
        "expanded": plan.stats.get("expanded"),
        "generated": plan.stats.get("generated"),
        "reason": reason,
    }
