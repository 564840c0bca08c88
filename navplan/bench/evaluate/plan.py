"""From a suite to its tasks: problems, checkpoints and settings put together, everything checked before anything is run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from navplan.bench.evaluate.options import options_from
from navplan.bench.evaluate.score import budget_of
from navplan.bench.evaluate.suite import Setting, Suite
from navplan.bench.evaluate.task import Cell, Run, Task, version
from navplan.errors import InvalidInput
from navplan.system.files import sha256

PAIRS = 4000
"""Pairs of points that a calibration drives."""

Given = dict[tuple[str, int], Path]
"""Run directories by scenario and training seed, where the user names them instead of the suite."""


def cells_of(suite: Suite) -> list[Cell]:
    """The suite's problems, by map, difficulty and agents in the suite's order.

    Raises:
        InvalidInput: the problem set lacks a cell, problems or the oracle; or as `load_problem_sets`.
    """
    from navplan.scenarios.problems.sets import load_problem_sets, read_problem_sets

    file = suite.problem_set.endswith(".csv")
    sets = read_problem_sets(suite.problem_set) if file else load_problem_sets(suite.problem_set, suite.split)
    found = {(one.map, one.difficulty, one.agents): one for one in sets}
    cells = []
    for where in [(m, d, a) for m in suite.maps for d in suite.difficulties for a in suite.agents]:
        one = found.get(where)
        name = f"problem set {suite.problem_set}: {where[0]}, {where[1]}, {where[2]} agents"
        if one is None or len(one.starts) < suite.problems:
            raise InvalidInput(f"{name}: {0 if one is None else len(one.starts)} problems, expected {suite.problems}")
        if one.oracle is None:
            raise InvalidInput(f"{name}: has no oracle columns, expected a file built with them")
        kept = slice(suite.problems)
        steps = np.asarray(one.oracle.steps[kept], dtype=np.float64)
        budgets = [budget_of(row, suite.budget, suite.budget_factor) for row in steps]
        cells.append(
            Cell(
                map=one.map,
                map_sha256=one.map_sha256,
                difficulty=one.difficulty,
                agents=one.agents,
                starts=np.asarray(one.starts[kept]),
                goals=np.asarray(one.goals[kept]),
                oracle_cost=np.asarray(one.oracle.cost[kept], dtype=np.float64),
                oracle_steps=steps,
                budgets=np.asarray(budgets, dtype=np.int64),
            )
        )
    return cells


def given_runs(paths: Sequence[str], suite: Suite) -> Given:
    """The user's run directories, by the scenario and the seed that they say they were trained with.

    Raises:
        InvalidInput: a run of a map that the suite does not have, or two of one seed.
        UnknownName, FileAccessError, CheckpointError: as `load_checkpoint`.
    """
    from navplan.learned.training.load import checkpoint_folder
    from navplan.learned.training.tensors import POLICY, read_tensors

    runs: Given = {}
    for path in paths:
        folder = checkpoint_folder(path)
        config = read_tensors(folder / POLICY, "policy")[1].get("config")
        config = config if isinstance(config, dict) else {}
        scenario, seed = str(config.get("scenario")), int(config.get("seed", 0))
        name = Path(scenario).stem
        if name not in suite.maps:
            raise InvalidInput(f"{path}: was trained on {scenario!r}, expected a map of the suite: {', '.join(suite.maps)}")
        if (name, seed) in runs:
            raise InvalidInput(f"{path} and {runs[name, seed]}: trained on {name} with seed {seed}, expected different seeds")
        runs[name, seed] = folder
    return runs


def run_of(setting: Setting, scenario: str, seed: int, given: Given) -> Run:
    """The run directory of a setting on a map.

    Raises:
        UnknownName, FileAccessError: there is none.
    """
    from navplan.learned.training.load import checkpoint_folder
    from navplan.learned.training.tensors import POLICY, STAGE1
    from navplan.navigation.result import METHODS

    stage = 2 if METHODS[setting.method].constrained else 1
    folder = given[scenario, seed] if given else checkpoint_folder(setting.checkpoints.of(scenario, seed))
    file = folder / (POLICY if stage == 2 else STAGE1)
    return Run(folder.name, file, _hash(file), seed, stage)


@cache
def _hash(file: Path) -> str:
    return sha256(file)


def problem_tasks(suite: Suite, cells: Sequence[Cell], given: Given) -> list[Task]:
    """One task for each cell, setting and training seed, in the order of the rows of results.csv.

    Raises:
        UnknownName, FileAccessError: a checkpoint is missing.
    """
    seeds = {m: sorted(seed for scenario, seed in given if scenario == m) for m in suite.maps} if given else {}
    return [
        _problem_task(suite, cell, setting, run_of(setting, cell.map, seed, given))
        for cell in cells
        for setting in suite.settings
        for seed in (seeds[cell.map] if given else suite.train_seeds)
    ]


def _problem_task(suite: Suite, cell: Cell, setting: Setting, run: Run) -> Task:
    options = options_from(setting.options)
    identity: dict[str, Any] = {
        "suite": suite.name,
        "map": cell.map,
        "map_sha256": cell.map_sha256,
        "difficulty": cell.difficulty,
        "agents": cell.agents,
        "method": setting.method,
        "setting": setting.name,
        "train_seed": run.train_seed,
        "options": repr(options),  # defaults included: a changed default is another task
        "ensemble": setting.ensemble,
        "problems": cell.digest(),
        "checkpoint_sha256": run.sha256,
        "version": version(),
    }
    shown = suite.figures
    keep = None
    if shown is not None and (shown.map, shown.difficulty, shown.agents) == (cell.map, cell.difficulty, cell.agents):
        keep = shown.problem if setting.headline and run.train_seed == 0 and shown.problem < len(cell.starts) else None
    group = json.dumps([cell.map, setting.method, repr(options), setting.ensemble, run.sha256])
    label = f"{cell.label} {setting.label} seed {run.train_seed}"
    return Task("problems", identity, label, group, cell, setting, run, {"keep": keep})


def pareto_tasks(suite: Suite, cells: Sequence[Cell]) -> list[Task]:
    """The oracle's front on the cell that the pictures show, as finely as the oracle's columns of its problems."""
    from navplan.scenarios.problems.oracle import RESOLUTION
    from navplan.scenarios.problems.sets import SUITES

    shown = suite.figures
    resolution = SUITES[suite.problem_set].resolution if suite.problem_set in SUITES else RESOLUTION
    if shown is None:
        return []
    tasks = []
    for cell in cells:
        if (cell.map, cell.difficulty, cell.agents) != (shown.map, shown.difficulty, shown.agents):
            continue
        extra = {"step_weights": list(shown.step_weights), "resolution": resolution}
        points = hashlib.sha256(cell.starts.tobytes() + cell.goals.tobytes()).hexdigest()
        identity = {"map_sha256": cell.map_sha256, "points": points, "version": version(), **extra}
        tasks.append(Task("pareto", identity, f"{cell.label} oracle's front", "pareto", cell, extra=extra))
    return tasks


def calibration_tasks(suite: Suite, cells: Sequence[Cell], given: Given) -> list[Task]:
    """Whether the critics that navplan plans with mean what they say: one task for each map and training seed."""
    setting = next((one for one in suite.settings if one.method == "navplan" and one.headline), None)
    if setting is None or suite.figures is None:
        return []
    tasks = []
    for name, digest in dict.fromkeys((cell.map, cell.map_sha256) for cell in cells):
        seeds = sorted(seed for scenario, seed in given if scenario == name) if given else suite.train_seeds
        for seed in seeds:
            run = run_of(setting, name, seed, given)
            identity = {"map_sha256": digest, "checkpoint_sha256": run.sha256, "pairs": PAIRS, "version": version()}
            extra = {"map": name, "pairs": PAIRS}
            tasks.append(Task("calibration", identity, f"{name} calibration seed {seed}", f"~{name}", run=run, extra=extra))
    return tasks
