"""The window: play, step, scrub, zoom, pan, switch layers, ask for values under the pointer."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from navplan.errors import FileAccessError, NavplanError
from navplan.viewer import hover, palette, text
from navplan.viewer.controls import STRIP, Controls, present_layers
from navplan.viewer.layers import Layers
from navplan.viewer.playback import Playback
from navplan.viewer.prepared import PreparedScene
from navplan.viewer.render import Renderer, check_step
from navplan.viewer.risk_choice import OnDrive, OnRiskAversion, RiskChoice
from navplan.viewer.risk_slider import RiskSlider
from navplan.viewer.scene import Scene
from navplan.viewer.screenshot import save_screenshot
from navplan.viewer.toolkit import pygame
from navplan.viewer.view import View

LEAST_SIZE = (720, 520)


class App:
    """The window's state, apart from the window itself: events go in, pictures come out.

    Args:
        scene: what to show.
        size: (width, height) in pixels.
        folder: where screenshots go.
        choice: of risk aversion, moved by a slider; `scene` is its first one. None: no slider.
    """

    def __init__(
        self, scene: Scene, size: tuple[int, int] = (1280, 900), folder: str | Path = ".", choice: RiskChoice | None = None
    ) -> None:
        self.scene, self.folder = scene, Path(folder)
        self.slider = RiskSlider(choice) if choice is not None else None
        self.playback = Playback(scene.num_steps)
        self.running = True
        self.note, self.note_left = "", 0.0
        self.pointer: tuple[int, int] | None = None
        self.grip: str | None = None
        self.changed = True
        self._ready = PreparedScene.of(scene)
        self._resize(size, Layers(), None)

    def _resize(self, size: tuple[int, int], switches: Layers, view: View | None) -> None:
        size = (max(size[0], LEAST_SIZE[0]), max(size[1], LEAST_SIZE[1]))
        unit = min(max(size[0] / 1200, 0.8), 1.35)
        self.renderer = Renderer(self.scene, size, 2, switches, None, round(STRIP * unit), self._ready, self.slider)
        if view is not None:  # keep the centre and the scale of what was looked at
            row, col = view.row + view.height / view.scale / 2, view.col + view.width / view.scale / 2
            home = self.renderer.home
            fresh = View(home.left, home.top, home.width, home.height, view.scale, 0.0, 0.0)
            self.renderer.view = fresh.moved(
                (fresh.width / view.scale / 2 - col) * view.scale, (fresh.height / view.scale / 2 - row) * view.scale
            )
        self.controls = Controls.lay_out(self.scene, size, unit)

    def handle(self, event: pygame.event.Event) -> None:
        """Take one event of the window."""
        self.changed = True
        if event.type == pygame.QUIT:
            self.running = False
        elif event.type == pygame.KEYDOWN:
            self._key(event.key, event.unicode)
        elif event.type == pygame.VIDEORESIZE:
            zoomed = self.renderer.view != self.renderer.home
            self._resize((event.w, event.h), self.renderer.switches, self.renderer.view if zoomed else None)
        elif event.type == pygame.MOUSEBUTTONDOWN and event.button == 1:
            self._press(*event.pos)
        elif event.type == pygame.MOUSEBUTTONUP and event.button == 1:
            if self.grip == "risk" and self.slider is not None:
                self.slider.choice.let_go()
            self.grip = None
        elif event.type == pygame.MOUSEMOTION:
            self._move(event)
        elif event.type == pygame.MOUSEWHEEL:
            if self.slider is not None and self.slider.hot:
                self.step_risk(1 if event.y > 0 else -1)
            else:
                self.zoom(1.2**event.y, self.pointer)
        elif event.type == pygame.WINDOWLEAVE:
            self.pointer = None
            if self.slider is not None:
                self.slider.hot = False

    def _key(self, key: int, letter: str) -> None:
        if key in (pygame.K_ESCAPE, pygame.K_q):
            self.running = False
        elif self.slider is not None and self._risk_key(self.slider, key, letter):
            return
        elif key == pygame.K_SPACE:
            self.playback.toggle()
        elif key in (pygame.K_RIGHT, pygame.K_LEFT):
            self.playback.step(1 if key == pygame.K_RIGHT else -1)
        elif key in (pygame.K_HOME, pygame.K_END):
            self.playback.pause_at(0.0 if key == pygame.K_HOME else self.playback.steps)
        elif letter in ("+", "=") or key == pygame.K_KP_PLUS:
            self.playback.faster(1)
        elif letter in ("-", "_") or key == pygame.K_KP_MINUS:
            self.playback.faster(-1)
        elif letter == "0":
            self.renderer.view = self.renderer.home
        elif letter.isdigit() and int(letter) <= len(present_layers(self.scene)):
            self.toggle_layer(present_layers(self.scene)[int(letter) - 1])
        elif key == pygame.K_r:
            self.playback.restart()
        elif key == pygame.K_s:
            self._screenshot()

    def _risk_key(self, slider: RiskSlider, key: int, letter: str) -> bool:
        """Take a key that is the slider's: brackets always, arrows and ends while it has the focus, which Tab gives."""
        choice = slider.choice
        if key == pygame.K_TAB:
            slider.focused = not slider.focused
        elif letter in ("[", "]"):
            self.step_risk(1 if letter == "]" else -1)
        elif slider.focused and key in (pygame.K_LEFT, pygame.K_DOWN, pygame.K_RIGHT, pygame.K_UP):
            self.step_risk(1 if key in (pygame.K_RIGHT, pygame.K_UP) else -1)
        elif slider.focused and key in (pygame.K_HOME, pygame.K_END):
            choice.choose(0.0 if key == pygame.K_HOME else choice.scale.top)
            choice.let_go()
            self._follow()
        else:
            return False
        return True

    def step_risk(self, by: int) -> None:
        """Move the slider to the next stop."""
        if self.slider is not None:
            self.slider.choice.step(by)
            self._follow()

    def _follow(self) -> None:
        """Show the choice's scene. While it will soon be replaced agents wait at their starts; then time goes on as before."""
        assert self.slider is not None
        choice = self.slider.choice
        if choice.unsettled:
            self.playback.wait()
        if choice.scene is not self.scene:
            self.scene = self.renderer.scene = choice.scene
            self.controls = Controls.lay_out(self.scene, self.renderer.size, self.renderer.unit)
            self.playback.change(self.scene.num_steps)
        if not choice.unsettled:
            self.playback.resume()

    def toggle_layer(self, name: str) -> None:
        """Switch one layer."""
        self.renderer.switches = self.renderer.switches.toggled(name)

    def zoom(self, factor: float, at: tuple[int, int] | None) -> None:
        """Zoom about a pixel, or about the middle of the map; from a tenth of the fitting scale to 160 pixels a cell."""
        view, home = self.renderer.view, self.renderer.home
        if at is None or not view.holds(*at):
            at = (view.left + view.width // 2, view.top + view.height // 2)
        self.renderer.view = view.zoomed(factor, *at, lowest=home.scale * 0.5, highest=max(160.0, home.scale * 4))

    def _press(self, x: int, y: int) -> None:
        if self.slider is not None:
            self.slider.focused = self.slider.area(self.renderer.panel, self.renderer.slider_top).collidepoint(x, y)
            if self.slider.focused:
                self.grip = "risk"
                self.slider.choice.hold()
                self._drag_risk(self.slider, x)
                return
        chip = self.controls.chip_at(x, y)
        if chip is not None:
            self.toggle_layer(chip)
        elif self.scene.num_steps and self.controls.play.collidepoint(x, y):
            self.playback.toggle()
        elif self.scene.num_steps and self.controls.timeline.inflate(0, 10).collidepoint(x, y):
            self.grip = "time"
            self.playback.pause_at(self.controls.time_at(x, self.scene.num_steps))
        elif self.renderer.view.holds(x, y):
            self.grip = "map"

    def _drag_risk(self, slider: RiskSlider, x: int) -> None:
        slider.choice.choose(slider.value_at(x, slider.track(self.renderer.panel, self.renderer.slider_top)))
        self._follow()

    def _move(self, event: pygame.event.Event) -> None:
        self.pointer = event.pos
        if self.slider is not None:
            area = self.slider.area(self.renderer.panel, self.renderer.slider_top)
            self.slider.hot = self.grip == "risk" or (self.grip is None and area.collidepoint(event.pos))
            if self.grip == "risk":
                self._drag_risk(self.slider, event.pos[0])
        if self.grip == "time":
            self.playback.pause_at(self.controls.time_at(event.pos[0], self.scene.num_steps))
        elif self.grip == "map":
            self.renderer.view = self.renderer.view.moved(*event.rel)

    def tick(self, seconds: float) -> None:
        """Let time pass."""
        if self.slider is not None and self.slider.choice.update(seconds):
            self.changed = True
            self._follow()
        self.changed |= self.playback.playing
        self.playback.pass_time(seconds)
        if self.note_left > 0:
            self.note_left -= seconds
            if self.note_left <= 0:
                self.note, self.changed = "", True

    def picture(self) -> pygame.Surface:
        """The window's contents."""
        now = self.playback
        frame = self.renderer.frame(now.time)
        on, slider = self.renderer.switches, self.slider is not None
        self.controls.draw(frame, self.scene, now.time, now.playing, now.speed, on, self.note, slider)
        if self.pointer is not None and self.grip is None:
            found = hover.probe(self.renderer, *self.pointer, now.time)
            if found is not None:
                hover.draw_probe(frame, self.renderer, found, *self.pointer)
        return frame

    def _screenshot(self) -> None:
        try:
            path = save_screenshot(self.renderer, self.playback.time, self.folder)
        except FileAccessError as error:
            self.note, self.note_left = str(error), 6.0
        else:
            self.note, self.note_left = f"saved {path.name}", 4.0


def check_display() -> None:
    """Start pygame's display, to see whether there is one.

    Raises:
        NavplanError: there is none to open a window on.
    """
    advice = "use --export OUT.png or OUT.gif"
    chosen = os.environ.get("SDL_VIDEODRIVER")
    windowed = sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not (windowed or chosen):
        raise NavplanError(f"no display to open a window on; {advice}")
    try:
        pygame.display.init()
    except pygame.error as error:
        raise NavplanError(f"no display to open a window on ({error}); {advice}") from error
    if not chosen and pygame.display.get_driver() in ("offscreen", "dummy"):  # what SDL falls back to, seen by nobody
        pygame.display.quit()
        raise NavplanError(f"no display to open a window on; {advice}")


def has_display() -> bool:
    """Whether a window can be opened here."""
    try:
        check_display()
    except NavplanError:
        return False
    return True


def show(
    scene: Scene,
    size: tuple[int, int] = (1280, 900),
    start: float | None = None,
    *,
    on_risk_aversion: OnRiskAversion | None = None,
    on_drive: OnDrive | None = None,
    risk_aversion: float = 4.0,
) -> None:
    """Open a window and stay until it is closed.

    Args:
        scene: what to show.
        size: (width, height) of the window, less where the screen is smaller.
        start: time step to begin at, paused; None plays from the start.
        on_risk_aversion: plans again with another weight of risk, called in a thread of the window's; a slider in the panel
            asks for it, and once at the beginning for the weight that the scene has, so that it is warm. None: no slider.
        on_drive: drives what was planned with a weight of risk, called in the same thread once the slider is let go.
        risk_aversion: the weight that the scene was planned, and driven, with.

    Raises:
        InvalidInput: the step is not in the scene, or the weight is negative.
        NavplanError: there is no display.
    """
    check_step(scene, start)
    choice = None if on_risk_aversion is None else RiskChoice(scene, on_risk_aversion, on_drive, risk_aversion)
    check_display()
    try:
        desktop = pygame.display.get_desktop_sizes()[0]
        window = (min(size[0], max(desktop[0] - 80, LEAST_SIZE[0])), min(size[1], max(desktop[1] - 120, LEAST_SIZE[1])))
        screen = pygame.display.set_mode(window, pygame.RESIZABLE)
        pygame.display.set_caption(f"navplan - {scene.title or scene.world.name}")
        _splash(screen)
        app = App(scene, window, choice=choice)
        if choice is not None:
            choice.warm_up()
        if start is not None:
            app.playback.pause_at(start)
        clock = pygame.time.Clock()
        while app.running:
            seconds = clock.tick(60) / 1000
            for event in pygame.event.get():
                app.handle(event)
            app.tick(min(seconds, 0.1))
            if app.changed:
                app.changed = False
                (pygame.display.get_surface() or screen).blit(app.picture(), (0, 0))
                pygame.display.flip()
    finally:
        pygame.display.quit()
        if choice is not None:
            choice.worker.close()


def _splash(screen: pygame.Surface) -> None:
    """Something to see while rasters and meshes are computed."""
    screen.fill(palette.PAGE)
    width, height = screen.get_size()
    text.draw(screen, "preparing the picture", (width / 2, height / 2), 16, palette.FAINT, anchor="centre")
    pygame.display.flip()
