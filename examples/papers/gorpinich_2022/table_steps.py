"""How many steps may be predicted: e₁ and e₂ of the proposed method on the synthetic set.

    python -m examples.papers.gorpinich_2022.table_steps --scale small

Of each cycle of e₁ + e₂ steps, e₁ compute a hypergradient and e₂ go on along the lines through
them (Gorpinich, Bakhteev and Strijov 2022). "gradient" computes it in all of the 2000 steps. Each
run draws the set anew, and all rows of a run start from the same weights, λ and T. The medium scale
and the full one take the 2000 steps, of which e₁ = 1000 needs all, and the medium one makes fewer
runs. The small one takes 1200 steps, of which e₁ = 1000 predicts 200.

The authors did not project predicted values (λ reached 1.85, T −0.58); here λ stays in [0, 1] and T
in [0.1, 10].
"""

from functools import lru_cache

from examples.papers.claims import Claim
from examples.papers.gorpinich_2022.synthetic import draw, figures_of, tuned
from examples.papers.runs import Experiment, main

EQUAL = [(e, e) for e in (10, 100, 500, 1000)]
LONGER = [(10, e2) for e2 in (20, 40, 90)]
GRADIENT = ("gradient", "every step")
ROWS = {("proposed", f"e1={e1}, e2={e2}"): (e1, e2) for e1, e2 in EQUAL + LONGER}

drawn = lru_cache(maxsize=1)(draw)


def compute(row, seed, n_steps, device):
    """Return what a student reaches; a network of three weights stays on the CPU."""
    task = drawn(seed)
    if row == GRADIENT:
        return figures_of(tuned(task, "gradient", seed, n_steps), task)
    e1, e2 = ROWS[row]
    steps = {"gradient_steps": e1, "predicted_steps": e2}
    return figures_of(tuned(task, "linear", seed, n_steps, **steps), task)


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
