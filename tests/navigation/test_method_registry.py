"""Methods of other distributions."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from navplan.errors import BrokenPlugin, InvalidInput, UnknownName
from navplan.navigation.methods import METHODS, method_named, method_names

TARGETS = {"sorb": "math:pi", "mine": "navplan.navigation.methods:METHODS", "lame": "no_such_room:METHOD"}


@pytest.fixture(autouse=True)
def others(monkeypatch: pytest.MonkeyPatch) -> None:
    points = {name: EntryPoint(name, target, "navplan.methods") for name, target in TARGETS.items()}
    monkeypatch.setattr("navplan.system.names.entry_points_in", lambda group: points if group == "navplan.methods" else {})


def test_methods_of_other_distributions_are_found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert method_names() == [*METHODS, "lame", "mine"]
    monkeypatch.setattr(EntryPoint, "load", lambda point: METHODS["navplan"])
    assert method_named("mine") is METHODS["navplan"]
    assert method_named("sorb") is METHODS["sorb"]


def test_what_is_no_method_is_refused() -> None:
    with pytest.raises(InvalidInput, match="method 'mine' is a dict, expected a"):
        method_named("mine")
    with pytest.raises(BrokenPlugin, match="method 'lame' of another distribution is broken: ModuleNotFoundError"):
        method_named("lame")
    with pytest.raises(UnknownName, match="did you mean 'navplan'"):
        method_named("navplam")
