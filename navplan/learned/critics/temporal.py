"""Temporal distance: an embedding in which straight lines are as long as the time between two observations.

Source: Park et al., "Foundation policies with Hilbert representations", ICML 2024 (HILP); with targets several steps on and an
expectile near 1 as Baek et al., "Graph-Assisted Stitching for Offline Hierarchical Reinforcement Learning", ICML 2025 (GAS).

Deviations: 1. three members in one batched product, the largest distance counts; 2. targets after `window` steps instead of one;
3. sines of the observation beside it; 4. two hidden layers of 128 without layer normalisation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from navplan.learned.critics.goal_critic import GoalTask, Tensors, far, later_on, undiscounted
from navplan.learned.datasets.relabel import GoalSampler

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from navplan.learned.critics.critic_learner import CriticLearner


@dataclass(frozen=True)
class Temporal:
    """V(s, g) = -‖ψ(s) - ψ(g)‖ is the discounted number of steps from s to g; for motion that can be undone."""

    name: ClassVar[str] = "temporal"
    slot: ClassVar[str] = "critic"
    about: ClassVar[str] = "steps as distances in an embedding, by expectile regression on logs; for motion that can be undone"
    paper: ClassVar[str | None] = None
    source: ClassVar[str] = "Park et al. 2024 (HILP); Baek et al. 2025 (GAS)"
    sees: ClassVar[str] = "places"
    lower_bound: ClassVar[str | None] = "l2"
    every: ClassVar[bool] = False

    discount: float = 0.99
    """Of a step: distances beyond 1 / (1 - discount) steps are hardly told apart."""
    expectile: float = 0.95
    """Towards the fastest of the logged ways."""
    window: int = 5
    """Steps between an observation and the one whose value is its target."""
    width: int = 32
    """Of the embedding."""
    near: float = 0.0
    """Share of goals of anywhere that are near."""
    polyak: float = 0.01
    """Step of the target network."""

    @property
    def sampler(self) -> GoalSampler:
        """Five goals of eight are later on, geometrically; the others of anywhere."""
        return GoalSampler(here=0.0, later=0.625, discount=self.discount)

    @property
    def horizon(self) -> float:
        """Steps at which the discounted sum is within 1e-4 of its limit."""
        return far(self.discount)

    def learner(self, task: GoalTask) -> CriticLearner:
        """See `navplan.learned.interface.Critic`."""
        from navplan.learned.critics.critic_learner import CriticLearner

        return CriticLearner(self, task, self.polyak)

    def network(self, task: GoalTask, generator: torch.Generator) -> nn.Module:
        """ψ of each member."""
        from navplan.learned.critics.critic_learner import Embedder

        return Embedder(task, self.width, generator)

    def loss(self, network: Any, target: Any, batch: Tensors) -> tuple[Tensor, dict[str, Tensor]]:
        """Expectile of ``-(1 - γ^k) / (1 - γ) + γ^k V(s_{t+k}, g)``, 0 after the goal; each member by its own target."""
        import torch

        reward, go_on = later_on(batch, self.discount)
        with torch.no_grad():
            goals = target(batch.goals)
            after = -apart(target(batch.later_places), goals)
            now = -apart(target(batch.places), goals)
            better = reward + go_on * after.amin(dim=0) >= now.mean(dim=0)
            wanted = reward + go_on * after
            weight = torch.where(better, self.expectile, 1 - self.expectile)
        value = -apart(network(batch.places), network(batch.goals))
        return (weight * (wanted - value) ** 2).mean(dim=1).sum(), {"value": value.detach().mean()}

    def steps(self, network: Any, seen: Tensor, goals: Tensor) -> Tensor:
        """(M, B)."""
        return self.between(network(seen), network(goals))

    def between(self, codes: Tensor, goals: Tensor) -> Tensor:
        """(M, B) the discount undone."""
        return undiscounted(-apart(codes, goals), self.discount)

    def space(self, network: Any, seen: Tensor) -> Tensor:
        """(B, Z) ψ of the first member, scaled so that no distance is less than the straight line."""
        found: Tensor = network(seen)[0] * ((1 - self.discount) / -math.log(self.discount))
        return found


def apart(a: Tensor, b: Tensor) -> Tensor:
    """(M, B) lengths of differences of (M, B, Z)."""
    return ((a - b) ** 2).sum(dim=-1).clamp_min(1e-6).sqrt()
