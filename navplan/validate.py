"""The independent checker: decides whether a plan keeps its problem's rules, with no code of the planners.

It knows problems and plans only, uses numpy and plain Python, and trusts no number that a plan claims about itself.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidPlan
from navplan.plan import Plan
from navplan.problem import Problem

# Distances are compared in float64 on float32 coordinates; a gap this small (cells) is rounding, not a conflict.
GAP = 1e-6
COST_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Violation:
    """One broken rule.

    Attributes:
        kind: "shape", "start", "goal", "edge", "vertex", "swap", "clearance", "following", "cost", "risk", "bound".
        agents: the agents involved.
        step: time step, -1 where none applies.
        message: one line.
    """

    kind: str
    agents: tuple[int, ...]
    step: int
    message: str


def validate(plan: Plan, problem: Problem, *, forbid_following: bool = False) -> None:
    """Raise `InvalidPlan` with the first violation, in order of kind and time; return None for a valid plan.

    Raises:
        InvalidPlan: a rule is broken, or the plan is not solved and so has nothing to check.
    """
    for violation in _all(plan, problem, forbid_following):
        raise InvalidPlan(violation.message)


def violations(plan: Plan, problem: Problem, *, forbid_following: bool = False, limit: int = 1000) -> list[Violation]:
    """Every violation (at most `limit`); empty for a valid plan.

    Args:
        forbid_following: also forbid entering a node in the step in which another agent leaves it.
    """
    found: list[Violation] = []
    for violation in _all(plan, problem, forbid_following):
        found.append(violation)
        if len(found) >= limit:
            break
    return found


def _all(plan: Plan, problem: Problem, forbid_following: bool) -> Iterator[Violation]:
    shape = list(_shape(plan, problem))
    yield from shape
    if shape:
        return
    steps = list(_steps(plan, problem))
    yield from steps
    yield from _conflicts(plan, problem, forbid_following)
    if not steps:
        yield from _claims(plan, problem)


def _shape(plan: Plan, problem: Problem) -> Iterator[Violation]:
    if not plan.solved:
        yield Violation("shape", (), -1, f"the plan has status {plan.status} and no paths to check")
        return
    if len(plan.paths) != problem.num_agents:
        yield Violation("shape", (), -1, f"the plan has {len(plan.paths)} paths for {problem.num_agents} agents")
        return
    states = problem.graph.states
    for agent, (path, coordinates) in enumerate(zip(plan.paths, plan.coordinates, strict=True)):
        if path.size == 0 or path.min() < 0 or path.max() >= len(states):
            yield Violation("shape", (agent,), -1, f"agent {agent}: node ids must be in 0..{len(states) - 1}")
        elif coordinates.shape != (len(path), states.shape[1]) or not np.array_equal(coordinates, states[path]):
            yield Violation("shape", (agent,), -1, f"agent {agent}: coordinates are not those of its nodes")


def _steps(plan: Plan, problem: Problem) -> Iterator[Violation]:
    """Starts, goals, and every step a wait or an edge."""
    graph = problem.graph
    neighbours: dict[int, set[int]] = {}
    for agent, path in enumerate(plan.paths):
        nodes = path.tolist()
        start, goal = int(problem.starts[agent]), int(problem.goals[agent])
        if nodes[0] != start:
            yield Violation("start", (agent,), 0, f"agent {agent}: starts at node {nodes[0]}, expected {start}")
        if nodes[-1] != goal:
            yield Violation(
                "goal", (agent,), len(nodes) - 1, f"agent {agent}: ends at node {nodes[-1]}, expected its goal {goal}"
            )
        for step, (u, v) in enumerate(itertools.pairwise(nodes)):
            if u == v:
                continue
            if u not in neighbours:
                neighbours[u] = set(graph.indices[graph.indptr[u] : graph.indptr[u + 1]].tolist())
            if v not in neighbours[u]:
                yield Violation("edge", (agent,), step, f"agent {agent}: step {step} moves {u} -> {v}, which is not an edge")


def _conflicts(plan: Plan, problem: Problem, forbid_following: bool) -> Iterator[Violation]:
    """Every pair at every time step, agents resting at their goals included."""
    horizon = max(len(path) for path in plan.paths)
    table = np.stack([np.pad(path, (0, horizon - len(path)), mode="edge") for path in plan.paths])
    for step in range(horizon):
        now = table[:, step]
        then = table[:, step + 1] if step + 1 < horizon else now
        yield from _shared_nodes(now, step)
        if step + 1 < horizon:
            yield from _swaps(now, then, step)
            if forbid_following:
                yield from _following(now, then, step)
        if problem.spacing > 0 and (step + 1 < horizon or horizon == 1):
            yield from _too_close(problem, now, then, step)


def _shared_nodes(now: NDArray[np.int32], step: int) -> Iterator[Violation]:
    order = np.argsort(now, kind="stable")
    for at in np.flatnonzero(now[order][1:] == now[order][:-1]).tolist():
        i, j = sorted((int(order[at]), int(order[at + 1])))
        yield Violation("vertex", (i, j), step, f"agents {i} and {j} are both at node {now[i]} at step {step}")


def _swaps(now: NDArray[np.int32], then: NDArray[np.int32], step: int) -> Iterator[Violation]:
    moving = {(int(u), int(v)): agent for agent, (u, v) in enumerate(zip(now, then, strict=True)) if u != v}
    for (u, v), i in moving.items():
        j = moving.get((v, u))
        if j is not None and i < j:
            yield Violation("swap", (i, j), step, f"agents {i} and {j} swap nodes {u} and {v} in step {step}")


def _following(now: NDArray[np.int32], then: NDArray[np.int32], step: int) -> Iterator[Violation]:
    here = {int(u): agent for agent, u in enumerate(now)}
    for j, v in enumerate(then.tolist()):
        i = here.get(v)
        if i is not None and i != j and then[i] != v:
            message = f"agent {j} enters node {v} in step {step}, while agent {i} is leaving it"
            yield Violation("following", (i, j), step, message)


def _too_close(problem: Problem, now: NDArray[np.int32], then: NDArray[np.int32], step: int) -> Iterator[Violation]:
    """Pairs of simultaneous straight moves whose closest approach is under the clearance."""
    states = problem.graph.states.astype(np.float64)
    here, there = states[now], states[then]
    limit = problem.spacing - GAP
    for i in range(len(now) - 1):
        offset = here[i + 1 :] - here[i]
        drift = (there[i + 1 :] - there[i]) - offset
        speed = (drift * drift).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            when = np.where(speed > 0, np.clip(-(offset * drift).sum(axis=1) / speed, 0.0, 1.0), 0.0)
        gap = np.linalg.norm(offset + when[:, None] * drift, axis=1)
        for k in np.flatnonzero(gap < limit).tolist():
            j = i + 1 + k
            message = (
                f"agents {i} and {j} come within {gap[k]:.3f} at time {step + when[k]:.2f}, clearance is {problem.spacing:g}"
            )
            yield Violation("clearance", (i, j), step, message)


def _claims(plan: Plan, problem: Problem) -> Iterator[Violation]:
    """What the plan says of itself: its costs, its bound, its status."""
    total, risks = _costs(plan, problem)
    risk = math.fsum(risks)
    for name, claimed, true in (("sum_of_costs", plan.sum_of_costs, total), ("total_risk", plan.total_risk, risk)):
        if claimed is None or not math.isclose(claimed, true, rel_tol=COST_TOLERANCE, abs_tol=COST_TOLERANCE):
            yield Violation("cost", (), -1, f"{name} is given as {claimed}, the paths give {true:g}")
    if problem.risk_budget is not None:
        yield from _risks(plan, problem.risk_budget, risks)
    if plan.lower_bound is not None and plan.lower_bound > total * (1 + COST_TOLERANCE) + COST_TOLERANCE:
        yield Violation("bound", (), -1, f"lower_bound {plan.lower_bound:g} is above the plan's own cost {total:g}")
    if plan.status == "optimal" and (
        plan.lower_bound is None or total > plan.lower_bound * (1 + COST_TOLERANCE) + COST_TOLERANCE
    ):
        yield Violation("bound", (), -1, f"status is optimal, but lower_bound is {plan.lower_bound} and the cost {total:g}")
    if plan.status == "bounded" and plan.suboptimality is None:
        yield Violation("bound", (), -1, "status is bounded, but no suboptimality is given")
    if plan.suboptimality is not None and not _within(total, plan.lower_bound, plan.suboptimality):
        text = f"suboptimality {plan.suboptimality:g} does not follow from lower_bound {plan.lower_bound} and the cost {total:g}"
        yield Violation("bound", (), -1, text)


def _risks(plan: Plan, budget: float, risks: list[float]) -> Iterator[Violation]:
    """The shared budget, and where the plan gives allocations, that they prove it."""
    total = math.fsum(risks)
    if _above(total, budget):
        yield Violation("risk", (), -1, f"total risk {total:g} is above the risk budget {budget:g}")
    if plan.risk_budget is not None and not math.isclose(plan.risk_budget, budget, rel_tol=COST_TOLERANCE):
        yield Violation("risk", (), -1, f"risk_budget is given as {plan.risk_budget:g}, the problem's is {budget:g}")
    if not plan.allocations:
        return
    if len(plan.allocations) != len(risks):
        yield Violation("risk", (), -1, f"{len(plan.allocations)} allocations for {len(risks)} agents")
        return
    shared = math.fsum(plan.allocations)
    if _above(shared, budget):
        yield Violation("risk", (), -1, f"the allocations add up to {shared:g}, above the risk budget {budget:g}")
    for agent, (risk, share) in enumerate(zip(risks, plan.allocations, strict=True)):
        if _above(risk, share):
            yield Violation("risk", (agent,), -1, f"agent {agent}: risk {risk:g} is above its allocation {share:g}")


def _above(value: float, limit: float) -> bool:
    return value > limit * (1 + COST_TOLERANCE) + COST_TOLERANCE


def _within(total: float, lower_bound: float | None, ratio: float) -> bool:
    """Whether the bound proves the ratio."""
    return lower_bound is not None and total <= ratio * lower_bound * (1 + COST_TOLERANCE) + COST_TOLERANCE


def _costs(plan: Plan, problem: Problem) -> tuple[float, list[float]]:
    """Sum of costs, and each agent's risk, up to each agent's last arrival, from the graph's own numbers."""
    graph = problem.graph
    total: list[float] = []
    risks: list[float] = []
    for path in plan.paths:
        risk = []
        nodes = path.tolist()
        last = len(nodes) - 1
        while last > 0 and nodes[last - 1] == nodes[-1]:
            last -= 1
        for u, v in itertools.pairwise(nodes):
            if u == v:
                hazard, length = float(graph.wait_risk[u]), problem.wait_cost
            else:
                edge = int(graph.indptr[u]) + graph.indices[graph.indptr[u] : graph.indptr[u + 1]].tolist().index(v)
                hazard, length = float(graph.risk[edge]), float(graph.distance[edge])
            risk.append(hazard)
            total.append(1.0 if problem.weight == "hops" else length + problem.beta * hazard)
        risks.append(math.fsum(risk))
    return math.fsum(total), risks
