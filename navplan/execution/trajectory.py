"""What execution records, step by step, and its file; scoring reads nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from navplan.errors import FileFormatError
from navplan.system.archives import read_arrays
from navplan.system.arrays import Bool, Float32, Float64, Int32, Int64
from navplan.system.files import read_bytes, write_atomically

# name -> (dtype kinds, axes) of the file's arrays
_ARRAYS: dict[str, tuple[str, tuple[int | str, ...]]] = {
    "walls": ("b", ("any", "any")),
    "starts": ("f", ("agents", 2)),
    "goals": ("f", ("agents", 2)),
    "radius": ("f", ()),  # or ("agents",)
    "goal_tolerance": ("f", ()),
    "states": ("f", ("steps + 1", "agents", 2)),
    "actions": ("f", ("steps", "agents", 2)),
    "cost": ("f", ("steps", "agents")),
    "agent_contacts": ("b", ("steps", "agents", "agents")),
    "wall_contacts": ("iu", ("steps", "agents")),
    "bumps": ("iu", ("steps", "agents")),
    "track": ("f", ("steps", "agents", 21, 2)),
    "headings": ("f", ("steps + 1", "agents")),
}
# Files of before `bumps` have them as "wall_contacts", and no track to measure contacts with walls from.
# A record without a track has no contacts with walls either.
_MEASURED = "wall_contacts"


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Agents driven through an environment for T steps.

    Attributes:
        walls: (H, W) bool, or (0, 0) for a polygon world.
        starts, goals: (A, 2) float32, cell units, (row, col).
        radius: cells, of all bodies, or (A,) float64 where they have bodies of their own.
        goal_tolerance: cells.
        states: (T + 1, A, 2) float32.
        actions: (T, A, 2) float32, as they were made, noise included.
        cost: (T, A) float32 cost of each step.
        agent_contacts: (T, A, A) bool, symmetric: a pair came closer than their radii at some sub-step of that step.
        bumps: (T, A) int32 axis moves that walls rejected or cut short, at most 20.
        track: (T, A, 21, 2) float32 positions within each step: its start, and after each half-step; None in files of before.
        wall_contacts: (T, A) int32 half-steps, at most 20, after which the disc overlaps an obstacle or the edge of the map by
            more than 1e-6, as measured from `track`; None where that is.
        plans: the plans followed, the first and each replan.
        events: one dict per notable happening: {"step", "kind", "agents", …}; kinds: replan, yield, …
        planning_s, acting_s: wall seconds spent planning (replans included) and in the low level.
        headings: (T + 1, A) float32 radians from growing rows towards growing columns, NaN for bodies that face no way; None
            where no body has momentum.
    """

    walls: Bool
    starts: Float32
    goals: Float32
    radius: float | Float64
    goal_tolerance: float
    states: Float32
    actions: Float32
    cost: Float32
    agent_contacts: Bool
    bumps: Int32
    track: Float32 | None = None
    wall_contacts: Int32 | None = None
    plans: tuple[Any, ...] = ()
    events: tuple[dict[str, Any], ...] = field(default_factory=tuple)
    planning_s: float = 0.0
    acting_s: float = 0.0
    headings: Float32 | None = None

    @property
    def num_steps(self) -> int:
        """T."""
        return len(self.actions)

    @property
    def num_agents(self) -> int:
        """A."""
        return len(self.starts)

    @property
    def at_goal(self) -> Bool:
        """(A,) True where the agent ends within the goal tolerance of its own goal."""
        gap = np.linalg.norm(self.states[-1].astype(np.float64) - self.goals, axis=-1)
        return np.asarray(gap < self.goal_tolerance)

    @property
    def arrival(self) -> Int64:
        """(A,) first step from which the agent is within the goal tolerance for good; -1 where it never is."""
        near = np.linalg.norm(self.states.astype(np.float64) - self.goals, axis=-1) < self.goal_tolerance
        stays = np.logical_and.accumulate(near[::-1], axis=0)[::-1]
        return np.where(stays.any(axis=0), stays.argmax(axis=0), -1)

    @property
    def num_agent_contacts(self) -> int:
        """Pairs in contact, counted once per step and pair."""
        return int(np.triu(self.agent_contacts.sum(axis=0), 1).sum())

    @property
    def num_wall_contacts(self) -> int | None:
        """Agents and half-steps after which the body reaches into a wall or over the edge; None where that was not recorded."""
        return None if self.wall_contacts is None else int(self.wall_contacts.sum())

    @property
    def reached(self) -> bool:
        """Every agent ends at its own goal; contacts are not looked at."""
        return bool(self.at_goal.all())

    @property
    def success(self) -> bool:
        """Every agent ends at its own goal and no two agents ever touched."""
        return self.reached and self.num_agent_contacts == 0

    @property
    def cumulative_cost(self) -> Float64:
        """(A,) sum of the step costs, those at the goal included."""
        return np.asarray(self.cost.sum(axis=0, dtype=np.float64))

    @property
    def cost_until_arrival(self) -> Float64:
        """(A,) sum of the step costs up to the agent's arrival, all of them where it never arrives.

        What the paper reports: its evaluation moves an agent no more once it has arrived (docs/paper.md, section 6).
        """
        steps = np.where(self.arrival < 0, self.num_steps, self.arrival)
        driven = np.arange(self.num_steps)[:, None] < steps
        return np.asarray(np.where(driven, self.cost, 0.0).sum(axis=0, dtype=np.float64))

    def save(self, path: str | Path) -> None:
        """Write ``trajectory.npz``: all that is needed to simulate the actions again."""
        arrays: dict[str, Any] = {
            "walls": self.walls,
            "starts": self.starts,
            "goals": self.goals,
            "radius": np.asarray(self.radius, np.float64),
            "goal_tolerance": np.float64(self.goal_tolerance),
            "states": self.states,
            "actions": self.actions,
            "cost": self.cost,
            "agent_contacts": self.agent_contacts,
            "bumps": self.bumps,
        }
        if self.track is not None and self.wall_contacts is not None:
            arrays |= {"track": self.track, "wall_contacts": self.wall_contacts}
        if self.headings is not None:
            arrays["headings"] = self.headings
        write_atomically(path, lambda stream: np.savez_compressed(stream, **arrays))

    @classmethod
    def load(cls, path: str | Path) -> Trajectory:
        """Read what `save` wrote; plans, events and times are not in the file.

        Raises:
            FileFormatError: not such a file; the message names the array at fault.
            FileAccessError: it cannot be read.
        """
        optional = ("track", "bumps", _MEASURED, "headings")
        arrays = read_arrays(path, read_bytes(path), _ARRAYS, "a trajectory as `Trajectory.save` writes it", optional=optional)
        if "bumps" not in arrays and _MEASURED not in arrays:
            raise FileFormatError(path, "bumps is missing, expected a trajectory as `Trajectory.save` writes it")
        if arrays["actions"].ndim == 0 or arrays["starts"].ndim == 0:
            raise FileFormatError(path, "actions and starts are single numbers, expected (T, A, 2) and (A, 2)")
        measured = "track" in arrays and _MEASURED in arrays
        steps, agents = len(arrays["actions"]), len(arrays["starts"])
        sizes = {"steps": steps, "agents": agents, "steps + 1": steps + 1}
        for name, array in arrays.items():
            kinds, axes = _ARRAYS[name]
            if name == "radius":
                axes = () if array.ndim == 0 else ("agents",)
            wanted = tuple(sizes.get(axis, axis) if isinstance(axis, str) else axis for axis in axes)
            fits = array.ndim == len(wanted) and all(w in ("any", n) for w, n in zip(wanted, array.shape, strict=True))
            if not fits or array.dtype.kind not in kinds:
                shape = f"({', '.join(str(axis) for axis in axes)})"
                raise FileFormatError(path, f"{name} is {array.dtype} {array.shape}, expected {shape}")
            bad = np.isinf(array) if name == "headings" else ~np.isfinite(array) if array.dtype.kind == "f" else np.zeros(1)
            if bad.any():
                raise FileFormatError(path, f"{name} holds NaN or infinity, expected finite numbers")
        return cls(
            walls=arrays["walls"].astype(np.bool_),
            starts=arrays["starts"].astype(np.float32),
            goals=arrays["goals"].astype(np.float32),
            radius=float(arrays["radius"]) if arrays["radius"].ndim == 0 else arrays["radius"].astype(np.float64),
            goal_tolerance=float(arrays["goal_tolerance"]),
            states=arrays["states"].astype(np.float32),
            actions=arrays["actions"].astype(np.float32),
            cost=arrays["cost"].astype(np.float32),
            agent_contacts=arrays["agent_contacts"].astype(np.bool_),
            bumps=arrays["bumps" if "bumps" in arrays else _MEASURED].astype(np.int32),
            track=arrays["track"].astype(np.float32) if measured else None,
            wall_contacts=arrays[_MEASURED].astype(np.int32) if measured else None,
            headings=arrays["headings"].astype(np.float32) if "headings" in arrays else None,
        )
