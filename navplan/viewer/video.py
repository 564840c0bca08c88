"""The motion of a scene as an .mp4 film (H.264), written atomically, without a display."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from navplan.errors import InvalidInput, MissingExtra
from navplan.system.files import write_bytes
from navplan.viewer.layers import Layers
from navplan.viewer.render import Renderer, default_size, to_array
from navplan.viewer.scene import Scene

if TYPE_CHECKING:
    from types import ModuleType

# Seconds that the first and the last picture stay.
PAUSES = (0.5, 1.8)


def video_library() -> ModuleType:
    """PyAV.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtra("an .mp4 film", "PyAV", "video") from error
    return av


def save_mp4(
    scene: Scene,
    path: str | Path,
    fps: int = 30,
    size: tuple[int, int] | None = None,
    steps_per_second: float = 4.0,
    max_seconds: float = 60.0,
    switches: Layers | None = None,
) -> None:
    """The whole motion once, smooth between steps, with a pause at either end.

    Args:
        fps: frames a second.
        size: (width, height) in pixels, an odd one loses its last; None chooses about 1280 pixels in the world's proportions.
        steps_per_second: speed; a long run is shown faster, so that its motion takes `max_seconds` at most.

    Raises:
        InvalidInput: `fps`, `steps_per_second` or `max_seconds` is not positive.
        MissingExtra: PyAV is not installed.
        FileAccessError: the file cannot be written.
    """
    if fps < 1 or steps_per_second <= 0 or max_seconds <= 0:
        raise InvalidInput(
            f"fps {fps}, steps_per_second {steps_per_second}, max_seconds {max_seconds}: expected 1 or more, and two above 0"
        )
    av = video_library()
    seconds = min(scene.num_steps / steps_per_second, max_seconds)
    before, after = (round(pause * fps) for pause in PAUSES)
    times = np.linspace(0.0, scene.num_steps, round(seconds * fps) + 1)
    times = np.concatenate([np.full(before, 0.0), times, np.full(after, float(scene.num_steps))])
    renderer = Renderer(scene, size or default_size(scene, 1280), 2, switches)
    width, height = (length // 2 * 2 for length in renderer.frame(0.0).get_size())
    data = io.BytesIO()
    with av.open(data, "w", format="mp4") as container:
        # colours at half resolution: what players everywhere can show; crf 18: no difference to the eye
        stream = container.add_stream("libx264", rate=fps, options={"crf": "18", "preset": "medium"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        shown, picture = -1.0, None
        for time in times.tolist():
            if picture is None or time != shown:
                shown, picture = time, np.ascontiguousarray(to_array(renderer.frame(time))[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    write_bytes(path, data.getvalue())
