"""Gorpinich, Bakhteev and Strijov 2022, "Gradient-based metaparameter optimisation"."""
