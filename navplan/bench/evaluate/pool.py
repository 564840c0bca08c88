"""Processes that do the tasks of an evaluation, side by side; one that dies takes only its task with it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from navplan.bench.evaluate.task import Task

# Sums of floating-point numbers depend on how many threads share them: one each, however many processes there are.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
Report = Callable[[Task, str | None], None]


@dataclass(eq=False)
class _Worker:
    """A process and our end of the pipe to it."""

    process: BaseProcess
    pipe: Connection
    task: Task | None = None
    group: str = ""


def run_tasks(tasks: Sequence[Task], out: Path, workers: int, report: Report) -> None:
    """Do all tasks; every one leaves its file in `out`.

    Args:
        workers: processes, at least 1; never this one, so that results do not depend on how many there are.
        report: called after each task with None, or one line that says what went wrong.

    Raises:
        KeyboardInterrupt: Ctrl-C; what is done is kept.
    """
    pending = list(tasks)
    staff: list[_Worker] = []
    try:
        while pending or any(worker.task for worker in staff):
            while pending and len(staff) < workers:
                staff.append(_started(out))
                _give(staff[-1], pending, staff)
            busy = [worker for worker in staff if worker.task]
            for pipe in wait([worker.pipe for worker in busy]):
                worker = next(worker for worker in busy if worker.pipe is pipe)
                task, worker.task = worker.task, None
                assert task is not None  # only busy ones are waited for
                try:
                    report(task, worker.pipe.recv())
                except (EOFError, OSError):
                    staff.remove(worker)
                    _stop(worker)
                    report(task, f"its process ended with exit status {worker.process.exitcode}")
                else:
                    _give(worker, pending, staff)
    finally:
        for worker in staff:
            _stop(worker)


def _give(worker: _Worker, pending: list[Task], staff: Sequence[_Worker]) -> None:
    """Hand over the next task: of the worker's own group if there is one, else of a group that nobody is at."""
    if not pending:
        return
    others = {other.group for other in staff if other is not worker and other.task}
    own = next((k for k, task in enumerate(pending) if task.group == worker.group), None)
    free = next((k for k, task in enumerate(pending) if task.group not in others), 0)
    worker.task = pending.pop(free if own is None else own)
    worker.group = worker.task.group
    with contextlib.suppress(OSError):  # a dead process is noticed when its answer is waited for
        worker.pipe.send(worker.task)


def _started(out: Path) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, out), daemon=True)
    with _surroundings():
        process.start()
    theirs.close()
    return _Worker(process, ours)


@contextlib.contextmanager
def _surroundings() -> Iterator[None]:
    """What a process is born into: one thread, and deaf to Ctrl-C, which is for us to hear."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN) if threading.current_thread() is threading.main_thread() else None
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGINT, handler)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _stop(worker: _Worker) -> None:
    worker.pipe.close()
    if worker.task is not None:
        worker.process.terminate()
    worker.process.join(5)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()


def _work(pipe: Connection, out: Path) -> None:
    """The process: tasks in, None or a line of complaint out, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from navplan.bench.evaluate.work import Memory, do

    memory = Memory()
    while True:
        try:
            task: Task = pipe.recv()
        except (EOFError, OSError):
            return
        complaint = None
        try:
            do(task, out, memory)
        except Exception as error:  # whatever it is, it is this task's alone
            complaint = " ".join(f"{type(error).__name__}: {error}".split())
        try:
            pipe.send(complaint)
        except OSError:
            return
