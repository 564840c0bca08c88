"""Compile a planner's kernels before its time counts."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from navplan.errors import InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.kernels.common import jit
from navplan.kernels.common.tables import FAR
from navplan.plan.problem import Problem
from navplan.planners.base import Planner
from navplan.planners.registry import get

Weight = Literal["cost", "hops"]
BOTH: tuple[Weight, ...] = ("cost", "hops")

_WARM: set[tuple[type, Weight]] = set()


def warm_up(planner: Planner, problem: Problem | None = None, progress: Callable[[str], None] | None = None) -> float:
    """Compile every kernel that `planner` needs for `problem`, on a graph of three nodes; wall seconds, 0 when done before.

    Kernels have one specialisation for unit costs and at most one more for any others. What plans is the planner's `eager()`; its
    `parts` are compiled side by side.

    Args:
        planner: with its options.
        problem: what it is going to solve; None for any problem.
        progress: called with a line of text before anything is compiled.
    """
    weights = [weight for weight in (BOTH if problem is None else kinds(problem)) if (type(planner), weight) not in _WARM]
    if not weights:
        return 0.0
    if progress is not None:
        progress(f"loading the kernels of {planner.name}; the first run compiles them …")
    began = time.perf_counter()
    _compile(planner, weights)
    _WARM.update((type(planner), weight) for weight in weights)
    return time.perf_counter() - began


def kinds(problem: Problem) -> tuple[Weight, ...]:
    """Which kernels a problem needs: those for hops, where every move and wait costs 1, or those for any costs, or both."""
    if not bool((problem.edge_weights() == 1.0).all()):
        return ("cost",)
    if problem.spacing == 0.0 and problem.graph.num_nodes <= FAR and bool((problem.wait_weights() == 1.0).all()):
        return ("hops",)
    return BOTH


def _plan_tiny(planner: Planner, weight: Weight) -> None:
    graph = StateGraph(
        states=np.zeros((3, 2), np.float32) + np.arange(3, dtype=np.float32)[:, None],
        indptr=np.array([0, 2, 4, 6], np.int32),
        indices=np.array([1, 2, 0, 2, 0, 1], np.int32),
        distance=np.array([1.0, 1.5, 1.0, 1.0, 1.5, 1.0]),
        risk=np.zeros(6),
        wait_risk=np.zeros(3),
    )
    agents = 1 if planner.max_agents == 1 else 2
    eager = planner.eager()
    starts, goals = np.array([0, 2], np.int32)[:agents], np.array([2, 0], np.int32)[:agents]
    tiny = Problem(graph, starts, goals, clearance=0.0, weight=weight)
    if eager.supports(tiny) is not None:
        return  # it plans for problems of another kind, and compiles its kernels with the first of them
    plan = eager.plan(tiny, eager.prepare(graph), deadline=None, rng=np.random.default_rng(0))
    if plan.status == "unsolved" and plan.reason.startswith("interrupted"):
        raise KeyboardInterrupt  # planners answer Ctrl-C with a plan; here nothing is compiled or planned yet


def compile_planner(name: str, *weights: Weight) -> None:
    """Compile the kernels that the planner `name` needs for problems of these kinds."""
    _compile(get(name)(), weights)


def _compile(planner: Planner, weights: Sequence[Weight]) -> None:
    _compile_parts(planner.parts, weights)
    for weight in weights:
        _plan_tiny(planner, weight)


def _compile_parts(parts: tuple[type[Planner], ...], weights: Sequence[Weight]) -> None:
    """Fill the cache with the kernels of several planners, in a process each, unless they are there already.

    The compiler holds a lock, so that threads would not help; what another process compiles comes back through the cache.
    """
    missing = [part for part in parts if not all(jit.is_cached(kernel_file(module)) for module in part.kernels)]
    if jit.settings.DISABLE_JIT or not missing:
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
