from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navplan.errors import InvalidInput, NavplanError
from navplan.viewer import app as viewer
from navplan.viewer import hover
from navplan.viewer.app import App
from navplan.viewer.controls import present_layers
from navplan.viewer.playback import SPEEDS
from navplan.viewer.render import to_array
from navplan.viewer.scene import Scene
from navplan.viewer.toolkit import pygame
from tests.support.scenes import node_at, walled_world, whole_scene

Event = pygame.event.Event


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(whole_scene(), (900, 700), tmp_path)


def press(app: App, key: int, letter: str = "") -> None:
    app.handle(Event(pygame.KEYDOWN, key=key, unicode=letter))


def click(app: App, at: tuple[int, int]) -> None:
    app.handle(Event(pygame.MOUSEBUTTONDOWN, button=1, pos=at))
    app.handle(Event(pygame.MOUSEBUTTONUP, button=1, pos=at))


def point(app: App, row: float, col: float) -> tuple[int, int]:
    x, y = app.renderer.view.place(row, col)
    return int(x), int(y)


def hover_at(app: App, row: float, col: float) -> dict[str, str]:
    at = point(app, row, col)
    app.handle(Event(pygame.MOUSEMOTION, pos=at, rel=(0, 0), buttons=(0, 0, 0)))
    app.picture()  # what is shown decides what can be pointed at
    found = hover.probe(app.renderer, *at, app.playback.time)
    assert found is not None
    return dict(found.rows)


def test_space_plays_and_pauses_and_the_end_stops(app: App) -> None:
    assert app.playback.playing
    app.tick(0.5)
    assert app.playback.time == 2.0
    press(app, pygame.K_SPACE, " ")
    app.tick(0.5)
    assert app.playback.time == 2.0
    press(app, pygame.K_SPACE, " ")
    app.tick(10.0)
    assert (app.playback.time, app.playback.playing) == (5.0, False)
    press(app, pygame.K_SPACE, " ")
    assert (app.playback.time, app.playback.playing) == (0.0, True)


def test_arrows_step_and_pause(app: App) -> None:
    app.playback.time = 2.4
    press(app, pygame.K_RIGHT)
    assert (app.playback.time, app.playback.playing) == (3.0, False)
    press(app, pygame.K_LEFT)
    assert app.playback.time == 2.0
    app.playback.time = 2.4
    press(app, pygame.K_LEFT)
    assert app.playback.time == 2.0
    for _ in range(9):
        press(app, pygame.K_LEFT)
    assert app.playback.time == 0.0
    press(app, pygame.K_END)
    assert app.playback.time == 5.0
    press(app, pygame.K_r, "r")
    assert (app.playback.time, app.playback.playing) == (0.0, True)


def test_speed_has_ends(app: App) -> None:
    for _ in range(10):
        press(app, pygame.K_PLUS, "+")
    assert app.playback.speed == SPEEDS[-1]
    for _ in range(10):
        press(app, pygame.K_MINUS, "-")
    assert app.playback.speed == SPEEDS[0]
    app.tick(1.0)
    assert app.playback.time == pytest.approx(4.0 * SPEEDS[0])


def test_the_wheel_zooms_about_the_pointer_and_dragging_pans(app: App) -> None:
    at = point(app, 2.0, 3.0)
    app.handle(Event(pygame.MOUSEMOTION, pos=at, rel=(0, 0), buttons=(0, 0, 0)))
    before, under = app.renderer.view.scale, app.renderer.view.point(*at)
    app.handle(Event(pygame.MOUSEWHEEL, x=0, y=2))
    assert app.renderer.view.scale > before
    assert app.renderer.view.point(*at) == pytest.approx(under)
    app.handle(Event(pygame.MOUSEBUTTONDOWN, button=1, pos=at))
    app.handle(Event(pygame.MOUSEMOTION, pos=(at[0] + 40, at[1] + 10), rel=(40, 10), buttons=(1, 0, 0)))
    app.handle(Event(pygame.MOUSEBUTTONUP, button=1, pos=at))
    assert app.renderer.view.point(at[0] + 40, at[1] + 10) == pytest.approx(under)
    for _ in range(60):
        app.handle(Event(pygame.MOUSEWHEEL, x=0, y=1))
    assert app.renderer.view.scale <= 200
    app.picture()
    press(app, pygame.K_0, "0")
    assert app.renderer.view == app.renderer.home


def test_layers_switch_by_key_and_by_chip(app: App) -> None:
    names = present_layers(app.scene)
    assert names == ("hazard", "graph", "pruned", "plan", "trails", "agents", "labels")
    press(app, pygame.K_2, "2")
    assert not app.renderer.switches.graph
    chip = dict(app.controls.chips)["graph"]
    click(app, chip.center)
    assert app.renderer.switches.graph
    press(app, pygame.K_9, "9")  # no such layer
    assert present_layers(Scene(walled_world("none"))) == ()


