"""Colours: a light, calm theme; warm for the hazard field, cool to violet for edge risk, distinct hues for agents."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from navplan.system.arrays import Float64

Colour = tuple[int, int, int]

PAGE: Colour = (245, 246, 248)
FLOOR: Colour = (255, 255, 255)
WALL: Colour = (52, 59, 74)
WALL_EDGE: Colour = (33, 38, 50)
FRAME: Colour = (150, 158, 172)
GRID: Colour = (232, 235, 240)
RULE: Colour = (221, 225, 231)
INK: Colour = (27, 33, 46)
TEXT: Colour = (68, 77, 94)
FAINT: Colour = (118, 127, 143)
NODE: Colour = (84, 94, 112)
PRUNED: Colour = (104, 107, 122)
ALERT: Colour = (214, 32, 48)
GOOD: Colour = (22, 130, 92)
PENDING: Colour = (166, 92, 0)
FOCUS: Colour = (190, 205, 232)

# Hazard: white through apricot to coral, lightness falling evenly. Risk: teal through indigo to magenta, so that the two
# scales share no hue and both keep their order for colour-blind readers and in grey.
_HAZARD_STOPS = ((255, 255, 255), (255, 243, 228), (254, 226, 199), (249, 203, 170), (241, 176, 145), (231, 148, 124))
_RISK_STOPS = ((46, 158, 160), (62, 123, 186), (88, 84, 190), (132, 40, 166), (158, 8, 120))

# The first eight follow Okabe and Ito (2008), black left out; the rest were picked greedily for the largest distance in
# CIELAB under normal, deuteranope and protanope sight, from one another and from floor, hazard and walls.
_AGENTS: tuple[Colour, ...] = (
    (0, 114, 178),
    (230, 110, 0),
    (0, 146, 106),
    (204, 80, 150),
    (86, 180, 233),
    (170, 50, 20),
    (240, 200, 40),
    (95, 60, 150),
    (120, 215, 110),
    (150, 135, 75),
    (90, 135, 255),
    (0, 212, 218),
    (105, 60, 45),
    (0, 212, 158),
    (225, 170, 208),
    (120, 45, 90),
    (165, 180, 60),
    (255, 90, 120),
    (0, 105, 15),
    (0, 105, 120),
    (245, 140, 250),
    (250, 170, 90),
    (120, 180, 165),
    (150, 135, 195),
)


def agent_colour(agent: int) -> Colour:
    """The colour of an agent; beyond 24 agents hues repeat in a darker shade, and numbers tell them apart."""
    base = _AGENTS[agent % len(_AGENTS)]
    shade = (agent // len(_AGENTS)) % 3
    return mix(base, INK, 0.28 * shade) if shade else base


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`a` with `share` (0..1) of `b`."""
    return (
        round(a[0] + (b[0] - a[0]) * share),
        round(a[1] + (b[1] - a[1]) * share),
        round(a[2] + (b[2] - a[2]) * share),
    )


def contrast_ink(colour: Colour) -> Colour:
    """White or near-black, whichever reads better on `colour`."""
    red, green, blue = (((c / 255) ** 2.2) for c in colour)
    return INK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.36 else (255, 255, 255)


def hazard_ramp(values: Float64) -> NDArray[np.uint8]:
    """(…, 3) uint8 colours of hazard costs scaled to 0..1."""
    return _ramp(_HAZARD_STOPS, values)


def risk_ramp(values: Float64) -> NDArray[np.uint8]:
    """(…, 3) uint8 colours of edge risks scaled to 0..1."""
    return _ramp(_RISK_STOPS, values)


def _ramp(stops: tuple[Colour, ...], values: Float64) -> NDArray[np.uint8]:
    where = np.clip(np.asarray(values, dtype=np.float64), 0.0, 1.0)
    knots = np.linspace(0.0, 1.0, len(stops))
    table = np.asarray(stops, dtype=np.float64)
    channels = [np.interp(where, knots, table[:, c]) for c in range(3)]
    return np.asarray(np.rint(np.stack(channels, axis=-1)), dtype=np.uint8)
