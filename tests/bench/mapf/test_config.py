from __future__ import annotations

import pytest

from navplan.bench.mapf.config import parse_planner
from navplan.errors import InvalidInput, UnknownName


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("cbz", UnknownName),
        ("ecbs:w=2", InvalidInput),
        ("ecbs:suboptimality=0", InvalidInput),
        ("astar", InvalidInput),
        ("ecbs:", InvalidInput),
        ("lacam:scatter=no", InvalidInput),
    ],
)
def test_bad_planners_are_refused_before_anything_runs(spec: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_planner(spec)


def test_words_for_values_are_understood() -> None:
    assert parse_planner("lacam:scatter=False:samples=2") == ("lacam", {"scatter": False, "samples": 2})
    assert parse_planner("lacam:scatter=true:time_limit=None") == ("lacam", {"scatter": True, "time_limit": None})
