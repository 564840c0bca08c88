"""Lifelong planning: whoever reaches a goal gets the next one, and the fleet never stops.

With `pibt` every time step is planned on its own. Any other planner plans for everybody's present goals, a window of that plan is
driven, and it plans again (rolling horizon, after Li et al. 2021, "Lifelong Multi-Agent Path Finding in Large-Scale Warehouses").
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from navplan.errors import FileFormatError, InvalidInput, InvalidProblem
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import Problem
from navplan.planners.base import Planner, check_supported
from navplan.planners.checks import check_time_limit
from navplan.planners.lifelong.fleet import Fleet, make_fleet, warm_up_fleet
from navplan.planners.solving import configured
from navplan.system.arrays import Float64, Int32
from navplan.system.files import read_bytes, write_text
from navplan.system.numbers import check_kind, check_seed
from navplan.system.progress import Listener, Progress, told
from navplan.system.reading import without_mark
from navplan.system.words import said


@runtime_checkable
class GoalStream(Protocol):
    """Where goals come from."""

    def next(self, agent: int, node: int) -> int | None:
        """The next goal of `agent`, which is at `node`; None when there is nothing more to do for it."""
        ...


class RandomGoals:
    """Goals without end: uniformly random nodes in the agent's own component, another than the one it is at."""

    def __init__(self, graph: StateGraph, seed: int = 0) -> None:
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components

        ones = np.ones(graph.num_edges, np.int8)
        matrix = csr_array((ones, graph.indices, graph.indptr), shape=(graph.num_nodes, graph.num_nodes))
        _, label = connected_components(matrix, directed=True, connection="strong")
        order = np.argsort(label, kind="stable")
        ends = np.searchsorted(label[order], np.arange(label.max() + 2))
        self._label, self._order, self._ends = label, order, ends
        self._rng = np.random.default_rng(seed)

    def next(self, agent: int, node: int) -> int | None:
        """See `GoalStream`."""
        low, high = self._ends[self._label[node]], self._ends[self._label[node] + 1]
        if high - low < 2:
            return None
        goal = int(self._order[self._rng.integers(low, high - 1)])
        return int(self._order[high - 1]) if goal == node else goal


class TaskList:
    """Tasks in order, each taken by the first agent that is free; a task is one node or several to be visited in turn."""

    def __init__(self, tasks: Iterable[int | Sequence[int]]) -> None:
        self._tasks = [[int(task)] if isinstance(task, int | np.integer) else [int(node) for node in task] for task in tasks]
        self._taken = 0
        self._open: dict[int, list[int]] = {}

    def next(self, agent: int, node: int) -> int | None:
        """See `GoalStream`."""
        errand = self._open.get(agent)
        if not errand:
            if self._taken == len(self._tasks):
                return None
            errand = list(self._tasks[self._taken])
            self._taken += 1
            self._open[agent] = errand
        return errand.pop(0)


def read_tasks(path: str | Path, graph: StateGraph) -> TaskList:
    """Read a task file of the League of Robot Runners: how many, then one task a line.

    A task is the index ``row * width + col`` of a cell, or several separated by commas, to be visited in turn; on a state graph
    node ids. Lines that begin with ``#`` are comments.

    Raises:
        FileAccessError: it cannot be read.
        FileFormatError: a wrong count, or a line that is no free cell; names the line.
    """
    text = without_mark(read_bytes(path)).decode("utf-8", "replace")
    lines = [(k, line.strip()) for k, line in enumerate(text.splitlines(), start=1)]
    lines = [(k, line) for k, line in lines if line and not line.startswith("#")]
    if not lines or not lines[0][1].isascii() or not lines[0][1].isdecimal() or len(lines[0][1]) > 9:
        raise FileFormatError(path, "expected the number of tasks", lines[0][0] if lines else 1)
    if int(lines[0][1]) != len(lines) - 1:
        raise FileFormatError(path, f"says {lines[0][1]} tasks and holds {len(lines) - 1}", lines[0][0])
    if graph.shape is None:
        ids = np.arange(graph.num_nodes)
    else:
        cells = graph.cells()
        ids = np.full(graph.shape[0] * graph.shape[1], -1, np.int64)
        ids[cells[:, 0] * graph.shape[1] + cells[:, 1]] = np.arange(graph.num_nodes)
    tasks = []
    for number, line in lines[1:]:
        try:
            places = [int(word) for word in line.split(",")]
        except ValueError:
            raise FileFormatError(path, f"task {line[:40]!r}, expected cell numbers separated by commas", number) from None
        for place in places:
            if not 0 <= place < len(ids) or ids[place] < 0:
                raise FileFormatError(path, f"cell {place} is blocked or outside the map, expected a free cell", number)
        tasks.append([int(ids[place]) for place in places])
    return TaskList(tasks)


@dataclass(frozen=True)
class Task:
    """One goal of one agent; `reached` is None when the run ended before."""

    agent: int
    goal: int
    given: int
    reached: int | None


