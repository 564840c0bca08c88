"""The plan's order of passage, kept on pieces of motion however unevenly agents move.

A plan fixes who passes where before whom; clocks do not survive contact with a learned policy. So each time step of the plan
is cut into equal pieces, the same for all agents, and an agent may enter a piece only once the others have left every earlier
piece that conflicts with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from navplan.errors import InvalidInput
from navplan.kernels.motion.passage import Passage, chebyshev_pieces, fill_needs, find_frontier
from navplan.plan.plan import Plan
from navplan.system.arrays import Float64, Int32


@dataclass(frozen=True, eq=False)
class PassageOrder:
    """Who waits for whom, on pieces of at most `piece_length` environment steps.

    Time step t of the plan is cut into ``K_t = ceil(longest edge taken in t / piece_length)`` equal pieces, numbered through
    the whole plan; agent i's piece k is its planned straight motion in that slice of time. **Rule:** i enters piece k only when
    every other agent has left each of its pieces l <= k - `lag` that comes closer than `clearance` to i's piece k.

    **The order cannot deadlock.** Let p_i be agent i's progress: pieces left behind, fractions included. Say that i is held by
    j when i has come to the end of piece k - 1 (p_i = k) and the rule refuses it piece k because j has not left some
    l <= k - lag, that is p_j < l + 1. Then ``p_j < k - lag + 1 <= k = p_i``: every dependency points from a larger progress to
    a strictly smaller one, so "held by" has no cycle, whatever the policies do, and the agent with the least progress is held
    by nobody. It can move on; the sum of the progresses, which never fall, grows until all have arrived. Agents that have
    arrived have left all their pieces and hold nobody. With lag = 2 there is more: if p_i is least and lies in (k - 1, k],
    then ``p_j < k - 1 < p_i`` is impossible, so that agent has a whole free piece ahead of it, not only the rest of its own.

    Attributes:
        nodes: (A, T + 1, 2) float64 planned state per time step; the goal is repeated after the arrival.
        arrival: (A,) int32 time step of the last arrival.
        offsets: (T + 1,) int32 first piece of each time step.
        needs: (A, K, A) int32; i may enter piece k when every j's progress is at least needs[i, k, j].
        clearance, piece_length, lag: as above; cells, environment steps, pieces.
    """

    nodes: Float64
    arrival: Int32
    offsets: Int32
    needs: Int32
    clearance: float
    piece_length: float
    lag: int

    @classmethod
    def from_plan(
        cls,
        plan: Plan,
        *,
        clearance: float,
        piece_length: float = 0.5,
        lag: int = 2,
        durations: Sequence[ArrayLike] | None = None,
    ) -> PassageOrder:
        """The order that `plan` implies.

        Args:
            plan: a plan with paths; two coordinates per state.
            clearance: pieces closer than this, in cells, are ordered.
            piece_length: longest piece in environment steps, 0 < piece_length <= 1.
            lag: how many pieces apart two conflicting pieces must be planned for their order to matter; 1 or 2.
            durations: per agent, (T_i - 1,) learned distance of each edge taken, in environment steps; waits count 0. Without
                them an edge lasts its longest axis, the least any agent needs.

        Raises:
            InvalidInput: the plan has no paths, or an argument is out of range.
        """
        if not plan.paths:
            raise InvalidInput(f"the plan is {plan.status} and has no paths; only a solved plan can be executed")
        if not 0 < piece_length <= 1:
            raise InvalidInput(f"piece_length is {piece_length}, expected 0 < piece_length <= 1 environment step")
        if lag not in (1, 2):
            raise InvalidInput(f"lag is {lag}, expected 1 or 2 pieces")
        agents, horizon = len(plan.paths), max(len(path) for path in plan.paths) - 1
        arrival = np.array([len(path) - 1 for path in plan.paths], dtype=np.int32)
        nodes = np.empty((agents, horizon + 1, 2))
        lasting = np.zeros((agents, horizon))
        for i, states in enumerate(plan.coordinates):
            if states.shape[1] != 2:
                raise InvalidInput(f"agent {i}: states have {states.shape[1]} coordinates, execution needs 2 (row, col)")
            nodes[i, : len(states)] = states
            nodes[i, len(states) :] = states[-1]
            if durations is not None:
                lasting[i, : arrival[i]] = np.asarray(durations[i], dtype=np.float64)
        offsets = np.zeros(horizon + 1, dtype=np.int32)
        chebyshev_pieces(nodes, arrival, lasting, float(piece_length), offsets)
        needs = np.zeros((agents, int(offsets[-1]), agents), dtype=np.int32)
        fill_needs(Passage(nodes, arrival, offsets, needs), float(clearance), lag)
        return cls(nodes, arrival, offsets, needs, float(clearance), float(piece_length), lag)

    @property
    def arrays(self) -> Passage:
        """The arrays as kernels take them."""
        return Passage(self.nodes, self.arrival, self.offsets, self.needs)

    @property
    def ends(self) -> Int32:
        """(A,) progress of each agent at its last arrival."""
        return self.offsets[self.arrival]

    def frontier(self, progress: Float64) -> Int32:
        """(A,) int32: the progress up to which each agent may go now.

        Args:
            progress: (A,) float64 pieces left behind by each agent, fractions included.
        """
        out = np.zeros(len(self.arrival), dtype=np.int32)
        find_frontier(self.arrays, np.ascontiguousarray(progress, dtype=np.float64), out)
        return out
