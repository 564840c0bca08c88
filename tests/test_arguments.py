"""Whatever is given for any argument of any public function is taken, or refused in one line by an error of navplan's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import navplan as nv
from navplan.control.straight_line import StraightLine
from tests.support.critics import AnalyticCritics, FieldCritics
from tests.support.scenes import walled_world

GRID = nv.StateGraph.from_grid(np.zeros((4, 5), bool))
PROBLEM = nv.Problem(GRID, [0, 4], [19, 15])
PLAN = nv.solve(PROBLEM, "cbs")
STATES = np.random.default_rng(0).uniform(0, 8, (40, 2))
WORLD = walled_world()
SCENARIO = nv.Scenario("block", WORLD, 1)
CRITICS = AnalyticCritics(WORLD)
LEARNED = nv.StateGraph.from_states(STATES, FieldCritics(), max_distance=2)
ENV = nv.PointEnv(WORLD, num_agents=2, rng=0)
HERE = np.array(ENV.states[0])

WRONG: list[Any] = [
    *(None, 3, -1, 0, 10**400, 0.5, math.nan, -math.inf, 1j, True, "x", "", b"x", "a\0b", "a" * 5000, Path("x")),
    *(
        [1],
        [],
        ["a"],
        [[1, 2], [3]],
        [None],
        (1, 2),
        {"a": 1},
        {1, 2},
        object(),
        Decimal(1),
        Fraction(1, 2),
        lambda *given: None,
        nv,
    ),
    *(np.zeros(2), np.zeros((2, 2)), np.array("x"), np.array([None]), np.array(["x", "y"]), np.zeros((1, 2, 2), complex)),
]
BETWEEN: dict[str, Any] = {"states": STATES, "max_distance": 2.0, "critics": FieldCritics()}
CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "from_grid": (nv.StateGraph.from_grid, {"walls": WORLD.walls}),
    "from_states": (
        nv.StateGraph.from_states,
        BETWEEN
        | dict.fromkeys(("max_risk", "max_speed"), 5.0)
        | {
            "goal_tolerance": 0.5,
            "screen": True,
            "max_neighbors": 3,
            "max_pairs": 9999,
            "batch": 99,
            "position": None,
            "world": None,
        },
    ),
    "StateGraph": (nv.StateGraph, {**LEARNED.parts._asdict(), "limits": None}),
    "keep": (LEARNED.keep, {"mask": np.ones(LEARNED.num_edges, bool)}),
    "prune": (LEARNED.prune, {"max_risk": 1.0, "max_distance": 1.0}),
    "attach": (
        LEARNED.attach,
        {"points": STATES[:2], "critics": FieldCritics(), "max_distance": 1.0, "max_risk": 1.0, "batch": 9, "world": WORLD}
        | {"position": None},
    ),
    "has_room": (LEARNED.has_room, {"radius": 0.2}),
    "fitting": (GRID.fitting, {"radius": 0.2}),
    "weights": (LEARNED.weights, {"beta": 1.0, "weight": "cost"}),
    "node": (LEARNED.node, {"name": "x"}),
    "to_networkx": (LEARNED.to_networkx, {"beta": 1.0, "weight": "cost"}),
    "from_networkx": (nv.StateGraph.from_networkx, {"graph": GRID.to_networkx(), "weight": "distance"}),
    "save a graph": (GRID.save, {"path": "a.npz"}),
    "load a graph": (nv.StateGraph.load, {"path": "x.npz"}),
    "coverage_nodes": (nv.coverage_nodes, {"states": STATES, "count": 5, "rng": 0}),
    "Problem": (
        nv.Problem,
        {"graph": GRID, "starts": [0, 4], "goals": [19, 15], "radius": 0.2, "clearance": 0.0, "beta": 1.0, "wait_cost": 1.0}
        | {"weight": "cost", "risk_budget": 1.0},
    ),
    "solve": (
        nv.solve,
        {"problem": PROBLEM, "planner": "ecbs", "time_limit": 5.0, "seed": 0, "raise_on_failure": False, "suboptimality": 1.5}
        | {"memory_limit": None, "max_nodes": 99},
    ),
    "validate": (nv.validate, {"plan": PLAN, "problem": PROBLEM, "forbid_following": False, "world": None}),
    "violations": (nv.violations, {"plan": PLAN, "problem": PROBLEM, "forbid_following": False, "world": None}),
    "states of a plan": (PLAN.states, {"agent": 0}),
    "cells of a plan": (PLAN.cells, {"agent": 0}),
    "save a plan": (PLAN.save, {"path": "a.json"}),
    "load a plan": (nv.Plan.load, {"path": "x.json"}),
    "load a trajectory": (nv.Trajectory.load, {"path": "x.npz"}),
    "lifelong": (
        nv.lifelong,
        {"problem": PROBLEM, "steps": 3, "planner": "pibt", "window": 2, "horizon": 3, "time_limit": 1.0, "seed": 0},
    ),
    "load_map": (nv.load_map, {"name_or_path": "center-dot", "unknown": "free"}),
    "load_problem": (
        nv.load_problem,
        {"map": "small", "scen": None, "agents": 2, "seed": 0, "radius": 0.2, "radius_m": None, "clearance": 0.0, "beta": 0.0}
        | {"wait_cost": 1.0, "weight": "cost"},
    ),
    "load_scenario": (nv.load_scenario, {"name_or_path": "center-dot"}),
    "load_checkpoint": (nv.load_checkpoint, {"path_or_name": "nowhere", "stage": 2}),
    "Scenario": (nv.Scenario, {"name": "a", "world": WORLD, "num_agents": 1, "radius": 0.2, "starts": None, "goals": None}),
    "Hazard": (nv.Hazard, {"kind": "linear", "radius": 1.0}),
    "World": (
        nv.World,
        {"name": "a", "walls": None, "height": 5.0, "width": 4.0, "polygons": (), "hazard": nv.Hazard(), "resolution": 1.0},
    ),
    "from_walls": (nv.World.from_walls, {"name": "a", "walls": WORLD.walls, "hazard": nv.Hazard(), "resolution": 1.0}),
    "inflated": (WORLD.inflated, {"radius": 0.2}),
    "blocked": (WORLD.blocked, {"points": STATES}),
    "room": (WORLD.room, {"points": STATES}),
    "sweep_room": (WORLD.sweep_room, {"tails": STATES, "heads": STATES}),
    "overlaps": (WORLD.overlaps, {"points": STATES, "radius": 0.2}),
    "Body": (nv.Body, {"kind": "car", "radius": 0.3, "max_speed": 0.9, "max_accel": 1.0, "min_turn_radius": 1.0, "tube": 0.1}),
    "EmbodiedEnv": (nv.EmbodiedEnv, {"world": WORLD, "bodies": [nv.Body("car")], "rng": 0, "num_agents": 1}),
    "PointEnv": (
        nv.PointEnv,
        {"world": WORLD, "num_envs": 1, "num_agents": 2, "radius": 0.2, "body": "disc", "goal_tolerance": 0.5, "max_steps": 20}
        | {"rng": 0, "action_noise": 0.1},
    ),
    "reset": (ENV.reset, {"starts": HERE, "goals": HERE, "mask": [True]}),
    "step": (ENV.step, {"actions": np.zeros((1, 2, 2))}),
    "predict": (ENV.predict, {"actions": np.zeros((1, 2, 2)), "states": HERE[None]}),
    "sample_free": (ENV.sample_free, {"n": 3, "rng": 0}),
    "is_free": (ENV.is_free, {"points": STATES}),
    "cost_at": (ENV.cost_at, {"points": STATES}),
    "drive": (nv.drive, {"plan": PLAN, "policy": StraightLine(), "env": ENV, "max_steps": 3}),
    "execute": (nv.execute, {"plan": PLAN, "policy": StraightLine(), "env": ENV, "max_steps": 3}),
    "navigate": (
        nv.navigate,
        {"scenario": SCENARIO, "critics": CRITICS, "starts": [[1, 1]], "goals": [[1, 2]], "method": "navplan", "max_steps": 2}
        | {"seed": 0, "graph_nodes": 9, "beta": 1.0, "low_level": "straight-line", "suboptimality": 1.2, "environment": "point"},
    ),
}


def _faces() -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """What the environments of other projects' kinds take; where those are installed."""
    gymnasium = pytest.importorskip("navplan.scenarios.environments.gymnasium")
    pettingzoo = pytest.importorskip("navplan.scenarios.environments.pettingzoo")
    shared = {"scenario": "small", "max_steps": 5, "distance": (1.0, 9.0), "body": "disc", "bodies": None}
    shared["render_mode"] = "rgb_array"
    alone, together = gymnasium.PointNavEnv(**shared), pettingzoo.PointNavParallelEnv(**shared)
    alone.reset(seed=0)
    together.reset(seed=0)
    return {
        "gymnasium": (gymnasium.PointNavEnv, shared),
        "pettingzoo": (pettingzoo.PointNavParallelEnv, {**shared, "num_agents": 2}),
        "a step alone": (alone.step, {"action": np.zeros(2, np.float32)}),
        "a step together": (together.step, {"actions": {}}),
        "a step of one": (lambda action: together.step(dict.fromkeys(together.possible_agents, action)), {"action": np.zeros(2)}),
    }


