"""Of the paper's recipe: a configuration of the smallest size and made-up transitions."""

from __future__ import annotations

import numpy as np
import torch

from navplan.learned.recipes.paper.config import PaperConfig
from navplan.learned.recipes.paper.learner import Transitions

SIZE = (15.0, 15.0)
TINY = PaperConfig(
    "center-dot", seed=3, steps=400, stage1_fraction=0.5, batch_size=8, hidden=8, initial_steps=50, replay_size=100,
    queue_interval=50, queue_points=6, queue_problems=4, checkpoint_interval=100, log_interval=100, export_states=40,
)  # fmt: skip


def transitions(count: int, seed: int) -> Transitions:
    rng = np.random.default_rng(seed)

    def points() -> torch.Tensor:
        return torch.from_numpy(rng.uniform(0, 15, (count, 2)).astype(np.float32))

    done = torch.from_numpy(rng.random(count) < 0.3)
    costs = torch.from_numpy(rng.uniform(0, 2, count).astype(np.float32))
    return Transitions(points(), points(), points() / 7.5 - 1, costs, points(), done)
