"""Problems that plan files state (scenarios/stated.py)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import navplan as nv
from navplan.errors import FileFormatError
from navplan.scenarios.problems.load import load_problem
from navplan.scenarios.stated import stated_problem


@pytest.mark.parametrize(("name", "value"), [("radius", 1e300), ("weight", "wide"), ("starts", None)])
def test_what_does_not_fit_is_refused_by_the_files_name(tmp_path: Path, name: str, value: object) -> None:
    (tmp_path / "a.map").write_text("type octile\nheight 1\nwidth 3\nmap\n...\n")
    (tmp_path / "a.scen").write_text("version 1\n0\ta.map\t3\t1\t0\t0\t2\t0\t2\n")
    plan = nv.solve(load_problem(tmp_path / "a.map", tmp_path / "a.scen", 1), "cbs", progress=False)
    plan.save(tmp_path / "plan.json")
    document = json.loads((tmp_path / "plan.json").read_text())
    document["problem"][name] = value
    (tmp_path / "plan.json").write_text(json.dumps(document))
    damaged = nv.Plan.load(tmp_path / "plan.json")
    with pytest.raises(FileFormatError, match=r"plan\.json: its problem does not fit the map"):
        stated_problem(damaged, tmp_path / "plan.json")
