"""Compiled loops over flat arrays. Modules here import numpy, numba, math and each other, nothing else."""
