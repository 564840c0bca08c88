"""What is compiled, or loaded, before the clock starts: all that a planner uses."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

import navplan.kernels
from navplan.graph.state_graph import StateGraph
from navplan.kernels.common.jit import PLAIN, Kernel
from navplan.plan.problem import Problem
from navplan.planners import get, names, pareto
from navplan.planners.cbs.cbs import CBS
from navplan.planners.solving import configured, solve
from navplan.planners.warm_up import warm_up

GRID = ("........", "........", "..####..", "........", "........")


def roads(nodes: int) -> StateGraph:
    """A directed graph in the plane, each node with edges to four near ones."""
    rng = np.random.default_rng(1)
    states = (nodes**0.5 * rng.random((nodes, 2))).astype(np.float32)
    apart = np.hypot(*(states[:, None] - states[None]).transpose(2, 0, 1))
    near = np.sort(np.argsort(apart, axis=1)[:, 1:5], axis=1).astype(np.int32)
    return StateGraph(
        states=states,
        indptr=np.arange(0, 4 * nodes + 1, 4, dtype=np.int32),
        indices=near.ravel(),
        distance=np.take_along_axis(apart, near, axis=1).ravel() + 0.01,
        risk=rng.random(4 * nodes),
        wait_risk=rng.random(nodes),
    )


def problems() -> Iterator[Problem]:
    """Small ones of every kind that planners tell apart, with numbers of every type."""
    rng = np.random.default_rng(0)
    room = StateGraph.from_grid(np.zeros((3, 3), bool))
    yield Problem(room, np.arange(8), [1, 2, 5, 0, 3, 8, 7, 6])  # cbs: a tree, and no end
    yield Problem(room, np.arange(8), rng.permutation(9)[:8])
    yield Problem(room, [0], [8], radius=np.float32(0.25))
    yield Problem(room, [0, 2], [2, 0], risk_budget=1)
    hall = StateGraph.from_grid(np.array([[cell == "#" for cell in row] for row in GRID]))
    starts, goals = rng.permutation(hall.num_nodes)[:10], rng.permutation(hall.num_nodes)[:10]
    yield Problem(hall, starts, goals)
    yield Problem(hall, starts, goals, wait_cost=0.5)
    yield Problem(hall, starts[:5], goals[:5], wait_cost=0, beta=np.int64(1))
    yield Problem(hall, [0, 7], [7, 0], clearance=np.float32(1.5))
    passage = StateGraph.from_grid(np.array([[False] * 6, [True] * 3 + [False] + [True] * 2]))
    yield Problem(passage, [0, 5], [5, 0])
    yield Problem(StateGraph.from_grid(np.zeros((1, 4), bool)), [0, 3], [3, 0])
    net = roads(20)
    for options in ({}, {"clearance": 0}, {"clearance": 0, "weight": "hops"}, {"clearance": 0, "risk_budget": np.float32(30)}):
        yield Problem(net, [0, 5, 9], [5, 0, 3], **options)
    yield Problem(net, [0], [5], risk_budget=3)


VARIANTS: dict[str, tuple[dict[str, Any], ...]] = {
    "cbs": ({"unit": False}, {"team": 0, "joint_after": 0}),
    "eecbs": ({"flexible": True},),
    "ecbs": ({"suboptimality": np.float32(1.5)},),
    "risk": ({"team": 0}, {"allocation": "uniform"}, {"allocation": "market-price"}, {"allocation": "surplus-deficit"}),
}


def specialisations() -> set[tuple[str, int]]:
    """Name of every kernel that is ready, compiled or loaded, with numbers of the combinations of types for which it is."""
    found = set()
    for module in pkgutil.walk_packages(navplan.kernels.__path__, "navplan.kernels."):
        for name, thing in vars(importlib.import_module(module.name)).items():
            if isinstance(thing, Kernel):
                found |= {(f"{module.name}.{name}", number) for number in range(thing.loaded + thing.compiled)}
    return found


def late(planner: str) -> set[tuple[str, int]]:
    """Kernels that were not ready when the clock of `planner` started, in a process where none was before."""
    found = set()
    for options in ({}, *VARIANTS.get(planner, ())):
        chosen = configured(planner, options)
        for problem in problems():
            if chosen.supports(problem) is None:
                warm_up(chosen, problem)
                before = specialisations()
                solve(problem, chosen, time_limit=0.1)
                found |= specialisations() - before
    return found


def late_in_lifelong(planner: str) -> set[tuple[str, int]]:
    """The same of a fleet that `planner` drives, from the moment that `lifelong` has warmed up."""
    module = importlib.import_module("navplan.planners.lifelong.lifelong")
    warm, drive, ready, found = module.warm_up_fleet, module._drive, set(), set()

    def warmed(*args: Any) -> None:
        warm(*args)
        ready.update(specialisations())

    def driven(*args: Any) -> Any:
        run = drive(*args)
        found.update(specialisations() - ready)
        return run

    module.warm_up_fleet, module._drive = warmed, driven
    chosen = configured(planner, {})
    for problem in problems():
        if chosen.max_agents is None and chosen.supports(problem) is None:
            for horizon in (None, 6):
                module.lifelong(problem, None, 12, chosen, window=4, horizon=horizon, time_limit=0.1)
    return found


def late_in_front() -> set[tuple[str, int]]:
    """The same of the front of distance and risk."""
    found: set[tuple[str, int]] = set()
    for problem in problems():
        if problem.num_agents == 1:
            pareto.warm_up(problem)
            before = specialisations()
            pareto.front_within(problem, time.perf_counter() + 0.5)
            found |= specialisations() - before
    return found


def lateness(call: str, *args: str) -> str:
    """What a function of this file finds in a process of its own, for kernels of other tests would be there already.

    An empty cache makes no difference.
    """
    code = f"import sys; from tests.planners.test_warm_up import {call}; print(*{call}(*sys.argv[1:]), sep='\\n', end='')"
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("planner", names())
def test_no_kernel_is_compiled_or_loaded_within_the_time_limit(planner: str) -> None:
    assert lateness("late", planner) == ""


@pytest.mark.parametrize("planner", [name for name in names() if get(name).max_agents is None])
def test_no_kernel_is_compiled_or_loaded_while_a_fleet_is_planned_for(planner: str) -> None:
    assert lateness("late_in_lifelong", planner) == ""


def test_no_kernel_is_compiled_or_loaded_while_the_front_is_searched() -> None:
    assert lateness("late_in_front") == ""


@pytest.mark.skipif(PLAIN, reason="nothing is compiled")
def test_numbers_of_any_type_use_the_same_kernels_and_files(tmp_path: Any) -> None:
    graph = roads(20)
    plain = Problem(graph, [0, 5], [5, 0], radius=0.25, beta=0.5, wait_cost=1.0)
    solve(plain, "cbs")
    before = specialisations()
    odd = Problem(graph, [0, 5], [5, 0], radius=np.float32(0.25), beta=np.float16(0.5), wait_cost=np.uint8(1))
    assert [type(getattr(odd, name)) for name in ("radius", "clearance", "beta", "wait_cost")] == [float] * 4
    solve(odd, "cbs", time_limit=np.float32(10), max_nodes=np.int32(1000)).save(tmp_path / "plan.json")
    assert specialisations() == before


def test_options_that_choose_kernels_are_warmed_up_by_themselves() -> None:
    problem = Problem(StateGraph.from_grid(np.zeros((2, 2), bool)), [0, 1], [3, 2])
    warm_up(get("cbs")(), problem)
    assert warm_up(get("cbs")(max_nodes=5), problem) == 0.0
    assert warm_up(configured("cbs", {"unit": False, "mutexes": False, "bypass": False}), problem) > 0.0


def test_planners_that_name_no_kernels_run_for_what_was_asked_only() -> None:
    """They may hang, and nothing of theirs could be compiled before the clock starts."""

    @dataclass(frozen=True)
    class Own(CBS):
        name: ClassVar[str] = "own"
        kernels: ClassVar[tuple[str, ...]] = ()

        def plan(self, *_: Any, **__: Any) -> Any:
            raise AssertionError

    warm_up(Own())
