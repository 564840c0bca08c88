"""The published learner: UVF-DDPG with distributional critics, and the masked Lagrangian of its second stage (3.1, 3.2)."""

from __future__ import annotations

import copy
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from navplan.learned.critics.distributions import expected_cost, expected_distance, project_cost, shift_distance
from navplan.learned.recipes.navplan.learner import Info, Networks
from navplan.learned.recipes.paper.config import PaperConfig
from navplan.learned.recipes.paper.networks import PaperCritics, UnitEncoder, paper_actor
from navplan.system.arrays import Float32


class Transitions(NamedTuple):
    """A batch; rows are transitions, positions in cells."""

    states: Tensor
    goals: Tensor
    actions: Tensor
    costs: Tensor
    next_states: Tensor
    done: Tensor
    """bool, the goal was reached (a time-out is not)."""


def paper_networks(config: PaperConfig, size: tuple[float, float], seed: int) -> Networks:
    """Freshly initialised networks; the recipe clones no behaviour."""
    generator = torch.Generator().manual_seed(seed)
    actor = paper_actor(config.hidden, generator)
    critics = PaperCritics(config.hidden, config.ensemble, config.distance_bins, config.cost_atoms, generator)
    return Networks(UnitEncoder(size), actor, critics, None)


class PaperAgent:
    """Trains the networks; with `multiplier` None (stage 1) cost stays out of the actor's loss."""

    def __init__(self, config: PaperConfig, size: tuple[float, float]) -> None:
        self.config = config
        self.networks = paper_networks(config, size, config.seed)
        self.critics = cast(PaperCritics, self.networks.critics)
        self.target_actor = _frozen(self.networks.actor)
        self.target_critics = cast(PaperCritics, _frozen(self.critics))
        self.optimizers = {
            "actor": _adam(self.networks.actor, config.actor_rate),
            "distance": _adam(self.critics.distance, config.critic_rate),
            "cost": _adam(self.critics.cost, config.cost_critic_rate),
        }
        self.multiplier: float | None = None
        self.updates = 0

    @property
    def targets(self) -> dict[str, nn.Module]:
        """Target networks by name."""
        return {"target_actor": self.target_actor, "target_critics": self.target_critics}

    def members(self, observations: Float32, goals: Float32) -> tuple[Float32, Float32]:
        """What each critic says under the policy's action: distance (E, B) and cost (E, B) float32."""
        with torch.inference_mode():
            features = self.networks.encoder(torch.from_numpy(observations), torch.from_numpy(goals))
            actions = self.networks.actor(features)
            distance = expected_distance(self.critics.distance(features, actions))
            cost = expected_cost(self.critics.cost(features, actions), self.config.cost_max)
            return distance.numpy(), cost.numpy()

    def update(self, batch: Transitions) -> Info:
        """One update of critics and actor, and of the targets at every `target_interval`-th call."""
        encoder, actor = self.networks.encoder, self.networks.actor
        features, next_features = encoder(batch.states, batch.goals), encoder(batch.next_states, batch.goals)
        near, cost = self._targets(next_features, batch.costs, batch.done)
        losses = {
            "distance": _cross_entropy(self.critics.distance(features, batch.actions), near),
            "cost": _cross_entropy(self.critics.cost(features, batch.actions), cost),
        }
        _descend(losses["distance"], self.critics.distance, self.optimizers["distance"])
        _descend(losses["cost"], self.critics.cost, self.optimizers["cost"])
        loss, distance = self._actor_loss(features)
        _descend(loss, actor, self.optimizers["actor"])
        self.updates += 1
        if self.updates % self.config.target_interval == 0:
            self._move_targets()
        return {"distance_loss": losses["distance"].detach(), "cost_loss": losses["cost"].detach(), "actor_distance": distance}

    def _targets(self, next_features: Tensor, costs: Tensor, done: Tensor) -> tuple[Tensor, Tensor]:
        """Each member's target comes from its own target network, under the target actor's move."""
        with torch.no_grad():
            actions = self.target_actor(next_features)
            near = torch.softmax(self.target_critics.distance(next_features, actions), dim=-1)
            cost = torch.softmax(self.target_critics.cost(next_features, actions), dim=-1)
            return shift_distance(near, done), project_cost(cost, costs, done, self.config.cost_max)

    def _actor_loss(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Stage 1: mean(D). Stage 2: [mean(D) + multiplier * mean(C * 1[C > limit])] / (1 + multiplier)."""
        config = self.config
        actions = self.networks.actor(features)
        distance = expected_distance(self.critics.distance(features, actions)).mean()
        if self.multiplier is None:
            return distance, distance.detach()
        cost = expected_cost(self.critics.cost(features, actions), config.cost_max).mean(0)
        excess = (cost * (cost > config.cost_limit)).mean()
        return (distance + self.multiplier * excess) / (1 + self.multiplier), distance.detach()

    def update_multiplier(self, last_cost: float) -> None:
        """Multiplier + rate * (cost of the last finished episode - limit), not below 0; once per update that saw one finish."""
        if self.multiplier is not None:
            self.multiplier = max(0.0, self.multiplier + self.config.multiplier_rate * (last_cost - self.config.cost_limit))

    def _move_targets(self) -> None:
        with torch.no_grad():
            for target, network in ((self.target_critics, self.critics), (self.target_actor, self.networks.actor)):
                torch._foreach_lerp_(list(target.parameters()), list(network.parameters()), self.config.polyak)


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over members and batch."""
    return -(targets * torch.log_softmax(logits, dim=-1)).sum(-1).mean()


def _frozen(module: nn.Module) -> nn.Module:
    return copy.deepcopy(module).requires_grad_(False)


def _adam(module: nn.Module, rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(module.parameters(), lr=rate, eps=1e-7, fused=True)


def _descend(loss: Tensor, module: nn.Module, optimizer: torch.optim.Adam) -> None:
    parameters = list(module.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimizer.step()
