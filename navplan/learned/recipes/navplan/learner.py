"""The learner: networks, targets, optimisers and multiplier, and the update of each stage (UVF-DDPG with cost critics).

Paper facts, sections 3.1 and 3.2. What differs from the published agent: all six critics are one stack; targets move a little
at every update instead of more at every fifth; the actor moves at every `actor_interval`-th; the step sizes fall over a stage.
"""

from __future__ import annotations

import copy
import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from navplan.learned.critics.distributions import expected_cost, expected_distance, project_cost, shift_distance
from navplan.learned.datasets.replay import Batch
from navplan.learned.networks import Actor, Critics, Encoder, PlaceTable
from navplan.learned.recipes.navplan.config import TrainConfig

Info = dict[str, Tensor]


class Networks(NamedTuple):
    """What is needed to act and to judge; recipes differ in what their modules look like inside."""

    encoder: nn.Module
    """(positions, goals) -> features."""
    actor: Actor
    critics: nn.Module
    """(features, actions, first=None) -> logits, the distance critics first."""
    clone: Actor | None
    """Behaviour cloning, where the recipe trains it."""


def build_networks(config: TrainConfig, size: tuple[float, float], seed: int) -> Networks:
    """Freshly initialised networks for a map of `size` (H, W) cells."""
    generator = torch.Generator().manual_seed(seed)
    encoder = Encoder(size, config.wavelengths, config.relative_scales)
    outputs, members, channels = max(config.distance_bins, config.cost_atoms), 2 * config.ensemble, config.place_channels
    actor_places, critics_places = (PlaceTable(count, channels, size) if channels else None for count in (1, members))
    return Networks(
        encoder,
        Actor(encoder.dim, config.hidden, generator, actor_places),
        Critics(encoder.dim, config.hidden, members, outputs, generator, critics_places),
        Actor(encoder.dim, config.hidden, generator),
    )


