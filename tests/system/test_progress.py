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
import threading
import time

import pytest

from navplan.errors import InvalidInput
from navplan.system.progress import SILENCE, Lines, Listener, ProgressDisplay, Silence, duration, heard, told


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
        progress.stage("planning for 3 agents")
        until(stream, r"planning for 3 agents\n")
        progress.show(2, 8, "the second of eight")
        until(stream, r"planning for 3 agents: 2 of 8: the second of eight\n")
        progress.show(4, 8, "name\nwith a break")
        until(stream, r"planning for 3 agents: 4 of 8, \d+ s left: name\\nwith a break\n")
    assert "\r" not in stream.getvalue()


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
        progress.stage("second")
        for done in range(5):
            progress.show(done, 4, "x" * 200)
        until(stream, r"\[#{24}\] 4/4: x+")
        progress.warn("a warning")
    assert screen(stream.getvalue()) == ["first", "second", "a warning", ""]
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


def test_a_function_gets_each_stage_and_a_line_now_and_then() -> None:
    lines: list[str] = []
    listener = Lines(lines.append, pause=0.0)
    listener.stage("counting")
    listener.show(2, 8, "a\nb")
    listener.show(0, 0, "a bound of 7")
    Lines(lines.append, pause=60.0).show(1, 2, "too soon")
    assert lines == ["counting", "counting: 2 of 8: a\\nb", "counting: a bound of 7"]


def test_who_is_told() -> None:
    lines: list[str] = []
    with told(lines.append) as listener:
        assert heard() is listener
        with told() as same, told(False) as nobody:
            assert same is listener
            assert nobody is SILENCE
            with told() as still:
                assert still is SILENCE
    assert heard() is SILENCE
    mine = Silence()
    with told(mine) as listener:
        assert listener is mine
    with pytest.raises(InvalidInput, match="progress is 7, expected True, False, None, or a function"), told(7):  # type: ignore[arg-type]
        pass


def test_by_default_a_terminal_is_told_of_what_takes_long_and_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("navplan.system.progress.BLINK", 0.01)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with told() as listener:
        listener.stage("quick")
        time.sleep(0.05)
    assert terminal.getvalue() == ""
    monkeypatch.setattr("navplan.system.progress.SHORT", 0.0)
    with told() as listener:
        listener.stage("slow")
        until(terminal, "slow")
        listener.show(3, 4, "a word")
        until(terminal, "slow: 3 of 4: a word")
        with ProgressDisplay(stream=io.StringIO()), told() as other:
            assert other is not listener
    assert screen(terminal.getvalue()) == [""]
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with told() as listener:
        assert listener is SILENCE


def test_true_tells_a_pipe_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("navplan.system.progress.PAUSE", 0.01)
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    with told(True) as listener:
        assert isinstance(listener, Listener)
        listener.stage("slow")
        until(pipe, r"slow\n")


def test_a_display_at_work_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of a user's starts without the context of the one that called it."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    with ProgressDisplay():
        found: list[Listener] = []

        def work() -> None:
            with told() as listener:
                found.append(listener)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert found == [SILENCE]
