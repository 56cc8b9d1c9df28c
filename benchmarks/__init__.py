"""Our estimators against what a user would write instead: ``make bench``."""
