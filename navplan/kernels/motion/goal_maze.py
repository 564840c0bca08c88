"""Bodies in mazes of square cells: a point that is moved, and a car that is driven; walls push a disc out.

Lengths are in the maze's own units: the centre of cell (i, j) lies at x = 4 j - 4, y = 4 i - 4. The point moves as OGBench's does
(`ogbench/locomaze`, github.com/seohongpark/ogbench) but for its physics: there a contact takes some simulator steps to push the
body out, here it takes none.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navplan.kernels.common.jit import inner, kernel

UNIT = 4.0
"""Side of a cell."""
RADIUS = 0.7
"""Of both bodies."""
STEP = 0.2
"""What an action of 1 moves the point along its axis, and the largest speed of the car."""
REVERSE = -0.08
"""Least speed of the car."""
THROTTLE = 0.03
"""What an action of 1 adds to the car's speed."""
STEERING = 0.15
"""What an action of 1 turns the car by at full speed, radians."""

POINT, CAR = 0, 1

# The car's driver: it backs out where its place lies farther round than the first angle, until it does not beyond the second.
_BEHIND, _ASIDE = 2.2, 1.2


class MazeGround(NamedTuple):
    """A maze.

    walls (H, W) bool, closed all round; into (I, 2), out (O, 2) float64 (x, y) of teleporters; reach: who comes that near to one
    of `into` is put on one of `out`.
    """

    walls: np.ndarray
    into: np.ndarray
    out: np.ndarray
    reach: float


@inner
def cell_of(place):
    """Number of the row or column of cells that a coordinate is in."""
    return int((place + 1.5 * UNIT) / UNIT)


@inner
def centre_of(cell):
    """Coordinate of the middle of a row or column of cells."""
    return cell * UNIT - UNIT


@inner
def pushed_out(walls, x, y):
    """The nearest place where a disc about (x, y), in a free cell, meets no wall; whether it has met one.

    The walls beside the cell keep the disc from its sides; where both cells beside a corner are free, that corner may be one of a
    wall.
    """
    i, j = cell_of(y), cell_of(x)
    middle_x, middle_y = centre_of(j), centre_of(i)
    room = 0.5 * UNIT - RADIUS
    along, across = x - middle_x, y - middle_y
    met = False
    right, down = (1 if along > 0.0 else -1), (1 if across > 0.0 else -1)
    beside, below = walls[i, j + right], walls[i + down, j]
    if beside and right * along > room:
        along, met = right * room, True
    if below and down * across > room:
        across, met = down * room, True
    if walls[i + down, j + right] and not beside and not below:
        gap_x, gap_y = along - right * 0.5 * UNIT, across - down * 0.5 * UNIT
        gap = math.sqrt(gap_x * gap_x + gap_y * gap_y)
        if gap < RADIUS:
            # A body never comes so near to a corner in one step that there is no direction away from it.
            scale = RADIUS / max(gap, 1e-9)
            along, across, met = right * 0.5 * UNIT + gap_x * scale, down * 0.5 * UNIT + gap_y * scale, True
    return middle_x + along, middle_y + across, met


@inner
def unit_clip(action):
    """Within [-1, 1]."""
    return min(max(action, -1.0), 1.0)


@inner
def move(walls, body, state, first, second):
    """Make one step: `state` (4,) is x, y, heading, speed; a point has the first two."""
    if body == POINT:
        state[0], state[1], _ = pushed_out(walls, state[0] + STEP * unit_clip(first), state[1] + STEP * unit_clip(second))
        return
    speed = min(max(state[3] + THROTTLE * unit_clip(first), REVERSE), STEP)
    heading = state[2] + STEERING * unit_clip(second) * (speed / STEP)
    state[2] = heading - 2.0 * math.pi * math.floor((heading + math.pi) / (2.0 * math.pi))
    state[0], state[1], met = pushed_out(walls, state[0] + speed * math.cos(heading), state[1] + speed * math.sin(heading))
    state[3] = 0.5 * speed if met else speed


