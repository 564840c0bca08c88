"""From the ladder to a folder of results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from navplan.bench.mazes.report import RESULTS, report_text
from navplan.bench.mazes.rungs import EPISODES, SEEDS, SUITE, narrowed
from navplan.bench.mazes.shards import MazeShard
from navplan.bench.processes import ONE_THREAD, Processes
from navplan.bench.provenance import surroundings, version
from navplan.bench.shards import FOLDERS, Chain, Result, Shard, Tally, read_shard, remaining, run_shards
from navplan.bench.tables import Record
from navplan.system.files import check_writable, locked, write_text
from navplan.system.progress import Progress, told


@dataclass(frozen=True)
class MazesOutcome:
    """What a run left: rows, a line for each failure, whether Ctrl-C came, how many shards there are and are done, the report."""

    rows: list[Record]
    failures: tuple[str, ...]
    interrupted: bool
    planned: int
    done: int
    report: str
    files: tuple[Path, ...]

    def document(self) -> dict[str, Any]:
        """One JSON document."""
        return {
            "suite": SUITE,
            "tasks": self.planned,
            "done": self.done,
            "interrupted": self.interrupted,
            "failures": list(self.failures),
            "files": [str(path) for path in self.files],
            "rows": self.rows,
        }

    def text(self) -> str:
        """The tables, and where they lie."""
        lines = [self.report] if self.rows else []
        if self.done < self.planned:
            lines.append(f"{self.done} of {self.planned} worlds are done; the same command goes on from here")
        return "\n".join([*lines, *(f"wrote {path}" for path in self.files)])


def evaluate_mazes(
    out: Path,
    *,
    methods: Sequence[str] | None = None,
    train_seeds: Sequence[int] | None = None,
    episodes: int | None = None,
    workers: int = 1,
    fresh: bool = False,
    progress: Progress = None,
) -> MazesOutcome:
    """Do every world that is not done yet, and write results.csv and report.md.

    Args:
        methods: methods, METHOD/SETTING or rungs; None: all.
        train_seeds: of logs, training and episodes; None: 0 to 4.
        episodes: of each task; None: 50.
        workers: processes side by side.
        fresh: do again what is done.
        progress: see `navplan.system.progress.Progress`.
    """
    rungs = narrowed(methods)
    count = EPISODES if episodes is None else episodes
    shards = [
        MazeShard(rung, world, seed, count)
        for seed in (SEEDS if train_seeds is None else train_seeds)
        for rung in rungs
        for world in rung.worlds
    ]
    check_writable(out, folder=True)
    executor = Processes(workers, ONE_THREAD)
    failures: list[str] = []
    with told(progress) as listener, locked(out, *FOLDERS):
        left = remaining([Chain((shard,)) for shard in shards], out, fresh=fresh)
        listener.stage(f"evaluating {SUITE}: {len(left)} of {len(shards)} worlds to do")
        tally = Tally(len(left), listener, "failed", lambda result: result.failure is not None)

        def report(shard: Shard, result: Result | None) -> None:
            tally(shard, result)
            if result is not None and result.failure is not None:
                failures.append(f"{shard.label}: {result.failure.words}")
                listener.warn(f"failed: {failures[-1]}")

        finished = run_shards(executor, left, out, report)
        found = [document for shard in shards if (document := read_shard(shard, out)) is not None]
        rows = [row for document in found for row in document["rows"]]
        text = report_text(rungs, rows)
        stamp = {"suite": SUITE, "version": version(), "episodes": count, **surroundings("numpy", "scipy", "numba", "torch")}
        write_text(out / "run.json", json.dumps(stamp, indent=2) + "\n")
        write_text(out / "report.md", text)
        tables = RESULTS.write_sized(out / "results", rows)
    return MazesOutcome(rows, tuple(failures), not finished, len(shards), len(found), text, (tables, out / "report.md"))


def report_mazes_again(out: Path) -> MazesOutcome:
    """Write report.md again from the table in `out`; nothing is run."""
    rows = RESULTS.read(out / "results")
    text = report_text(narrowed(None), rows)
    write_text(out / "report.md", text)
    return MazesOutcome(rows, (), False, 0, 0, text, (out / "report.md",))
