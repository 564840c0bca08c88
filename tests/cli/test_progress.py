"""Progress on a terminal, and none with --quiet; results stay apart from it."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from navplan.cli.command_line import main


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


SOLVE = ["solve", "--map", "center-dot", "--agents", "2", "--planner", "ecbs"]
DRIVE = ["lifelong", "--map", "center-dot", "--agents", "2", "--steps", "20"]
FRONT = ["solve", "--map", "center-dot", "--agents", "1", "--pareto"]


@pytest.mark.parametrize(
    ("command", "said"),
    [(SOLVE, "planning for 2 agents with ecbs"), (DRIVE, "driving 2 agents"), (FRONT, "searching every trade-off")],
)
def test_it_is_said_on_a_terminal_and_not_with_quiet(
    command: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for quiet in ([], ["--quiet"]):
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        assert main([*command, "--json", *quiet]) == 0
        assert (said in terminal.getvalue()) == (not quiet)
        assert not quiet or terminal.getvalue() == ""
        json.loads(capsys.readouterr().out)


def test_ctrl_c_clears_the_bar_and_keeps_the_drive(tmp_path: Path) -> None:
    command = ["lifelong", "--map", "center-dot", "--agents", "4", "--steps", "10000000", "--out", str(tmp_path / "drive.json")]
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "navplan", *command], stdout=subprocess.PIPE, stderr=slave, text=True
    ) as process:
        os.close(slave)
        shown = ""
        while "goals" not in shown:
            shown += os.read(master, 4096).decode()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=120)
    os.close(master)
    assert process.returncode == 130
    assert output.splitlines()[-1] == "interrupted"
    assert json.loads((tmp_path / "drive.json").read_text())["lifelong"]["interrupted"] is True