@inner
def teleported(ground, state, draw):
    """Put a body that stands in a teleporter on one of those it leads to; `draw` in [0, 1) says which."""
    for k in range(len(ground.into)):
        gap_x, gap_y = state[0] - ground.into[k, 0], state[1] - ground.into[k, 1]
        if gap_x * gap_x + gap_y * gap_y <= ground.reach * ground.reach:
            to = int(draw * len(ground.out))
            state[0], state[1] = ground.out[to, 0], ground.out[to, 1]
            return


@inner
def near(state, x, y, tolerance):
    """Whether a body is no farther than that from a place."""
    gap_x, gap_y = state[0] - x, state[1] - y
    return gap_x * gap_x + gap_y * gap_y <= tolerance * tolerance


@inner
def show(body, state, seen):
    """Write what is seen of a state: (2,) the place, or (5,) with the heading's cosine and sine, and the speed."""
    seen[0], seen[1] = state[0], state[1]
    if body == CAR:
        seen[2], seen[3], seen[4] = math.cos(state[2]), math.sin(state[2]), state[3]


@inner
def head_for(body, state, x, y):
    """What a body does to come straight to a place: both parts of the action, not clipped."""
    gap_x, gap_y = x - state[0], y - state[1]
    gap = math.sqrt(gap_x * gap_x + gap_y * gap_y)
    if body == POINT:
        return gap_x / (gap + 1e-6), gap_y / (gap + 1e-6)
    bearing = math.atan2(gap_y, gap_x) - state[2]
    bearing -= 2.0 * math.pi * math.floor((bearing + math.pi) / (2.0 * math.pi))
    # Backwards, the wheels turn the car the other way.
    turn = 2.0 * bearing if state[3] >= 0.0 else -2.0 * bearing
    if abs(bearing) > (_ASIDE if state[3] < 0.0 else _BEHIND):
        return (REVERSE - state[3]) / THROTTLE, turn
    wished = STEP * max(0.2, math.cos(bearing)) * min(1.0, gap)
    return (wished - state[3]) / THROTTLE, turn


