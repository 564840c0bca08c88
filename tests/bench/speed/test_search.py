from __future__ import annotations

import math

from navplan.bench import run_suite


def test_the_search_suite_measures_what_it_names() -> None:
    rows = run_suite("search", quick=True)
    names = {row["name"] for row in rows}
    assert {"single source, unit grid", "shortest_path, far pair", "shortest_path, near pair", "20 distance tables"} <= names
    assert any(name.startswith("200 pairs") for name in names)
    assert any(name.startswith("cbs, 20 agents, clearance 0.5") for name in names)
    for row in rows:
        assert math.isfinite(row["value"])
        assert row["value"] > 0
        assert (row["ratio"] is None) == (row["peer"] == "")
