"""The README's library example runs as it stands and ends well."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def test_the_library_example() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.S)
    names: dict[str, object] = {}
    exec(compile(code, str(README), "exec"), names)
    assert names["plan"].status in ("optimal", "bounded")
    assert names["trajectory"].success
    assert len([line for line in code.splitlines() if line]) <= 16


def test_what_it_points_to_is_there() -> None:
    text = README.read_text(encoding="utf-8")
    links = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    assert links
    assert [target for target in links if not (README.parent / target).exists()] == []
