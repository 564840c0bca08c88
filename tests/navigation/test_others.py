"""Critics and environments of other distributions, by entry point."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import numpy as np
import pytest

import navplan as nv
from navplan.cli import main
from navplan.errors import BrokenPlugin, UnknownName
from tests.support.critics import AnalyticCritics
from tests.support.scenes import walled_world

WORLD = walled_world("none")


def fog() -> AnalyticCritics:
    return AnalyticCritics(WORLD, stage=2)


class Recorded(nv.PointEnv):
    """An environment that says that it was there."""

    made: list[str] = []

    def __init__(self, *args: Any, **options: Any) -> None:
        self.made.append("here")
        super().__init__(*args, **options)


@pytest.fixture(autouse=True)
def others(monkeypatch: pytest.MonkeyPatch) -> None:
    things = {"fog": fog, "recorded": Recorded}
    load = EntryPoint.load

    def points(group: str) -> dict[str, EntryPoint]:
        names = {"navplan.critics": ("fog", "lame"), "navplan.environments": ("recorded", "lame")}.get(group, ())
        return {name: EntryPoint(name, "no_such_room:Thing", group) for name in names}

    monkeypatch.setattr("navplan.system.names.entry_points_in", points)
    monkeypatch.setattr(EntryPoint, "load", lambda point: things[point.name] if point.name in things else load(point))


def test_critics_by_name() -> None:
    critics: Any = nv.load_checkpoint("fog")
    assert isinstance(critics, AnalyticCritics)
    with pytest.raises(BrokenPlugin, match="critics 'lame' of another distribution is broken: ModuleNotFoundError"):
        nv.load_checkpoint("lame")
    with pytest.raises(UnknownName, match="did you mean 'fog'"):
        nv.load_checkpoint("fgo")


def test_environments_by_name() -> None:
    scenario = nv.Scenario("block", WORLD, 1)
    result = nv.navigate(scenario, fog(), [[1, 1]], [[2, 3]], method="constrained-policy", environment="recorded")  # type: ignore[arg-type]
    assert Recorded.made == ["here"]
    assert result.trajectory is not None
    assert np.allclose(result.trajectory.states[-1], [[2, 3]], atol=0.5)
    with pytest.raises(UnknownName, match="unknown environment 'recrded': did you mean 'recorded'"):
        nv.navigate(scenario, fog(), [[1, 1]], [[2, 3]], environment="recrded")  # type: ignore[arg-type]


def test_what_cannot_be_imported_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["modules"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if " broken " in line]
    assert [line[:3] for line in lines] == [["lame", "broken", "critics"], ["lame", "broken", "environment"]]
