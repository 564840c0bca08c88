"""The same critics written the plain way, one module per member: what the stack is tested and timed against."""

from __future__ import annotations

import copy
from typing import cast

import torch
from torch import Tensor, nn

from navplan.learned.networks import CriticEnsemble, PlaceTable
from navplan.learned.optimise import frozen
from navplan.learned.recipes.navplan.learner import NavplanLearner
from navplan.learned.trained import Critics


class PlainCritics(nn.Module):
    """Members as separate multilayer perceptrons with the weights of a stack; the same call, the same answer."""

    def __init__(self, stack: CriticEnsemble) -> None:
        super().__init__()
        self.members = nn.ModuleList()
        for m in range(len(stack.w1)):
            layers: list[nn.Module] = []
            for weight, bias in ((stack.w1, stack.b1), (stack.w2, stack.b2), (stack.w3, stack.b3)):
                layer = nn.Linear(weight.shape[1], weight.shape[2])
                layer.weight.data = weight[m].detach().T.clone()
                layer.bias.data = bias[m, 0].detach().clone()
                layers += [layer, nn.ReLU()]
            self.members.append(nn.Sequential(*layers[:-1]))
        self.places = None if stack.places is None else nn.ModuleList(_one_by_one(stack.places))

    def forward(self, features: Tensor, actions: Tensor, first: int | None = None) -> Tensor:
        """As `CriticEnsemble.forward`."""
        x = torch.cat([features, actions], dim=1)
        members = list(self.members)[:first]
        if self.places is None:
            return torch.stack([cast(Tensor, member(x)) for member in members])
        known = [cast(Tensor, places(features, actions)[0]) for places in list(self.places)[:first]]
        return torch.stack([cast(Tensor, member(torch.cat([x, k], dim=1))) for member, k in zip(members, known, strict=True)])


def _one_by_one(places: PlaceTable) -> list[PlaceTable]:
    """Each member's table as a table of its own."""
    out = []
    for table in places.table.detach():
        alone = copy.deepcopy(places)
        alone.table = nn.Parameter(table[None].clone())
        out.append(alone)
    return out


def plain_learner(learner: NavplanLearner) -> NavplanLearner:
    """`learner` with plain critics in place of its own, for timing; changes it in place."""
    plain = PlainCritics(cast(CriticEnsemble, learner.networks["critics"]))
    learner.networks["critics"] = plain
    learner.targets["critics"] = frozen(PlainCritics(cast(CriticEnsemble, learner.targets["critics"])))
    rate = learner.optimizers["critics"].param_groups[0]["lr"]
    learner.optimizers["critics"] = torch.optim.Adam(plain.parameters(), lr=rate, eps=1e-7)
    return learner


def plain_checkpoint(critics: Critics) -> Critics:
    """A checkpoint with plain critics; the one given is not changed."""
    plain = PlainCritics(cast(CriticEnsemble, critics.networks["critics"]))
    return Critics({**critics.networks, "critics": plain}, critics.states, critics.config, critics.size, critics.stage)
