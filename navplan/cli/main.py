"""The `navplan` command: one thin module per subcommand, imported only when it is called."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import sys
from collections.abc import Sequence

from navplan.cli.interrupt import leave, listen
from navplan.errors import NavplanError, UnknownName

COMMANDS: dict[str, str] = {
    "demo": "the main job on a bundled checkpoint: sample, weigh, prune, plan, drive, check",
    "solve": "plan for one problem on a grid map, a scenario file or a saved state graph",
    "lifelong": "drive a fleet from goal to goal, and report its throughput",
    "validate": "check a plan file with code that no planner shares",
    "run": "close the loop in one scenario: plan, execute, record",
    "train": "train critics and policy",
    "judge": "whether training has converged, and how well the critics are calibrated",
    "evaluate": "score methods over a fixed problem set; tables, report, figures",
    "view": "look at a map, a problem, a graph, a plan, a run",
    "scenario": "bundled scenarios, generators, file formats",
    "planners": "the registered planners and their guarantees",
    "modules": "the registered low-level control modules",
    "bench": "benchmark suites",
}


class _Parser(argparse.ArgumentParser):
    """Usage errors in the same one-line form as every other error."""

    def error(self, message: str) -> None:  # type: ignore[override]
        _complain(f"{self.prog}: {message}; see {self.prog} --help")
        raise SystemExit(2)


def _overview() -> str:
    lines = ["usage: navplan COMMAND [options]", "", "Graph-based planning and multi-agent navigation.", "", "commands:"]
    lines += [f"  {name:<10} {text}" for name, text in COMMANDS.items()]
    lines += ["", "navplan COMMAND --help says more. Results go to stdout, everything else to stderr."]
    return "\n".join(lines)


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
        return status
    except NavplanError as error:
        return _complain(str(error))
    except BrokenPipeError:
        _drop_output()
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        if argv is None:
            leave(130)
        return 130
    except MemoryError:
        return _complain("not enough memory, expected a smaller problem")
    except OSError as error:  # files of ours are reported above: this is the output itself, or the system's own folders
        where = error.filename if error.filename is not None else "output"
        _drop_output()
        return _complain(f"{where}: {error.strerror or error}")


def _dispatch(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from importlib.metadata import version

        print(f"navplan {version('navplan')}")
        return 0
    name = arguments[0]
    if name not in COMMANDS:
        raise UnknownName("command", name, COMMANDS)
    module = importlib.import_module(f"navplan.cli.{name}")
    parser = _Parser(prog=f"navplan {name}", description=COMMANDS[name])
    module.configure(parser)
    try:
        args = parser.parse_args(arguments[1:])
    except SystemExit as stop:  # usage error or --help, already said
        return int(stop.code or 0)
    try:
        return int(module.run(args))
    except ModuleNotFoundError as error:
        from navplan.cli.extras import missing

        extra = missing(f"navplan {name}", error)
        if extra is None:
            raise
        raise extra from error


def _complain(message: str) -> int:
    """One error line, whatever the message holds (file names may hold line breaks)."""
    print("error: " + "\\n".join(message.splitlines()), file=sys.stderr)
    return 2


def _print_any_text() -> None:
    """File names may hold what the terminal's encoding cannot say: escape it rather than fail."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """Send what is left in the buffer of standard output nowhere, so that the interpreter's last flush is quiet."""
    with contextlib.suppress(AttributeError, OSError, ValueError):  # no standard output, or one that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
