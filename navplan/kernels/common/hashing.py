"""Where a key belongs in a hash table whose size is a power of two.

Tested through tests/planners/cbs/test_cbs.py and tests/planners/risk/test_risk.py.
"""

from __future__ import annotations

from navplan.kernels.common.jit import inner


@inner
def home(key, mask):
    """Slot of a key that is not negative (Knuth's multiplicative hash, within 63 bits so that nothing overflows).

    Args:
        key: int64.
        mask: table size minus 1.
    """
    folded = (key & 0x7FFFFFFF) ^ (key >> 31)
    return ((folded & 0x7FFFFFFF) * 2654435761 >> 15) & mask
