"""navplan: graph-based planning and multi-agent navigation over learned distance and safety critics.

The public names below are imported when first used, so that ``import navplan`` is quick and needs neither torch nor pygame.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from navplan import planners
    from navplan.control.episodes import rollout
    from navplan.errors import (
        CheckpointError,
        FileAccessError,
        FileFormatError,
        InvalidInput,
        InvalidPlan,
        InvalidProblem,
        MissingExtra,
        NavplanError,
        PlanningFailed,
        UnknownName,
    )
    from navplan.execution.synchronised import drive, execute
    from navplan.execution.trajectory import Trajectory
    from navplan.graph.critics import EuclideanCritics
    from navplan.graph.nodes import coverage_nodes
    from navplan.graph.paths import distances, shortest_path
    from navplan.graph.state_graph import StateGraph
    from navplan.learned.datasets.dataset import Dataset
    from navplan.learned.fit import fit
    from navplan.learned.training.load import load_checkpoint
    from navplan.navigation.navigate import navigate
    from navplan.navigation.navigator import Navigator
    from navplan.plan.plan import Plan
    from navplan.plan.problem import Problem
    from navplan.plan.validation import validate, violations
    from navplan.planners.lifelong.lifelong import lifelong
    from navplan.planners.solving import solve
    from navplan.scenarios.bodies.body import Body
    from navplan.scenarios.environments.embodied import EmbodiedEnv
    from navplan.scenarios.environments.point import PointEnv
    from navplan.scenarios.maps import load_map
    from navplan.scenarios.problems.load import load_problem
    from navplan.scenarios.registry import load_scenario, scenario_names
    from navplan.scenarios.scenario import Scenario
    from navplan.scenarios.worlds.world import Hazard, World

_WHERE = {
    "Body": "navplan.scenarios.bodies.body",
    "CheckpointError": "navplan.errors",
    "Dataset": "navplan.learned.datasets.dataset",
    "EmbodiedEnv": "navplan.scenarios.environments.embodied",
    "EuclideanCritics": "navplan.graph.critics",
    "FileAccessError": "navplan.errors",
    "FileFormatError": "navplan.errors",
    "Hazard": "navplan.scenarios.worlds.world",
    "InvalidInput": "navplan.errors",
    "InvalidPlan": "navplan.errors",
    "InvalidProblem": "navplan.errors",
    "MissingExtra": "navplan.errors",
    "Navigator": "navplan.navigation.navigator",
    "NavplanError": "navplan.errors",
    "Plan": "navplan.plan.plan",
    "PlanningFailed": "navplan.errors",
    "PointEnv": "navplan.scenarios.environments.point",
    "Problem": "navplan.plan.problem",
    "Scenario": "navplan.scenarios.scenario",
    "StateGraph": "navplan.graph.state_graph",
    "Trajectory": "navplan.execution.trajectory",
    "UnknownName": "navplan.errors",
    "World": "navplan.scenarios.worlds.world",
    "coverage_nodes": "navplan.graph.nodes",
    "distances": "navplan.graph.paths",
    "drive": "navplan.execution.synchronised",
    "execute": "navplan.execution.synchronised",
    "fit": "navplan.learned.fit",
    "lifelong": "navplan.planners.lifelong.lifelong",
    "load_checkpoint": "navplan.learned.training.load",
    "load_map": "navplan.scenarios.maps",
    "load_problem": "navplan.scenarios.problems.load",
    "load_scenario": "navplan.scenarios.registry",
    "navigate": "navplan.navigation.navigate",
    "rollout": "navplan.control.episodes",
    "scenario_names": "navplan.scenarios.registry",
    "shortest_path": "navplan.graph.paths",
    "solve": "navplan.planners.solving",
    "validate": "navplan.plan.validation",
    "violations": "navplan.plan.validation",
}

__all__ = [
    "Body",
    "CheckpointError",
    "Dataset",
    "EmbodiedEnv",
    "EuclideanCritics",
    "FileAccessError",
    "FileFormatError",
    "Hazard",
    "InvalidInput",
    "InvalidPlan",
    "InvalidProblem",
    "MissingExtra",
    "Navigator",
    "NavplanError",
    "Plan",
    "PlanningFailed",
    "PointEnv",
    "Problem",
    "Scenario",
    "StateGraph",
    "Trajectory",
    "UnknownName",
    "World",
    "coverage_nodes",
    "distances",
    "drive",
    "execute",
    "fit",
    "lifelong",
    "load_checkpoint",
    "load_map",
    "load_problem",
    "load_scenario",
    "navigate",
    "planners",
    "rollout",
    "scenario_names",
    "shortest_path",
    "solve",
    "validate",
    "violations",
]


def __getattr__(name: str) -> Any:
    if name == "planners":
        return importlib.import_module("navplan.planners")
    if name not in _WHERE:
        raise AttributeError(f"module 'navplan' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_WHERE[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
