"""Which commands there are, and the parser that knows them all."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from typing import Any

from navplan.cli.parser import CommandParser
from navplan.errors import UnknownName

COMMANDS: dict[str, str] = {
    "demo": "the main job on a bundled checkpoint, from states to driven agents",
    "solve": "plan for one problem on a grid map, a scenario or a state graph",
    "lifelong": "drive a fleet from goal to goal and report its throughput",
    "validate": "check a plan file with code that no planner shares",
    "run": "close the loop in one scenario: plan, execute, record",
    "train": "train critics and policy, in a scenario or from logs",
    "judge": "has training converged, how well are the critics calibrated",
    "evaluate": "score methods over a fixed problem set: tables, report, figures",
    "view": "look at a map, a problem, a graph, a plan, a run",
    "scenario": "bundled scenarios, generators, file formats",
    "data": "look at logs and say what is wrong with them; make some",
    "planners": "the registered planners and their guarantees",
    "modules": "who can drive, and the learned parts that --set chooses",
    "bench": "benchmark suites, each beside a named peer",
    "doctor": "versions, extras, compiled kernels; --compile makes all of them",
    "help": "what a command does and takes, as COMMAND --help says it",
}
"""Name -> one line; each is the module of its name in this room, with `configure(parser)` and `run(args)`."""

SHELLS = ("bash", "zsh", "tcsh")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The words of a command line; `verb` is the command.

    Raises:
        UnknownName: no such command.
        SystemExit: with what was asked for already said, or the error.
    """
    if arguments and not arguments[0].startswith("-") and arguments[0] not in COMMANDS:
        raise UnknownName("command", arguments[0], COMMANDS)
    return root().parse_args(arguments)


class RootParser(CommandParser):
    """The parser of everything."""

    def page(self) -> str:
        """The overview: one line for each command."""
        lines = ["usage: navplan COMMAND [options]", "", "Graph-based planning and multi-agent navigation over learned critics."]
        lines += ["", "commands:", *(f"  {name:<10} {text}" for name, text in COMMANDS.items()), "", "options:"]
        for action in self._actions:
            if action.option_strings:
                words = f"{', '.join(action.option_strings)} {action.metavar or ''}".rstrip()
                lines.append(f"  {words:<26} {action.help}")
        lines += ["", "navplan COMMAND --help says more. Results go to stdout, everything else to stderr."]
        return "\n".join(lines) + "\n"


def root() -> CommandParser:
    """The parser of everything; a command is imported when its own part is needed."""
    parser = RootParser(prog="navplan")
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="show the version and exit")
    text = f"print what completes command lines ({', '.join(SHELLS)})"
    parser.add_argument("--print-completion", action=_Completion, choices=SHELLS, metavar="SHELL", help=text)
    commands = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND", parser_class=CommandParser)
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", declare=_declare)
    return parser


def _declare(parser: CommandParser) -> None:
    importlib.import_module(f"navplan.cli.{parser.prog.split()[-1]}").configure(parser)


class _Version(argparse.Action):
    """Print the version."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        print(f"navplan {version('navplan')}")
        parser.exit()


class _Completion(argparse.Action):
    """Print the script that completes command lines in a shell."""

    def __call__(self, parser: argparse.ArgumentParser, _: argparse.Namespace, shell: Any, option: str | None = None) -> None:
        from navplan.cli.completion import script

        print(script(root(), shell))
        parser.exit()
