"""Work beside the window: one thread, the newest question first, those that it overtook never asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What came of a question: a value, or the error that was raised."""

    question: Any
    value: Any = None
    error: Exception | None = None


class WorkerThread:
    """Runs jobs in a thread of its own; of those that wait, only the newest is kept."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._waiting: tuple[Any, Callable[[], Any]] | None = None
        self._answers: list[Answer] = []
        self._working = self._closed = False
        self._thread: threading.Thread | None = None

    def ask(self, question: Any, job: Callable[[], Any]) -> None:
        """Run `job` as soon as the one at work is done, in place of any that still waits."""
        with self._wake:
            self._waiting = (question, job)
            if self._thread is None:
                # a daemon: closing the window does not wait for a planner
                self._thread = threading.Thread(target=self._work, name="navplan-viewer", daemon=True)
                self._thread.start()
            self._wake.notify_all()

    def answers(self) -> list[Answer]:
        """Answers since the last call, in the order of their questions."""
        with self._wake:
            taken, self._answers = self._answers, []
        return taken

    @property
    def busy(self) -> bool:
        """Whether a question is being answered or waits."""
        with self._wake:
            return self._working or self._waiting is not None

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is left to do; False when that takes longer."""
        with self._wake:
            return self._wake.wait_for(lambda: not self._working and self._waiting is None, seconds)

    def close(self, seconds: float = 2.0) -> None:
        """Drop what waits and end the thread, or leave it behind when its job takes longer."""
        with self._wake:
            self._closed, self._waiting = True, None
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join(seconds)

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closed or self._waiting is not None)
                if self._closed or self._waiting is None:
                    return
                (question, job), self._waiting, self._working = self._waiting, None, True
            try:
                answer = Answer(question, job())
            except Exception as error:  # raised again, or told, by whoever takes the answer
                answer = Answer(question, error=error)
            with self._wake:
                self._answers.append(answer)
                self._working = False
                self._wake.notify_all()
