"""Made-up rows of results.csv for the tests of `navplan bench run mapf`."""

from __future__ import annotations

from typing import Any

from navplan.bench.mapf.results import COLUMNS


def row(planner: str = "cbs", name: str = "m", agents: int = 10, number: int = 1, **changes: Any) -> dict[str, Any]:
    """A solved run."""
    base: dict[str, Any] = dict.fromkeys(COLUMNS)
    base |= {
        "planner": planner,
        "map_name": name,
        "agents": agents,
        "type_id": number,
        "scen_type": "random",
        "status": "optimal",
    }
    base |= {"solved": True, "valid": True, "sum_of_costs": 100.0, "lower_bound": 100.0, "suboptimality": 1.0}
    base |= {"runtime_s": 0.5, "time_limit": 30.0, "cells": 1000, "reason": "", "version": "0", "code": "c", "seed": 0}
    return base | changes
