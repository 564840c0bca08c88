"""The parts of docs/extend.md run as they stand and do what they say."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import navplan as nv
from navplan.learned.interface import Curriculum, Module
from navplan.navigation.methods import METHODS
from tests.support.folders import CHECKOUT

PAGE = CHECKOUT / "docs" / "extend.md"
PARTS = dict(re.findall(r"^## ([^\n]*)\n.*?```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S | re.M))


def run(part: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "extend"}
    exec(compile(PARTS[part], str(PAGE), "exec", dont_inherit=True), names)
    return names


def test_every_part_is_short() -> None:
    assert list(PARTS) == ["A planner", "A low level", "Critics", "A method", "An environment", "A learned module"]
    assert [part for part, code in PARTS.items() if len([line for line in code.splitlines() if line.strip()]) > 30] == []


def test_a_planner_of_ones_own() -> None:
    plan = run("A planner")["plan"]
    assert (plan.planner, plan.status) == ("one-by-one", "feasible")
    assert plan.sum_of_costs == 5 + 10


def test_a_low_level_of_ones_own() -> None:
    trajectory = run("A low level")["trajectory"]
    assert trajectory.success
    assert np.abs(trajectory.actions).max() <= 1.0


def test_critics_of_ones_own() -> None:
    names = run("Critics")
    assert names["plan"].status == "optimal"
    assert names["plan"].total_risk == pytest.approx(2.0, abs=0.01)  # the strip has to be crossed once


def test_a_method_of_ones_own() -> None:
    try:
        result = run("A method")["result"]
    finally:
        METHODS.pop("coarse", None)
    assert (result.method, result.planner) == ("coarse", "pbs")
    assert result.graph.num_nodes == 304
    assert result.success


def test_an_environment_of_ones_own() -> None:
    names = run("An environment")
    assert names["trajectory"].success
    start, end = names["trajectory"].states[:2, 0]
    assert isinstance(names["env"], nv.PointEnv)
    assert end[1] - start[1] > names["trajectory"].actions[0, 0, 1]


def test_a_learned_module_of_ones_own() -> None:
    names = run("A learned module")
    module = names["FirstCome"](skip=1)
    assert isinstance(module, Curriculum)
    assert names["baseline"].slot == module.slot
    assert set(Module.__annotations__) <= set(names["FirstCome"].__annotations__) | {"skip"}
