"""Runs shards in subprocesses that can hang, crash or run out of memory without harm to the rest."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from typing import Any

from navplan.bench.mapf.instances import Chain, Config, Shard, identity, shard_file
from navplan.system.files import write_text

# Wall seconds for loading a problem and compiling a planner's kernels, and for validating a plan.
LOAD_S, CHECK_S = 600.0, 600.0


def grace(limit: float) -> float:
    """Wall seconds past the time limit after which a planner is killed."""
    return 5.0 + 0.5 * limit


class Worker:
    """One subprocess; a new one takes its place when it had to be killed."""

    def __init__(self) -> None:
        self._planner = ""
        self._process: subprocess.Popen[str] | None = None
        self._events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._errors: Any = None
        self._reader: threading.Thread | None = None

    def run(self, task: dict[str, Any]) -> dict[str, Any]:
        """The columns that the run of `task` fills; a process that hangs or dies is described in them."""
        if task["planner"] != self._planner:  # another planner's kernels and pools are no part of its memory
            self.stop()
            self._planner = task["planner"]
        process = self._process
        if process is None or process.poll() is not None:
            self.stop()
            process = self._start()
        assert process.stdin is not None  # it is a pipe
        try:
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
        except OSError:
            return self._crashed(process, "before it planned")
        limit = float(task["time_limit"])
        for stage, seconds in (("loading", LOAD_S), ("planning", limit + grace(limit)), ("validating", CHECK_S)):
            try:
                event = self._events.get(timeout=seconds)
            except queue.Empty:
                self.stop()
                return {"status": "killed", "solved": False, "reason": f"still {stage} after {seconds:g} s, killed"}
            if event is None:
                return self._crashed(process, f"while {stage}")
            if event["event"] == "row":
                return dict(event["row"])
        raise RuntimeError("the worker answered out of order")

    def stop(self) -> None:
        """Kill the subprocess, if there is one, and close what leads to it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        if self._reader is not None:
            self._reader.join(10)
        for stream in (process.stdin, process.stdout, self._errors):
            if stream is not None:
                with contextlib.suppress(OSError):  # what was still to be written to a dead process
                    stream.close()

    def _start(self) -> subprocess.Popen[str]:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        process = subprocess.Popen(
            [sys.executable, "-m", "navplan.bench.mapf.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,
        )
        self._process = process
        self._events = queue.SimpleQueue()
        self._reader = threading.Thread(target=_read, args=(process, self._events), daemon=True)
        self._reader.start()
        return process

    def _crashed(self, process: subprocess.Popen[str], when: str) -> dict[str, Any]:
        code = process.wait()
        name = f"exit status {code}"
        if code < 0:
            with contextlib.suppress(ValueError):
                name = signal.Signals(-code).name
        last: list[str] = []
        with contextlib.suppress(ValueError):  # closed by Ctrl-C in the meantime
            self._errors.seek(0)
            last = self._errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        return {"status": "crashed", "solved": False, "reason": f"the process ended {when}: {name} {' '.join(last)}".strip()}


def _read(process: subprocess.Popen[str], events: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    assert process.stdout is not None  # it is a pipe
    with contextlib.suppress(ValueError, OSError):
        for line in process.stdout:
            events.put(json.loads(line))
    events.put(None)


def run_chains(
    config: Config, work: Sequence[tuple[Chain, list[Shard]]], report: Callable[[Shard, dict[str, Any] | None], None]
) -> None:
    """Run the shards of every chain in order, chains side by side on `config.workers` subprocesses.

    Args:
        report: called in any thread before (row None) and after each shard.

    Raises:
        KeyboardInterrupt: Ctrl-C; finished shards are kept.
    """
    waiting: queue.SimpleQueue[tuple[Chain, list[Shard]]] = queue.SimpleQueue()
    for item in work:
        waiting.put(item)
    stop = threading.Event()
    failures: list[BaseException] = []
    workers = [Worker() for _ in range(min(config.workers, max(1, len(work))))]

    def drain(worker: Worker) -> None:
        try:
            while not stop.is_set():
                try:
                    chain, shards = waiting.get_nowait()
                except queue.Empty:
                    return
                _run_chain(config, worker, chain, shards, stop, report)
        except BaseException as error:
            failures.append(error)
            stop.set()

    threads = [threading.Thread(target=drain, args=(worker,), daemon=True) for worker in workers]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.1)
    finally:
        stop.set()
        for worker in workers:
            worker.stop()
        for thread in threads:
            if thread.ident is not None:
                thread.join(10)
    if failures:
        raise failures[0]


def _run_chain(
    config: Config,
    worker: Worker,
    chain: Chain,
    shards: Sequence[Shard],
    stop: threading.Event,
    report: Callable[[Shard, dict[str, Any] | None], None],
) -> None:
    for shard in shards:
        report(shard, None)
        task = {
            "planner": shard.planner,
            "map": str(chain.instance.map_path),
            "scen": str(chain.instance.scen_path),
            "agents": shard.agents,
            "seed": shard.seed,
            "time_limit": shard.time_limit,
            "memory_limit": shard.memory_limit,
        }
        if config.plans:
            task["plan_file"] = str(config.out / "plans" / f"{shard.key()}.json")
        row = {**identity(shard), **worker.run(task)}
        if stop.is_set():  # killed by Ctrl-C, not by its own fault
            return
        write_text(shard_file(config.out, shard), json.dumps(row) + "\n")
        report(shard, row)
        if not row["solved"] and not config.keep_going:
            return
