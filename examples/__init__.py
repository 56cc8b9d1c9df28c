"""The gallery, and the papers' tables."""
