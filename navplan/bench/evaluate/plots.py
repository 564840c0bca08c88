"""Figures of an evaluation, for print: success and cost against agents, the front of steps and cost, trajectories."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from navplan.bench.evaluate.calibration import calibration_picture
from navplan.bench.evaluate.summary import Bootstrap, Estimate, SettingRuns, Where, headline, on_shared_problems
from navplan.bench.evaluate.tables import NAMES, Evidence, percent
from navplan.bench.evaluate.trajectories import small_multiples
from navplan.bench.style import COLUMN, PAGE, WIDE_COLUMN, drawing, look, save_figure
from navplan.system.arrays import Float64

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

_LINEAR = "\n(linear below 1)"  # said beside a logarithmic axis of costs
# Settings that take this many times the median steps are named instead of drawn.
_FAR = 3.0
# Costs whose largest is this many times the usual one are drawn on a logarithmic axis, linear below 1.
_WIDE = 8.0


def draw_all(folder: Path, evidence: Evidence) -> list[Path]:
    """Draw every figure that there is evidence for, as PNG, SVG and PDF; the files written.

    Raises:
        MissingExtra: matplotlib is not installed.
        FileAccessError: the folder cannot be written.
    """
    written: list[Path] = []
    shown = evidence.suite.figures
    with drawing("figures"):
        if len({where[2] for where in evidence.places}) > 1 and evidence.suite.base is None:
            for column, name in (("success", "success"), ("cost_max", "cost")):
                written += save_figure(against_agents(evidence, column, _labels(evidence, parts=False)), folder / name)
                alike = _labels(evidence, parts=True)
                if len(alike) > 1:
                    written += save_figure(against_agents(evidence, column, alike), folder / f"{name}-same-execution")
        if shown is not None and shown.where in evidence.places:
            written += save_figure(front(evidence, shown.where), folder / "pareto")
        if shown is not None and evidence.trajectories:
            written += save_figure(small_multiples(evidence, shown.map), folder / "trajectories")
        if evidence.calibration:
            written += save_figure(calibration_picture(evidence.calibration), folder / "calibration")
    return written


def _labels(evidence: Evidence, *, parts: bool) -> list[str]:
    """``method/setting`` of the headline settings with evidence: of methods as they are, or with parts of navplan's execution."""
    known = {group.label for group in evidence.groups}
    chosen = [s for s in evidence.suite.settings if s.headline and (bool(s.part) == parts or s.method == "navplan")]
    return [setting.label for setting in chosen if setting.label in known]


def against_agents(evidence: Evidence, column: str, shown: Sequence[str]) -> Picture:
    """Success rate or cost of the settings `shown` against the number of agents, one panel for each map and difficulty.

    Each team of agents on the problems that all of the settings were run on.
    """
    from matplotlib.figure import Figure as Canvas
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    panels = list(dict.fromkeys(where[:2] for where in evidence.places))
    across = min(3, len(panels))
    down = math.ceil(len(panels) / across)
    long_names = any("+" in label for label in shown)
    width = {1: WIDE_COLUMN if long_names else COLUMN, 2: WIDE_COLUMN}.get(across, PAGE)
    picture = Canvas(figsize=(width, 1.9 * down + (0.7 if across == 1 else 0.45)), layout="constrained")
    grid = picture.subplots(down, across, squeeze=False, sharey=True)
    teams = sorted({where[2] for where in evidence.places})
    groups = [g for where in evidence.places for g in on_shared_problems([g for g in evidence.at(where) if g.label in shown])]
    found = [headline(group.values(column)) for group in groups]
    wide = column == "cost_max" and max(found) > 2 * _WIDE * max(min(found), 1.0)
    for k, axes in enumerate(grid.flat):
        if k >= len(panels):
            axes.set_axis_off()
            continue
        here = [group for group in groups if group.where[:2] == panels[k]]
        for place, label in enumerate(shown):
            mine = sorted((group for group in here if group.label == label), key=lambda group: group.where[2])
            if mine:
                shift = 1.0 + 0.05 * (place - (len(shown) - 1) / 2)  # intervals stand side by side
                _curve(axes, evidence.bootstrap, mine, column, shift)
        if column == "cost_max":
            _oracle_curve(axes, here, "oracle_cost_max")
            if wide:
                _logarithmic(axes)
        else:
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f} %"))
        axes.set_title(_panel_name(panels[k], panels))
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(teams))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(visible=False, axis="x")
        if k + across >= len(panels):
            axes.set_xlabel("agents")
        if k % across == 0:
            axes.set_ylabel({"success": "success", "cost_max": f"cost, maximum over agents{_LINEAR if wide else ''}"}[column])
    low, high = (0.0, None) if column == "cost_max" else (-0.03, 1.04)
    grid[0, 0].set_ylim(low, high)  # once all panels, which share it, have drawn
    _legend(picture, dict.fromkeys(shown, ""), oracle=column == "cost_max", columns=2 if across == 1 else 4 if long_names else 6)
    return picture


