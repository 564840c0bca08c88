"""Cheapest and fastest motion of one agent on a known map: a search over a fine lattice, then a polish of what it found.

Moves are those of the environment: one step is any action within [-1, 1] per axis, its cost the largest hazard on the way.
A lattice has `reach` points to a cell; a move to the point (dr, dc) further is number (dr + reach) * side + dc + reach of its
point's row in the table of costs, with side = 2 * reach + 1.

Tested through tests/scenarios/problems/test_oracle.py.
"""

from __future__ import annotations

import math

import numpy as np

from navplan.kernels.common.fill import fill
from navplan.kernels.common.heap import pop_key, push_key
from navplan.kernels.common.jit import inner, kernel
from navplan.kernels.motion.stepping import step_all

NO_MOVE = 65535
"""Stands in a table of costs where the environment would not make the move in a straight line."""

COST_UNIT = 1.0 / 16384.0
"""Table entries are multiples of this; costs up to 3.99 fit."""

NO_WAY, HEAP_FULL = -1, -2

_HALVINGS = 6.0
# Shifts that leave the end in place may bring it so far from its nearest: a few roundings of float32.
_DRIFT = 1e-4


@kernel
def search(
    costs, width, reach, seeds, seed_costs, targets, node_cells, ahead, cost_weight, step_weight, best, parents, keys, items
):
    """Least ``cost_weight * cost + step_weight * steps`` from an agent's first steps to one of the lattice points in `targets`.

    A* with a bound on the steps still to go, which never falls by more than one in a step.

    Args:
        costs: (N, side * side) uint16 in COST_UNITs, NO_MOVE where there is none.
        width: lattice points in a row.
        reach: lattice points to a cell.
        seeds, seed_costs: (S,) int32 lattice points after a first step, float64 costs of that step.
        targets: (N,) bool.
        node_cells: (N,) int32 cell of each lattice point.
        ahead: (cells,) int32 least number of steps from a cell to the targets, negative where there is no way.
        cost_weight, step_weight: float64, not negative.
        best: (N,) float64 workspace.
        parents: (N,) int32, filled for what was reached: the point before, -1 for the start.
        keys, items: the heap's float64 and int32.

    Returns:
        The target reached, NO_WAY, or HEAP_FULL.
    """
    fill(best, 0, best.size, np.inf)
    side = 2 * reach + 1
    size = 0
    for k in range(len(seeds)):
        node = seeds[k]
        bound = ahead[node_cells[node]]
        value = cost_weight * seed_costs[k] + step_weight
        if bound >= 0 and value < best[node]:
            best[node] = value
            parents[node] = -1
            size = push_key(keys, items, size, value + step_weight * bound, node)
    unit = cost_weight * COST_UNIT
    while size > 0:
        node, key = items[0], keys[0]
        size = pop_key(keys, items, size)
        value = best[node] + step_weight
        if key > best[node] + step_weight * ahead[node_cells[node]] + 1e-9:
            continue
        if targets[node]:
            return node
        if size + side * side >= len(keys):
            return HEAP_FULL
        for i in range(side):
            first = node + (i - reach) * width - reach
            row = i * side
            for j in range(side):
                move = costs[node, row + j]
                if move == NO_MOVE:
                    continue
                to = first + j
                candidate = value + unit * move
                if candidate < best[to]:
                    bound = ahead[node_cells[to]]
                    if bound >= 0:
                        best[to] = candidate
                        parents[to] = node
                        size = push_key(keys, items, size, candidate + step_weight * bound, to)
    return NO_WAY


@kernel
def follow(geometry, points, straight, grid, positions, actions, costs, moves):
    """Actions that pass through some points, or as near as they get, each from where the one before really ended.

    Args:
        geometry: scenarios.geometry.Geometry.
        points: (K, 2) float32.
        straight: True: stop where an obstacle hinders an action. False: take the action of `grid` that ends nearest to the point.
        grid: (G, 2) float32 actions.
        positions: (K + 1, 2) float32, the first of them given, the others filled.
        actions: (K, 2) float32, filled.
        costs: (K,) float32, filled.
        moves: workspace of single moves: the arrays of `step_all` for one environment and one agent, (states, actions,
            traces, next_states, cost, reached, contacts, bumps).

    Returns:
        False where it stopped.
    """
    for k in range(len(points)):
        for axis in range(2):
            actions[k, axis] = min(np.float32(1.0), max(np.float32(-1.0), points[k, axis] - positions[k, axis]))
        if _move(geometry, positions, actions, costs, k, moves):
            continue
        if straight:
            return False
        row, col = actions[k, 0], actions[k, 1]
        least = _gap(positions, k + 1, points[k])
        for n in range(len(grid)):
            actions[k, 0], actions[k, 1] = grid[n, 0], grid[n, 1]
            _move(geometry, positions, actions, costs, k, moves)
            gap = _gap(positions, k + 1, points[k])
            if gap < least:
                row, col, least = grid[n, 0], grid[n, 1], gap
        actions[k, 0], actions[k, 1] = row, col
        _move(geometry, positions, actions, costs, k, moves)
    return True


