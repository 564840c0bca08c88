"""What comes out of `navigate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from navplan.execution.trajectory import Trajectory
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan
from navplan.system.arrays import Float32


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

    @property
    def walls(self) -> str | None:
        """What the graph's walls are known from: critics ("learned") or the map; None without a graph."""
        if self.graph is None:
            return None
        return "map" if self.graph.is_grid else "learned"

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
            "wall_contacts": 0,
            "bumps": 0,
            "cost_max": None,
            "cost_mean": None,
            "cost_total": None,
            **_outcome(self.trajectory),
            "walls": self.walls,
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
        "wall_contacts": trajectory.num_wall_contacts,
        "bumps": int(trajectory.bumps.sum()),
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
