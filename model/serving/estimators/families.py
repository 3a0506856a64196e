"""Every class that is known here, by its name in the installed scikit-learn."""

from collections.abc import Mapping

from model.serving.estimators import (
    additive,
    bayes,
    boosting,
    clustering,
    compose,
    decomposition,
    encoders,
    ensembles,
    gaussian_processes,
    impute,
    linear,
    neighbors,
    networks,
    preprocessing,
    selection,
    svm,
    text,
    trees,
    wrappers,
)
from model.serving.estimators.attributes import EstimatorSchema

_FAMILIES = (
    additive, bayes, boosting, clustering, compose, decomposition, encoders, ensembles,
    gaussian_processes, impute, linear, neighbors, networks, preprocessing, selection, svm, text,
    trees, wrappers,
)  # fmt: skip

SCHEMAS: Mapping[str, EstimatorSchema] = {
    name: schema for family in _FAMILIES for name, schema in family.SCHEMAS.items()
}

ALIASES = {"Imputer": "SimpleImputer", "RandomizedPCA": "PCA"}
"""Classes that older releases had, and what does the same today."""

PEERS = {
    "imblearn.ensemble._forest.BalancedRandomForestClassifier": "RandomForestClassifier",
    "imblearn.pipeline.Pipeline": "Pipeline",
    "model.serving.libraries.additive.AdditiveClassifier": "AdditiveClassifier",
    "model.serving.libraries.additive.AdditiveRegressor": "AdditiveRegressor",
    "model.serving.network.NetworkClassifier": "NetworkClassifier",
    "model.serving.network.NetworkRegressor": "NetworkRegressor",
    "model.serving.word_numbers.WordNumbers": "WordNumbers",
    **{
        f"{module}.Tokenizer": "WordNumbers"
        for module in (
            "keras.preprocessing.text",
            "keras.src.legacy.preprocessing.text",
            "keras.src.preprocessing.text",
            "keras_preprocessing.text",
            "tensorflow.python.keras.preprocessing.text",
            "tf_keras.src.preprocessing.text",
        )
    },
}
"""Classes of other libraries, by their paths, and those that answer like them."""
