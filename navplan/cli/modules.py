"""`navplan modules`: the registered low-level control modules."""

from __future__ import annotations

import argparse
import json


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """List name, kind and summary of each."""
    from navplan.control.registry import listed

    if args.json:
        rows = [{"name": entry.name, "learned": entry.learned, "summary": entry.summary} for entry in listed()]
        print(json.dumps({"modules": rows}))
        return 0
    for entry in listed():
        print(f"{entry.name:<18} {'learned' if entry.learned else 'fixed':<8} {entry.summary}")
    return 0
