"""Advantage-weighted regression: clone what came nearer to the goal than usual, more than what did not.

Source: Peng, Kumar, Zhang and Levine, "Advantage-Weighted Regression", 2019; towards goals as in OGBench (Park et al. 2025).

Deviations: 1. goals as for `gcbc`; 2. advantages are divided by their spread over the batch, so that `temperature` means the same
whatever the critic's unit is; 3. squared error of the mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from torch import Tensor

    from navplan.learned.critics.goal_critic import Tensors


@dataclass(frozen=True)
class Awr:
    """For logs of slow or clumsy drivers."""

    name: ClassVar[str] = "awr"
    slot: ClassVar[str] = "policy"
    about: ClassVar[str] = "imitates logged actions the more, the nearer they came to the goal by the critic"
    paper: ClassVar[str | None] = None
    source: ClassVar[str] = "Peng et al. 2019; Park et al. 2025 (OGBench)"

    ahead: int = 15
    """Most steps to a goal."""
    temperature: float = 1.0
    """Weights are ``exp(temperature * advantage)``, advantages in standard deviations."""
    most: float = 20.0
    """Largest weight."""

    def loss(self, policy: Any, critic: Any, batch: Tensors) -> tuple[Tensor, dict[str, Tensor]]:
        """Weighted mean squared error of actions; `critic` gives mean steps (B,) from batches' observations to goals."""
        import torch

        with torch.no_grad():
            gained = critic(batch.observations, batch.places, batch.ahead) - critic(batch.later, batch.later_places, batch.ahead)
            advantage = (gained - gained.mean()) / gained.std().clamp_min(1e-6)
            weight = torch.exp(self.temperature * advantage).clamp_max(self.most)
        error = ((policy(batch.observations, batch.places, batch.ahead) - batch.actions) ** 2).sum(dim=1)
        return (weight * error).mean(), {"error": error.detach().mean(), "weight": weight.mean()}
