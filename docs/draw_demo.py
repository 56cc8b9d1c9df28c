"""Draw the figure of the README and of the start page: that of ``make demo``, in fewer colours.

Run ``python docs/draw_demo.py``.
"""

import tempfile
from pathlib import Path

from PIL import Image

from sklearn_distill.experiment import digits_data, draw_outcome, run_experiment

FIGURE = Path(__file__).parent / "_static" / "demo.png"


def main() -> None:
    """Run the demo on the digits and save its figure."""
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / "demo.png"
        draw_outcome(run_experiment(digits_data(0), 0), str(drawn))
        with Image.open(drawn) as image:
            image.convert("RGB").quantize(128).save(FIGURE, optimize=True)


if __name__ == "__main__":
    main()
