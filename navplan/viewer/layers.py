"""The layers of a picture, each drawn on an oversampled surface that covers the map box."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from navplan.plan.plan import Plan
from navplan.scenarios.worlds.world import World
from navplan.system.arrays import Bool, Float64, Int64
from navplan.viewer import palette, shapes
from navplan.viewer.edges import EdgeTable
from navplan.viewer.raster import Raster
from navplan.viewer.scene import Scene
from navplan.viewer.toolkit import pygame
from navplan.viewer.view import View

LABELLED_RING = 9.0
"""Goal rings of this many pixels and more hold the agent's number, smaller ones a dot."""
TRAIL_PIECES = 3000
"""Pieces of trail drawn in all; large fleets have shorter trails."""


@dataclass(frozen=True)
class Layers:
    """Which layers are on."""

    hazard: bool = True
    graph: bool = True
    pruned: bool = True
    plan: bool = True
    trails: bool = True
    agents: bool = True
    labels: bool = True

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """All layers in drawing order."""
        return tuple(f.name for f in fields(cls))

    def toggled(self, name: str) -> Layers:
        """A copy with one layer switched."""
        return replace(self, **{name: not getattr(self, name)})


def draw_floor(surface: pygame.Surface, world: World, raster: Raster, view: View, factor: int, hazard: bool) -> None:
    """Floor, hazard field, and the cell grid where there is room."""
    surface.fill(palette.PAGE)
    pygame.draw.rect(surface, palette.FLOOR, _box(view, factor, 0.0, 0.0, world.height, world.width))
    peak = world.hazard.peak
    if hazard and peak > 0:
        colours = palette.hazard_ramp(raster.cost / peak)
        _blit_raster(surface, colours, view, factor, world, smooth=True)
    if world.is_grid and view.scale >= 9:
        _cell_grid(surface, world, view, factor)


def draw_walls(surface: pygame.Surface, world: World, view: View, factor: int) -> None:
    """Walls or polygons, over the graph: an edge that bends round a corner is drawn straight, and its chord stays hidden."""
    if world.is_grid:
        _wall_cells(surface, world, view, factor)
    else:
        _polygons(surface, world, view, factor)
    box = _box(view, factor, 0.0, 0.0, world.height, world.width)
    pygame.draw.rect(surface, palette.FRAME, box.inflate(2 * factor, 2 * factor), max(round(1.5 * factor), 1))


def _box(view: View, factor: int, row: float, col: float, height: float, width: float) -> pygame.Rect:
    (x0, y0), (x1, y1) = np.rint(view.pixels([(row, col), (row + height, col + width)], factor)).tolist()
    return pygame.Rect(int(x0), int(y0), int(x1 - x0), int(y1 - y0))


def _blit_raster(
    surface: pygame.Surface, colours: NDArray[np.uint8], view: View, factor: int, world: World, smooth: bool
) -> None:
    """Scale the part of a raster that the view shows onto the surface."""
    rows, cols = colours.shape[:2]
    per_row, per_col = rows / world.height, cols / world.width
    r0 = max(int(np.floor(view.row * per_row)) - 1, 0)
    c0 = max(int(np.floor(view.col * per_col)) - 1, 0)
    r1 = min(int(np.ceil((view.row + view.height / view.scale) * per_row)) + 1, rows)
    c1 = min(int(np.ceil((view.col + view.width / view.scale) * per_col)) + 1, cols)
    if r1 <= r0 or c1 <= c0:
        return
    part = pygame.surfarray.make_surface(np.ascontiguousarray(colours[r0:r1, c0:c1].swapaxes(0, 1)))
    box = _box(view, factor, r0 / per_row, c0 / per_col, (r1 - r0) / per_row, (c1 - c0) / per_col)
    scaler = pygame.transform.smoothscale if smooth else pygame.transform.scale
    surface.blit(scaler(part, (max(box.width, 1), max(box.height, 1))), box.topleft)


