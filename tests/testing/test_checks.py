"""The checks for authors of parts pass navplan's own parts and name what is wrong with others."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

import navplan as nv
from navplan.control.straight_line import StraightLine
from navplan.learned.curriculum.uniform import Uniform
from navplan.navigation.methods import METHODS, DrivingChoice, GraphChoice, Method, PlanningChoice
from navplan.plan.plan import Plan, make_plan
from navplan.planners.base import Planner
from navplan.testing import (
    Faulty,
    check_critic,
    check_environment,
    check_low_level,
    check_method,
    check_module,
    check_planner,
)
from tests.support.critics import FieldCritics as Ruler


@pytest.mark.parametrize("name", ["astar", "pibt", "ecbs"])
def test_own_planners_pass(name: str) -> None:
    check_planner(name)


@dataclass(frozen=True)
class Careless(Planner):
    """Everybody goes the cheapest way; who meets, meets."""

    name: ClassVar[str] = "careless"

    def plan(self, problem: nv.Problem, state: Any, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        ways = [
            nv.solve(dataclasses.replace(problem, starts=[start], goals=[goal]), "astar").paths[0]
            for start, goal in zip(problem.starts, problem.goals, strict=True)
        ]
        return self.said(make_plan(problem, self.name, "feasible", ways))

    def said(self, plan: Plan) -> Plan:
        return plan


@dataclass(frozen=True)
class Boastful(Careless):
    name: ClassVar[str] = "boastful"
    max_agents: ClassVar[int] = 1

    def said(self, plan: Plan) -> Plan:
        return dataclasses.replace(plan, lower_bound=(plan.sum_of_costs or 0) + 1)


@dataclass(frozen=True)
class Silent(Careless):
    name: ClassVar[str] = "silent"
    max_agents: ClassVar[int] = 1

    def said(self, plan: Plan) -> Plan:
        return None  # type: ignore[return-value]


@dataclass(frozen=True)
class Needy(Careless):
    name: ClassVar[str] = "needy"
    colour: str = dataclasses.field(kw_only=True)


@pytest.mark.parametrize(
    ("planner", "message"),
    [
        (Careless, "planner careless on a grid with four agents: agents"),
        (Boastful(), "planner boastful on a grid with one agent: lower_bound"),
        (Silent(), "planner silent on a grid with one agent: it returned NoneType, expected a Plan"),
        (Needy, "planner needy: option colour has no default"),
        (7, "planner int: name is None, expected lower case with hyphens"),
    ],
)
def test_faulty_planners(planner: Any, message: str) -> None:
    with pytest.raises(Faulty, match=message) as caught:
        check_planner(planner)
    assert "\n" not in str(caught.value)


class Fast:
    def act(self, observations: Any, goals: Any, condition: Any = None) -> Any:
        return 2 * np.sign(goals - observations)


class Wide:
    def act(self, observations: Any, goals: Any, condition: Any = None) -> Any:
        return np.zeros((len(observations), 3), np.float32)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (object(), "low level object has no act"),
        (Fast(), "low level Fast: actions reach 2, expected finite numbers"),
        (Wide(), r"low level Wide: actions have shape \(1, 3\), expected \(1, 2\)"),
    ],
)
def test_faulty_low_levels(part: Any, message: str) -> None:
    check_low_level(StraightLine())
    with pytest.raises(Faulty, match=message):
        check_low_level(part)


class Jumpy(Ruler):
    def evaluate(self, observations: Any, goals: Any) -> Any:
        distance, risk = super().evaluate(observations, goals)
        return distance + len(observations), risk


class Hopeful(Ruler):
    def evaluate(self, observations: Any, goals: Any) -> Any:
        distance, risk = super().evaluate(observations, goals)
        return distance, risk - 1


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (object(), "critics object has no evaluate"),
        (Jumpy(), "critics Jumpy: the distance of a pair is .* alone and .* beside others"),
        (Hopeful(), "critics Hopeful: evaluate: the critics' risk of .* is -0"),
    ],
)
def test_faulty_critics(part: Any, message: str) -> None:
    check_critic(Ruler())
    with pytest.raises(Faulty, match=message):
        check_critic(part)


def hall() -> nv.PointEnv:
    env = nv.PointEnv(nv.World.from_walls("hall", np.zeros((5, 7), bool)), num_agents=2, rng=np.random.default_rng(0))
    env.reset(starts=[[1, 1], [1, 5]], goals=[[4, 5], [4, 1]])
    return env


class Drifting:
    """Ends elsewhere than it predicts."""

    def __init__(self) -> None:
        self.env = hall()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.env, name)

    def predict(self, actions: Any, states: Any = None) -> Any:
        return self.env.predict(actions, states) + 0.1


class Forgetful(Drifting):
    """Tells a track that it did not go."""

    def predict(self, actions: Any, states: Any = None) -> Any:
        return self.env.predict(actions, states)

    @property
    def track(self) -> Any:
        return np.zeros((1, 2, 21, 2), np.float32)


def test_faulty_environments() -> None:
    check_environment(hall())
    with pytest.raises(Faulty, match=r"environment Drifting: a step ends 0\.1 cells from where predict said"):
        check_environment(Drifting())  # type: ignore[arg-type]
    with pytest.raises(Faulty, match="environment Forgetful: the track of a step begins 5 cells from the agents"):
        check_environment(Forgetful())  # type: ignore[arg-type]
    with pytest.raises(Faulty, match="environment object has no states, expected states, goals"):
        check_environment(object())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (Method("x", planning=PlanningChoice(planner="cbz")), "method: unknown planner 'cbz': did you mean 'cbs'"),
        (Method("x", driving=DrivingChoice(low_level="polcy")), "method: unknown low level 'polcy'"),
        (Method("x", graph=GraphChoice(graph_nodes=-3)), "method: -3 nodes wanted"),
        ("navplan", "method is a str, expected"),
    ],
)
def test_faulty_methods(method: Any, message: str) -> None:
    with pytest.raises(Faulty, match=message):
        check_method(method)


def test_own_methods_pass() -> None:
    check_method(METHODS["navplan"])


@dataclass(frozen=True)
class Useless:
    name: ClassVar[str] = "useless"
    slot: ClassVar[str] = "curriculum"
    about: ClassVar[str] = "nothing"
    paper: ClassVar[str | None] = None
    source: ClassVar[str] = "baseline"


def test_faulty_modules() -> None:
    check_module(Uniform)
    with pytest.raises(Faulty, match="module useless has no draw, which slot curriculum asks for"):
        check_module(Useless)


checks: list[Callable[..., None]] = [check_planner, check_low_level, check_critic, check_environment, check_method, check_module]


def test_every_fault_is_an_error_of_navplan_and_of_tests() -> None:
    assert issubclass(Faulty, nv.NavplanError)
    assert issubclass(Faulty, AssertionError)
    assert all(check.__doc__ and "Faulty" in check.__doc__ for check in checks)
