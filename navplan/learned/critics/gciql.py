"""Goal-conditioned implicit Q-learning: values of actions too, without asking for actions that were not logged.

Source: Kostrikov, Nair and Levine, "Offline Reinforcement Learning with Implicit Q-Learning", ICLR 2022; towards goals as in
OGBench (Park, Frans, Eysenbach and Levine, ICLR 2025).

Deviations: 1. three members of each, the largest distance counts; 2. networks of 2 x 128, sines beside.
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
class Gciql:
    """V(s, g) towards the better of the logged actions, Q(s, a, g) one step on."""

    name: ClassVar[str] = "gciql"
    slot: ClassVar[str] = "critic"
    about: ClassVar[str] = "discounted steps of states and of actions, by expectile regression on logs"
    paper: ClassVar[str | None] = None
    source: ClassVar[str] = "Kostrikov et al. 2022; Park et al. 2025 (OGBench)"
    sees: ClassVar[str] = "observations"
    lower_bound: ClassVar[str | None] = None
    every: ClassVar[bool] = False
    near: ClassVar[float] = 0.0
    window: ClassVar[int] = 1

    discount: float = 0.99
    """Of a step."""
    expectile: float = 0.9
    """Towards the best of the logged actions."""
    polyak: float = 0.01
    """Step of the target networks."""

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
        """V and Q of each member."""
        from navplan.learned.critics.critic_learner import ActionValues

        return ActionValues(task, generator)

    def loss(self, network: Any, target: Any, batch: Tensors) -> tuple[Tensor, dict[str, Tensor]]:
        """V: expectile of the least target Q of the logged action. Q: ``-1 + γ V(s', g)``, 0 at the goal."""
        import torch

        reward, go_on = later_on(batch, self.discount)
        with torch.no_grad():
            wanted = target.act(batch.observations, batch.goals, batch.actions).amin(dim=0)
        value = network(batch.observations, batch.goals)[..., 0]
        short = wanted - value
        weight = torch.where(short > 0, self.expectile, 1 - self.expectile)
        ahead = reward + go_on * network(batch.later, batch.goals)[..., 0].detach()
        error = (network.act(batch.observations, batch.goals, batch.actions) - ahead) ** 2
        return ((weight * short**2) + error).mean(dim=1).sum(), {"value": value.detach().mean()}

    def steps(self, network: Any, seen: Tensor, goals: Tensor) -> Tensor:
        """(M, B) the discount undone."""
        return undiscounted(network(seen, goals)[..., 0], self.discount)

    def space(self, network: Any, seen: Tensor) -> None:
        """It has none."""
