"""The path of docs/own-data.md from an empty folder runs as it stands, but for the time it learns."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from navplan.cli.command_line import main
from navplan.learned.evaluation.held_out import judge_held_out
from tests.support.folders import CHECKOUT

PAGE = (CHECKOUT / "docs" / "own-data.md").read_text(encoding="utf-8").partition("## What logs are")[0]
LONGEST = 40


def run(code: str, name: str = "page") -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": name}
    exec(compile(code, f"{name}.py", "exec"), names)
    return names


def test_from_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    room, logs, drive, own = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)
    inspect, train, judge = (shlex.split(line) for line in re.findall(r"^\$ navplan (.*)$", PAGE, flags=re.M))
    assert len([line for line in f"{logs}{drive}".splitlines() if line]) + 3 <= LONGEST
    module = ModuleType("room")
    module.__dict__.update(run(room, "room"))
    monkeypatch.setitem(sys.modules, "room", module)
    run(logs.replace("0, 125", "0, 60").replace("1, 25", "1, 15"))
    assert main(inspect) == 0
    assert "mistake" not in capsys.readouterr().out
    assert main([*train, "--steps", "20", "--quiet"]) == 0
    assert main([*judge, "--quiet"]) in (0, 1)
    capsys.readouterr()
    names = run(drive.replace("nodes=500", "nodes=50").replace("navigator, 3,", "navigator, 3, max_steps=9,"))
    assert names["graph"].num_nodes == 50
    assert capsys.readouterr().out.endswith("False 9\n" * 3)
    names = run(own)
    assert eval(capsys.readouterr().out) == [True] * 5
    assert (tmp_path / "more.npz").is_file()
    held = names["nv"].Dataset.load("held.npz", goal=lambda o: o[:, :2], position=lambda o: o[:, :2])
    found = judge_held_out(names["Sees"](), held)
    assert found.failures == ()
    assert (found.outside, found.action_error) == (None, None)
