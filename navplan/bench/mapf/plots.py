"""Plots in the manner of the field's papers: one panel a map, one line a planner, against the number of agents."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from navplan.bench.mapf.results import Group, Record, groups
from navplan.errors import MissingExtra
from navplan.system.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by colour-blind readers and, with the markers, in print.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D1F")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
# Logarithmic axes need something above 0.
LEAST_S = 1e-5
WIDTH = 3.1
HEIGHT = 2.5
STYLE: Any = {
    "font.family": "serif",
    "font.size": 9,
    "mathtext.fontset": "dejavuserif",
    "axes.linewidth": 0.7,
    "axes.titlesize": 9,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "grid.color": "#d0d0d0",
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "pdf.fonttype": 42,
}


def draw_all(folder: Path, rows: Sequence[Record]) -> list[Path]:
    """Draw success rate, runtime, costs and memory, as PNG and PDF; the files written.

    Raises:
        MissingExtra: matplotlib is not installed.
        FileAccessError: the folder cannot be written.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingExtra("plots", "matplotlib", "bench") from error
    mpl.use("Agg", force=False)
    found = groups(rows)
    planners = sorted({g.planner for g in found})
    styles = {p: _style(k) for k, p in enumerate(planners)}
    drawings: tuple[tuple[str, str, Callable[[Axes, Sequence[Group], dict[str, Any]], None]], ...] = (
        ("success", "success rate", _success),
        ("runtime", "runtime [s]", _runtime),
        ("cost", "sum of costs / lower bound", _cost),
        ("memory", "peak memory [MB]", _memory),
    )
    written = []
    with mpl.rc_context(STYLE):
        for name, label, draw in drawings:
            written += _figure(folder / name, label, found, styles, draw)
    return written


def _style(k: int) -> dict[str, Any]:
    lines = ("-", "--", ":")
    return {
        "color": COLOURS[k % 8],
        "marker": MARKERS[k % 8],
        "linestyle": lines[k // 8 % 3],
        "markeredgecolor": "white",
        "markeredgewidth": 0.4,
    }


def _figure(
    path: Path,
    label: str,
    found: Sequence[Group],
    styles: dict[str, dict[str, Any]],
    draw: Callable[[Axes, Sequence[Group], dict[str, Any]], None],
) -> list[Path]:
    """One panel for each map, a common legend below."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    maps = sorted({g.map_name for g in found})
    columns = min(4, len(maps))
    lines = math.ceil(len(maps) / columns)
    legend_rows = math.ceil(len(styles) / max(2, 2 * columns))
    height = HEIGHT * lines + 0.25 * legend_rows + 0.1
    figure = Figure(figsize=(max(WIDTH * columns, 3.4), height), layout="constrained")
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
    return _save(figure, path)


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


def _success(axes: Axes, points: Sequence[Group], style: dict[str, Any]) -> None:
    # markers shrink from the first planner to the last, so that equal curves stay visible
    size = 7.5 - 0.6 * COLOURS.index(style["color"])
    axes.plot([g.agents for g in points], [g.rate for g in points], zorder=3, **{**style, "markersize": size})
    axes.set_ylim(-0.04, 1.04)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])


def _runtime(axes: Axes, points: Sequence[Group], style: dict[str, Any]) -> None:
    """Medians in a shade from the quickest run to the slowest, unsolved runs at the time limit, which is dashed."""
    kept = [g for k, g in enumerate(points) if g.solved or k == 0 or points[k - 1].solved]
    axes.set_yscale("log")
    axes.plot([g.agents for g in kept], [max(LEAST_S, g.runtime_s) for g in kept], zorder=3, **style)
    low = [max(LEAST_S, g.times[0] if g.times else g.time_limit) for g in kept]
    high = [max(LEAST_S, g.times[-1] if g.solved == g.runs else g.time_limit) for g in kept]
    axes.fill_between([g.agents for g in kept], low, high, color=style["color"], alpha=0.12, linewidth=0)
    for limit in {g.time_limit for g in kept} - {0.0}:
        axes.axhline(limit, color="#777777", linestyle=(0, (4, 3)), linewidth=0.8, zorder=1)


def _cost(axes: Axes, points: Sequence[Group], style: dict[str, Any]) -> None:
    known = [(g.agents, g.ratio) for g in points if g.ratio is not None]
    axes.plot([agents for agents, _ in known], [ratio for _, ratio in known], zorder=3, **style)
    axes.axhline(1, color="#777777", linewidth=0.6, zorder=1)


def _memory(axes: Axes, points: Sequence[Group], style: dict[str, Any]) -> None:
    known = [(g.agents, g.memory_mb) for g in points if g.memory_mb is not None]
    axes.plot([agents for agents, _ in known], [memory for _, memory in known], zorder=3, **style)
    if known:
        axes.set_ylim(0, 1.08 * axes.dataLim.ymax)


def _save(figure: Figure, path: Path) -> list[Path]:
    written = []
    for suffix in ("png", "pdf"):
        target = path.with_suffix(f".{suffix}")
        picture = io.BytesIO()
        figure.savefig(picture, format=suffix, dpi=180)
        write_atomically(target, partial(_write, picture.getvalue()))
        written.append(target)
    return written


def _write(data: bytes, stream: IO[bytes]) -> None:
    stream.write(data)
