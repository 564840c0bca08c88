"""Drawing on an oversampled surface: thick round lines, dashes, rings. Smoothing comes from scaling down afterwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from navplan.system.arrays import Float64
from navplan.viewer.palette import Colour
from navplan.viewer.toolkit import pygame

Paint = Colour | tuple[int, int, int, int]


def canvas(width: int, height: int) -> pygame.Surface:
    """A transparent surface; needs no display."""
    return pygame.Surface((max(width, 1), max(height, 1)), pygame.SRCALPHA, 32)


def blend(surface: pygame.Surface, layer: pygame.Surface) -> None:
    """Lay a transparent layer over a surface of the same size (SDL's blitter: several times faster than pygame's own)."""
    surface.blit(layer, (0, 0), special_flags=pygame.BLEND_ALPHA_SDL2)


def line(surface: pygame.Surface, paint: Paint, a: Sequence[float], b: Sequence[float], width: float) -> None:
    """A straight line of any width with square ends."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy)
    if length < 1e-9:
        return
    if width <= 1.5:
        pygame.draw.line(surface, paint, (a[0], a[1]), (b[0], b[1]), 1)
        return
    nx, ny = -dy / length * width / 2, dx / length * width / 2
    corners = [(a[0] + nx, a[1] + ny), (b[0] + nx, b[1] + ny), (b[0] - nx, b[1] - ny), (a[0] - nx, a[1] - ny)]
    pygame.draw.polygon(surface, paint, corners)


def polyline(surface: pygame.Surface, paint: Paint, points: Float64, width: float) -> None:
    """A thick line through points, round at joints and ends."""
    for a, b in pairwise(points.tolist()):
        line(surface, paint, a, b, width)
    if width > 2.5:
        for p in points.tolist():
            pygame.draw.circle(surface, paint, p, width / 2)


def dashes(surface: pygame.Surface, paint: Paint, points: Float64, width: float, on: float, off: float) -> None:
    """A dashed line through points; the pattern runs on round the corners."""
    phase, step = 0.0, on + off
    # plain floats: routes are drawn anew while a slider moves, and arrays of two numbers would take most of the time
    for (ax, ay), (bx, by) in pairwise(points.tolist()):
        length = math.hypot(bx - ax, by - ay)
        if length < 1e-9:
            continue
        ux, uy = (bx - ax) / length, (by - ay) / length
        at = -phase
        while at < length:
            low, high = max(at, 0.0), min(at + on, length)
            if high > low:
                line(surface, paint, (ax + ux * low, ay + uy * low), (ax + ux * high, ay + uy * high), width)
            at += step
        phase = (phase + length) % step


def disc(surface: pygame.Surface, paint: Paint, centre: Sequence[float], radius: float) -> None:
    """A filled circle."""
    pygame.draw.circle(surface, paint, (centre[0], centre[1]), max(radius, 0.5))


def ring(surface: pygame.Surface, paint: Paint, centre: Sequence[float], radius: float, width: float) -> None:
    """A circle's outline, `width` wide, centred on `radius`."""
    pygame.draw.circle(surface, paint, (centre[0], centre[1]), radius + width / 2, max(round(width), 1))


def diamond(surface: pygame.Surface, paint: Paint, centre: Sequence[float], radius: float) -> None:
    """A square on its corner."""
    x, y = centre
    pygame.draw.polygon(surface, paint, [(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y)])


def square(surface: pygame.Surface, paint: Paint, centre: Sequence[float], radius: float) -> None:
    """A filled square."""
    pygame.draw.rect(surface, paint, pygame.Rect(centre[0] - radius, centre[1] - radius, 2 * radius, 2 * radius))


def pill(surface: pygame.Surface, paint: Colour, box: tuple[float, float, float, float] | pygame.Rect) -> None:
    """A smooth rectangle with round ends, drawn at output size."""
    left, top, width, height = box
    if width > 0 and height > 0:
        surface.blit(_pill(paint, math.ceil(width), math.ceil(height)), (math.floor(left + 0.5), math.floor(top + 0.5)))


@lru_cache(maxsize=4096)
def _pill(paint: Colour, width: int, height: int) -> pygame.Surface:
    factor = 4
    large = canvas(width * factor, height * factor)
    # transparent pixels take the paint's colour, or scaling would darken the rim
    large.fill((*paint, 0))
    pygame.draw.rect(large, (*paint, 255), large.get_rect(), border_radius=height * factor // 2)
    return pygame.transform.smoothscale(large, (width, height))
