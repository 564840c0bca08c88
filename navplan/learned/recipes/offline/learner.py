"""Critic, policy and cost critic side by side, each with its loss: what a run from logs trains."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from navplan.learned.critics.critic_learner import CriticLearner
from navplan.learned.critics.goal_critic import Tensors, faded
from navplan.learned.datasets.steps import GoalBatch
from navplan.learned.interface import Arrays, Policy, Saved, Shapes
from navplan.learned.optimise import adam, descend
from navplan.learned.recipes.offline.config import OfflineConfig
from navplan.learned.recipes.offline.parts import Logs, acting, other_networks, scale_arrays
from navplan.learned.recipes.offline.trained import GoalCritics
from navplan.learned.training.state import network_arrays


class OfflineLearner:
    """Trains on batches of logged steps; all parts at once."""

    columns: ClassVar[tuple[str, ...]] = (
        "updates", "critic_loss", "policy_loss", "cost_loss", "held_distance_error", "held_action_error", "seconds",
    )  # fmt: skip

    def __init__(self, config: OfflineConfig, logs: Logs) -> None:
        self.config, self.logs, self.updates = config, logs, 0
        self.held = {"held_distance_error": 0.0, "held_action_error": 0.0}
        self.critic: CriticLearner = config.critic.learner(logs.task)
        self.networks, self.targets = dict(self.critic.networks), dict(self.critic.targets)
        self.optimizers = dict(self.critic.optimizers)
        self.networks |= other_networks(logs)
        for name in ("policy", "cost"):
            if name in self.networks:
                self.optimizers[name] = adam(self.networks[name], config.rate)

    def update(self, batch: GoalBatch) -> dict[str, Tensor]:
        """One update of every part."""
        tensors = Tensors.of(batch)
        self.critic.updates = self.updates
        info = self.critic.update(tensors)
        if "policy" in self.networks:
            loss, _ = self.config.policy.loss(self.networks["policy"], self.steps, tensors)
            info["policy_loss"] = self._descend("policy", loss)
        if "cost" in self.networks:
            found = self.networks["cost"](tensors.observations, tensors.ahead)[..., 0]
            info["cost_loss"] = self._descend("cost", ((found - tensors.ahead_costs) ** 2).mean(dim=1).sum())
        self.updates += 1
        return info

    def _descend(self, name: str, loss: Tensor) -> Tensor:
        optimizer = self.optimizers[name]
        optimizer.param_groups[0]["lr"] = faded(self.config.rate, self.updates, self.config.steps)
        descend(loss, self.networks[name], optimizer)
        return loss.detach()

    def steps(self, observations: Tensor, places: Tensor, goals: Tensor) -> Tensor:
        """(B,) mean steps that the critic's members expect."""
        critic = self.critic.critic
        seen = places if critic.sees == "places" else observations
        return critic.steps(self.networks["critic"], seen, goals).mean(dim=0)

    def judge(self, batch: GoalBatch) -> None:
        """Figures on trajectories that nothing is learned from: how far off near distances are, and actions."""
        tensors = Tensors.of(batch)
        with torch.inference_mode():
            far = self.steps(tensors.observations, tensors.places, tensors.ahead)
            self.held["held_distance_error"] = float((far - tensors.ahead_steps).abs().mean())
            act = acting(self.networks, self.logs.table, self.config)
            moved = act(batch.observations, batch.places, batch.ahead)
            self.held["held_action_error"] = float(((moved - batch.actions) ** 2).sum(axis=1).mean())

    # -- what a run asks for ------------------------------------------------------------------------------------------------

    def policies(self) -> dict[str, Policy]:
        """The policy, under its own name too."""
        return GoalCritics(self.config, self.networks, self.logs).policies

    def figures(self) -> dict[str, float]:
        """On trajectories that nothing is learned from."""
        return dict(self.held)

    def state(self) -> Saved:
        """The held-out figures."""
        return Saved({}, {"held": dict(self.held)})

    def shapes(self, arrays: Arrays) -> Shapes:
        """Nothing beyond networks."""
        return {}

    def restore(self, state: Saved) -> None:
        """See `navplan.learned.interface.Remembering`."""
        self.held = {name: float(state.numbers["held"][name]) for name in self.held}

    def stages(self) -> dict[int, Arrays]:
        """Networks, scales and tables."""
        table = {f"table.{name}": array for name, array in self.logs.table.items()}
        return {2: network_arrays(self.networks) | scale_arrays(self.logs.scales) | table}

    def facts(self) -> dict[str, Any]:
        """What the networks are for."""
        return self.logs.facts
