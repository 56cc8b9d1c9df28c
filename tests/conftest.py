"""Draw into files, never into windows; the variable is read when matplotlib is first imported."""

import os

os.environ["MPLBACKEND"] = "Agg"
