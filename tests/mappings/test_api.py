"""Those of scikit-learn's checks that give no rows, where rows have to be images."""

import pytest
from sklearn.utils import estimator_checks as checks

from sklearn_distill import RandomConvolution, StyleTransfer, TwoDecoderVAE


@pytest.mark.parametrize("kind", [RandomConvolution, StyleTransfer, TwoDecoderVAE])
@pytest.mark.parametrize(
    "check",
    [
        checks.check_parameters_default_constructible,
        checks.check_no_attributes_set_in_init,
        checks.check_estimator_cloneable,
        checks.check_estimator_repr,
        checks.check_valid_tag_types,
        checks.check_mixin_order,
        checks.check_get_params_invariance,
        checks.check_set_params,
        checks.check_param_validation,
    ],
)
def test_scikit_learn_checks_that_need_no_rows(kind, check):
    check(kind.__name__, kind())