@inner
def _move(geometry, positions, actions, costs, k, moves):
    """Make action k from position k: fills position k + 1 and cost k; False where an obstacle hindered it."""
    states, action, traces, after, cost, reached, contacts, rejected = moves
    states[0, 0, 0], states[0, 0, 1] = positions[k, 0], positions[k, 1]
    action[0, 0, 0], action[0, 0, 1] = actions[k, 0], actions[k, 1]
    step_all(geometry, states, action, states, 0.0, 0.0, traces, after, cost, reached, contacts, rejected)
    positions[k + 1, 0], positions[k + 1, 1] = after[0, 0, 0], after[0, 0, 1]
    costs[k] = cost[0, 0]
    return rejected[0, 0] == 0


@inner
def _gap(positions, k, goal):
    row = float(positions[k, 0]) - float(goal[0])
    col = float(positions[k, 1]) - float(goal[1])
    return math.sqrt(row * row + col * col)


@inner
def _draw(state):
    """Next number in [0, 1) of a splitmix64 stream; `state` is (1,) uint64."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * 2.0**-53


@kernel
def polish(geometry, goal, tolerance, nearer, trials, scale, seed, positions, actions, costs, spare, moves):
    """Improve a sequence of actions by shifting runs of its positions at random, keeping what is better.

    Two actions change by opposite amounts, so all positions between them move alike; or one action changes, and all that
    follow it move. Every trial is made in the environment from the first changed action to the last step; where an obstacle
    hinders an action, what the environment makes of it counts.

    Args:
        goal: (2,) float32.
        tolerance: float64; an end nearer than this has arrived.
        nearer: True: bring the end nearer to the goal, until it has arrived, wandering sideways on the way. False: lower the
            sum of costs, staying arrived.
        trials: how many shifts to try.
        scale: largest shift, cells; trials halve it at random, up to `_HALVINGS` times.
        seed: (1,) uint64 state of the random numbers.
        positions, actions, costs: (K + 1, 2), (K, 2) float32 and (K,) float32, improved in place.
        spare: the same three again, workspace.
        moves: as in `follow`.

    Returns:
        True where the end has arrived.
    """
    new_positions, new_actions, new_costs = spare
    steps = len(actions)
    gap = _gap(positions, steps, goal)
    limit = gap + _DRIFT
    for _ in range(trials):
        if nearer and gap < tolerance:
            break
        first = int(_draw(seed) * steps)
        # Half of the runs of any length, half mostly short, which are cheap to try; `steps`: the end moves too.
        length = 1.0 + _draw(seed) * (steps - first)
        if _draw(seed) < 0.5:
            length = length ** _draw(seed)
        last = min(first + int(length), steps)
        size = scale * 0.5 ** int(_draw(seed) * (_HALVINGS + 1.0))
        if nearer and _draw(seed) < 0.5:
            last = steps
        until = min(last + 1, steps)
        before = np.inf if nearer else _total(costs, first, until)
        if before == 0.0 or not _shift(actions, new_actions, first, last, steps, size, seed):
            continue
        new_positions[first, 0], new_positions[first, 1] = positions[first, 0], positions[first, 1]
        after = 0.0
        for k in range(first, until):
            _move(geometry, new_positions, new_actions, new_costs, k, moves)
            after += float(new_costs[k])
            if after >= before:
                break
        if after >= before:
            continue
        # What follows is shifted back but for rounding and slides, so it is made only where the rest is better.
        for k in range(until, steps):
            new_actions[k, 0], new_actions[k, 1] = actions[k, 0], actions[k, 1]
            _move(geometry, new_positions, new_actions, new_costs, k, moves)
        new_gap = _gap(new_positions, steps, goal)
        if nearer:
            better = new_gap < (gap if last == steps else limit)
        else:
            better = new_gap < tolerance and _total(new_costs, first, steps) < _total(costs, first, steps)
        if better:
            gap = new_gap
            limit = min(limit, gap + _DRIFT)
            for k in range(first, steps):
                positions[k + 1, 0], positions[k + 1, 1] = new_positions[k + 1, 0], new_positions[k + 1, 1]
                actions[k, 0], actions[k, 1] = new_actions[k, 0], new_actions[k, 1]
                costs[k] = new_costs[k]
    return gap < tolerance


@inner
def _shift(actions, new_actions, first, last, steps, size, seed):
    """Copy the actions first..last with the first one changed at random and the last, below `steps`, against it.

    Returns whether anything has changed.
    """
    moved = False
    for k in range(first, min(last + 1, steps)):
        new_actions[k, 0], new_actions[k, 1] = actions[k, 0], actions[k, 1]
    for axis in range(2):
        shift = size * (2.0 * _draw(seed) - 1.0)
        at = float(actions[first, axis])
        shift = min(1.0 - at, max(-1.0 - at, shift))
        if last < steps:
            at = float(actions[last, axis])
            shift = max(at - 1.0, min(at + 1.0, shift))
            new_actions[last, axis] = np.float32(at - shift)
        new_actions[first, axis] = np.float32(float(actions[first, axis]) + shift)
        moved = moved or new_actions[first, axis] != actions[first, axis]
    return moved


@inner
def _total(costs, first, until):
    total = 0.0
    for k in range(first, until):
        total += float(costs[k])
    return total
