"""Grabovoy and Strijov 2022, "Probabilistic interpretation of the distillation problem"."""
