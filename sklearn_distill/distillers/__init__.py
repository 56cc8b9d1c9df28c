"""Meta-estimators that own teacher and student."""

from sklearn_distill.distillers.teacher_student_classifier import TeacherStudentClassifier
from sklearn_distill.distillers.teacher_student_regressor import TeacherStudentRegressor

__all__ = ["TeacherStudentClassifier", "TeacherStudentRegressor"]
