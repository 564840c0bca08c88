"""results.csv and timings.csv: their columns, written so that equal runs give equal bytes, and read back."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from navplan.bench.evaluate.task import Task
from navplan.bench.mapf.results import read_rows
from navplan.system.files import write_text

Record = dict[str, Any]

KEYS = ("suite", "map", "map_sha256", "difficulty", "agents", "problem", "method", "setting", "train_seed")
COLUMNS: tuple[str, ...] = (
    *KEYS,
    *("success", "reached", "agent_contacts", "cost_max", "cost_mean", "cost_total", "oracle_cost_max"),
    *("steps_mean", "steps_max", "oracle_steps_mean", "status"),
    # beyond what every reader may count on
    *("steps_total", "arrived", "budget", "oracle_cost_mean", "oracle_cost_total", "oracle_steps_max", "wall_contacts"),
    *("plan_status", "plan_cost", "replans", "nodes", "edges", "checkpoint_sha256", "reason"),
)
TIMES: tuple[str, ...] = (
    *KEYS,
    *("roadmap_s", "graph_s", "plan_s", "first_plan_s", "drive_s", "acting_s", "decisions", "decisions_per_s", "total_s"),
    "code",  # of the sources: not in results.csv, which is to be the same as long as what they do is
)
FRONT = ("step_weight", "steps_mean", "cost_mean")
CALIBRATION_BINS = ("predicted", "realised", "deviation", "count")
CALIBRATION = ("map", "train_seed", "quantity", *CALIBRATION_BINS, "mae", "bias", "error", "arrived_share")
_TEXT = {
    "quantity",
    *("suite", "map", "map_sha256", "difficulty", "method", "setting"),
    *("status", "plan_status", "checkpoint_sha256", "reason", "code"),
}
_TRUTH = {"success", "reached"}
_WHOLE = {
    *("agents", "problem", "train_seed", "agent_contacts", "steps_max", "steps_total", "arrived", "budget", "wall_contacts"),
    *("replans", "nodes", "edges", "decisions", "count"),
}


def records(done: Iterable[tuple[Task, Mapping[str, Any]]]) -> tuple[list[Record], list[Record]]:
    """Rows of results and of times out of the results of tasks."""
    rows, times = [], []
    for task, document in done:
        own = {name: task.identity[name] for name in (*KEYS, "checkpoint_sha256") if name != "problem"}
        rows += [{**own, **row} for row in document["result"]["rows"]]
        times += [{**own, "code": document["code"], **row} for row in document["result"]["times"]]
    return rows, times


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Record]) -> None:
    """Write rows as CSV; what is not known is left empty, floats have six significant digits."""
    write_text(path, table_text(columns, rows))


def table_text(columns: Sequence[str], rows: Iterable[Record]) -> str:
    """What `write_table` writes."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return stream.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value + 0.0:.6g}"  # + 0.0: no minus before a zero
    return str(value)


def read_results(path: Path) -> list[Record]:
    """Rows of a results.csv; empty numbers are None.

    Raises:
        FileAccessError, FileFormatError: it cannot be read, lacks columns, or a cell is malformed.
    """
    return _read(path, COLUMNS)


def read_timings(path: Path) -> list[Record]:
    """Rows of a timings.csv; raises as `read_results`."""
    return _read(path, TIMES)


def write_front(path: Path, front: Iterable[Sequence[float]]) -> None:
    """Write the oracle's front: price of a step, mean steps, mean cost."""
    write_table(path, FRONT, (dict(zip(FRONT, map(float, point), strict=True)) for point in front))


def read_front(path: Path) -> list[list[float]]:
    """What `write_front` wrote; raises as `read_results`."""
    return [[float(row[name]) for name in FRONT] for row in _read(path, FRONT)]


def calibration_records(done: Iterable[tuple[Task, Mapping[str, Any]]]) -> list[Record]:
    """A row for each bin of each quantity, out of the results of tasks."""
    rows: list[Record] = []
    for task, document in done:
        assert task.run is not None  # the kind has one
        own = {"map": task.extra["map"], "train_seed": task.run.train_seed, "arrived_share": document["result"]["reached"]}
        for quantity in ("steps", "cost"):
            found = document["result"][quantity]
            numbers = {name: found[name] for name in ("mae", "bias", "error")}
            bins = zip(*(found[name] for name in CALIBRATION_BINS), strict=True)
            rows += [{**own, "quantity": quantity, **numbers, **dict(zip(CALIBRATION_BINS, one, strict=True))} for one in bins]
    return rows


def read_calibration(path: Path) -> list[Record]:
    """Rows of a calibration.csv; raises as `read_results`."""
    return _read(path, CALIBRATION)


def _read(path: Path, columns: Sequence[str]) -> list[Record]:
    return read_rows(path, columns, _value, "navplan evaluate")


def _value(name: str, cell: str) -> Any:
    if name in _TEXT:
        return cell
    if cell == "":
        return None
    if name in _TRUTH:
        if cell not in ("true", "false"):
            raise ValueError(f"{name} is {cell!r}, expected true or false")
        return cell == "true"
    value = int(cell) if name in _WHOLE else float(cell)
    if math.isnan(value):
        raise ValueError(f"{name} is {cell!r}, expected a number")
    return value
