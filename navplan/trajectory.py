"""What execution records, step by step, and its file; scoring reads nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from navplan.files import write_atomically


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Agents driven through an environment for T steps.

    Attributes:
        walls: (H, W) bool, or (0, 0) for a polygon world.
        starts, goals: (A, 2) float32, cell units, (row, col).
        radius, goal_tolerance: cells.
        states: (T + 1, A, 2) float32.
        actions: (T, A, 2) float32, as the environment received them.
        cost: (T, A) float32 cost of each step.
        agent_contacts: (T, A, A) bool, symmetric: a pair came closer than ``2 * radius`` at some sub-step of that step.
        wall_contacts: (T, A) int32 blocked axis moves.
        plans: the plans followed, the first and each replan.
        events: one dict per notable happening: {"step", "kind", "agents", …}; kinds: replan, yield, …
        planning_s, acting_s: wall seconds spent planning (replans included) and in the low level.
    """

    walls: NDArray[np.bool_]
    starts: NDArray[np.float32]
    goals: NDArray[np.float32]
    radius: float
    goal_tolerance: float
    states: NDArray[np.float32]
    actions: NDArray[np.float32]
    cost: NDArray[np.float32]
    agent_contacts: NDArray[np.bool_]
    wall_contacts: NDArray[np.int32]
    plans: tuple[Any, ...] = ()
    events: tuple[dict[str, Any], ...] = field(default_factory=tuple)
    planning_s: float = 0.0
    acting_s: float = 0.0

    @property
    def num_steps(self) -> int:
        """T."""
        return len(self.actions)

    @property
    def num_agents(self) -> int:
        """A."""
        return len(self.starts)

    @property
    def at_goal(self) -> NDArray[np.bool_]:
        """(A,) True where the agent ends within the goal tolerance of its own goal."""
        gap = np.linalg.norm(self.states[-1].astype(np.float64) - self.goals, axis=-1)
        return np.asarray(gap < self.goal_tolerance)

    @property
    def arrival(self) -> NDArray[np.int64]:
        """(A,) first step from which the agent is within the goal tolerance for good; -1 where it never is."""
        near = np.linalg.norm(self.states.astype(np.float64) - self.goals, axis=-1) < self.goal_tolerance
        stays = np.logical_and.accumulate(near[::-1], axis=0)[::-1]
        return np.where(stays.any(axis=0), stays.argmax(axis=0), -1)

    @property
    def num_agent_contacts(self) -> int:
        """Pairs in contact, counted once per step and pair."""
        return int(np.triu(self.agent_contacts.sum(axis=0), 1).sum())

    @property
    def reached(self) -> bool:
        """Every agent ends at its own goal; contacts are not looked at."""
        return bool(self.at_goal.all())

    @property
    def success(self) -> bool:
        """Every agent ends at its own goal and no two agents ever touched."""
        return self.reached and self.num_agent_contacts == 0

    @property
    def cumulative_cost(self) -> NDArray[np.float64]:
        """(A,) sum of the step costs."""
        return self.cost.sum(axis=0, dtype=np.float64)

    def save(self, path: str | Path) -> None:
        """Write ``trajectory.npz``: all that is needed to simulate the actions again."""
        arrays: dict[str, Any] = {
            "walls": self.walls,
            "starts": self.starts,
            "goals": self.goals,
            "radius": np.float64(self.radius),
            "goal_tolerance": np.float64(self.goal_tolerance),
            "states": self.states,
            "actions": self.actions,
            "cost": self.cost,
            "agent_contacts": self.agent_contacts,
            "wall_contacts": self.wall_contacts,
        }
        write_atomically(path, lambda stream: np.savez_compressed(stream, **arrays))
