from __future__ import annotations

import json
from pathlib import Path

import pytest

from navplan.cli import main
from navplan.errors import NavplanError
from navplan.kernels.common.jit import PLAIN
from navplan.planners.compile_all import compile_all


def test_it_says_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["packages"].keys() >= {"numpy", "numba"}
    assert facts["extras"]["learned"]["PyTorch"]
    assert main(["doctor"]) == 0
    assert "extra learned: there" in capsys.readouterr().out


@pytest.mark.skipif(PLAIN, reason="nothing is compiled")
def test_kernels_are_compiled_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert compile_all(["dijkstra"]).keys() == {"dijkstra"}
    assert list(tmp_path.rglob("astar.dijkstra_to.*.kernel"))


@pytest.mark.skipif(PLAIN, reason="nothing is compiled")
def test_where_nothing_is_kept_nothing_is_compiled_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    tmp_path.chmod(0o777)
    with pytest.raises(NavplanError, match="cannot be used"):
        compile_all(["dijkstra"])
