"""What the window shows, as a picture file of its own."""

from __future__ import annotations

import io
import re
from pathlib import Path

from navplan.system.files import write_bytes
from navplan.viewer.render import Renderer, to_array
from navplan.viewer.toolkit import Image
from navplan.viewer.view import View


def save_screenshot(shown: Renderer, time: float, folder: Path) -> Path:
    """Draw what `shown` draws, without the window's controls, into a new file, which no other is overwritten for.

    Returns:
        The file, named after the scene and the step.

    Raises:
        FileAccessError: the folder cannot be written.
    """
    scene = shown.scene
    plain = Renderer(scene, shown.size, 4, shown.switches, None, 0, shown.ready, shown.slider)
    if shown.view != shown.home:
        view, home = shown.view, plain.home
        plain.view = View(home.left, home.top, home.width, home.height, view.scale, view.row, view.col)
    stream = io.BytesIO()
    Image.fromarray(to_array(plain.frame(time))).save(stream, "PNG")
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", scene.title or scene.world.name).strip("-.") or "scene"
    stem = f"{name}-step{int(time):03d}"
    path = next(p for k in range(10_000) if not (p := folder / f"{stem}{f'-{k}' if k else ''}.png").exists())
    write_bytes(path, stream.getvalue())
    return path
