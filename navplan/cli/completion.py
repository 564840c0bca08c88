"""Scripts that complete command lines in a shell."""

from __future__ import annotations

import argparse
from pathlib import Path

import shtab

from navplan.cli.options import (
    RegisteredName,
    checkpoint_name,
    checkpoints_list,
    method_name,
    methods_list,
    output_file,
    output_folder,
    planner_name,
    planners_list,
)
from navplan.cli.parser import CommandParser

LISTS = {checkpoints_list: checkpoint_name, methods_list: method_name, planners_list: planner_name}
"""The type of a list -> that of one name in it."""


def script(parser: CommandParser, shell: str) -> str:
    """The completion script of `parser` for a shell: commands, options, names that are registered now, files and folders."""
    _complete(parser)
    return shtab.complete(parser, shell)


def _complete(parser: CommandParser) -> None:
    """Say of every option what may follow it, and go down to the subcommands."""
    for action in parser.declared()._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                _complete(below)
        elif isinstance(action.type, RegisteredName):
            action.choices = [*action.type.known(), *(shtab.Optional.FILE if action.type.path else ())]
        elif action.type in LISTS:
            action.choices = LISTS[action.type].known()
        elif action.type in (Path, output_file, output_folder):
            action.complete = shtab.DIRECTORY if action.metavar in ("DIR", "RUN") else shtab.FILE  # type: ignore[attr-defined]
