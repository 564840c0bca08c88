"""The statement of a planning task, independent of the world it came from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from navplan.errors import InvalidProblem
from navplan.graph.limits import Weight
from navplan.graph.state_graph import StateGraph
from navplan.system.arrays import Float64, Int32

_LARGEST = 1e9  # sums of costs stay finite and keep their digits


@dataclass(frozen=True, eq=False)
class Problem:
    """Agents on a graph, each with a start and a goal.

    Time is discrete: a move along an edge, or a wait, takes one time step. An edge costs ``distance + beta * risk`` (1 with
    ``weight="hops"``); a wait at v before the agent's last arrival costs ``wait_cost + beta * wait_risk[v]`` (1 with hops).
    Agents stay at their goals for good and stay in the others' way.

    Attributes:
        graph: the graph, planned on as it is.
        starts, goals: (A,) int32 node ids, pairwise distinct each.
        radius: body radius in cells.
        clearance: least allowed distance between centres; 0 means vertex and swap conflicts only. None chooses 0 on grids and
            ``2 * radius`` on state graphs.
        beta: weight of risk against distance.
        wait_cost: cost of one wait, before risk.
        weight: "cost" (distance and risk) or "hops".
        risk_budget: most that the risks of all agents' paths may add up to (waits before an agent's last arrival count their
            wait_risk), or None for no limit.
        identity: where the problem came from: file names with SHA-256, scenario name; copied into plan files.
    """

    graph: StateGraph
    starts: Int32
    goals: Int32
    radius: float = 0.25
    clearance: float | None = None
    beta: float = 0.0
    wait_cost: float = 1.0
    weight: Weight = "cost"
    risk_budget: float | None = None
    identity: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        starts = _node_ids(self.starts, "start", self.graph.num_nodes)
        goals = _node_ids(self.goals, "goal", self.graph.num_nodes)
        if len(starts) != len(goals):
            raise InvalidProblem(f"{len(starts)} starts but {len(goals)} goals, expected one of each per agent")
        if len(starts) == 0:
            raise InvalidProblem("a problem needs at least one agent, got 0")
        object.__setattr__(self, "starts", starts)
        object.__setattr__(self, "goals", goals)
        for name in ("radius", "clearance", "beta", "wait_cost"):
            value: Any = getattr(self, name)
            if name == "clearance" and value is None:
                value = 0.0 if self.graph.is_grid else 2.0 * self.radius
            if isinstance(value, np.generic):
                value = value.item()
            if not (isinstance(value, int | float | Fraction) and 0 <= value <= _LARGEST):
                raise InvalidProblem(f"{name} is {value!r}, expected a number that is not negative, at most {_LARGEST:g}")
            object.__setattr__(self, name, float(value))  # kernels are compiled for one type of number, and files hold no other
        budget: Any = self.risk_budget
        if budget is not None:
            if isinstance(budget, np.generic):
                budget = budget.item()
            if not (isinstance(budget, int | float | Fraction) and 0 <= budget < math.inf):
                raise InvalidProblem(f"risk_budget is {budget!r}, expected a number that is not negative, or None")
            object.__setattr__(self, "risk_budget", float(budget))
        if self.weight not in ("cost", "hops"):
            raise InvalidProblem(f"weight is {self.weight!r}, expected 'cost' or 'hops'")

    @property
    def num_agents(self) -> int:
        """A."""
        return len(self.starts)

    @property
    def spacing(self) -> float:
        """The clearance as a plain float, its default filled in."""
        assert self.clearance is not None  # set in __post_init__
        return self.clearance

    @property
    def risk_limit(self) -> float:
        """The risk budget, inf where there is none."""
        return math.inf if self.risk_budget is None else float(self.risk_budget)

    def edge_weights(self) -> Float64:
        """(M,) float64 cost of each edge."""
        return self.graph.weights(self.beta, self.weight)

    def wait_weights(self) -> Float64:
        """(N,) float64 cost of one wait at each node."""
        if self.weight == "hops":
            return np.ones(self.graph.num_nodes)
        return self.wait_cost + self.beta * self.graph.wait_risk


def _node_ids(values: Sequence[int] | Int32, what: str, num_nodes: int) -> Int32:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise InvalidProblem(f"{what}s must be a flat array of integer node ids, got shape {array.shape}, {array.dtype}")
    for agent, node in enumerate(array.tolist()):
        if not 0 <= node < num_nodes:
            raise InvalidProblem(f"agent {agent}: {what} node {node} is not in 0..{num_nodes - 1}")
    seen: dict[int, int] = {}
    for agent, node in enumerate(array.tolist()):
        if node in seen:
            raise InvalidProblem(f"agents {seen[node]} and {agent} share {what} node {node}; {what}s must be distinct")
        seen[node] = agent
    return np.ascontiguousarray(array, dtype=np.int32)
