"""The networks: a feature encoder for position-goal pairs, a tanh actor, and all critics stacked into batched products."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn


class Encoder(nn.Module):
    """Features of a (position, goal) pair in cell units; it has no parameters to learn.

    Positions are scaled to [-1, 1] by the map's (H, W). Goal minus position passes through tanh at a few scales, because an
    arm's length matters on any map; sines of both positions at a few wavelengths let small networks bend sharply at walls.
    """

    def __init__(self, size: tuple[float, float], wavelengths: tuple[float, ...], relative_scales: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("size", torch.tensor(size, dtype=torch.float32))
        waves = torch.tensor([2 * math.pi / length for length in wavelengths], dtype=torch.float32)
        scales = torch.tensor([1 / scale for scale in relative_scales], dtype=torch.float32)
        self.register_buffer("waves", waves, persistent=False)
        self.register_buffer("scales", scales, persistent=False)
        self.dim = 4 + 2 * len(relative_scales) + 8 * len(wavelengths)

    def forward(self, observations: Tensor, goals: Tensor) -> Tensor:
        """(B, 2) and (B, 2) float32 cells -> (B, dim)."""
        size, waves, scales = cast(Tensor, self.size), cast(Tensor, self.waves), cast(Tensor, self.scales)
        both = torch.cat([observations, goals], dim=1)  # (B, 4)
        parts = [both * (2 / size).repeat(2) - 1]
        if len(scales):
            parts.append(torch.tanh(((goals - observations)[:, :, None] * scales).flatten(1)))
        if len(waves):
            phase = (both[:, :, None] * waves).flatten(1)
            parts += [torch.sin(phase), torch.cos(phase)]
        return torch.cat(parts, dim=1)


class Actor(nn.Module):
    """Two hidden ReLU layers, tanh output: features (B, F) -> actions (B, 2) in [-1, 1]."""

    def __init__(self, features: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(features, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, 2)])
        for layer in list(self.layers)[:-1]:
            _uniform(cast(nn.Linear, layer).weight, math.sqrt(3 / cast(nn.Linear, layer).in_features), generator)
            nn.init.zeros_(cast(nn.Linear, layer).bias)
        last = cast(nn.Linear, self.layers[-1])
        _uniform(last.weight, 3e-3, generator)
        nn.init.zeros_(last.bias)

    def forward(self, features: Tensor) -> Tensor:
        """(B, F) -> (B, 2)."""
        first, second, last = self.layers
        return torch.tanh(last(torch.relu(second(torch.relu(first(features))))))


class Critics(nn.Module):
    """`members` critics as one stack of batched matrix products; member m's logits are out[m].

    The distance critics come first, the cost critics after them; rows are as wide as the larger of the two supports.
    """

    def __init__(self, features: int, hidden: int, members: int, outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        inputs = features + 2

        def weight(fan_in: int, fan_out: int, limit: float) -> nn.Parameter:
            return nn.Parameter(_uniform(torch.empty(members, fan_in, fan_out), limit, generator))

        self.w1 = weight(inputs, hidden, math.sqrt(3 / inputs))
        self.b1 = nn.Parameter(torch.zeros(members, 1, hidden))
        self.w2 = weight(hidden, hidden, math.sqrt(3 / hidden))
        self.b2 = nn.Parameter(torch.zeros(members, 1, hidden))
        self.w3 = weight(hidden, outputs, 3e-3)
        self.b3 = nn.Parameter(torch.zeros(members, 1, outputs))

    def forward(self, features: Tensor, actions: Tensor, first: int | None = None) -> Tensor:
        """Features (B, F) and actions (B, 2) -> logits (M, B, outputs) of all members, or of the `first` ones only."""
        x = torch.cat([features, actions], dim=1)
        w1, b1, w2, b2, w3, b3 = (
            p if first is None else p[:first] for p in (self.w1, self.b1, self.w2, self.b2, self.w3, self.b3)
        )
        # The members share their input: one flat product for the first layer.
        hidden = torch.relu_(torch.baddbmm(b1, x.expand(len(w1), -1, -1), w1))
        hidden = torch.relu_(torch.baddbmm(b2, hidden, w2))
        return torch.baddbmm(b3, hidden, w3)


def _uniform(tensor: Tensor, limit: float, generator: torch.Generator) -> Tensor:
    """Fill in place from U(-limit, limit)."""
    with torch.no_grad():
        return tensor.uniform_(-limit, limit, generator=generator)
