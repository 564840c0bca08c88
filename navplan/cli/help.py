"""`navplan help`: the help page of a command."""

from __future__ import annotations

import argparse

from navplan.cli.commands import COMMANDS, parse
from navplan.cli.options import RegisteredName
from navplan.cli.parser import CommandParser

_word = RegisteredName(lambda: list(COMMANDS))


def configure(parser: CommandParser) -> None:
    """Declare the options."""
    parser.add_argument("words", nargs="*", type=_word, metavar="COMMAND", help="such as solve or scenario make")


def run(args: argparse.Namespace) -> int:
    """Print the page that COMMAND --help prints."""
    try:
        parse([*args.words, "--help"])
    except SystemExit as said:
        return int(said.code or 0)
    return 0
