"""The papers' tables and figures, a folder each; :mod:`examples.papers.runs` is their ground."""
