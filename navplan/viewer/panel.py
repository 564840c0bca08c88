"""The side panel: what is shown, how far it got, what it cost so far, and how to read the colours."""

from __future__ import annotations

import numpy as np

from navplan.system.arrays import Bool, Float64
from navplan.viewer import palette, shapes, text
from navplan.viewer.layers import Layers
from navplan.viewer.panel_box import PanelBox
from navplan.viewer.risk_choice import RiskChoice
from navplan.viewer.risk_slider import HEIGHT as SLIDER
from navplan.viewer.risk_slider import RiskSlider
from navplan.viewer.scene import Scene
from navplan.viewer.toolkit import pygame

LISTED_AGENTS = 24
TWO_COLUMNS = 10
"""Agents beyond this stand in two columns."""
SMALLEST = 0.75
"""Unit under which text is hard to read."""
SPARED = ("map", "agents", "nodes", "edges", "pairs pruned", "planner", "seed", "method", "low level", "sum of costs", "plan")
"""Rows in the order in which a low window leaves them out."""
HEADING = 40
"""Height of the heading, in units of the panel; what follows it is the slider, where there is one."""


def facts(scene: Scene, counts: dict[str, str]) -> list[tuple[str, str]]:
    """Rows of the panel: what the parts say, then what the caller adds or overrides."""
    rows: dict[str, str] = {}
    world = scene.world
    rows["map"] = f"{world.height:g} x {world.width:g} cells"
    if scene.num_agents:
        rows["agents"] = str(scene.num_agents)
    plan = scene.plan or (scene.plans[0] if scene.plans else None)
    if plan is not None:
        rows["planner"] = plan.planner
        rows["plan"] = plan.status + (
            f", within {plan.suboptimality:.3f}" if plan.suboptimality and plan.status == "bounded" else ""
        )
        if plan.sum_of_costs is not None:
            rows["sum of costs"] = f"{plan.sum_of_costs:,.1f}".removesuffix(".0")
    rows.update(counts)
    rows.update({str(k): str(v) for k, v in scene.facts.items()})
    return list(rows.items())


def unit_of(scene: Scene, counts: dict[str, str], peak: float, height: float, unit: float) -> float:
    """The unit, at most `unit`, at which a panel with a slider is no higher than `height`; below a point rows are left out."""
    rows = 21 * len(facts(scene, counts))
    return max(min(unit, height / (_taken(scene, Layers(), peak) + rows)), min(unit, SMALLEST))


