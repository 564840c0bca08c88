"""An environment asked for its motion as if it had no walls: what the safety filter may know where nobody knows the map."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from navplan.execution.simulator import Simulator, body_of
from navplan.kernels.motion.discs import free_motion
from navplan.kernels.motion.stepping import SUBSTEPS
from navplan.system.arrays import Float32, Float64


def without_walls(env: Simulator) -> Simulator:
    """`env`, but its `predict` knows positions and free motion only: actions are made in full, whatever stands in the way.

    Bodies that walls stop or turn are then elsewhere than predicted, so the filter's guarantee holds away from walls only.
    """
    return cast(Simulator, _WithoutWalls(env))


class _WithoutWalls:
    """All of an environment but its prediction."""

    def __init__(self, env: Simulator) -> None:
        self._env = env

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def predict(self, actions: Float32, states: Float32 | None = None, body: Float64 | None = None) -> Float32:
        """(N, M, S, 2) float32 positions of free motion from `states` (N, M, 2) or (M, 2); None: the present ones.

        Args:
            body: states of bodies with momentum, whose braking is predicted too.
        """
        if body_of(self._env) is not None:
            ask: Any = self._env.predict
            return np.asarray(ask(actions, states, body, walls=False))
        moves = np.ascontiguousarray(actions, dtype=np.float32)
        begin = np.asarray(self._env.states if states is None else states, dtype=np.float32)
        positions = np.empty((*moves.shape[:2], 2 * SUBSTEPS, 2), dtype=np.float32)
        free_motion(np.ascontiguousarray(np.broadcast_to(begin, moves.shape)), moves, positions)
        return positions
