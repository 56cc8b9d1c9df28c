"""Teachers' predictions: out-of-fold predictions and combinations of several teachers."""

from sklearn_distill.teachers.combine import combine_teachers
from sklearn_distill.teachers.latent_aligner import LatentAligner
from sklearn_distill.teachers.learned_weights import learn_teacher_weights
from sklearn_distill.teachers.out_of_fold import out_of_fold_prediction, out_of_fold_proba

__all__ = [
    "LatentAligner",
    "combine_teachers",
    "learn_teacher_weights",
    "out_of_fold_prediction",
    "out_of_fold_proba",
]
