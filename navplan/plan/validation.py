"""The independent checker: decides whether a plan keeps its problem's rules, with no code of the planners.

It knows problems and plans only, uses numpy and plain Python, and trusts no number that a plan claims about itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from navplan.errors import InvalidPlan
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.plan.swept import GAP, Obstacles, hits_cells, hits_polygons
from navplan.system.arrays import Bool, Int32, Int64
from navplan.system.numbers import check_flag, check_kind

COST_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Violation:
    """One broken rule.

    Attributes:
        kind: "shape", "start", "goal", "edge", "forbidden", "wall", "vertex", "swap", "clearance", "following", "cost", "risk" or
            "bound".
        agents: the agents involved.
        step: time step, -1 where none applies.
        message: one line.
    """

    kind: str
    agents: tuple[int, ...]
    step: int
    message: str


def validate(plan: Plan, problem: Problem, *, forbid_following: bool = False, world: Obstacles | None = None) -> None:
    """Raise `InvalidPlan` with the first violation, in order of kind and time; return None for a valid plan.

    Args as for `violations`.

    Raises:
        InvalidPlan: a rule is broken, or the plan is not solved and so has nothing to check.
    """
    for violation in _all(plan, problem, forbid_following, world):
        raise InvalidPlan(violation.message)


def violations(
    plan: Plan, problem: Problem, *, forbid_following: bool = False, limit: int = 1000, world: Obstacles | None = None
) -> list[Violation]:
    """Every violation (at most `limit`); empty for a valid plan.

    Args:
        forbid_following: also forbid entering a node in the step in which another agent leaves it.
        world: the map that bodies are swept through; None: the graph's own, see `walls_checked`.
    """
    found: list[Violation] = []
    for violation in _all(plan, problem, forbid_following, world):
        found.append(violation)
        if len(found) >= limit:
            break
    return found


def walls_checked(problem: Problem, world: Obstacles | None = None) -> Literal["map", "rooms", "no"]:
    """What walls are checked against: the map (given, the graph's, a grid's cells), rooms that the graph states, or nothing."""
    graph = problem.graph
    if graph.positions is not None and (world is not None or graph.is_grid or isinstance(graph.world, Obstacles)):
        return "map"
    return "rooms" if graph.walls == "map" else "no"


def _all(plan: Plan, problem: Problem, forbid_following: bool, world: Obstacles | None) -> Iterator[Violation]:
    check_kind(plan, Plan, "plan", "a Plan")
    check_kind(problem, Problem, "problem", "a Problem")
    check_flag(forbid_following=forbid_following)
    if world is not None:
        check_kind(world, Obstacles, "world", "a map, such as a World")
    shape = list(_shape(plan, problem))
    yield from shape
    if shape:
        return
    steps = list(_steps(plan, problem))
    yield from steps
    yield from _walls(plan, problem, world)
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
    places = problem.graph.places
    for agent, (path, coordinates) in enumerate(zip(plan.paths, plan.coordinates, strict=True)):
        if path.size == 0 or path.min() < 0 or path.max() >= len(places):
            yield Violation("shape", (agent,), -1, f"agent {agent}: node ids must be in 0..{len(places) - 1}")
        elif coordinates.shape != (len(path), places.shape[1]) or not np.array_equal(coordinates, places[path]):
            yield Violation("shape", (agent,), -1, f"agent {agent}: coordinates are not those of its nodes")


def _steps(plan: Plan, problem: Problem) -> Iterator[Violation]:
    """Starts, goals, and every step a wait or an edge."""
    edges = _Edges.of(problem)
    for agent, path in enumerate(plan.paths):
        start, goal = int(problem.starts[agent]), int(problem.goals[agent])
        if path[0] != start:
            yield Violation("start", (agent,), 0, f"agent {agent}: starts at node {path[0]}, expected {start}")
        if path[-1] != goal:
            yield Violation("goal", (agent,), len(path) - 1, f"agent {agent}: ends at node {path[-1]}, expected its goal {goal}")
        for step in np.flatnonzero((path[:-1] != path[1:]) & (edges.find(path[:-1], path[1:]) < 0)).tolist():
            u, v = path[step], path[step + 1]
            yield Violation("edge", (agent,), step, f"agent {agent}: step {step} moves {u} -> {v}, which is not an edge")
        mask = None if problem.forbidden is None else problem.forbidden[agent]
        if mask is not None:
            at = edges.find(path[:-1], path[1:])
            for step in np.flatnonzero((at >= 0) & mask[at]).tolist():
                move = f"{path[step]} -> {path[step + 1]}"
                yield Violation("forbidden", (agent,), step, f"agent {agent}: step {step} moves {move}, which is forbidden to it")


@dataclass(frozen=True, eq=False)
class _Edges:
    """Where the edge from one node to another is: keys (M,) int64 ascending, tail * nodes + head."""

    keys: Int64
    nodes: int

    @classmethod
    def of(cls, problem: Problem) -> _Edges:
        graph = problem.graph
        tails = np.repeat(np.arange(graph.num_nodes, dtype=np.int64), np.diff(graph.indptr))
        return cls(tails * graph.num_nodes + graph.indices, graph.num_nodes)

    def find(self, tails: Int32, heads: Int32) -> Int64:
        """Positions of the edges in the graph's arrays, -1 where there is none."""
        if not self.keys.size:
            return np.full(len(tails), -1, np.int64)
        wanted = tails.astype(np.int64) * self.nodes + heads
        at = np.minimum(np.searchsorted(self.keys, wanted), self.keys.size - 1)
        return np.where(self.keys[at] == wanted, at, -1)


