"""Text: one clean face that comes with Pillow for reading, pygame's bold one for numbers on discs and small headings."""

from __future__ import annotations

import io
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
    """Rendered text; characters that the face lacks are taken from the bold one."""
    face = font(size, weight)
    if weight == "regular" and any(m is None or m == missing(size) for m in face.metrics(text) if text) and not text.isascii():
        face = font(size, "bold")
    return face.render(text.replace("\x00", ""), True, colour)


@lru_cache(maxsize=64)
def missing(size: int) -> tuple[int, int, int, int, int] | None:
    """Metrics of the box drawn for a character that the regular face lacks."""
    found = font(size).metrics("\u2603")
    return found[0] if found else None


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
    surface.blit(picture, (round(left), round(at[1] - height / 2)))
    return width


def width(text: str, size: int, weight: Weight = "regular") -> int:
    """Width of a line in pixels."""
    return font(size, weight).size(text)[0]


def shorten(text: str, size: int, room: float) -> str:
    """`text`, cut with three dots where it is wider than `room` pixels."""
    if width(text, size) <= room:
        return text
    while text and width(text + "...", size) > room:
        text = text[:-1]
    return text + "..."
