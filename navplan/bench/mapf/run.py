"""From a configuration to a folder of results: run what is missing, merge, sum up."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from navplan.bench.mapf.config import Config
from navplan.bench.mapf.instances import find_instances
from navplan.bench.mapf.report import summary_table, write_report
from navplan.bench.mapf.results import groups, write_csv
from navplan.bench.mapf.shards import Trial, chains, collect, everything
from navplan.bench.processes import Processes
from navplan.bench.provenance import surroundings, version
from navplan.bench.shards import FOLDERS, Chain, Tally, key_of, remaining, run_shards
from navplan.bench.tables import Record
from navplan.errors import InvalidInput
from navplan.system.files import check_writable, locked, write_text
from navplan.system.progress import Listener, Progress, told


@dataclass(frozen=True)
class MapfOutcome:
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


def run_mapf(config: Config, progress: Progress = None) -> MapfOutcome:
    """Run every shard that is not done yet and write results.csv, run.json, report.md and the plots.

    Args:
        progress: who is told how far it is; see `navplan.system.progress.Progress`.

    Raises:
        FileAccessError: another process is at work in the folder, or it cannot be written.
        InvalidInput, UnknownName: before anything is run.
    """
    check_writable(config.out, folder=True)
    work = chains(config, find_instances(config.maps, config.only, config.scens))
    if not _count(work):
        raise InvalidInput(f"{config.maps}: no scenario has as many rows as agents were asked for")
    with told(progress) as listener, locked(config.out, *FOLDERS):
        return _measured(config, work, listener)


def _measured(config: Config, work: Sequence[Chain[Trial]], listener: Listener) -> MapfOutcome:
    """Run what is missing, and write what is found."""
    planned, left = _count(work), remaining(work, config.out, fresh=config.fresh)
    write_text(config.out / "run.json", json.dumps(_stamp(config), indent=2) + "\n")
    listener.stage(f"benchmark on maps: {_count(left)} of {planned} runs to do")
    tally = Tally(_count(left), listener, "solved", lambda result: bool(result.document and result.document["solved"]))
    finished = run_shards(Processes(config.workers, one_group=True), left, config.out, tally)
    (config.out / "shards").mkdir(exist_ok=True)
    rows = collect(work, config.out)
    mine = {key_of(trial) for chain in work for trial in chain.shards}
    for row in rows:
        mine.discard(row["shard"])
        if row["status"] == "skipped":
            write_text(config.out / "shards" / f"{row['shard']}.json", json.dumps(row) + "\n")
    files = merge(config.out, without=mine)
    return MapfOutcome(rows, planned, not finished, (config.out / "run.json", *files))


def _count(work: Collection[Chain[Trial]]) -> int:
    return sum(len(chain.shards) for chain in work)


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
    asked = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(config).items()}
    return {"suite": "mapf", "version": version(), "config": asked, **surroundings("numpy", "scipy", "numba")}
