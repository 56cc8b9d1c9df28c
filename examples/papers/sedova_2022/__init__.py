"""Sedova, Gorpinich, Bakhteev and Strijov 2022, "Distillation with the shared latent space"."""
