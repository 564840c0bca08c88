"""The panel's slider of risk aversion: where its parts lie, and how they look."""

from __future__ import annotations

from dataclasses import dataclass

from navplan.viewer import palette, shapes, text
from navplan.viewer.panel_box import PanelBox
from navplan.viewer.risk_choice import TICKS, RiskChoice
from navplan.viewer.scene import Scene
from navplan.viewer.toolkit import pygame

HEIGHT = 118
"""Of the slider with its lines of text, in units of the panel."""
_TRACK, _TICKS, _STATE, _TRADE = 38, 58, 80, 101
_CATCH = 6.0


@dataclass
class RiskSlider:
    """A slider over a choice.

    Attributes:
        choice: what it moves.
        focused: the arrow keys are the slider's.
        hot: the pointer is over it.
    """

    choice: RiskChoice
    focused: bool = False
    hot: bool = False

    @staticmethod
    def track(box: PanelBox, top: float) -> pygame.Rect:
        """The line that the knob moves on; its ends leave room for half a knob."""
        inset = box.px(8)
        thick = box.px(5)
        return pygame.Rect(box.left + inset, round(top + box.px(_TRACK) - thick / 2), box.width - 2 * inset, thick)

    @classmethod
    def area(cls, box: PanelBox, top: float) -> pygame.Rect:
        """What answers to the pointer: the track, and its tick labels below."""
        track = cls.track(box, top)
        return pygame.Rect(box.left, track.centery - box.px(15), box.width, box.px(46))

    def value_at(self, x: float, track: pygame.Rect) -> float:
        """The value under a pixel."""
        return self.choice.scale.value((x - track.left) / max(track.width, 1), _CATCH / max(track.width, 1))

    def draw(self, surface: pygame.Surface, box: PanelBox, scene: Scene, top: float) -> float:
        """Everything; returns where the next part of the panel begins."""
        choice, size = self.choice, box.px(14)
        title = top + box.px(10)
        text.draw(surface, "risk aversion", (box.left, title), size, palette.INK if self.focused else palette.TEXT)
        value = f"beta = {choice.value:g}"
        text.draw(surface, value, (box.left + box.width, title), size, palette.INK, anchor="right")
        self._line(surface, box, self.track(box, top))
        ink, line = self._state()
        text.draw(surface, text.shorten(line, box.px(13), box.width), (box.left, top + box.px(_STATE)), box.px(13), ink)
        self._trade(surface, box, scene, top + box.px(_TRADE))
        return top + box.px(HEIGHT)

    def _line(self, surface: pygame.Surface, box: PanelBox, track: pygame.Rect) -> None:
        choice, scale = self.choice, self.choice.scale
        x = track.left + scale.share(choice.value) * track.width
        if self.focused:
            ring = box.px(25)
            shapes.pill(surface, palette.FOCUS, (x - ring / 2, track.centery - ring / 2, ring, ring))
        shapes.pill(surface, palette.RULE, track)
        shapes.pill(surface, palette.TEXT, (track.left, track.top, max(x - track.left, track.height), track.height))
        ticks = sorted({*(t for t in TICKS if t <= scale.top), scale.default, scale.top})
        home = track.left + scale.share(scale.default) * track.width
        taken = [(home, text.width(f"{scale.default:g}", box.px(12)) / 2)]
        for tick in sorted(ticks, key=lambda t: t != scale.default):
            at = track.left + scale.share(tick) * track.width
            chosen = tick == scale.default
            half = text.width(f"{tick:g}", box.px(12)) / 2
            if not chosen and any(abs(at - other) < half + room + box.px(5) for other, room in taken):
                continue
            taken.append((at, half))
            tall = box.px(7 if chosen else 4)
            ink = palette.INK if chosen else palette.FAINT
            mark = pygame.Rect(0, track.bottom + box.px(4), box.px(2 if chosen else 1), tall)
            mark.centerx = round(at)
            pygame.draw.rect(surface, ink, mark)
            where = (at, track.centery + box.px(_TICKS - _TRACK))
            text.draw(surface, f"{tick:g}", where, box.px(12), ink, anchor="centre")
        knob = box.px(18 if choice.held else 17 if self.hot else 15)
        shapes.pill(surface, palette.FLOOR, (x - knob / 2 - 2, track.centery - knob / 2 - 2, knob + 4, knob + 4))
        shapes.pill(surface, palette.INK, (x - knob / 2, track.centery - knob / 2, knob, knob))

    def _state(self) -> tuple[palette.Colour, str]:
        choice = self.choice
        shown = f"beta = {choice.shown:g}"
        if choice.state == "failed":
            return palette.ALERT, choice.failure
        if choice.slow:
            return palette.PENDING, f"planning with beta = {choice.value:g} ..."
        if choice.state == "driven":
            return palette.FAINT, f"planned and driven with {shown}"
        if not choice.drives:
            return palette.FAINT, f"planned with {shown}, not driven"
        return palette.PENDING, f"planned with {shown}, not yet driven"

    def _trade(self, surface: pygame.Surface, box: PanelBox, scene: Scene, y: float) -> None:
        """What the slider trades: the distance and the risk of all planned paths, and what it changed in them."""
        now, first = _traded(scene), _traded(self.choice.first)
        if now is None:
            return
        size, column = box.px(13), box.width / 2
        for left, name, at in ((box.left, "distance", 0), (box.left + column, "risk", 1)):
            x = left + text.draw(surface, name, (left, y), size, palette.FAINT) + box.px(6)
            x += text.draw(surface, f"{now[at]:.1f}", (x, y), size, palette.INK) + box.px(6)
            if first is not None and self.choice.shown != self.choice.scale.default:
                text.draw(surface, f"{now[at] - first[at]:+.1f}", (x, y), size, palette.FAINT)


def _traded(scene: Scene) -> tuple[float, float] | None:
    """Distance and risk of the planned paths together."""
    plan = scene.plan
    if plan is None or plan.sum_of_costs is None or plan.total_risk is None:
        return None
    return plan.sum_of_costs - float(plan.problem.get("beta", 0.0)) * plan.total_risk, plan.total_risk