@pytest.mark.parametrize("name", ["gymnasium", "pettingzoo", "a step alone", "a step together", "a step of one"])
def test_every_argument_of_the_faces(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CALLS, name, _faces()[name])
    test_every_argument(name, tmp_path, monkeypatch)


@pytest.mark.parametrize("name", CALLS)
def test_every_argument(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where some of them are names of files
    call, given = CALLS[name]
    for argument in given:
        for wrong in WRONG:
            try:
                call(**{**given, argument: wrong})
            except nv.NavplanError as error:
                said = str(error)
            else:
                said = "taken"
            assert said, (argument, wrong)
            assert "\n" not in said, (argument, wrong)


class Silent:
    """A low level that answers with what it was made with."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def act(self, observations: Any, goals: Any, condition: Any = None) -> Any:
        return self.answer


@pytest.mark.parametrize("answer", [None, 3, "x", [[1, 2], [3]], np.zeros(2), np.zeros((3, 2)), np.array([["a", "b"]] * 2)])
def test_low_levels_that_answer_with_something_else(answer: Any) -> None:
    env = nv.PointEnv(nv.load_scenario("empty").world, num_agents=2, rng=0)
    env.reset([[0.5, 0.5], [0.5, 4.5]], [[3.5, 4.5], [3.5, 0.5]])
    with pytest.raises(nv.InvalidInput, match="the actions of Silent"):
        nv.drive(PLAN, Silent(answer), env)
