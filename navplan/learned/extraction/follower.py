"""The network of policies that go where they are told: towards goals a few steps away."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from navplan.learned.critics.goal_critic import GoalTask
from navplan.learned.networks import Features, Members

# How much larger the way to the goal is than positions, for the network: goals are near.
_CLOSER = 3.0


class FollowerNetwork(nn.Module):
    """Observations, what of them a goal is, and goals -> actions (B, A), the logged range mapped to [-1, 1]."""

    def __init__(self, task: GoalTask, generator: torch.Generator) -> None:
        super().__init__()
        self.seen = Features(task.observation, task.frequencies, generator)
        self.goal = self.seen if task.same else Features(task.goal, task.frequencies, generator)
        self.image = len(task.goal) == 3
        way = 0 if self.image else task.goal[0]
        self.members = Members(1, self.seen.dim + self.goal.dim + way, task.hidden, task.actions, generator)

    def forward(self, observations: Tensor, places: Tensor, goals: Tensor) -> Tensor:
        """(B, …), (B, G), (B, G) -> (B, A)."""
        parts = [self.seen(observations), self.goal(goals)]
        if not self.image:
            parts.append((goals - places) * _CLOSER)
        found: Tensor = self.members(torch.cat(parts, dim=1))[0]
        return found
