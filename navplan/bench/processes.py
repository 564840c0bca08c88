"""Shards in processes side by side, which can hang, crash or run out of memory without harm to the rest."""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from navplan.bench.shards import Chain, Failure, Report, Result, Shard, Stage, failed, rest
from navplan.errors import InvalidInput

# Sums of floating-point numbers depend on how many threads share them: one each, however many processes there are.
ONE_THREAD: Mapping[str, str] = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
_POLL_S = 0.5
_LAST_BYTES = 4096
# From the threads that listen to the processes: whose words, and what; None once it says no more.
_Events = queue.SimpleQueue["tuple[_WorkerProcess, tuple[str, Any] | None]"]


@dataclass(frozen=True)
class Processes:
    """An `Executor`: processes other than this one, so that results do not depend on how many there are.

    Attributes:
        workers: how many, side by side.
        environment: variables that they are born with, beside this process's.
        one_group: a process does shards of one group only, for what one leaves in memory would be counted to the next.

    Raises:
        InvalidInput: fewer than one worker.
    """

    workers: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    one_group: bool = False

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise InvalidInput(f"workers is {self.workers}, expected at least 1")

    def run(self, chains: Sequence[Chain[Shard]], out: Path, report: Report) -> None:
        """As `Executor.run`; a process that dies or is stuck takes only its shard with it."""
        _PoolRun(self, chains, out, report).run()


class _WorkerProcess:
    """A process, the pipes to it, and how far its shard is.

    Attributes:
        group: of the last shard that it was given; "" before.
        deadline: when it is taken to be stuck, by `time.monotonic`.
    """

    def __init__(self, out: Path, environment: Mapping[str, str], events: _Events) -> None:
        self.group = ""
        self.deadline = math.inf
        self._stages: Sequence[Stage] = ()
        self._stage = 0
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "navplan.bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # the same modules as here, wherever they were found
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment},
            start_new_session=True,  # deaf to Ctrl-C, which is for us to hear
        )
        assert self._process.stdin is not None  # both are pipes
        assert self._process.stdout is not None
        self._tasks, self._answers = self._process.stdin, self._process.stdout
        self._reader = threading.Thread(target=self._listen, args=(events,), daemon=True)
        self._reader.start()
        self._send(out)

    def begin(self, shard: Shard) -> None:
        """Hand it a shard."""
        self.group, self._stages = shard.group, shard.stages
        self._enter(0)
        self._send(shard)

    def advance(self) -> None:
        """Its next stage has begun."""
        self._enter(self._stage + 1)

    def finish(self) -> None:
        """Its shard is done, and nothing is asked of it."""
        self.deadline = math.inf

    def stuck(self) -> Failure:
        """The failure of one that is past its deadline."""
        name, seconds = self._stages[self._stage]
        return Failure("killed", f"still {name} after {seconds:g} s, killed")

    def dead(self) -> Failure:
        """The failure of one that ended by itself: how, at what, and the last that it wrote to standard error."""
        code = self._process.wait()
        how = f"exit status {code}"
        if code < 0:
            with contextlib.suppress(ValueError):
                how = signal.Signals(-code).name
        when = f" while {self._stages[self._stage][0]}" if self._stage < len(self._stages) else ""
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - _LAST_BYTES))
        last = self._errors.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        return Failure("crashed", ": ".join((f"its process ended with {how}{when}", *last)))

    def stop(self) -> None:
        """Kill it and close what leads to it."""
        self._process.kill()
        self._process.wait()
        self._reader.join(10)
        for stream in (self._tasks, self._answers, self._errors):
            with contextlib.suppress(OSError):  # what was still to be written to a dead process
                stream.close()

    def _enter(self, stage: int) -> None:
        self._stage = stage
        self.deadline = time.monotonic() + self._stages[stage][1] if stage < len(self._stages) else math.inf

    def _send(self, what: Any) -> None:
        with contextlib.suppress(OSError):  # a dead process is noticed when its answer is waited for
            pickle.dump(what, self._tasks)
            self._tasks.flush()

    def _listen(self, events: _Events) -> None:
        with contextlib.suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
            while True:
                events.put((self, pickle.load(self._answers)))
        events.put((self, None))


class _PoolRun:
    """One run of `Processes`: chains that nobody is at, and the processes."""

    def __init__(self, options: Processes, chains: Sequence[Chain[Shard]], out: Path, report: Report) -> None:
        self._options, self._out, self._report = options, out, report
        self._pending = list(chains)
        self._staff: list[_WorkerProcess] = []
        self._busy: dict[_WorkerProcess, Chain[Shard]] = {}  # whose first shard is at work
        self._events: _Events = queue.SimpleQueue()

    def run(self) -> None:
        """Until every chain has come to its end."""
        try:
            self._hand_out()
            while self._busy:
                self._hear()
                self._hand_out()
        finally:
            for worker in self._staff:
                worker.stop()

    def _hand_out(self) -> None:
        """Give chains to idle processes, and to new ones up to their number."""
        while self._pending and len(self._busy) < self._options.workers:
            worker = next((one for one in self._staff if one not in self._busy), None) or self._hire()
            chain = self._pending.pop(self._choice(worker.group))
            if self._options.one_group and worker.group not in ("", chain.shards[0].group):
                self._dismiss(worker)
                worker = self._hire()
            self._begin(worker, chain)

    def _choice(self, group: str) -> int:
        """Which chain is next: of the process's own group if there is one, else of a group that nobody is at."""
        groups = [chain.shards[0].group for chain in self._pending]
        if group in groups:
            return groups.index(group)
        busy = {worker.group for worker in self._busy}
        return next((k for k, other in enumerate(groups) if other not in busy), 0)

    def _hire(self) -> _WorkerProcess:
        self._staff.append(_WorkerProcess(self._out, self._options.environment, self._events))
        return self._staff[-1]

    def _dismiss(self, worker: _WorkerProcess) -> None:
        worker.stop()
        self._staff.remove(worker)

    def _begin(self, worker: _WorkerProcess, chain: Chain[Shard]) -> None:
        self._busy[worker] = chain
        self._report(chain.shards[0], None)
        worker.begin(chain.shards[0])

    def _hear(self) -> None:
        """Wait for news of a process; with none, end those that are past their deadlines."""
        first = min(worker.deadline for worker in self._busy) - time.monotonic()
        try:
            worker, message = self._events.get(timeout=max(0.0, min(first, _POLL_S)))
        except queue.Empty:
            for late in [one for one in self._busy if one.deadline <= time.monotonic()]:
                self._lose(late, late.stuck())
            return
        if worker in self._busy:
            self._heard(worker, message)
        elif message is None and worker in self._staff:  # it died with nothing to do
            self._dismiss(worker)

    def _heard(self, worker: _WorkerProcess, message: tuple[str, Any] | None) -> None:
        if message is None:
            self._lose(worker, worker.dead())
            return
        word, what = message
        if word == "stage":
            worker.advance()
            return
        worker.finish()
        chain = self._busy.pop(worker)
        left = self._conclude(chain, Result(what) if word == "done" else failed(chain.shards[0], what, self._out))
        if left is not None:
            self._begin(worker, left)

    def _lose(self, worker: _WorkerProcess, failure: Failure) -> None:
        """A process is gone, or has to go; another goes on with its chain."""
        chain = self._busy.pop(worker)
        self._dismiss(worker)
        left = self._conclude(chain, failed(chain.shards[0], failure, self._out))
        if left is not None:
            self._pending.insert(0, left)

    def _conclude(self, chain: Chain[Shard], result: Result) -> Chain[Shard] | None:
        self._report(chain.shards[0], result)
        return rest(chain, result)