def _taken(scene: Scene, layers: Layers, peak: float) -> float:
    """Units of height of a panel with a slider, the rows of facts aside."""
    agents = scene.num_agents
    listed = 0 if agents > LISTED_AGENTS else 20 * agents if agents <= TWO_COLUMNS else 19 * -(-agents // 2)
    return HEADING + SLIDER + 9 + 16 + 40 + 70 + listed + 8 + _legend_units(scene, layers, peak)


def _fitting(rows: list[tuple[str, str]], room: float) -> list[tuple[str, str]]:
    """Those rows that `room` units hold; what the picture shows anyway goes first."""
    spare = len(rows) - max(int(room / 21), 0)
    dropped = [name for name in SPARED if any(key == name for key, _ in rows)][: max(spare, 0)]
    left = [row for row in rows if row[0] not in dropped]
    return left[: max(len(rows) - max(spare, 0), 0)]


def draw_panel(
    surface: pygame.Surface,
    box: PanelBox,
    scene: Scene,
    time: float,
    layers: Layers,
    counts: dict[str, str],
    peak: float,
    slider: RiskSlider | None = None,
) -> None:
    """The whole panel, top to bottom; the slider comes first, so that nothing that changes above moves it."""
    y = float(box.top)
    y = _heading(surface, box, scene, y)
    if slider is not None:
        y = _rule(surface, box, slider.draw(surface, box, scene, y))
    rows = facts(scene, counts)
    if slider is not None:
        rows = _fitting(rows, box.height / box.unit - _taken(scene, layers, peak))
    if rows:
        y = _rows(surface, box, rows, y)
    if scene.num_steps:
        y = _progress(surface, box, scene, time, y)
    if scene.num_agents and scene.cost_until(time) is not None:
        y = _costs(surface, box, scene, time, y)
    elif slider is not None and scene.planned_risk:
        y = _risks(surface, box, scene, slider.choice, y)
    bottom = box.top + box.height
    legend = _legend_height(box, scene, layers, peak)
    _legend(surface, box, scene, layers, peak, max(y + box.px(6), bottom - legend))


def _heading(surface: pygame.Surface, box: PanelBox, scene: Scene, y: float) -> float:
    title = text.shorten(scene.title or scene.world.name, box.px(25), box.width)
    text.draw(surface, title, (box.left, y + box.px(14)), box.px(25), palette.INK)
    return y + box.px(HEADING)


def _rows(surface: pygame.Surface, box: PanelBox, rows: list[tuple[str, str]], y: float) -> float:
    size, step = box.px(14), box.px(21)
    for key, value in rows:
        centre = y + step / 2
        used = text.draw(surface, key, (box.left, centre), size, palette.FAINT)
        room = box.width - used - box.px(12)
        text.draw(surface, text.shorten(value, size, room), (box.left + box.width, centre), size, palette.INK, anchor="right")
        y += step
    return _rule(surface, box, y + box.px(7))


def _rule(surface: pygame.Surface, box: PanelBox, y: float) -> float:
    pygame.draw.rect(surface, palette.RULE, (box.left, round(y), box.width, 1))
    return y + box.px(9)


def _progress(surface: pygame.Surface, box: PanelBox, scene: Scene, time: float, y: float) -> float:
    size = box.px(14)
    centre = y + box.px(10)
    used = text.draw(surface, "step", (box.left, centre), size, palette.FAINT)
    text.draw(surface, f"{int(time)} of {scene.num_steps}", (box.left + used + box.px(8), centre), size, palette.INK)
    if scene.num_agents:
        there = int(scene.arrived(time).sum())
        label = f"{there} of {scene.num_agents} at goal"
        colour = palette.GOOD if there == scene.num_agents else palette.TEXT
        text.draw(surface, label, (box.left + box.width, centre), size, colour, anchor="right")
    y += box.px(24)
    height = box.px(5)
    shapes.pill(surface, palette.RULE, (box.left, y, box.width, height))
    shapes.pill(surface, palette.TEXT, (box.left, y, max(box.width * time / scene.num_steps, height), height))
    return y + box.px(16)


def _costs(surface: pygame.Surface, box: PanelBox, scene: Scene, time: float, y: float) -> float:
    cost = scene.cost_until(time)
    assert cost is not None
    size = box.px(14)
    centre = y + box.px(10)
    text.draw(surface, "cost so far", (box.left, centre), size, palette.FAINT)
    summary = f"mean {cost.mean():.2f}   max {cost.max():.2f}"
    text.draw(surface, summary, (box.left + box.width, centre), size, palette.INK, anchor="right")
    y += box.px(25)
    if scene.num_agents <= LISTED_AGENTS:
        y = _bars(surface, box, cost, scene.largest_cost, scene.arrived(time), y)
    for count, what in ((scene.contacts_until(time), "between agents"), (scene.wall_contacts_until(time), "with walls")):
        if count is not None:
            _contacts(surface, box, count, what, y)
            y += box.px(22)
    return _rule(surface, box, y + box.px(6))


def _contacts(surface: pygame.Surface, box: PanelBox, count: int, what: str, y: float) -> None:
    """One line that is red where there are any."""
    centre = y + box.px(11)
    colour = palette.ALERT if count else palette.GOOD
    shapes.pill(surface, colour, (box.left, centre - box.px(4), box.px(9), box.px(9)))
    label = f"no contacts {what}" if count == 0 else f"{count} contact{'s' if count > 1 else ''} {what}"
    text.draw(surface, label, (box.left + box.px(17), centre), box.px(14), colour if count else palette.TEXT)


def _risks(surface: pygame.Surface, box: PanelBox, scene: Scene, choice: RiskChoice, y: float) -> float:
    """Where costs stand once driven: what the planned paths risk."""
    risk = np.asarray(scene.planned_risk)
    size, centre = box.px(14), y + box.px(10)
    text.draw(surface, "planned risk", (box.left, centre), size, palette.FAINT)
    summary = f"mean {risk.mean():.2f}   max {risk.max():.2f}"
    text.draw(surface, summary, (box.left + box.width, centre), size, palette.INK, anchor="right")
    y += box.px(25)
    if scene.num_agents <= LISTED_AGENTS:
        y = _bars(surface, box, risk, choice.largest_risk, np.ones(len(risk), np.bool_), y)
    label = "cost and contacts show when driven" if choice.drives else "not driven: no cost, no contacts to show"
    text.draw(surface, label, (box.left, y + box.px(11)), size, palette.FAINT)
    return _rule(surface, box, y + box.px(28))


def _bars(surface: pygame.Surface, box: PanelBox, values: Float64, most: float, strong: Bool, y: float) -> float:
    """One bar an agent, full at `most`."""
    agents = len(values)
    columns = 1 if agents <= TWO_COLUMNS else 2
    gap = box.px(16)
    width = (box.width - gap * (columns - 1)) / columns
    step = box.px(20 if columns == 1 else 19)
    rows = -(-agents // columns)
    top = max(most, 1e-9)
    for agent in range(agents):
        column, row = divmod(agent, rows)
        left, centre = box.left + column * (width + gap), y + (row + 0.5) * step
        colour = palette.agent_colour(agent)
        badge = box.px(16)
        shapes.pill(surface, colour, (left, centre - badge / 2, badge, badge))
        text.draw(surface, str(agent), (left + badge / 2, centre), box.px(10), palette.contrast_ink(colour), "bold", "centre")
        start, end = left + badge + box.px(8), left + width - box.px(38 if most < 9.995 else 45)
        shapes.pill(surface, palette.RULE, (start, centre - box.px(3), end - start, box.px(6)))
        shapes.pill(surface, colour, (start, centre - box.px(3), (end - start) * float(values[agent]) / top, box.px(6)))
        ink = palette.INK if strong[agent] else palette.FAINT
        text.draw(surface, f"{values[agent]:.2f}", (left + width, centre), box.px(13), ink, anchor="right")
    return y + rows * step + box.px(4)


def _scales(scene: Scene, layers: Layers, peak: float) -> list[tuple[str, str, float]]:
    found: list[tuple[str, str, float]] = []
    if layers.hazard and scene.world.hazard.kind != "none":
        found.append(("hazard", "hazard: cost per step", scene.world.hazard.peak))
    if layers.graph and scene.graph is not None and peak > 0:
        found.append(("risk", "edge risk: predicted cost on the way", peak))
    return found


def _symbols(scene: Scene, layers: Layers) -> list[str]:
    found: list[str] = []
    if scene.num_agents:
        found += ["start", "goal"]
    if layers.plan and scene.plans:
        found.append("plan")
    if layers.trails and scene.num_steps:
        found.append("driven" if scene.trajectory is not None else "moved")
    if layers.pruned and scene.pruned is not None:
        found.append("pruned")
    found.append("wall" if scene.world.is_grid else "obstacle")
    return found


def _legend_height(box: PanelBox, scene: Scene, layers: Layers, peak: float) -> int:
    return box.px(_legend_units(scene, layers, peak))


def _legend_units(scene: Scene, layers: Layers, peak: float) -> int:
    return 52 * len(_scales(scene, layers, peak)) + 22 * (-(-len(_symbols(scene, layers)) // 3)) + 2


def _legend(surface: pygame.Surface, box: PanelBox, scene: Scene, layers: Layers, peak: float, y: float) -> None:
    for kind, label, most in _scales(scene, layers, peak):
        text.draw(surface, label, (box.left, y + box.px(8)), box.px(13), palette.TEXT)
        ramp = palette.hazard_ramp if kind == "hazard" else palette.risk_ramp
        strip = ramp(np.linspace(0, 1, box.width))[:, None, :].repeat(box.px(9), axis=1)
        surface.blit(pygame.surfarray.make_surface(strip), (box.left, round(y + box.px(19))))
        pygame.draw.rect(surface, palette.RULE, (box.left, round(y + box.px(19)), box.width, box.px(9)), 1)
        marks: tuple[tuple[float, text.Anchor], ...] = ((0.0, "left"), (0.5, "centre"), (1.0, "right"))
        for share, anchor in marks:
            at = (box.left + share * box.width, y + box.px(36))
            text.draw(surface, f"{most * share:.3g}", at, box.px(12), palette.FAINT, anchor=anchor)
        y += box.px(52)
    column = box.width / 3
    for index, name in enumerate(_symbols(scene, layers)):
        left, centre = box.left + (index % 3) * column, y + (index // 3) * box.px(22) + box.px(10)
        _symbol(surface, name, (left, centre), box)
        text.draw(surface, name, (left + box.px(25), centre), box.px(13), palette.TEXT)


def _symbol(surface: pygame.Surface, name: str, at: tuple[float, float], box: PanelBox) -> None:
    factor = 4
    width, height = box.px(20), box.px(16)
    large = pygame.Surface((width * factor, height * factor))
    large.fill(palette.PAGE)
    unit = box.unit * factor
    middle = (width * factor / 2, height * factor / 2)
    ends = np.asarray([(0.0, middle[1]), (width * factor, middle[1])])
    if name == "start":
        shapes.square(large, palette.TEXT, middle, 5 * unit)
        shapes.square(large, palette.FLOOR, middle, 3.4 * unit)
    elif name == "goal":
        shapes.disc(large, palette.mix(palette.PAGE, palette.TEXT, 0.18), middle, 6.5 * unit)
        shapes.ring(large, palette.TEXT, middle, 6.5 * unit, 1.6 * unit)
    elif name == "plan":
        shapes.dashes(large, palette.TEXT, ends, 1.6 * unit, 4 * unit, 3 * unit)
        shapes.diamond(large, palette.PAGE, middle, 5.5 * unit)
        shapes.diamond(large, palette.TEXT, middle, 4 * unit)
    elif name in ("driven", "moved"):
        shapes.polyline(large, palette.TEXT, ends, 3.4 * unit)
    elif name == "pruned":
        shapes.dashes(large, palette.PRUNED, ends, 1.0 * unit, 3 * unit, 3 * unit)
    else:
        shapes.square(large, palette.WALL, middle, 6 * unit)
    surface.blit(pygame.transform.smoothscale(large, (width, height)), (round(at[0]), round(at[1] - height / 2)))
