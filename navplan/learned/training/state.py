"""Networks, targets and optimisers of a learner as named arrays, and back: what every recipe's checkpoints hold."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from navplan.learned.recipes.navplan.learner import Networks
from navplan.learned.trained import load_networks, network_arrays
from navplan.learned.training.tensors import Arrays

_SLOTS = ("step", "exp_avg", "exp_avg_sq")


class Learner(Protocol):
    """What an agent of any recipe consists of."""

    networks: Networks
    optimizers: dict[str, torch.optim.Adam]

    @property
    def targets(self) -> dict[str, nn.Module]:
        """Target networks by name."""
        ...


def agent_arrays(agent: Learner) -> Arrays:
    """All parameters and moments, named ``actor.…``, ``target_actor.…``, ``optimizer.actor.0.step`` and so on."""
    arrays = network_arrays(agent.networks)
    for name, module in agent.targets.items():
        arrays |= {f"{name}.{key}": value.detach().numpy() for key, value in module.named_parameters()}
    for name, optimizer in agent.optimizers.items():
        for index, slot in optimizer.state_dict()["state"].items():
            arrays |= {f"optimizer.{name}.{index}.{key}": value.numpy() for key, value in slot.items()}
    return arrays


def agent_shapes(agent: Learner) -> dict[str, tuple[int, ...]]:
    """The shapes that `agent_arrays` must have: broadcasting must not let a foreign array slip in."""
    shapes: dict[str, tuple[int, ...]] = {name: array.shape for name, array in network_arrays(agent.networks).items()}
    for name, module in agent.targets.items():
        shapes |= {f"{name}.{key}": tuple(value.shape) for key, value in module.named_parameters()}
    for name, optimizer in agent.optimizers.items():
        for index, parameter in enumerate(optimizer.param_groups[0]["params"]):
            shapes |= {f"optimizer.{name}.{index}.{slot}": tuple(parameter.shape) for slot in _SLOTS[1:]}
            shapes[f"optimizer.{name}.{index}.step"] = ()
    return shapes


def fill_agent(path: Path, agent: Learner, arrays: Arrays) -> None:
    """Put the arrays of `agent_arrays` back; shapes have been checked.

    Raises:
        CheckpointError, KeyError: one is missing.
    """
    load_networks(path, agent.networks, arrays)
    with torch.no_grad():
        for name, module in agent.targets.items():
            for key, parameter in module.named_parameters():
                parameter.copy_(torch.from_numpy(arrays[f"{name}.{key}"]))
    for name, optimizer in agent.optimizers.items():
        state = optimizer.state_dict()
        for index in state["param_groups"][0]["params"]:
            moments = {slot: torch.from_numpy(arrays[f"optimizer.{name}.{index}.{slot}"].copy()) for slot in _SLOTS}
            state["state"][index] = moments
        optimizer.load_state_dict(state)
