"""Compile a planner's kernels before its time counts."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from navplan.errors import InvalidInput
from navplan.graph.prepared import PreparedGraph
from navplan.graph.state_graph import StateGraph
from navplan.kernels.common.cache import keeps_kernels
from navplan.kernels.common.jit import PLAIN, compiling
from navplan.kernels.common.sources import is_cached
from navplan.kernels.common.tables import FAR
from navplan.plan.problem import Problem
from navplan.planners.base import Planner
from navplan.planners.registry import get
from navplan.system.progress import Progress, told

Weight = Literal["cost", "hops"]
BOTH: tuple[Weight, ...] = ("cost", "hops")

# Small worlds for warming up, as rows of cells ('.' free) with starts and goals. Between them every branch of every search is
# taken: agents that swap with and without a way round, that meet in the open, and that rest in others' way.
TINY: tuple[tuple[tuple[str, ...], tuple[int, ...], tuple[int, ...]], ...] = (
    (("....", "##.#"), (0, 3), (3, 0)),
    (("...", "...", "..."), (1, 3, 7, 5), (7, 5, 1, 3)),
    (("...", "...", "..."), tuple(range(8)), (4, 5, 2, 6, 3, 8, 7, 0)),
)

# A planner's class, a kind of weights, and the options that choose between kernels.
_Warm = tuple[type, Weight, tuple[object, ...]]
_WARM: set[_Warm] = set()


def warm_up(
    planner: Planner, problem: Problem | None = None, progress: Progress = None, prepared: PreparedGraph | None = None
) -> float:
    """Compile every kernel that `planner` needs for `problem`, on graphs of a few nodes; wall seconds, 0 when done before.

    Kernels have one specialisation for unit costs and at most one more for any others, and again for agents that may use
    different edges. What plans is the planner's `eager()`; its `parts` are compiled side by side.

    Args:
        planner: with its options.
        problem: what it is going to solve; None for any problem.
        progress: who is told that it compiles; see `navplan.system.progress.Progress`.
        prepared: the problem's graph.
    """
    masked = problem is not None and problem.masked
    switches = (*_switches(planner), masked)
    wanted = BOTH if problem is None else kinds(problem, prepared or PreparedGraph(problem.graph))
    weights = [weight for weight in wanted if (type(planner), weight, switches) not in _WARM]
    if not weights:
        return 0.0
    began = time.perf_counter()
    with told(progress) as listener:
        here = all(is_cached(kernel_file(name)) for part in (*planner.parts, type(planner)) for name in part.kernels)
        listener.stage(f"{'loading' if here else 'compiling, once,'} the kernels of {planner.name}")
        with told(False), compiling(lambda done, name: listener.show(0, 0, f"{done} done, now {name}")):
            _compile(planner, weights, masked)
    _WARM.update((type(planner), weight, switches) for weight in weights)
    return time.perf_counter() - began


def kinds(problem: Problem, prepared: PreparedGraph) -> tuple[Weight, ...]:
    """Which kernels a problem needs: those for hops, where every move and wait costs 1, or those for any costs, or both."""
    if not prepared.costs(problem.beta, problem.weight).unit:
        return ("cost",)
    waits = problem.weight == "hops" or (problem.wait_cost == 1.0 and problem.beta * problem.graph.largest[2] == 0.0)
    if problem.spacing == 0.0 and problem.graph.num_nodes <= FAR and waits:
        return ("hops",)
    return BOTH


def _switches(planner: Planner) -> tuple[object, ...]:
    """The options that say how it searches, not how far."""
    values = (getattr(planner, field.name) for field in dataclasses.fields(cast(Any, planner)))
    return tuple(value for value in values if isinstance(value, bool | str))


def tiny_problems(agents: int | None, weight: Weight, masked: bool = False) -> Iterator[Problem]:
    """At most so many agents (None: any number) on a triangle, and on each of `TINY` with moves that cost 1 and more.

    Args:
        masked: an edge is forbidden to the first agent.
    """
    triangle = StateGraph(
        states=np.zeros((3, 2), np.float32) + np.arange(3, dtype=np.float32)[:, None],
        indptr=np.array([0, 2, 4, 6], np.int32),
        indices=np.array([1, 2, 0, 2, 0, 1], np.int32),
        distance=np.array([1.0, 1.5, 1.0, 1.0, 1.5, 1.0]),
        risk=np.zeros(6),
        wait_risk=np.zeros(3),
    )
    yield _tiny(triangle, (0, 2)[:agents], (2, 0)[:agents], weight, masked)
    for rows, starts, goals in TINY:
        grid = StateGraph.from_grid(np.array([[cell == "#" for cell in row] for row in rows]))
        uneven = StateGraph(
            states=grid.states,
            indptr=grid.indptr,
            indices=grid.indices,
            distance=1.0 + 0.5 * (np.arange(grid.num_edges) % 3 == 0),
            risk=np.full(grid.num_edges, 0.25),
            wait_risk=np.full(grid.num_nodes, 0.125),
        )
        yield _tiny(uneven, starts[:agents], goals[:agents], weight, masked)


def _tiny(graph: StateGraph, starts: Sequence[int], goals: Sequence[int], weight: Weight, masked: bool) -> Problem:
    last = np.arange(graph.num_edges) == graph.num_edges - 1
    forbidden = (last, *[None] * (len(starts) - 1)) if masked else None
    ends = np.array(starts, np.int32), np.array(goals, np.int32)
    return Problem(graph, *ends, clearance=0.0, weight=weight, forbidden=forbidden)


def _plan_tiny(planner: Planner, weight: Weight, masked: bool = False) -> None:
    if not (planner.kernels or planner.parts):
        return  # a planner from outside that names no kernels is never run beyond what it was asked for
    eager = planner.eager()
    for tiny in tiny_problems(planner.max_agents, weight, masked):
        if eager.supports(tiny) is not None:
            return  # it plans for problems of another kind, and compiles its kernels with the first of them
        plan = eager.plan(
            tiny, eager.prepared(PreparedGraph(tiny.graph, landmarks=1), None), deadline=None, rng=np.random.default_rng(0)
        )
        if plan.status == "unsolved" and plan.reason.startswith("interrupted"):
            raise KeyboardInterrupt  # planners answer Ctrl-C with a plan; here nothing is compiled or planned yet


def compile_planner(name: str, *weights: Weight) -> None:
    """Compile the kernels that the planner `name` needs for problems of these kinds."""
    _compile(get(name)(), weights)


def _compile(planner: Planner, weights: Sequence[Weight], masked: bool = False) -> None:
    _compile_parts(planner.parts, weights)
    for weight in weights:
        for each in (*(part() for part in planner.parts), planner):
            _plan_tiny(each, weight, masked)


def _compile_parts(parts: tuple[type[Planner], ...], weights: Sequence[Weight]) -> None:
    """Fill the cache with the kernels of several planners, in a process each, unless they are there already.

    The compiler holds a lock, so that threads would not help; what another process compiles comes back through the cache.
    """
    missing = [part for part in parts if not all(is_cached(kernel_file(module)) for module in part.kernels)]
    if PLAIN or not keeps_kernels() or not missing:
        return
    code = "import sys; from navplan.planners.warm_up import compile_planner; compile_planner(*sys.argv[1:])"
    others = [subprocess.Popen([sys.executable, "-c", code, part.name, *weights]) for part in missing[1:]]
    try:
        compile_planner(missing[0].name, *weights)
        for process in others:
            process.wait()
    finally:
        for process in others:
            process.kill()
            process.wait()


def kernel_file(module: str) -> Path:
    """Source of the kernel module with this dotted name.

    Raises:
        InvalidInput: there is no such module.
    """
    found = find_spec(module)
    if found is None or found.origin is None:
        raise InvalidInput(f"planner kernels name {module!r}, which is no module")
    return Path(found.origin)
