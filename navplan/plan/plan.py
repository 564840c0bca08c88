"""The result of planning: timed paths, what they cost, what is proved about them; its file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from navplan.errors import FileFormatError, InvalidInput
from navplan.plan.files import (
    FORMAT,
    check_paths,
    checked_problem,
    finite,
    finite_list,
    map_shape,
    read_document,
    shared_rows,
    whole_numbers,
    write_document,
)
from navplan.plan.pricing import price
from navplan.plan.problem import Problem
from navplan.system.arrays import Float64, Int32, Int64
from navplan.system.memory import uncollected
from navplan.system.numbers import check_whole

Status = Literal["optimal", "bounded", "feasible", "infeasible", "timeout", "unsolved"]
STATUSES: tuple[str, ...] = get_args(Status)
SOLVED: tuple[str, ...] = ("optimal", "bounded", "feasible")


@dataclass(frozen=True, eq=False)
class Plan:
    """What a planner returns, solved or not.

    Attributes:
        status: optimal, bounded (within `suboptimality`), feasible; infeasible (proved), timeout, unsolved.
        planner: name of the planner.
        num_agents: A.
        paths: per agent, (T_i,) int32 node ids, one per time step from the start to the last arrival; empty when unsolved.
        coordinates: per agent, (T_i, 2) float64 positions of those nodes; (T_i, D) states where the graph has no positions.
        sum_of_costs: total of the edges and waits up to each agent's last arrival; None without paths.
        lower_bound: proved bound on the optimal sum of costs, or None.
        total_risk: sum of edge and wait risks along the paths, or None.
        suboptimality: proved ratio ``sum_of_costs / lower_bound``, or None.
        risk_budget: the problem's limit on total_risk, or None.
        risks: risk of each agent's path; given together with the budget.
        allocations: what each agent may risk: their sum is within the budget, each agent's risk within its own. Together with
            `risks` this proves that the plan keeps the budget.
        runtime_s, compile_s: wall seconds of the search (heuristics included), and of compiling before it.
        reason: one line on why there is no plan.
        stats: counters, such as expanded and generated.
        problem: identity and parameters of the problem, enough to check the plan beside its map.
        shape: (H, W) for a grid problem.
    """

    status: Status
    planner: str
    num_agents: int
    paths: tuple[Int32, ...] = ()
    coordinates: tuple[Float64, ...] = ()
    sum_of_costs: float | None = None
    lower_bound: float | None = None
    total_risk: float | None = None
    suboptimality: float | None = None
    risk_budget: float | None = None
    risks: tuple[float, ...] = ()
    allocations: tuple[float, ...] = ()
    runtime_s: float = 0.0
    compile_s: float = 0.0
    reason: str = ""
    stats: Mapping[str, float] = field(default_factory=dict)
    problem: Mapping[str, Any] = field(default_factory=dict)
    shape: tuple[int, int] | None = None

    @property
    def solved(self) -> bool:
        """True when there are paths for every agent."""
        return self.status in SOLVED

    @property
    def makespan(self) -> int | None:
        """Time step of the last arrival."""
        return max(len(path) for path in self.paths) - 1 if self.paths else None

    @property
    def times(self) -> tuple[Float64, ...]:
        """Time step of each path entry, one float64 array per agent."""
        return tuple(np.arange(len(path), dtype=np.float64) for path in self.paths)

    def states(self, agent: int) -> Float64:
        """(T, 2) float64 coordinates of `agent` at each time step."""
        return self.coordinates[self._check(agent)]

    def cells(self, agent: int) -> Int64:
        """(T, 2) integer (row, col) of `agent` at each time step of a grid plan.

        Raises:
            InvalidInput: the plan is not on a grid, or there is no such agent.
        """
        if self.shape is None:
            raise InvalidInput("cells are for grid problems; use states(agent)")
        return np.floor(self.coordinates[self._check(agent)]).astype(np.int64)

    def _check(self, agent: int) -> int:
        check_whole(agent=agent)
        if not 0 <= agent < len(self.paths):
            raise InvalidInput(f"agent {agent}: this plan has paths for {len(self.paths)} agents")
        return agent

    def summary(self) -> dict[str, Any]:
        """The fields that `navplan solve --json` prints."""
        proof: dict[str, Any] = {}
        if self.risk_budget is not None:
            proof = {"risk_budget": self.risk_budget, "risks": list(self.risks), "allocations": list(self.allocations)}
        return {
            "planner": self.planner,
            "status": self.status,
            "agents": self.num_agents,
            "sum_of_costs": _plain(self.sum_of_costs),
            "makespan": self.makespan,
            "lower_bound": _plain(self.lower_bound),
            "suboptimality": _plain(self.suboptimality),
            "total_risk": _plain(self.total_risk),
            **proof,
            "runtime_s": round(self.runtime_s, 6),
            "compile_s": round(self.compile_s, 6),
            "walls": self.problem.get("walls"),
            "reason": self.reason,
            "stats": dict(self.stats),
        }

    def document(self) -> dict[str, Any]:
        """What a plan file holds."""
        return {
            "format": FORMAT,
            "coordinates_order": "row, col",
            **self.summary(),
            "problem": dict(self.problem),
            "shape": list(self.shape) if self.shape else None,
            "paths": [p.tolist() for p in self.paths],
            "times": [list(range(len(p))) for p in self.paths],
            "coordinates": shared_rows(self.paths, self.coordinates),
        }

    def save(self, path: str | Path) -> None:
        """Write the plan as JSON; a plan file needs nothing else but the map to be checked."""
        with uncollected():
            write_document(path, self.document())

    @classmethod
    def load(cls, path: str | Path) -> Plan:
        """Read a plan file.

        Raises:
            FileFormatError: not a plan file; the message names the field at fault.
            FileAccessError: it cannot be read.
        """
        with uncollected():
            document = read_document(path)
            try:
                return _from_document(document)
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                raise FileFormatError(path, f"bad or missing field: {error}, expected a plan as `Plan.save` writes it") from error


def _from_document(document: Mapping[str, Any]) -> Plan:
    """The plan in a plan file.

    Raises:
        KeyError, TypeError, ValueError, OverflowError: a field is missing or says something else than a plan's does.
    """
    paths = tuple(whole_numbers(p) for p in document["paths"])
    coordinates = tuple(np.asarray(c, dtype=np.float64) for c in document["coordinates"])
    agents, status = int(document["agents"]), document["status"]
    check_paths(document, paths, coordinates)
    if status not in STATUSES:
        raise ValueError(f"status {status!r}")
    if paths and len(paths) != agents:
        raise ValueError(f"{agents} agents but {len(paths)} paths")
    if status in SOLVED and not paths:
        raise ValueError(f"status {status} without paths")
    return Plan(
        status=status,
        planner=str(document["planner"]),
        num_agents=agents,
        paths=paths,
        coordinates=coordinates,
        sum_of_costs=finite(document["sum_of_costs"]),
        lower_bound=finite(document["lower_bound"]),
        total_risk=finite(document["total_risk"]),
        suboptimality=finite(document["suboptimality"]),
        risk_budget=finite(document.get("risk_budget")),
        risks=finite_list(document.get("risks", [])),
        allocations=finite_list(document.get("allocations", [])),
        runtime_s=float(document["runtime_s"]),
        compile_s=float(document["compile_s"]),
        reason=str(document["reason"]),
        stats=dict(document["stats"]),
        problem=checked_problem(document["problem"], agents),
        shape=map_shape(document["shape"]),
    )


def make_plan(
    problem: Problem,
    planner: str,
    status: Status,
    paths: Sequence[Sequence[int] | Int32] = (),
    *,
    lower_bound: float | None = None,
    allocations: Sequence[float] = (),
    runtime_s: float = 0.0,
    compile_s: float = 0.0,
    reason: str = "",
    stats: Mapping[str, float] | None = None,
) -> Plan:
    """A Plan for `problem`: trailing waits at goals are cut, costs and risks are summed from the problem's own weights.

    Args:
        paths: per agent, node ids per time step; empty when there is no plan.
        allocations: per agent, what it may risk, where the problem has a risk budget.

    Raises:
        InvalidInput: a step is neither a wait nor an edge of the graph.
    """
    arrays = tuple(_cut_trailing_waits(np.asarray(p, dtype=np.int32)) for p in paths)
    places = problem.graph.places
    total: float | None = None
    risk: float | None = None
    risks: list[float] = []
    if arrays:
        total, risks = price(problem, arrays)
        risk = math.fsum(risks)
    ratio: float | None = None
    if total is not None and lower_bound is not None:
        ratio = 1.0 if total <= lower_bound else (total / lower_bound if lower_bound > 0 else None)
    return Plan(
        status=status,
        planner=planner,
        num_agents=problem.num_agents,
        paths=arrays,
        coordinates=tuple(places[p] for p in arrays),
        sum_of_costs=total,
        lower_bound=lower_bound,
        total_risk=risk,
        suboptimality=ratio,
        risk_budget=problem.risk_budget,
        risks=tuple(risks) if problem.risk_budget is not None else (),
        allocations=tuple(float(share) for share in allocations),
        runtime_s=runtime_s,
        compile_s=compile_s,
        reason=reason,
        stats=dict(stats or {}),
        problem=describe_problem(problem),
        shape=problem.graph.shape,
    )


def describe_problem(problem: Problem) -> dict[str, Any]:
    """Identity and parameters of `problem` for a plan file: starts and goals as nodes and coordinates, conflict rule, weights."""
    budget = {} if problem.risk_budget is None else {"risk_budget": float(problem.risk_budget)}
    return {
        **problem.identity,
        "starts": problem.starts.tolist(),
        "goals": problem.goals.tolist(),
        "start_states": problem.graph.places[problem.starts].tolist(),
        "goal_states": problem.graph.places[problem.goals].tolist(),
        "radius": problem.radius if isinstance(problem.radius, float) else problem.radius.tolist(),
        "clearance": problem.spacing,
        "beta": problem.beta,
        "wait_cost": problem.wait_cost,
        "weight": problem.weight,
        "walls": problem.graph.walls,
        **budget,
    }


def _cut_trailing_waits(path: Int32) -> Int32:
    moved = np.flatnonzero(path != path[-1])
    return path[: moved[-1] + 2] if moved.size else path[:1]


def _plain(value: float | None) -> float | int | None:
    """Whole numbers as int, so that unit grids read as in the field."""
    if value is None or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else float(value)
