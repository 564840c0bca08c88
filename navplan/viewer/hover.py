"""What lies under the pointer: the cell and its hazard, the nearest node, the nearest drawn edge, an agent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from navplan.system.arrays import Float64
from navplan.viewer import palette, shapes, text
from navplan.viewer.edges import EdgeTable
from navplan.viewer.raster import hazard_at
from navplan.viewer.render import Renderer
from navplan.viewer.toolkit import pygame

NODE_REACH = 9.0
EDGE_REACH = 5.0
"""How near the pointer must come, in pixels."""


@dataclass(frozen=True)
class Probe:
    """The answer for one pointer position.

    Attributes:
        rows: (name, value) lines of the tip.
        agent, node, edge: what is under the pointer, -1 for none; `edge` is a position in the edge table.
    """

    rows: tuple[tuple[str, str], ...]
    agent: int = -1
    node: int = -1
    edge: int = -1


def probe(renderer: Renderer, x: float, y: float, time: float) -> Probe | None:
    """Look under a pixel of the picture; None outside the world."""
    view, scene = renderer.view, renderer.scene
    if not view.holds(x, y):
        return None
    row, col = view.point(x, y)
    if not (0 <= row < scene.world.height and 0 <= col < scene.world.width):
        return None
    rows = [("cell", f"{int(row)}, {int(col)}") if scene.world.is_grid else ("at", f"{row:.2f}, {col:.2f}")]
    rows += _place(renderer, row, col)
    agent = _agent(renderer, row, col, time)
    if agent >= 0:
        rows += _agent_rows(renderer, agent, time)
    node = -1 if agent >= 0 else _node(renderer, row, col)
    edge = -1 if agent >= 0 or node >= 0 else _edge(renderer, row, col)
    if node >= 0:
        rows += _node_rows(renderer, node)
    table = renderer.ready.table
    if edge >= 0 and table is not None:
        rows.append(("edge", f"{table.low[edge]} - {table.high[edge]}"))
        rows.append(("risk", f"{table.risk[edge]:.3f}"))
        rows.append(("distance", f"{table.distance[edge]:.2f} steps"))
    return Probe(tuple(rows), agent, node, edge)


def _place(renderer: Renderer, row: float, col: float) -> list[tuple[str, str]]:
    world = renderer.scene.world
    if world.blocked([(row, col)])[0]:
        return [("", "wall" if world.is_grid else "obstacle")]
    if world.hazard.kind == "none":
        return []
    distance, cost = hazard_at(world, row, col)
    return [("hazard", f"{cost:.2f} per step"), ("to obstacle", f"{distance:.2f} cells" if np.isfinite(distance) else "none")]


def _agent(renderer: Renderer, row: float, col: float, time: float) -> int:
    scene = renderer.scene
    if not scene.num_agents or not renderer.switches.agents:
        return -1
    gaps = np.linalg.norm(scene.positions(time).astype(np.float64) - (row, col), axis=1)
    nearest = int(gaps.argmin())
    return nearest if gaps[nearest] <= max(scene.radii[nearest], 5.0 / renderer.view.scale) else -1


def _agent_rows(renderer: Renderer, agent: int, time: float) -> list[tuple[str, str]]:
    scene = renderer.scene
    at = scene.positions(time)[agent]
    rows = [("agent", str(agent)), ("position", f"{at[0]:.2f}, {at[1]:.2f}")]
    cost = scene.cost_until(time)
    if cost is not None:
        rows.append(("cost so far", f"{cost[agent]:.2f}"))
    if len(scene.goal_points) > agent:
        rows.append(("to goal", f"{float(np.linalg.norm(at - scene.goal_points[agent])):.2f} cells"))
    return rows


def _node(renderer: Renderer, row: float, col: float) -> int:
    graph = renderer.scene.graph
    if graph is None or not len(renderer.nodes):
        return -1
    gaps = np.linalg.norm(graph.places[renderer.nodes] - (row, col), axis=1)
    nearest = int(gaps.argmin())
    return int(renderer.nodes[nearest]) if gaps[nearest] * renderer.view.scale <= NODE_REACH else -1


def _node_rows(renderer: Renderer, node: int) -> list[tuple[str, str]]:
    graph = renderer.scene.graph
    assert graph is not None
    out = slice(int(graph.indptr[node]), int(graph.indptr[node + 1]))
    rows = [("node", str(node)), ("edges out", f"{out.stop - out.start:,}")]
    if out.stop > out.start:
        rows.append(("risk", f"{graph.risk[out].min():.2f} to {graph.risk[out].max():.2f}"))
        rows.append(("distance", f"{graph.distance[out].min():.2f} to {graph.distance[out].max():.2f}"))
    return [*rows, ("risk of waiting", f"{graph.wait_risk[node]:.2f}")]


def _edge(renderer: Renderer, row: float, col: float) -> int:
    graph, table = renderer.scene.graph, renderer.ready.table
    if graph is None or table is None or not len(renderer.drawn):
        return -1
    a = graph.places[table.low[renderer.drawn]]
    b = graph.places[table.high[renderer.drawn]]
    along = b - a
    length = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip((((row, col) - a) * along).sum(axis=1) / length, 0.0, 1.0)
    gaps = np.linalg.norm(a + share[:, None] * along - (row, col), axis=1)
    nearest = int(gaps.argmin())
    return int(renderer.drawn[nearest]) if gaps[nearest] * renderer.view.scale <= EDGE_REACH else -1


def draw_probe(picture: pygame.Surface, renderer: Renderer, found: Probe, x: float, y: float) -> None:
    """Highlight what was found and write the tip beside the pointer."""
    graph, table = renderer.scene.graph, renderer.ready.table
    if graph is not None and table is not None and (found.node >= 0 or found.edge >= 0):
        _highlight(picture, renderer, found, graph.places, table)
    _tip(picture, renderer, found.rows, x, y)


def _highlight(picture: pygame.Surface, renderer: Renderer, found: Probe, states: Float64, table: EdgeTable) -> None:
    """All edges at a node, long ones too, or one edge."""
    view, factor = renderer.view, 2
    chosen = (
        np.flatnonzero((table.low == found.node) | (table.high == found.node)) if found.node >= 0 else np.asarray([found.edge])
    )
    large = shapes.canvas(view.width * factor, view.height * factor)
    large.fill((*palette.FLOOR, 0))
    ends = view.pixels(states[np.stack([table.low[chosen], table.high[chosen]], axis=1)], factor)
    peak = renderer.ready.peak
    colours = palette.risk_ramp(table.risk[chosen] / peak if peak > 0 else np.zeros(len(chosen)))
    width = (1.3 if len(chosen) > 60 else 2.2) * factor
    for (a, b), colour in zip(ends.tolist(), colours.tolist(), strict=True):
        shapes.line(large, (*colour, 210), a, b, width)
    if found.node >= 0:
        centre = view.pixels(states[found.node], factor).tolist()
        shapes.disc(large, (*palette.FLOOR, 255), centre, 6.5 * factor)
        shapes.disc(large, (*palette.INK, 255), centre, 4.5 * factor)
    picture.blit(pygame.transform.smoothscale(large, (view.width, view.height)), (view.left, view.top))


def _tip(picture: pygame.Surface, renderer: Renderer, rows: tuple[tuple[str, str], ...], x: float, y: float) -> None:
    size = max(round(13 * renderer.unit), 11)
    step, pad = round(size * 1.5), round(size * 0.8)
    names = max(text.width(name, size) for name, _ in rows)
    values = max(text.width(value, size) for _, value in rows)
    gap = size if names else 0
    width, height = names + gap + values + 2 * pad, step * len(rows) + pad
    left = x + 16 if x + 16 + width < picture.get_width() - 4 else x - 12 - width
    top = min(max(y + 16, 4), picture.get_height() - height - 4)
    card = pygame.Rect(round(left), round(top), width, height)
    pygame.draw.rect(picture, palette.FRAME, card.inflate(2, 2), border_radius=7)
    pygame.draw.rect(picture, palette.FLOOR, card, border_radius=6)
    for index, (name, value) in enumerate(rows):
        centre = top + pad / 2 + (index + 0.5) * step
        text.draw(picture, name, (left + pad, centre), size, palette.FAINT)
        text.draw(picture, value, (left + pad + names + gap, centre), size, palette.INK)
