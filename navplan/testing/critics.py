"""Are they critics: numbers for every pair, the same whatever else is in the batch?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from navplan.graph.build import evaluate
from navplan.graph.parts import checked_states
from navplan.testing.faulty import asked, require


def check_critic(critics: Any, states: ArrayLike | None = None) -> None:
    """Weigh pairs of states and look at the answers.

    Args:
        critics: an object with ``evaluate(observations, goals) -> (distance, risk)``.
        states: (N, D) float32 observations that it knows, at least 2; None: places within 8 x 8 cells.

    Raises:
        Faulty: no `evaluate`, answers of another shape, NaN or negative, arguments changed, or answers that depend on the batch.
    """
    what = f"critics {type(critics).__name__}"
    require(callable(getattr(critics, "evaluate", None)), f"{what} has no evaluate(observations, goals) -> (distance, risk)")
    places = np.random.default_rng(0).uniform(0.5, 7.5, (12, 2)) if states is None else states
    pool = checked_states(places, "state")
    require(len(pool) >= 2, f"{what}: {len(pool)} states given, expected at least 2")
    here, there = (axis.ravel() for axis in np.indices((len(pool), len(pool))))
    origins, goals = pool[here], pool[there]
    before = origins.copy(), goals.copy()
    whole = asked(f"{what}: evaluate", evaluate, critics, origins, goals)
    require(np.array_equal(origins, before[0]) and np.array_equal(goals, before[1]), f"{what}: evaluate changes its arguments")
    alone = asked(f"{what}: evaluate", evaluate, critics, origins[1:2], goals[1:2])
    for name, together, single in zip(("distance", "risk"), whole, alone, strict=True):
        same = np.allclose(together[1:2], single, rtol=1e-4, atol=1e-4)
        require(same, f"{what}: the {name} of a pair is {single[0]:g} alone and {together[1]:g} beside others")
