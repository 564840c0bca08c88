"""The compile decorator: a cache folder of our own, keyed by the kernel sources."""

from __future__ import annotations

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
