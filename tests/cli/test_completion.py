"""Scripts that complete command lines, tried in the shell that is there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from navplan.cli.command_line import COMMANDS, main
from navplan.cli.commands import SHELLS

TRY = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_shtab_navplan navplan "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def bash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "navplan.bash"
    with pytest.MonkeyPatch.context() as patch, path.open("w") as script:
        patch.setattr("sys.stdout", script)
        assert main(["--print-completion", "bash"]) == 0
    return path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("so", ["solve"]),
        ("solve --pl", ["--planner"]),
        ("solve --planner la", ["lacam"]),
        ("solve --map center", ["center-dot"]),
        ("solve --allocation s", ["surplus-deficit"]),
        ("scenario make maz", ["maze"]),
        ("scenario make maze --lo", ["--loops"]),
        ("bench run ma", ["mapf"]),
        ("evaluate --methods so", ["sorb", "sorb+filter", "sorb+synchronised"]),
        ("run center-dot --low-level st", ["straight-line"]),
        ("help li", ["lifelong"]),
        ("solve --map small.m", ["small.map"]),
        ("solve --scen small.s", ["small.scen"]),
        ("demo --out fold", ["folder"]),
        ("train --out fold", ["folder"]),
        ("solve --out small.m", ["small.map"]),
    ],
)
def test_bash_completes(bash: Path, tmp_path: Path, line: str, expected: list[str]) -> None:
    for name in ("small.map", "small.scen"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    command = ["bash", "--norc", "-c", TRY, "bash", str(bash), "navplan", *line.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.split() == expected, done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_knows_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"--print-completion={shell}"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert all(name in shown.out for name in COMMANDS)


def test_another_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--print-completion"], ["--print-completion", "fihs"]):
        assert main(words) == 2
        assert "argument --print-completion: " in capsys.readouterr().err
