"""Read and check what ``fit`` is given; the only home of private scikit-learn imports."""
