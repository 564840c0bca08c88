"""The finished product: policies that act, critics that weigh edges. Positions in cells, numpy in, numpy out."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from navplan.errors import CheckpointError, FileFormatError, InvalidInput, UnknownName
from navplan.learned.critics.distributions import expected_cost, expected_distance
from navplan.learned.networks import Encoder
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.navplan.learner import Networks, build_networks
from navplan.learned.recipes.paper.config import PaperConfig
from navplan.learned.recipes.paper.learner import paper_networks
from navplan.learned.training.run_config import config_from
from navplan.learned.training.tensors import Arrays, expect, pair_of_sizes
from navplan.system.arrays import Float32

# Pairs per pass: the hidden activations of six critics then stay near the cores.
BLOCK = 512


class LearnedPolicy:
    """A goal-conditioned actor as a low level (navplan.control.interface.LowLevel)."""

    def __init__(self, networks: Networks, actor: nn.Module) -> None:
        self._encoder = networks.encoder
        self._actor = actor

    def act(self, observations: Float32, goals: Float32, condition: Float32 | None = None) -> Float32:
        """(B, 2) states and goals in cells -> (B, 2) float32 actions in [-1, 1].

        Raises:
            InvalidInput: shapes differ, a value is not finite, or a `condition` is given: this policy takes none.
        """
        if condition is not None:
            raise InvalidInput("a condition is given, but this policy takes none")
        states, targets = _pairs(observations, goals)
        with torch.inference_mode():
            actions: Float32 = self._actor(self._encoder(torch.from_numpy(states), torch.from_numpy(targets))).numpy()
        return actions


class Critics:
    """Learned weights of edges (navplan.graph.critics.EdgeCritics), with the policy that they judge.

    Attributes:
        policy: the learned actor.
        states: (K, 2) float32 replay states, thinned for coverage, for building state graphs.
        config: of the training run. scenario: its name. seed: of the run. size: (H, W) of the map.
        stage: 1 for the unconstrained policy, 2 for the final one.
        cost_floor: expected costs below it are read as 0. A softmax never says exactly 0; the floor is a small part of an atom.
    """

    def __init__(
        self, networks: Networks, states: Float32, config: TrainConfig | PaperConfig, size: tuple[float, float], stage: int
    ) -> None:
        self.networks = networks
        self.states = states
        self.config = config
        self.scenario = config.scenario
        self.seed = config.seed
        self.size = size
        self.stage = stage
        self.cost_floor = config.cost_floor
        self._asked = config.ensemble
        self.policy = LearnedPolicy(networks, networks.actor)

    @property
    def behaviour_cloning(self) -> LearnedPolicy:
        """The baseline that imitates how replay states were reached.

        Raises:
            InvalidInput: the recipe of this checkpoint trains none.
        """
        if self.networks.clone is None:
            raise InvalidInput(f"the checkpoint holds no behaviour cloning: recipe {self.config.recipe!r} trains none")
        return LearnedPolicy(self.networks, self.networks.clone)

    @property
    def policies(self) -> dict[str, LearnedPolicy]:
        """The low levels in this checkpoint, by name; "behaviour-cloning" only where the recipe trains one."""
        found = {"policy": self.policy}
        return found if self.networks.clone is None else found | {"behaviour-cloning": self.behaviour_cloning}

    def evaluate(self, observations: ArrayLike, goals: ArrayLike) -> tuple[Float32, Float32]:
        """Pessimistic (maximum over the ensemble) distance in steps and cumulative cost; actor once per pair.

        Args:
            observations: (B, 2) states in cells. goals: (B, 2) goals in cells.

        Returns:
            distance (B,) float32 in [1, distance_bins], risk (B,) float32 in [0, cost_max].

        Raises:
            InvalidInput: shapes differ, or a value is not finite.
        """
        distance, risk = self.members(observations, goals)
        return distance.max(axis=0), risk.max(axis=0)

    def distance(self, observations: ArrayLike, goals: ArrayLike) -> Float32:
        """(B,) float32 mean over the ensemble of the expected steps."""
        mean: Float32 = self.members(observations, goals)[0].mean(axis=0)
        return mean

    def risk(self, observations: ArrayLike, goals: ArrayLike) -> Float32:
        """(B,) float32 mean over the ensemble of the expected cumulative cost."""
        mean: Float32 = self.members(observations, goals)[1].mean(axis=0)
        return np.where(mean < self.cost_floor, np.float32(0), mean)

    def members(self, observations: ArrayLike, goals: ArrayLike) -> tuple[Float32, Float32]:
        """What each critic says: distance (E, B) and cost (E, B), float32, under the policy's action."""
        states, targets = _pairs(observations, goals)
        config, count = self.config, len(states)
        distance = np.empty((config.ensemble, count), np.float32)
        risk = np.empty((config.ensemble, count), np.float32)
        with torch.inference_mode():
            for first in range(0, count, BLOCK):
                block = slice(first, first + BLOCK)
                logits = self._logits(torch.from_numpy(states[block]), torch.from_numpy(targets[block]))
                distance[:, block] = expected_distance(logits[: config.ensemble, :, : config.distance_bins]).numpy()
                risk[:, block] = expected_cost(logits[config.ensemble :, :, : config.cost_atoms], config.cost_max).numpy()
        risk[risk < self.cost_floor] = 0
        return distance[: self._asked], risk[: self._asked]

    def members_only(self, count: int) -> Critics:
        """The same checkpoint, of which only the first `count` critics of each kind are asked.

        Raises:
            InvalidInput: it has fewer.
        """
        if not 1 <= count <= self._asked:
            raise InvalidInput(f"there are {self._asked} critics of each kind, {count} are asked for")
        fewer = copy.copy(self)
        fewer._asked = count
        return fewer

    def _logits(self, states: Tensor, goals: Tensor) -> Tensor:
        features = self.networks.encoder(states, goals)
        logits: Tensor = self.networks.critics(features, self.networks.actor(features))
        return logits


