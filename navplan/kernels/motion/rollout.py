"""One environment led by an actor's small network, many steps in a call: what training with a single environment waits for.

Tested through tests/learned/recipes/paper/test_collect.py.
"""

from __future__ import annotations

import math

import numpy as np

from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.motion.stepping import step_all

_ZERO = np.float32(0.0)
_ONE = np.float32(1.0)


@kernel
def rollout(
    geometry, layers, scale, state, goal, noise, uniform, tolerance, traces, states, actions, costs, reached, hidden, scratch
):
    """Step until the goal is reached or the noise is used up.

    Args:
        geometry: scenarios.geometry.Geometry.
        layers: (w1, b1, w2, b2, w3, b3) float32, weights (inputs, outputs): 4 -> H -> H -> 2, ReLU, ReLU, tanh.
        scale: (4,) float32; state and goal are multiplied by it before they enter.
        state: (1, 1, 2) float32, where to start; changed to where it ended.
        goal: (1, 1, 2) float32.
        noise: (N, 2) float32, added to the actor's moves, which are then clipped to [-1, 1].
        uniform: use the noise as moves, the actor is not asked.
        tolerance: nearer than this to the goal is there, float64.
        traces: (2, 1, 11) float32 workspace of the step.
        states: (N, 2), actions: (N, 2), costs: (N,) float32, filled: after each step, the move, its hazard cost.
        reached: (N,) bool, filled.
        hidden: (2, H) float32, scratch: (2,) float32 workspaces.

    Returns:
        Steps made, at least 1; only the last can have reached the goal. -1: an action was not finite.
    """
    move = np.empty((1, 1, 2), np.float32)
    after = np.empty((1, 1, 2), np.float32)
    cost = np.empty((1, 1), np.float32)
    there = np.empty((1, 1), np.bool_)
    contacts = np.zeros((1, 1, 1), np.bool_)
    walls = np.empty((1, 1), np.int32)
    for n in range(len(noise)):
        if uniform:
            scratch[0] = _ZERO
            scratch[1] = _ZERO
        else:
            act(layers, scale, state[0, 0], goal[0, 0], hidden, scratch)
        for axis in range(2):
            move[0, 0, axis] = min(max(scratch[axis] + noise[n, axis], -_ONE), _ONE)
            actions[n, axis] = move[0, 0, axis]
        if step_all(geometry, state, move, goal, 0.0, tolerance, traces, after, cost, there, contacts, walls) >= 0:
            return -1
        state[0, 0, 0] = after[0, 0, 0]
        state[0, 0, 1] = after[0, 0, 1]
        states[n, 0] = after[0, 0, 0]
        states[n, 1] = after[0, 0, 1]
        costs[n] = cost[0, 0]
        reached[n] = there[0, 0]
        if there[0, 0]:
            return n + 1
    return len(noise)


@inner
def act(layers, scale, state, goal, hidden, out):
    """The actor's move into `out`."""
    w1, b1, w2, b2, w3, b3 = layers
    first, second = hidden[0], hidden[1]
    width = len(b1)
    for j in range(width):
        first[j] = max(
            b1[j]
            + w1[0, j] * (scale[0] * state[0])
            + w1[1, j] * (scale[1] * state[1])
            + w1[2, j] * (scale[2] * goal[0])
            + w1[3, j] * (scale[3] * goal[1]),
            _ZERO,
        )
        second[j] = b2[j]
    for i in range(width):
        value = first[i]
        if value > _ZERO:  # about half of them
            for j in range(width):
                second[j] += value * w2[i, j]
    left, right = b3[0], b3[1]
    for j in range(width):
        value = max(second[j], _ZERO)
        left += value * w3[j, 0]
        right += value * w3[j, 1]
    out[0] = np.float32(math.tanh(left))
    out[1] = np.float32(math.tanh(right))
