from __future__ import annotations

import io
import sys

import pytest

from navplan.bench.progress import ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_is_a_line_on_a_terminal_and_nothing_but_warnings_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (io.StringIO(), Terminal()):
        monkeypatch.setattr(sys, "stderr", stream)
        with ProgressLine() as line:
            line.show(0, 4, "a")
            line.show(2, 4, "b")
            line.warn("failed: c")
        if not stream.isatty():
            assert stream.getvalue() == "failed: c\n"
            continue
        shown = [part.rstrip() for part in stream.getvalue().split("\r") if part.strip()]
        assert shown == [f"[{'.' * 24}] 0/4: a", f"[{'#' * 12}{'.' * 12}] 2/4, 0 s left: b", "failed: c"]
        assert stream.getvalue().endswith("\r")
