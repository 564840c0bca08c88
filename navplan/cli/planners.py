"""`navplan planners`: what is registered, and what each promises."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import Any


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """List the planners; exit status 0."""
    from navplan.planners import get, names

    rows = [_describe(get(name)) for name in names()]
    if args.json:
        print(json.dumps(rows))
        return 0
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        print(f"{row['name']:<{width}}  {row['guarantee']:<8} {row['about']}")
        print(f"{'':<{width}}           graphs: {row['graphs']}")
        print(f"{'':<{width}}           options: {', '.join(f'{k}={v}' for k, v in row['options'].items())}")
    return 0


def _describe(kind: Any) -> dict[str, Any]:
    return {
        "name": kind.name,
        "guarantee": kind.guarantee,
        "max_agents": kind.max_agents,
        "graphs": kind.graphs,
        "about": kind.about,
        "options": {field.name: field.default for field in dataclasses.fields(kind)},
    }
