"""Text: one clean face that comes with Pillow for reading, pygame's bold one for numbers on discs and small headings."""

from __future__ import annotations

import io
import math
from functools import lru_cache
from typing import Literal

from navplan.viewer.palette import Colour
from navplan.viewer.toolkit import ImageFont, pygame

Weight = Literal["regular", "bold"]
Anchor = Literal["left", "centre", "right"]


@lru_cache(maxsize=1)
def _regular_face() -> bytes:
    face = ImageFont.load_default(size=12)
    data = getattr(face, "font_bytes", b"")
    return data if isinstance(data, bytes) else b""


@lru_cache(maxsize=64)
def font(size: int, weight: Weight = "regular") -> pygame.font.Font:
    """A font of about `size` pixels; needs no display."""
    pygame.font.init()
    data = _regular_face() if weight == "regular" else b""
    if data:
        return pygame.font.Font(io.BytesIO(data), size)
    return pygame.font.Font(None, round(size * 1.3))


@lru_cache(maxsize=2048)
def image(text: str, size: int, colour: Colour, weight: Weight = "regular") -> pygame.Surface:
    """Rendered text; a line with characters that the reading face lacks is set in the bold one.

    Drawn twice as large and scaled down: hinting at small sizes would round the spaces between letters unevenly.
    """
    text = text.replace("\x00", "")
    if not text:  # scaling a surface without pixels crashes pygame
        return pygame.Surface((1, 1), pygame.SRCALPHA, 32)
    if weight == "regular" and not text.isascii() and not _covers(text):
        weight = "bold"
    large = font(2 * size, weight).render(text, True, colour)
    return pygame.transform.smoothscale(large, (max(-(-large.get_width() // 2), 1), max(-(-large.get_height() // 2), 1)))


def _covers(text: str) -> bool:
    """True when the reading face has every character; one that it lacks has the metrics of its empty box."""
    face = font(24)
    box = face.metrics("\ufffe")
    return all(m is not None and [m] != box for m in face.metrics(text))


def draw(
    surface: pygame.Surface,
    text: str,
    at: tuple[float, float],
    size: int,
    colour: Colour,
    weight: Weight = "regular",
    anchor: Anchor = "left",
) -> int:
    """Draw one line, vertically centred on `at`; returns its width in pixels."""
    picture = image(text, size, colour, weight)
    width, height = picture.get_size()
    left = at[0] - {"left": 0.0, "centre": width / 2, "right": float(width)}[anchor]
    # floor of the sum, since round() takes halves to the even pixel and would set rows unevenly
    surface.blit(picture, (math.floor(left + 0.5), math.floor(at[1] - height / 2 + 0.5)))
    return width


def width(text: str, size: int, weight: Weight = "regular") -> int:
    """Width of a line in pixels."""
    return -(-font(2 * size, weight).size(text)[0] // 2)


def shorten(text: str, size: int, room: float) -> str:
    """`text`, cut with three dots where it is wider than `room` pixels."""
    if width(text, size) <= room:
        return text
    while text and width(text + "...", size) > room:
        text = text[:-1]
    return text + "..."