@inner
def next_place(toward, width, state, goal_x, goal_y, to_goal):
    """Middle of the cell to go to next; in the goal's own cell that one's, or with `to_goal` the goal."""
    cell = cell_of(state[1]) * width + cell_of(state[0])
    goal = cell_of(goal_y) * width + cell_of(goal_x)
    if to_goal and cell == goal:
        return goal_x, goal_y
    to = toward[cell, goal]
    return centre_of(to % width), centre_of(to // width)


@kernel
def step_bodies(ground, body, states, actions, goals, tolerance, draws, reached, seen):
    """Move all bodies that have not reached their goals.

    What is seen of a body that a teleporter moves is where it stood in it.

    Args:
        ground: MazeGround.
        body: POINT or CAR.
        states: (B, 4) float64, see `move`; changed.
        actions: (B, 2) float32.
        goals: (B, 2) float64 places.
        tolerance: no farther than this from the goal is there.
        draws: (B,) float64 in [0, 1), which way a teleporter leads.
        reached: (B,) bool, changed.
        seen: (B, 2 or 5) float32, changed.

    Returns:
        The first body whose action is not finite, then nothing has moved; -1: all have.
    """
    for b in range(len(states)):
        if not (math.isfinite(actions[b, 0]) and math.isfinite(actions[b, 1])):
            return b
    for b in range(len(states)):
        if reached[b]:
            continue
        state = states[b]
        move(ground.walls, body, state, float(actions[b, 0]), float(actions[b, 1]))
        reached[b] = near(state, goals[b, 0], goals[b, 1], tolerance)
        show(body, state, seen[b])
        teleported(ground, state, draws[b])
    return -1


@kernel
def show_all(body, states, seen):
    """Fill `seen` (B, 2 or 5) float32 with what is seen of `states` (B, 4) float64."""
    for b in range(len(states)):
        show(body, states[b], seen[b])


@kernel
def head_all(body, states, places, actions):
    """Fill `actions` (B, 2) float32 with those that lead straight to `places` (B, 2) float64, walls or not."""
    for b in range(len(states)):
        first, second = head_for(body, states[b], places[b, 0], places[b, 1])
        actions[b, 0], actions[b, 1] = unit_clip(first), unit_clip(second)


@kernel
def next_places(toward, width, states, goals, places):
    """Fill `places` (B, 2) float64 with where to go next on a shortest way to `goals` (B, 2) float64: see `next_place`."""
    for b in range(len(states)):
        places[b, 0], places[b, 1] = next_place(toward, width, states[b], goals[b, 0], goals[b, 1], True)


@kernel
def log_driving(ground, toward, body, states, goals, fresh, tolerance, free, noise, draws, observations, actions):
    """Drive every body for as many steps as there is noise, towards its goal and then towards others.

    Args:
        ground, body, tolerance: as `step_bodies`.
        toward: (H W, H W) int32, the cell to go to next from one towards another.
        states: (E, 4) float64, changed.
        goals: (E, 2) float64, changed.
        fresh: (V, 2) float64, places one of which is the next goal when one is reached, up to 1 off along each axis; none: the
            bodies stay at theirs.
        free: (E,) bool, these do what the noise says, and nothing else.
        noise: (E, T, 2) float32, added to the actions.
        draws: (E, T, 4) float32 in [0, 1), which goal comes next, how far off, and which way a teleporter leads.
        observations: (E, T, 2 or 5), actions: (E, T, 2) float32, filled: what is seen before each action, and it.
    """
    width = ground.walls.shape[1]
    for e in range(len(states)):
        state = states[e]
        show(body, state, observations[e, 0])
        for t in range(noise.shape[1]):
            first, second = 0.0, 0.0
            if not free[e]:
                x, y = next_place(toward, width, state, goals[e, 0], goals[e, 1], body == CAR)
                first, second = head_for(body, state, x, y)
            actions[e, t, 0] = unit_clip(unit_clip(first) + noise[e, t, 0])
            actions[e, t, 1] = unit_clip(unit_clip(second) + noise[e, t, 1])
            move(ground.walls, body, state, float(actions[e, t, 0]), float(actions[e, t, 1]))
            if t + 1 < noise.shape[1]:
                show(body, state, observations[e, t + 1])
            there = near(state, goals[e, 0], goals[e, 1], tolerance)
            teleported(ground, state, draws[e, t, 3])
            if there and len(fresh) > 0:
                to = int(draws[e, t, 0] * len(fresh))
                goals[e, 0] = fresh[to, 0] + 2.0 * draws[e, t, 1] - 1.0
                goals[e, 1] = fresh[to, 1] + 2.0 * draws[e, t, 2] - 1.0


@kernel
def autoregress(noise, keep):
    """Make white noise (E, T, N) float32, in place, noise of the same deviation of which a share `keep` is left after a step."""
    new = math.sqrt(1.0 - keep * keep)
    for e in range(noise.shape[0]):
        for t in range(1, noise.shape[1]):
            for n in range(noise.shape[2]):
                noise[e, t, n] = keep * noise[e, t - 1, n] + new * noise[e, t, n]


@kernel
def scramble(weights, shifts, rotation, places, noise, seen):
    """Fill `seen` (B, C + N) float32: sines of places (B, 2) by `weights` (2, C) and `shifts` (C,), and noise (B, N), rotated.

    Written out, so that no library's threads take part: the same numbers whatever the machine.
    """
    codes = len(shifts)
    mixed = np.empty(len(rotation))
    for b in range(len(places)):
        for k in range(len(rotation)):
            mixed[k] = 0.0
        for c in range(len(rotation)):
            if c < codes:
                value = math.sin(places[b, 0] * weights[0, c] + places[b, 1] * weights[1, c] + shifts[c])
            else:
                value = float(noise[b, c - codes])
            for k in range(len(rotation)):
                mixed[k] += value * rotation[c, k]
        for k in range(len(rotation)):
            seen[b, k] = mixed[k]
