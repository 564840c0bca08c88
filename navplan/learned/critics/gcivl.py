"""Goal-conditioned implicit value learning: V(s, g) of any shape, towards the fastest of the logged ways.

Source: Park, Frans, Eysenbach and Levine, "OGBench: Benchmarking Offline Goal-Conditioned RL", ICLR 2025 (GCIVL), after
Kostrikov, Nair and Levine, "Offline Reinforcement Learning with Implicit Q-Learning", ICLR 2022.

Deviations: 1. three members, the largest distance counts; 2. targets after `window` steps; 3. networks of 2 x 128, sines beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from navplan.learned.critics.goal_critic import GoalTask, Tensors, far, later_on, undiscounted
from navplan.learned.datasets.relabel import GoalSampler

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from navplan.learned.critics.critic_learner import CriticLearner


@dataclass(frozen=True)
class Gcivl:
    """Sees whole observations, speeds and headings too; has no embedding."""

    name: ClassVar[str] = "gcivl"
    slot: ClassVar[str] = "critic"
    about: ClassVar[str] = "discounted steps from whole observations, by expectile regression on logs"
    paper: ClassVar[str | None] = None
    source: ClassVar[str] = "Park et al. 2025 (OGBench)"
    sees: ClassVar[str] = "observations"
    lower_bound: ClassVar[str | None] = None
    every: ClassVar[bool] = False
    near: ClassVar[float] = 0.0

    discount: float = 0.99
    """Of a step."""
    expectile: float = 0.9
    """Towards the fastest of the logged ways."""
    window: int = 5
    """Steps between an observation and the one whose value is its target."""
    polyak: float = 0.01
    """Step of the target network."""

    @property
    def sampler(self) -> GoalSampler:
        """Shares 0.2 here, 0.5 later on, 0.3 anywhere."""
        return GoalSampler(here=0.2, later=0.5, discount=self.discount)

    @property
    def horizon(self) -> float:
        """Steps at which the discounted sum is within 1e-4 of its limit."""
        return far(self.discount)

    def learner(self, task: GoalTask) -> CriticLearner:
        """See `navplan.learned.interface.Critic`."""
        from navplan.learned.critics.critic_learner import CriticLearner

        return CriticLearner(self, task, self.polyak)

    def network(self, task: GoalTask, generator: torch.Generator) -> nn.Module:
        """V of each member."""
        from navplan.learned.critics.critic_learner import PairNetwork

        return PairNetwork(task, 1, generator)

    def loss(self, network: Any, target: Any, batch: Tensors) -> tuple[Tensor, dict[str, Tensor]]:
        """Expectile of ``-(1 - γ^k) / (1 - γ) + γ^k V(s_{t+k}, g)``."""
        import torch

        reward, go_on = later_on(batch, self.discount)
        with torch.no_grad():
            after, now = target(batch.later, batch.goals)[..., 0], target(batch.observations, batch.goals)[..., 0]
            better = reward + go_on * after.amin(dim=0) >= now.mean(dim=0)
            wanted = reward + go_on * after
            weight = torch.where(better, self.expectile, 1 - self.expectile)
        value = network(batch.observations, batch.goals)[..., 0]
        return (weight * (wanted - value) ** 2).mean(dim=1).sum(), {"value": value.detach().mean()}

    def steps(self, network: Any, seen: Tensor, goals: Tensor) -> Tensor:
        """(M, B) the discount undone."""
        return undiscounted(network(seen, goals)[..., 0], self.discount)

    def space(self, network: Any, seen: Tensor) -> None:
        """It has none."""
