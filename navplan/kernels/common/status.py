"""What a search kernel returns. BUDGET and FULL mean: call again, in the second case with larger arrays.

Tested through tests/kernels/search/test_dijkstra.py.
"""

from __future__ import annotations

FOUND = 0
EXHAUSTED = 1
BUDGET = 2
FULL = 3
