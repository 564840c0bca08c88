"""`navplan planners`: what is registered, what each promises, and which problems each can plan for."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from navplan.planners.base import Planner


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """List the planners; exit status 0."""
    from navplan.planners import get
    from navplan.planners.registry import broken, usable

    kinds, unusable = [get(name) for name in usable()], broken()
    rows = [_describe(kind) for kind in kinds]
    if args.json:
        print(json.dumps([*rows, *({"name": name, "broken": reason} for name, reason in unusable.items())]))
        return 0
    width = max(len(row["name"]) for row in rows)
    for kind, row in zip(kinds, rows, strict=True):
        print(f"{row['name']:<{width}}  {row['guarantee']:<8} {row['about']}")
        print(f"{'':<{width}}           graphs: {row['graphs']}")
        print(f"{'':<{width}}           supports: {_supported(kind)}")
        print(f"{'':<{width}}           options: {', '.join(f'{k}={v}' for k, v in row['options'].items())}")
    for name, reason in unusable.items():
        print(f"{name:<{width}}  broken   {reason}")
    return 0


def _describe(kind: type[Planner]) -> dict[str, Any]:
    options: Any = kind
    return {
        "name": kind.name,
        "guarantee": kind.guarantee,
        "max_agents": kind.max_agents,
        "graphs": kind.graphs,
        "about": kind.about,
        "any_clearance": kind.any_clearance,
        "keeps_budget": kind.keeps_budget,
        "stepwise": kind.stepwise,
        "kernels": list(kind.kernels),
        "parts": [part.name for part in kind.parts],
        "options": {field.name: field.default for field in dataclasses.fields(options)},
    }


def _supported(kind: type[Planner]) -> str:
    """The class variables that `Planner.supports` asks, in words."""
    from navplan.plan.problem import GRID_CLEARANCE

    words = ["any number of agents" if kind.max_agents is None else f"{kind.max_agents} agent"]
    words.append("any clearance" if kind.any_clearance else f"clearance 0, on grids up to {GRID_CLEARANCE:.2f}")
    if kind.keeps_budget:
        words.append("risk budgets")
    if kind.stepwise:
        words.append("lifelong runs step by step")
    return "; ".join(words)
