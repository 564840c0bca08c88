"""Ctrl-C: exit status 130, one line, whatever is going on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from navplan.system import signals
from navplan.system.signals import noting_interrupts, searching, watch_search, whole

pytestmark = pytest.mark.alone


@pytest.fixture
def listening() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signals.listen()
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in kept.items():
        signal.signal(number, handler)


def press(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)
    time.sleep(0)


@pytest.mark.usefixtures("listening")
def test_it_interrupts_at_once() -> None:
    with pytest.raises(KeyboardInterrupt):
        press()


def test_noting_an_interrupt_raises_it_too() -> None:
    with noting_interrupts() as noted, pytest.raises(KeyboardInterrupt):
        press()
    assert noted == [signal.SIGINT]


@pytest.mark.usefixtures("listening")
def test_it_waits_where_the_exception_would_be_dropped() -> None:
    done = []

    def _raw_object_cache_notify() -> None:
        press()
        time.sleep(0.05)  # longer than it takes to look again
        done.append(True)

    _raw_object_cache_notify()
    assert done
    with pytest.raises(KeyboardInterrupt):
        time.sleep(2)


def test_an_ignored_signal_stays_ignored() -> None:
    kept = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        signals.listen()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, kept)


def test_the_command_ends_with_130_and_one_line() -> None:
    code = """if True:
        import sys, time, types
        from navplan.cli.command_line import COMMANDS, main
        def run(args):
            print("ready", flush=True)
            time.sleep(30)
        COMMANDS["slow"] = "sleeps"
        slow = sys.modules["navplan.cli.slow"] = types.ModuleType("slow")
        slow.configure, slow.run = (lambda parser: None), run
        sys.argv[1:] = ["slow"]
        sys.exit(main())
    """
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20) == ("", "interrupted\n")
    assert process.returncode == 130


@pytest.mark.parametrize("number", signals.ENDING)
@pytest.mark.usefixtures("listening")
def test_either_signal_interrupts(number: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        press(number)


@pytest.mark.usefixtures("listening")
def test_a_signal_within_one_piece_of_work_is_heard_after_it() -> None:
    done = []

    def work() -> None:
        with whole():
            press()
            done.append(True)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done


def test_when_the_search_is_over_a_signal_is_noted_only() -> None:
    with noting_interrupts() as noted:
        with pytest.raises(KeyboardInterrupt), searching():
            press()  # a kernel is compiled: nothing is there yet
        watch_search()
        with pytest.raises(KeyboardInterrupt), searching(), searching():
            press()
        press()
        assert len(noted) == 3
        watch_search()
        with searching():
            with searching():
                pass
            with pytest.raises(KeyboardInterrupt):
                press()  # one search in another has ended, this one goes on
    with pytest.raises(KeyboardInterrupt):
        press()


IMPORTING = """if True:
    import os, signal, sys, threading, time
    def press():
        while "numba" not in sys.modules:
            time.sleep(0)
        time.sleep(float(sys.argv[1]))
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=press).start()
    heard = False
    try:
        from navplan.kernels.common.jit import compiler
        compiler()
        time.sleep(5)
    except KeyboardInterrupt:
        heard = True
    import numpy as np
    from navplan import Problem, StateGraph, solve
    print(heard, solve(Problem(StateGraph.from_grid(np.zeros((1, 3), bool)), [0], [2]), "dijkstra").status)
"""


@pytest.mark.parametrize("delay", ["0", "0.1", "0.3"])
def test_ctrl_c_while_numba_is_imported_leaves_the_process_usable(delay: str) -> None:
    command = [sys.executable, "-c", IMPORTING, delay]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert (done.stdout, done.returncode) == ("True optimal\n", 0), done.stderr