@dataclass(frozen=True, eq=False)
class LifelongRun:
    """What happened.

    Attributes:
        planner: its name.
        history: (T + 1, A) int32 node of every agent at every time step.
        tasks: every goal that was given, in order.
        planning_s: wall seconds of each planning call, and after how many steps the next one came: (calls, 2) float64.
        failures: calls that found no plan in time; the fleet then drives the rest of its last plan, or waits.
        delayed: times that an agent had to aim beside its goal because another's was the same or too near.
        violations: broken rules that the check of the driven paths found; empty for a valid run.
        interrupted: Ctrl-C came before the end.
        plan: the driven paths as a plan, for `navplan validate` and `navplan view`.
    """

    planner: str
    history: Int32
    tasks: tuple[Task, ...]
    planning_s: Float64
    failures: int
    delayed: int
    violations: tuple[str, ...]
    interrupted: bool
    plan: Plan

    @property
    def steps(self) -> int:
        """Time steps driven."""
        return len(self.history) - 1

    @property
    def reached(self) -> int:
        """Goals reached."""
        return sum(task.reached is not None for task in self.tasks)

    @property
    def throughput(self) -> float:
        """Goals reached per time step, by all agents together."""
        return self.reached / self.steps if self.steps else 0.0

    def summary(self) -> dict[str, Any]:
        """The fields that `navplan lifelong --json` prints."""
        service = [task.reached - task.given for task in self.tasks if task.reached is not None]
        waits = float((self.history[1:] == self.history[:-1]).mean()) if self.steps else 0.0
        done = np.bincount([t.agent for t in self.tasks if t.reached is not None], minlength=self.history.shape[1])
        calls = self.planning_s[:, 0]
        return {
            "planner": self.planner,
            "agents": int(self.history.shape[1]),
            "steps": self.steps,
            "goals_reached": self.reached,
            "throughput": round(self.throughput, 6),
            "goals_per_agent": {"min": int(done.min()), "mean": round(float(done.mean()), 3), "max": int(done.max())},
            "service_steps": _spread(service),
            "oldest_open_goal": max((self.steps - t.given for t in self.tasks if t.reached is None), default=0),
            "wait_share": round(waits, 6),
            "planning_s": {
                "calls": len(calls),
                "total": round(float(calls.sum()), 6),
                "per_step": round(float(calls.sum()) / max(1, self.steps), 6),
                "per_call": _spread(calls.tolist()),
            },
            "failures": self.failures,
            "delayed_goals": self.delayed,
            "valid": not self.violations,
            "violations": list(self.violations[:20]),
            "interrupted": self.interrupted,
        }

    def save(self, path: str | Path) -> None:
        """Write the driven paths as a plan file, with the summary and the tasks beside them."""
        tasks = [[t.agent, t.goal, t.given, t.reached] for t in self.tasks]
        extra = {**self.summary(), "task_columns": ["agent", "goal", "given", "reached"], "tasks": tasks}
        write_text(path, json.dumps({**self.plan.document(), "lifelong": extra}, allow_nan=False) + "\n")


def _spread(values: Sequence[float]) -> dict[str, float] | None:
    """Mean, median, 95th percentile and maximum; None without values."""
    if not len(values):
        return None
    mean, median, high, top = np.mean(values), np.median(values), np.percentile(values, 95), np.max(values)
    return {"mean": round(float(mean), 6), "median": float(median), "p95": round(float(high), 6), "max": float(top)}


_MOST = 1 << 31
"""Of steps."""


