"""Ctrl-C: exit status 130, one line, whatever is going on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from navplan.cli import interrupt
from navplan.cli.interrupt import noting_interrupts

pytestmark = pytest.mark.alone


@pytest.fixture
def listening() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGALRM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt.listen()
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in kept.items():
        signal.signal(number, handler)


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)
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
        interrupt.listen()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, kept)


def test_the_command_ends_with_130_and_one_line() -> None:
    code = """if True:
        import sys, time, types
        from navplan.cli.main import COMMANDS, main
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
