"""The subprocess that plans: tasks come as JSON lines on standard input, events leave as JSON lines on standard output.

Per task: {"event": "ready"} once the problem and the kernels are loaded, {"event": "planned"} when the planner has returned, and
{"event": "row", …} with the result, checked by the independent validator. Whoever starts it may kill it at any time.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import IO, Any

import numpy as np

from navplan.bench.mapf.instances import parse_planner
from navplan.errors import NavplanError
from navplan.graph.state_graph import StateGraph
from navplan.kernels.search.dijkstra import breadth_first
from navplan.plan.plan import Plan
from navplan.plan.problem import Problem
from navplan.plan.validate import violations
from navplan.planners.base import Prepared
from navplan.planners.solve import configured, solve
from navplan.planners.warm_up import warm_up
from navplan.scenarios.problems.load import load_problem
from navplan.system.arrays import Int32
from navplan.system.memory import peak_memory, reset_peak

# A plan that comes later than this after the time limit is not counted as solved.
LATE_SHARE, LATE_S = 0.05, 0.1


class Loader:
    """Keeps the last graph, and the shortest distances of its last scenario, for the next task on it."""

    def __init__(self) -> None:
        self._scen = ""
        self._lengths: list[float] = []

    def problem(self, task: dict[str, Any]) -> Problem:
        """The task's problem."""
        return load_problem(task["map"], task["scen"], task["agents"])

    def shortest(self, task: dict[str, Any], problem: Problem) -> float:
        """Sum of the agents' shortest paths alone: a lower bound on any plan's cost on a unit grid."""
        if task["scen"] != self._scen:
            self._scen, self._lengths = task["scen"], []
        done = len(self._lengths)
        if done < problem.num_agents:
            self._lengths += lengths(problem.graph, problem.starts[done:], problem.goals[done:])
        return float(sum(self._lengths[: problem.num_agents]))


def lengths(graph: StateGraph, starts: Int32, goals: Int32) -> list[float]:
    """Edges of the shortest path from each start to its goal, inf where there is none."""
    reverse = Prepared.of(graph)
    table = np.empty(graph.num_nodes)
    scratch = np.empty(graph.num_nodes, np.int32)
    found = []
    for start, goal in zip(starts.tolist(), goals.tolist(), strict=True):
        table.fill(np.inf)
        breadth_first(reverse.indptr, reverse.indices, goal, table, scratch)
        found.append(float(table[start]))
    return found


def measure(task: dict[str, Any], loader: Loader, say: Any) -> dict[str, Any]:
    """Plan once; the columns that the run fills."""
    name, options = parse_planner(task["planner"])
    problem = loader.problem(task)
    planner = configured(name, options)
    compile_s = warm_up(planner, problem)
    reset_peak()
    say({"event": "ready"})
    cpu = time.process_time()
    wall = time.perf_counter()
    plan = solve(problem, planner, time_limit=task["time_limit"], seed=task["seed"], memory_limit=task["memory_limit"])
    wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
    say({"event": "planned"})
    peak = peak_memory()
    row = describe(plan, problem, loader.shortest(task, problem), task["time_limit"])
    if task.get("plan_file"):
        plan.save(task["plan_file"])
    return {
        **row,
        "compile_s": round(compile_s, 4),
        "wall_s": round(wall_s, 5),
        "cpu_s": round(cpu_s, 5),
        "peak_memory_mb": round(peak / 1e6, 1),
    }


def describe(plan: Plan, problem: Problem, shortest: float, limit: float) -> dict[str, Any]:
    """Columns about the plan; `shortest` bounds its cost from below where it is finite."""
    broken = violations(plan, problem, limit=1) if plan.solved else []
    late = plan.runtime_s > max(limit * (1 + LATE_SHARE), limit + LATE_S)
    reason = plan.reason
    if broken:
        reason = f"invalid plan: {broken[0].message}"
    elif plan.solved and late:
        reason = f"late: {plan.runtime_s:.2f} s with a limit of {limit:g} s"
    bounds = [b for b in (plan.lower_bound, shortest) if b is not None and np.isfinite(b)]
    bound = max(bounds, default=None)
    cost = plan.sum_of_costs
    return {
        "status": "invalid" if broken else plan.status,
        "solved": plan.solved and not broken and not late,
        "valid": not broken if plan.solved else None,
        "sum_of_costs": cost,
        "lower_bound": bound,
        "sum_of_shortest": shortest if np.isfinite(shortest) else None,
        "makespan": plan.makespan,
        "suboptimality": None if cost is None or not bound else round(cost / bound, 6),
        "runtime_s": round(plan.runtime_s, 6),
        "cells": problem.graph.num_nodes,
        "expanded": plan.stats.get("expanded"),
        "generated": plan.stats.get("generated"),
        "reason": reason,
    }


def serve(tasks: IO[str], channel: IO[str]) -> None:
    """Answer tasks until standard input ends."""

    def say(event: dict[str, Any]) -> None:
        channel.write(json.dumps(event) + "\n")
        channel.flush()

    loader = Loader()
    for line in tasks:
        task = json.loads(line)
        try:
            row = measure(task, loader, say)
        except NavplanError as error:
            row = {"status": "refused", "solved": False, "reason": str(error)}
        except MemoryError as error:
            row = {"status": "unsolved", "solved": False, "reason": f"out of memory outside the planner: {error}"}
        say({"event": "row", "row": row})


def _end_with_parent(parent: int) -> None:
    """Leave when whoever started this process is gone; a kernel that runs does not stop this thread."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def main() -> int:
    """Serve on the real standard output; whatever a library prints goes to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C and decides
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    serve(sys.stdin, channel)
    return 0


if __name__ == "__main__":
    sys.exit(main())
