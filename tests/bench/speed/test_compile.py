from __future__ import annotations

import pytest

from navplan.bench import run_suite


@pytest.mark.alone
def test_compiling_is_measured_in_an_empty_cache() -> None:
    rows = run_suite("compile", quick=True)
    assert [row["name"] for row in rows] == ["compile astar, hops", "compile astar, cost"]
    for row in rows:
        assert row["value"] > 2 * float(row["note"].split()[-2])
