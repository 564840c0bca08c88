"""What critics of logged steps share: the task, and the learner that trains the network of any of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from navplan.learned.datasets.relabel import GoalSampler
from navplan.learned.datasets.steps import GoalBatch

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


class GoalTask(NamedTuple):
    """Sizes of what is learned, and of the networks.

    observation, goal: shapes of one; actions: width; same: a goal is a whole observation; members, hidden, frequencies, rate: of
    the networks; steps: updates in all; seed.
    """

    observation: tuple[int, ...]
    goal: tuple[int, ...]
    actions: int
    same: bool
    members: int = 3
    hidden: int = 128
    frequencies: tuple[float, ...] = (1.0, 2.0, 4.0)
    rate: float = 1e-3
    steps: int = 5000
    seed: int = 0


class Tensors(NamedTuple):
    """A `GoalBatch` as tensors."""

    observations: Tensor
    places: Tensor
    actions: Tensor
    later: Tensor
    later_places: Tensor
    steps: Tensor
    goals: Tensor
    reached: Tensor
    away: Tensor
    ahead: Tensor
    ahead_steps: Tensor
    ahead_costs: Tensor

    @classmethod
    def of(cls, batch: GoalBatch) -> Tensors:
        """The same numbers."""
        import torch

        return cls(*(torch.from_numpy(column) for column in batch))


class GoalCritic(Protocol):
    """A module of slot `critic` that learns from logged steps."""

    @property
    def sees(self) -> str:
        """What it sees: "places", of observations only what a goal is; "observations": all."""
        ...

    @property
    def lower_bound(self) -> str | None:
        """See `navplan.graph.critics.Embedding`."""
        ...

    @property
    def sampler(self) -> GoalSampler:
        """How goals are drawn."""
        ...

    @property
    def window(self) -> int:
        """Steps between the two observations of a batch's row; see `StepSampler`."""
        ...

    @property
    def every(self) -> bool:
        """Whether windows are of any length up to `window`."""
        ...

    @property
    def near(self) -> float:
        """Share of negatives that are near."""
        ...

    @property
    def horizon(self) -> float:
        """Steps from which on a distance means far."""
        ...

    def network(self, task: GoalTask, generator: torch.Generator) -> nn.Module:
        """Freshly initialised."""
        ...

    def loss(self, network: Any, target: Any, batch: Tensors) -> tuple[Tensor, dict[str, Tensor]]:
        """What is descended, and figures."""
        ...

    def steps(self, network: Any, seen: Tensor, goals: Tensor) -> Tensor:
        """(M, B) steps that each member expects."""
        ...

    def space(self, network: Any, seen: Tensor) -> Tensor | None:
        """(B, Z) the embedding that `lower_bound` speaks of; None where there is none."""
        ...


class PlaceCritic(GoalCritic, Protocol):
    """One that sees places, so that each of them is embedded once, however many pairs it is in."""

    def between(self, codes: Tensor, goals: Tensor) -> Tensor:
        """(M, B) steps from what the network makes of places."""
        ...


# Of a discounted sum's limit: what is nearer to it is far.
_LEFT = 1e-4


def later_on(batch: Tensors, discount: float) -> tuple[Tensor, Tensor]:
    """(B,) reward of the logged steps, -1 each, discounted; (B,) discount of what comes after, 0 where the goal was reached."""
    import torch

    left = discount**batch.steps
    return -(1 - left) / (1 - discount), torch.where(batch.reached, torch.zeros_like(left), left)


def undiscounted(value: Tensor, discount: float) -> Tensor:
    """Steps of a value that is -1 for each, discounted: ``log(1 + (1 - γ) V) / log γ``, at most `far`."""
    import torch

    return torch.log((1 + (1 - discount) * value).clamp(_LEFT, 1.0)) / math.log(discount)


def far(discount: float) -> float:
    """Steps at which the discounted sum is within 1e-4 of its limit."""
    return math.log(_LEFT) / math.log(discount)


def faded(rate: float, updates: int, steps: int) -> float:
    """A rate that rises over the first 200 updates and falls to a tenth over the last two fifths."""
    return rate * min(1.0, (updates + 1) / 200) * (1 - 0.9 * max(0.0, (updates / max(1, steps) - 0.6) / 0.4))
