"""The looks of all figures: colours, sizes, file formats. The one place that says how navplan's plots are drawn."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from navplan.errors import MissingExtra
from navplan.system.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by colour-blind readers; markers tell curves apart in grey too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D1F")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LOOKS: dict[str, dict[str, Any]] = {
    "policy": {"color": "#999999", "marker": "o"},
    "sorb": {"color": "#E69F00", "marker": "s"},
    "constrained-policy": {"color": "#56B4E9", "marker": "^"},
    "constrained-search": {"color": "#D55E00", "marker": "D"},
    "navplan": {"color": "#0072B2", "marker": "*"},
}
"""Colour and marker of each method."""
_PARTS: dict[str, dict[str, Any]] = {
    "filter": {"markerfacecolor": "white", "linestyle": "--"},
    "synchronised": {"fillstyle": "left", "markerfacecoloralt": "white", "linestyle": ":"},
}
"""What changes where a method drives with a part of navplan's execution."""
_FULL: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.5}
COLUMN, WIDE_COLUMN, PAGE = 3.4, 5.0, 7.0
"""Widths in inches of one column, of one with long names below it, and of a page."""
STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.linewidth": 0.4,
    "grid.color": "#e4e4e4",
    "lines.linewidth": 1.1,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "navplan",
}
# Without dates and versions, so that equal figures give equal files.
_FORMATS: dict[str, dict[str, Any]] = {
    "png": {"dpi": 200, "metadata": {"Software": None}},
    "svg": {"metadata": {"Date": None}},
    "pdf": {"metadata": {"CreationDate": None}},
}


@contextlib.contextmanager
def drawing(what: str) -> Iterator[None]:
    """Matplotlib with navplan's looks; `what` is drawn, for the message.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise MissingExtra(what, "matplotlib", "bench") from error
    with mpl.rc_context(STYLE):
        yield


def look(method: str, **changes: Any) -> dict[str, Any]:
    """Colour and marker of a method; navplan's star is drawn larger and above the others.

    One that drives with a part of navplan's execution, such as ``sorb+filter``, has its own colour and a marker that is not full.
    """
    name, _, part = method.partition("+")
    size = {"markersize": 8.0, "zorder": 5} if name == "navplan" else {"zorder": 3}
    edge = {"markeredgecolor": LOOKS[name]["color"], "markeredgewidth": 0.9, **_PARTS[part]} if part else _FULL
    return {**LOOKS[name], **edge, **size, **changes}


def curve_look(k: int) -> dict[str, Any]:
    """Colour, marker and line of the k-th of many curves; 24 of them differ."""
    return {
        "color": COLOURS[k % 8],
        "marker": MARKERS[k % 8],
        "linestyle": ("-", "--", ":")[k // 8 % 3],
        "markeredgecolor": "white",
        "markeredgewidth": 0.4,
    }


def save_figure(picture: Figure, path: Path, formats: Sequence[str] = tuple(_FORMATS)) -> list[Path]:
    """Write a figure as `path` with each format's ending; the files written.

    Raises:
        FileAccessError: the folder cannot be written.
    """
    written = []
    for suffix in formats:
        target = path.with_suffix(f".{suffix}")
        data = io.BytesIO()
        picture.savefig(data, format=suffix, **_FORMATS[suffix])
        write_atomically(target, partial(_write, data.getvalue()))
        written.append(target)
    return written


def _write(data: bytes, stream: IO[bytes]) -> None:
    stream.write(data)
