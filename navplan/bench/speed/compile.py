"""Suite `compile`: how long a planner's kernels take to compile into an empty cache, and to load from it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from navplan.bench import Row
from navplan.planners.registry import usable
from navplan.system.progress import heard

# Prints wall seconds of compiling what one planner needs for one kind of problem, imports not included.
PROGRAM = (
    "import sys, time; from navplan.planners.warm_up import compile_planner; began = time.perf_counter(); "
    "compile_planner(*sys.argv[1:]); print(time.perf_counter() - began)"
)
QUICK = ("astar",)


def run(quick: bool = False) -> list[Row]:
    """Every planner for unit costs ("hops") and for any costs ("cost"), each in a process and a cache folder of its own."""
    runs = [(planner, weight) for planner in usable() if not quick or planner in QUICK for weight in ("hops", "cost")]
    rows: list[Row] = []
    for done, (planner, weight) in enumerate(runs):
        heard().show(done, len(runs), f"{planner}, {weight}")
        rows += _rows(planner, weight)
    return rows


def _rows(planner: str, weight: str) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "NUMBA_CACHE_DIR": folder}
        cold, warm = (
            float(subprocess.run([sys.executable, "-c", PROGRAM, planner, weight], env=environment, check=True, stdout=-1).stdout)
            for _ in range(2)
        )
    return [
        Row(
            name=f"compile {planner}, {weight}",
            value=round(cold, 2),
            unit="s",
            peer="",
            ratio=None,
            note=f"from the cache {warm:.2f} s",
        )
    ]
