"""What is known of logs, and the networks that go with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from navplan.learned.critics.critic_learner import PairNetwork
from navplan.learned.critics.goal_critic import GoalTask
from navplan.learned.datasets.steps import Scales, Scaling
from navplan.learned.extraction.follower import FollowerNetwork
from navplan.learned.extraction.knn import Neighbors
from navplan.learned.interface import Arrays
from navplan.learned.recipes.offline.config import OfflineConfig
from navplan.system.arrays import Float32

Acting = Callable[[Float32, Float32, Float32], Float32]
"""(B, …) observations, (B, G) what of them a goal is, (B, G) goals -> (B, A) actions; all scaled."""


class Logs(NamedTuple):
    """What a learner must know of its data: sizes, scales, whether costs were logged, tables of what is not trained, facts."""

    task: GoalTask
    scales: Scales
    costs: bool
    table: Arrays
    facts: dict[str, Any]


def other_networks(logs: Logs) -> dict[str, nn.Module]:
    """The policy's network, unless it is a table, and the cost critic's, where costs were logged."""
    task, found = logs.task, dict[str, nn.Module]()
    if not logs.table:
        found["policy"] = FollowerNetwork(task, torch.Generator().manual_seed(task.seed + 1))
    if logs.costs:
        found["cost"] = PairNetwork(task, 1, torch.Generator().manual_seed(task.seed + 2))
    return found


def acting(networks: Mapping[str, nn.Module], table: Arrays, config: OfflineConfig) -> Acting:
    """The policy on scaled numbers."""
    if table:
        return Neighbors(table, config.policy.neighbors)  # type: ignore[attr-defined]
    network = networks["policy"]

    def act(observations: Float32, places: Float32, goals: Float32) -> Float32:
        with torch.inference_mode():
            found: Float32 = network(*(torch.from_numpy(np.ascontiguousarray(x)) for x in (observations, places, goals))).numpy()
        return found

    return act


def scale_arrays(scales: Scales) -> Arrays:
    """Scales as files hold them: in double precision, so that they are not halved with the weights."""
    parts = [
        (f"scale.{name}.{part}", getattr(scale, part)) for name, scale in scales._asdict().items() for part in Scaling._fields
    ]
    return {name: array.astype(np.float64) for name, array in parts}


def scales_from(arrays: Arrays) -> Scales:
    """The inverse of `scale_arrays`.

    Raises:
        KeyError: one is missing.
    """

    def scale(name: str) -> Scaling:
        return Scaling(*(arrays[f"scale.{name}.{part}"].astype(np.float32) for part in Scaling._fields))

    return Scales(*map(scale, Scales._fields))


def table_from(arrays: Arrays) -> Arrays:
    """The table of a policy that is not trained, empty where there is none."""
    return {name.removeprefix("table."): array for name, array in arrays.items() if name.startswith("table.")}
