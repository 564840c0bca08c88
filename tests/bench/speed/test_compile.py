from __future__ import annotations

import pytest

from navplan.bench import run_suite


@pytest.mark.alone
def test_compiling_is_measured_in_an_empty_cache_and_starting_beside_the_compiler() -> None:
    rows = run_suite("compile", quick=True)
    compiled, started = rows[:2], rows[2:]
    assert [row["name"] for row in compiled] == ["compile astar, hops", "compile astar, cost"]
    for row in compiled:
        assert row["value"] > 2 * float(row["note"].split()[-2])
    assert [row["name"] for row in started] == ["navplan --help", "navplan solve, astar, 1 agent"]
    for row in started:
        assert row["ratio"] is not None
        assert row["ratio"] > 0.3  # no compiler is imported
