"""What there is to draw: a world and, where given, a graph, the edges pruned from it, a plan and a trajectory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from navplan.errors import InvalidInput
from navplan.execution.trajectory import Trajectory
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan
from navplan.plan.pricing import find_edges
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Float32, Float64, Int32, Int64
from navplan.system.numbers import as_numbers
from navplan.system.words import said


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything a picture shows; each part but the world may be missing.

    With a trajectory the agents move as they were driven; with a plan alone they move along its paths, one edge per time
    step; with neither, starts and goals are marked.

    Attributes:
        world: map and hazard field.
        graph: state graph, edges coloured by risk.
        pruned: the graph before pruning (same node ids; its edges missing from `graph` are drawn as pruned), or (P, 2)
            integer node pairs.
        plan: the plan to draw; None takes the plans of the trajectory, if it has any.
        trajectory: what execution recorded.
        title: heading of the panel; empty means the world's name.
        facts: rows of the panel beside those that the parts speak of themselves.
        starts, goals: (A, 2) float32 for a problem without plan and trajectory.
        radius, goal_tolerance: cells, the radius one for all or one for each agent; None means those of the trajectory or plan,
            else 0.25 and 0.5.

    Raises:
        InvalidInput: nodes without positions, parts that do not fit together, a radius that is none.
    """

    world: World
    graph: StateGraph | None = None
    pruned: StateGraph | Int32 | None = None
    plan: Plan | None = None
    trajectory: Trajectory | None = None
    title: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    starts: Float32 | None = None
    goals: Float32 | None = None
    radius: float | Float64 | None = None
    goal_tolerance: float | None = None

    def __post_init__(self) -> None:
        if self.graph is not None and self.graph.places.shape[1] != 2:
            columns = self.graph.states.shape[1]
            raise InvalidInput(f"the graph has states of {columns} columns and no positions, a picture needs (row, col)")
        if self.pruned is not None and self.graph is None:
            raise InvalidInput("pruned edges are given without the graph that they were pruned from")
        if self.plan is not None and self.trajectory is not None and self.plan.num_agents != self.trajectory.num_agents:
            raise InvalidInput(
                f"plan of {self.plan.num_agents} agents, trajectory of {self.trajectory.num_agents}, expected the same number"
            )
        if not self.num_agents:
            return
        radii = as_numbers(self._stated_radius(), "radius")
        if radii.shape not in ((), (self.num_agents,)) or not (np.isfinite(radii) & (radii >= 0)).all():
            raise InvalidInput(
                f"radius is {said(self._stated_radius())}, expected one that is not negative, or one for each agent"
            )

    @cached_property
    def plans(self) -> tuple[Plan, ...]:
        """Plans in the order in which they were followed; solved ones only."""
        found: list[Plan] = []
        if self.trajectory is not None:
            found = [p for p in self.trajectory.plans if isinstance(p, Plan)]
        if not found and self.plan is not None:
            found = [self.plan]
        return tuple(p for p in found if p.paths)

    def plan_at(self, time: float) -> Plan | None:
        """The plan in force at a step: each replan recorded so far moves on to the next plan."""
        if not self.plans:
            return None
        events = self.trajectory.events if self.trajectory is not None else ()
        done = sum(1 for e in events if e.get("kind") == "replan" and float(e.get("step", 0)) <= time)
        return self.plans[min(done, len(self.plans) - 1)]

    @cached_property
    def history(self) -> Float32:
        """(T + 1, A, 2) positions at each step; (1, A, 2) starts where nothing moves; A may be 0."""
        if self.trajectory is not None:
            return np.asarray(self.trajectory.states[..., :2], dtype=np.float32)
        if self.plan is not None and self.plan.paths:
            length = max(len(c) for c in self.plan.coordinates)
            padded = [np.concatenate([c, np.repeat(c[-1:], length - len(c), axis=0)])[:, :2] for c in self.plan.coordinates]
            return np.stack(padded, axis=1).astype(np.float32)
        return self.start_points[None]

    @cached_property
    def start_points(self) -> Float32:
        """(A, 2) starts."""
        return self._points("start")

    @cached_property
    def goal_points(self) -> Float32:
        """(A, 2) goals."""
        return self._points("goal")

    def _points(self, which: str) -> Float32:
        given = self.starts if which == "start" else self.goals
        if given is None and self.trajectory is not None:
            given = self.trajectory.starts if which == "start" else self.trajectory.goals
        if given is None and self.plan is not None:
            given = self.plan.problem.get(f"{which}_states")
            if given is None and self.plan.paths:
                given = np.stack([c[0 if which == "start" else -1] for c in self.plan.coordinates])
        if given is None:
            return np.zeros((0, 2), np.float32)
        with np.errstate(over="ignore"):
            array = np.asarray(given, dtype=np.float32)
        if array.ndim != 2 or array.shape[1] < 2 or not np.isfinite(array).all():
            raise InvalidInput(f"{which}s have shape {array.shape}, expected (agents, 2) coordinates within float32")
        return array[:, :2]

    @property
    def num_agents(self) -> int:
        """A; 0 for a bare map or graph."""
        return len(self.start_points)

    @property
    def num_steps(self) -> int:
        """T, 0 where nothing moves."""
        return len(self.history) - 1

    @cached_property
    def radii(self) -> Float64:
        """(A,) radius of each agent's disc in cells."""
        return np.broadcast_to(np.asarray(self._stated_radius(), np.float64), self.num_agents)

    def _stated_radius(self) -> Any:
        if self.radius is not None:
            return self.radius
        if self.trajectory is not None:
            return self.trajectory.radius
        return 0.25 if self.plan is None else self.plan.problem.get("radius", 0.25)

    @cached_property
    def tolerance(self) -> float:
        """Radius of a goal ring in cells."""
        if self.goal_tolerance is not None:
            return self.goal_tolerance
        return self.trajectory.goal_tolerance if self.trajectory is not None else 0.5

    def positions(self, time: float) -> Float32:
        """(A, 2) positions at a step that may lie between two recorded ones (straight in between)."""
        time = min(max(time, 0.0), float(self.num_steps))
        low = int(time)
        high = min(low + 1, self.num_steps)
        share = np.float32(time - low)
        blended = self.history[low] * (1 - share) + self.history[high] * share
        return np.asarray(blended, dtype=np.float32)

    def headings(self, time: float) -> Float64 | None:
        """(A,) radians from the direction of growing rows towards that of growing columns, NaN for agents that face no way.

        None where no agent has a body that faces one.
        """
        if self.trajectory is None or self.trajectory.headings is None:
            return None
        time = min(max(time, 0.0), float(self.num_steps))
        low = int(time)
        before, after = self.trajectory.headings[[low, min(low + 1, self.num_steps)]].astype(np.float64)
        turn = np.mod(after - before + np.pi, 2.0 * np.pi) - np.pi
        return np.asarray(before + (time - low) * turn)

    @cached_property
    def _cost_table(self) -> Float64 | None:
        if self.trajectory is None:
            return None
        total = np.cumsum(self.trajectory.cost, axis=0, dtype=np.float64)
        return np.concatenate([np.zeros((1, self.num_agents)), total])

    def cost_until(self, time: float) -> Float64 | None:
        """(A,) cost so far; None without a trajectory, since a plan has met no hazard yet."""
        if self._cost_table is None:
            return None
        return np.asarray(self._cost_table[min(int(time), self.num_steps)])

    @property
    def largest_cost(self) -> float:
        """The most that any agent pays in the end."""
        return float(self._cost_table[-1].max()) if self._cost_table is not None and self.num_agents else 0.0

    @cached_property
    def planned_risk(self) -> tuple[float, ...]:
        """What each agent's path risks by the graph's edges and waits; empty without plan or graph, or where they do not fit."""
        graph, plan = self.graph, self.plan
        if graph is None or plan is None or not plan.paths or max(int(p.max()) for p in plan.paths) >= graph.num_nodes:
            return ()
        total = []
        for path in plan.paths:
            tails, heads = path[:-1].astype(np.int64), path[1:].astype(np.int64)
            moves = tails != heads
            edges = find_edges(graph.indptr, graph.indices, tails[moves], heads[moves])
            if (edges < 0).any():
                return ()
            total.append(float(graph.risk[edges].sum() + graph.wait_risk[tails[~moves]].sum()))
        return tuple(total)

    def contacts_until(self, time: float) -> int | None:
        """Pairs in contact, counted once per step and pair, up to a step; None without a trajectory."""
        if self.trajectory is None:
            return None
        seen = self.trajectory.agent_contacts[: min(int(np.ceil(time)), self.num_steps)]
        return int(np.triu(seen.sum(axis=0), 1).sum())

    def wall_contacts_until(self, time: float) -> int | None:
        """Half-steps after which a body overlapped a wall or the edge, up to a step; None where that was not recorded."""
        if self.trajectory is None or self.trajectory.wall_contacts is None:
            return None
        return int(self.trajectory.wall_contacts[: min(int(np.ceil(time)), self.num_steps)].sum())

    def in_walls(self, time: float) -> Bool:
        """(A,) True for agents to flag: their bodies overlapped a wall or the edge during the current step."""
        if self.trajectory is None or self.trajectory.wall_contacts is None or not self.num_steps or time <= 0:
            return np.zeros(self.num_agents, np.bool_)
        step = min(max(int(np.ceil(time)) - 1, 0), self.num_steps - 1)
        return np.asarray(self.trajectory.wall_contacts[step] > 0)

    def touching(self, time: float) -> Int64:
        """(K, 2) pairs to flag: closer than their two radii at this moment, or recorded in contact during the current step."""
        if self.num_agents < 2:
            return np.zeros((0, 2), np.int64)
        at = self.positions(time).astype(np.float64)
        near = ((at[:, None] - at[None]) ** 2).sum(axis=-1) < (self.radii[:, None] + self.radii) ** 2 - 1e-9
        if self.trajectory is not None and self.num_steps:
            step = min(max(int(np.ceil(time)) - 1, 0), self.num_steps - 1)
            near = near | (self.trajectory.agent_contacts[step] if time > 0 else False)
        return np.argwhere(np.triu(near, 1))

    def arrived(self, time: float) -> Bool:
        """(A,) True where the agent is within the goal tolerance now."""
        if len(self.goal_points) != self.num_agents:
            return np.zeros(self.num_agents, np.bool_)
        gap = np.linalg.norm(self.positions(time).astype(np.float64) - self.goal_points, axis=-1)
        return np.asarray(gap < self.tolerance)
