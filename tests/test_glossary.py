"""The glossary names each thing once, in a room that is there, and quotes what the code says."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|")
][2:]


def test_every_term_stands_once_in_a_room_of_the_package() -> None:
    assert len(ROWS) > 30
    assert {len(row) for row in ROWS} == {3}
    terms = [term for row in ROWS for term in row[0].split(", ")]
    assert len(set(terms)) == len(terms)
    rooms = {row[2].strip("`") for row in ROWS}
    assert [room for room in sorted(rooms) if not (ROOT / "navplan" / room / "__init__.py").is_file()] == []


def test_quoted_terms_are_words_of_their_rooms() -> None:
    for term, _, room in ROWS:
        sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "navplan" / room.strip("`")).rglob("*.py"))
        for word in re.findall(r"`(\w+)`", term):
            assert re.search(rf"\b{word}\b", sources), f"{word} in {room}"
