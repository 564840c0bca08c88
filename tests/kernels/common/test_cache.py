"""The cache of compiled kernels: damaged, full, not writable, another's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

KERNEL = """from navplan.kernels.common.jit import kernel
@kernel
def twice(x):
    return 2 * x
"""
COUNT = "import small; print(small.twice(21), small.twice.loaded)"


@pytest.fixture
def kernels(tmp_path: Path) -> Path:
    """A folder with a module of one kernel, and an empty cache."""
    (tmp_path / "small.py").write_text(KERNEL)
    (tmp_path / "cache").mkdir(mode=0o700)
    return tmp_path


def run(folder: Path, code: str = COUNT) -> tuple[str, str]:
    """What a fresh process prints and complains of."""
    path = os.pathsep.join([str(folder), *sys.path])
    env = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, env=env, check=True)
    assert not (folder / "__pycache__").exists()  # numba's own folder, beside the sources
    return done.stdout, done.stderr


def test_what_one_process_compiles_the_next_one_loads(kernels: Path) -> None:
    assert run(kernels) == ("42 0\n", "")
    assert run(kernels) == ("42 1\n", "")


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "a folder"])
def test_a_damaged_file_is_compiled_again_with_one_line(damage: str, kernels: Path) -> None:
    run(kernels)
    (file,) = (kernels / "cache").rglob("*.kernel")
    text = bytearray(file.read_bytes())
    if damage == "flipped":
        text[-200] ^= 1
    file.unlink()
    if damage == "a folder":
        file.mkdir()
    else:
        file.write_bytes({"cut": text[: len(text) // 2], "empty": b"", "flipped": text}[damage])
    out, complaint = run(kernels)
    assert out == "42 0\n"
    assert len(complaint.splitlines()) <= 2
    assert "damaged" in complaint or "cannot be used" in complaint or "not kept" in complaint or damage == "a folder"
    if damage != "a folder":
        assert run(kernels) == ("42 1\n", "")


FULL = """import builtins, errno
real = builtins.open
def full(file, mode="r", *rest, **options):
    if "w" in mode and ".tmp." in str(file):
        raise OSError(errno.ENOSPC, "No space left on device")
    return real(file, mode, *rest, **options)
builtins.open = full
"""


def test_a_full_disk_costs_compiling_and_one_line(kernels: Path) -> None:
    out, complaint = run(kernels, FULL + COUNT)
    assert (out, complaint) == ("42 0\n", f"navplan: compiled kernels are not kept: {kernels}/cache: No space left on device\n")
    assert not list((kernels / "cache").rglob("*.kernel"))


def test_a_place_that_is_no_folder_is_done_without(kernels: Path) -> None:
    (kernels / "cache").rmdir()
    (kernels / "cache").write_text("")
    out, complaint = run(kernels)
    assert out == "42 0\n"
    assert complaint == f"navplan: compiled kernels are not kept: {kernels}/cache: File exists\n"


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_folder_that_others_can_write_is_not_read(mode: int, kernels: Path) -> None:
    run(kernels)
    (kernels / "cache").chmod(mode)
    out, complaint = run(kernels)
    assert out == "42 0\n"
    assert complaint == (
        f"navplan: compiled kernels are not kept: {kernels}/cache can be written by others, who could change them; "
        f"expected otherwise: chmod go-w {kernels}/cache\n"
    )
    (kernels / "cache").chmod(0o700)
    assert run(kernels) == ("42 1\n", "")


def test_a_folder_below_that_others_can_write_is_not_read(kernels: Path) -> None:
    run(kernels)
    (file,) = (kernels / "cache").rglob("*.kernel")
    file.parent.chmod(0o777)
    out, complaint = run(kernels)
    assert (out, len(complaint.splitlines())) == ("42 0\n", 1)


def test_what_killed_processes_left_is_removed(kernels: Path) -> None:
    run(kernels)
    (kept,) = (kernels / "cache").rglob("*.kernel")
    old, new = kept.with_suffix(".kernel.tmp.0"), kept.with_suffix(".kernel.tmp.1")
    for path in (old, new):
        path.write_bytes(b"")
    os.utime(old, (0, 0))
    kept.unlink()
    assert run(kernels)[0] == "42 0\n"
    assert (old.exists(), new.exists()) == (False, True)
