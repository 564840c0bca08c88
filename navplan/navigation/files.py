"""The folder of a run: summary.json, plan.json, graph.npz and trajectory.npz, as far as there is something to write."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from navplan.errors import FileAccessError, FileFormatError
from navplan.execution.drive import Interrupted
from navplan.execution.trajectory import Trajectory
from navplan.graph.state_graph import StateGraph
from navplan.navigation.result import Navigation
from navplan.plan.plan import Plan
from navplan.system.files import read_bytes, sha256, write_text
from navplan.system.reading import parse_json

SUMMARY, PLAN, GRAPH, TRAJECTORY = "summary.json", "plan.json", "graph.npz", "trajectory.npz"


@dataclass(frozen=True, eq=False)
class RunFiles:
    """What lies in the folder of a run; None where it does not, and an empty summary."""

    plan: Plan | None
    trajectory: Trajectory | None
    graph: StateGraph | None
    summary: Mapping[str, Any]


def write_run(out: Path, result: Navigation, summary: Mapping[str, Any]) -> None:
    """summary.json, and plan.json with its graph.npz and trajectory.npz where there are any.

    What an earlier run left of them is removed. The plan names the graph, so that `navplan validate` can check it.

    Raises:
        FileAccessError: the folder cannot be written.
    """
    plan, graph = result.plan, result.pruned
    if graph is not None:
        graph.save(out / GRAPH)
        if plan is not None:
            identity = {"map": GRAPH, "map_sha256": sha256(out / GRAPH)}
            plan = dataclasses.replace(plan, problem={**plan.problem, **identity})
    if plan is not None:
        plan.save(out / PLAN)
    if result.trajectory is not None:
        result.trajectory.save(out / TRAJECTORY)
    for name, part in ((GRAPH, graph), (PLAN, plan), (TRAJECTORY, result.trajectory)):
        if part is None:
            remove(out / name)
    write_summary(out, summary)


def write_summary(out: Path, summary: Mapping[str, Any]) -> None:
    """summary.json alone."""
    write_text(out / SUMMARY, json.dumps(summary, indent=2, allow_nan=False) + "\n")


@contextlib.contextmanager
def written_when_interrupted(out: Path | None) -> Iterator[None]:
    """Ctrl-C while driving leaves what had happened in `out`, if there is one; it is raised all the same."""
    try:
        yield
    except Interrupted as stop:
        if out is not None and stop.result is not None:
            write_run(out, stop.result, stop.result.summary())
        raise


def read_run(folder: Path) -> RunFiles:
    """What a run or a demo wrote.

    Raises:
        FileFormatError: it holds no plan, trajectory or graph, or one that is malformed.
        FileAccessError: a file cannot be read.
    """
    plan = Plan.load(folder / PLAN) if (folder / PLAN).is_file() else None
    trajectory = Trajectory.load(folder / TRAJECTORY) if (folder / TRAJECTORY).is_file() else None
    graph = StateGraph.load(folder / GRAPH) if (folder / GRAPH).is_file() else None
    if plan is None and trajectory is None and graph is None:
        raise FileFormatError(folder, f"nothing to look at, expected {PLAN}, {TRAJECTORY} or {GRAPH}")
    return RunFiles(plan, trajectory, graph, read_summary(folder))


def read_summary(folder: Path) -> dict[str, Any]:
    """summary.json of a run; empty where there is none.

    Raises:
        FileFormatError: it is no JSON object.
        FileAccessError: it cannot be read.
    """
    path = folder / SUMMARY
    if not path.is_file():
        return {}
    summary = parse_json(path, read_bytes(path), "a summary")
    if not isinstance(summary, dict):
        raise FileFormatError(path, "is no JSON object, expected a summary")
    return summary


def remove(path: Path) -> None:
    """Remove what an earlier run left there, if anything.

    Raises:
        FileAccessError: it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise FileAccessError(f"{path}: cannot be removed: {error.strerror or error}") from error
