"""The finished product: policies that act, critics that weigh edges. Positions in cells, numpy in, numpy out."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Protocol, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from navplan.errors import InvalidInput
from navplan.learned.critics.distributions import expected_cost, expected_distance
from navplan.learned.interface import Policy
from navplan.system.arrays import Float32

# Pairs per pass: the hidden activations of six critics then stay near the cores.
BLOCK = 512


POLICIES = {"policy": "actor", "behaviour-cloning": "clone"}
"""Exported name -> the network that acts."""


class CriticSettings(Protocol):
    """What the product asks of the configuration that its networks were trained with."""

    @property
    def scenario(self) -> str:
        """Whose world was learned."""
        ...

    @property
    def recipe(self) -> str:
        """Its name."""
        ...

    @property
    def seed(self) -> int:
        """Of the run."""
        ...

    @property
    def ensemble(self) -> int:
        """Distance critics, and as many cost critics."""
        ...

    @property
    def distance_bins(self) -> int:
        """Of the distance critics: 1, 2, … steps."""
        ...

    @property
    def cost_atoms(self) -> int:
        """Of the cost critics, evenly over [0, cost_max]."""
        ...

    @property
    def cost_max(self) -> float:
        """Largest cumulative cost that they can say."""
        ...

    @property
    def cost_floor(self) -> float:
        """Expected costs below it are read as 0."""
        ...


class LearnedPolicy:
    """A goal-conditioned actor as a low level (navplan.control.interface.LowLevel)."""

    def __init__(self, encoder: nn.Module, actor: nn.Module) -> None:
        self._encoder = encoder
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


def learned_policies(networks: Mapping[str, nn.Module]) -> dict[str, Policy]:
    """The policies among networks, by the names of `POLICIES`."""
    encoder = networks["encoder"]
    return {name: LearnedPolicy(encoder, networks[part]) for name, part in POLICIES.items() if part in networks}


def opinions(networks: Mapping[str, nn.Module], config: CriticSettings, states: Tensor, goals: Tensor) -> tuple[Tensor, Tensor]:
    """What each critic expects under the actor's moves: distance (E, B) and cost (E, B) from states and goals (B, 2)."""
    features = networks["encoder"](states, goals)
    logits = networks["critics"](features, networks["actor"](features))
    distance = expected_distance(logits[: config.ensemble, :, : config.distance_bins])
    return distance, expected_cost(logits[config.ensemble :, :, : config.cost_atoms], config.cost_max)


class Critics:
    """Learned weights of edges, with the policies that were trained beside them.

    Attributes:
        networks: ``encoder`` (positions, goals) -> features, ``critics`` (features, actions) -> logits with the distance critics
            first, ``actor`` and perhaps ``clone``.
        policies: what can act, by name: ``policy``, and ``behaviour-cloning`` where the recipe trains it.
        states: (K, 2) float32 replay states, thinned for coverage, for building state graphs.
        config: of the training run. scenario: its name. seed: of the run. size: (H, W) of the map.
        stage: 1 for the unconstrained policy, 2 for the final one.
        cost_floor: expected costs below it are read as 0. A softmax never says exactly 0; the floor is a small part of an atom.
        ensemble: critics of each kind that are asked.
    """

    def __init__(
        self,
        networks: Mapping[str, nn.Module],
        states: Float32,
        config: CriticSettings,
        size: tuple[float, float],
        stage: int,
    ) -> None:
        self.networks = networks
        self.policies = learned_policies(networks)
        self.states = states
        self.config = config
        self.scenario = config.scenario
        self.seed = config.seed
        self.size = size
        self.stage = stage
        self.cost_floor = config.cost_floor
        self.ensemble = config.ensemble

    @property
    def policy(self) -> Policy:
        """The policy that the critics judge."""
        return self.policies["policy"]

    @property
    def behaviour_cloning(self) -> Policy:
        """The baseline that imitates how replay states were reached.

        Raises:
            InvalidInput: the recipe of this checkpoint trains none.
        """
        if "behaviour-cloning" not in self.policies:
            raise InvalidInput(f"the checkpoint holds no behaviour cloning: recipe {self.config.recipe!r} trains none")
        return self.policies["behaviour-cloning"]

    def members_only(self, count: int) -> Self:
        """The same of which only the first `count` critics of each kind are asked.

        Raises:
            InvalidInput: there are fewer.
        """
        if not 1 <= count <= self.ensemble:
            raise InvalidInput(f"there are {self.ensemble} critics of each kind, {count} are asked for")
        fewer = copy.copy(self)
        fewer.ensemble = count
        return fewer

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
                near, cost = opinions(self.networks, config, torch.from_numpy(states[block]), torch.from_numpy(targets[block]))
                distance[:, block] = near.numpy()
                risk[:, block] = cost.numpy()
        risk[risk < self.cost_floor] = 0
        return distance[: self.ensemble], risk[: self.ensemble]


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
