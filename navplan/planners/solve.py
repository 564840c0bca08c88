"""The one verb: `solve(problem, planner)`."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from navplan.errors import InvalidInput, InvalidProblem, PlanningFailed
from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import Problem
from navplan.planners import get
from navplan.planners.base import Planner, check_time_limit
from navplan.planners.warm_up import warm_up
from navplan.system.memory import check_memory_limit
from navplan.system.memory import memory_limit as memory_limited


def solve(
    problem: Problem,
    planner: str | Planner = "cbs",
    time_limit: float | None = None,
    seed: int = 0,
    raise_on_failure: bool = False,
    suboptimality: float | None = None,
    *,
    memory_limit: float | None = None,
    progress: Callable[[str], None] | None = None,
    **options: Any,
) -> Plan:
    """Plan for every agent of `problem`.

    Args:
        problem: graph, starts, goals, costs, clearance.
        planner: a registered name, or a planner object.
        time_limit: wall seconds from after compiling, distance tables included; default: the planner's own.
        seed: the same seed gives the same plan, time limits aside.
        raise_on_failure: raise instead of returning a plan that is not solved.
        suboptimality: largest allowed ratio to the optimum, for planners that take one.
        memory_limit: gigabytes (1e9 bytes) that the whole process may hold while it plans; default: no limit. Beyond it the
            plan is unsolved, and the reason says so.
        progress: called with a line of text before kernels are compiled.
        options: further fields of the planner.

    Returns:
        A Plan; its `status` says what came out.

    Raises:
        UnknownName: no such planner.
        InvalidInput: an option that the planner lacks, or a value out of range.
        InvalidProblem: more agents than the planner can plan for.
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
    chosen = configured(planner, options)
    check_time_limit("time_limit", time_limit)
    check_memory_limit("memory_limit", memory_limit)
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise InvalidInput(f"seed is {seed!r}, expected an integer of at least 0")
    if chosen.max_agents is not None and problem.num_agents > chosen.max_agents:
        raise InvalidProblem(
            f"planner {chosen.name} plans for {chosen.max_agents} agent and would let {problem.num_agents} collide; "
            f"use one for many agents, such as cbs or ecbs"
        )
    if problem.risk_budget is not None and not getattr(chosen, "keeps_budget", False):
        raise InvalidProblem(f"planner {chosen.name} cannot keep a risk budget; use risk, or give risk a weight with beta")
    compile_s = warm_up(chosen, problem, progress)
    limit = time_limit if time_limit is not None else chosen.time_limit
    began = time.perf_counter()
    deadline = None if limit is None else began + limit
    try:
        with memory_limited(memory_limit):
            state = chosen.prepare(problem.graph)
            plan = chosen.plan(problem, state, deadline=deadline, rng=np.random.default_rng(seed))
    except MemoryError as error:
        allowed = "the machine's memory" if memory_limit is None else f"the memory limit of {memory_limit:g} GB"
        detail = f": {error}" if str(error) else ""
        plan = make_plan(problem, chosen.name, "unsolved", reason=f"out of memory, within {allowed}{detail}")
    except KeyboardInterrupt:  # planners that hold a plan return it themselves
        plan = make_plan(problem, chosen.name, "unsolved", reason="interrupted")
    plan = dataclasses.replace(plan, runtime_s=time.perf_counter() - began, compile_s=compile_s)
    if raise_on_failure and not plan.solved:
        raise PlanningFailed(plan, f"{chosen.name}: {plan.status}: {plan.reason}")
    return plan


def configured(planner: str | Planner, options: dict[str, Any]) -> Planner:
    """The planner named or given, with `options` set.

    Raises:
        UnknownName: no such planner.
        InvalidInput: it has no such option, or the value is out of range.
    """
    kind: Any = get(planner) if isinstance(planner, str) else type(planner)
    if not (hasattr(kind, "plan") and hasattr(kind, "__dataclass_fields__")):
        raise InvalidInput(f"planner is {planner!r}, expected a name or a planner object")
    known = {field.name: field.default for field in dataclasses.fields(kind)}
    for name, value in options.items():
        if name not in known:
            raise InvalidInput(f"planner {kind.name} has no option {name!r}; it has: {', '.join(known) or 'none'}")
        if isinstance(known[name], bool) and not isinstance(value, bool):
            raise InvalidInput(f"{kind.__name__}.{name} is {value!r}, expected True or False")
    start: Any = planner
    built: Planner = kind(**options) if isinstance(planner, str) else dataclasses.replace(start, **options)
    return built