def _walls(plan: Plan, problem: Problem, world: Obstacles | None) -> Iterator[Violation]:
    """Every step, waits and the rest at the goal included, on which a body reaches into a wall or over the map's edge."""
    source = walls_checked(problem, world)
    if source == "no":
        return
    lengths = [max(1, len(path) - 1) for path in plan.paths]
    tails = np.concatenate([path[: max(1, len(path) - 1)] for path in plan.paths])
    heads = np.concatenate([path[1:] if len(path) > 1 else path for path in plan.paths])
    radii = np.repeat(problem.radii, lengths)
    hit = np.zeros(len(tails), np.bool_)
    for radius in np.unique(radii).tolist():
        mine = np.flatnonzero(radii == radius)
        moves, which = np.unique(np.stack([tails[mine], heads[mine]], axis=1), axis=0, return_inverse=True)
        check = _stated_rooms if source == "rooms" else _swept
        hit[mine] = check(problem, moves[:, 0], moves[:, 1], radius, world)[which.reshape(-1)]
    first = np.cumsum([0, *lengths])
    for at in np.flatnonzero(hit).tolist():
        agent = int(np.searchsorted(first, at, side="right")) - 1
        step, radius = at - int(first[agent]), float(radii[at])
        where = ", ".join(f"{x:g}" for x in problem.graph.places[tails[at]])
        message = (
            f"agent {agent}: its body of radius {radius:g} reaches into a wall or over the edge in step {step}, from ({where})"
        )
        yield Violation("wall", (agent,), step, message)


def _swept(problem: Problem, tails: Int32, heads: Int32, radius: float, world: Obstacles | None) -> Bool:
    graph = problem.graph
    assert graph.positions is not None  # `walls_checked` has looked
    ends = graph.positions[tails], graph.positions[heads]
    own: object = graph.world
    if world is None and isinstance(own, Obstacles):
        world = own
    if world is not None and world.walls is None:
        return hits_polygons(*ends, radius, world)
    if world is not None and world.walls is not None:
        return hits_cells(*ends, radius, np.asarray(world.walls))
    assert graph.shape is not None
    walls = np.ones(graph.shape, np.bool_)
    walls[tuple(graph.cells().T)] = False
    return hits_cells(*ends, radius, walls)


def _stated_rooms(problem: Problem, tails: Int32, heads: Int32, radius: float, world: Obstacles | None) -> Bool:
    """By the rooms that the graph states, where there is no map."""
    graph = problem.graph
    at = _Edges.of(problem).find(tails, heads)
    room = np.minimum(graph.node_room[tails], graph.node_room[heads])
    moved = at >= 0
    room[moved] = np.minimum(room[moved], graph.edge_room[at[moved]])
    return room < radius - GAP


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


def _shared_nodes(now: Int32, step: int) -> Iterator[Violation]:
    order = np.argsort(now, kind="stable")
    for at in np.flatnonzero(now[order][1:] == now[order][:-1]).tolist():
        i, j = sorted((int(order[at]), int(order[at + 1])))
        yield Violation("vertex", (i, j), step, f"agents {i} and {j} are both at node {now[i]} at step {step}")


def _swaps(now: Int32, then: Int32, step: int) -> Iterator[Violation]:
    moving = np.flatnonzero(now != then)
    if not moving.size:
        return
    width = int(max(now.max(), then.max())) + 1
    there = now[moving].astype(np.int64) * width + then[moving]
    back = then[moving].astype(np.int64) * width + now[moving]
    order = np.argsort(there, kind="stable")
    at = np.minimum(np.searchsorted(there[order], back), moving.size - 1)
    for k in np.flatnonzero(there[order][at] == back).tolist():
        i, j = int(moving[k]), int(moving[order[at[k]]])
        if i < j:
            yield Violation("swap", (i, j), step, f"agents {i} and {j} swap nodes {now[i]} and {then[i]} in step {step}")


def _following(now: Int32, then: Int32, step: int) -> Iterator[Violation]:
    here = {int(u): agent for agent, u in enumerate(now)}
    for j, v in enumerate(then.tolist()):
        i = here.get(v)
        if i is not None and i != j and then[i] != v:
            message = f"agent {j} enters node {v} in step {step}, while agent {i} is leaving it"
            yield Violation("following", (i, j), step, message)


def _too_close(problem: Problem, now: Int32, then: Int32, step: int) -> Iterator[Violation]:
    """Pairs of simultaneous straight moves whose closest approach is under the clearance."""
    places = problem.graph.places
    here, there = places[now], places[then]
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
    edges = _Edges.of(problem)
    total: list[float] = []
    risks: list[float] = []
    for path in plan.paths:
        elsewhere = np.flatnonzero(path != path[-1])
        nodes = path[: elsewhere[-1] + 2] if elsewhere.size else path[:1]
        tails, waits = nodes[:-1], nodes[:-1] == nodes[1:]
        at = edges.find(tails, nodes[1:])
        risk = graph.wait_risk[tails]
        length = np.full(len(tails), float(problem.wait_cost))
        risk[~waits] = graph.risk[at[~waits]]
        length[~waits] = graph.distance[at[~waits]]
        cost = np.ones(len(tails)) if problem.weight == "hops" else length + problem.beta * risk
        total.append(math.fsum(cost.tolist()))
        risks.append(math.fsum(risk.tolist()))
    return math.fsum(total), risks
