"""Benchmarks of the estimators against what you would write: ``make bench``, ``make bench-quick``."""
