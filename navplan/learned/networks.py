"""The networks: a feature encoder for position-goal pairs, a tanh actor, and all critics stacked into batched products."""

from __future__ import annotations

import itertools
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


class PlaceTable(nn.Module):
    """What each of `members` networks has learnt about places: values at the corners of the cells, bilinear in between.

    Walls and hazards are bound to places and end sharply there; a table can say so at once, where sines of positions need large
    networks (Mueller et al., "Instant Neural Graphics Primitives", SIGGRAPH 2022, section 3). It knows of the map only its size.
    """

    def __init__(self, members: int, channels: int, size: tuple[float, float]) -> None:
        super().__init__()
        self.channels = channels
        self.register_buffer("step", 2 / torch.tensor(size, dtype=torch.float32), persistent=False)
        self.table = nn.Parameter(torch.zeros(members, channels, int(size[0]) + 1, int(size[1]) + 1))

    def forward(self, features: Tensor, actions: Tensor | None = None, first: int | None = None) -> Tensor:
        """What is known of position and goal, and with actions of where the move would end.

        Args:
            features: (B, F) of an `Encoder`, which begin with both points scaled to [-1, 1].
            actions: (B, 2) cells, or None.
            first: only so many members.

        Returns:
            (M, B, 2 * channels), with actions (M, B, 3 * channels).
        """
        table = self.table if first is None else self.table[:first]
        points = features[:, :4]
        if actions is not None:
            points = torch.cat([points, points[:, :2] + actions * cast(Tensor, self.step)], dim=1)
        # grid_sample wants (column, row)
        points = points.reshape(len(points), points.shape[1] // 2, 2).flip(-1)[None].expand(len(table), -1, -1, -1)
        values = nn.functional.grid_sample(table, points, align_corners=True, padding_mode="border")  # (M, C, B, points)
        return values.permute(0, 2, 3, 1).flatten(2)


class Actor(nn.Module):
    """Two hidden ReLU layers, tanh output: features (B, F) -> actions (B, 2) in [-1, 1]."""

    def __init__(self, features: int, hidden: int, generator: torch.Generator, places: PlaceTable | None = None) -> None:
        super().__init__()
        self.places = places
        inputs = features if places is None else features + 2 * places.channels
        self.layers = nn.ModuleList([nn.Linear(inputs, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, 2)])
        for layer in list(self.layers)[:-1]:
            filled(cast(nn.Linear, layer).weight, math.sqrt(3 / cast(nn.Linear, layer).in_features), generator)
            nn.init.zeros_(cast(nn.Linear, layer).bias)
        last = cast(nn.Linear, self.layers[-1])
        filled(last.weight, 3e-3, generator)
        nn.init.zeros_(last.bias)

    def forward(self, features: Tensor) -> Tensor:
        """(B, F) -> (B, 2)."""
        first, second, last = self.layers
        if self.places is not None:
            features = torch.cat([features, self.places(features)[0]], dim=1)
        return torch.tanh(last(torch.relu(second(torch.relu(first(features))))))


class CriticEnsemble(nn.Module):
    """`members` critics as one stack of batched matrix products; member m's logits are out[m].

    The distance critics come first, the cost critics after them; rows are as wide as the larger of the two supports.
    """

    def __init__(
        self,
        features: int,
        hidden: int,
        members: int,
        outputs: int,
        generator: torch.Generator,
        places: PlaceTable | None = None,
    ) -> None:
        super().__init__()
        self.places = places
        inputs = features + 2 if places is None else features + 2 + 3 * places.channels

        def weight(fan_in: int, fan_out: int, limit: float) -> nn.Parameter:
            return nn.Parameter(filled(torch.empty(members, fan_in, fan_out), limit, generator))

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
        inputs = x.expand(len(w1), -1, -1)
        if self.places is not None:
            inputs = torch.cat([inputs, self.places(features, actions, first)], dim=2)
        hidden = torch.relu_(torch.baddbmm(b1, inputs, w1))
        hidden = torch.relu_(torch.baddbmm(b2, hidden, w2))
        return torch.baddbmm(b3, hidden, w3)


def filled(tensor: Tensor, limit: float, generator: torch.Generator) -> Tensor:
    """The tensor, filled in place from U(-limit, limit)."""
    with torch.no_grad():
        return tensor.uniform_(-limit, limit, generator=generator)


class Features(nn.Module):
    """Numbers for a network out of scaled observations of any shape.

    Vectors get sines and cosines at a few frequencies beside them, which lets small networks bend sharply; images (H, W, C) go
    through three convolutions.

    Args:
        shape: of one observation.
        frequencies: of the sines, in half turns per standard deviation; none: the numbers as they are.
        generator: of the initial weights, where there are any.
    """

    def __init__(self, shape: tuple[int, ...], frequencies: tuple[float, ...], generator: torch.Generator) -> None:
        super().__init__()
        self.image = len(shape) == 3
        self.register_buffer("waves", torch.tensor([math.pi * each for each in frequencies]), persistent=False)
        self.dim = math.prod(shape) * (1 + 2 * len(frequencies))
        self.layers = nn.Sequential()
        if self.image:
            channels, sides = (shape[2], 16, 32, 32), [shape[0], shape[1]]
            for few, many in itertools.pairwise(channels):
                self.layers.extend([nn.Conv2d(few, many, 3, 2, 1), nn.SiLU()])
                sides = [(side + 1) // 2 for side in sides]
            self.dim = channels[-1] * sides[0] * sides[1]
            for parameter in self.layers.parameters():
                filled(parameter.data, 0.0 if parameter.ndim == 1 else math.sqrt(3 / parameter[0].numel()), generator)

    def forward(self, observations: Tensor) -> Tensor:
        """(B, …) -> (B, dim)."""
        if self.image:
            found: Tensor = self.layers(observations.permute(0, 3, 1, 2)).flatten(1)
            return found
        flat = observations.flatten(1)
        phase = (flat[:, :, None] * cast(Tensor, self.waves)).flatten(1)
        return torch.cat([flat, torch.sin(phase), torch.cos(phase)], dim=1)


class Members(nn.Module):
    """Networks of two hidden layers side by side: one batched product a layer.

    Args:
        members: how many.
        inputs, hidden, outputs: widths.
        generator: of the initial weights.
    """

    def __init__(self, members: int, inputs: int, hidden: int, outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        widths = (inputs, hidden, hidden, outputs)
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for few, many in itertools.pairwise(widths):
            self.weights.append(filled(torch.empty(members, few, many), math.sqrt(1 / few), generator))
            self.biases.append(torch.zeros(members, 1, many))

    def forward(self, inputs: Tensor) -> Tensor:
        """(B, inputs), the same for all, or (M, B, inputs) -> (M, B, outputs)."""
        x = inputs.expand(len(self.weights[0]), -1, -1) if inputs.ndim == 2 else inputs
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            if layer < len(self.weights) - 1:
                x = torch.nn.functional.silu(x)
        return x
