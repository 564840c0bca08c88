"""Deadlines, measured: ``NAVPLAN_DEADLINES=1 pytest -s tests/planners/test_deadlines.py`` prints a table, in half an hour.

Every planner on hard problems: with an empty cache, with compiled kernels, and while another process holds a core. What counts is
processor time after the limit: at most 5 % of it, or 0.1 s. Without the variable, one planner and one limit.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from navplan.planners import names
from tests.support.deadlines import LIMITS, allowed

ALL = bool(os.environ.get("NAVPLAN_DEADLINES"))
ALL_LIMITS = ",".join(map(str, LIMITS))
# With an empty cache only the first search after compiling tells anything new.
WAYS = {"cold": ("--limits", "0.5"), "warm": ("--limits", ALL_LIMITS), "load": ("--limits", ALL_LIMITS, "--load")}
PLANNERS = names() if ALL else ["lacam"]


def measured(planner: str, *options: str, **environment: str) -> list[dict[str, Any]]:
    """A row for each problem and limit."""
    command = [sys.executable, "-m", "tests.support.deadlines", planner, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.alone
@pytest.mark.parametrize("way", WAYS if ALL else ["warm"])
@pytest.mark.parametrize("planner", PLANNERS)
def test_no_planner_works_on_after_its_limit(planner: str, way: str, tmp_path: Path) -> None:
    environment = {"NUMBA_CACHE_DIR": str(tmp_path)} if way == "cold" else {}
    rows = measured(planner, *(WAYS[way] if ALL else ("--limits", "0.05")), **environment)
    assert rows
    if ALL:
        for row in rows:
            times = f"{row['over']:8.3f} {row['wall_over']:8.3f}"
            sys.stdout.write(f"\n{planner:12} {way:4} {row['limit']:5g} s {times}  {row['status']:9} {row['problem']}")
    late = [row for row in rows if row["over"] > allowed(row["limit"])]
    assert late == []
