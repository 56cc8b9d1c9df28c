"""Meta-estimators that fit a teacher and a student, or generations of one student."""

from sklearn_distill.distillers.born_again_classifier import BornAgainClassifier
from sklearn_distill.distillers.teacher_student_classifier import TeacherStudentClassifier
from sklearn_distill.distillers.teacher_student_regressor import TeacherStudentRegressor

__all__ = ["BornAgainClassifier", "TeacherStudentClassifier", "TeacherStudentRegressor"]
