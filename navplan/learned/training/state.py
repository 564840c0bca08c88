"""Networks, targets and optimisers of a learner as named arrays, and back: what every recipe's checkpoints hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from navplan.learned.interface import Arrays, Learner, Shapes
from navplan.learned.training.tensors import expect

_SLOTS = ("step", "exp_avg", "exp_avg_sq")


def network_arrays(networks: Mapping[str, nn.Module]) -> Arrays:
    """All parameters, named ``actor.…``, ``critics.…`` and so on; what learns nothing has none."""
    return {name: parameter.detach().numpy().copy() for name, parameter in _parameters(networks).items()}


def network_shapes(networks: Mapping[str, nn.Module]) -> Shapes:
    """The shapes of `network_arrays`."""
    return {name: tuple(parameter.shape) for name, parameter in _parameters(networks).items()}


def fill_networks(networks: Mapping[str, nn.Module], arrays: Arrays) -> None:
    """Fill networks from arrays named as `network_arrays` names them, whose shapes have been checked.

    Raises:
        KeyError: one is missing.
    """
    with torch.no_grad():
        for name, parameter in _parameters(networks).items():
            parameter.copy_(torch.from_numpy(arrays[name]))


def load_networks(path: Path, networks: Mapping[str, nn.Module], arrays: Arrays) -> None:
    """`fill_networks` for good: from a file that is checked, for use without training.

    Raises:
        CheckpointError: one is missing or of another shape.
    """
    expect(path, arrays, network_shapes(networks))
    fill_networks(networks, arrays)
    for module in networks.values():
        module.requires_grad_(False).eval()


def learner_arrays(learner: Learner[Any]) -> Arrays:
    """All parameters and moments, named ``actor.…``, ``target_actor.…``, ``optimizer.actor.0.step`` and so on."""
    arrays = network_arrays(learner.networks) | network_arrays(_named(learner.targets))
    for name, optimizer in learner.optimizers.items():
        for index, slot in optimizer.state_dict()["state"].items():
            arrays |= {f"optimizer.{name}.{index}.{key}": value.numpy() for key, value in slot.items()}
    return arrays


def learner_shapes(learner: Learner[Any]) -> Shapes:
    """The shapes that `learner_arrays` must have: broadcasting must not let a foreign array slip in."""
    shapes = network_shapes(learner.networks) | network_shapes(_named(learner.targets))
    for name, optimizer in learner.optimizers.items():
        for index, parameter in enumerate(optimizer.param_groups[0]["params"]):
            shapes |= {f"optimizer.{name}.{index}.{slot}": tuple(parameter.shape) for slot in _SLOTS[1:]}
            shapes[f"optimizer.{name}.{index}.step"] = ()
    return shapes


def fill_learner(learner: Learner[Any], arrays: Arrays) -> None:
    """Put the arrays of `learner_arrays` back; shapes have been checked.

    Raises:
        KeyError: one is missing.
    """
    fill_networks(learner.networks, arrays)
    fill_networks(_named(learner.targets), arrays)
    for name, optimizer in learner.optimizers.items():
        state = optimizer.state_dict()
        for index in state["param_groups"][0]["params"]:
            moments = {slot: torch.from_numpy(arrays[f"optimizer.{name}.{index}.{slot}"].copy()) for slot in _SLOTS}
            state["state"][index] = moments
        optimizer.load_state_dict(state)


def _named(targets: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """Targets as files call them."""
    return {f"target_{name}": module for name, module in targets.items()}


def _parameters(networks: Mapping[str, nn.Module]) -> dict[str, nn.Parameter]:
    return {f"{part}.{name}": p for part, module in networks.items() for name, p in module.named_parameters()}
