"""The compile decorator: a cache folder of our own, keyed by the kernel sources."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import navplan
from navplan.errors import InvalidInput
from navplan.kernels.common import sources
from navplan.planners import get, names
from navplan.planners.warm_up import kernel_file

IMPORTS = {
    "from {p}.deep.low import f": {"deep/low"},
    "from {p}.deep import low": {"deep/low"},
    "from {p}.deep import other as o, low as l": {"deep/low", "deep/other"},
    "from {p}.deep import (\n    low,  # a comment with import other\n)": {"deep/low"},
    "from {p}.deep \\\n    import low": {"deep/low"},
    "import {p}.deep.low": {"deep/low"},
    "import numpy as np, {p}.deep.low as low": {"deep/low"},
    "if True:\n    from {p}.deep import low": {"deep/low"},
    "x = 1; from {p}.deep import low": {"deep/low"},
    "from .deep.low import f": {"deep/low"},
    "from .deep import low": {"deep/low"},
    "from . import flat": {"flat"},
    "from {p}.shown import f": {"deep/low"},
    "import numpy": set(),
}
"""How a module may import another, and which ones it builds on then."""


@pytest.mark.parametrize("package", ["navplan.kernels", "others.fast"])
@pytest.mark.parametrize("statement", IMPORTS)
def test_the_cache_folder_depends_on_every_source_that_a_kernel_is_built_from(
    statement: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Edits of imported modules, however deep, change the folder; edits of others do not."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    home = tmp_path.joinpath(*package.split("."))
    names = ("search", "flat", "deep/low", "deep/lowest", "deep/other")
    (home / "deep").mkdir(parents=True)
    for folder in (home, home.parent, home / "deep", home / "shown"):
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").write_text("")
    for name in names:
        (home / f"{name}.py").write_text("x = 1\n")
    if package == "navplan.kernels":
        monkeypatch.setattr(sources, "__file__", str(home / "deep" / "sources.py"))
        monkeypatch.setattr(sources, "COMPILER", home / "deep" / "jit.py")
        (home / "deep" / "jit.py").write_text("")
    (home / "deep" / "low.py").write_text("from .lowest import x\n")
    (home / "shown" / "__init__.py").write_text("from ..deep.low import f\n")
    search = home / "search.py"
    search.write_text(statement.format(p=package) + "\n")

    def folder() -> Path:
        for known in (sources.digest, sources._read, sources._files, sources._root):
            known.cache_clear()
        return sources.cache_folder(search)

    assert folder().parent == tmp_path / "cache"
    needed = {"search"} | IMPORTS[statement] | ({"deep/lowest"} if "deep/low" in IMPORTS[statement] else set())
    for name in names:
        before = folder()
        (home / f"{name}.py").write_text((home / f"{name}.py").read_text() + "y = 2\n")
        assert (folder() != before) == (name in needed), name


def imported_modules(path: Path, package: Path) -> set[Path]:
    """Files under `package`/kernels that the module at `path` imports, read off its syntax tree."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.module, f"{path.name}: relative imports are not used here"
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        inside = [name.split(".")[1:] for name in names if name.startswith("navplan.kernels")]
        files = [package.joinpath(*parts).with_suffix(".py") for parts in inside]
        assert not inside or any(file.is_file() for file in files), f"{path.name}: {names} holds no kernel module"
        found |= {file for file in files if file.is_file()}
    return found


def test_the_cache_key_sees_what_the_syntax_trees_import() -> None:
    """For every kernel module: all kernel modules that it imports, and those that they import, are in its key."""
    package = Path(navplan.__file__).parent
    modules = [path for path in (package / "kernels").rglob("*.py") if path.name != "__init__.py"]
    assert len(modules) > 30
    for module in modules:
        reached, waiting = set(), [module]
        while waiting:
            path = waiting.pop()
            if path not in reached:
                reached.add(path)
                waiting += imported_modules(path, package)
        assert reached - set(sources.sources(module)) == set(), module.name


def test_every_planner_names_its_kernels() -> None:
    """What it names exists and is compiled by it, so that it is warmed up in time."""
    for name in names():
        assert get(name).kernels
        for module in get(name).kernels:
            assert "@kernel" in kernel_file(module).read_text()
    with pytest.raises(InvalidInput, match=r"navplan\.kernels\.nothing"):
        kernel_file("navplan.kernels.nothing")


def test_kernels_run_as_plain_python_when_asked() -> None:
    code = (
        "from navplan.kernels.common.jit import kernel\nf = kernel(lambda x: x + 1)\n"
        "assert type(f).__name__ == 'function' and f(1) == 2"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"NUMBA_DISABLE_JIT": "1"})


def called_kernels(tree: ast.Module) -> set[tuple[str, str]]:
    """Kernel modules and names that a module imports, or uses through an imported kernel module."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    found = {(str(n.module), alias.name) for n in imports for alias in n.names}
    modules = {a.asname or a.name: f"{n.module}.{a.name}" for n in imports for a in n.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            found.add((modules[node.value.id], node.attr))
    return found


def test_kernels_that_only_kernels_call_say_so() -> None:
    """What Python calls must be a `kernel`; what it does not call compiles faster as `inner`."""
    root = Path(navplan.__file__).parents[1]
    rooms = root / "navplan" / "kernels"
    kernels = {sources._dotted(path): ast.parse(path.read_text()) for path in rooms.rglob("*.py") if path.stem != "jit"}
    declared = {
        (module, node.name): getattr(decorator, "id", "")
        for module, tree in kernels.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if getattr(decorator, "id", "") in ("kernel", "inner")
    }
    called = set()
    for folder in ("navplan", "tests"):
        for source in (root / folder).rglob("*.py"):
            if rooms not in source.parents:
                called |= called_kernels(ast.parse(source.read_text()))
    assert len(declared) > 100
    assert {name for name, decorator in declared.items() if (decorator == "kernel") != (name in called)} == set()
