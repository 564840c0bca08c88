"""The pictures of a run: how it ended, and how it went."""

from __future__ import annotations

from pathlib import Path

from navplan.navigation.files import remove
from navplan.viewer.export import save_gif, save_png
from navplan.viewer.scene import Scene


def write_pictures(out: Path, scene: Scene) -> None:
    """demo.png, and demo.gif when there is motion to show; what an earlier run left of it is removed.

    Raises:
        FileAccessError: the folder cannot be written.
    """
    save_png(scene, out / "demo.png")
    if scene.trajectory is not None and scene.trajectory.num_steps:
        save_gif(scene, out / "demo.gif")
    else:
        remove(out / "demo.gif")
