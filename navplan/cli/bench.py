"""`navplan bench`: run a benchmark suite and print its figures beside the peer's."""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from navplan.bench import Row


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="the suites").add_argument("--json", action="store_true", help="print one JSON document")
    run_parser = commands.add_parser("run", help="run one suite")
    run_parser.add_argument("suite", metavar="SUITE")
    run_parser.add_argument("--out", type=Path, help="folder for SUITE.json")
    run_parser.add_argument("--quick", action="store_true", help="small sizes, for a first look")
    run_parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """List the suites or run one."""
    from navplan.bench import SUITES, run_suite
    from navplan.files import write_text

    if args.command == "list":
        print(json.dumps(SUITES) if args.json else "\n".join(f"{name:<8} {text}" for name, text in SUITES.items()))
        return 0
    rows = run_suite(args.suite, quick=args.quick)
    document: dict[str, Any] = {"suite": args.suite, "quick": args.quick, "machine": _machine(), "rows": rows}
    if args.out:
        write_text(args.out / f"{args.suite}.json", json.dumps(document, indent=2) + "\n")
    print(json.dumps(document) if args.json else _table(rows))
    return 0


def _machine() -> dict[str, str]:
    from importlib.metadata import version

    packages = {name: version(name) for name in ("navplan", "numpy", "scipy", "numba")}
    return {"python": platform.python_version(), "system": platform.system(), "processor": platform.machine(), **packages}


def _table(rows: list[Row]) -> str:
    cells = [("figure", "value", "peer", "ratio", "note")]
    for row in rows:
        ratio = f"{row['ratio']:.2f}x" if row["ratio"] is not None else "-"
        cells.append((row["name"], f"{row['value']:,.4g} {row['unit']}", row["peer"] or "-", ratio, row["note"]))
    widths = [max(len(line[k]) for line in cells) for k in range(4)]
    return "\n".join("  ".join([*(line[k].ljust(widths[k]) for k in range(4)), line[4]]).rstrip() for line in cells)
