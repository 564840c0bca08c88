"""Help pages: for every command, with examples that work, and none wider than a terminal."""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from navplan.cli.command_line import COMMANDS, main
from navplan.cli.commands import parse, root
from navplan.cli.examples import EXAMPLES
from navplan.cli.parser import CommandParser


def parsers(parser: CommandParser) -> Iterator[CommandParser]:
    """A parser and all below it."""
    yield parser
    for action in parser.declared()._actions:
        if action.nargs == "A...":
            assert isinstance(action.choices, dict)
            for below in action.choices.values():
                yield from parsers(below)


PAGES = [parser.prog.removeprefix("navplan").strip() for parser in parsers(root())]


def arguments(line: str) -> list[str]:
    program, *words = shlex.split(line.replace("\\\n", " "))
    assert program == "navplan"
    return words


@pytest.mark.parametrize("page", PAGES)
def test_every_page_fits_a_terminal_and_says_what_everything_is(
    page: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*page.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert main(["help", *page.split()]) == 0
    assert capsys.readouterr().out == shown
    assert [line for line in shown.splitlines() if len(line) > 82] == []
    assert shown.endswith("\n")
    assert not shown.endswith("\n\n")
    for parser in parsers(root()):
        if parser.prog == f"navplan {page}".strip():
            assert [action.dest for action in parser.declared()._actions if not action.help and action.nargs != "A..."] == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    lines = shown.partition("\nexamples:\n")[2].splitlines()
    assert 2 <= len([line for line in lines if line.startswith("  navplan ")]) <= 4
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize("line", sorted({line for lines in EXAMPLES.values() for line in lines}))
def test_every_example_is_a_command_line(line: str) -> None:
    words = arguments(line)
    assert parse(words).verb == words[0]


def test_examples_belong_to_pages() -> None:
    assert EXAMPLES.keys() <= set(PAGES)


QUICK = (
    "scenario",
    "scenario make",
    "scenario show",
    "scenario convert",
    "data make",
    "data inspect",
    "solve",
    "validate",
    "view",
    "planners",
    "help",
)


def test_quick_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("navplan.viewer.app.check_display", lambda: None)
    monkeypatch.setattr("navplan.viewer.app.show", lambda *_, **__: None)
    for page in QUICK:
        for line in EXAMPLES[page]:
            if "demo-out" not in line:
                assert main(arguments(line)) == 0, (line, capsys.readouterr().err)
    assert {
        "point.npz",
        "mixed.npz",
        "maze.map",
        "maze.scen",
        "warehouse.toml",
        "dot.scen",
        "polygons.png",
        "plan.json",
        "plan.gif",
    } <= {path.name for path in tmp_path.iterdir()}


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("-V", "--version", "--vers"):
        assert main([option]) == 0
        assert re.fullmatch(r"navplan \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


def test_no_command_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("usage: navplan COMMAND")


def test_help_of_what_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    for words, near in ((["help", "slove"], "solve"), (["help", "scenario", "mak"], "make")):
        assert main(words) == 2
        shown = capsys.readouterr()
        assert shown.err.startswith("error: ")
        assert shown.err.count("\n") == 1
        assert f"did you mean {near}" in shown.err.replace("'", "")


def test_a_parser_costs_no_import_of_what_it_does_not_need() -> None:
    code = (
        "import sys\n"
        "from navplan.cli.commands import COMMANDS, parse, root\n"
        "(commands,) = [action for action in root()._actions if action.dest == 'verb']\n"
        "for name in COMMANDS:\n"
        "    commands.choices[name].format_help()\n"
        "    others = {'numpy', 'scipy', 'numba', 'torch', 'pygame', 'shapely', 'networkx', 'shtab', 'matplotlib', 'tqdm'}\n"
        "    assert not others & set(sys.modules), (name, others & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "words", [["--help"], ["solve", "--help"], ["scenario", "make", "empty", "--height", "2", "--width", "2"]]
)
def test_no_colour_where_none_is_wanted(words: list[str]) -> None:
    environment = {**os.environ, "NO_COLOR": "1", "TERM": "xterm-256color"}
    environment.pop("FORCE_COLOR", None)
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "navplan", *words], stdin=slave, stdout=slave, stderr=slave, env=environment
    ) as process:
        os.close(slave)
        shown = b""
        while True:
            try:
                part = os.read(master, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
    os.close(master)
    assert process.returncode == 0
    assert len(shown) > 20
    assert b"\x1b" not in shown
