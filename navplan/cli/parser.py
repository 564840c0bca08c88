"""The parser of every command: one-line errors that suggest, examples below the help, options declared when they are needed."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import sys
import textwrap
from collections.abc import Callable, Generator, Sequence
from typing import Any, NoReturn

from navplan.cli.examples import EXAMPLES
from navplan.errors import did_you_mean


def complain(message: str) -> int:
    """One error line, whatever the message holds (file names may hold line breaks); the exit status."""
    print("error: " + "\\n".join(message.splitlines()), file=sys.stderr)
    return 2


_NUMBER = re.compile(r"-\d+|-\d*\.\d+")


class CommandParser(argparse.ArgumentParser):
    """What a command takes.

    Args:
        declare: adds the options, when they are needed first: what one command imports for that costs the others nothing.
        options: as those of `argparse.ArgumentParser`.
    """

    def __init__(self, *, declare: Callable[[CommandParser], object] | None = None, **options: Any) -> None:
        super().__init__(formatter_class=_Layout, **options)
        self._declare = declare

    def declared(self) -> CommandParser:
        """Itself, with its options."""
        declare, self._declare = self._declare, None
        if declare is not None:
            declare(self)
        return self

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As argparse does it, but nothing is left over: an unknown option is said before one that is missing."""
        self.declared()
        words = self._checked(list(sys.argv[1:] if args is None else args))
        found, rest = super().parse_known_args(words, namespace)
        if rest:
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return found, []

    def format_help(self) -> str:
        """The help page with examples."""
        return self.declared().page() + examples(self.prog)

    def page(self) -> str:
        """The help page without examples."""
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Usage errors have the form of every other error."""
        complain(f"{self.prog}: {message}; see {self.prog} --help")
        raise SystemExit(2)

    def _checked(self, words: list[str]) -> list[str]:
        """The words with `_` in options taken for `-`; ends with an error at an option that there is not."""
        for k, word in enumerate(words):
            if word == "--" or (self._subparsers is not None and not word.startswith("-")):
                break  # what follows are no options, or those of a subcommand
            name, equals, value = word.partition("=")
            if not word.startswith("-") or " " in name or _NUMBER.fullmatch(word) or word == "-":
                continue  # a value
            if not self._known(name):
                name = name.replace("_", "-")
                if not self._known(name):
                    self.error(f"unrecognized arguments: {word}{did_you_mean(name, self._option_string_actions)}")
            words[k] = name + equals + value
        return words

    def _known(self, name: str) -> bool:
        """Whether an option is called so, or begins so (a single letter may have its value behind it)."""
        if name.startswith("--"):
            return any(option.startswith(name) for option in self._option_string_actions)
        return name[:2] in self._option_string_actions

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            hint = did_you_mean(str(value), known)
            raise argparse.ArgumentError(action, f"invalid choice: {value!r}{hint}, expected {', '.join(known)}")


def examples(prog: str) -> str:
    """The part of a help page that shows lines to try; nothing for what has none."""
    lines = EXAMPLES.get(prog.removeprefix("navplan").strip(), ())
    return "".join(["\nexamples:\n", *(f"  {line}\n" for line in lines)]) if lines else ""


def _columns() -> int:
    """Of the terminal, 80 where there is none; as `shutil.get_terminal_size`, whose import takes longer than all of the rest."""
    said = os.environ.get("COLUMNS", "")
    columns = int(said) if said.isdecimal() else 0
    if not columns:
        with contextlib.suppress(AttributeError, OSError, ValueError):  # no standard output, or one that is no file
            columns = os.get_terminal_size(sys.stdout.fileno()).columns
    return max(columns or 80, 20)


class _Layout(argparse.HelpFormatter):
    """Subcommands in a list of their own, a list of values as it is documented (with commas), and no word broken in two."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)

    def _format_action(self, action: argparse.Action) -> str:
        text = super()._format_action(action)
        return text.partition("\n")[2] if action.nargs == argparse.PARSER else text  # without the line that only says COMMAND

    def _iter_indented_subactions(self, action: argparse.Action) -> Generator[argparse.Action, None, None]:
        if isinstance(action, argparse._SubParsersAction):
            yield from action._get_subactions()

    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        if isinstance(action.metavar, str) and action.metavar.endswith(",…"):
            return action.metavar
        return super()._format_args(action, default_metavar)
