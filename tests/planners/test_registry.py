"""Registered planners, planners of other distributions, and planners that do not know the base class."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any, ClassVar

import numpy as np
import pytest

import navplan as nv
from navplan import planners
from navplan.cli import main
from navplan.errors import InvalidInput, InvalidProblem, UnknownName
from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import Problem
from navplan.planners.base import Planner
from navplan.planners.cbs.cbs import CBS
from navplan.planners.lifelong.lifelong import lifelong
from navplan.planners.registry import adopted, broken, option_names, usable
from navplan.planners.solving import configured, solve


class Walker:
    """Follows every node's first edge, round a ring; written without the base class, as planners once were."""

    guarantee = "none"
    max_agents = 1
    graphs = "paths"
    about = "for tests"

    def prepare(self, graph: nv.StateGraph) -> dict[int, int]:
        return {node: int(graph.indices[graph.indptr[node]]) for node in range(graph.num_nodes)}

    def plan(self, problem: Problem, state: dict[int, int], *, deadline: float | None, rng: np.random.Generator) -> Plan:
        path = [int(problem.starts[0])]
        while path[-1] != problem.goals[0]:
            if len(path) > problem.graph.num_nodes:
                return make_plan(problem, self.name, "unsolved", reason="round and round")  # type: ignore[attr-defined]
            path.append(state[path[-1]])
        return make_plan(problem, self.name, "feasible", [path])  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Structural(Walker):
    name: ClassVar[str] = "structural"
    time_limit: float | None = None
    pace: int = 1


@dataclass
class WithoutLimit(Walker):
    name: ClassVar[str] = "without-limit"
    max_agents = None
    called: list[str] = dataclasses.field(default_factory=list)


@dataclass(frozen=True)
class NoPlanner:
    name: ClassVar[str] = "none"


def ring(nodes: int = 5) -> nv.StateGraph:
    """One-way."""
    angle = 2 * np.pi * np.arange(nodes) / nodes
    return nv.StateGraph(
        states=np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32),
        indptr=np.arange(nodes + 1, dtype=np.int32),
        indices=((np.arange(nodes) + 1) % nodes).astype(np.int32),
        distance=np.ones(nodes),
        risk=np.zeros(nodes),
        wait_risk=np.zeros(nodes),
    )


def register(monkeypatch: pytest.MonkeyPatch, name: str, target: str) -> None:
    """An entry point as another distribution would have it."""
    point = EntryPoint(name, target, "navplan.planners")
    monkeypatch.setattr(
        "navplan.system.names.entry_points_in", lambda group: {name: point} if group == "navplan.planners" else {}
    )


def test_every_registered_planner_can_be_imported() -> None:
    for name in planners.names():
        kind = planners.get(name)
        assert issubclass(kind, Planner)
        assert kind.name == name
        assert kind.guarantee in ("optimal", "bounded", "none")
        assert isinstance(kind(), kind)
    with pytest.raises(UnknownName, match="did you mean 'cbs'"):
        planners.get("cbz")
    assert planners.CBS is CBS
    with pytest.raises(AttributeError):
        _ = planners.nothing


def test_other_distributions_can_add_planners(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "mine", "navplan.planners.cbs.cbs:CBS")
    assert "mine" in planners.names()
    assert planners.get("mine") is CBS


def test_a_planner_without_the_base_class_is_adopted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "structural", f"{__name__}:Structural")
    monkeypatch.setattr(EntryPoint, "load", lambda point: Structural)  # tests are no importable package
    kind = planners.get("structural")
    assert kind is planners.get("structural") is adopted(Structural)
    assert issubclass(kind, Structural)
    assert issubclass(kind, Planner)
    assert (kind.name, kind.max_agents, kind.kernels, kind.parts, kind.keeps_budget, kind.stepwise) == (
        "structural",
        1,
        (),
        (),
        False,
        False,
    )
    assert option_names("structural") == ("time_limit", "pace")
    plan = solve(Problem(ring(), [0], [3]), "structural", pace=2)
    assert plan.paths[0].tolist() == [0, 1, 2, 3]
    with pytest.raises(InvalidProblem, match="planner structural plans for 1 agent"):
        solve(Problem(ring(), [0, 1], [1, 2]), "structural")


def test_a_planner_object_without_the_base_class_keeps_its_options() -> None:
    chosen = configured(Structural(time_limit=2.0, pace=3), {"pace": 4})  # type: ignore[arg-type]
    assert isinstance(chosen, Planner)
    assert (chosen.time_limit, chosen.pace) == (2.0, 4)  # type: ignore[attr-defined]
    assert chosen == configured(chosen, {})
    assert chosen.eager() is chosen
    assert solve(Problem(ring(), [1], [0]), Structural()).paths[0].tolist() == [1, 2, 3, 4, 0]  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="planner structural has no option 'colour'"):
        configured(Structural(), {"colour": "red"})  # type: ignore[arg-type]


