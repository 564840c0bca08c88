"""What one agent must not do, and what that means for its search."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from navplan.kernels.search.conflicts import KEEP_OUT, LATER
from navplan.kernels.search.constraints import ConstraintTable, first_arrival, first_rest
from navplan.system.arrays import Float64, freeze


class Constraint(NamedTuple):
    """What one agent must not do in time step `step`: see `navplan.kernels.search.constraints.ConstraintTable`.

    KEEP_OUT holds from that step on; LATER means that the last arrival is after that step.
    """

    step: int
    kind: int
    a: int = -1
    b: int = -1
    tau: float = 0.0
    centre: tuple[float, ...] = ()
    r2: float = 0.0


class Restrictions(NamedTuple):
    """One agent's constraints as kernels want them.

    Attributes:
        table: all but LATER.
        rest_from: the last arrival must be at this step or later.
        arrive_from: and cannot be before this one.
        horizon: from this step on nothing changes.
    """

    table: ConstraintTable
    rest_from: int
    arrive_from: int
    horizon: int

    @classmethod
    def of(cls, constraints: Collection[Constraint], xy: Float64, clearance: float, goal: int) -> Restrictions:
        """For an agent that goes to `goal`."""
        table = make_table(constraints, xy.shape[1])
        later = max((row.step + 1 for row in constraints if row.kind == LATER), default=0)
        rest_from = max(later, int(first_rest(table, xy, clearance, goal)))
        horizon = max(len(table.first) - 1, rest_from, int(table.keep_step.max(initial=0)))
        return cls(table, rest_from, int(first_arrival(table, goal, rest_from)), horizon)


def make_table(constraints: Collection[Constraint], dimensions: int) -> ConstraintTable:
    """The constraints of one agent in the kernel's layout; LATER is none of its business."""
    rows = sorted(row for row in constraints if row.kind < KEEP_OUT)
    keep = sorted(row for row in constraints if row.kind == KEEP_OUT)
    steps = np.array([row.step for row in rows], np.int64)
    last = rows[-1].step + 1 if rows else 0
    table = ConstraintTable(
        first=np.searchsorted(steps, np.arange(last + 1)).astype(np.int32),
        kind=np.array([row.kind for row in rows], np.int8),
        a=np.array([row.a for row in rows], np.int32),
        b=np.array([row.b for row in rows], np.int32),
        tau=np.array([row.tau for row in rows], np.float64),
        centre=np.array([row.centre or (0.0,) * dimensions for row in rows], np.float64).reshape(len(rows), dimensions),
        r2=np.array([row.r2 for row in rows], np.float64),
        keep_step=np.array([row.step for row in keep], np.int32),
        keep_node=np.array([row.a for row in keep], np.int32),
    )
    freeze(*table)
    return table
