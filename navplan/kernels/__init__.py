"""Compiled loops over flat arrays. Modules here import numpy, numba, math and each other, nothing else."""

from navplan.system.signals import whole

# That takes a second, and cannot be done again in a process where Ctrl-C has stopped it half-way.
with whole():
    import numba  # noqa: F401
