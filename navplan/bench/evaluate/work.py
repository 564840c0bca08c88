"""What a process of an evaluation does: one task at a time, checkpoints and roadmaps kept from task to task."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from navplan.bench.evaluate.options import options_from
from navplan.bench.evaluate.score import oracle_columns, score, standing
from navplan.bench.evaluate.task import Run, Task, code_hash
from navplan.errors import InvalidInput
from navplan.system.arrays import Float32
from navplan.system.files import write_text

# What is kept: a roadmap of 1000 nodes is tens of megabytes.
_KEPT = 4
T = TypeVar("T")


class Memory:
    """The last few things built, by name."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def get(self, name: str, build: Callable[[], T]) -> T:
        """What is called `name`, built when it is not there."""
        if name not in self._kept:
            self._kept[name] = build()
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(name)
        found: T = self._kept[name]
        return found


def do(task: Task, out: Path, memory: Memory) -> None:
    """Do a task and leave its file."""
    result = _KINDS[task.kind](task, out, memory)
    document = {"key": task.key, "kind": task.kind, "identity": dict(task.identity), "code": code_hash(), "result": result}
    write_text(task.file(out), json.dumps(document) + "\n")


def _problems(task: Task, out: Path, memory: Memory) -> dict[str, Any]:
    """Rows of results and times, one a problem."""
    from navplan.scenarios.registry import load_scenario

    cell = task.cell
    assert cell is not None  # the kind has one
    scenario = load_scenario(cell.map)
    rows, times = [], []
    for problem in range(len(cell.starts)):
        row, seconds, trajectory = run_problem(task, scenario, problem, memory)
        rows.append(row)
        times.append(seconds)
        if task.extra.get("keep") == problem:
            trajectory.save(task.trajectory_file(out))
    return {"rows": rows, "times": times}


def run_problem(task: Task, scenario: Any, problem: int, memory: Memory) -> tuple[dict[str, Any], dict[str, Any], Any]:
    """Navigate one problem: columns of the result, columns of times, and the trajectory."""
    from navplan.navigation.navigate import METHODS, build_roadmap, navigate

    cell, setting, run = task.cell, task.setting, task.run
    assert cell is not None  # the kind has all three
    assert setting is not None
    assert run is not None
    critics = memory.get(f"{run.sha256} {setting.ensemble}", lambda: load_run(run, setting.ensemble))
    budget = int(cell.budgets[problem])
    options = options_from(setting.options)
    how = options.applied(METHODS[setting.method])
    roadmap, roadmap_s = None, 0.0
    if how.plans:
        began = time.perf_counter()
        roadmap = memory.get(task.group, lambda: build_roadmap(scenario, critics, how, options))
        roadmap_s = time.perf_counter() - began
    starts, goals = cell.starts[problem], cell.goals[problem]
    began = time.perf_counter()
    navigation = navigate(
        scenario, critics, starts, goals, method=setting.method, options=options, roadmap=roadmap, max_steps=budget
    )
    total_s = time.perf_counter() - began
    trajectory = navigation.trajectory
    decisions = 0 if trajectory is None else trajectory.num_steps * cell.agents
    acting_s = 0.0 if trajectory is None else trajectory.acting_s
    if trajectory is None:
        trajectory = standing(scenario, starts, goals, budget)
    plan = navigation.plan
    row = {
        "problem": problem,
        **score(trajectory, budget),
        **oracle_columns(cell.oracle_cost[problem], cell.oracle_steps[problem]),
        "status": navigation.status,
        "budget": budget,
        "plan_status": "" if plan is None else plan.status,
        "plan_cost": None if plan is None or not plan.solved else plan.sum_of_costs,
        "replans": sum(event["kind"] == "replan" for event in trajectory.events),
        "nodes": None if navigation.pruned is None else navigation.pruned.num_nodes,
        "edges": None if navigation.pruned is None else navigation.pruned.num_edges,
        "reason": navigation.reason,
    }
    seconds = {
        "problem": problem,
        "roadmap_s": roadmap_s,
        "graph_s": navigation.graph_s,
        "plan_s": navigation.plan_s,
        "first_plan_s": None if plan is None else plan.runtime_s,
        "drive_s": navigation.drive_s,
        "acting_s": acting_s,
        "decisions": decisions,
        "decisions_per_s": decisions / acting_s if acting_s > 0 else None,
        "total_s": total_s,
    }
    return row, seconds, trajectory


