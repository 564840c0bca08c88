"""Trained critics' calibration and policies' success, as tables."""
