"""The strip under the map: play button, timeline, speed, layer chips, and a line of help."""

from __future__ import annotations

from dataclasses import dataclass

from navplan.viewer import palette, shapes, text
from navplan.viewer.layers import Layers
from navplan.viewer.scene import Scene
from navplan.viewer.toolkit import pygame

STRIP = 98
"""Height of the strip in pixels at unit 1."""

HELP = (
    ("space", "play"),
    ("left right", "step"),
    ("+ -", "speed"),
    ("wheel", "zoom"),
    ("drag", "pan"),
    ("0", "fit"),
    ("r", "restart"),
    ("s", "screenshot"),
    ("esc", "quit"),
)
RISK_HELP = ("[ ]", "risk aversion")


def present_layers(scene: Scene) -> tuple[str, ...]:
    """Names of the layers that the scene has something for."""
    there = {
        "hazard": scene.world.hazard.kind != "none",
        "graph": scene.graph is not None,
        "pruned": scene.pruned is not None,
        "plan": bool(scene.plans),
        "trails": scene.num_steps > 0,
        "agents": scene.num_agents > 0,
        "labels": scene.num_agents > 0,
    }
    return tuple(name for name in Layers.names() if there[name])


@dataclass(frozen=True)
class Controls:
    """Where the strip's parts lie, in pixels of the window."""

    play: pygame.Rect
    timeline: pygame.Rect
    speed: tuple[float, float]
    chips: tuple[tuple[str, pygame.Rect], ...]
    help_at: tuple[float, float]
    width: int
    unit: float

    @classmethod
    def lay_out(cls, scene: Scene, size: tuple[int, int], unit: float) -> Controls:
        """Two rows and a line of help along the window's lower edge."""
        margin = round(30 * unit)
        top = size[1] - round(STRIP * unit)
        row = top + round(16 * unit)
        radius = round(15 * unit)
        play = pygame.Rect(margin, row - radius, 2 * radius, 2 * radius)
        speed_width = round(64 * unit)
        timeline = pygame.Rect(play.right + round(16 * unit), row - round(9 * unit), 0, round(18 * unit))
        timeline.width = max(size[0] - margin - speed_width - timeline.left, 20)
        chips: list[tuple[str, pygame.Rect]] = []
        left, chip_top, height = margin, top + round(38 * unit), round(23 * unit)
        for number, name in enumerate(present_layers(scene), start=1):
            width = text.width(f"{number}  {name}", round(13 * unit)) + round(26 * unit)
            chips.append((name, pygame.Rect(left, chip_top, width, height)))
            left += width + round(8 * unit)
        help_at = (margin, top + round(76 * unit))
        return cls(play, timeline, (size[0] - margin, row), tuple(chips), help_at, size[0] - 2 * margin, unit)

    def chip_at(self, x: float, y: float) -> str | None:
        """The layer whose chip is under a pixel."""
        return next((name for name, box in self.chips if box.collidepoint(x, y)), None)

    def time_at(self, x: float, steps: int) -> float:
        """The step under a pixel of the timeline."""
        return min(max((x - self.timeline.left) / max(self.timeline.width, 1), 0.0), 1.0) * steps

    def draw(
        self,
        picture: pygame.Surface,
        scene: Scene,
        time: float,
        playing: bool,
        speed: float,
        on: Layers,
        note: str,
        slider: bool = False,
    ) -> None:
        """The whole strip; `note` replaces the help for a moment, `slider` adds its keys."""
        if scene.num_steps:
            self._transport(picture, scene, time, playing, speed)
        size = round(13 * self.unit)
        for number, (name, box) in enumerate(self.chips, start=1):
            lit = getattr(on, name)
            shapes.pill(picture, palette.TEXT if lit else palette.RULE, box)
            if not lit:
                shapes.pill(picture, palette.PAGE, box.inflate(-2, -2))
            ink = palette.FLOOR if lit else palette.FAINT
            text.draw(picture, f"{number}  {name}", box.center, size, ink, anchor="centre")
        if note:
            text.draw(picture, text.shorten(note, size, self.width), self.help_at, size, palette.INK)
            return
        left = self.help_at[0]
        for key, what in (RISK_HELP, *HELP) if slider else HELP:
            needed = text.width(key, size) + text.width(what, size) + 22 * self.unit
            if left + needed > self.help_at[0] + self.width:
                break
            left += text.draw(picture, key, (left, self.help_at[1]), size, palette.TEXT) + 5 * self.unit
            left += text.draw(picture, what, (left, self.help_at[1]), size, palette.FAINT) + 17 * self.unit

    def _transport(self, picture: pygame.Surface, scene: Scene, time: float, playing: bool, speed: float) -> None:
        shapes.pill(picture, palette.TEXT, self.play)
        x, y = self.play.center
        half = self.play.width * 0.2
        if playing:
            for side in (-1, 1):
                bar = pygame.Rect(0, 0, max(round(half * 0.6), 2), round(half * 2))
                bar.center = (round(x + side * half * 0.65), y)
                pygame.draw.rect(picture, palette.FLOOR, bar)
        else:
            pygame.draw.polygon(
                picture, palette.FLOOR, [(x - half * 0.7, y - half * 1.1), (x - half * 0.7, y + half * 1.1), (x + half * 1.2, y)]
            )
        line = self.timeline
        thick = 5 * self.unit
        done = line.width * time / scene.num_steps
        shapes.pill(picture, palette.RULE, (line.left, line.centery - thick / 2, line.width, thick))
        shapes.pill(picture, palette.TEXT, (line.left, line.centery - thick / 2, max(done, thick), thick))
        knob = 15 * self.unit
        shapes.pill(picture, palette.FLOOR, (line.left + done - knob / 2 - 2, line.centery - knob / 2 - 2, knob + 4, knob + 4))
        shapes.pill(picture, palette.INK, (line.left + done - knob / 2, line.centery - knob / 2, knob, knob))
        text.draw(picture, f"speed {speed:g}", self.speed, round(13 * self.unit), palette.TEXT, anchor="right")