class Agent:
    """Trains the networks; `stage` 1 leaves the multiplier out, `stage` 2 weighs cost into the actor's loss."""

    def __init__(self, config: TrainConfig, size: tuple[float, float], goal_tolerance: float) -> None:
        self.config = config
        self.goal_tolerance = goal_tolerance
        self.networks = build_networks(config, size, config.seed)
        assert self.networks.clone is not None
        self.clone = self.networks.clone
        self.target_actor = _frozen(self.networks.actor)
        self.target_critics = _frozen(self.networks.critics)
        self.optimizers = {
            "actor": _adam(self.networks.actor, config.actor_rate),
            "critics": _adam(self.networks.critics, config.critic_rate),
            "clone": _adam(self.clone, config.clone_rate),
        }
        self.multiplier = 0.0
        self.cost_limit = config.cost_limit
        self.updates = 0

    @property
    def targets(self) -> dict[str, nn.Module]:
        """Target networks by name."""
        return {"target_actor": self.target_actor, "target_critics": self.target_critics}

    @property
    def stage(self) -> int:
        """1 or 2, by the number of updates made."""
        return 1 if self.updates < self.config.stage1_steps else 2

    def act(self, observations: np.ndarray, goals: np.ndarray) -> np.ndarray:
        """(B, 2), (B, 2) float32 cells -> (B, 2) float32 actions without noise."""
        with torch.inference_mode():
            features = self.networks.encoder(torch.from_numpy(observations), torch.from_numpy(goals))
            actions: np.ndarray = self.networks.actor(features).numpy()
        return actions

    def members(self, observations: np.ndarray, goals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each critic says under the policy's action: distance (E, B) and cost (E, B) float32."""
        config = self.config
        with torch.inference_mode():
            features = self.networks.encoder(torch.from_numpy(observations), torch.from_numpy(goals))
            logits = self.networks.critics(features, self.networks.actor(features))
            distance = expected_distance(logits[: config.ensemble, :, : config.distance_bins])
            cost = expected_cost(logits[config.ensemble :, :, : config.cost_atoms], config.cost_max)
            return distance.numpy(), cost.numpy()

    # -- losses -------------------------------------------------------------------------------------------------------------

    def critic_targets(self, next_features: Tensor, costs: Tensor, done: Tensor) -> tuple[Tensor, Tensor]:
        """Target histograms: distance (E, B, bins) and cost (E, B, atoms), each member from its own target network."""
        config = self.config
        with torch.no_grad():
            logits = self.target_critics(next_features, self.target_actor(next_features))
            near = torch.softmax(logits[: config.ensemble, :, : config.distance_bins], dim=-1)
            cost = torch.softmax(logits[config.ensemble :, :, : config.cost_atoms], dim=-1)
            return shift_distance(near, done), project_cost(cost, costs, done, config.cost_max)

    def loss_critics(self, features: Tensor, actions: Tensor, targets: tuple[Tensor, Tensor]) -> tuple[Tensor, Info]:
        """Cross-entropy of both families against their targets, mean over members and batch."""
        config = self.config
        logits = self.networks.critics(features, actions)
        distance = torch.log_softmax(logits[: config.ensemble, :, : config.distance_bins], dim=-1)
        cost = torch.log_softmax(logits[config.ensemble :, :, : config.cost_atoms], dim=-1)
        loss_distance = -(targets[0] * distance).sum(-1).mean()
        loss_cost = -(targets[1] * cost).sum(-1).mean()
        # A sum over members, not a mean: members share no weight, so each must see its own full gradient.
        return config.ensemble * (loss_distance + loss_cost), {"distance_loss": loss_distance, "cost_loss": loss_cost}

    def loss_actor(self, features: Tensor, ahead: Tensor | None = None, tried: Tensor | None = None) -> tuple[Tensor, Info]:
        """Stage 1: mean distance. Stage 2: [mean(D) + multiplier * mean(C * 1[C > limit])] / (1 + multiplier).

        With `ahead` (B, 2), goal minus position in cells, the straight move breaks ties in both: moves of up to a cell per axis
        make most shortest paths one of many, and a planner counts on edges that are driven as they are drawn. With `tried`
        (B, 2), actions that were made there, those among them are imitated that are found better.
        """
        actions = self.networks.actor(features)
        distance, cost, costly = self._judged(features, actions)
        m = 0.0 if cost is None else self.multiplier
        bend = self._bend(actions, distance, ahead, ~costly)
        loss = distance.mean() if cost is None else distance.mean() + m * (cost * costly).mean()
        loss = (loss + bend) / (1 + m)
        info = {"actor_distance": distance.mean()} | ({} if cost is None else {"actor_cost": cost.mean()})
        if tried is None or self.config.imitation == 0:
            return loss, info
        with torch.no_grad():
            other, other_cost, other_costly = self._judged(features, tried)
            gain = distance - other
            if cost is not None and other_cost is not None:
                gain = gain + m * (cost * costly - other_cost * other_costly)
        better = gain > self.config.imitation_margin
        return loss + self.config.imitation * (((actions - tried) ** 2).sum(1) * better).mean(), info

    def _judged(self, features: Tensor, actions: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        """The ensemble's mean distance (B,) and cost (B,), and where it is above the limit; none while it weighs nothing."""
        config = self.config
        if self.stage == 1 or self.multiplier == 0.0:
            logits = self.networks.critics(features, actions, config.ensemble)
            distance = expected_distance(logits[:, :, : config.distance_bins]).mean(0)
            return distance, None, torch.zeros_like(distance, dtype=torch.bool)
        logits = self.networks.critics(features, actions)
        distance = expected_distance(logits[: config.ensemble, :, : config.distance_bins]).mean(0)
        cost = expected_cost(logits[config.ensemble :, :, : config.cost_atoms], config.cost_max).mean(0)
        return distance, cost, cost > self.cost_limit

    def _bend(self, actions: Tensor, distance: Tensor, ahead: Tensor | None, cheap: Tensor) -> Tensor:
        """Weighted mean square of how far the actions are from straight ones, over pairs found clear and cheap."""
        config = self.config
        if ahead is None or config.straightness == 0:
            return torch.zeros(())
        length = ahead.abs().amax(1, keepdim=True).clamp_min(1.0)
        clear = cheap & (distance.detach() <= length[:, 0] + config.straight_margin)
        return config.straightness * (((actions - ahead / length) ** 2).sum(1) * clear).mean()

    def loss_clone(self, features: Tensor, actions: Tensor) -> Tensor:
        """Squared error of the behaviour-cloning network against the actions that led to later states."""
        loss: Tensor = ((self.clone(features) - actions) ** 2).mean()
        return loss

    # -- updates ------------------------------------------------------------------------------------------------------------

    def update(self, batch: Batch) -> Info:
        """One update of everything from a batch of transitions; returns scalars without waiting for them."""
        self._set_rates()
        states, goals = torch.from_numpy(batch.states), torch.from_numpy(batch.goals)
        actions, next_states = torch.from_numpy(batch.actions), torch.from_numpy(batch.next_states)
        done = torch.linalg.vector_norm(next_states - goals, dim=1) < self.goal_tolerance
        encoder, critics, clone = self.networks.encoder, self.networks.critics, self.clone
        with torch.no_grad():
            features, next_features = encoder(states, goals), encoder(next_states, goals)
        targets = self.critic_targets(next_features, torch.from_numpy(batch.costs), done)
        loss, info = self.loss_critics(features, actions, targets)
        _descend(loss, critics, self.optimizers["critics"])
        if self.updates % self.config.actor_interval == 0:
            loss, actor_info = self.loss_actor(features, goals - states, actions)
            info |= actor_info
            _descend(loss, self.networks.actor, self.optimizers["actor"])
            learnt = torch.from_numpy(batch.future)
            _descend(self.loss_clone(features[learnt], actions[learnt]), clone, self.optimizers["clone"])
        self._move_targets()
        self.updates += 1
        return {name: value.detach() for name, value in info.items()}

    def begin_stage_two(self, mean_cost: float) -> None:
        """Fix the limit, where it is a share of what stage 1's episodes cost in the end; a map without cost has the limit 0."""
        if self.cost_limit == 0:
            self.cost_limit = self.config.cost_limit_share * mean_cost

    def update_multiplier(self, mean_cost: float) -> None:
        """Stage 2, once per round: multiplier + rate * (mean cost of recent episodes / limit - 1), in [0, multiplier_max].

        The rate falls as the Adam steps do, so that the multiplier settles as the networks do.
        """
        config = self.config
        if self.cost_limit > 0:
            step = config.multiplier_rate * self._decay() * (mean_cost / self.cost_limit - 1)
            self.multiplier = min(max(0.0, self.multiplier + step), config.multiplier_max)

    def _decay(self) -> float:
        """From 1 at the start of a stage to `final_rate` at its end, along a cosine."""
        config = self.config
        first = config.stage1_steps
        last = config.steps - first
        progress = self.updates / first if self.stage == 1 else (self.updates - first) / max(1, last)
        cosine = (1 + math.cos(math.pi * min(1.0, progress))) / 2
        return config.final_rate + (1 - config.final_rate) * cosine

    def _set_rates(self) -> None:
        config = self.config
        factor = self._decay() * (1.0 if self.stage == 1 else config.stage2_rate)
        for name, rate in (("actor", config.actor_rate), ("critics", config.critic_rate), ("clone", config.clone_rate)):
            self.optimizers[name].param_groups[0]["lr"] = rate * factor

    def _move_targets(self) -> None:
        pairs = ((self.target_critics, self.networks.critics), (self.target_actor, self.networks.actor))
        with torch.no_grad():
            for target, network in pairs:
                torch._foreach_lerp_(list(target.parameters()), list(network.parameters()), self.config.polyak)


def _frozen(module: nn.Module) -> nn.Module:
    return copy.deepcopy(module).requires_grad_(False)


def _adam(module: nn.Module, rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(module.parameters(), lr=rate, eps=1e-7, fused=True)


def _descend(loss: Tensor, module: nn.Module, optimizer: torch.optim.Adam) -> None:
    """One Adam step of `module` alone; gradients of other networks in the loss are not computed."""
    parameters = list(module.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimizer.step()
