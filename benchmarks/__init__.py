"""Benchmarks of the estimators against what you would write instead: ``make bench``."""
