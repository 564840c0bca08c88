"""Goal-conditioned behaviour cloning: do as the logs did that came to the goal.

Source: Ghosh et al., "Learning to Reach Goals via Iterated Supervised Learning", ICLR 2021; as in OGBench (Park et al. 2025).

Deviations: 1. goals lie 1 to `ahead` steps on, uniformly, not anywhere later: under a plan a follower never sees others, and with
far goals cloning is near useless; 2. squared error of the mean, the spread is not learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from torch import Tensor

    from navplan.learned.critics.goal_critic import Tensors


@dataclass(frozen=True)
class Gcbc:
    """The logged action that a goal a few steps on was reached by."""

    name: ClassVar[str] = "gcbc"
    slot: ClassVar[str] = "policy"
    about: ClassVar[str] = "imitates the logged actions towards goals a few steps on"
    paper: ClassVar[str | None] = None
    source: ClassVar[str] = "Ghosh et al. 2021; Park et al. 2025 (OGBench)"

    ahead: int = 15
    """Most steps to a goal."""

    def loss(self, policy: Any, critic: Any, batch: Tensors) -> tuple[Tensor, dict[str, Tensor]]:
        """Mean squared error of actions."""
        error = ((policy(batch.observations, batch.places, batch.ahead) - batch.actions) ** 2).sum(dim=1)
        return error.mean(), {"error": error.detach().mean()}