def _logarithmic(axes: Axes) -> None:
    """Costs on a logarithmic axis that is linear below 1, so that 0 has its place."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_yscale("symlog", linthresh=1.0)
    axes.yaxis.set_major_locator(FixedLocator([0.0, 0.5, 1.0, *(k * 10.0**n for n in range(4) for k in (2, 5, 10))]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def _panel_name(panel: tuple[str, str], panels: Sequence[tuple[str, str]]) -> str:
    maps, difficulties = {p[0] for p in panels}, {p[1] for p in panels}
    if len(panels) == 1:
        return f"{panel[0]}, {panel[1]}"
    if len(maps) == 1:
        return panel[1]
    return panel[0] if len(difficulties) == 1 else f"{panel[0]}, {panel[1]}"


def _curve(axes: Axes, boot: Bootstrap, mine: Sequence[SettingRuns], column: str, shift: float) -> None:
    found = [boot.of(group.values(column)) for group in mine]
    at = [group.where[2] * shift for group in mine]
    axes.errorbar(at, [f.value for f in found], yerr=_bars(found), elinewidth=0.8, capsize=0, **look(mine[0].method))


def _oracle_curve(axes: Axes, here: Sequence[SettingRuns], column: str) -> None:
    by_team = {group.where[2]: headline(group.values(column)) for group in here}
    axes.plot(sorted(by_team), [by_team[team] for team in sorted(by_team)], color="black", linestyle=(0, (4, 2)), linewidth=0.9)


def _bars(found: Sequence[Estimate]) -> Float64:
    """(2, N) lengths below and above; 0 where nothing is known."""
    pairs = [(one.value - one.low, one.high - one.value) for one in found]
    return np.asarray(np.maximum(np.nan_to_num(np.array(pairs).T), 0.0))


def _legend(picture: Picture, shown: Mapping[str, str], *, oracle: bool, columns: int, lines: bool = True) -> None:
    """`shown`: words after the name, by ``method/setting``."""
    from matplotlib.lines import Line2D

    style = {} if lines else {"linestyle": "none"}
    handles = [
        Line2D([], [], label=_legend_name(label, tuple(shown)) + words, **look(label.split("/")[0], **style))
        for label, words in shown.items()
    ]
    if oracle:
        handles.append(Line2D([], [], color="black", linestyle=(0, (4, 2)), linewidth=0.9, label="oracle, agents alone"))
    picture.legend(
        handles=handles, loc="outside lower center", ncols=min(len(handles), columns), handlelength=1.8, columnspacing=1.2
    )


def _legend_name(label: str, shown: Sequence[str]) -> str:
    method, setting = label.split("/", 1)
    several = sum(other.split("/")[0] == method for other in shown) > 1
    return f"{NAMES[method]}, {setting}" if several else NAMES[method]


def front(evidence: Evidence, place: Where) -> Picture:
    """Mean steps and mean cost of every setting in one cell, and what the oracle can do."""
    from matplotlib.figure import Figure as Canvas

    boot, here = evidence.bootstrap, evidence.at(place)
    long_names = any("+" in group.method for group in here)
    picture = Canvas(figsize=(WIDE_COLUMN, 4.0) if long_names else (COLUMN, 3.0), layout="constrained")
    axes = picture.subplots()
    if evidence.front:
        _, steps, cost = zip(*evidence.front, strict=True)
        axes.plot(steps, cost, color="black", linewidth=0.9, linestyle=(0, (4, 2)), zorder=2)
    places = {group.label: (boot.of(group.values("steps_mean")), boot.of(group.values("cost_mean"))) for group in here}
    middle = float(np.median([steps_at.value for steps_at, _ in places.values()]))
    outside = []
    for group in here:
        steps_at, cost_at = places[group.label]
        main = group.label in evidence.suite.headlines
        if not main and steps_at.value > _FAR * middle:  # plans that fail: agents stand for the whole budget
            outside.append(f"{NAMES[group.method]} {group.setting} ({steps_at.value:.0f}, {cost_at.value:.0f})")
            continue
        style = look(group.method, linestyle="none")
        if not main:
            style |= {"markersize": 3.5, "alpha": 0.6}
        bars: dict[str, Any] = {"xerr": _bars([steps_at]), "yerr": _bars([cost_at])} if main else {}
        axes.errorbar([steps_at.value], [cost_at.value], **bars, elinewidth=0.8, capsize=0, **style)
    if outside:
        text = "\n".join(["beyond the axes:", *outside])
        # the corner of few steps and no cost is empty: the oracle's front ends above it
        axes.text(0.02, 0.03, text, transform=axes.transAxes, ha="left", va="bottom", fontsize=6, color="#555555")
    axes.set_xlabel("steps, mean over agents")
    axes.set_ylabel("cost, mean over agents")
    costs = [cost_at.value for steps_at, cost_at in places.values() if steps_at.value <= _FAR * middle]
    if max(costs) > _WIDE * max(min(costs), 1.0):
        _logarithmic(axes)
        axes.set_ylabel(f"cost, mean over agents{_LINEAR}")
    axes.set_ylim(bottom=0)
    axes.set_title(f"{place[0]}, {place[1]}, {place[2]} agents")
    success = {group.label: f" ({percent(headline(group.values('success')))})" for group in here}
    shown = {label: success[label] for label in evidence.suite.headlines if label in success}
    _legend(picture, shown, oracle=bool(evidence.front), columns=2, lines=False)
    return picture
