"""From a configuration to a folder of results: run what is missing, merge, sum up."""

from __future__ import annotations

import json
import platform
import shutil
import sys
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from navplan.bench.mapf.instances import (
    Config,
    Shard,
    chains,
    collect,
    everything,
    find_instances,
    prepare_folder,
    remaining,
    version,
)
from navplan.bench.mapf.pool import run_chains
from navplan.bench.mapf.report import summary_table, write_report
from navplan.bench.mapf.results import Record, groups, write_csv
from navplan.errors import InvalidInput
from navplan.system.files import write_text


@dataclass(frozen=True)
class Outcome:
    """What a run left.

    Attributes:
        rows: one for each run that is done or skipped.
        planned: how many runs there are in all.
        interrupted: Ctrl-C came before the end.
        files: what was written.
    """

    rows: list[Record]
    planned: int
    interrupted: bool
    files: tuple[Path, ...]

    def document(self) -> dict[str, Any]:
        """One JSON document."""
        return {
            "suite": "mapf",
            "runs": self.planned,
            "done": len(self.rows),
            "interrupted": self.interrupted,
            "files": [str(path) for path in self.files],
            "groups": [{**asdict(group), "rate": group.rate} for group in groups(self.rows)],
            "rows": self.rows,
        }

    def text(self) -> str:
        """The summary table and where the rest lies."""
        lines = [summary_table(self.rows)]
        if self.interrupted:
            lines.append(f"interrupted: {len(self.rows)} of {self.planned} runs; the same command goes on from here")
        lines += [f"wrote {path}" for path in self.files if path.name in ("results.csv", "report.md")]
        return "\n".join(lines)


def run_mapf(config: Config, progress: Callable[[str], None] = lambda line: None) -> Outcome:
    """Run every shard that is not done yet and write results.csv, run.json, report.md and the plots.

    Args:
        progress: called with a line of text now and then.

    Raises:
        FileAccessError, InvalidInput, UnknownName: before anything is run.
    """
    prepare_folder(config)
    work = chains(config, find_instances(config.maps, config.only, config.scens))
    planned = sum(len(chain.shards) for chain in work)
    if not planned:
        raise InvalidInput(f"{config.maps}: no scenario has as many rows as agents were asked for")
    left = list(remaining(config, work))
    progress(f"{planned} runs, {sum(len(shards) for _, shards in left)} to do")
    write_text(config.out / "run.json", json.dumps(_stamp(config), indent=2) + "\n")
    bar = _Bar(sum(len(shards) for _, shards in left))
    interrupted = False
    try:
        run_chains(config, left, bar)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        bar.close()
    (config.out / "shards").mkdir(exist_ok=True)
    rows = collect(config, work)
    mine = {shard.key() for chain in work for shard in chain.shards}
    for row in rows:
        mine.discard(row["shard"])
        if row["status"] == "skipped":
            write_text(config.out / "shards" / f"{row['shard']}.json", json.dumps(row) + "\n")
    files = merge(config.out, without=mine)
    return Outcome(rows, planned, interrupted, (config.out / "run.json", *files))


def merge(out: Path, without: Collection[str] = ()) -> tuple[Path, ...]:
    """Write results.csv, report.md and the plots from all shards in the folder, those of earlier runs included.

    Args:
        without: names of shards to leave out.

    Raises:
        FileAccessError: the folder cannot be written.
    """
    rows = [row for row in everything(out) if row["shard"] not in without]
    write_csv(out / "results.csv", rows)
    return (out / "results.csv", *write_report(out, rows))


def _stamp(config: Config) -> dict[str, Any]:
    """What was asked for and with what."""
    from importlib.metadata import version as installed

    asked = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(config).items()}
    packages = {name: installed(name) for name in ("numpy", "scipy", "numba")}
    machine = {"system": platform.system(), "processor": platform.machine(), "python": platform.python_version()}
    return {"suite": "mapf", "version": version(), "config": asked, "machine": machine, "packages": packages}


class _Bar:
    """A progress line on a terminal; nothing in a pipe. Called by several threads."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._solved = 0
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._shown = sys.stderr is not None and sys.stderr.isatty()

    def __call__(self, shard: Shard, row: dict[str, Any] | None) -> None:
        with self._lock:
            if row is not None:
                self._done += 1
                self._solved += bool(row["solved"])
            if self._shown:
                self._draw(shard)

    def _draw(self, shard: Shard) -> None:
        width = 24
        full = width * self._done // max(1, self._total)
        spent = time.monotonic() - self._began
        eta = f", {spent / self._done * (self._total - self._done):.0f} s at most" if self._done else ""
        what = f"{shard.planner} {shard.map_name}-{shard.scen_type}-{shard.type_id} {shard.agents}"
        line = f"[{'#' * full}{'.' * (width - full)}] {self._done}/{self._total}, {self._solved} solved{eta}: {what}"
        columns = shutil.get_terminal_size().columns - 1
        sys.stderr.write("\r" + line[:columns].ljust(columns))
        sys.stderr.flush()

    def close(self) -> None:
        """Clear the line."""
        if self._shown:
            sys.stderr.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")
            sys.stderr.flush()
