"""Plots in the manner of the field's papers: one panel a map, one line a planner, against the number of agents."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from navplan.bench.mapf.results import TeamRuns, groups
from navplan.bench.style import COLOURS, COLUMN, curve_look, drawing, save_figure
from navplan.bench.tables import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Logarithmic axes need something above 0.
LEAST_S = 1e-5
# Inches of a panel.
WIDTH, HEIGHT = 3.1, 2.5


def draw_all(folder: Path, rows: Sequence[Record]) -> list[Path]:
    """Draw success rate, runtime, costs and memory, as PNG and PDF; the files written.

    Raises:
        MissingExtra: matplotlib is not installed.
        FileAccessError: the folder cannot be written.
    """
    found = groups(rows)
    planners = sorted({g.planner for g in found})
    styles = {p: curve_look(k) for k, p in enumerate(planners)}
    drawings: tuple[tuple[str, str, Callable[[Axes, Sequence[TeamRuns], dict[str, Any]], None]], ...] = (
        ("success", "success rate", _success),
        ("runtime", "runtime [s]", _runtime),
        ("cost", "sum of costs / lower bound", _cost),
        ("memory", "peak memory [MB]", _memory),
    )
    written = []
    with drawing("plots"):
        for name, label, draw in drawings:
            written += save_figure(_panels(label, found, styles, draw), folder / name, ("png", "pdf"))
    return written


def _panels(
    label: str,
    found: Sequence[TeamRuns],
    styles: Mapping[str, dict[str, Any]],
    draw: Callable[[Axes, Sequence[TeamRuns], dict[str, Any]], None],
) -> Figure:
    """One panel for each map, a common legend below."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    maps = sorted({g.map_name for g in found})
    columns = min(4, len(maps))
    lines = math.ceil(len(maps) / columns)
    legend_rows = math.ceil(len(styles) / max(2, 2 * columns))
    height = HEIGHT * lines + 0.25 * legend_rows + 0.1
    figure = Figure(figsize=(max(WIDTH * columns, COLUMN), height), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False)
    for k, axes in enumerate(grid.flat):
        if k >= len(maps):
            axes.set_axis_off()
            continue
        mine = [g for g in found if g.map_name == maps[k]]
        axes.set_title(maps[k])
        for planner, style in styles.items():
            points = sorted((g for g in mine if g.planner == planner), key=lambda g: (g.agents, g.time_limit))
            if points:
                draw(axes, points, style)
        _agents_axis(axes, [g.agents for g in mine])
        if k % columns == 0:
            axes.set_ylabel(label)
        if k + columns >= len(maps):
            axes.set_xlabel("agents")
    handles = [Line2D([], [], label=planner, **style) for planner, style in styles.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), max(2, 2 * columns)))
    return figure


def _agents_axis(axes: Axes, agents: Sequence[int]) -> None:
    """Linear, or logarithmic where team sizes span more than a factor of thirty; few sizes are the ticks themselves."""
    from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, ScalarFormatter

    sizes = sorted(set(agents))
    if len(sizes) == 1:
        axes.set_xlim(0, 2 * sizes[0])
        axes.set_xticks(sizes)
    elif max(agents) > 30 * min(agents):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator([t for t in _round_numbers() if min(agents) <= t <= max(agents)]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(ScalarFormatter())
    elif len(sizes) <= 6 and min(b - a for a, b in itertools.pairwise(sizes)) >= 0.06 * (sizes[-1] - sizes[0]):
        axes.set_xticks(sizes)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _round_numbers() -> list[int]:
    return [m * 10**e for e in range(6) for m in (1, 3)]


def _success(axes: Axes, points: Sequence[TeamRuns], style: dict[str, Any]) -> None:
    # markers shrink from the first planner to the last, so that equal curves stay visible
    size = 7.5 - 0.6 * COLOURS.index(style["color"])
    axes.plot([g.agents for g in points], [g.rate for g in points], zorder=3, **{**style, "markersize": size})
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])


def _runtime(axes: Axes, points: Sequence[TeamRuns], style: dict[str, Any]) -> None:
    """Medians in a shade from the quickest run to the slowest, unsolved runs at the time limit, which is dashed."""
    kept = [g for k, g in enumerate(points) if g.solved or k == 0 or points[k - 1].solved]
    axes.set_yscale("log")
    axes.plot([g.agents for g in kept], [max(LEAST_S, g.runtime_s) for g in kept], zorder=3, **style)
    low = [max(LEAST_S, g.times[0] if g.times else g.time_limit) for g in kept]
    high = [max(LEAST_S, g.times[-1] if g.solved == g.runs else g.time_limit) for g in kept]
    axes.fill_between([g.agents for g in kept], low, high, color=style["color"], alpha=0.12, linewidth=0)
    for limit in {g.time_limit for g in kept} - {0.0}:
        axes.axhline(limit, color="#777777", linestyle=(0, (4, 3)), linewidth=0.8, zorder=1)


def _cost(axes: Axes, points: Sequence[TeamRuns], style: dict[str, Any]) -> None:
    known = [(g.agents, g.ratio) for g in points if g.ratio is not None]
    axes.plot([agents for agents, _ in known], [ratio for _, ratio in known], zorder=3, **style)
    axes.axhline(1, color="#777777", linewidth=0.6, zorder=1)


def _memory(axes: Axes, points: Sequence[TeamRuns], style: dict[str, Any]) -> None:
    known = [(g.agents, g.memory_mb) for g in points if g.memory_mb is not None]
    axes.plot([agents for agents, _ in known], [memory for _, memory in known], zorder=3, **style)
    if known:
        axes.set_ylim(0, 1.08 * axes.dataLim.ymax)
