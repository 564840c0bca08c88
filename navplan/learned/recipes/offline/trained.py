"""What came out of a run from logs: critics of observations and goals, and a policy. Numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from navplan.errors import InvalidInput
from navplan.learned.critics.goal_critic import GoalCritic, PlaceCritic
from navplan.learned.interface import Policy
from navplan.learned.recipes.offline.config import OfflineConfig
from navplan.learned.recipes.offline.parts import Logs, acting
from navplan.system.arrays import Float32

# Pairs per pass of the networks.
BLOCK = 1 << 15


class GoalPolicy:
    """A policy of logged steps, as a controller: actions are within the logged range.

    Attributes:
        ahead: most steps to the goals that it learned to go to.
    """

    def __init__(self, critics: GoalCritics) -> None:
        self._critics = critics
        self.ahead: int = critics.config.policy.ahead  # type: ignore[attr-defined]
        self._act = acting(critics.networks, critics.logs.table, critics.config)

    def act(self, observations: ArrayLike, goals: ArrayLike, condition: None = None) -> Float32:
        """(B, …) observations and (B, G) goals a few steps away -> (B, A) float32 actions.

        Raises:
            InvalidInput: other shapes than the logs had, values that are not finite, or a condition: it takes none.
        """
        if condition is not None:
            raise InvalidInput("a condition is given, but this policy takes none")
        critics = self._critics
        seen, wanted = critics.checked(observations, goals)
        scales = critics.logs.scales
        moved = self._act(scales.observations.of(seen), scales.goals.of(critics.places(seen)), scales.goals.of(wanted))
        actions: Float32 = np.clip(moved, -1, 1) * scales.actions.spread + scales.actions.mean
        return actions


class GoalCritics:
    """Critics that were learned from logs, as `navplan.graph.critics` asks for, with the policy beside.

    Attributes:
        config: of the run. networks: ``critic``, ``policy``, and ``cost`` where costs were logged. logs: sizes and scales.
        policies: what can act: ``policy``, and the same under its module's name.
        lower_bound, horizon: see `navplan.graph.critics.Embedding`; steps from which on a distance means far.
        states: (K, G) places for building graphs without the logs.
    """

    def __init__(
        self, config: OfflineConfig, networks: Mapping[str, nn.Module], logs: Logs, states: Float32 | None = None
    ) -> None:
        self.config, self.networks, self.logs = config, networks, logs
        self.critic = cast(GoalCritic, config.critic)
        self.scenario, self.seed = config.scenario, config.seed
        self.lower_bound = cast(Literal["l2", "linf"] | None, self.critic.lower_bound)
        self.horizon = self.critic.horizon
        self.states = np.empty((0, *logs.task.goal), np.float32) if states is None else states
        policy = cast(Policy, GoalPolicy(self))
        self.policies: dict[str, Policy] = {"policy": policy, config.policy.name: policy}

    @property
    def policy(self) -> Policy:
        """What follows."""
        return self.policies["policy"]

    def places(self, observations: NDArray[Any]) -> NDArray[Any]:
        """(B, G) what of observations a goal is."""
        return observations[:, list(self.config.goal)] if self.config.goal else observations

    def evaluate(self, observations: ArrayLike, goals: ArrayLike) -> tuple[Float32, Float32]:
        """Pessimistic (largest of the members) steps and cumulative cost of going from observations to goals.

        Args:
            observations: (B, …). goals: (B, G).

        Returns:
            distance (B,) float32, `horizon` where it is far; risk (B,) float32, 0 where no costs were logged.

        Raises:
            InvalidInput: other shapes than the logs had, or values that are not finite.
        """
        distance, risk = self.members(observations, goals)
        return distance.max(axis=0), risk.max(axis=0)

    def members(self, observations: ArrayLike, goals: ArrayLike) -> tuple[Float32, Float32]:
        """What each member says: steps (M, B) and cost (M, B), float32."""
        seen, wanted = self.checked(observations, goals)
        parts = [self._block(seen[k : k + BLOCK], wanted[k : k + BLOCK]) for k in range(0, len(seen), BLOCK)]
        distance, risk = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
        return np.clip(distance, 0.0, self.horizon), np.maximum(risk, 0.0)

    def _block(self, seen: NDArray[Any], goals: NDArray[Any]) -> tuple[Float32, Float32]:
        scales = self.logs.scales
        aims = torch.from_numpy(scales.goals.of(goals))
        with torch.inference_mode():
            if self.critic.sees == "places":
                codes = self._codes(scales.goals.of(self.places(seen)))
                distance = cast(PlaceCritic, self.critic).between(codes, self._codes(aims.numpy()))
            else:
                distance = self.critic.steps(self.networks["critic"], torch.from_numpy(scales.observations.of(seen)), aims)
            risk = torch.zeros_like(distance)
            if "cost" in self.networks:
                risk = self.networks["cost"](torch.from_numpy(scales.observations.of(seen)), aims)[..., 0]
        return distance.numpy(), risk.numpy()

    def _codes(self, places: Float32) -> Tensor:
        """(M, B, Z) of (B, G) scaled places; in a graph's pairs the same ones come many times, and are embedded once."""
        flat = np.ascontiguousarray(places).reshape(len(places), -1)
        keys = flat.view(np.dtype((np.void, flat.itemsize * flat.shape[1])))[:, 0]
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
        codes: Tensor = self.networks["critic"](torch.from_numpy(places[first]))
        return codes[:, torch.from_numpy(which)]

    def embed(self, observations: ArrayLike) -> Float32 | None:
        """(B, …) observations -> (B, Z), see `navplan.graph.critics.Embedding`; None where the critic has no embedding."""
        seen = np.asarray(observations)
        parts: list[Tensor | None] = []
        with torch.inference_mode():
            for k in range(0, len(seen), BLOCK):
                view = torch.from_numpy(self.logs.scales.goals.of(self.places(seen[k : k + BLOCK])))
                parts.append(self.critic.space(self.networks["critic"], view))
        found = [part.numpy() for part in parts if part is not None]
        return np.concatenate(found) if found else None

    def checked(self, observations: ArrayLike, goals: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """Both as arrays of the logs' shapes."""
        seen, wanted = np.asarray(observations), np.asarray(goals)
        task = self.logs.task
        for name, given, shape in (("observations", seen, task.observation), ("goals", wanted, task.goal)):
            if given.shape[1:] != shape or len(given) != len(seen):
                wish = ", ".join(map(str, shape))
                raise InvalidInput(f"{name} have shape {given.shape}, expected (B, {wish}) as the run's logs had")
            if given.dtype.kind == "f" and not np.isfinite(given).all():
                row = int(np.flatnonzero(~np.isfinite(given).reshape(len(given), -1).all(axis=1))[0])
                raise InvalidInput(f"row {row} of {name} holds NaN or infinity, expected finite numbers")
        return seen, wanted
