"""Boosting libraries behind one protocol, a file each."""
