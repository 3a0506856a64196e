"""Naive Bayes."""

from model.serving.estimators.attributes import Attributes, EstimatorSchema, State
from model.serving.estimators.checks import require
from model.serving.estimators.kinds import renamed

_COUNTED: Attributes = {
    "classes_": "label[classes]",
    "class_log_prior_": "float[classes]",
    "feature_log_prob_": "float[classes, features] | float[1, features]",
    "class_count_": "float[classes]",
}


def _check_variances(state: State) -> None:
    """Check that no column was the same in each row: the probabilities divide by its variance."""
    require(bool((state.values["var_"] > 0).all()), state, "has a variance that is not above 0")


def _count_categories(state: State) -> None:
    """Compute how many categories each column has."""
    import numpy as np

    tables = state.values["feature_log_prob_"]
    state.values["n_categories_"] = np.array([table.shape[1] for table in tables])


SCHEMAS = {
    "BernoulliNB": EstimatorSchema(
        "naive_bayes",
        {**_COUNTED, "feature_count_": "float[classes, features]"},  # which its converter reads
        {"binarize": "float | none"},
    ),
    "CategoricalNB": EstimatorSchema(
        "naive_bayes",
        {**_COUNTED, "feature_log_prob_": "list[features] of float[classes, *]"},
        complete=(_count_categories,),
    ),
    "ComplementNB": EstimatorSchema("naive_bayes", {**_COUNTED, "feature_all_": "float[features]"}),
    "GaussianNB": EstimatorSchema(
        "naive_bayes",
        {
            "classes_": "label[classes]",
            "theta_": "finite[classes, features]",
            "var_": "finite[classes, features]",
            "class_prior_": "float[classes]",
        },
        migrate=(renamed(sigma_="var_"),),  # 1.0
        complete=(_check_variances,),
    ),
    "MultinomialNB": EstimatorSchema(
        "naive_bayes", {**_COUNTED, "feature_count_": "float[classes, features]"}
    ),
}
