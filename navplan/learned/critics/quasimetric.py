"""Quasimetric critics: distances that obey the triangle inequality and may differ from their way back.

Source: Wang, Torralba, Isola and Zhang, "Optimal Goal-Reaching Reinforcement Learning via Quasimetric Learning", ICML 2023 (QRL);
heads of Liu, Feng, Liu and Stone, "Metric Residual Networks", 2023 (MRN) and Wang and Isola, "Improved Representation of
Asymmetrical Distances with Interval Quasimetric Embeddings", 2022 (IQE).

Deviations: 1. three members in one batched product, the largest distance counts; 2. steps are held to at most k between
observations k steps apart, k up to `window`, which the triangle inequality implies anyway; 3. a third of what is pushed apart is
near in the numbers of goals: else hardly anything is that lies on two sides of a wall; 4. no latent model, no layer
normalisation, embeddings of 64 instead of 512 numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from navplan.errors import InvalidInput
from navplan.learned.critics.goal_critic import GoalTask, Tensors
from navplan.learned.datasets.relabel import GoalSampler

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from navplan.learned.critics.critic_learner import CriticLearner

# Distances are pushed apart up to about five times this many steps.
FAR = 100.0
# Numbers in each component of an interval quasimetric, and the share of the largest component beside the mean of all.
_INTERVALS, _LARGEST = 8, 0.5


@dataclass(frozen=True)
class Quasimetric:
    """Pushes everything apart that steps do not hold together; for motion that cannot be undone."""

    name: ClassVar[str] = "quasimetric"
    slot: ClassVar[str] = "critic"
    about: ClassVar[str] = "steps as a quasimetric that is as large as logged steps allow; for motion that cannot be undone"
    paper: ClassVar[str | None] = None
    source: ClassVar[str] = "Wang et al. 2023 (QRL); Liu et al. 2023 (MRN); Wang and Isola 2022 (IQE)"
    sees: ClassVar[str] = "places"
    every: ClassVar[bool] = True
    sampler: ClassVar[GoalSampler] = GoalSampler(here=0.0, later=0.0)
    horizon: ClassVar[float] = 5 * FAR

    head: str = "mrn"
    """"mrn" or "iqe"."""
    window: int = 5
    """Most steps between two observations that are held together."""
    near: float = 1 / 3
    """Share of what is pushed apart that is near."""
    width: int = 64
    """Of the embedding."""
    margin: float = 0.05
    """Mean squared excess over the logged steps that is allowed."""

    def __post_init__(self) -> None:
        if self.head not in ("mrn", "iqe"):
            raise InvalidInput(f"head is {self.head!r}, expected 'mrn' or 'iqe'")
        if self.width < _INTERVALS or self.width % _INTERVALS:
            raise InvalidInput(f"width is {self.width}, expected a multiple of {_INTERVALS}")

    @property
    def lower_bound(self) -> str | None:
        """MRN is never less than the symmetric half of its embedding; IQE has no such half."""
        return "l2" if self.head == "mrn" else None

    def learner(self, task: GoalTask) -> CriticLearner:
        """See `navplan.learned.interface.Critic`."""
        from navplan.learned.critics.critic_learner import CriticLearner

        return CriticLearner(self, task, 0.0)

    def network(self, task: GoalTask, generator: torch.Generator) -> nn.Module:
        """The embedding of each member, and its multiplier."""
        import torch

        from navplan.learned.critics.critic_learner import Embedder

        network = Embedder(task, self.width, generator)
        network.register_parameter("multiplier", torch.nn.Parameter(torch.zeros(task.members)))
        return network

    def loss(self, network: Any, target: None, batch: Tensors) -> tuple[Tensor, dict[str, Tensor]]:
        """``softplus`` of what is missing to `FAR`, and a multiplier on the excess over logged steps."""
        import torch
        from torch.nn.functional import relu, softplus

        here, later, away = network(torch.cat([batch.places, batch.later_places, batch.away])).chunk(3, dim=1)
        push = (FAR * softplus(5 - self.between(here, away) / FAR)).mean(dim=1)
        excess = (relu(self.between(here, later) - batch.steps) ** 2).mean(dim=1)
        weight = torch.exp(10 * network.multiplier)  # steps ten times those of the other parameters
        loss = push + excess * weight.detach() + weight * (self.margin - excess.detach())
        return loss.sum(), {"excess": excess.detach().mean(), "weight": weight.detach().mean()}

    def steps(self, network: Any, seen: Tensor, goals: Tensor) -> Tensor:
        """(M, B)."""
        return self.between(network(seen), network(goals))

    def space(self, network: Any, seen: Tensor) -> Tensor:
        """(B, Z) the symmetric half of the first member, or all of it."""
        found: Tensor = network(seen)[0]
        return found[:, : self.width // 2] if self.head == "mrn" else found

    def between(self, codes: Tensor, goals: Tensor) -> Tensor:
        """(…) the quasimetric of embeddings (…, width)."""
        return mrn(codes, goals) if self.head == "mrn" else iqe(codes, goals)


def mrn(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distance of one half of the numbers, and the largest rise among the other half."""
    half = a.shape[-1] // 2
    straight = ((a[..., :half] - b[..., :half]) ** 2).sum(dim=-1).clamp_min(1e-12).sqrt()
    return straight + (b[..., half:] - a[..., half:]).amax(dim=-1).clamp_min(0.0)


def iqe(a: Tensor, b: Tensor) -> Tensor:
    """Length of the union of the intervals from a to b, where that is larger: mean and largest over components."""
    import torch

    shape = (*a.shape[:-1], -1, _INTERVALS)
    low = a.reshape(shape)
    high = torch.maximum(low, b.reshape(shape))
    ends, order = torch.cat([low, high], dim=-1).sort(dim=-1)
    opened = torch.where(order < _INTERVALS, 1.0, -1.0).cumsum(dim=-1)
    length = (ends.diff(dim=-1) * (opened[..., :-1] > 0.5)).sum(dim=-1)
    return _LARGEST * length.amax(dim=-1) + (1 - _LARGEST) * length.mean(dim=-1)
