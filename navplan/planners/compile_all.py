"""Compile the kernels of all planners, on all cores."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from navplan.errors import NavplanError
from navplan.kernels.common.cache import keeps_kernels
from navplan.kernels.common.jit import PLAIN
from navplan.planners.registry import get, usable
from navplan.planners.warm_up import BOTH
from navplan.system.cores import cores
from navplan.system.progress import Progress, told

_CODE = "import sys; from navplan.planners.warm_up import compile_planner; compile_planner(*sys.argv[1:])"


def compile_all(names: Sequence[str] | None = None, *, workers: int | None = None, progress: Progress = None) -> dict[str, float]:
    """Fill the cache with the kernels of planners, for unit costs and any others; wall seconds of each.

    The compiler holds a lock, so each planner has a process of its own.

    Args:
        names: planners; None for all.
        workers: processes at a time; None for as many as there are cores.
        progress: who is told how far it is; see `navplan.system.progress.Progress`.

    Raises:
        UnknownName: no such planner.
        NavplanError: nothing is kept here, so that compiling ahead is of no use; or a planner's kernels cannot be compiled.
    """
    wanted = [get(name).name for name in (usable() if names is None else names)]
    if PLAIN or not keeps_kernels():
        why = "NUMBA_DISABLE_JIT is set" if PLAIN else "the folder for compiled kernels cannot be used"
        raise NavplanError(f"no kernels can be compiled ahead: {why}")
    with told(progress) as listener, ThreadPoolExecutor(workers or cores()) as pool:
        listener.stage(f"compiling the kernels of {len(wanted)} planners")
        calls = {pool.submit(_compile, name): name for name in wanted}
        seconds: dict[str, float] = {}
        for call in as_completed(calls):
            seconds[calls[call]] = call.result()
            listener.show(len(seconds), len(wanted), calls[call])
    return {name: seconds[name] for name in wanted}


def _compile(name: str) -> float:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _CODE, name, *BOTH], capture_output=True, text=True, check=False)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise NavplanError(f"planner {name}: its kernels cannot be compiled: {why}")
    return time.perf_counter() - began
