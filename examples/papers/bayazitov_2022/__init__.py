"""Bayazitov 2022, "Distillation on multi-domain data"."""
