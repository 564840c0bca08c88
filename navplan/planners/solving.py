"""The one verb: `solve(problem, planner)`."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from numbers import Integral, Real
from typing import Any, cast

import numpy as np

from navplan.errors import InvalidInput, PlanningFailed, did_you_mean
from navplan.graph.prepared import PreparedGraph, check_prepared
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import Problem
from navplan.planners.base import OutOfTime, Planner, check_supported
from navplan.planners.checks import check_time_limit
from navplan.planners.outside import believed, is_outside
from navplan.planners.registry import adopted, get
from navplan.planners.warm_up import warm_up
from navplan.system.memory import check_memory_limit
from navplan.system.memory import memory_limit as memory_limited
from navplan.system.numbers import check_flag, check_kind, check_seed
from navplan.system.progress import Listener, Progress, told
from navplan.system.signals import watch_search
from navplan.system.words import said

FOREVER = 1e9
_BEYOND_USE = 1 << 62
"""Seconds: a longer time limit is none, however long its number is."""


def solve(
    problem: Problem,
    planner: str | Planner = "cbs",
    time_limit: float | None = None,
    seed: int = 0,
    raise_on_failure: bool = False,
    suboptimality: float | None = None,
    *,
    prepared: PreparedGraph | None = None,
    memory_limit: float | None = None,
    progress: Progress = None,
    **options: Any,
) -> Plan:
    """Plan for every agent of `problem`.

    Args:
        problem: graph, starts, goals, costs, clearance.
        planner: a registered name, or a planner object; a dataclass that only looks like one will do.
        time_limit: wall seconds from after compiling, distance tables included; default: the planner's own.
        seed: the same seed gives the same plan, time limits aside.
        raise_on_failure: raise instead of returning a plan that is not solved.
        suboptimality: largest allowed ratio to the optimum, for planners that take one.
        prepared: what ``problem.graph.prepare()`` returned, for many problems on one graph.
        memory_limit: gigabytes (1e9 bytes) that the whole process may hold while it plans; default: no limit. Beyond it the
            plan is unsolved, and the reason says so.
        progress: who is told what it is at and how far; default: whoever sits at a terminal. See
            `navplan.system.progress.Progress`.
        options: further fields of the planner.

    Returns:
        A Plan; its `status` says what came out. That of a planner from outside navplan is checked, and
        one that breaks a rule is unsolved, with the first violation as its `reason`.

    Raises:
        UnknownName: no such planner.
        InvalidInput: an option that the planner lacks, a value out of range, or prepared for another graph.
        InvalidProblem: one that the planner does not support: too many agents, a risk budget, a clearance.
        PlanningFailed: not solved, with `raise_on_failure`.

    Example:
        >>> import numpy as np
        >>> from navplan import StateGraph
        >>> graph = StateGraph.from_grid(np.zeros((3, 3), bool))
        >>> solve(Problem(graph, [0, 2], [2, 0])).sum_of_costs
        6.0
    """
    if suboptimality is not None:
        options["suboptimality"] = suboptimality
    check_kind(problem, Problem, "problem", "a Problem(graph, starts, goals)")
    check_flag(raise_on_failure=raise_on_failure)
    chosen = configured(planner, options)
    check_time_limit("time_limit", time_limit)
    if time_limit is not None and time_limit > FOREVER:
        time_limit = math.inf
    check_memory_limit("memory_limit", memory_limit)
    memory_limit = None if memory_limit is None else float(memory_limit)
    check_seed(seed)
    check_prepared(prepared, problem.graph)
    prepared = (prepared or PreparedGraph(problem.graph)).fitting(float(problem.radii.min()))
    problem = problem.on(cast(StateGraph, prepared.graph))
    check_supported(chosen, problem)
    limit = chosen.time_limit if time_limit is None else float(min(time_limit, 2 * FOREVER))
    with told(progress) as listener:
        plan = _planned(
            chosen, problem, prepared, None if limit is None or limit > FOREVER else limit, seed, memory_limit, listener
        )
    if raise_on_failure and not plan.solved:
        raise PlanningFailed(plan, f"{chosen.name}: {plan.status}: {plan.reason}")
    return plan


def _planned(
    chosen: Planner,
    problem: Problem,
    prepared: PreparedGraph,
    limit: float | None,
    seed: int,
    memory_limit: float | None,
    listener: Listener,
) -> Plan:
    """Compile, plan, and check what comes from outside."""
    outside, compile_s = is_outside(type(chosen)), 0.0
    with contextlib.suppress(*(InvalidInput,) if outside else ()):  # its fault with this problem will be told below
        compile_s = warm_up(chosen, problem, prepared=prepared)
    agents = "1 agent" if problem.num_agents == 1 else f"{problem.num_agents} agents"
    listener.stage(f"planning for {agents} with {chosen.name}" + ("" if limit is None else f", at most {limit:g} s"))
    began = time.perf_counter()
    deadline = None if limit is None else began + limit
    watch_search()
    try:
        with memory_limited(memory_limit):
            state = chosen.prepared(prepared, deadline)
            plan = chosen.plan(problem, state, deadline=deadline, rng=np.random.default_rng(seed))
    except OutOfTime:
        why, nothing = "time limit reached before anything was planned", {"expanded": 0, "generated": 0}
        plan = make_plan(problem, chosen.name, "timeout", reason=why, stats=nothing)
    except InvalidInput as error:
        if not outside:
            raise
        plan = make_plan(problem, chosen.name, "unsolved", reason=f"planner {chosen.name} is at fault: {error}")
    except MemoryError as error:
        allowed = "the machine's memory" if memory_limit is None else f"the memory limit of {memory_limit:g} GB"
        detail = f": {error}" if str(error) else ""
        plan = make_plan(problem, chosen.name, "unsolved", reason=f"out of memory, within {allowed}{detail}")
    except KeyboardInterrupt:  # planners that hold a plan return it themselves
        plan = make_plan(problem, chosen.name, "unsolved", reason="interrupted")
    took = time.perf_counter() - began
    if outside:
        plan = believed(plan, problem, chosen.name)
    return dataclasses.replace(plan, runtime_s=took, compile_s=compile_s)


def configured(planner: str | Planner, options: dict[str, Any]) -> Planner:
    """The planner named or given, with `options` set.

    Raises:
        UnknownName: no such planner.
        InvalidInput: it has no such option, or the value is out of range.
    """
    given: Any = planner
    if isinstance(given, str):
        kind: Any = get(given)
        values: dict[str, Any] = {}
    elif dataclasses.is_dataclass(type(given)):
        kind = adopted(type(given))
        values = {field.name: getattr(given, field.name) for field in dataclasses.fields(given) if field.init}
    else:
        raise InvalidInput(f"planner is {said(planner)}, expected a name or a planner object")
    known = {field.name: field.default for field in dataclasses.fields(kind)}
    for name, value in options.items():
        if name not in known:
            raise InvalidInput(
                f"planner {kind.name} has no option {name!r}{did_you_mean(name, known)}; it has: {', '.join(known) or 'none'}"
            )
        if isinstance(known[name], bool) and not isinstance(value, bool | np.bool_):
            raise InvalidInput(f"{kind.__name__}.{name} is {said(value)}, expected True or False")
        if isinstance(value, int) and abs(value) >= _BEYOND_USE and name != "time_limit":
            raise InvalidInput(f"{kind.__name__}.{name} is an integer beyond all use, expected one that fits 63 bits")
    built: Planner = kind(**{name: plain(value) for name, value in {**values, **options}.items()})
    return built


def plain(value: Any) -> Any:
    """A number of whatever type as Python's own, for which kernels are compiled; all else as it is.

    Example:
        >>> plain(np.float32(0.5)), plain(np.int64(3)), plain("market-price")
        (0.5, 3, 'market-price')
    """
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value
