"""Settings of all tests."""

from __future__ import annotations

import os
import signal
import threading

import pytest
from hypothesis import settings

# Side by side, the threads of one process would only wait for those of another, and those of its children.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Tests press Ctrl-C; a shell's job in the background is born deaf to it, and so are the processes that it starts.
if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Compiled kernels make the first example slow; the shared machine makes any of them slow.
settings.register_profile("navplan", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("navplan")


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made and named, but their files stay empty: drawing them takes longer than all the rest of a small run."""
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, file, **options: None)