def _cell_grid(surface: pygame.Surface, world: World, view: View, factor: int) -> None:
    lines = shapes.canvas(*surface.get_size())
    paint = (*palette.WALL, 16)
    inside = _box(view, factor, 0, 0, world.height, world.width)
    for row in range(1, int(world.height)):
        y = round(float(view.pixels((row, 0), factor)[1]))
        pygame.draw.rect(lines, paint, (inside.left, y - factor // 2, inside.width, max(factor, 1)))
    for col in range(1, int(world.width)):
        x = round(float(view.pixels((0, col), factor)[0]))
        pygame.draw.rect(lines, paint, (x - factor // 2, inside.top, max(factor, 1), inside.height))
    shapes.blend(surface, lines)


def _wall_cells(surface: pygame.Surface, world: World, view: View, factor: int) -> None:
    walls = world.walls
    assert walls is not None
    if view.scale < 3:  # many cells per pixel: shade by the share of wall
        colours = np.asarray([palette.FLOOR, palette.WALL], dtype=np.uint8)[walls.astype(np.intp)]
        layer = surface.copy()
        _blit_raster(layer, colours, view, factor, world, smooth=True)
        surface.blit(layer, (0, 0), special_flags=pygame.BLEND_RGB_MIN)
        return
    for row, start, stop in wall_runs(walls):
        pygame.draw.rect(surface, palette.WALL, _box(view, factor, row, start, 1, stop - start))


def wall_runs(walls: Bool) -> list[tuple[int, int, int]]:
    """(row, first column, column after the last) of each horizontal run of wall cells."""
    padded = np.zeros((walls.shape[0], walls.shape[1] + 2), np.int8)
    padded[:, 1:-1] = walls
    change = np.diff(padded, axis=1)
    starts, stops = np.argwhere(change == 1), np.argwhere(change == -1)
    return [(int(r), int(a), int(b)) for (r, a), (_, b) in zip(starts, stops, strict=True)]


def _polygons(surface: pygame.Surface, world: World, view: View, factor: int) -> None:
    for polygon in world.polygons:
        outline = view.pixels(np.asarray(polygon.exterior.coords)[:, :2], factor)
        holes = [view.pixels(np.asarray(hole.coords)[:, :2], factor) for hole in polygon.interiors]
        if holes:
            layer = shapes.canvas(*surface.get_size())
            pygame.draw.polygon(layer, palette.WALL, outline.tolist())
            for hole in holes:
                pygame.draw.polygon(layer, (0, 0, 0, 0), hole.tolist())
            shapes.blend(surface, layer)
        else:
            pygame.draw.polygon(surface, palette.WALL, outline.tolist())


def draw_pruned(surface: pygame.Surface, table: EdgeTable, chosen: Int64, states: Float64, view: View, factor: int) -> None:
    """Removed edges: short grey dashes, under everything else of the graph."""
    layer = shapes.canvas(*surface.get_size())
    ends = _ends(table, chosen, states, view, factor)
    for a, b in ends[_visible(ends, surface)]:
        shapes.dashes(layer, (*palette.PRUNED, 175), np.stack([a, b]), 1.0 * factor, 3.2 * factor, 3.8 * factor)
    shapes.blend(surface, layer)


def draw_graph(
    surface: pygame.Surface,
    table: EdgeTable,
    chosen: Int64,
    states: Float64,
    nodes: Int64,
    view: View,
    factor: int,
    peak: float,
    quiet: bool,
) -> None:
    """Edges coloured by risk, the risky on top, and nodes as small dots; `quiet` leaves the stage to agents."""
    layer = shapes.canvas(*surface.get_size())
    order = chosen[np.argsort(table.risk[chosen], kind="stable")]
    ends = _ends(table, order, states, view, factor)
    seen = _visible(ends, surface)
    share = np.clip(table.risk[order] / peak, 0.0, 1.0) if peak > 0 else np.zeros(len(order))
    colours = palette.risk_ramp(share)
    # risky edges come forward, harmless ones stay back
    alphas = (82 + 125 * share if quiet else 165 + 65 * share).astype(np.int64)
    width = (1.0 if quiet else 1.3) * factor
    for (a, b), colour, alpha in zip(ends[seen].tolist(), colours[seen].tolist(), alphas[seen].tolist(), strict=True):
        shapes.line(layer, (*colour, alpha), a, b, width)
    dot = min(max(0.05 * view.scale, 1.0), 2.6) * factor
    for x, y in view.pixels(states[nodes], factor).tolist():
        shapes.disc(layer, (*palette.NODE, 150 if quiet else 230), (x, y), dot)
    shapes.blend(surface, layer)


def _ends(table: EdgeTable, chosen: Int64, states: Float64, view: View, factor: int) -> Float64:
    """(K, 2, 2) pixels of both ends."""
    pairs = np.stack([table.low[chosen], table.high[chosen]], axis=1)
    return view.pixels(states[pairs], factor)


def _visible(ends: Float64, surface: pygame.Surface) -> Bool:
    low, high = ends.min(axis=1), ends.max(axis=1)
    return np.asarray((high >= 0).all(axis=1) & (low <= np.asarray(surface.get_size())).all(axis=1))


def draw_goals(surface: pygame.Surface, scene: Scene, view: View, factor: int) -> None:
    """Starts as small open squares, goals as rings of the tolerance's true radius."""
    layer = shapes.canvas(*surface.get_size())
    goals = view.pixels(scene.goal_points, factor).tolist()
    starts = view.pixels(scene.start_points, factor).tolist()
    radius = max(scene.tolerance * view.scale, 5.0) * factor
    for agent, centre in enumerate(goals):
        shapes.disc(layer, (*palette.agent_colour(agent), 46), centre, radius)
    shapes.blend(surface, layer)
    for agent, centre in enumerate(goals):
        colour = palette.agent_colour(agent)
        shapes.ring(surface, colour, centre, radius, 1.8 * factor)
        if scene.tolerance * view.scale < LABELLED_RING:
            shapes.disc(surface, colour, centre, min(max(0.06 * view.scale, 1.4), 3.0) * factor)
    half = min(max(0.14 * view.scale, 2.6), 6.0) * factor
    for agent, centre in enumerate(starts):
        shapes.square(surface, palette.agent_colour(agent), centre, half)
        shapes.square(surface, palette.FLOOR, centre, half - 1.6 * factor)


def draw_plan(surface: pygame.Surface, plan: Plan, view: View, factor: int) -> None:
    """Each agent's planned path as dashes with diamonds at its waypoints."""
    layer = shapes.canvas(*surface.get_size())
    paths = [view.pixels(_without_waits(c[:, :2]), factor) for c in plan.coordinates]
    width = (1.6 if len(paths) <= 10 else 1.25) * factor
    for agent, path in enumerate(paths):
        shapes.dashes(
            layer, (*palette.agent_colour(agent), 215 if len(paths) <= 10 else 170), path, width, 5.0 * factor, 4.0 * factor
        )
    shapes.blend(surface, layer)
    if plan.shape is not None:  # on a grid every cell is a waypoint; the line says it all
        return
    size = min(max(0.11 * view.scale, 2.4), 4.6) * factor
    for agent, path in enumerate(paths):
        for centre in path[1:-1].tolist():
            shapes.diamond(surface, palette.FLOOR, centre, size + 1.5 * factor)
            shapes.diamond(surface, palette.agent_colour(agent), centre, size)


def _without_waits(points: Float64) -> Float64:
    moved = np.ones(len(points), np.bool_)
    moved[1:] = (points[1:] != points[:-1]).any(axis=1)
    return points[moved]


def draw_trails(surface: pygame.Surface, scene: Scene, time: float, view: View, factor: int) -> None:
    """Where each agent has been, fading with age."""
    if scene.num_steps == 0 or time <= 0:
        return
    whole = int(min(time, scene.num_steps))
    first = max(0, whole - max(TRAIL_PIECES // scene.num_agents, 8)) if scene.num_agents else 0
    track = np.concatenate([scene.history[first : whole + 1], scene.positions(time)[None]])
    pixels = view.pixels(track, factor)
    layer = shapes.canvas(*surface.get_size())
    width = min(max(0.085 * view.scale, 1.8), 4.0) * factor
    fade = np.linspace(95, 235, max(len(track) - 1, 1))
    for agent in range(scene.num_agents):
        colour = palette.agent_colour(agent)
        for step, alpha in enumerate(fade.tolist()):
            shapes.polyline(layer, (*colour, int(alpha)), pixels[step : step + 2, agent], width)
    shapes.blend(surface, layer)


def draw_agents(surface: pygame.Surface, scene: Scene, time: float, view: View, factor: int) -> None:
    """Discs of true radius (never under 3 pixels) with a light rim; a red halo where two touch, or one reaches into a wall."""
    centres = view.pixels(scene.positions(time), factor).tolist()
    radii = (np.maximum(scene.radii * view.scale, 3.0) * factor).tolist()
    flagged = np.union1d(scene.touching(time), np.flatnonzero(scene.in_walls(time))).astype(np.int64).tolist()
    if flagged:
        layer = shapes.canvas(*surface.get_size())
        for agent in flagged:
            radius = radii[agent]
            shapes.disc(layer, (*palette.ALERT, 90), centres[agent], min(1.9 * radius, radius + 9 * factor) + 2 * factor)
        shapes.blend(surface, layer)
    for agent, (centre, radius) in enumerate(zip(centres, radii, strict=True)):
        shapes.disc(surface, palette.mix(palette.agent_colour(agent), palette.INK, 0.55), centre, radius + 1.0 * factor)
        shapes.disc(surface, palette.agent_colour(agent), centre, radius)
    _draw_headings(surface, scene, time, centres, radii, factor)
    for agent in flagged:
        shapes.ring(surface, palette.ALERT, centres[agent], radii[agent] + 3 * factor, 2.2 * factor)


def _draw_headings(
    surface: pygame.Surface, scene: Scene, time: float, centres: list[list[float]], radii: list[float], factor: int
) -> None:
    """A nose on the rim of each disc that faces a way."""
    headings = scene.headings(time)
    if headings is None:
        return
    for agent, angle in enumerate(headings.tolist()):
        if not math.isnan(angle):
            (x, y), radius = centres[agent], radii[agent]
            right, down = math.sin(angle) * radius, math.cos(angle) * radius
            ends = (x + 0.8 * right, y + 0.8 * down), (x + 1.6 * right, y + 1.6 * down)
            shapes.line(
                surface, palette.mix(palette.agent_colour(agent), palette.INK, 0.55), *ends, max(0.35 * radius, 2.0 * factor)
            )