def test_what_a_planner_does_not_say_comes_from_the_base_class() -> None:
    given = WithoutLimit()
    chosen: Any = configured(given, {})  # type: ignore[arg-type]
    assert chosen.time_limit is None
    assert chosen.called is given.called
    with pytest.raises(InvalidProblem, match="planner without-limit cannot keep a risk budget"):
        solve(Problem(ring(), [0], [2], risk_budget=1.0), given)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [7, CBS, NoPlanner(), Walker()])
def test_what_is_no_planner_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidInput, match="planner"):
        solve(Problem(ring(), [0], [1]), wrong)


def test_a_registered_class_that_is_no_planner_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, "none", "builtins:dict")
    with pytest.raises(InvalidInput, match="dict is no planner"):
        planners.get("none")


def test_option_names() -> None:
    assert option_names("dijkstra") == ("time_limit",)
    assert "suboptimality" in option_names("eecbs")
    assert "suboptimality" not in option_names(CBS)
    with pytest.raises(UnknownName):
        option_names("cbz")


def test_lifelong_asks_what_the_planner_says_of_itself() -> None:
    """Another name for PIBT drives step by step too."""
    kind = dataclasses.make_dataclass("Steps", [], bases=(planners.get("pibt"),), namespace={"name": "steps"}, frozen=True)
    grid = nv.StateGraph.from_grid(np.zeros((4, 4), bool))
    run = lifelong(Problem(grid, [0, 5], [10, 3]), steps=12, planner=kind())
    assert run.planner == "steps"
    assert len(run.planning_s) == 12
    assert run.violations == ()


@dataclass(frozen=True)
class Liar(Planner):
    """Says that agents jump from their starts to their goals; or returns something else."""

    name: ClassVar[str] = "liar"
    answer: str = "jump"

    def plan(self, problem: Problem, state: Any, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        true = make_plan(problem, self.name, "feasible", [[start, (start + 1) % 5] for start in problem.starts.tolist()])
        if self.answer == "cheap":
            return dataclasses.replace(true, sum_of_costs=0.5)
        if self.answer == "fewer":
            return dataclasses.replace(true, num_agents=7)
        if self.answer == "beyond":
            return dataclasses.replace(true, paths=(np.array([0, 99], np.int32),))
        if self.answer == "great":
            return dataclasses.replace(true, status="great")  # type: ignore[arg-type]
        if self.answer == "nothing":
            return None  # type: ignore[return-value]
        if self.answer == "jump":
            return dataclasses.replace(true, paths=(np.array([0, 3], np.int32),), coordinates=(problem.graph.states[[0, 3]],))
        return true


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("jump", "planner liar is at fault: agent 0: "),
        ("cheap", "planner liar is at fault: sum_of_costs is given as 0.5, the paths give 1"),
        ("fewer", "planner liar is at fault: its plan is for 7 agents, the problem has 1"),
        ("beyond", "planner liar is at fault: "),
        ("great", "planner liar is at fault: its plan has status 'great', expected one of optimal, "),
        ("nothing", "planner liar is at fault: it returned NoneType, expected a Plan"),
    ],
)
def test_false_plans_of_planners_from_outside_are_not_believed(answer: str, reason: str) -> None:
    plan = solve(Problem(ring(), [0], [1]), Liar(answer))
    assert plan.status == "unsolved"
    assert plan.reason.startswith(reason)
    assert plan.paths == ()
    assert plan.sum_of_costs is None
    with pytest.raises(nv.PlanningFailed, match="planner liar is at fault"):
        solve(Problem(ring(), [0], [1]), Liar(answer), raise_on_failure=True)


def test_true_plans_of_planners_from_outside_are_kept() -> None:
    assert solve(Problem(ring(), [0], [1]), Liar("")).status == "feasible"


def test_what_is_no_problem_is_refused() -> None:
    with pytest.raises(InvalidInput, match="problem is a StateGraph, expected a Problem"):
        solve(ring(), "cbs")  # type: ignore[arg-type]


@pytest.mark.parametrize("target", ["no_such_room:Thing", "navplan.errors:Nothing", "navplan.planners.cbs.cbs:Tree", "math:pi"])
def test_a_plug_in_that_cannot_be_used_is_listed_as_broken_and_stops_nothing(
    target: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    register(monkeypatch, "lame", target)
    assert set(planners.names()) - {"lame"} == set(usable())
    assert list(broken()) == ["lame"]
    assert main(["planners"]) == 0
    assert "lame         broken   " in capsys.readouterr().out
    assert main(["planners", "--json"]) == 0
    (row,) = [row for row in json.loads(capsys.readouterr().out) if "broken" in row]
    assert row["name"] == "lame"
    assert "from another distribution" in row["broken"]
    with pytest.raises(nv.NavplanError, match=r"lame|no planner"):
        planners.get("lame")
    assert solve(Problem(ring(), [0], [1]), "astar").solved


@pytest.mark.parametrize("limit", [10**400, float("inf"), 1e300])
def test_a_time_limit_beyond_all_numbers_is_none(limit: float) -> None:
    assert solve(Problem(ring(), [0], [1]), "astar", time_limit=limit).solved
    assert solve(Problem(ring(), [0], [1]), planners.AStar(time_limit=limit)).solved
