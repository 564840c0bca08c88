"""Imitation without training: what did the logs do where they were here and went there?

Source: our own; nearest neighbours over logged (observation, displacement) pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from navplan.learned.datasets.dataset import Dataset
from navplan.learned.datasets.steps import Scales, finite_rows
from navplan.system.arrays import Float32

if TYPE_CHECKING:
    from torch import Tensor

    from navplan.learned.critics.goal_critic import Tensors


@dataclass(frozen=True)
class Knn:
    """The mean action of the nearest logged steps; for a first look at logs of a few numbers an observation."""

    name: ClassVar[str] = "knn"
    slot: ClassVar[str] = "policy"
    about: ClassVar[str] = "mean action of logged steps that began near and went to where the goal lies; no training"
    paper: ClassVar[str | None] = None
    source: ClassVar[str] = "our own"

    ahead: int = 8
    """Steps after which a displacement is looked at."""
    neighbors: int = 10
    """Logged steps whose actions are averaged."""
    rows: int = 100_000
    """Most logged steps that are kept."""

    def loss(self, policy: Any, critic: Any, batch: Tensors) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean squared error of actions; nothing can be learned from it."""
        error = ((policy(batch.observations, batch.places, batch.ahead) - batch.actions) ** 2).sum(dim=1).mean()
        return error, {"error": error}

    def table(self, data: Dataset, scales: Scales, rng: np.random.Generator) -> dict[str, Float32]:
        """What is kept of the logs: keys (K, D + G), actions (K, A) scaled, and the length (1,) that most displacements have."""
        steps = data.rows(np.arange(data.num_transitions))
        good = finite_rows(data)
        steps = steps[steps + self.ahead <= data.last(steps)]
        steps = steps[good[steps] & good[steps + self.ahead] & np.isfinite(data.actions[steps]).all(axis=1)]
        steps = np.sort(rng.choice(steps, min(self.rows, len(steps)), replace=False))
        seen = scales.observations.of(data.observations[steps]).reshape(len(steps), -1)
        moved = scales.goals.of(data.goals(steps + self.ahead)) - scales.goals.of(data.goals(steps))
        moved = moved.reshape(len(steps), -1)
        length = np.quantile(np.linalg.norm(moved, axis=1), 0.9, keepdims=True).astype(np.float32)
        return {"keys": np.hstack([seen, moved]), "actions": scales.actions.of(data.actions[steps]), "length": length}


class Neighbors:
    """A table of `Knn` that acts: scaled numpy in, scaled numpy out."""

    def __init__(self, table: dict[str, NDArray[Any]], neighbors: int) -> None:
        from scipy.spatial import cKDTree

        self.table, self.neighbors = table, min(neighbors, len(table["keys"]))
        self._tree = cKDTree(table["keys"])

    def __call__(self, observations: Float32, places: Float32, goals: Float32) -> Float32:
        """(B, …), (B, G), (B, G) -> (B, A)."""
        way = (goals - places).reshape(len(goals), -1)
        length = np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-6)
        way = way / length * np.minimum(length, self.table["length"])
        keys = np.hstack([observations.reshape(len(observations), -1), way])
        found = np.asarray(self._tree.query(keys, np.arange(1, self.neighbors + 1))[1])
        mean: Float32 = self.table["actions"][found].mean(axis=1)
        return mean
