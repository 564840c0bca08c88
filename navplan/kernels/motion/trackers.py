"""How bodies follow a wish: one sub-step of a unicycle, a car, a double integrator, a quadrotor.

A wish is the displacement wanted in one environment step, so it is also a velocity in cells per step. A tracker turns the body's
velocity towards it, within the body's limits, and never asks where walls are. A wish of exactly 0 is a command to brake: speed
comes to 0 in finite time, exactly, and the body then stays where it is for good.

States are four float64 numbers: unicycle (heading, speed, turning rate, 0), car (heading, speed, curvature, gear), double
integrator (velocity, velocity, 0, 0), quadrotor (velocity, velocity, acceleration, acceleration), point 0. A heading is measured
from the direction of growing rows towards that of growing columns.
"""

from __future__ import annotations

import math

from navplan.kernels.common.jit import inner, kernel

POINT, UNICYCLE, CAR, DOUBLE_INTEGRATOR, QUAD = 0, 1, 2, 3, 4
# Columns of a body's limits.
SPEED, ACCEL, TURN, TURN_ACCEL, LAG = 0, 1, 2, 3, 4
SUBSTEP = 0.1

# A braking quadrotor slower than this, in cells per step, whose acceleration is less than five times as much, rests.
_REST = 0.02
# Radians off the nose beyond which a car backs up, off which it goes on forwards, and beyond which it drives tail first.
_BACK, _AHEAD, _TAIL_FIRST = 1.3, 0.6, 2.2
_STEERING = 2.5
_TURNING = 4.0
# Share of its speed that a car keeps in the sharpest turn.
_SLOWEST = 0.3


@inner
def wrap(angle):
    """The angle within [-pi, pi]."""
    if angle >= -math.pi and angle < math.pi:
        return angle
    return angle - 2.0 * math.pi * math.floor((angle + math.pi) / (2.0 * math.pi))


@inner
def bounded(value, most):
    """`value` within [-most, most]."""
    return min(most, max(-most, value))


@inner
def direction(kind, row, col):
    """Where the wish (row, col) points for a body with a heading, radians: asked for once, for all sub-steps of a step."""
    return math.atan2(col, row) if kind == UNICYCLE or kind == CAR else 0.0


@inner
def advance(kind, limits, state, row, col, towards):
    """Change the state of a body that is no point by one sub-step; returns its displacement.

    Args:
        row, col: the wish, in the `direction` `towards`.
    """
    if kind == DOUBLE_INTEGRATOR or kind == QUAD:
        _thrust(kind, limits, state, row, col)
        return state[0] * SUBSTEP, state[1] * SUBSTEP
    wish = min(math.sqrt(row * row + col * col), limits[SPEED])
    bearing = wrap(towards - state[0]) if wish > 0.0 else 0.0
    if kind == UNICYCLE:
        _pivot(limits, state, wish, bearing)
    else:
        _steer(limits, state, wish, bearing)
    return math.cos(state[0]) * state[1] * SUBSTEP, math.sin(state[0]) * state[1] * SUBSTEP


@inner
def _thrust(kind, limits, state, row, col):
    """Change the velocity of a body that accelerates in any direction."""
    speed, accel = limits[SPEED], limits[ACCEL]
    wish = math.sqrt(row * row + col * col)
    if wish > speed:
        row, col = row * speed / wish, col * speed / wish
    gap_row, gap_col = row - state[0], col - state[1]
    if kind == DOUBLE_INTEGRATOR:
        gap, most = math.sqrt(gap_row * gap_row + gap_col * gap_col), accel * SUBSTEP
        if gap > most:
            row, col = state[0] + gap_row * most / gap, state[1] + gap_col * most / gap
        state[0], state[1] = row, col
        return
    # The acceleration follows what is asked for with a lag; four times the lag makes the whole critically damped.
    settle = max(4.0 * limits[LAG], 2.0 * SUBSTEP)
    ask_row, ask_col = gap_row / settle, gap_col / settle
    ask = math.sqrt(ask_row * ask_row + ask_col * ask_col)
    if ask > accel:
        ask_row, ask_col = ask_row * accel / ask, ask_col * accel / ask
    share = min(1.0, SUBSTEP / limits[LAG]) if limits[LAG] > 0.0 else 1.0
    state[2] += share * (ask_row - state[2])
    state[3] += share * (ask_col - state[3])
    row, col = state[0] + state[2] * SUBSTEP, state[1] + state[3] * SUBSTEP
    moving = math.sqrt(row * row + col * col)
    if moving > speed:
        row, col = row * speed / moving, col * speed / moving
    if wish == 0.0 and moving < _REST and math.sqrt(state[2] * state[2] + state[3] * state[3]) < 5.0 * _REST:
        row, col, state[2], state[3] = 0.0, 0.0, 0.0, 0.0
    state[0], state[1] = row, col


