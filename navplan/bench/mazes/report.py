"""Table and words of suite offline-mazes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from navplan.bench.mazes.rungs import EPISODES, PUBLISHED, SUITE, Rung
from navplan.bench.tables import Record, TableFormat

RESULTS = TableFormat(
    ("suite", "rung", "map", "method", "setting", "train_seed", "task", "episodes", "reached", "success", "steps_mean"),
    f"navplan evaluate --suite {SUITE}",
    text=frozenset({"suite", "rung", "map", "method", "setting"}),
    whole=frozenset({"train_seed", "task", "episodes", "reached"}),
)
_DRAWS = 2000


def report_text(rungs: Sequence[Rung], rows: Sequence[Record]) -> str:
    """report.md."""
    lines = [
        "# Offline mazes",
        "",
        "Point mazes are solved by planning alone, once who follows is right: rung a has nothing to learn and reaches every",
        "goal. Success there says nothing of learning. Learning earns its place from rung b' on, where the body has momentum and",
        "a heading, and on rung c, where observations say nothing of places.",
        "",
        f"Success in %, the mean over five tasks of {_episodes(rows)} episodes, over training seeds, each with its own logs and",
        "training; in brackets a 95 % bootstrap interval over the seeds. Steps are means over episodes that arrived. Published:",
        "the best method of OGBench's table, with 1 M published steps and networks of full size; other logs of the same kind.",
        "",
    ]
    for rung in rungs:
        lines += [f"## Rung {rung.name}: to learn is {rung.about}", "", *_table(rung, rows), ""]
        lines += [f"- {arm.label}: {arm.about}" for arm in rung.arms]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _table(rung: Rung, rows: Sequence[Record]) -> list[str]:
    published = any(world in PUBLISHED for world in rung.worlds)
    head = ["map", *(arm.label for arm in rung.arms), *(["published"] if published else [])]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for world in rung.worlds:
        cells = [_cell([row for row in rows if _is(row, rung, world, arm.method, arm.setting)]) for arm in rung.arms]
        cells += [str(PUBLISHED.get(world, ""))] if published else []
        lines.append("| " + " | ".join([world, *cells]) + " |")
    return lines


def _is(row: Record, rung: Rung, world: str, method: str, setting: str) -> bool:
    return (row["rung"], row["map"], row["method"], row["setting"]) == (rung.name, world, method, setting)


def _cell(rows: Sequence[Record]) -> str:
    """Success with its interval, and steps."""
    if not rows:
        return ""
    seeds = sorted({row["train_seed"] for row in rows})
    means = np.array([np.mean([row["success"] for row in rows if row["train_seed"] == seed]) for seed in seeds]) * 100
    draws = np.random.default_rng(0).integers(len(means), size=(_DRAWS, len(means)))
    low, high = np.quantile(means[draws].mean(axis=1), (0.025, 0.975))
    steps = [(row["steps_mean"], row["reached"]) for row in rows if row["reached"]]
    mean = sum(step * count for step, count in steps) / max(1, sum(count for _, count in steps))
    text = f"{means.mean():.1f}" if low == high else f"{means.mean():.1f} [{low:.1f}, {high:.1f}]"
    return f"{text}, {mean:.0f} steps" if steps else text


def _episodes(rows: Sequence[Record]) -> int:
    return int(rows[0]["episodes"]) if rows else EPISODES