def lifelong(
    problem: Problem,
    goals_stream: GoalStream | Iterable[int | Sequence[int]] | None = None,
    steps: int = 1000,
    planner: str | Planner = "pibt",
    *,
    window: int = 5,
    horizon: int | None = None,
    time_limit: float | None = None,
    seed: int = 0,
    progress: Progress = None,
    **options: Any,
) -> LifelongRun:
    """Drive the agents of `problem` for `steps` time steps, each from goal to goal.

    An agent that is at its goal at the end of a step has reached it and is given the next one at once. One without a
    next goal stays about and makes way.

    Args:
        problem: starts, and the first goals when `goals_stream` is None; else those of the stream from the beginning.
        goals_stream: a `GoalStream`; or nodes (or sequences of nodes) as in `TaskList`; None for random goals without end.
        steps: time steps to drive.
        planner: pibt, or any registered planner for many agents, or a planner object.
        window: steps to drive between two plans; pibt plans every step.
        horizon: aim no more than so many steps ahead on the way to the goal; None for the goals themselves.
        time_limit: wall seconds for one planning call; None for no limit.
        seed: of random goals and of the planner.
        progress: who is told how far it is; see `navplan.system.progress.Progress`.
        options: fields of the planner.

    Raises:
        UnknownName, InvalidInput: no such planner or option; a number out of range.
        InvalidProblem: the planner cannot handle the problem's kind; a goal that its agent cannot reach.

    Example:
        >>> graph = StateGraph.from_grid(np.zeros((5, 5), bool))
        >>> run = lifelong(Problem(graph, [0, 4, 20], [24, 20, 4]), steps=50)
        >>> run.reached > 5, run.violations
        (True, ())
    """
    check_kind(problem, Problem, "problem", "a Problem(graph, starts, goals)")
    for name, value in (("steps", steps), ("window", window), ("horizon", horizon if horizon is not None else window)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value <= _MOST:
            raise InvalidInput(f"{name} is {said(value)}, expected a positive integer")
    if horizon is not None and horizon < window:
        raise InvalidInput(f"horizon is {horizon} and window {window}, expected to aim at least as far as the window")
    check_time_limit("time_limit", time_limit)
    check_seed(seed)
    problem = problem.fitted()
    stream, first = _streamed(problem, goals_stream, seed)
    chosen = configured(planner, options)
    if chosen.max_agents is not None:
        raise InvalidProblem(f"planner {chosen.name} plans for {chosen.max_agents} agent, expected one for many agents")
    check_supported(chosen, problem)
    rng = np.random.default_rng(seed)
    with told(progress) as listener:
        warm_up_fleet(chosen, problem)
        listener.stage(f"driving {problem.num_agents} agents for {steps} steps with {chosen.name}")
        fleet = make_fleet(problem, chosen, rng, window, horizon, time_limit)
        return _drive(problem, stream, first, fleet, steps, listener)


def _streamed(
    problem: Problem, given: GoalStream | Iterable[int | Sequence[int]] | None, seed: int
) -> tuple[GoalStream, list[int | None]]:
    """The stream, and everybody's first goal."""
    if given is None:
        return RandomGoals(problem.graph.fitting(float(problem.radii.max())), seed), [int(goal) for goal in problem.goals]
    stream = given if isinstance(given, GoalStream) else TaskList(given)
    return stream, [stream.next(agent, int(node)) for agent, node in enumerate(problem.starts)]


def _drive(
    problem: Problem,
    stream: GoalStream,
    first: Sequence[int | None],
    fleet: Fleet,
    steps: int,
    listener: Listener,
) -> LifelongRun:
    history = np.empty((steps + 1, problem.num_agents), np.int32)
    history[0] = problem.starts
    open_tasks: dict[int, tuple[int, int]] = {}
    tasks: list[Task] = []
    reached = step = 0
    interrupted = False

    def give(agent: int, goal: int | None) -> None:
        """Hand out a goal; those that the agent is at already are reached at once."""
        nonlocal reached
        node = int(history[step, agent])
        for _ in range(problem.graph.num_nodes):
            if goal != node:
                break
            tasks.append(Task(agent, goal, step, step))
            reached += 1
            goal = stream.next(agent, node)
        if goal is None or goal == node:
            open_tasks.pop(agent, None)
            fleet.aim(agent, None)
            return
        if not 0 <= goal < problem.graph.num_nodes:
            raise InvalidProblem(f"agent {agent}: goal node {goal} is not in 0..{problem.graph.num_nodes - 1}")
        open_tasks[agent] = (goal, step)
        if not fleet.aim(agent, goal):
            raise InvalidProblem(f"agent {agent} cannot reach its goal: no way from node {node} to node {goal}")

    try:
        for agent, goal in enumerate(first):
            give(agent, goal)
        while step < steps:
            history[step + 1] = fleet.step(history[step])
            step += 1
            for agent, (goal, given) in [(a, t) for a, t in open_tasks.items() if history[step, a] == t[0]]:
                tasks.append(Task(agent, goal, given, step))
                reached += 1
                give(agent, stream.next(agent, goal))
            listener.show(step, steps, f"{reached} goals")
    except KeyboardInterrupt:
        interrupted = True
    history = history[: step + 1]
    tasks += [Task(agent, goal, given, None) for agent, (goal, given) in open_tasks.items()]
    tasks.sort(key=lambda task: (task.given, task.agent))
    plan, violations = checked(problem, history, fleet.name)
    calls = np.array(fleet.calls, np.float64).reshape(-1, 2)
    return LifelongRun(fleet.name, history, tuple(tasks), calls, fleet.failures, fleet.delayed, violations, interrupted, plan)


def checked(problem: Problem, history: Int32, planner: str) -> tuple[Plan, tuple[str, ...]]:
    """The driven paths as a plan whose goals are where the agents ended, and what the validator has against it."""
    from navplan.plan.validation import violations

    identity = {key: value for key, value in problem.identity.items() if not key.startswith("scen")}
    driven = Problem(
        problem.graph,
        problem.starts,
        history[-1],
        problem.radius,
        problem.clearance,
        problem.beta,
        problem.wait_cost,
        problem.weight,
        identity=identity,
        forbidden=problem.forbidden,
    )
    plan = make_plan(driven, planner, "feasible", [np.ascontiguousarray(column) for column in history.T])
    return plan, tuple(violation.message for violation in violations(plan, driven))
