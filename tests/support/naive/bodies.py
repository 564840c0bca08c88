"""Discs swept past obstacles and past one another, by shapely and dense arithmetic: the oracle for walls and clearance."""

from __future__ import annotations

import itertools

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon, box

from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.scenarios.worlds.world import World

ROUNDING = 1e-6


def obstacles_of(world: World) -> shapely.Geometry:
    """Everything that is not free, as one geometry: obstacles, and a wide frame around the box."""
    if world.walls is not None:
        parts = [box(i, j, i + 1, j + 1) for i, j in np.argwhere(world.walls).tolist()]
    else:
        parts = list(world.polygons)
    far = 50.0 + world.height + world.width
    outside = Polygon(box(-far, -far, far, far).exterior, [box(0, 0, world.height, world.width).exterior])
    return shapely.union_all([*parts, outside])


def wall_steps(plan: Plan, problem: Problem, world: World) -> set[tuple[int, int]]:
    """(agent, step) at which a body overlaps an obstacle or leaves the box, the rest at a goal of one entry included."""
    solid = obstacles_of(world)
    inner = solid.buffer(-ROUNDING)
    shapely.prepare(inner)
    found = set()
    for agent, path in enumerate(plan.paths):
        points = problem.graph.places[path]
        ways = list(itertools.pairwise(points)) or [(points[0], points[0])]
        for step, (tail, head) in enumerate(ways):
            way = Point(tail) if np.array_equal(tail, head) else LineString([tail, head])
            if shapely.distance(way, solid) < problem.radii[agent] - ROUNDING or inner.intersects(way):
                found.add((agent, step))
    return found


def close_pairs(plan: Plan, problem: Problem, clearance: float) -> set[tuple[int, int, int]]:
    """(agent, agent, step) of simultaneous straight moves that come closer than the clearance, by the difference of motions."""
    if clearance == 0:
        return set()
    last = max(1, max(len(path) for path in plan.paths) - 1)
    found = set()
    places = problem.graph.places
    for step in range(last):
        ends = [[places[path[min(t, len(path) - 1)]] for path in plan.paths] for t in (step, step + 1)]
        for i in range(len(plan.paths)):
            for j in range(i + 1, len(plan.paths)):
                apart = [ends[t][j] - ends[t][i] for t in (0, 1)]
                way = Point(apart[0]) if np.array_equal(*apart) else LineString(apart)
                if way.distance(Point(0, 0)) < clearance - ROUNDING:
                    found.add((i, j, step))
    return found
