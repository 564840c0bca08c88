"""Pictures and animations as files, written atomically, without a display."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from navplan.errors import InvalidInput
from navplan.files import write_atomically
from navplan.viewer.layers import Layers
from navplan.viewer.render import Renderer, default_size, render_frame, to_array
from navplan.viewer.scene import Scene
from navplan.viewer.toolkit import Image

FORMATS = (".png", ".gif")


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
    write_atomically(path, lambda out: out.write(stream.getvalue()))


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
        size: (width, height) in pixels; None chooses about 900 pixels in the world's proportions.
        steps_per_second: speed; a long run is shown faster, so that `max_frames` is kept.

    Raises:
        InvalidInput: `fps` or `max_frames` is not positive.
        FileAccessError: the file cannot be written.
    """
    if fps < 1 or max_frames < 2 or steps_per_second <= 0:
        raise InvalidInput(f"fps {fps}, max_frames {max_frames}, steps_per_second {steps_per_second}: expected 1, 2 and 0 or more")
    count = min(round(scene.num_steps / steps_per_second * fps) + 1, max_frames)
    times = np.linspace(0.0, scene.num_steps, max(count, 1))
    renderer = Renderer(scene, size or default_size(scene, 900), 2, switches)
    frames = [to_array(renderer.frame(float(t))) for t in times]
    palette, table = _shared_palette([frames[0], frames[len(frames) // 2], frames[-1]])
    pictures = []
    for frame in frames:
        picture = Image.fromarray(table[_bucket(frame)])
        picture.putpalette(palette.tobytes())
        pictures.append(picture)
    durations = [round(1000 / fps)] * len(pictures)
    durations[0] += 500
    durations[-1] += 1800
    stream = io.BytesIO()
    pictures[0].save(
        stream, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=False, disposal=1
    )
    write_atomically(path, lambda out: out.write(stream.getvalue()))


def _bucket(frame: NDArray[np.uint8]) -> NDArray[np.int32]:
    """(H, W) index of each pixel among 64 shades a channel."""
    shade = (frame >> 2).astype(np.int32)
    return np.asarray((shade[..., 0] << 12) | (shade[..., 1] << 6) | shade[..., 2], dtype=np.int32)


def _shared_palette(samples: list[NDArray[np.uint8]]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """255 colours for all frames and a table from colour bucket to colour; one palette keeps still areas still."""
    joined = Image.fromarray(np.concatenate(samples))
    reduced = joined.quantize(colors=255, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    colours = np.asarray(reduced.getpalette(), dtype=np.uint8).reshape(-1, 3)[:255]
    shade = np.arange(64, dtype=np.float64) * 4 + 1.5
    centres = np.stack(np.meshgrid(shade, shade, shade, indexing="ij"), axis=-1).reshape(-1, 3)
    _, nearest = cKDTree(colours.astype(np.float64)).query(centres)
    return colours, nearest.astype(np.uint8)


def save(scene: Scene, path: str | Path, step: float | None = None) -> None:
    """Write `path` in the format that its ending names.

    Raises:
        InvalidInput: an ending other than .png and .gif; for an animation, a `step`.
    """
    ending = Path(path).suffix.lower()
    if ending == ".png":
        save_png(scene, path, step)
    elif ending == ".gif":
        if step is not None:
            raise InvalidInput(f"{path}: a .gif shows every step; use .png for step {step:g}")
        save_gif(scene, path)
    else:
        what = ".mp4 is not supported" if ending == ".mp4" else f"ending {ending!r} is not supported"
        raise InvalidInput(f"{path}: {what}, use one of {', '.join(FORMATS)}")
