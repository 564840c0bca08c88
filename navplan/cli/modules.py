"""`navplan modules`: the registered low-level control modules."""

from __future__ import annotations

import argparse
import json


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """List name, kind and summary of each."""
    from navplan.control.registry import LOW_LEVELS, names

    if args.json:
        rows = [{"name": n, "learned": LOW_LEVELS[n].needs_checkpoint, "summary": LOW_LEVELS[n].summary} for n in names()]
        print(json.dumps({"modules": rows}))
        return 0
    for name in names():
        entry = LOW_LEVELS[name]
        print(f"{name:<18} {'learned' if entry.needs_checkpoint else 'fixed':<8} {entry.summary}")
    return 0
