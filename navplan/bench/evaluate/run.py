"""From a suite to a folder of results: do what is missing, write tables, report and pictures."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from navplan.bench.evaluate.plan import calibration_tasks, cells_of, given_runs, pareto_tasks, problem_tasks
from navplan.bench.evaluate.pool import run_tasks
from navplan.bench.evaluate.report import Evidence, console_text, write_report
from navplan.bench.evaluate.results import (
    CALIBRATION,
    COLUMNS,
    TIMES,
    Record,
    calibration_records,
    read_calibration,
    read_front,
    read_results,
    read_timings,
    records,
    write_front,
    write_table,
)
from navplan.bench.evaluate.suite import Suite
from navplan.bench.evaluate.task import Task, code_hash, read_result, remaining, version
from navplan.errors import InvalidInput
from navplan.system.files import check_writable, write_text


@dataclass(frozen=True)
class Outcome:
    """What an evaluation left.

    Attributes:
        planned, done: tasks in all, and those that are done.
        failures: one line for each task that failed.
        interrupted: Ctrl-C came before the end.
        files: what was written.
    """

    suite: Suite
    evidence: Evidence
    planned: int
    done: int
    failures: tuple[str, ...]
    interrupted: bool
    files: tuple[Path, ...]

    def document(self) -> dict[str, Any]:
        """One JSON document."""
        return {
            "suite": self.suite.name,
            "tasks": self.planned,
            "done": self.done,
            "interrupted": self.interrupted,
            "failures": list(self.failures),
            "files": [str(path) for path in self.files],
            "rows": self.evidence.rows,
        }

    def text(self) -> str:
        """The tables, and where the rest lies."""
        lines = [console_text(self.suite, self.evidence)] if self.evidence.rows else []
        if self.done < self.planned:
            lines.append(f"{self.done} of {self.planned} tasks are done; the same command goes on from here")
        lines += [f"wrote {path}" for path in self.files if path.suffix in (".csv", ".md")]
        return "\n".join(lines)


def evaluate(
    suite: Suite,
    out: Path,
    *,
    checkpoints: Sequence[str] = (),
    train_seeds: Sequence[int] | None = None,
    workers: int = 1,
    fresh: bool = False,
    on_failure: Callable[[str], None] = lambda line: None,
) -> Outcome:
    """Do every task of the suite that is not done yet, and write results.csv, timings.csv, report.md and the figures.

    Results lie under OUT/shards, one file a task, named by all that decides it; files of other tasks are left alone and not read.
    The tables hold the tasks of `suite`, in its order, whatever order they were done in.

    Args:
        checkpoints: run directories in place of the suite's; only their maps and training seeds are run then.
        train_seeds: the training seeds to keep of `checkpoints`.
        workers: processes side by side.
        fresh: do again what is done.
        on_failure: called with one line for each task that fails.

    Raises:
        FileAccessError, InvalidInput, UnknownName, CheckpointError: before anything is run.
    """
    if workers < 1:
        raise InvalidInput(f"workers is {workers}, expected at least 1")
    check_writable(out, folder=True)
    given = given_runs(checkpoints, suite)
    if given and train_seeds is not None:
        given = {key: path for key, path in given.items() if key[1] in train_seeds}
        if not given:
            raise InvalidInput(f"no run of training seed {train_seeds[0]} among the checkpoints")
    cells = [cell for cell in cells_of(suite) if not given or any(scenario == cell.map for scenario, _ in given)]
    problems = problem_tasks(suite, cells, given)
    tasks = [*problems, *pareto_tasks(suite, cells), *calibration_tasks(suite, cells, given)]
    left = sorted(remaining(tasks, out, fresh=fresh), key=lambda task: task.group)
    write_text(out / "run.json", json.dumps(_stamp(suite), indent=2) + "\n")
    failures: list[str] = []
    interrupted = False
    with _bar(len(left)) as bar:

        def report(task: Task, complaint: str | None) -> None:
            bar.update(1)
            bar.set_postfix_str(task.label, refresh=False)
            if complaint is not None:
                failures.append(f"{task.label}: {complaint}")
                on_failure(failures[-1])

        try:
            run_tasks(left, out, workers, report)
        except KeyboardInterrupt:
            interrupted = True
    done = [(task, found) for task in tasks if (found := read_result(task, out)) is not None]
    files, evidence = merge(suite, out, done, complete=len(done) == len(tasks))
    return Outcome(suite, evidence, len(tasks), len(done), tuple(failures), interrupted, (out / "run.json", *files))


def merge(
    suite: Suite, out: Path, done: Sequence[tuple[Task, dict[str, Any]]], *, complete: bool
) -> tuple[tuple[Path, ...], Evidence]:
    """Write the tables, the report and the figures of what is done; the files, and what the report was made from."""
    rows, times = records([(task, found) for task, found in done if task.kind == "problems"])
    write_table(out / "results.csv", COLUMNS, rows)
    write_table(out / "timings.csv", TIMES, times)
    tables = [out / "results.csv", out / "timings.csv"]
    front = next((found["result"]["front"] for task, found in done if task.kind == "pareto"), None)
    if front is not None:
        write_front(out / "pareto.csv", front)
        tables.append(out / "pareto.csv")
    judged = calibration_records([(task, found) for task, found in done if task.kind == "calibration"])
    if judged:
        write_table(out / "calibration.csv", CALIBRATION, judged)
        tables.append(out / "calibration.csv")
    # What is reported is what the tables say, to the last digit.
    evidence = read_evidence(suite, out, complete=complete)
    if front is None:
        evidence = replace(evidence, front=None)
    if not judged:
        evidence = replace(evidence, calibration=[])
    kept = {
        task.setting.label: task.trajectory_file(out)
        for task, _ in done
        if task.setting is not None and task.extra.get("keep") is not None
    }
    evidence = replace(evidence, trajectories=kept)
    return (*tables, *write_report(suite, out, evidence)), evidence


def read_evidence(suite: Suite, folder: Path, *, complete: bool | None = None) -> Evidence:
    """What the tables in a folder say, as far as they are about the suite.

    Args:
        complete: whether all is done; None: judge by the number of rows.

    Raises:
        FileAccessError, FileFormatError: a table is missing or damaged.
    """
    labels = {setting.label for setting in suite.settings}

    def part(rows: list[Record]) -> list[Record]:
        return [
            row
            for row in rows
            if row["suite"] == suite.name
            and row["agents"] in suite.agents
            and row["problem"] < suite.problems
            and f"{row['method']}/{row['setting']}" in labels
        ]

    rows = part(read_results(folder / "results.csv"))
    cells = len(suite.maps) * len(suite.difficulties) * len(suite.agents)
    whole = cells * len(suite.settings) * len(suite.train_seeds) * suite.problems
    front, judged = folder / "pareto.csv", folder / "calibration.csv"
    return Evidence(
        rows=rows,
        times=part(read_timings(folder / "timings.csv")),
        complete=len(rows) == whole if complete is None else complete,
        front=read_front(front) if front.is_file() else None,
        calibration=read_calibration(judged) if judged.is_file() else [],
    )


def report_again(suite: Suite, folder: Path) -> Outcome:
    """Write report.md and the figures again from the tables in `folder`; nothing is run.

    Figures that need more than the tables are left as they are.

    Raises:
        FileAccessError, FileFormatError: as `read_evidence`, or the report cannot be written.
    """
    evidence = read_evidence(suite, folder)
    files = write_report(suite, folder, evidence, keep=True)
    return Outcome(suite, evidence, 0, 0, (), False, files)


def _bar(total: int) -> Any:
    """A progress bar on a terminal; nothing in a pipe."""
    from tqdm import tqdm

    shown = sys.stderr is not None and sys.stderr.isatty()
    return tqdm(total=total, unit="task", smoothing=0.1, leave=False, dynamic_ncols=True, disable=not shown)


def _stamp(suite: Suite) -> dict[str, Any]:
    """What was asked for and with what."""
    from importlib.metadata import version as installed

    packages = {name: installed(name) for name in ("numpy", "scipy", "numba", "torch")}
    machine = {"system": platform.system(), "processor": platform.machine(), "python": platform.python_version()}
    part = {name: list(getattr(suite, name)) for name in ("maps", "difficulties", "agents", "train_seeds")}
    part["settings"] = [setting.label for setting in suite.settings]
    return {
        "suite": suite.name,
        "version": version(),
        "code": code_hash(),
        "problems": suite.problems,
        **part,
        "machine": machine,
        "packages": packages,
    }
