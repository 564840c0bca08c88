"""Values in messages."""

from __future__ import annotations

_LONGEST = 60


def said(value: object) -> str:
    """`value` as Python writes it, in one line of at most 60 characters.

    Example:
        >>> said([1, 2]), said(10**400)
        ('[1, 2]', 'an integer beyond all use')
    """
    if isinstance(value, int) and abs(value) >= 1 << 200:
        return "an integer beyond all use"
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
