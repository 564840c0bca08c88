"""Contrastive critic: tells the observations that came later in a trajectory from any others.

Source: Eysenbach, Zhang, Levine and Salakhutdinov, "Contrastive Learning as Goal-Conditioned Reinforcement Learning", NeurIPS
2022 (CRL); binary cross entropy as in OGBench (Park, Frans, Eysenbach and Levine, ICLR 2025).

Deviations: 1. of states, without actions: what is asked for is how far it is; 2. log-odds fall with the steps in between, so a
straight line, fitted to the steps that logs took by least absolute error, makes steps of them; the order is learned, the scale is
that of the logs, and slow logs look far; 3. three members; 4. networks of 2 x 128, sines beside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from navplan.learned.critics.goal_critic import GoalTask, Tensors
from navplan.learned.datasets.relabel import GoalSampler

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from navplan.learned.critics.critic_learner import CriticLearner


@dataclass(frozen=True)
class Contrastive:
    """For what is near and what is not; other critics have better steps."""

    name: ClassVar[str] = "contrastive"
    slot: ClassVar[str] = "critic"
    about: ClassVar[str] = "steps from the odds that an observation came later in a trajectory"
    paper: ClassVar[str | None] = None
    source: ClassVar[str] = "Eysenbach et al. 2022 (CRL)"
    sees: ClassVar[str] = "places"
    lower_bound: ClassVar[str | None] = None
    every: ClassVar[bool] = False
    near: ClassVar[float] = 0.0

    discount: float = 0.99
    """Goals lie 1 / (1 - discount) steps on, on average."""
    window: int = 10
    """Steps by which odds are turned into steps."""
    width: int = 64
    """Of the embedding."""

    @property
    def sampler(self) -> GoalSampler:
        """Later on, always; the other rows of a batch are what it is told from."""
        return GoalSampler(here=0.0, later=1.0, discount=self.discount)

    @property
    def horizon(self) -> float:
        """Five times the mean of what was later."""
        return 5 / (1 - self.discount)

    def learner(self, task: GoalTask) -> CriticLearner:
        """See `navplan.learned.interface.Critic`."""
        from navplan.learned.critics.critic_learner import CriticLearner

        return CriticLearner(self, task, 0.0)

    def network(self, task: GoalTask, generator: torch.Generator) -> nn.Module:
        """Embeddings of each member, one half to go from and one to go to, with the line from odds to steps at their end."""
        from navplan.learned.critics.critic_learner import Lined

        return Lined(task, 2 * self.width, generator)

    def loss(self, network: Any, target: None, batch: Tensors) -> tuple[Tensor, dict[str, Tensor]]:
        """Binary cross entropy of all pairs of a batch, and absolute error of the steps that were logged."""
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits

        here, goals, ahead = network(torch.cat([batch.places, batch.goals, batch.ahead])).chunk(3, dim=1)
        fixed, line = here[..., :-2].detach(), here[..., -2:]
        odds = self._odds(here[:, :, None], goals[:, None, :])
        same = torch.eye(len(batch.places)).expand_as(odds)
        entropy = binary_cross_entropy_with_logits(odds, same)
        error = (self.between(torch.cat([fixed, line], dim=-1), ahead.detach()) - batch.ahead_steps).abs().mean()
        return entropy + error, {"entropy": entropy.detach(), "error": error.detach()}

    def steps(self, network: Any, seen: Tensor, goals: Tensor) -> Tensor:
        """(M, B)."""
        return self.between(network(seen), network(goals))

    def _odds(self, here: Tensor, there: Tensor) -> Tensor:
        return (here[..., : self.width] * there[..., self.width : 2 * self.width]).sum(dim=-1) / math.sqrt(self.width)

    def between(self, codes: Tensor, goals: Tensor) -> Tensor:
        """(M, B) ``start - slope * odds``, at least 0; both stand at the end of codes."""
        from torch.nn.functional import softplus

        return (codes[..., -2] - softplus(codes[..., -1]) * self._odds(codes, goals)).clamp_min(0.0)

    def space(self, network: Any, seen: Tensor) -> None:
        """It has none."""
