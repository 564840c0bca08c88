"""From a suite to a folder of results: do what is missing, write tables, report and pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from navplan.bench.evaluate.checkpoints import given_runs
from navplan.bench.evaluate.plan import EvaluationPlan, arms_of, plan_of
from navplan.bench.evaluate.report import Evidence, console_text, write_report
from navplan.bench.evaluate.results import (
    CALIBRATION,
    FRONT,
    PERTURBED,
    PERTURBED_RESULTS,
    PERTURBED_TIMINGS,
    RESULTS,
    TIMINGS,
    front_rows,
    read_front,
)
from navplan.bench.evaluate.shards import sources
from navplan.bench.evaluate.suite import Suite
from navplan.bench.processes import ONE_THREAD, Processes
from navplan.bench.provenance import surroundings, version
from navplan.bench.shards import FOLDERS, Result, Shard, Tally, read_shard, remaining, run_shards
from navplan.bench.tables import Record, TableFormat
from navplan.errors import InvalidInput
from navplan.system.files import check_writable, locked, write_text
from navplan.system.progress import Listener, Progress, told


@dataclass(frozen=True)
class EvaluationOutcome:
    """What an evaluation left.

    Attributes:
        planned, done: tasks in all, and those that are done.
        failures: one line for each task that failed.
        interrupted: Ctrl-C came before the end.
        files: what was written.
    """

    evidence: Evidence
    planned: int
    done: int
    failures: tuple[str, ...]
    interrupted: bool
    files: tuple[Path, ...]

    def document(self) -> dict[str, Any]:
        """One JSON document."""
        return {
            "suite": self.evidence.suite.name,
            "tasks": self.planned,
            "done": self.done,
            "interrupted": self.interrupted,
            "failures": list(self.failures),
            "files": [str(path) for path in self.files],
            "rows": self.evidence.rows,
        }

    def text(self) -> str:
        """The tables, and where the rest lies."""
        lines = [console_text(self.evidence)] if self.evidence.rows else []
        if self.done < self.planned:
            lines.append(f"{self.done} of {self.planned} tasks are done; the same command goes on from here")
        lines += [f"wrote {path}" for path in self.files if path.suffix in (".csv", ".gz", ".md")]
        return "\n".join(lines)


def evaluate(
    suite: Suite,
    out: Path,
    *,
    checkpoints: Sequence[str] = (),
    train_seeds: Sequence[int] | None = None,
    workers: int = 1,
    fresh: bool = False,
    progress: Progress = None,
) -> EvaluationOutcome:
    """Do every task of the suite that is not done yet, and write results.csv, timings.csv, report.md and the figures.

    Results lie under OUT/shards, one file a task, named by all that decides it; files of other tasks are left alone and not read.
    The tables hold the tasks of `suite`, in its order, whatever order they were done in.

    Args:
        checkpoints: run directories in place of the suite's; only their maps and training seeds are run then.
        train_seeds: the training seeds to keep of `checkpoints`.
        workers: processes side by side.
        fresh: do again what is done.
        progress: who is told how far it is, and of each task that fails; see `navplan.system.progress.Progress`.

    Raises:
        FileAccessError: another process is at work in `out`, or it cannot be written.
        InvalidInput, UnknownName, CheckpointError: before anything is run.
    """
    executor = Processes(workers, ONE_THREAD)
    check_writable(out, folder=True)
    given = given_runs(checkpoints, suite)
    if given and train_seeds is not None:
        given = {key: path for key, path in given.items() if key[1] in train_seeds}
        if not given:
            raise InvalidInput(f"no run of training seed {train_seeds[0]} among the checkpoints")
    plan = plan_of(suite, given)
    with told(progress) as listener, locked(out, *FOLDERS):
        return _evaluated(suite, plan, out, executor, fresh, listener)


def _evaluated(
    suite: Suite, plan: EvaluationPlan, out: Path, executor: Processes, fresh: bool, listener: Listener
) -> EvaluationOutcome:
    """Do what is missing of the plan, and write what is found."""
    left = remaining(plan.chains(), out, fresh=fresh)
    write_text(out / "run.json", json.dumps(_stamp(suite), indent=2) + "\n")
    failures: list[str] = []
    listener.stage(f"evaluating {suite.name}: {len(left)} of {len(plan)} tasks to do")
    tally = Tally(len(left), listener, "failed", lambda result: result.failure is not None)

    def report(shard: Shard, result: Result | None) -> None:
        tally(shard, result)
        if result is not None and result.failure is not None:
            failures.append(f"{shard.label}: {result.failure.words}")
            listener.warn(f"failed: {failures[-1]}")

    finished = run_shards(executor, left, out, report)
    listener.stage("writing tables, report and figures")
    found = gather(plan, out)
    files, evidence = merge(suite, out, found, complete=found.done == len(plan))
    return EvaluationOutcome(evidence, len(plan), found.done, tuple(failures), not finished, (out / "run.json", *files))


@dataclass(frozen=True)
class Findings:
    """What the shards of a plan left.

    Attributes:
        done: how many of them.
        rows, times, calibration: of results.csv, timings.csv and calibration.csv.
        front: points of the oracle's front; None: not computed.
        trajectories: files of the problem that the pictures show, by ``method/setting``.
    """

    done: int
    rows: list[Record]
    times: list[Record]
    front: list[list[float]] | None
    calibration: list[Record]
    trajectories: dict[str, Path]


def gather(plan: EvaluationPlan, out: Path) -> Findings:
    """Put together what is done, in the plan's order whatever order it was done in."""
    problems = [(shard, found) for shard in plan.problems if (found := read_shard(shard, out)) is not None]
    fronts = [shard.front(found) for shard in plan.fronts if (found := read_shard(shard, out)) is not None]
    judged = [(shard, found) for shard in plan.calibrations if (found := read_shard(shard, out)) is not None]
    return Findings(
        done=len(problems) + len(fronts) + len(judged),
        rows=[row for shard, found in problems for row in shard.rows(found)],
        times=[row for shard, found in problems for row in shard.times(found)],
        front=fronts[0] if fronts else None,
        calibration=[row for shard, found in judged for row in shard.rows(found)],
        trajectories={shard.setting.label: shard.trajectory_file(out) for shard, _ in problems if shard.keep is not None},
    )


