"""The `navplan` command: one thin module per subcommand, imported only when it is called."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from navplan.errors import NavplanError

COMMANDS: dict[str, str] = {
    "demo": "the main job on a bundled checkpoint: sample, weigh, prune, plan, drive, check",
    "solve": "plan for one problem on a grid map, a scenario file or a saved state graph",
    "validate": "check a plan file with code that no planner shares",
    "run": "close the loop in one scenario: plan, execute, record",
    "train": "train critics and policy",
    "view": "look at a map, a problem, a graph, a plan, a run",
    "scenario": "bundled scenarios, generators, file formats",
    "planners": "the registered planners and their guarantees",
    "modules": "the registered low-level control modules",
    "bench": "benchmark suites",
}


class _Parser(argparse.ArgumentParser):
    """Usage errors in the same one-line form as every other error."""

    def error(self, message: str) -> None:  # type: ignore[override]
        print(f"error: {self.prog}: {message}; see {self.prog} --help", file=sys.stderr)
        raise SystemExit(2)


def _overview() -> str:
    lines = ["usage: navplan COMMAND [options]", "", "Graph-based planning and multi-agent navigation.", "", "commands:"]
    lines += [f"  {name:<10} {text}" for name, text in COMMANDS.items()]
    lines += ["", "navplan COMMAND --help says more. Results go to stdout, everything else to stderr."]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 no solution or failed check, 2 bad input, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        from importlib.metadata import version

        print(f"navplan {version('navplan')}")
        return 0
    name = arguments[0]
    try:
        if name not in COMMANDS:
            from navplan.errors import UnknownName

            raise UnknownName("command", name, COMMANDS)
        module = importlib.import_module(f"navplan.cli.{name}")
        parser = _Parser(prog=f"navplan {name}", description=COMMANDS[name])
        module.configure(parser)
        return int(module.run(parser.parse_args(arguments[1:])))
    except NavplanError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except SystemExit as stop:
        return int(stop.code or 0)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
