"""What every distilling estimator must satisfy, beyond scikit-learn's ``check_estimator``.

Libraries in this field have trained students without their teacher unnoticed; these checks notice.
"""

from sklearn_distill.checks.distiller import check_distiller, parametrize_with_distiller_checks

__all__ = ["check_distiller", "parametrize_with_distiller_checks"]
