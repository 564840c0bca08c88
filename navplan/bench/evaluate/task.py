"""Units of work of an evaluation: each decided by its identity, done by one process, kept in one file named by a hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from navplan.bench.evaluate.suite import Setting
from navplan.errors import FileAccessError
from navplan.system.arrays import Float32, Float64, Int64
from navplan.system.files import read_bytes

# Whose sources decide what comes out of a run; rows of one table should agree in them.
_CODE = ("control", "execution", "graph", "kernels", "learned", "navigation", "plan", "planners", "scenarios", "system")


@dataclass(frozen=True, eq=False)
class Cell:
    """Problems of one kind, the first ones of a problem set.

    Attributes:
        starts, goals: (P, A, 2) float32.
        oracle_cost, oracle_steps: (P, A) float64, each agent alone on the map.
        budgets: (P,) int64 steps of every agent.
    """

    map: str
    map_sha256: str
    difficulty: str
    agents: int
    starts: Float32
    goals: Float32
    oracle_cost: Float64
    oracle_steps: Float64
    budgets: Int64

    def digest(self) -> str:
        """Hex SHA-256 of the problems and their budgets."""
        made = hashlib.sha256()
        for array in (self.starts, self.goals, self.oracle_cost, self.oracle_steps, self.budgets):
            made.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
        return made.hexdigest()

    @property
    def label(self) -> str:
        """Map, difficulty, agents."""
        return f"{self.map} {self.difficulty} {self.agents}"


@dataclass(frozen=True, eq=False)
class Run:
    """A run directory of one training seed."""

    name: str
    file: Path
    sha256: str
    train_seed: int
    stage: int


@dataclass(frozen=True, eq=False)
class Task:
    """One unit of work.

    Attributes:
        kind: "problems", "pareto" or "calibration".
        identity: everything that decides the result, in plain values.
        cell, setting, run: what it works on, as far as it needs them.
        group: tasks of one group share what is slow to build.
        extra: plain values that the kind needs.
    """

    kind: str
    identity: Mapping[str, Any]
    label: str
    group: str
    cell: Cell | None = None
    setting: Setting | None = None
    run: Run | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """16 hex digits, and the name of the task's file."""
        text = json.dumps({"kind": self.kind, **self.identity}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def file(self, out: Path) -> Path:
        """Where the result lies."""
        return out / "shards" / f"{self.key}.json"

    def trajectory_file(self, out: Path) -> Path:
        """Where the trajectory that the pictures show lies, for the tasks that leave one."""
        return out / "trajectories" / f"{self.key}.npz"


def read_result(task: Task, out: Path) -> dict[str, Any] | None:
    """What the task left; None when it is not done, or its file is damaged or of another task."""
    path = task.file(out)
    try:
        document = json.loads(read_bytes(path))
    except (FileAccessError, ValueError):
        return None
    if not isinstance(document, dict) or document.get("key") != task.key or "result" not in document:
        return None
    if task.extra.get("keep") is not None and not task.trajectory_file(out).is_file():
        return None
    return document


def remaining(tasks: Sequence[Task], out: Path, *, fresh: bool = False) -> list[Task]:
    """The tasks that are not done."""
    return [task for task in tasks if fresh or read_result(task, out) is None]


@cache
def code_hash() -> str:
    """8 hex digits over the sources that a result depends on."""
    package = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for folder in _CODE:
        for source in sorted((package / folder).rglob("*.py")):
            digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()[:8]


@cache
def version() -> str:
    """Version of navplan."""
    from importlib.metadata import version as installed

    return installed("navplan")
