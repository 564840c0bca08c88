"""One row per run: the columns of results.csv, written, read back and summed up."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from navplan.bench.tables import Record, TableFormat

# The first seven as the MAPF tracker names them; lower_cost and solution_cost are lower_bound and sum_of_costs again.
COLUMNS: tuple[str, ...] = (
    *("map_name", "scen_type", "type_id", "agents", "lower_cost", "solution_cost", "planner"),
    *("status", "solved", "valid", "sum_of_costs", "lower_bound", "suboptimality", "sum_of_shortest", "makespan"),
    *("runtime_s", "compile_s", "wall_s", "cpu_s", "peak_memory_mb", "expanded", "generated", "cells"),
    *("time_limit", "memory_limit", "seed", "reason", "map_sha256", "scen_sha256", "version", "code", "shard"),
)
_TEXT = ("map_name", "scen_type", "planner", "status", "reason", "map_sha256", "scen_sha256", "version", "code", "shard")


def _number(value: float) -> str:
    """A whole float as an integer, one below 1 in six significant digits, others in full."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.6g}" if abs(value) < 1 else repr(value)


_RESULTS = TableFormat(
    COLUMNS,
    "navplan bench run mapf",
    text=frozenset(_TEXT),
    truth=frozenset({"solved", "valid"}),
    whole=frozenset({"type_id", "agents", "makespan", "seed", "cells"}),
    number=_number,
)


def write_csv(path: Path, rows: Sequence[Record]) -> None:
    """Write rows in the order of `COLUMNS`; what is not known is left empty."""
    tracker = ({"lower_cost": row.get("lower_bound"), "solution_cost": row.get("sum_of_costs")} for row in rows)
    _RESULTS.write(path, ({**row, **named} for row, named in zip(rows, tracker, strict=True)))


def read_csv(path: Path) -> list[Record]:
    """Rows of a results.csv; empty cells are None.

    Raises:
        FileAccessError, FileFormatError: it cannot be read, or lacks columns, or a cell is malformed.
    """
    return _RESULTS.read(path)


@dataclass(frozen=True)
class TeamRuns:
    """Runs of one planner on one map with one number of agents.

    Attributes:
        runs, solved: how many; skipped runs count as runs.
        runtime_s: median with unsolved runs at the time limit; None when no run has a time.
        solved_s: median over solved runs, None without any.
        cpu_s: median processor seconds over solved runs, all threads together.
        cost, ratio: medians over solved runs of the sum of costs and of its ratio to the lower bound.
        times: wall seconds of the solved runs.
    """

    planner: str
    map_name: str
    agents: int
    time_limit: float
    cells: int | None
    runs: int
    solved: int
    runtime_s: float
    solved_s: float | None
    cpu_s: float | None
    cost: float | None
    ratio: float | None
    memory_mb: float | None
    times: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Share of runs that were solved."""
        return self.solved / self.runs


def groups(rows: Sequence[Record]) -> list[TeamRuns]:
    """Rows put together by planner, map and agents, in that order; one row of the latest kind for each scenario."""
    together: dict[tuple[str, str, int, float], list[Record]] = {}
    for row in rows:
        key = (row["planner"], row["map_name"], row["agents"], row["time_limit"])
        together.setdefault(key, []).append(row)
    return [_group(key, members) for key, members in sorted(together.items())]


def _group(key: tuple[str, str, int, float], members: Sequence[Record]) -> TeamRuns:
    planner, name, agents, limit = key
    solved = [row for row in members if row["solved"]]
    times = [float(row["runtime_s"]) for row in solved]
    return TeamRuns(
        planner=planner,
        map_name=name,
        agents=agents,
        time_limit=limit,
        cells=next((int(row["cells"]) for row in members if row.get("cells")), None),
        runs=len(members),
        solved=len(solved),
        runtime_s=statistics.median([*times, *[limit] * (len(members) - len(solved))]),
        solved_s=statistics.median(times) if times else None,
        cpu_s=median_of(solved, "cpu_s"),
        cost=median_of(solved, "sum_of_costs"),
        ratio=median_of(solved, "suboptimality"),
        memory_mb=median_of(solved, "peak_memory_mb"),
        times=tuple(sorted(times)),
    )


def median_of(rows: Iterable[Mapping[str, Any]], column: str) -> float | None:
    """Median of the known values of a column."""
    values = [float(row[column]) for row in rows if row.get(column) is not None and math.isfinite(float(row[column]))]
    return statistics.median(values) if values else None
