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


def test_the_cache_folder_depends_on_every_kernel_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "jit.py"))
    (tmp_path / "heap.py").write_text("x = 1\n")
    jit.cache_folder.cache_clear()
    first = jit.cache_folder()
    (tmp_path / "heap.py").write_text("x = 2\n")
    jit.cache_folder.cache_clear()
    second = jit.cache_folder()
    jit.cache_folder.cache_clear()
    assert first != second
    assert first.parent == second.parent == tmp_path / "cache"


def test_kernels_run_as_plain_python_when_asked() -> None:
    code = (
        "from navplan.kernels.jit import kernel\nf = kernel(lambda x: x + 1)\nassert type(f).__name__ == 'function' and f(1) == 2"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"NUMBA_DISABLE_JIT": "1"})
