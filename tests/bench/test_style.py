from __future__ import annotations

import sys
from pathlib import Path

import pytest

from navplan.bench.style import LOOKS, STYLE, curve_look, drawing, look, save_figure
from navplan.errors import MissingExtra
from navplan.navigation.methods import METHODS


def test_every_method_and_every_curve_can_be_told_apart() -> None:
    assert set(LOOKS) == {method for method in METHODS if "+" not in method}
    looks = {tuple(str(look(method).get(key)) for key in ("color", "marker", "linestyle")) for method in METHODS}
    assert len(looks) == len(METHODS)
    curves = [tuple(curve_look(k).values()) for k in range(25)]
    assert len(set(curves)) == 24
    assert curves[24] == curves[0]


def test_equal_figures_are_equal_files(tmp_path: Path) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    before = dict(mpl.rcParams)
    written = []
    for name in ("a", "b"):
        with drawing("figures"):
            assert mpl.rcParams["svg.hashsalt"] == STYLE["svg.hashsalt"]
            picture = Figure(figsize=(2, 1))
            picture.subplots().plot([0, 1], **curve_look(0))
            written.append(save_figure(picture, tmp_path / name))
    assert dict(mpl.rcParams) == before
    assert [path.name for path in written[0]] == ["a.png", "a.svg", "a.pdf"]
    assert [path.read_bytes() for path in written[0]] == [path.read_bytes() for path in written[1]]
    assert [path.name for path in save_figure(picture, tmp_path / "c", ("pdf",))] == ["c.pdf"]


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"figures needs matplotlib: pip install 'navplan\[bench\]'"), drawing("figures"):
        raise AssertionError("it was not said")
