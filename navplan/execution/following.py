"""Where agents are along a plan, and how long each has been kept from going on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from navplan.errors import InvalidInput
from navplan.execution.passage import PassageOrder
from navplan.kernels.motion.passage import advance, speed_limits
from navplan.plan.plan import Plan
from navplan.system.arrays import Bool, Float32, Float64, Int32, Int64

SLOWEST = 0.1
"""Share of full speed below which an agent rather waits."""

NEARER = 0.05
"""Cells by which an agent must come nearer to its waypoint for that to count as progress."""


class Outlook(NamedTuple):
    """What agents have before them.

    Attributes:
        aims: (A, 2) float32 waypoints to go to now.
        gap: (A,) float64 cells to them.
        arrived: (A,) bool, agents that stand on their goals, the whole path behind them.
        rests: (A,) bool, those and the ones that stand where the plan has them wait.
    """

    aims: Float32
    gap: Float64
    arrived: Bool
    rests: Bool


@dataclass(eq=False)
class Following:
    """How far each agent has come along a plan.

    Attributes:
        plan: the plan; order: of passage, on its pieces.
        goals: (A, 2) float32 of the environment, which the plan's ends may miss by `tolerance`.
        tolerance: cells within which a waypoint counts as reached.
        stop: cells from its goal within which an agent that has arrived rests.
        at: (A,) int32 time step of the plan that each agent has reached.
        progress: (A,) float64 pieces left behind, fractions included.
        frontier: (A,) int32 progress up to which each agent may go now.
    """

    plan: Plan
    order: PassageOrder
    goals: Float32
    tolerance: float
    stop: float
    at: Int32
    progress: Float64
    frontier: Int32

    @classmethod
    def start(cls, plan: Plan, order: PassageOrder, goals: Float32, tolerance: float, stop: float) -> Following:
        """All agents at the beginning of their paths."""
        agents = len(plan.paths)
        return cls(plan, order, goals, tolerance, stop, np.zeros(agents, np.int32), np.zeros(agents), np.zeros(agents, np.int32))

    def check_ends(self, here: Float64) -> None:
        """Raise InvalidInput unless agents at `here` (A, 2) stand at the plan's starts and their goals are its ends."""
        nodes = self.order.nodes
        for what, where, at in (("starts", nodes[:, 0], here), ("ends", nodes[:, -1], self.goals)):
            gap = np.linalg.norm(where - at, axis=1)
            if not (gap < self.tolerance).all():
                agent = int(np.argmax(gap))
                raise InvalidInput(
                    f"agent {agent}: the plan {what} at {where[agent].tolist()} but the environment has {at[agent].tolist()}; "
                    "reset it with the plan's starts and goals"
                )

    def look(self, here: Float32) -> Outlook:
        """Move `at`, `progress` and `frontier` on to the present states `here` (A, 2); what lies ahead from there."""
        order, rows, position = self.order, np.arange(len(here)), here.astype(np.float64)
        advance(order.arrays, position, self.tolerance, self.at, self.progress, self.frontier)
        ahead = np.minimum(self.at + 1, order.arrival)
        waypoints = order.nodes[rows, ahead]
        last = ahead == order.arrival
        waypoints[last] = self.goals[last]
        gap = np.linalg.norm(position - waypoints, axis=1)
        done = self.progress >= order.ends
        waiting = (order.nodes[rows, self.at] == order.nodes[rows, ahead]).all(axis=1)
        arrived = done & (gap < self.stop)
        return Outlook(waypoints.astype(np.float32), gap, arrived, arrived | (waiting & ~done & (gap < self.tolerance)))

    def speeds(self, here: Float32, wishes: Float32) -> Float64:
        """(A,) share of its move, to (A, 2) float32 `wishes` from where it is, that each agent may make on pieces free to it."""
        scale = np.ones(len(here))
        speed_limits(self.order.arrays, here.astype(np.float64), self.at, self.progress, self.frontier, wishes, scale)
        scale[scale < SLOWEST] = 0.0
        return scale

    def at_last_node(self, agent: int) -> bool:
        """Whether the agent has reached the end of its path."""
        return bool(self.at[agent] >= self.order.arrival[agent])

    def edge_ahead(self, agent: int) -> tuple[int, int]:
        """(from node, to node) of the step of the plan that the agent is in."""
        path, at = self.plan.paths[agent], int(self.at[agent])
        return int(path[at]), int(path[at + 1])

    def skip(self, agent: int) -> bool:
        """Let the agent make for the waypoint after the next, if the order lets it go there."""
        order, following = self.order, int(self.at[agent]) + 1
        if following >= order.arrival[agent] or self.frontier[agent] < order.offsets[following]:
            return False
        self.at[agent] = following
        self.progress[agent] = float(order.offsets[following])
        return True


@dataclass(eq=False)
class Stalls:
    """Steps in which agents got no nearer to where they were to go, (A,) each.

    Attributes:
        waited: steps in a row in which the filter turned or held an agent that wished to move.
        stalled: steps in a row without progress, though the order let the agent go.
        blocked: those of them in which it yielded to others.
        nearest: least cells to the present waypoint so far.
        aim: time step of the plan that they are counted for, -1 before the first.
    """

    waited: Int64
    stalled: Int64
    blocked: Int64
    nearest: Float64
    aim: Int64

    @classmethod
    def none(cls, agents: int) -> Stalls:
        """Nobody has been kept yet."""
        zeros = np.zeros(agents, np.int64)
        return cls(zeros, zeros.copy(), zeros.copy(), np.full(agents, np.inf), np.full(agents, -1))

    def count(self, at: Int32, gap: Float64, *, wished: Bool, held: Bool, yielded: Bool) -> None:
        """One more step.

        Args:
            at: (A,) time step of the plan that each agent has reached.
            gap: (A,) cells to its waypoint before the step.
            wished: it wished to move.
            held: the order, or the plan's wait, kept it.
            yielded: the filter let it do something else than it wished.
        """
        self.waited = np.where(yielded & wished, self.waited + 1, 0)
        moved_on = at != self.aim
        self.nearest[moved_on] = np.inf
        self.aim = at.astype(np.int64)
        better = gap < self.nearest - NEARER
        self.nearest = np.minimum(self.nearest, gap)
        reset = moved_on | better | held
        self.stalled = np.where(reset, 0, self.stalled + 1)
        self.blocked = np.where(reset, 0, self.blocked + yielded)

    def stuck(self, patience: int) -> list[int]:
        """Agents that have stalled for `patience` steps."""
        return [int(agent) for agent in np.flatnonzero(self.stalled >= patience)]

    def by_themselves(self, agents: list[int]) -> list[int]:
        """Those of `agents` that mostly stalled without yielding: the low level's own failure to drive its edge."""
        return [agent for agent in agents if self.blocked[agent] * 2 < self.stalled[agent]]

    def forgive(self) -> None:
        """Count anew from the next step on."""
        self.stalled[:] = 0
        self.nearest[:] = np.inf