def load_run(run: Run, ensemble: int | None) -> Any:
    """Critics and policies of a run directory; with `ensemble`, only the first so many critics of each kind.

    Raises:
        InvalidInput: the checkpoint has fewer.
    """
    from navplan.learned.training.load import load_checkpoint

    critics = load_checkpoint(run.file.parent, stage=run.stage)
    if ensemble is None:
        return critics
    if ensemble > critics.config.ensemble:
        raise InvalidInput(f"{run.name}: has {critics.config.ensemble} critics of each kind, {ensemble} are asked for")
    return _Fewer(critics, ensemble)


class _Fewer:
    """A checkpoint of which only the first critics are asked."""

    def __init__(self, critics: Any, count: int) -> None:
        self._critics, self._count = critics, count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._critics, name)

    def members(self, observations: ArrayLike, goals: ArrayLike) -> tuple[Float32, Float32]:
        """As `Critics.members`."""
        distance, risk = self._critics.members(observations, goals)
        return distance[: self._count], risk[: self._count]

    def evaluate(self, observations: ArrayLike, goals: ArrayLike) -> tuple[Float32, Float32]:
        """As `Critics.evaluate`."""
        distance, risk = self.members(observations, goals)
        return distance.max(axis=0), risk.max(axis=0)

    def distance(self, observations: ArrayLike, goals: ArrayLike) -> Float32:
        """As `Critics.distance`."""
        mean: Float32 = self.members(observations, goals)[0].mean(axis=0)
        return mean

    def risk(self, observations: ArrayLike, goals: ArrayLike) -> Float32:
        """As `Critics.risk`."""
        mean: Float32 = self.members(observations, goals)[1].mean(axis=0)
        return np.where(mean < self._critics.cost_floor, np.float32(0), mean)


def _pareto(task: Task, out: Path, memory: Memory) -> dict[str, Any]:
    """The oracle's front of mean steps and mean cost over all agents of all problems, each alone on the map."""
    from navplan.scenarios.problems.oracle import pareto
    from navplan.scenarios.registry import load_scenario

    cell = task.cell
    assert cell is not None  # the kind has one
    scenario = load_scenario(cell.map)
    starts, goals = cell.starts.reshape(-1, 2), cell.goals.reshape(-1, 2)
    weights, resolution = task.extra["step_weights"], task.extra["resolution"]
    front = pareto(scenario.world, starts, goals, weights, tolerance=scenario.goal_tolerance, resolution=resolution)
    points = zip(front.step_weights, front.steps.mean(axis=1), front.cost.mean(axis=1), strict=True)
    return {"front": [[float(value) for value in point] for point in points]}


def _calibration(task: Task, out: Path, memory: Memory) -> dict[str, Any]:
    """Predicted against realised steps and cost over pairs that a graph would join."""
    from navplan.learned.evaluation.calibration import calibration, near_pairs
    from navplan.scenarios.registry import load_scenario

    run = task.run
    assert run is not None  # the kind has one
    scenario = load_scenario(task.extra["map"])
    pairs = near_pairs(scenario.world, task.extra["pairs"], np.random.default_rng(0))
    tolerance = scenario.goal_tolerance
    return calibration(load_run(run, None), scenario.world, *pairs, tolerance=tolerance).to_dict()


_KINDS: dict[str, Callable[[Task, Path, Memory], dict[str, Any]]] = {
    "problems": _problems,
    "pareto": _pareto,
    "calibration": _calibration,
}
