"""Progress: a bar on a terminal, a line now and then in a pipe, nothing when quiet."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
import time

import pytest

from navplan.system.progress import ProgressDisplay, duration


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def screen(text: str) -> list[str]:
    """What a terminal shows in the end: a carriage return begins the line again, and what follows overwrites it."""
    lines = []
    for line in text.split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return lines


def until(stream: io.StringIO, pattern: str) -> None:
    for _ in range(1000):
        if re.search(pattern, stream.getvalue()):
            return
        time.sleep(0.01)
    raise AssertionError(f"{pattern!r} is not in {stream.getvalue()!r}")


def test_a_pipe_gets_a_line_now_and_then() -> None:
    stream = io.StringIO()
    with ProgressDisplay(stream=stream, pause=0.02) as progress:
        progress.say("nobody reads this in a pipe")
        progress.stage("planning for 3 agents")
        until(stream, r"planning for 3 agents\n")
        progress.show(2, 8, "the second of eight")
        until(stream, r"planning for 3 agents: 2 of 8: the second of eight\n")
        progress.show(4, 8, "name\nwith a break")
        until(stream, r"planning for 3 agents: 4 of 8, \d+ s left: name\\nwith a break\n")
    assert "\r" not in stream.getvalue()
    assert "nobody" not in stream.getvalue()


def test_short_work_says_nothing_in_a_pipe() -> None:
    stream = io.StringIO()
    with ProgressDisplay(stream=stream) as progress:
        progress.stage("adding")
        progress.show(1, 2)
    assert stream.getvalue() == ""


def test_a_terminal_keeps_the_stages_and_not_the_bar() -> None:
    stream = Terminal()
    with ProgressDisplay(stream=stream, pause=0.02) as progress:
        progress.stage("first")
        progress.say("a word between")
        progress.stage("second")
        for done in range(5):
            progress.show(done, 4, "x" * 200)
        until(stream, r"\[#{24}\] 4/4: x+")
        progress.warn("a warning")
    assert screen(stream.getvalue()) == ["a word between", "first", "second", "a warning", ""]
    assert max(len(part) for part in re.split("[\r\n]", stream.getvalue())) < 80
    assert "\x1b" not in stream.getvalue()


def test_long_stages_say_how_long(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, now = Terminal(), [0.0]
    monkeypatch.setattr("navplan.system.progress.time.monotonic", lambda: now[0])
    with ProgressDisplay(stream=stream, pause=60) as progress:
        progress.stage("slow")
        now[0] = 75.0
        progress.stage("quick")
    assert screen(stream.getvalue()) == ["slow (75 s)", "quick", ""]


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_quiet_is_nothing_but_warnings(stream: io.StringIO) -> None:
    with ProgressDisplay(quiet=True, stream=stream, pause=0.01) as progress:
        progress.stage("planning")
        progress.say("a word")
        progress.show(1, 2)
        time.sleep(0.05)
        progress.warn("a warning")
    assert stream.getvalue() == "a warning\n"


def test_a_closed_stderr_is_no_reason_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with ProgressDisplay() as progress:
        progress.stage("planning")
        progress.warn("nobody hears it")
    closed = io.StringIO()
    with ProgressDisplay(stream=closed, pause=0.01) as progress:
        closed.close()
        progress.stage("planning")
        time.sleep(0.05)


def test_a_narrow_terminal_gets_short_lines() -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 30, 0, 0))
    with os.fdopen(slave, "w") as stream, ProgressDisplay(stream=stream, pause=60) as progress:
        progress.stage("a stage whose name is longer than thirty columns")
        shown = os.read(master, 1000).decode()
    os.close(master)
    assert shown == "\ra stage whose name is longer t"[:30]


def test_durations() -> None:
    assert [duration(s) for s in (0.2, 99, 100, 7100, 7200)] == ["0 s", "99 s", "2 min", "118 min", "2 h 0 min"]
