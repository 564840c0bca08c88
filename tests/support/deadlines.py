"""How well planners keep time limits, in JSON lines: ``python -m tests.support.deadlines PLANNER [--limits 0,0.5] [--load]``.

A run's `over` is the processor time that its busiest thread took after the limit: what other processes took of it is no
fault of the planner.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np

from navplan.graph.state_graph import StateGraph
from navplan.plan.problem import Problem
from navplan.planners import solving
from navplan.planners.base import Planner
from navplan.planners.solving import configured
from navplan.scenarios.problems.pairs import draw_pairs
from navplan.scenarios.worlds.generators import random_obstacles

LIMITS = (0.0, 0.05, 0.5, 2.0)
BURN = "while True: pass"


def allowed(limit: float) -> float:
    """Seconds beyond the limit that are no breach."""
    return max(0.05 * limit, 0.1)


def crowd(side: int, agents: int, density: float = 0.2) -> Problem:
    """Agents among random obstacles."""
    graph = StateGraph.from_grid(random_obstacles(2, height=side, width=side, density=density))
    return Problem(graph, *draw_pairs(graph, agents, np.random.default_rng(0)))


def roads(nodes: int) -> StateGraph:
    """A directed graph in the plane, each node with edges to and from near ones, with risks."""
    rng = np.random.default_rng(1)
    states = (nodes**0.5 * rng.random((nodes, 2))).astype(np.float32)
    near = {(u, int(v)) for u in range(nodes) for v in np.argsort(np.hypot(*(states - states[u]).T))[1:5]}
    edges = np.array(sorted(near | {(v, u) for u, v in near}))
    apart = np.hypot(*(states[edges[:, 0]] - states[edges[:, 1]]).T).astype(np.float64)
    indptr = np.searchsorted(edges[:, 0], np.arange(nodes + 1)).astype(np.int32)
    risk = rng.random(len(edges))
    return StateGraph(states, indptr, edges[:, 1].astype(np.int32), apart + 0.01, risk, rng.random(nodes))


def spread(nodes: int, agents: int, clearance: float, **options: float) -> Problem:
    """Agents on such a graph who start, and end, at least the clearance apart."""
    graph, rng = roads(nodes), np.random.default_rng(0)
    ends = []
    for _ in range(2):
        chosen: list[int] = []
        for node in rng.permutation(nodes).tolist():
            if all(np.linalg.norm(graph.places[node] - graph.places[other]) > clearance for other in chosen):
                chosen.append(node)
        ends.append(chosen[:agents])
    return Problem(graph, *ends, clearance=clearance, **options)  # type: ignore[arg-type]


def room(free_waits: bool = False) -> Problem:
    """Eight agents in nine cells: conflicts without end."""
    graph = StateGraph.from_grid(np.zeros((3, 3), bool))
    return Problem(graph, range(8), [4, 5, 2, 6, 3, 8, 7, 0], wait_cost=0.0 if free_waits else 1.0)


MANY: dict[str, Callable[[], Problem]] = {
    "160 agents, 32 x 32": lambda: crowd(32, 160),
    "600 agents, 256 x 256": lambda: crowd(256, 600, 0.1),
    "8 agents, 3 x 3": room,
    "8 agents, 3 x 3, free waits": lambda: room(free_waits=True),
    "60 agents, clearance 0.7, 2000 nodes": lambda: spread(2000, 60, 0.7),
    "20 agents, risk budget, 500 nodes": lambda: spread(500, 20, 0.3, risk_budget=120.0),
}
ONE: dict[str, Callable[[], Problem]] = {
    "1 agent, 1500 x 1500": lambda: crowd(1500, 1, 0.1),
    "1 agent, 3000 nodes": lambda: Problem(roads(3000), [0], [1500]),
    "1 agent, risk budget, 3000 nodes": lambda: Problem(roads(3000), [0], [1500], risk_budget=60.0),
}


def problems(planner: Planner) -> Iterator[tuple[str, Problem]]:
    """Hard ones for it."""
    for name, make in (ONE if planner.max_agents == 1 else {**MANY, **ONE}).items():
        problem = make()
        if planner.supports(problem) is None:
            yield name, problem


class Sampler:
    """Reads the processor's clocks when a search's time is over, in a thread of its own; at once, or a little late."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._main = time.pthread_getcpuclockid(threading.main_thread().ident or 0)
        self._thread: threading.Thread | None = None
        self._deadline, self._woke = math.inf, -math.inf
        self._then = (0.0, 0.0)

    def start(self) -> None:
        """The search begins now."""
        self._deadline = time.perf_counter() + self._limit
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()

    def _clocks(self) -> tuple[float, float]:
        """Processor seconds of the main thread, and of all others."""
        mine = time.clock_gettime(self._main)
        return mine, time.process_time() - mine

    def _wait(self) -> None:
        time.sleep(max(0.0, self._deadline - time.perf_counter()))
        self._woke, self._then = time.perf_counter(), self._clocks()

    def over(self) -> float:
        """The search has ended: processor seconds that the busiest thread has had since its time was over, at most."""
        late = time.perf_counter() - self._deadline
        if late <= 0:
            return late
        if self._woke < self._deadline:
            return late
        after = max(now - then for now, then in zip(self._clocks(), self._then, strict=True))
        return min(late, after + self._woke - self._deadline)


def over(problem: Problem, planner: Planner, limit: float) -> tuple[float, float, str]:
    """Seconds beyond the limit, as `Sampler` has them and of wall time, and the plan's status."""
    sampler = Sampler(limit)
    plain = solving.watch_search

    def begin() -> None:
        plain()
        sampler.start()

    solving.watch_search = begin
    try:
        plan = solving.solve(problem, planner, time_limit=limit)
        return sampler.over(), plan.runtime_s - limit, plan.status
    finally:
        solving.watch_search = plain


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("planner")
    parser.add_argument("--limits", default=",".join(map(str, LIMITS)))
    parser.add_argument("--load", action="store_true")
    asked = parser.parse_args()
    burner = subprocess.Popen([sys.executable, "-c", BURN]) if asked.load else None
    try:
        planner = configured(asked.planner, {})
        for name, problem in problems(planner):
            for limit in map(float, asked.limits.split(",")):
                seconds, wall, status = over(problem, planner, limit)
                found = {"planner": planner.name, "problem": name, "limit": limit, "status": status}
                times = {"over": round(seconds, 4), "wall_over": round(wall, 4)}
                sys.stdout.write(json.dumps({**found, **times}) + "\n")
                sys.stdout.flush()
    finally:
        if burner is not None:
            burner.kill()
            burner.wait()


if __name__ == "__main__":
    main()
