from __future__ import annotations

import re
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from navplan.cli import main
from navplan.control import registry
from navplan.control.interface import LowLevel
from navplan.control.straight_line import StraightLine
from navplan.errors import InvalidInput, NavplanError, UnknownName


class Brought:
    def act(self, observations, goals, condition=None):
        return np.zeros_like(observations)


def test_every_registered_low_level_acts() -> None:
    assert registry.LOW_LEVELS.keys() <= registry.SUMMARIES.keys()
    for name in registry.LOW_LEVELS:
        found = registry.get(name)
        assert isinstance(found, LowLevel)
        actions = found.act(np.zeros((3, 2), np.float32), np.full((3, 2), 9, np.float32))
        assert (actions.shape, actions.dtype) == ((3, 2), np.float32)


def test_learned_low_levels_come_from_the_checkpoint() -> None:
    policy, other = Brought(), Brought()
    assert registry.get("policy", {"policy": policy, "gcbc": other}) is policy
    assert registry.get("gcbc", {"policy": policy, "gcbc": other}) is other
    with pytest.raises(InvalidInput, match="'policy' is learned and needs a checkpoint; give one, or use 'straight-line'"):
        registry.get("policy")
    with pytest.raises(InvalidInput, match="this checkpoint has no behaviour-cloning module; it has policy"):
        registry.get("behaviour-cloning", {"policy": policy})


def test_unknown_names_are_suggested_from_all_that_is_known() -> None:
    with pytest.raises(UnknownName, match="unknown low level 'strait-line': did you mean 'straight-line'"):
        registry.get("strait-line")
    with pytest.raises(UnknownName, match="known: behaviour-cloning, gcbc, policy, straight-line"):
        registry.get("pid", {"gcbc": Brought()})


def test_other_distributions_bring_low_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    target = "navplan.control.straight_line:StraightLine"
    points = {name: EntryPoint(name, target, "navplan.low_levels") for name in ("mine", "policy")}
    monkeypatch.setattr("navplan.system.names.entry_points_in", lambda group: points if group == "navplan.low_levels" else {})
    assert registry.get("mine") == StraightLine()
    entry = next(entry for entry in registry.listed() if entry.name == "mine")
    assert not entry.learned
    assert "from another distribution" in entry.summary
    with pytest.raises(InvalidInput, match="is learned"):  # navplan's own names win
        registry.get("policy")


def test_the_list_says_what_is_learned() -> None:
    assert {entry.name: entry.learned for entry in registry.listed()} == {
        "behaviour-cloning": True,
        "policy": True,
        "straight-line": False,
    }


def test_straight_lines_are_driven_at_full_speed_and_stop_on_the_goal() -> None:
    here, there = np.zeros((3, 2), np.float32), np.array([[4, 2], [0.5, -0.25], [0, 0]], np.float32)
    actions = StraightLine().act(here, there)
    assert actions.tolist() == [[1.0, 0.5], [0.5, -0.25], [0.0, 0.0]]
    with pytest.raises(InvalidInput, match="takes no condition"):
        StraightLine().act(here, there, here)


@pytest.mark.parametrize("target", ["no_such_room:Thing", "math:sqrt", "builtins:object"])
def test_a_broken_low_level_is_listed_with_the_reason(
    target: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    point = EntryPoint("lame", target, "navplan.low_levels")
    monkeypatch.setattr(
        "navplan.system.names.entry_points_in", lambda group: {"lame": point} if group == "navplan.low_levels" else {}
    )
    assert main(["modules"]) == 0
    assert re.search(r"^lame +broken +controller ", capsys.readouterr().out, flags=re.M)
    with pytest.raises(NavplanError, match="lame"):
        registry.get("lame")
