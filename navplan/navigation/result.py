"""Ways to navigate, their options, and what comes out: the nouns of `navigate`."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

from navplan.execution.synchronised import Settings
from navplan.execution.trajectory import Trajectory
from navplan.graph.limits import Weight
from navplan.graph.nodes import NodeChoice
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan
from navplan.system.arrays import Float32

Execution = Literal["synchronised", "waypoints"]


@dataclass(frozen=True)
class Method:
    """One way to navigate.

    Attributes:
        summary: one line.
        plans: search a graph and execute the plan; otherwise the low level acts alone.
        prune: drop edges by risk.
        weighs_risk: edge cost has the risk term.
        weight: "cost" or "hops".
        constrained: the safety-constrained policy drives; otherwise the unconstrained one of the first training stage.
        lane: edges are priced as lanes of this half width, cells (`navplan.graph.lanes`); 0: as lines.
        reach: longest edge in environment steps, where the scenario's own limit is not shorter. An edge is one time step of the
            plan, so edges of like length keep the plan's time close to the time it takes to drive it.
        nodes: how graph nodes are chosen from the checkpoint's states.
        graph_nodes: how many, unless the options say; None: one per cell of the map, 600 to 3000.
        execution: "synchronised" keeps the plan's order of passage and bodies apart, and replans; "waypoints" lets every agent
            follow its own waypoints, as the published evaluation does (`navplan.execution.waypoints`).
        planner: multi-agent planner, unless the options name one.
        clearance: of the planning problem, cells; None: ``2 * radius`` and the options' spare.
    """

    summary: str
    plans: bool = True
    prune: bool = True
    weighs_risk: bool = True
    weight: Weight = "cost"
    constrained: bool = True
    lane: float = 0.0
    reach: float = math.inf
    nodes: NodeChoice = "coverage"
    graph_nodes: int | None = None
    execution: Execution = "synchronised"
    planner: str = "ecbs"
    clearance: float | None = None


METHODS: dict[str, Method] = {
    "navplan": Method("risk-pruned graph, distance + beta * risk, multi-agent search, constrained policy", lane=0.25, reach=2.5),
    "constrained-search": Method(
        "as published: risk-pruned graph, hop count, CBS, waypoints without synchronisation, constrained policy",
        weighs_risk=False,
        weight="hops",
        nodes="uniform",
        graph_nodes=1000,
        execution="waypoints",
        planner="cbs",
        clearance=0.0,
    ),
    "sorb": Method(
        "as published: graph without risk, shortest distance, CBS, waypoints without synchronisation, unconstrained policy",
        prune=False,
        weighs_risk=False,
        constrained=False,
        nodes="uniform",
        graph_nodes=1000,
        execution="waypoints",
        planner="cbs",
        clearance=0.0,
    ),
    "constrained-policy": Method("the constrained policy alone, straight to the goal", plans=False),
    "policy": Method("the unconstrained policy alone, straight to the goal", plans=False, constrained=False),
}

DEFAULT_BETA = 4.0
FEWEST_NODES, MOST_NODES = 600, 3000


@dataclass(frozen=True)
class Options:
    """How to navigate. None leaves a choice to the method, and limits of edges to the scenario.

    Attributes:
        low_level: name in `low_level.LOW_LEVELS`.
        planner: multi-agent planner; "ecbs" keeps within `suboptimality` of the optimum.
        suboptimality: w of the bounded planner.
        beta: weight of risk against distance.
        graph_nodes: nodes chosen from the checkpoint's states, fewer if it has fewer.
        max_distance, max_risk: limits of edges; for the distance also the method's.
        spare: planned clearance beyond ``2 * radius``, cells; given up where starts or goals are closer than that.
        time_limit: seconds per planning call; with `max_expansions` none.
        max_expansions: conflict-tree nodes per planning call, a budget that is the same on every machine.
        seed: of node choice and planner.
        settings: of the execution.
        prune, weight, lane, nodes, execution: as in `Method`.
    """

    low_level: str = "policy"
    planner: str | None = None
    suboptimality: float = 1.1
    beta: float = DEFAULT_BETA
    graph_nodes: int | None = None
    max_distance: float | None = None
    max_risk: float | None = None
    spare: float = 0.2
    time_limit: float = 10.0
    max_expansions: int | None = None
    seed: int = 0
    settings: Settings = dataclasses.field(default_factory=Settings)
    prune: bool | None = None
    weight: Weight | None = None
    lane: float | None = None
    nodes: NodeChoice | None = None
    execution: Execution | None = None

    def applied(self, method: Method) -> Method:
        """`method` with the choices that these options make instead."""
        names = ("planner", "prune", "weight", "lane", "nodes", "graph_nodes", "execution")
        chosen = {name: getattr(self, name) for name in names}
        return dataclasses.replace(method, **{name: value for name, value in chosen.items() if value is not None})


@dataclass(frozen=True, eq=False)
class Navigation:
    """What came out of `navigate`.

    Attributes:
        scenario, method, low_level, seed: what was asked for.
        starts, goals: (A, 2) float32.
        graph: the graph with starts and goals attached, before pruning by risk; None without planning.
        pruned: what was planned on.
        plan: the first plan, solved or not; None without planning.
        trajectory: what happened; None when there was no plan to drive.
        planner, bound: name, and the factor within which it promises to be of the optimum (None: no promise).
        beta, clearance: of the planning problem.
        graph_s, plan_s, drive_s: wall seconds; `plan_s` counts attaching, searching and replans, not compiling.
        reason: why nothing was driven.
    """

    scenario: str
    method: str
    low_level: str
    seed: int
    starts: Float32
    goals: Float32
    graph: StateGraph | None = None
    pruned: StateGraph | None = None
    plan: Plan | None = None
    trajectory: Trajectory | None = None
    planner: str | None = None
    bound: float | None = None
    beta: float | None = None
    clearance: float | None = None
    graph_s: float = 0.0
    plan_s: float = 0.0
    drive_s: float = 0.0
    reason: str = ""

    @property
    def success(self) -> bool:
        """All agents at their goals, no two ever in contact."""
        return self.trajectory is not None and self.trajectory.success

    @property
    def status(self) -> str:
        """One of success, contact, not-reached, or the status of a plan that could not be driven."""
        if self.trajectory is None:
            return self.plan.status if self.plan is not None else "unsolved"
        if self.trajectory.success:
            return "success"
        return "contact" if self.trajectory.reached else "not-reached"

    def summary(self) -> dict[str, Any]:
        """Plain fields for JSON: problem, outcome, cost, planning, graph, seconds."""
        agents = len(self.starts)
        out: dict[str, Any] = {
            "scenario": self.scenario,
            "method": self.method,
            "low_level": self.low_level,
            "agents": agents,
            "seed": self.seed,
            "status": self.status,
            "success": self.success,
            "reason": self.reason,
            "reached": 0,
            "agent_contacts": 0,
            "cost_max": None,
            "cost_mean": None,
            "cost_total": None,
            **_outcome(self.trajectory),
            "planner": self.planner,
            "bound": self.bound,
            "beta": self.beta,
            "clearance": self.clearance,
            "plan": None if self.plan is None else _plan_fields(self.plan),
            "graph": None,
            "graph_s": round(self.graph_s, 4),
            "plan_s": round(self.plan_s, 4),
            "drive_s": round(self.drive_s, 4),
        }
        if self.graph is not None and self.pruned is not None:
            out["graph"] = {
                "nodes": self.graph.num_nodes,
                "edges": self.pruned.num_edges,
                "pruned": self.graph.num_edges - self.pruned.num_edges,
            }
        return out


def _outcome(trajectory: Trajectory | None) -> dict[str, Any]:
    if trajectory is None:
        return {}
    cost = trajectory.cumulative_cost
    arrival = trajectory.arrival
    arrived = arrival[arrival >= 0]
    kinds = [event["kind"] for event in trajectory.events]
    decisions = trajectory.num_steps * trajectory.num_agents
    return {
        "reached": int(trajectory.at_goal.sum()),
        "agent_contacts": trajectory.num_agent_contacts,
        "wall_contacts": int(trajectory.wall_contacts.sum()),
        "cost_max": float(cost.max()),
        "cost_mean": float(cost.mean()),
        "cost_total": float(cost.sum()),
        "steps": trajectory.num_steps,
        "steps_mean": float(arrived.mean()) if arrived.size else None,
        "steps_max": int(arrived.max()) if arrived.size else None,
        "replans": sum(kind == "replan" for kind in kinds),
        "decisions_per_s": round(decisions / trajectory.acting_s) if trajectory.acting_s else None,
    }


def _plan_fields(plan: Plan) -> dict[str, Any]:
    fields = plan.summary()
    return {key: value for key, value in fields.items() if key not in ("planner", "agents")}
