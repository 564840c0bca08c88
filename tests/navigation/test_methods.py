"""Methods, and options that choose otherwise."""

from __future__ import annotations

import dataclasses
from typing import get_args, get_type_hints

import pytest

from navplan.execution.synchronised import Settings
from navplan.navigation.methods import METHODS, DrivingChoice, GraphChoice, Options, PlanningChoice

CHOICES = (GraphChoice, PlanningChoice, DrivingChoice)
OTHERS = {
    "nodes": "uniform",
    "graph_nodes": 70,
    "max_distance": 3.0,
    "prune": False,
    "max_risk": 0.5,
    "lane": 0.0,
    "planner": "pbs",
    "suboptimality": 1.7,
    "weight": "hops",
    "beta": 0.0,
    "spare": 0.0,
    "time_limit": 0.0,
    "max_expansions": 5,
    "low_level": "straight-line",
    "execution": "waypoints",
    "environment": "recorded",
    "body": "point",
    "filter": "without-walls",
    "settings": Settings(patience=3),
}


def chosen(method) -> dict[str, object]:
    """All that a method chooses, by name."""
    parts = (method.graph, method.planning, method.driving)
    return {field.name: getattr(part, field.name) for part in parts for field in dataclasses.fields(part)}


def kinds(hint: object) -> set[object]:
    """Types and literal values that a hint allows, None apart."""
    parts = get_args(hint)
    return {kind for part in parts for kind in kinds(part)} if parts else {hint} - {type(None)}


def test_every_option_is_a_field_of_one_choice_of_the_same_type() -> None:
    hints = get_type_hints(Options)
    for name in hints.keys() - {"seed"}:
        (owner,) = (choice for choice in CHOICES if name in get_type_hints(choice))
        assert kinds(get_type_hints(owner)[name]) == kinds(hints[name]), name
    assert hints.keys() - {"seed"} == OTHERS.keys()


@pytest.mark.parametrize("method", METHODS)
def test_without_options_a_method_is_as_it_is(method: str) -> None:
    assert Options().applied(METHODS[method]) == METHODS[method]
    assert Options(seed=3).applied(METHODS[method]) == METHODS[method]


@pytest.mark.parametrize("method", METHODS)
def test_each_option_changes_its_own_field_alone(method: str) -> None:
    plain = METHODS[method.partition("+")[0]]
    for name, value in OTHERS.items():
        assert chosen(Options(**{name: value}).applied(plain)) == {**chosen(plain), name: value}
    assert chosen(Options(**OTHERS).applied(plain)) == {**chosen(plain), **OTHERS}


def test_what_a_method_is_cannot_be_chosen_away() -> None:
    for name in ("reach", "weighs_risk", "clearance", "constrained", "plans"):
        with pytest.raises(TypeError, match=name):
            Options(**{name: 0})


def test_baselines_with_a_part_of_navplans_execution_differ_in_driving_alone() -> None:
    for name, method in METHODS.items():
        plain, _, part = name.partition("+")
        if part:
            same = dataclasses.replace(method, summary=METHODS[plain].summary, driving=METHODS[plain].driving)
            assert same == METHODS[plain]
            assert (METHODS[plain].driving.filter, method.driving.filter) == ("none", "with-walls")
            assert method.driving.execution == METHODS["navplan" if part == "synchronised" else plain].driving.execution
