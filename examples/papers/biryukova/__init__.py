"""Biryukova, "Knowledge distillation on the example of binary classification"."""
