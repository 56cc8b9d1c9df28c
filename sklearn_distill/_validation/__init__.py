"""Validation of parameters and of the arguments of ``fit``.

``labels`` checks y, ``teacher`` the teacher's outputs, and ``targets`` both together. Private names
of scikit-learn are imported only here.
"""
