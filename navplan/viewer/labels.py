"""What is written on the map: row and column numbers along its sides, the numbers of agents and goals."""

from __future__ import annotations

import numpy as np

from navplan.scenarios.worlds.world import World
from navplan.viewer import layers, palette, shapes, text
from navplan.viewer.scene import Scene
from navplan.viewer.toolkit import pygame
from navplan.viewer.view import View

NUMBERED_AGENTS = 200
"""More agents than this go without numbers."""
BADGED_AGENTS = 40
"""Up to so many agents a disc too small for its number has it on a badge."""


def draw_axes(picture: pygame.Surface, world: World, view: View, unit: float) -> None:
    """Row numbers on the left, column numbers below, at round steps; inside the picture where the world runs beyond it."""
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000) if s * view.scale >= 42), 5000)
    size = max(round(12 * unit), 10)
    bottom = view.top + (world.height - view.row) * view.scale + 13 * unit
    left = view.left - view.col * view.scale - 14 * unit
    low, right = view.top + view.height - 9 * unit, view.left + 13 * unit
    for row in range(0, int(world.height) + 1, step):
        y = view.top + (row - view.row) * view.scale
        if view.top + 6 <= y <= low - 14 * unit:
            _tick(picture, str(row), (max(left, right), y), size, backed=left < right)
    for col in range(0, int(world.width) + 1, step):
        x = view.left + (col - view.col) * view.scale
        if right + 14 * unit <= x <= view.left + view.width - 6:
            _tick(picture, str(col), (x, min(bottom, low)), size, backed=bottom > low)


def _tick(picture: pygame.Surface, label: str, at: tuple[float, float], size: int, backed: bool) -> None:
    if backed:
        width, height = text.width(label, size) + size * 0.7, size * 1.35
        shapes.pill(picture, palette.PAGE, (at[0] - width / 2, at[1] - height / 2, width, height))
    text.draw(picture, label, at, size, palette.FAINT, anchor="centre")


def draw_numbers(picture: pygame.Surface, scene: Scene, time: float, view: View, unit: float) -> None:
    """Agent numbers on the discs, or beside them where the discs are small; goal numbers while the goal is open."""
    if not 0 < scene.num_agents <= NUMBERED_AGENTS:
        return
    offset = np.asarray([view.left, view.top])
    radii = (scene.radii * view.scale).tolist()
    centres = view.pixels(scene.positions(time)) + offset
    arrived = scene.arrived(time)
    ring = scene.tolerance * view.scale
    picture.set_clip(pygame.Rect(view.left, view.top, view.width, view.height))
    for agent, (x, y) in enumerate((view.pixels(scene.goal_points) + offset).tolist()):
        if not arrived[agent] and ring >= layers.LABELLED_RING:
            ink = palette.mix(palette.agent_colour(agent), palette.INK, 0.35)
            text.draw(picture, str(agent), (x, y), max(round(min(ring * 0.72, 14 * unit)), 8), ink, "bold", "centre")
    for agent, ((x, y), radius) in enumerate(zip(centres.tolist(), radii, strict=True)):
        size = max(round(min(radius * 0.98, 15 * unit)), 8)
        colour = palette.agent_colour(agent)
        if radius >= 7:
            text.draw(picture, str(agent), (x, y), size, palette.contrast_ink(colour), "bold", "centre")
        elif scene.num_agents <= BADGED_AGENTS:
            _badge(picture, str(agent), colour, (x, y), radius, unit)
    picture.set_clip(None)


def _badge(
    picture: pygame.Surface, label: str, colour: palette.Colour, at: tuple[float, float], radius: float, unit: float
) -> None:
    """The agent's number in its colour, up and right of a disc too small to hold it."""
    size = max(round(10 * unit), 9)
    width, height = text.width(label, size, "bold") + size * 0.8, size * 1.35
    left, top = at[0] + radius * 0.8 + 1, at[1] - radius * 0.8 - 1 - height
    shapes.pill(picture, palette.FLOOR, (left - 1, top - 1, width + 2, height + 2))
    shapes.pill(picture, colour, (left, top, width, height))
    text.draw(picture, label, (left + width / 2, top + height / 2), size, palette.contrast_ink(colour), "bold", "centre")
