"""What every learner does with its optimisers and target networks."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

ModuleT = TypeVar("ModuleT", bound=nn.Module)


def frozen(module: ModuleT) -> ModuleT:
    """A copy that takes no gradients."""
    return copy.deepcopy(module).requires_grad_(False)


def adam(module: nn.Module, rate: float) -> torch.optim.Adam:
    """Adam as the paper's code had it, with TensorFlow's epsilon."""
    return torch.optim.Adam(module.parameters(), lr=rate, eps=1e-7, fused=True)


def descend(loss: Tensor, module: nn.Module, optimizer: torch.optim.Adam) -> None:
    """One step of `module` alone; gradients of other networks in the loss are not computed."""
    parameters = list(module.parameters())
    for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        parameter.grad = gradient
    optimizer.step()


def follow(targets: Mapping[str, nn.Module], networks: Mapping[str, nn.Module], share: float) -> None:
    """Move every target by `share` of its way towards the network of the same name."""
    with torch.no_grad():
        for name, target in targets.items():
            torch._foreach_lerp_(list(target.parameters()), list(networks[name].parameters()), share)
