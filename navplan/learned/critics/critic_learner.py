"""Training of one critic of logged steps: its network, target and optimiser."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from navplan.learned.critics.goal_critic import GoalCritic, GoalTask, Tensors, faded
from navplan.learned.networks import Features, Members
from navplan.learned.optimise import adam, descend, follow, frozen


class Embedder(nn.Module):
    """What of observations a goal is -> (M, B, outputs)."""

    def __init__(self, task: GoalTask, outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        self.features = Features(task.goal, task.frequencies, generator)
        self.members = Members(task.members, self.features.dim, task.hidden, outputs, generator)

    def forward(self, places: Tensor) -> Tensor:
        """(B, G) -> (M, B, outputs)."""
        found: Tensor = self.members(self.features(places))
        return found


class PairNetwork(nn.Module):
    """Observations and goals -> (M, B, outputs)."""

    def __init__(self, task: GoalTask, outputs: int, generator: torch.Generator, *, more: int = 0) -> None:
        super().__init__()
        self.seen = Features(task.observation, task.frequencies, generator)
        self.goal = self.seen if task.same else Features(task.goal, task.frequencies, generator)
        width = self.seen.dim + self.goal.dim + more
        self.members = Members(task.members, width, task.hidden, outputs, generator)

    def forward(self, observations: Tensor, goals: Tensor, *more: Tensor) -> Tensor:
        """(B, …) and (B, G), and (B, `more`) numbers beside -> (M, B, outputs)."""
        found: Tensor = self.members(torch.cat([self.seen(observations), self.goal(goals), *more], dim=1))
        return found


class ActionValues(nn.Module):
    """V(s, g) and Q(s, a, g) of each member."""

    def __init__(self, task: GoalTask, generator: torch.Generator) -> None:
        super().__init__()
        self.value = PairNetwork(task, 1, generator)
        self.action_value = PairNetwork(task, 1, generator, more=task.actions)

    def forward(self, observations: Tensor, goals: Tensor) -> Tensor:
        """V: (B, …) and (B, G) -> (M, B, 1)."""
        found: Tensor = self.value(observations, goals)
        return found

    def act(self, observations: Tensor, goals: Tensor, actions: Tensor) -> Tensor:
        """Q: with actions (B, A) -> (M, B)."""
        found: Tensor = self.action_value(observations, goals, actions)[..., 0]
        return found


class Lined(nn.Module):
    """An `Embedder` whose codes end with two numbers of each member, the same for all: (M, B, outputs + 2)."""

    def __init__(self, task: GoalTask, outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        self.codes = Embedder(task, outputs, generator)
        self.line = nn.Parameter(torch.ones(task.members, 2))

    def forward(self, places: Tensor) -> Tensor:
        """(B, G) -> (M, B, outputs + 2)."""
        codes: Tensor = self.codes(places)
        return torch.cat([codes, self.line[:, None].expand(-1, codes.shape[1], -1)], dim=-1)


class CriticLearner:
    """One network that its module's loss trains.

    Args:
        critic: the module.
        task: sizes.
        polyak: step of the target; 0 for a critic that has none.
    """

    def __init__(self, critic: GoalCritic, task: GoalTask, polyak: float) -> None:
        self.critic, self.task, self.polyak = critic, task, polyak
        self.network = critic.network(task, torch.Generator().manual_seed(task.seed))
        self.targets: dict[str, nn.Module] = {"critic": frozen(self.network)} if polyak else {}
        self.networks: dict[str, nn.Module] = {"critic": self.network}
        self.optimizers = {"critic": adam(self.network, task.rate)}
        self.updates = 0

    def update(self, batch: Tensors) -> dict[str, Tensor]:
        """One step of the network, and of its target."""
        optimizer = self.optimizers["critic"]
        optimizer.param_groups[0]["lr"] = faded(self.task.rate, self.updates, self.task.steps)
        loss, figures = self.critic.loss(self.network, self.targets.get("critic"), batch)
        descend(loss, self.network, optimizer)
        if self.targets:
            follow(self.targets, self.networks, self.polyak)
        self.updates += 1
        return {"critic_loss": loss.detach(), **{f"critic_{name}": value for name, value in figures.items()}}
