"""`navplan doctor`: versions, extras, compiled kernels; with `--compile` all planners' kernels are made."""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
from importlib import metadata
from typing import Any

from navplan.cli.extras import EXTRAS
from navplan.cli.options import add_json_option, add_quiet_option
from navplan.system.progress import ProgressDisplay

CORE = ("numpy", "scipy", "numba", "llvmlite", "networkx", "shapely")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--compile", action="store_true", help="compile the kernels of all planners, on all cores")
    add_json_option(parser)
    add_quiet_option(parser)


def run(args: argparse.Namespace) -> int:
    """Say what is there; exit status 0."""
    facts = _facts()
    if args.compile:
        from navplan.planners.compile_all import compile_all

        with ProgressDisplay(quiet=args.quiet) as progress:
            seconds = compile_all(progress=progress)
        facts["kernels"] = _kernels()
        facts["compiled"] = {name: round(each, 2) for name, each in seconds.items()}
    print(json.dumps(facts) if args.json else _text(facts))
    return 0


def _facts() -> dict[str, Any]:
    from navplan.system.cores import cores

    extras: dict[str, dict[str, bool]] = {}
    for module, (package, extra) in EXTRAS.items():
        extras.setdefault(extra, {})[package] = importlib.util.find_spec(module) is not None
    return {
        "navplan": metadata.version("navplan"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": cores(),
        "packages": {name: metadata.version(name) for name in CORE},
        "extras": extras,
        "kernels": _kernels(),
    }


def _kernels() -> dict[str, Any]:
    """Where compiled kernels are kept, how many files and bytes, and the planners whose kernels are all there."""
    from navplan.kernels.common.cache import base_folder, keeps_kernels
    from navplan.kernels.common.sources import is_cached
    from navplan.planners.registry import get, usable
    from navplan.planners.warm_up import kernel_file

    folder = base_folder()
    if folder is None or not keeps_kernels():
        return {"folder": None if folder is None else str(folder), "kept": False, "files": 0, "bytes": 0, "ready": []}
    files = list(folder.rglob("*.kernel"))
    kinds = {name: (get(name), *get(name).parts) for name in usable()}
    ready = [
        name for name, parts in kinds.items() if all(is_cached(kernel_file(each)) for kind in parts for each in kind.kernels)
    ]
    size = sum(file.stat().st_size for file in files)
    return {"folder": str(folder), "kept": True, "files": len(files), "bytes": size, "ready": ready}


def _text(facts: dict[str, Any]) -> str:
    kernels = facts["kernels"]
    lines = [
        f"navplan {facts['navplan']}, Python {facts['python']}, {facts['system']}, {facts['cores']} cores",
        "packages: " + ", ".join(f"{name} {version}" for name, version in facts["packages"].items()),
    ]
    for extra, packages in facts["extras"].items():
        missing = [name for name, there in packages.items() if not there]
        says = "there" if not missing else f"{', '.join(missing)} missing: pip install 'navplan[{extra}]'"
        lines.append(f"extra {extra}: {says}")
    if kernels["kept"]:
        megabytes = kernels["bytes"] / 1e6
        lines.append(f"compiled kernels: {kernels['files']} files, {megabytes:.1f} MB, in {kernels['folder']}")
        lines.append(f"planners with kernels: {', '.join(kernels['ready']) or 'none yet'}")
    else:
        lines.append("compiled kernels: not kept, each process compiles its own")
    if "compiled" in facts:
        lines.append("compiled: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in facts["compiled"].items()))
    return "\n".join(lines)