@inner
def _pivot(limits, state, wish, bearing):
    """Change heading, speed and turning rate of a unicycle: it turns towards the wish and drives as far as it faces it."""
    facing = max(0.0, math.cos(bearing))
    state[1] += bounded(wish * facing * facing - state[1], limits[ACCEL] * SUBSTEP)
    turn = bounded(_TURNING * bearing, limits[TURN]) if wish > 0.0 else 0.0
    state[2] += bounded(turn - state[2], limits[TURN_ACCEL] * SUBSTEP)
    state[0] = wrap(state[0] + state[2] * SUBSTEP)


@inner
def _steer(limits, state, wish, bearing):
    """Change heading, speed, curvature and gear of a car.

    What lies far to its side it cannot reach forwards: it backs up, its wheels turned so that its nose comes round, until it
    faces the wish. What lies behind it is driven to tail first.
    """
    speed, turn, off = 0.0, 0.0, abs(bearing)
    if wish > 0.0:
        if off > _BACK:
            state[3] = -1.0
        elif off < _AHEAD or state[3] == 0.0:
            state[3] = 1.0
        turn = bearing
        if state[3] < 0.0 and off > _TAIL_FIRST:
            turn = wrap(bearing + math.pi)
        speed = state[3] * wish * max(_SLOWEST, math.cos(turn))
    state[1] += bounded(speed - state[1], limits[ACCEL] * SUBSTEP)
    rolling = state[1] if state[1] != 0.0 else state[3]
    curvature = bounded(_STEERING * (turn if rolling >= 0.0 else -turn), limits[TURN])
    if wish > 0.0:
        state[2] += bounded(curvature - state[2], limits[TURN_ACCEL] * SUBSTEP)
    state[0] = wrap(state[0] + state[1] * state[2] * SUBSTEP)


@inner
def stopped(kind, limits, state, row, col, cut_row, cut_col):
    """Change the state of a body that walls let go (row, col) only in a sub-step, cut on either axis or not."""
    if kind == DOUBLE_INTEGRATOR or kind == QUAD:
        if cut_row:
            state[0], state[2] = row / SUBSTEP, 0.0
        if cut_col:
            state[1], state[3] = col / SUBSTEP, 0.0
        most = limits[SPEED]
        speed = math.sqrt(state[0] * state[0] + state[1] * state[1])
        if speed > most:
            state[0], state[1] = state[0] * most / speed, state[1] * most / speed
    else:
        # wheels do not slip sideways: what is left is what the wall lets through along the heading
        kept = (math.cos(state[0]) * row + math.sin(state[0]) * col) / SUBSTEP
        state[1] = min(max(kept, min(state[1], 0.0)), max(state[1], 0.0))


@inner
def resting(kind, state):
    """Whether a body that brakes stays where it is and turns no more."""
    if kind == POINT:
        return True
    if kind == CAR:
        return state[1] == 0.0
    if kind == UNICYCLE:
        return state[1] == 0.0 and state[2] == 0.0
    return state[0] == 0.0 and state[1] == 0.0 and state[2] == 0.0 and state[3] == 0.0


@kernel
def follow(kind, limits, state, wishes, states, steps):
    """A body in free space through one wish a sub-step.

    Args:
        state: (4,) float64, changed.
        wishes: (T, 2) float64.
        states: (T, 4) float64, filled: after each sub-step.
        steps: (T, 2) float64, filled: how far it went in each.
    """
    for k in range(len(wishes)):
        row, col = wishes[k, 0], wishes[k, 1]
        steps[k, 0], steps[k, 1] = advance(kind, limits, state, row, col, direction(kind, row, col))
        for m in range(4):
            states[k, m] = state[m]
    return 0