def test_timeline_and_play_button(app: App) -> None:
    line = app.controls.timeline
    app.handle(Event(pygame.MOUSEBUTTONDOWN, button=1, pos=(line.left + line.width * 2 // 5, line.centery)))
    assert app.playback.time == pytest.approx(2.0, abs=0.05)
    assert not app.playback.playing
    app.handle(Event(pygame.MOUSEMOTION, pos=(line.right + 50, line.centery), rel=(9, 0), buttons=(1, 0, 0)))
    assert app.playback.time == 5.0
    app.handle(Event(pygame.MOUSEBUTTONUP, button=1, pos=line.center))
    click(app, app.controls.play.center)
    assert app.playback.playing


def test_hover_tells_cells_hazards_nodes_edges_agents(app: App) -> None:
    app.playback.playing = False
    graph = app.scene.graph
    assert graph is not None
    rows = hover_at(app, 3.25, 6.25)
    assert rows["cell"] == "3, 6"
    assert float(rows["hazard"].removesuffix(" per step")) == pytest.approx(1.25, abs=0.03)
    assert float(rows["to obstacle"].removesuffix(" cells")) == pytest.approx(0.75, abs=0.03)
    assert "node" not in rows
    rows = hover_at(app, 2.5, 2.5)
    assert rows["node"] == str(node_at(graph, 2.5, 2.5))
    assert rows["edges out"] == "8"
    rows = hover_at(app, 2.5, 3.0)
    assert "edge" in rows
    assert rows["distance"] == "1.00 steps"
    rows = hover_at(app, 0.5, 0.5)
    assert rows["agent"] == "0"
    assert rows["to goal"] == "5.00 cells"
    assert hover_at(app, 4.5, 6.5)[""] == "wall"
    assert hover.probe(app.renderer, 5000, 5000, 0.0) is None


def test_hover_changes_the_picture(app: App) -> None:
    app.playback.playing = False
    plain = to_array(app.picture())
    hover_at(app, 2.5, 2.5)
    assert not np.array_equal(plain, to_array(app.picture()))
    app.handle(Event(pygame.WINDOWLEAVE))
    assert np.array_equal(plain, to_array(app.picture()))


def test_resize_keeps_what_was_looked_at(app: App) -> None:
    app.zoom(2.0, point(app, 3.0, 3.0))
    view = app.renderer.view
    centre = view.point(view.left + view.width / 2, view.top + view.height / 2)
    app.handle(Event(pygame.VIDEORESIZE, w=1100, h=800, size=(1100, 800)))
    view = app.renderer.view
    assert view.point(view.left + view.width / 2, view.top + view.height / 2) == pytest.approx(centre, abs=0.02)
    assert app.picture().get_size() == (1100, 800)
    app.handle(Event(pygame.VIDEORESIZE, w=10, h=10, size=(10, 10)))
    assert app.picture().get_size() == viewer.LEAST_SIZE


def test_screenshots_never_overwrite(app: App, tmp_path: Path) -> None:
    press(app, pygame.K_s, "s")
    press(app, pygame.K_s, "s")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["two-agents-step000-1.png", "two-agents-step000.png"]
    assert "saved" in app.note
    app.tick(0.5)
    app.tick(9.0)
    assert app.note == ""
    app.folder = tmp_path / "two-agents-step000.png"
    press(app, pygame.K_s, "s")
    assert "cannot be written" in app.note


def test_a_scene_without_motion_opens_paused() -> None:
    still = App(Scene(walled_world()), (800, 600))
    assert not still.playback.playing
    press(still, pygame.K_SPACE, " ")
    press(still, pygame.K_RIGHT)
    click(still, still.controls.play.center)
    assert (still.playback.time, still.playback.playing) == (0.0, False)
    still.picture()


def test_quit(app: App) -> None:
    press(app, pygame.K_ESCAPE)
    assert not app.running
    app.running = True
    app.handle(Event(pygame.QUIT))
    assert not app.running


def test_the_window_opens_plays_and_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    shown: list[np.ndarray] = []

    def flip(true_flip=pygame.display.flip) -> None:  # type: ignore[no-untyped-def]
        true_flip()
        surface = pygame.display.get_surface()
        assert surface is not None
        shown.append(to_array(surface))
        if len(shown) == 4:
            pygame.event.post(Event(pygame.KEYDOWN, key=pygame.K_q, unicode="q"))

    monkeypatch.setattr(pygame.display, "flip", flip)
    viewer.show(whole_scene(), (900, 700))
    assert len(shown) >= 4
    assert not np.array_equal(shown[1], shown[3])
    assert not pygame.display.get_init()
    with pytest.raises(InvalidInput, match="step"):
        viewer.show(whole_scene(), start=99)


def test_no_display_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(NavplanError, match=r"no display to open a window on; use --export OUT\.png or OUT\.gif"):
        viewer.check_display()
