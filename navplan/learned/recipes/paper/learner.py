"""The published learner: UVF-DDPG with distributional critics, and the masked Lagrangian of its second stage (3.1, 3.2)."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple, cast

import torch
from torch import Tensor, nn

from navplan.learned.critics.distributions import expected_cost, expected_distance, project_cost, shift_distance
from navplan.learned.interface import Arrays, Info, Policy, Saved, Shapes
from navplan.learned.optimise import adam, descend, follow, frozen
from navplan.learned.recipes.paper.config import PaperConfig
from navplan.learned.recipes.paper.networks import PaperCritics, UnitEncoder, paper_actor
from navplan.learned.trained import learned_policies, opinions
from navplan.learned.training.state import fill_networks, network_arrays, network_shapes
from navplan.system.arrays import Float32


class Transitions(NamedTuple):
    """A batch; rows are transitions, positions in cells."""

    states: Tensor
    goals: Tensor
    actions: Tensor
    costs: Tensor
    next_states: Tensor
    done: Tensor
    """bool, the goal was reached (a time-out is not)."""


def paper_networks(config: PaperConfig, size: tuple[float, float], seed: int) -> dict[str, nn.Module]:
    """Freshly initialised networks by name; the recipe clones no behaviour."""
    generator = torch.Generator().manual_seed(seed)
    actor = paper_actor(config.hidden, generator)
    critics = PaperCritics(config.hidden, config.ensemble, config.distance_bins, config.cost_atoms, generator)
    return {"encoder": UnitEncoder(size), "actor": actor, "critics": critics}


class PaperLearner:
    """Trains the networks; with `multiplier` None (stage 1) cost stays out of the actor's loss."""

    columns: ClassVar[tuple[str, ...]] = (
        "updates", "stage", "env_steps", "distance_loss", "cost_loss", "actor_distance", "multiplier", "episode_cost", "reached",
        "seconds",
    )  # fmt: skip

    def __init__(self, config: PaperConfig, size: tuple[float, float]) -> None:
        self.config = config
        self.networks = paper_networks(config, size, config.seed)
        self.critics = cast(PaperCritics, self.networks["critics"])
        self.target_critics = frozen(self.critics)
        self.targets: dict[str, nn.Module] = {"critics": self.target_critics, "actor": frozen(self.networks["actor"])}
        self.optimizers = {
            "actor": adam(self.networks["actor"], config.actor_rate),
            "distance": adam(self.critics.distance, config.critic_rate),
            "cost": adam(self.critics.cost, config.cost_critic_rate),
        }
        self.stage1: dict[str, nn.Module] = {}  # networks that stage 2 started from, which choose its problems
        self.multiplier: float | None = None
        self.updates = 0

    @property
    def stage(self) -> int:
        """1 or 2."""
        return 2 if self.stage1 else 1

    def members(self, observations: Float32, goals: Float32) -> tuple[Float32, Float32]:
        """Distance (E, B) and cost (E, B) float32 under the policy's action, in stage 2 as stage 1's networks see them."""
        with torch.inference_mode():
            networks = self.stage1 or self.networks
            near, cost = opinions(networks, self.config, torch.from_numpy(observations), torch.from_numpy(goals))
            return near.numpy(), cost.numpy()

    def update(self, batch: Transitions) -> Info:
        """One update of critics and actor, and of the targets at every `target_interval`-th call."""
        encoder, actor = self.networks["encoder"], self.networks["actor"]
        features, next_features = encoder(batch.states, batch.goals), encoder(batch.next_states, batch.goals)
        near, cost = self._targets(next_features, batch.costs, batch.done)
        losses = {
            "distance": _cross_entropy(self.critics.distance(features, batch.actions), near),
            "cost": _cross_entropy(self.critics.cost(features, batch.actions), cost),
        }
        descend(losses["distance"], self.critics.distance, self.optimizers["distance"])
        descend(losses["cost"], self.critics.cost, self.optimizers["cost"])
        loss, distance = self._actor_loss(features)
        descend(loss, actor, self.optimizers["actor"])
        self.updates += 1
        if self.updates % self.config.target_interval == 0:
            follow(self.targets, self.networks, self.config.polyak)
        return {"distance_loss": losses["distance"].detach(), "cost_loss": losses["cost"].detach(), "actor_distance": distance}

    def _targets(self, next_features: Tensor, costs: Tensor, done: Tensor) -> tuple[Tensor, Tensor]:
        """Each member's target comes from its own target network, under the target actor's move."""
        with torch.no_grad():
            actions = self.targets["actor"](next_features)
            near = torch.softmax(self.target_critics.distance(next_features, actions), dim=-1)
            cost = torch.softmax(self.target_critics.cost(next_features, actions), dim=-1)
            return shift_distance(near, done), project_cost(cost, costs, done, self.config.cost_max)

    def _actor_loss(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Stage 1: mean(D). Stage 2: [mean(D) + multiplier * mean(C * 1[C > limit])] / (1 + multiplier)."""
        config = self.config
        actions = self.networks["actor"](features)
        distance = expected_distance(self.critics.distance(features, actions)).mean()
        if self.multiplier is None:
            return distance, distance.detach()
        cost = expected_cost(self.critics.cost(features, actions), config.cost_max).mean(0)
        excess = (cost * (cost > config.cost_limit)).mean()
        return (distance + self.multiplier * excess) / (1 + self.multiplier), distance.detach()

    def begin_stage_two(self) -> None:
        """Keep a frozen copy of the networks, and let the multiplier in."""
        self.stage1 = {name: frozen(module) for name, module in self.networks.items()}
        self.multiplier = self.config.multiplier_start
        for name, target in self.targets.items():  # targets are in no published checkpoint: they start as copies
            target.load_state_dict(self.networks[name].state_dict())

    def update_multiplier(self, last_cost: float) -> None:
        """Multiplier + rate * (cost of the last finished episode - limit), not below 0; once per update that saw one finish."""
        if self.multiplier is not None:
            self.multiplier = max(0.0, self.multiplier + self.config.multiplier_rate * (last_cost - self.config.cost_limit))

    # -- what a run asks for ------------------------------------------------------------------------------------------------

    def policies(self) -> dict[str, Policy]:
        """The policy."""
        return learned_policies(self.networks)

    def figures(self) -> dict[str, float]:
        """Stage and multiplier."""
        return {"stage": self.stage, "multiplier": self.multiplier or 0.0}

    def state(self) -> Saved:
        """Multiplier, and the networks that stage 2 started from."""
        return Saved(
            {f"stage1.{key}": array for key, array in network_arrays(self.stage1).items()}, {"multiplier": self.multiplier}
        )

    def shapes(self, arrays: Arrays) -> Shapes:
        """The networks that stage 2 started from, where there are any."""
        if not any(name.startswith("stage1.") for name in arrays):
            return {}
        return {f"stage1.{name}": shape for name, shape in network_shapes(self.networks).items()}

    def restore(self, state: Saved) -> None:
        """See `navplan.learned.interface.Remembering`."""
        first = {name.removeprefix("stage1."): v for name, v in state.arrays.items() if name.startswith("stage1.")}
        if first:
            self.stage1 = {name: frozen(module) for name, module in self.networks.items()}
            fill_networks(self.stage1, first)
        multiplier = state.numbers["multiplier"]
        self.multiplier = None if multiplier is None else float(multiplier)

    def stages(self) -> dict[int, Arrays]:
        """The finished networks, and those of the unconstrained policy."""
        return {2: network_arrays(self.networks), 1: network_arrays(self.stage1 or self.networks)}

    def facts(self) -> dict[str, Any]:
        """The limit that was steered to."""
        return {"cost_limit": self.config.cost_limit}


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over members and batch."""
    return -(targets * torch.log_softmax(logits, dim=-1)).sum(-1).mean()
