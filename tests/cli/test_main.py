"""The command line's manners: quick help, one-line errors, exit statuses."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from navplan.cli.command_line import COMMANDS, main


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name}" in shown for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    assert f"usage: navplan {name}" in capsys.readouterr().out
    module = importlib.import_module(f"navplan.cli.{name}")
    assert module.__doc__


def test_unknown_command_suggests(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slove"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: unknown command 'slove': did you mean 'solve'?")
    assert captured.err.count("\n") == 1


def test_usage_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: navplan validate:")
    assert err.count("\n") == 1


def test_an_error_stays_one_line_whatever_the_file_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["validate", "a\nb.json"], ["solve", "--map", "a\rb.map", "--agents", "1"], ["planners", "a\nb"]):
        assert main(arguments) == 2
        err = capsys.readouterr().err
        assert err.startswith("error: ")
        assert len(err.splitlines()) == 1


def _navplan(*arguments: str, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "navplan", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload, no-any-return]


def test_output_that_cannot_be_written() -> None:
    with open("/dev/full", "w") as full:
        process = _navplan("modules", stdout=full)
        assert process.communicate()[1] == "error: output: No space left on device\n"
        assert process.returncode == 2


def test_a_reader_that_leaves_early_is_met_in_silence() -> None:
    process = _navplan("scenario", "make", "empty", "--height", "1000", "--width", "1000", stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.communicate()[1] == ""
    assert process.returncode == 1


def test_file_names_that_the_terminal_cannot_show(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    target = tmp_path / "grün.map"
    process = _navplan("scenario", "make", "empty", "--out", str(target), stdout=subprocess.PIPE, env=environment)
    output, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert "gr\\xfcn.map" in output
    assert target.is_file()


def test_a_missing_plan_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "no-such-plan.json"]) == 2
    assert capsys.readouterr().err.startswith("error: no-such-plan.json: cannot be read")


def test_import_is_light() -> None:
    code = (
        "import sys, navplan; bad = {'torch', 'pygame', 'numba', 'scipy', 'matplotlib'} & set(sys.modules); sys.exit(bool(bad))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.alone
def test_help_is_quick() -> None:
    times: list[float] = []
    while len(times) < 10 and min(times, default=1.0) >= 0.3:  # one quick answer is enough: other work may be in the way
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-m", "navplan", "--help"], check=True, capture_output=True)
        times.append(time.perf_counter() - begin)
    assert min(times) < 0.3
