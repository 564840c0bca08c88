"""The learner: networks, targets, optimisers and multiplier, and the update of each stage (UVF-DDPG with cost critics).

Paper facts, sections 3.1 and 3.2. What differs from the published agent: all six critics are one stack; targets move a little
at every update instead of more at every fifth; the actor moves at every `actor_interval`-th; the step sizes fall over a stage.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from navplan.learned.interface import Arrays, Batch, Info, Policy, Saved, Shapes
from navplan.learned.networks import Actor, CriticEnsemble, Encoder, PlaceTable
from navplan.learned.optimise import adam, descend, follow, frozen
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.navplan.losses import CostWeight, actor_loss, clone_loss, critic_loss, critic_targets
from navplan.learned.trained import learned_policies, opinions
from navplan.learned.training.state import network_arrays, network_shapes
from navplan.system.arrays import Float32


def build_networks(config: TrainConfig, size: tuple[float, float], seed: int) -> dict[str, nn.Module]:
    """Freshly initialised networks for a map of `size` (H, W) cells, by name."""
    generator = torch.Generator().manual_seed(seed)
    encoder = Encoder(size, config.wavelengths, config.relative_scales)
    outputs, members, channels = max(config.distance_bins, config.cost_atoms), 2 * config.ensemble, config.place_channels
    actor_places, critics_places = (PlaceTable(count, channels, size) if channels else None for count in (1, members))
    return {
        "encoder": encoder,
        "actor": Actor(encoder.dim, config.hidden, generator, actor_places),
        "critics": CriticEnsemble(encoder.dim, config.hidden, members, outputs, generator, critics_places),
        "clone": Actor(encoder.dim, config.hidden, generator),
    }


class NavplanLearner:
    """Trains the networks; `stage` 1 leaves the multiplier out, `stage` 2 weighs cost into the actor's loss."""

    columns: ClassVar[tuple[str, ...]] = (
        "updates", "stage", "env_steps", "distance_loss", "cost_loss", "actor_distance", "multiplier", "episode_cost", "reached",
        "seconds",
    )  # fmt: skip

    def __init__(self, config: TrainConfig, size: tuple[float, float], goal_tolerance: float) -> None:
        self.config = config
        self.goal_tolerance = goal_tolerance
        self.networks = build_networks(config, size, config.seed)
        self.targets = {name: frozen(self.networks[name]) for name in ("critics", "actor")}
        self._rates = {"actor": config.actor_rate, "critics": config.critic_rate, "clone": config.clone_rate}
        self.optimizers = {name: adam(self.networks[name], rate) for name, rate in self._rates.items()}
        self.multiplier = 0.0
        self.cost_limit = config.cost_limit
        self.stage1: Arrays = {}  # what stage 2 started from
        self.updates = 0

    @property
    def stage(self) -> int:
        """1 or 2, by the number of updates made."""
        return 1 if self.updates < self.config.stage1_steps else 2

    @property
    def cost_weight(self) -> CostWeight:
        """How cost weighs in the actor's loss now."""
        return CostWeight(self.multiplier if self.stage == 2 else 0.0, self.cost_limit)

    def members(self, observations: Float32, goals: Float32) -> tuple[Float32, Float32]:
        """What each critic says under the policy's action: distance (E, B) and cost (E, B) float32."""
        with torch.inference_mode():
            near, cost = opinions(self.networks, self.config, torch.from_numpy(observations), torch.from_numpy(goals))
            return near.numpy(), cost.numpy()

    def update(self, batch: Batch) -> Info:
        """One update of everything from a batch of transitions; returns scalars without waiting for them."""
        self._set_rates()
        states, goals = torch.from_numpy(batch.states), torch.from_numpy(batch.goals)
        actions, next_states = torch.from_numpy(batch.actions), torch.from_numpy(batch.next_states)
        done = torch.linalg.vector_norm(next_states - goals, dim=1) < self.goal_tolerance
        encoder = self.networks["encoder"]
        with torch.no_grad():
            features, next_features = encoder(states, goals), encoder(next_states, goals)
        wanted = critic_targets(self.targets, self.config, next_features, torch.from_numpy(batch.costs), done)
        loss, info = critic_loss(self.networks, self.config, features, actions, wanted)
        self._descend("critics", loss)
        if self.updates % self.config.actor_interval == 0:
            loss, actor_info = actor_loss(self.networks, self.config, self.cost_weight, features, goals - states, actions)
            info |= actor_info
            self._descend("actor", loss)
            learnt = torch.from_numpy(batch.future)
            self._descend("clone", clone_loss(self.networks, features[learnt], actions[learnt]))
        follow(self.targets, self.networks, self.config.polyak)
        self.updates += 1
        return {name: value.detach() for name, value in info.items()}

    def steer(self, mean_cost: float) -> None:
        """What recent episodes cost, once per round: from stage 2 on it moves the multiplier."""
        if self.stage == 2:
            if not self.stage1:
                self.begin_stage_two(mean_cost)
            self.update_multiplier(mean_cost)

    def begin_stage_two(self, mean_cost: float) -> None:
        """Keep stage 1's networks, and fix the limit where it is a share of what stage 1's episodes cost in the end.

        A map without cost has the limit 0.
        """
        self.stage1 = network_arrays(self.networks)
        if self.cost_limit == 0:
            self.cost_limit = self.config.cost_limit_share * mean_cost

    def update_multiplier(self, mean_cost: float) -> None:
        """Multiplier + rate * (mean cost of recent episodes / limit - 1), in [0, multiplier_max].

        The rate falls as the Adam steps do, so that the multiplier settles as the networks do.
        """
        config = self.config
        if self.cost_limit > 0:
            step = config.multiplier_rate * self._decay() * (mean_cost / self.cost_limit - 1)
            self.multiplier = min(max(0.0, self.multiplier + step), config.multiplier_max)

    def _decay(self) -> float:
        """From 1 at the start of a stage to `final_rate` at its end, along a cosine."""
        config = self.config
        first = config.stage1_steps
        last = config.steps - first
        progress = self.updates / first if self.stage == 1 else (self.updates - first) / max(1, last)
        cosine = (1 + math.cos(math.pi * min(1.0, progress))) / 2
        return config.final_rate + (1 - config.final_rate) * cosine

    def _set_rates(self) -> None:
        factor = self._decay() * (1.0 if self.stage == 1 else self.config.stage2_rate)
        for name, rate in self._rates.items():
            self.optimizers[name].param_groups[0]["lr"] = rate * factor

    def _descend(self, name: str, loss: Tensor) -> None:
        descend(loss, self.networks[name], self.optimizers[name])

    # -- what a run asks for ------------------------------------------------------------------------------------------------

    def policies(self) -> dict[str, Policy]:
        """The policy, and behaviour cloning."""
        return learned_policies(self.networks)

    def figures(self) -> dict[str, float]:
        """Stage and multiplier."""
        return {"stage": self.stage, "multiplier": self.multiplier}

    def state(self) -> Saved:
        """Multiplier, limit, and the networks that stage 2 started from."""
        arrays = {f"stage1.{name}": value for name, value in self.stage1.items()}
        return Saved(arrays, {"multiplier": self.multiplier, "cost_limit": self.cost_limit})

    def shapes(self, arrays: Arrays) -> Shapes:
        """The networks that stage 2 started from, where there are any."""
        if not any(name.startswith("stage1.") for name in arrays):
            return {}
        return {f"stage1.{name}": shape for name, shape in network_shapes(self.networks).items()}

    def restore(self, state: Saved) -> None:
        """See `navplan.learned.interface.Remembering`."""
        self.stage1 = {name.removeprefix("stage1."): v for name, v in state.arrays.items() if name.startswith("stage1.")}
        self.multiplier = float(state.numbers["multiplier"])
        self.cost_limit = float(state.numbers["cost_limit"])

    def stages(self) -> dict[int, Arrays]:
        """The finished networks, and those of the unconstrained policy."""
        final = network_arrays(self.networks)
        return {2: final, 1: self.stage1 or final}

    def facts(self) -> dict[str, Any]:
        """The limit that was steered to."""
        return {"cost_limit": self.cost_limit}
