"""Plans: their numbers, their file, and what malformed files do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import navplan as nv
from navplan.plan.plan import make_plan


@pytest.fixture
def plan() -> nv.Plan:
    problem = nv.Problem(nv.StateGraph.from_grid(np.zeros((3, 3), dtype=bool)), [0, 8], [2, 6], identity={"map": "open.map"})
    return make_plan(problem, "by hand", "optimal", [[0, 1, 2], [8, 8, 7, 6]], lower_bound=5.0)


def test_numbers(plan: nv.Plan) -> None:
    assert (plan.sum_of_costs, plan.makespan, plan.suboptimality) == (5.0, 3, 1.0)
    assert plan.cells(1).tolist() == [[2, 2], [2, 2], [2, 1], [2, 0]]
    assert plan.times[0].tolist() == [0.0, 1.0, 2.0]
    assert plan.times[0].dtype == np.float64
    assert plan.summary()["sum_of_costs"] == 5


def test_round_trip(plan: nv.Plan, tmp_path: Path) -> None:
    plan.save(tmp_path / "plan.json")
    again = nv.Plan.load(tmp_path / "plan.json")
    assert again.summary() == plan.summary()
    assert dict(again.problem) == dict(plan.problem)
    for agent in range(2):
        assert np.array_equal(again.cells(agent), plan.cells(agent))
        assert np.array_equal(again.paths[agent], plan.paths[agent])
    assert [p.name for p in tmp_path.iterdir()] == ["plan.json"]


def test_unknown_agent(plan: nv.Plan) -> None:
    with pytest.raises(nv.InvalidInput, match="agent 2: this plan has paths for 2 agents"):
        plan.cells(2)


@pytest.mark.parametrize("field", ["paths", "coordinates", "status", "agents", "sum_of_costs", "problem"])
def test_a_missing_field_is_named(plan: nv.Plan, tmp_path: Path, field: str) -> None:
    path = tmp_path / "plan.json"
    plan.save(path)
    document = json.loads(path.read_text())
    del document[field]
    path.write_text(json.dumps(document))
    with pytest.raises(nv.FileFormatError, match=field):
        nv.Plan.load(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("coordinates_order", "x, y"),
        ("times", [[0, 2, 4]]),
        ("makespan", 1),
        ("paths", [[0.5]]),
        ("paths", [[True]]),
        ("shape", [3]),
        ("shape", ["a", "b"]),
        ("sum_of_costs", float("inf")),
        ("total_risk", float("nan")),
    ],
)
def test_a_field_that_says_something_else_is_refused(plan: nv.Plan, tmp_path: Path, field: str, value: object) -> None:
    path = tmp_path / "plan.json"
    plan.save(path)
    document = json.loads(path.read_text())
    document[field] = value
    path.write_text(json.dumps(document))
    with pytest.raises(nv.FileFormatError, match=r"plan\.json: bad or missing field"):
        nv.Plan.load(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("start_states", [[0.5, 0.5]]),
        ("start_states", [[0.5, 0.5], [1.5]]),
        ("goal_states", [["x", 0.5], [1.5, 0.5]]),
        ("goal_states", 3),
        ("radius", [0.1]),
        ("radius", -1),
        ("radius", "large"),
        ("beta", 10**400),
        ("wait_cost", None),
        ("clearance", [1.0]),
    ],
)
def test_a_problem_that_no_problem_is_like_is_refused(plan: nv.Plan, tmp_path: Path, field: str, value: object) -> None:
    path = tmp_path / "plan.json"
    plan.save(path)
    document = json.loads(path.read_text())
    document["problem"][field] = value
    path.write_text(json.dumps(document))
    with pytest.raises(nv.FileFormatError, match=rf"plan\.json: bad or missing field: problem {field} "):
        nv.Plan.load(path)


@given(data=st.binary(max_size=200))
def test_random_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("plans") / "plan.json"
    path.write_bytes(data)
    with pytest.raises(nv.FileFormatError, match=r"plan\.json"):
        nv.Plan.load(path)


@given(data=st.data())
def test_mutated_files_never_crash(plan_text: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(plan_text) - 1))
    text = plan_text[:at] + data.draw(st.text(max_size=3)) + plan_text[at + data.draw(st.integers(0, 5)) :]
    path = tmp_path_factory.mktemp("plans") / "plan.json"
    path.write_text(text, encoding="utf-8", errors="replace")
    message = "plan.json"
    try:
        nv.Plan.load(path)
    except nv.NavplanError as error:
        message = str(error)
    assert "plan.json" in message


@pytest.fixture(scope="module")
def plan_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    problem = nv.Problem(nv.StateGraph.from_grid(np.zeros((2, 2), dtype=bool)), [0], [3])
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    make_plan(problem, "by hand", "feasible", [[0, 1, 3]]).save(path)
    return path.read_text()


def test_a_folder_that_cannot_be_written(plan: nv.Plan, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(nv.FileAccessError, match="cannot be written"):
        plan.save(tmp_path / "file" / "plan.json")
