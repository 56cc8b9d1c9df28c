"""Link the "?" of an estimator's HTML diagram to its page of the API reference."""


class DocLink:
    """Give scikit-learn's HTML diagrams the address of the page of an estimator.

    All public estimators are named in the package itself, wherever their modules are.
    """

    _doc_link_module = "sklearn_distill"
    _doc_link_template = (
        "https://sklearn-distill.readthedocs.io/en/stable/api/generated/"
        "sklearn_distill.{estimator_name}.html"
    )
