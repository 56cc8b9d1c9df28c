"""Measure how far labels stray from the probabilities they were drawn from."""

import numpy as np


def worst_deviation(happened: np.ndarray, probability: np.ndarray, n_bins: int = 10) -> float:
    """Return the largest |z| of the counts in bins of equal size, ordered by probability."""
    order = np.argsort(probability, kind="stable")
    deviations = []
    for rows in np.array_split(order, n_bins):
        p = probability[rows]
        variance = (p * (1 - p)).sum()
        # where p is 0 or 1 in a whole bin, any deviation at all is infinite
        excess = abs((happened[rows] - p).sum())
        deviations.append(excess / np.sqrt(variance) if variance > 0.5 else excess)
    return max(deviations)
