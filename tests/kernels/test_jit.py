"""The compile decorator: a cache folder of our own, keyed by the kernel sources."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numba.core.config as settings
import pytest

from navplan.kernels import jit


def test_the_users_numba_settings_are_left_alone() -> None:
    before = settings.CACHE_DIR
    jit.kernel(lambda: None)
    assert before == settings.CACHE_DIR


def test_the_cache_folder_depends_on_every_source_that_a_kernel_is_built_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "jit.py"))
    search, queue, heap, other = (tmp_path / f"{name}.py" for name in ("search", "queue", "heap", "other"))
    for path in (tmp_path / "jit.py", heap, other):
        path.write_text("x = 1\n")
    queue.write_text("from navplan.kernels.heap import x\n")
    search.write_text("from navplan.kernels.queue import x\n")

    def folder() -> Path:
        jit.cache_folder.cache_clear()
        found = jit.cache_folder(search)
        jit.cache_folder.cache_clear()
        return found

    first = folder()
    assert first.parent == tmp_path / "cache"
    other.write_text("x = 2\n")
    assert folder() == first
    for built_from in (heap, queue, search, tmp_path / "jit.py"):
        before = folder()
        built_from.write_text(built_from.read_text() + "y = 2\n")
        assert folder() != before


def test_kernels_run_as_plain_python_when_asked() -> None:
    code = (
        "from navplan.kernels.jit import kernel\nf = kernel(lambda x: x + 1)\nassert type(f).__name__ == 'function' and f(1) == 2"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"NUMBA_DISABLE_JIT": "1"})


def called_kernels(tree: ast.Module) -> set[tuple[str, str]]:
    """Kernel modules and names that a module imports, or uses through an imported kernel module."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    found = {(str(n.module).removeprefix("navplan.kernels."), alias.name) for n in imports for alias in n.names}
    modules = {a.asname or a.name: a.name for n in imports if n.module == "navplan.kernels" for a in n.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            found.add((modules[node.value.id], node.attr))
    return found


def test_kernels_that_only_kernels_call_say_so() -> None:
    """What Python calls must be a `kernel`; what it does not call compiles faster as `inner`."""
    root = Path(jit.__file__).parents[2]
    kernels = {path.stem: ast.parse(path.read_text()) for path in Path(jit.__file__).parent.glob("*.py") if path.stem != "jit"}
    declared = {
        (module, node.name): getattr(decorator, "id", "")
        for module, tree in kernels.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
    }
    called = set()
    for folder in ("navplan", "tests"):
        for source in (root / folder).rglob("*.py"):
            if source.parent != Path(jit.__file__).parent:
                called |= called_kernels(ast.parse(source.read_text()))
    assert len(declared) > 100
    assert {name for name, decorator in declared.items() if (decorator == "kernel") != (name in called)} == set()
