"""The closed loop: states -> graph -> pruned graph -> plan -> execution, for one scenario and one checkpoint."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from navplan.control import registry as low_levels
from navplan.control.disturbance import CALM, Disturbance
from navplan.control.interface import LowLevel
from navplan.errors import InvalidInput, did_you_mean
from navplan.execution.alone import alone
from navplan.execution.simulator import Simulator
from navplan.navigation.checkpoint import Checkpoint, check_critics
from navplan.navigation.loop import Loop, interruptible, seen_by_filter
from navplan.navigation.methods import METHODS, Method, Options, method_named
from navplan.navigation.planning import Planning, closest_pair
from navplan.navigation.result import Navigation
from navplan.navigation.roadmap import Roadmap, build_roadmap
from navplan.scenarios.scenario import Scenario
from navplan.system.numbers import Rng, as_numbers, check_kind, check_seed, check_whole, generator
from navplan.system.progress import Progress, told

if TYPE_CHECKING:
    from navplan.scenarios.environments.point import Outline, PointEnv

__all__ = [
    "METHODS",
    "Method",
    "Navigation",
    "Options",
    "Roadmap",
    "build_roadmap",
    "make_env",
    "navigate",
]


def navigate(
    scenario: Scenario,
    critics: Checkpoint,
    starts: ArrayLike,
    goals: ArrayLike,
    *,
    method: str | Method = "navplan",
    options: Options | None = None,
    roadmap: Roadmap | None = None,
    max_steps: int | None = None,
    disturbance: Disturbance = CALM,
    expects: Disturbance | None = None,
    noise: Rng | None = None,
    progress: Progress = None,
    **changes: Any,
) -> Navigation:
    """Take all agents of `scenario` from `starts` to `goals`.

    Args:
        scenario: world and limits.
        critics: a loaded checkpoint, or own ones with what the method needs of `navigation.checkpoint.Checkpoint`.
        starts, goals: (A, 2) states in cell units; both pairwise at least ``2 * radius`` apart.
        method: a name as `methods.method_named` knows them, or a Method.
        options: how; `changes` replace single fields of it, for example ``beta=2.0``.
        roadmap: the graph, from `build_roadmap` with the same scenario, critics, method and options; None builds it.
        max_steps: step budget of every agent; None: the scenario's.
        disturbance: what goes wrong while agents drive.
        expects: what of it the method is prepared for (`Method.prepared`); None: all.
        noise: source of the disturbance, a generator or a seed; None: the options' seed.
        progress: who is told of each stage; see `navplan.system.progress.Progress`.

    Raises:
        UnknownName: no such method, low level or planner.
        InvalidInput: bad starts or goals, or the critics lack what the method needs; the attribute is named.
    """
    check_kind(method, (str, Method), "method", "a name or a Method")
    way, name = (method, "own") if isinstance(method, Method) else (method_named(method), method)
    known = [field.name for field in dataclasses.fields(Options)]
    for option in changes:
        if option not in known:
            raise InvalidInput(f"unknown option {option!r}{did_you_mean(option, known)}, expected {', '.join(known)}")
    chosen = dataclasses.replace(options or Options(), **changes)
    check_seed(chosen.seed)
    if max_steps is not None:
        check_whole(max_steps=max_steps)
    if max_steps is not None and max_steps < 1:
        raise InvalidInput(f"max_steps is {max_steps}, expected at least 1")
    how = chosen.applied(way)
    check_kind(how.driving.low_level, str, "low_level", "a name, see navplan modules")
    check_kind(scenario, Scenario, "scenario", "a Scenario")
    stated = disturbance if expects is None else expects
    how = how if expects is None and stated == CALM else how.prepared(stated)
    if stated.action_noise > 0 and any(body.tail for body in scenario.bodies or ()):
        raise InvalidInput("action noise cannot be prepared for where bodies have momentum, expected action_noise 0 or points")
    check_critics(critics, how, name)
    low_level = _low_level(how, name, critics)
    budget = scenario.max_steps if max_steps is None else max_steps
    where = how.driving.environment
    env: Simulator = make_env(scenario, starts, goals, seed=chosen.seed, body=how.driving.body, environment=where)
    if disturbance != CALM:
        env = _disturbed(env, disturbance, chosen.seed if noise is None else noise)
    begin, end = env.states[0].copy(), env.goals[0].copy()
    result = Navigation(scenario.name, name, how.driving.low_level, chosen.seed, begin, end)
    began = time.perf_counter()
    with told(progress) as listener:
        if not how.plans:
            listener.stage(f"driving {len(begin)} agents without a plan")
            with interruptible(result):
                trajectory = alone(
                    low_level,
                    seen_by_filter(env, how.driving),
                    max_steps=budget,
                    filtered=how.driving.filter != "none",
                    expects=how.driving.settings.expects,
                )
            return dataclasses.replace(result, trajectory=trajectory, drive_s=time.perf_counter() - began)
        if roadmap is None:
            listener.stage("choosing nodes")
            roadmap = build_roadmap(scenario, critics, how, chosen)
        size = f"{roadmap.base.num_nodes} nodes, {roadmap.base.num_edges} edges"
        listener.stage(f"{size}, {roadmap.pruned_edges} pruned as unsafe")
        result = dataclasses.replace(result, graph_s=time.perf_counter() - began)
        planning = Planning(scenario, critics, how, chosen.seed, listener)
        return Loop(planning, env, low_level, budget).run(roadmap, result)


def make_env(
    scenario: Scenario, starts: ArrayLike, goals: ArrayLike, *, seed: int = 0, body: Outline = "disc", environment: str = "point"
) -> PointEnv:
    """One environment with the agents of a problem in place.

    Args:
        body: what walls stop.
        environment: a name as `scenarios.environments.registry` knows them; "point" is "embodied" for a scenario with bodies.

    Raises:
        UnknownName, BrokenPlugin: there is no such environment.
        InvalidInput: no agents, points that are not free or, for discs, nearer than the radius to a wall, or starts or goals
            closer together than ``2 * radius``.
    """
    from navplan.scenarios.environments import registry as environments

    bodies = scenario.bodies
    kind = environments.get("embodied" if bodies is not None and environment == "point" else environment)
    begin, end = as_numbers(starts, "starts", np.float32), as_numbers(goals, "goals", np.float32)
    if begin.ndim != 2 or begin.shape != end.shape or begin.shape[1:] != (2,) or not len(begin):
        raise InvalidInput(f"starts {begin.shape} and goals {end.shape} must both be (A, 2), at least one agent")
    if bodies is not None and len(bodies) != len(begin):
        raise InvalidInput(f"scenario {scenario.name!r} has {len(bodies)} bodies for {len(begin)} agents, expected one for each")
    for what, points in (("start", begin), ("goal", end)):
        i, j, gap = closest_pair(points)
        apart = 2.0 * scenario.radius
        if gap < apart:
            raise InvalidInput(f"agents {i} and {j}: {what}s are {gap:.3g} cells apart, expected at least {apart:g}")
    env: PointEnv = kind(
        scenario.world,
        num_envs=1,
        num_agents=len(begin),
        radius=scenario.radius,
        body=body,
        goal_tolerance=scenario.goal_tolerance,
        max_steps=scenario.max_steps,
        rng=np.random.default_rng(seed),
        **({} if bodies is None else {"bodies": bodies}),
    )
    env.reset(starts=begin, goals=end)
    return env


def _disturbed(env: Any, disturbance: Disturbance, noise: Rng) -> Simulator:
    """The environment with moves that go wrong and positions that are told inexactly."""
    from navplan.scenarios.environments.disturbed import DisturbedEnv

    return DisturbedEnv(env, disturbance, generator(noise))


def _low_level(how: Method, method: str, critics: Checkpoint) -> LowLevel:
    """The low level that drives; the checkpoint must be of the training stage that the method is named for."""
    name = how.driving.low_level
    if not how.constrained and name == "policy" and critics.stage != 1:
        raise InvalidInput(f"method {method!r} drives with the unconstrained policy: load the checkpoint with stage=1")
    return low_levels.get(name, getattr(critics, "policies", {}))
