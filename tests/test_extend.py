"""The examples of docs/extend.md run as they stand, and are short."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

import pytest

import navplan as nv
from navplan import testing
from navplan.learned.interface import Curriculum
from navplan.navigation.methods import METHODS
from tests.support.folders import CHECKOUT
from tests.support.naive import planning as naive

PAGE = CHECKOUT / "docs" / "extend.md"
GROUPS = {f"navplan.{part}" for part in ("planners", "low_levels", "critics", "methods", "environments", "modules")}
LONGEST = 30


def sections(language: str) -> dict[str, str]:
    """The code in each section that has some, by the section's title."""
    parts = re.split(r"^##? (.*)\n", PAGE.read_text(encoding="utf-8"), flags=re.M)
    found = {}
    for title, text in zip(parts[1::2], parts[2::2], strict=True):
        blocks = re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)
        assert len(blocks) <= 1
        if blocks:
            found[title] = blocks[0]
    return found


def a_planner(names: dict[str, Any]) -> None:
    plan = names["plan"]
    assert plan.planner == "one-by-one"
    assert plan.status == "feasible"
    nv.validate(plan, names["problem"])
    assert naive.conflicts(names["problem"], plan.paths) == []
    assert naive.cost(names["problem"], plan.paths) == plan.sum_of_costs
    late = nv.solve(names["problem"], names["OneByOne"](), time_limit=0)
    assert late.status == "timeout"
    corridor = nv.Problem(nv.StateGraph.from_grid(names["np"].zeros((1, 3), bool)), [0, 2], [2, 0])
    assert "agent 0 cannot pass" in nv.solve(corridor, names["OneByOne"]()).reason
    testing.check_planner(names["OneByOne"])


def drives(names: dict[str, Any]) -> None:
    assert names["trajectory"].success
    assert not names["trajectory"].agent_contacts.any()


def a_low_level(names: dict[str, Any]) -> None:
    drives(names)
    assert abs(names["trajectory"].actions).max() <= 0.5
    testing.check_low_level(names["HalfSpeed"]())


def critics(names: dict[str, Any]) -> None:
    assert names["plan"].solved
    testing.check_critic(names["Fog"]())
    assert 0 < names["safe"].num_edges < names["graph"].num_edges
    nv.validate(names["plan"], names["problem"])


def a_method(names: dict[str, Any]) -> None:
    assert names["result"].method == "careful"
    testing.check_method(METHODS["careful"])
    assert names["result"].trajectory.success


def a_learned_module(names: dict[str, Any]) -> None:
    assert isinstance(names["FirstCome"](skip=1), Curriculum)
    testing.check_module(names["FirstCome"])
    assert names["FirstCome"].slot == names["baseline"].slot


def an_environment(names: dict[str, Any]) -> None:
    drives(names)
    testing.check_environment(names["Mud"](names["plan"]))


def faults(names: dict[str, Any]) -> None:
    assert names["found"].startswith("low level Hasty: actions reach 1.2, expected finite numbers")


CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "Checking a part": faults,
    "A planner": a_planner,
    "A low level": a_low_level,
    "Critics": critics,
    "A method": a_method,
    "An environment": an_environment,
    "A learned module": a_learned_module,
}


def test_every_example_has_a_check() -> None:
    assert set(sections("python")) == set(CHECKS)


@pytest.mark.parametrize("title", CHECKS)
def test_examples_run_and_are_short(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "careful", METHODS["navplan"])  # gone again afterwards
    code = sections("python")[title]
    assert len([line for line in code.splitlines() if line]) <= LONGEST
    names: dict[str, Any] = {"__name__": "mine"}
    exec(compile(code, f"{PAGE}: {title}", "exec", dont_inherit=True), names)
    CHECKS[title](names)


def test_entry_points_are_those_that_navplan_reads() -> None:
    (table,) = sections("toml").values()
    assert set(tomllib.loads(table)["project"]["entry-points"]) == GROUPS
