"""The one place that imports pygame and Pillow, quietly, and says what to install where they are missing."""

from __future__ import annotations

import os

from navplan.errors import MissingExtra

# pygame greets on stdout unless told not to; results own stdout
os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

try:
    import pygame as pygame
except ImportError as error:
    raise MissingExtra("the viewer", "pygame-ce", "viewer") from error
try:
    from PIL import Image as Image
    from PIL import ImageFont as ImageFont
except ImportError as error:
    raise MissingExtra("the viewer", "Pillow", "viewer") from error
