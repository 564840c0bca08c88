from __future__ import annotations

from hypothesis import settings

# Compiled kernels make the first example slow; the shared machine makes any of them slow.
settings.register_profile("navplan", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("navplan")
