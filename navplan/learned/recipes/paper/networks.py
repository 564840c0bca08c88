"""The published networks: positions in [0, 1], two hidden layers of 256, the action joining the critics at the second."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from navplan.learned.networks import Actor, filled


class UnitEncoder(nn.Module):
    """Position and goal divided by the map's (H, W); nothing else, and nothing to learn."""

    dim = 4

    def __init__(self, size: tuple[float, float]) -> None:
        super().__init__()
        self.register_buffer("size", torch.tensor(size, dtype=torch.float32))

    def forward(self, observations: Tensor, goals: Tensor) -> Tensor:
        """(B, 2) and (B, 2) float32 cells -> (B, 4)."""
        return torch.cat([observations, goals], dim=1) / cast(Tensor, self.size).repeat(2)


def paper_actor(hidden: int, generator: torch.Generator) -> Actor:
    """The usual actor with the published initial weights: U(+-1/sqrt(inputs)), the last layer U(+-0.003), biases 0."""
    actor = Actor(UnitEncoder.dim, hidden, generator)
    for layer in list(actor.layers)[:-1]:
        weight = cast(nn.Linear, layer).weight
        filled(weight, 1 / math.sqrt(weight.shape[1]), generator)
    return actor


class Stack(nn.Module):
    """`members` critics of one family as batched products.

    The second layer's weights for the action are apart from the others: gradients to the action then touch two rows only.
    """

    def __init__(self, hidden: int, members: int, outputs: int, generator: torch.Generator) -> None:
        super().__init__()

        def weight(fan_in: int, fan_out: int, limit: float) -> nn.Parameter:
            return nn.Parameter(filled(torch.empty(members, fan_in, fan_out), limit, generator))

        def bias(fan_out: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(members, 1, fan_out))

        inputs, joint = UnitEncoder.dim, 1 / math.sqrt(hidden + 2)
        self.w1, self.b1 = weight(inputs, hidden, 1 / math.sqrt(inputs)), bias(hidden)
        self.w2, self.b2 = weight(hidden, hidden, joint), bias(hidden)
        self.wa = weight(2, hidden, joint)
        self.w3, self.b3 = weight(hidden, outputs, 3e-3), bias(outputs)

    def forward(self, features: Tensor, actions: Tensor) -> Tensor:
        """Features (B, 4) and actions (B, 2) -> logits (M, B, outputs)."""
        members = len(self.w1)
        first = torch.relu_(torch.baddbmm(self.b1, features.expand(members, -1, -1), self.w1))
        joined = torch.baddbmm(self.b2, first, self.w2)
        second = torch.relu_(torch.baddbmm(joined, actions.expand(members, -1, -1), self.wa))
        logits: Tensor = torch.baddbmm(self.b3, second, self.w3)
        return logits


class PaperCritics(nn.Module):
    """Distance and cost critics; answers in the form of `navplan.learned.networks.CriticEnsemble`."""

    def __init__(self, hidden: int, members: int, bins: int, atoms: int, generator: torch.Generator) -> None:
        super().__init__()
        self.members = members
        self.distance = Stack(hidden, members, bins, generator)
        self.cost = Stack(hidden, members, atoms, generator)

    def forward(self, features: Tensor, actions: Tensor, first: int | None = None) -> Tensor:
        """Logits (2 M, B, max(bins, atoms)), the distance critics first; what lies beyond a family's support means nothing."""
        near: Tensor = self.distance(features, actions)
        if first is not None and first <= self.members:
            return near[:first]
        cost: Tensor = self.cost(features, actions)
        width = max(near.shape[2], cost.shape[2])
        padded = [nn.functional.pad(part, (0, width - part.shape[2])) for part in (near, cost)]
        return torch.cat(padded)[:first]
