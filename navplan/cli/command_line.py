"""The `navplan` command: one thin module per subcommand, imported only when it is called."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
from collections.abc import Sequence

from navplan.cli.commands import COMMANDS, parse, root
from navplan.cli.parser import complain
from navplan.errors import NavplanError
from navplan.system.signals import ignore, leave, listen

__all__ = ["COMMANDS", "main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 no solution or failed check, 2 bad input, 130 interrupted."""
    if argv is None:
        _print_any_text()
        listen()
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # pygame greets on stdout, which is for results
    try:
        status = _dispatch(list(sys.argv[1:] if argv is None else argv))
        if sys.stdout is not None:  # None when the caller has closed it
            sys.stdout.flush()
        if argv is None:
            ignore()
        return status
    except NavplanError as error:
        return complain(str(error))
    except BrokenPipeError:
        _drop_output()
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        if argv is None:
            leave(130)
        return 130
    except MemoryError:
        return complain("not enough memory, expected a smaller problem")
    except OSError as error:  # files of ours are reported above: this is the output itself, or the system's own folders
        where = error.filename if error.filename is not None else "output"
        _drop_output()
        return complain(f"{where}: {error.strerror or error}")


def _dispatch(arguments: list[str]) -> int:
    if not arguments:
        print(root().format_help(), end="", file=sys.stderr)
        return 2
    try:
        args = parse(arguments)
    except SystemExit as said:  # a usage error or a page of help
        return int(said.code or 0)
    try:
        return int(importlib.import_module(f"navplan.cli.{args.verb}").run(args))
    except ModuleNotFoundError as error:
        from navplan.cli.extras import missing

        extra = missing(f"navplan {args.verb}", error)
        if extra is None:
            raise
        raise extra from error


def _print_any_text() -> None:
    """File names may hold what the terminal's encoding cannot say: escape it rather than fail."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """Send what is left in the buffer of standard output nowhere, so that the interpreter's last flush is quiet."""
    with contextlib.suppress(AttributeError, OSError, ValueError):  # no standard output, or one that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