def merge(suite: Suite, out: Path, found: Findings, *, complete: bool) -> tuple[tuple[Path, ...], Evidence]:
    """Write the tables, the report and the figures; the files, and what the report was made from."""
    results, timings = _formats(suite)
    tables = [results.write_sized(out / "results", found.rows), timings.write_sized(out / "timings", found.times)]
    if found.front is not None:
        tables.append(out / "pareto.csv")
        FRONT.write(tables[-1], front_rows(found.front))
    if found.calibration:
        tables.append(out / "calibration.csv")
        CALIBRATION.write(tables[-1], found.calibration)
    # What is reported is what the tables say, to the last digit; tables of another run's front or critics are none of ours.
    evidence = read_evidence(suite, out, complete=complete)
    evidence = replace(
        evidence,
        front=None if found.front is None else evidence.front,
        calibration=evidence.calibration if found.calibration else [],
        trajectories=found.trajectories,
    )
    return (*tables, *write_report(out, evidence)), evidence


def read_evidence(suite: Suite, folder: Path, *, complete: bool | None = None) -> Evidence:
    """What the tables in a folder say, as far as they are about the suite.

    Args:
        complete: whether all is done; None: judge by the number of rows.

    Raises:
        FileAccessError, FileFormatError: a table is missing or damaged.
    """
    known = {
        (agents, arm.setting.label, *(() if arm.perturbation is None else (arm.perturbation.name, arm.perturbation.level))): arm
        for agents in suite.agents
        for arm in arms_of(suite, agents)
    }

    def part(rows: list[Record]) -> list[Record]:
        kept = []
        for row in rows:
            key = (row["agents"], f"{row['method']}/{row['setting']}", *(row[name] for name in PERTURBED if name in row))
            if row["suite"] == suite.name and key in known and row["problem"] < known[key].problems:
                kept.append(row)
        return kept

    results, timings = _formats(suite)
    rows = part(results.read(folder / "results"))
    alike = len(suite.maps) * len(suite.difficulties) * len(suite.train_seeds)
    whole = alike * sum(arm.problems for agents in suite.agents for arm in arms_of(suite, agents))
    front, judged = folder / "pareto.csv", folder / "calibration.csv"
    return Evidence(
        suite=suite,
        rows=rows,
        times=part(timings.read(folder / "timings")),
        complete=len(rows) == whole if complete is None else complete,
        front=read_front(front) if front.is_file() else None,
        calibration=CALIBRATION.read(judged) if judged.is_file() else [],
    )


def _formats(suite: Suite) -> tuple[TableFormat, TableFormat]:
    """Of results.csv and timings.csv."""
    return (PERTURBED_RESULTS, PERTURBED_TIMINGS) if suite.perturbations else (RESULTS, TIMINGS)


def report_again(suite: Suite, folder: Path) -> EvaluationOutcome:
    """Write report.md and the figures again from the tables in `folder`; nothing is run.

    Figures that need more than the tables are left as they are.

    Raises:
        FileAccessError, FileFormatError: as `read_evidence`, or the report cannot be written.
    """
    evidence = read_evidence(suite, folder)
    files = write_report(folder, evidence, keep=True)
    return EvaluationOutcome(evidence, 0, 0, (), False, files)


def _stamp(suite: Suite) -> dict[str, Any]:
    """What was asked for and with what."""
    part = {name: list(getattr(suite, name)) for name in ("maps", "difficulties", "agents", "train_seeds")}
    return {
        "suite": suite.name,
        "version": version(),
        "code": sources(),
        "problems": suite.problems,
        **part,
        "settings": [setting.label for setting in suite.settings],
        **({"perturbations": [one.label for one in suite.perturbations]} if suite.perturbations else {}),
        **surroundings("numpy", "scipy", "numba", "torch"),
    }
