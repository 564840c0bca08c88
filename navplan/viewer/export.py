"""Pictures and animations as files, written atomically, without a display."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from navplan.errors import InvalidInput
from navplan.system.files import write_bytes
from navplan.viewer import palette
from navplan.viewer.layers import Layers
from navplan.viewer.render import Renderer, default_size, render_frame, to_array
from navplan.viewer.scene import Scene
from navplan.viewer.toolkit import Image, pygame
from navplan.viewer.video import save_mp4, video_library

FORMATS = (".png", ".gif", ".mp4")
_TRANSPARENT = 255


def save_png(
    scene: Scene, path: str | Path, step: float | None = None, size: tuple[int, int] | None = None, switches: Layers | None = None
) -> None:
    """One picture; `step` None shows the last step.

    Raises:
        InvalidInput: the step is not in the scene.
        FileAccessError: the file cannot be written.
    """
    stream = io.BytesIO()
    Image.fromarray(render_frame(scene, step, size, switches)).save(stream, "PNG", optimize=True)
    write_bytes(path, stream.getvalue())


def save_gif(
    scene: Scene,
    path: str | Path,
    fps: int = 20,
    size: tuple[int, int] | None = None,
    steps_per_second: float = 4.0,
    max_frames: int = 160,
    switches: Layers | None = None,
) -> None:
    """The whole motion as an endless animation, smooth between steps, with a pause at either end.

    Args:
        fps: frames a second.
        size: (width, height) in pixels; None chooses about 960 pixels in the world's proportions.
        steps_per_second: speed; a long run is shown faster, so that `max_frames` is kept.

    Raises:
        InvalidInput: `fps` or `max_frames` is not positive.
        FileAccessError: the file cannot be written.
    """
    if fps < 1 or max_frames < 2 or steps_per_second <= 0:
        raise InvalidInput(
            f"fps {fps}, max_frames {max_frames}, steps_per_second {steps_per_second}: expected 1, 2 and 0 or more"
        )
    count = min(round(scene.num_steps / steps_per_second * fps) + 1, max_frames)
    times = np.linspace(0.0, scene.num_steps, max(count, 1))
    renderer = Renderer(scene, size or default_size(scene, 960), 2, switches)
    samples = [to_array(renderer.frame(float(times[k]))) for k in sorted({0, len(times) // 2, len(times) - 1})]
    colours, table = _shared_palette(samples, scene.num_agents)
    pictures = []
    shown: NDArray[np.uint8] | None = None
    for time in times:
        indices = table[_bucket(renderer.frame(float(time)))]
        # a pixel that stays as it was is written as transparent: long runs, small files
        picture = Image.fromarray(indices if shown is None else np.where(indices == shown, np.uint8(_TRANSPARENT), indices))
        picture.putpalette(colours.tobytes())
        pictures.append(picture)
        shown = indices
    durations = [round(1000 / fps)] * len(pictures)
    durations[0] += 500
    durations[-1] += 1800
    stream = io.BytesIO()
    pictures[0].save(
        stream,
        "GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=0,
        optimize=False,
        disposal=1,
        transparency=_TRANSPARENT,
    )
    write_bytes(path, stream.getvalue())


def _bucket(surface: pygame.Surface) -> NDArray[np.uint32]:
    """(H, W) index of each pixel's colour among 64 shades a channel."""
    width, height = surface.get_size()
    pixel = np.frombuffer(pygame.image.tobytes(surface, "RGBA"), dtype="<u4").reshape(height, width)
    return np.asarray(((pixel << 10) & 0x3F000) | ((pixel >> 4) & 0xFC0) | ((pixel >> 18) & 0x3F), dtype=np.uint32)


def _shared_palette(samples: list[NDArray[np.uint8]], agents: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """255 colours for all frames and a table from colour bucket to colour; one palette keeps still areas still.

    The theme's own colours come first, so that scales and agents keep their hues; the samples fill the rest.
    """
    flat = [palette.PAGE, palette.FLOOR, palette.WALL, palette.INK, palette.TEXT, palette.FAINT, palette.RULE, palette.FRAME]
    flat += [palette.ALERT, palette.GOOD]
    flat += [palette.agent_colour(agent) for agent in range(min(agents, 24))]
    ramps = [palette.hazard_ramp(np.linspace(0, 1, 32)), palette.risk_ramp(np.linspace(0, 1, 24))]
    own = np.unique(np.concatenate([np.asarray(flat, dtype=np.uint8), *ramps]), axis=0)
    joined = Image.fromarray(np.concatenate(samples))
    reduced = joined.quantize(colors=255 - len(own), method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    others = np.asarray(reduced.getpalette(), dtype=np.uint8).reshape(-1, 3)[: 255 - len(own)]
    colours = np.concatenate([own, others])
    shade = np.arange(64, dtype=np.float64) * 4 + 1.5
    centres = np.stack(np.meshgrid(shade, shade, shade, indexing="ij"), axis=-1).reshape(-1, 3)
    _, nearest = cKDTree(colours.astype(np.float64)).query(centres)
    full = np.zeros((256, 3), np.uint8)
    full[: len(colours)] = colours
    return full, np.asarray(nearest, dtype=np.uint8)


def check_format(path: str | Path, step: float | None = None) -> None:
    """Refuse what cannot be written, before anything is computed.

    Raises:
        InvalidInput: an ending that is not in `FORMATS`; a `step` for an animation.
        MissingExtra: a film is asked for without PyAV.
    """
    ending = Path(path).suffix.lower()
    if ending not in FORMATS:
        raise InvalidInput(f"{path}: ending {ending!r} is not supported, expected one of {', '.join(FORMATS)}")
    if ending != ".png" and step is not None:
        raise InvalidInput(f"{path}: a {ending} shows every step, expected a .png for step {step:g}")
    if ending == ".mp4":
        video_library()


def save(scene: Scene, path: str | Path, step: float | None = None) -> None:
    """Write `path` in the format that its ending names.

    Raises:
        InvalidInput: as `check_format`; a step that is not in the scene.
        FileAccessError: the file cannot be written.
    """
    check_format(path, step)
    if Path(path).suffix.lower() == ".png":
        save_png(scene, path, step)
    elif Path(path).suffix.lower() == ".gif":
        save_gif(scene, path)
    else:
        save_mp4(scene, path)