def _pairs(observations: ArrayLike, goals: ArrayLike) -> tuple[Float32, Float32]:
    states = np.ascontiguousarray(observations, dtype=np.float32)
    targets = np.ascontiguousarray(goals, dtype=np.float32)
    if states.ndim != 2 or states.shape[1:] != (2,) or states.shape != targets.shape:
        raise InvalidInput(f"observations have shape {states.shape} and goals {targets.shape}, expected (B, 2) both")
    for name, array in (("observation", states), ("goal", targets)):
        if not np.isfinite(array).all():
            row = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
            raise InvalidInput(f"{name} {row} is {array[row].tolist()}, expected finite coordinates")
    return states, targets


def _learnt(networks: Networks) -> dict[str, nn.Module]:
    modules: dict[str, nn.Module] = {"actor": networks.actor, "critics": networks.critics}
    return modules if networks.clone is None else modules | {"clone": networks.clone}


def network_arrays(networks: Networks) -> Arrays:
    """All parameters, named ``actor.…``, ``critics.…``, ``clone.…``."""
    modules = _learnt(networks)
    return {f"{part}.{name}": p.detach().numpy().copy() for part, m in modules.items() for name, p in m.named_parameters()}


def load_networks(path: Path, networks: Networks, arrays: Arrays) -> None:
    """Fill `networks` from arrays named as `network_arrays` names them.

    Raises:
        CheckpointError: one is missing or of another shape.
    """
    modules = _learnt(networks)
    slots = {f"{part}.{name}": p for part, module in modules.items() for name, p in module.named_parameters()}
    expect(path, arrays, {name: tuple(p.shape) for name, p in slots.items()})
    with torch.no_grad():
        for name, parameter in slots.items():
            parameter.copy_(torch.from_numpy(arrays[name]))


def critics_from(path: Path, arrays: Arrays, document: dict[str, Any]) -> Critics:
    """Critics out of the contents of a policy file.

    Raises:
        CheckpointError: contents and configuration do not fit.
    """
    try:
        values = document.get("config")
        if not isinstance(values, dict):
            raise CheckpointError(path, "has no configuration in its header")
        config = config_from(values, path)
    except (FileFormatError, InvalidInput, UnknownName) as error:
        raise error if isinstance(error, CheckpointError) else CheckpointError(path, _without_path(path, error)) from error
    size = pair_of_sizes(path, document.get("size"))
    arrays = {name: array.astype(np.float32) if array.dtype == np.float16 else array for name, array in arrays.items()}
    # Before anything of the configured size is built: the file must have that size.
    members, width = config.ensemble, config.hidden
    if isinstance(config, PaperConfig):
        bins = {"distance": config.distance_bins, "cost": config.cost_atoms}
        expect(path, arrays, {f"critics.{family}.w3": (members, width, count) for family, count in bins.items()})
        networks = paper_networks(config, size, seed=0)
    else:
        features = Encoder(size, config.wavelengths, config.relative_scales).dim
        outputs = max(config.distance_bins, config.cost_atoms)
        inputs = features + 2 + 3 * config.place_channels
        expect(path, arrays, {"critics.w1": (2 * members, inputs, width), "critics.w3": (2 * members, width, outputs)})
        networks = build_networks(config, size, seed=0)
    load_networks(path, networks, arrays)
    states = arrays.get("states")
    if states is None or states.ndim != 2 or states.shape[1] != 2 or len(states) < 1 or states.dtype != np.float32:
        raise CheckpointError(path, "tensor 'states' is missing or misshaped, expected float32 (K, 2)")
    stage = document.get("stage")
    if stage not in (1, 2):
        raise CheckpointError(path, f"stage is {stage!r}, expected 1 or 2")
    for module in (part for part in networks if part is not None):
        module.requires_grad_(False).eval()
    return Critics(networks, states, config, size, stage)


def _without_path(path: Path, error: Exception) -> str:
    return str(error).removeprefix(f"{path}: ")
