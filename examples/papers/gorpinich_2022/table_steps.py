"""Number of predicted steps: e₁ and e₂ of the proposed method on the synthetic data.

    python -m examples.papers.gorpinich_2022.table_steps --scale small

In each cycle of e₁ + e₂ steps, λ and T are updated with hypergradients in e₁ steps and extrapolated
linearly from these in e₂ steps (Gorpinich, Bakhteev and Strijov 2022). "gradient" computes the
hypergradient in each of the 2000 steps. Each run draws new data, and all rows of a run start from
the same weights, λ and T. The medium and the full scale have 2000 steps, the length of one cycle
with e₁ = 1000, and the medium scale has fewer runs. The small scale has 1200 steps, of which 200
are predicted with e₁ = 1000.

The authors did not project predicted values (λ reached 1.85, and T −0.58); here λ stays in [0, 1]
and T in [0.1, 10].
"""

from functools import lru_cache

from examples.papers.claims import Claim
from examples.papers.gorpinich_2022.synthetic import draw, evaluate, tune
from examples.papers.runs import Experiment, main

EQUAL = [(e, e) for e in (10, 100, 500, 1000)]
LONGER = [(10, e2) for e2 in (20, 40, 90)]
GRADIENT = ("gradient", "every step")
ROWS = {("proposed", f"e1={e1}, e2={e2}"): (e1, e2) for e1, e2 in EQUAL + LONGER}

cached_draw = lru_cache(maxsize=1)(draw)


def compute(row, seed, n_steps, device):
    """Return the measures of a student; a network of three weights stays on the CPU."""
    data = cached_draw(seed)
    if row == GRADIENT:
        return evaluate(tune(data, "gradient", seed, n_steps), data)
    e1, e2 = ROWS[row]
    steps = {"gradient_steps": e1, "predicted_steps": e2}
    return evaluate(tune(data, "linear", seed, n_steps, **steps), data)


EXPERIMENT = Experiment(
    __file__,
    rows=[GRADIENT, *ROWS],
    measures=("accuracy", "imitation", "temperature", "hypergradients"),
    compute=compute,
    scales={"small": 1200, "medium": 2000, "full": 2000},
    n_runs={"small": 3, "medium": 3, "full": 10},
    claims=[Claim(row, GRADIENT, "accuracy") for row in ROWS],
)

if __name__ == "__main__":
    main(EXPERIMENT)
