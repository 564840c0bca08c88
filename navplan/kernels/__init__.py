"""Compiled loops over flat arrays. Modules here import numpy, math and each other; the compiler is imported when it is needed."""
