"""`navplan modules`: who can drive, and the learned parts that can be chosen by `--set`."""

from __future__ import annotations

import argparse
import json
from typing import Any

from navplan.cli.options import add_json_option


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_json_option(parser)


def run(args: argparse.Namespace) -> int:
    """List name, slot and summary of each."""
    rows = _rows()
    if args.json:
        print(json.dumps({"modules": rows}))
        return 0
    for row in rows:
        if "broken" in row:
            print(f"{row['name']:<18} broken   {row['slot']:<11} {row['broken']}")
            continue
        print(f"{row['name']:<18} {'learned' if row['learned'] else 'fixed':<8} {row['slot']:<11} {row['summary']}")
    return 0


def _rows() -> list[dict[str, Any]]:
    """Low levels first, then modules by slot."""
    from navplan.control.registry import broken as broken_drivers
    from navplan.control.registry import listed
    from navplan.learned.registry import broken, get, names
    from navplan.learned.training.load import CRITICS
    from navplan.navigation.methods import broken as _methods
    from navplan.scenarios.environments import registry as environments

    unusable, undriven = broken(), broken_drivers()
    drivers = [
        {
            "name": entry.name,
            "slot": "policy" if entry.learned else "controller",
            "learned": entry.learned,
            "paper": None,
            "summary": entry.summary,
        }
        for entry in listed()
        if entry.name not in undriven
    ]
    modules = [
        {"name": name, "slot": kind.slot, "learned": True, "paper": kind.paper, "summary": kind.about}
        for name, kind in ((name, get(name)) for name in names() if name not in unusable)
    ]
    reasons = [("controller", *item) for item in undriven.items()] + [("module", *item) for item in unusable.items()]
    for slot, others in (("critics", CRITICS.broken()), ("method", _methods()), ("environment", environments.broken())):
        reasons += [(slot, *item) for item in others.items()]
    faulty = [{"name": name, "slot": slot, "broken": reason} for slot, name, reason in reasons]
    return drivers + sorted(modules, key=lambda row: (row["slot"], row["name"])) + faulty
