"""What the networks of navplan's recipe descend (paper facts, sections 3.1 and 3.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from navplan.learned.critics.distributions import expected_cost, expected_distance, project_cost, shift_distance
from navplan.learned.interface import Info
from navplan.learned.recipes.navplan.config import TrainConfig

Networks = Mapping[str, nn.Module]


class CostWeight(NamedTuple):
    """How cost weighs in the actor's loss."""

    multiplier: float = 0.0
    """0: not at all."""
    limit: float = 0.0
    """Costs up to it weigh nothing."""


class Opinion(NamedTuple):
    """The ensemble's mean of what a move leads to."""

    distance: Tensor
    """(B,)."""
    cost: Tensor | None
    """(B,), none while it weighs nothing."""
    costly: Tensor
    """(B,) bool, the cost is above the limit."""


def critic_targets(
    targets: Networks, config: TrainConfig, next_features: Tensor, costs: Tensor, done: Tensor
) -> tuple[Tensor, Tensor]:
    """Target histograms: distance (E, B, bins) and cost (E, B, atoms), each member from its own target network."""
    with torch.no_grad():
        logits = targets["critics"](next_features, targets["actor"](next_features))
        near = torch.softmax(logits[: config.ensemble, :, : config.distance_bins], dim=-1)
        cost = torch.softmax(logits[config.ensemble :, :, : config.cost_atoms], dim=-1)
        return shift_distance(near, done), project_cost(cost, costs, done, config.cost_max)


def critic_loss(
    networks: Networks, config: TrainConfig, features: Tensor, actions: Tensor, targets: tuple[Tensor, Tensor]
) -> tuple[Tensor, Info]:
    """Cross-entropy of both families against their targets, mean over members and batch."""
    logits = networks["critics"](features, actions)
    distance = torch.log_softmax(logits[: config.ensemble, :, : config.distance_bins], dim=-1)
    cost = torch.log_softmax(logits[config.ensemble :, :, : config.cost_atoms], dim=-1)
    loss_distance = -(targets[0] * distance).sum(-1).mean()
    loss_cost = -(targets[1] * cost).sum(-1).mean()
    # A sum over members, not a mean: members share no weight, so each must see its own full gradient.
    return config.ensemble * (loss_distance + loss_cost), {"distance_loss": loss_distance, "cost_loss": loss_cost}


def actor_loss(
    networks: Networks,
    config: TrainConfig,
    weight: CostWeight,
    features: Tensor,
    ahead: Tensor | None = None,
    tried: Tensor | None = None,
) -> tuple[Tensor, Info]:
    """Mean distance, or with cost weighed in [mean(D) + multiplier * mean(C * 1[C > limit])] / (1 + multiplier).

    With `ahead` (B, 2), goal minus position in cells, the straight move breaks ties in both: moves of up to a cell per axis
    make most shortest paths one of many, and a planner counts on edges that are driven as they are drawn. With `tried`
    (B, 2), actions that were made there, those among them are imitated that are found better.
    """
    actions = networks["actor"](features)
    distance, cost, costly = judged(networks, config, weight, features, actions)
    m = weight.multiplier
    bend = straightness(config, actions, distance, ahead, ~costly)
    loss = distance.mean() if cost is None else distance.mean() + m * (cost * costly).mean()
    loss = (loss + bend) / (1 + m)
    info = {"actor_distance": distance.mean()} | ({} if cost is None else {"actor_cost": cost.mean()})
    if tried is None or config.imitation == 0:
        return loss, info
    with torch.no_grad():
        other, other_cost, other_costly = judged(networks, config, weight, features, tried)
        gain = distance - other
        if cost is not None and other_cost is not None:
            gain = gain + m * (cost * costly - other_cost * other_costly)
    better = gain > config.imitation_margin
    return loss + config.imitation * (((actions - tried) ** 2).sum(1) * better).mean(), info


def judged(networks: Networks, config: TrainConfig, weight: CostWeight, features: Tensor, actions: Tensor) -> Opinion:
    """What the critics think of `actions` (B, 2)."""
    if weight.multiplier == 0.0:
        logits = networks["critics"](features, actions, config.ensemble)
        distance = expected_distance(logits[:, :, : config.distance_bins]).mean(0)
        return Opinion(distance, None, torch.zeros_like(distance, dtype=torch.bool))
    logits = networks["critics"](features, actions)
    distance = expected_distance(logits[: config.ensemble, :, : config.distance_bins]).mean(0)
    cost = expected_cost(logits[config.ensemble :, :, : config.cost_atoms], config.cost_max).mean(0)
    return Opinion(distance, cost, cost > weight.limit)


def straightness(config: TrainConfig, actions: Tensor, distance: Tensor, ahead: Tensor | None, cheap: Tensor) -> Tensor:
    """Weighted mean square of how far the actions are from straight ones, over pairs found clear and cheap."""
    if ahead is None or config.straightness == 0:
        return torch.zeros(())
    length = ahead.abs().amax(1, keepdim=True).clamp_min(1.0)
    clear = cheap & (distance.detach() <= length[:, 0] + config.straight_margin)
    return config.straightness * (((actions - ahead / length) ** 2).sum(1) * clear).mean()


def clone_loss(networks: Networks, features: Tensor, actions: Tensor) -> Tensor:
    """Squared error of the behaviour-cloning network against the actions that led to later states."""
    loss: Tensor = ((networks["clone"](features) - actions) ** 2).mean()
    return loss
