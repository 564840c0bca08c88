from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from navplan.errors import FileAccessError, InvalidInput
from navplan.viewer.export import check_format, save, save_gif, save_png
from navplan.viewer.render import Renderer, to_array
from navplan.viewer.scene import Scene
from navplan.viewer.video import save_mp4
from tests.support.scenes import walled_world, whole_scene

SIZE = (700, 520)


def test_png_holds_the_frame(tmp_path: Path) -> None:
    scene = whole_scene()
    save_png(scene, tmp_path / "a.png", step=3, size=SIZE)
    with Image.open(tmp_path / "a.png") as picture:
        assert np.array_equal(np.asarray(picture), to_array(Renderer(scene, SIZE, 4).frame(3.0)))
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_gif_moves_smoothly_in_nearly_true_colours(tmp_path: Path) -> None:
    scene = whole_scene()
    save_gif(scene, tmp_path / "a.gif", fps=10, size=SIZE, steps_per_second=2.0)
    with Image.open(tmp_path / "a.gif") as movie:
        assert movie.n_frames == 26
        assert movie.info["loop"] == 0
        renderer = Renderer(scene, SIZE, 2)
        for index in (0, 7, 25):
            movie.seek(index)
            shown = np.asarray(movie.convert("RGB")).astype(int)
            true = to_array(renderer.frame(index / 25 * 5)).astype(int)
            assert np.abs(shown - true).max(axis=-1).mean() < 2.5
    assert (tmp_path / "a.gif").stat().st_size < 400_000


def test_gif_keeps_to_its_frames(tmp_path: Path) -> None:
    save_gif(whole_scene(), tmp_path / "a.gif", fps=20, size=SIZE, max_frames=6)
    with Image.open(tmp_path / "a.gif") as movie:
        assert movie.n_frames == 6


def test_gif_of_a_scene_that_stands_still_is_one_frame(tmp_path: Path) -> None:
    save_gif(Scene(walled_world()), tmp_path / "still.gif", size=SIZE)
    with Image.open(tmp_path / "still.gif") as movie:
        assert movie.n_frames == 1


@pytest.mark.parametrize(
    ("name", "step", "match"),
    [("a.avi", None, "not supported"), ("a", None, "''"), ("a.gif", 3.0, "every step"), ("a.mp4", 3.0, "every step")],
)
def test_what_cannot_be_written_is_refused(name: str, step: float | None, match: str) -> None:
    with pytest.raises(InvalidInput, match=match):
        check_format(name, step)


def test_failures_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileAccessError):
        save(Scene(walled_world()), tmp_path / "file" / "a.png")
    with pytest.raises(InvalidInput):
        save(whole_scene(), tmp_path / "a.png", step=99)
    with pytest.raises(InvalidInput, match="fps 0"):
        save_gif(whole_scene(), tmp_path / "a.gif", fps=0)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_film_is_the_motion_with_pauses(tmp_path: Path) -> None:
    scene = whole_scene()
    save_mp4(scene, tmp_path / "a.mp4", fps=10, size=(701, 521), steps_per_second=2.0)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
    with av.open(str(tmp_path / "a.mp4")) as film:
        (stream,) = film.streams.video
        assert (stream.codec_context.name, stream.average_rate, stream.width, stream.height) == ("h264", 10, 700, 520)
        pictures = [frame.to_ndarray(format="rgb24").astype(int) for frame in film.decode(stream)]
    assert len(pictures) == 5 + 26 + 18
    renderer = Renderer(scene, (701, 521), 2)
    for index, time in ((0, 0.0), (5 + 7, 7 / 5), (48, 5.0)):
        true = to_array(renderer.frame(time))[:520, :700].astype(int)
        assert np.abs(pictures[index] - true).mean() < 4
    assert np.abs(pictures[0] - pictures[-1]).mean() > np.abs(pictures[0] - pictures[4]).mean()


def test_a_long_film_is_shown_faster(tmp_path: Path) -> None:
    save_mp4(whole_scene(), tmp_path / "a.mp4", fps=10, size=SIZE, steps_per_second=1.0, max_seconds=2.0)
    with av.open(str(tmp_path / "a.mp4")) as film:
        assert sum(1 for _ in film.decode(video=0)) == 5 + 21 + 18
    with pytest.raises(InvalidInput, match="max_seconds 0: expected"):
        save_mp4(whole_scene(), tmp_path / "b.mp4", max_seconds=0)
