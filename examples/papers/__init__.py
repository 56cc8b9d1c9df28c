"""Tables and figures of the papers, one folder each, built on :mod:`examples.papers.runs`."""
