"""One problem driven by several methods, side by side on the hazard field."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from navplan.bench.evaluate.tables import NAMES, Evidence, number
from navplan.bench.style import LOOKS, PAGE
from navplan.execution.trajectory import Trajectory
from navplan.system.arrays import Float64

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Picture

_CONTACT = "#CC0033"
_PER_CELL = 12


def small_multiples(evidence: Evidence, map_name: str) -> Picture:
    """A panel for each method that has a trajectory: paths, starts (rings), goals (dots) and contacts (crosses)."""
    from matplotlib.figure import Figure as Canvas
    from matplotlib.lines import Line2D

    from navplan.scenarios.registry import load_scenario

    world = load_scenario(map_name).world
    plain = [setting.label for setting in evidence.suite.settings if setting.headline and not setting.part]
    shown = [label for label in plain if label in evidence.trajectories]
    across = min(len(shown), 5 if len(shown) == 5 else 3)
    down = math.ceil(len(shown) / across)
    side = PAGE / max(across, 2)
    driven = [Trajectory.load(evidence.trajectories[label]) for label in shown]
    captions = [_caption(trajectory) for trajectory in driven]
    words = 0.15 + 0.12 * max(caption.count("\n") + 1 for caption in captions)  # inches: the title, a line each
    picture = Canvas(figsize=(side * across, (side * world.height / world.width + words) * down + 0.3), layout="constrained")
    grid = picture.subplots(down, across, squeeze=False)
    field, blocked = _field(world)
    image: Any = None
    for k, axes in enumerate(grid.flat):
        if k >= len(shown):
            axes.set_axis_off()
            continue
        box: dict[str, Any] = {"extent": (0, world.width, world.height, 0), "interpolation": "nearest", "vmin": 0.0}
        image = axes.imshow(field, cmap=_hazard_colours(), vmax=2.0, **box)
        axes.imshow(blocked, cmap=_wall_colours(), vmax=1.0, zorder=3.5, **box)
        _paths(axes, driven[k], LOOKS[shown[k].split("/")[0]]["color"])
        axes.set(xlim=(0, world.width), ylim=(world.height, 0), xticks=[], yticks=[])
        axes.grid(visible=False)
        axes.spines[:].set_visible(True)
        axes.set_title(NAMES[shown[k].split("/")[0]], fontsize=7.5, pad=4)
        axes.set_xlabel(captions[k], fontsize=7, labelpad=3)
    bar = picture.colorbar(image, ax=grid, location="right", fraction=0.025, aspect=14, shrink=0.6, pad=0.01, ticks=[0, 1, 2])
    bar.set_label("cost a step", fontsize=7)
    bar.outline.set_linewidth(0.4)
    marks: list[Any] = [
        Line2D(
            [], [], linestyle="none", marker="o", markersize=4, markerfacecolor="white", markeredgecolor="black", label="start"
        ),
        Line2D([], [], linestyle="none", marker="o", markersize=4, color="black", label="goal"),
        Line2D([], [], linestyle="none", marker="x", markersize=4, color=_CONTACT, markeredgewidth=1.0, label="contact"),
    ]
    picture.legend(handles=marks, loc="outside lower center", ncols=3)
    return picture


def _field(world: Any) -> tuple[Float64, Float64]:
    """Hazard cost of points on a fine grid, and where obstacles are (NaN elsewhere), both (rows, columns)."""
    from navplan.scenarios.environments.point import PointEnv

    env = PointEnv(world, body="point", rng=np.random.default_rng(0))
    rows = (np.arange(round(world.height * _PER_CELL)) + 0.5) / _PER_CELL
    cols = (np.arange(round(world.width * _PER_CELL)) + 0.5) / _PER_CELL
    points = np.stack(np.meshgrid(rows, cols, indexing="ij"), axis=-1).astype(np.float32)
    cost = np.asarray(env.cost_at(points), dtype=np.float64)
    free = np.asarray(env.is_free(points.reshape(-1, 2))).reshape(points.shape[:2])
    return cost, np.where(free, np.nan, 1.0)


def _hazard_colours() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("hazard", ["#ffffff", "#ece6f2", "#cdbfde", "#a48fc0"])


def _wall_colours() -> Any:
    from matplotlib.colors import ListedColormap

    return ListedColormap(["#3a3a3a"])


def _paths(axes: Axes, trajectory: Trajectory, colour: str) -> None:
    arrival = trajectory.arrival
    for agent in range(trajectory.num_agents):
        last = trajectory.num_steps if arrival[agent] < 0 else int(arrival[agent])
        path = trajectory.states[: last + 1, agent]
        axes.plot(path[:, 1], path[:, 0], color=colour, linewidth=0.8, alpha=0.85, solid_joinstyle="round", zorder=3)
    ring: Any = {"s": 9, "linewidths": 0.5, "edgecolors": "black", "zorder": 4, "clip_on": False}
    axes.scatter(trajectory.starts[:, 1], trajectory.starts[:, 0], c="white", **ring)
    axes.scatter(trajectory.goals[:, 1], trajectory.goals[:, 0], c="black", **ring)
    steps, first, second = np.nonzero(np.triu(trajectory.agent_contacts))
    if steps.size:
        places = (trajectory.states[steps + 1, first] + trajectory.states[steps + 1, second]) / 2
        axes.scatter(places[:, 1], places[:, 0], c=_CONTACT, marker="x", s=9, linewidths=0.8, zorder=5, clip_on=False)


def _caption(trajectory: Trajectory) -> str:
    arrival = trajectory.arrival
    steps = np.where(arrival >= 0, arrival, trajectory.num_steps)
    pairs = int(np.triu(trajectory.agent_contacts.any(axis=0)).sum())
    lines = [f"largest cost {number(float(trajectory.cost_until_arrival.max()), 1)}"]
    lines.append(f"mean steps {number(float(steps.mean()), 1)}")
    lines.append(f"{pairs} pairs in contact" if pairs != 1 else "1 pair in contact")
    away = int((arrival < 0).sum())
    if away:
        lines.append(f"{away} not at their goals")
    return "\n".join(lines)
