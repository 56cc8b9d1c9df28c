"""Draw the figure of README and start page: what ``make demo`` draws, in few colours.

Run ``python docs/draw_demo.py``.
"""

import tempfile
from pathlib import Path

from PIL import Image

from sklearn_distill.demo import digits_lesson, draw_outcome, run_experiment

FIGURE = Path(__file__).parent / "_static" / "demo.png"


def main() -> None:
    """Run the demo on the digits and keep its figure."""
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / "demo.png"
        draw_outcome(run_experiment(digits_lesson(0), 0), str(drawn))
        with Image.open(drawn) as image:
            image.convert("RGB").quantize(128).save(FIGURE, optimize=True)


if __name__ == "__main__":
    main()
