"""What a damaged or hostile file asks for is refused before C code, or a name, is reached."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

from model.contract.pickles import PickleError
from model.contract.pickles.records import GlobalName, Record
from model.serving.estimators import UnknownNameError, revive
from tests.model.serving.estimators.saved import find, read_saved

VERSION = "1.5.2"
Damage = Callable[[dict[str, Any]], None]


def put(name: str, value: Any) -> Damage:
    """Replace an attribute."""

    def damage(state: dict[str, Any]) -> None:
        state[name] = value

    return damage


def drop(name: str) -> Damage:
    """Take an attribute away."""

    def damage(state: dict[str, Any]) -> None:
        del state[name]

    return damage


def cell(name: str, place: Any, value: Any, field: str = "") -> Damage:
    """Replace a cell of an array."""

    def damage(state: dict[str, Any]) -> None:
        array = state[name].copy()
        (array[field] if field else array)[place] = value
        state[name] = array

    return damage


def cut(name: str) -> Damage:
    """Take away the last row of an array, or the last item of a list."""

    def damage(state: dict[str, Any]) -> None:
        state[name] = state[name][:-1]

    return damage


def widen(name: str) -> Damage:
    """Give an array a further column."""

    def damage(state: dict[str, Any]) -> None:
        state[name] = np.concatenate([state[name], state[name][..., :1]], axis=-1)

    return damage


def leave_inner(name: str) -> Damage:
    """Make the first leaf of a tree lead on to one side."""

    def damage(state: dict[str, Any]) -> None:
        nodes = state[name].copy()
        nodes["right_child"][np.flatnonzero(nodes["left_child"] == -1)[0]] = len(nodes) - 1
        state[name] = nodes

    return damage


def drop_field(state: dict[str, Any]) -> None:
    """Take a field of today's nodes away."""
    nodes = state["nodes"]
    names = [name for name in nodes.dtype.names if name != "missing_go_to_left"]
    state["nodes"] = nodes[names].copy()


def deepen(state: dict[str, Any]) -> None:
    """Make a tree a chain, each of whose nodes has a leaf on its right."""
    depth = 50_000
    nodes = np.zeros(2 * depth + 1, state["nodes"].dtype)
    nodes["left_child"][:depth] = np.arange(1, depth + 1)
    nodes["right_child"][:depth] = np.arange(depth + 1, 2 * depth + 1)
    nodes["left_child"][depth:] = nodes["right_child"][depth:] = -1
    state["nodes"] = nodes


def meet(state: dict[str, Any]) -> None:
    """Make two branches of a tree meet."""
    nodes = state["nodes"].copy()
    nodes["left_child"][0] = nodes["right_child"][0]
    state["nodes"] = nodes


def saved(kind: str) -> Record:
    """The record of a fitted estimator."""
    record: Record = read_saved(VERSION, kind)
    return record


def unfitted(kind: str) -> Record:
    """The record of an estimator that was never fitted."""
    return Record(saved(kind).path, state={"_sklearn_version": VERSION})


def leave_template(state: dict[str, Any]) -> None:
    """Leave only the estimator that another one was to fit."""
    state.clear()
    state.update(_sklearn_version=VERSION, estimator=unfitted("forest"))


FUNCTION = GlobalName("os.system")
DAMAGED: list[tuple[str, str, Damage, str]] = [
    # trees
    ("tree", "Tree", cell("nodes", 0, 10_000_000, "left_child"), "lead out"),
    ("tree", "Tree", cell("nodes", 0, 0, "left_child"), "lead out"),
    ("tree", "Tree", cell("nodes", 0, -2, "right_child"), "lead out"),
    ("tree", "Tree", cell("nodes", 0, 4, "feature"), "column"),
    ("tree", "Tree", cell("nodes", 0, -1, "feature"), "column"),
    ("tree", "Tree", leave_inner("nodes"), "leaf that has a child"),
    ("tree", "Tree", meet, "meet"),
    ("tree", "Tree", deepen, "far deeper"),
    ("tree", "Tree", cell("values", (0, 0, 0), -1.0), "share below 0"),
    ("tree", "Tree", cut("values"), "does not fit|not complete"),
    ("tree", "Tree", drop_field, "lack a field"),
    ("tree", "Tree", put("nodes", np.zeros(3)), "without nodes"),
    ("tree", "Tree", put("nodes", []), "without nodes"),
    ("tree", "DecisionTreeClassifier", cut("classes_"), "classes"),
    ("forest", "RandomForestClassifier", cut("classes_"), "classes"),
    ("forest", "RandomForestClassifier", put("estimators_", []), "no estimators"),
    ("forest", "RandomForestClassifier", put("n_features_in_", 3), "estimators_"),
    ("isolation_forest", "IsolationForest", put("_max_samples", 0), "no rows"),
    (
        "isolation_forest",
        "IsolationForest",
        put("estimators_features_", [np.arange(4)] * 3 + [np.arange(3)]),
        "columns",
    ),
    # boosting
    ("boosting", "GradientBoostingClassifier", cut("classes_"), "classes"),
    ("boosting", "GradientBoostingClassifier", widen("estimators_"), "trees and classes"),
    ("boosting", "GradientBoostingClassifier", put("loss", "exponential"), "not complete"),
    ("boosting", "DummyClassifier", cut("class_prior_"), "class_prior_"),
    ("boosting_regressor", "GradientBoostingRegressor", widen("estimators_"), "outputs"),
    ("boosting_regressor", "GradientBoostingRegressor", put("loss", "lies"), "loss"),
    ("histogram", "TreePredictor", cell("nodes", 0, 10_000_000, "left"), "lead out"),
    ("histogram", "TreePredictor", cell("nodes", 0, 4, "feature_idx"), "column"),
    ("histogram", "TreePredictor", cell("nodes", 0, 1, "is_categorical"), "categor"),
    ("histogram", "HistGradientBoostingClassifier", put("_baseline_prediction", 1.0), "baseline"),
    ("histogram_choices", "_BinMapper", put("is_categorical_", np.zeros(4, "u1")), "category"),
    (
        "histogram_choices",
        "_BinMapper",
        put("bin_thresholds_", [np.array([300.0])] * 4),
        "below 256",
    ),
    ("histogram_choices", "TreePredictor", cell("nodes", 0, 99, "bitset_idx"), "set of categories"),
    ("histogram_choices", "OrdinalEncoder", cut("categories_"), "categor"),
    # numbers that are none
    ("linear", "LinearRegression", cell("coef_", 0, np.nan), "not finite"),
    ("linear", "LinearRegression", put("intercept_", np.inf), "intercept_"),
    ("logistic_three", "LogisticRegression", cell("coef_", (0, 1), np.inf), "not finite"),
    ("tree", "Tree", cell("values", (0, 0, 0), np.nan), "not finite"),
    ("histogram", "TreePredictor", cell("nodes", slice(None), np.nan, "value"), "no numbers"),
    ("svc", "SVC", cell("_dual_coef_", (0, 0), np.nan), "not finite"),
    ("network", "MLPClassifier", put("intercepts_", [np.full(5, np.inf)]), "not finite"),
    ("k_means", "KMeans", cell("cluster_centers_", (0, 0), np.nan), "not finite"),
    ("gaussian_bayes", "GaussianNB", cell("var_", (0, 0), 0.0), "variance"),
    ("pipeline", "StandardScaler", cell("scale_", 0, 0.0), "divides by 0"),
    ("logistic", "LogisticRegression", put("classes_", np.array([np.nan, 1.0])), "missing"),
    # support vectors
    ("svc", "SVC", cell("_n_support", 0, 2**31 - 1), "support vectors"),
    ("svc", "SVC", cell("_n_support", slice(0, 2), [-5, 40]), "below 0|do not fit"),
    ("svc", "SVC", cut("_n_support"), "support vectors"),
    ("svc", "SVC", cut("_dual_coef_"), "coefficients"),
    ("svc", "SVC", cut("_intercept_"), "intercepts"),
    ("svc", "SVC", cut("support_vectors_"), "_n_support|does not fit|do not fit"),
    ("svc", "SVC", widen("support_vectors_"), "support_vectors_"),
    ("svc", "SVC", put("_probA", np.zeros(2)), "probabilities"),
    ("svc", "SVC", put("_gamma", -1.0), "_gamma"),
    ("svc", "SVC", put("kernel", "precomputed"), "kernel"),
    ("svc", "SVC", put("kernel", FUNCTION), "kernel"),
    ("text_svc", "csr_matrix", cell("indices", 0, 10_000_000), "does not fit"),
    ("text_svc", "csr_matrix", cell("indptr", 1, -3), "does not fit"),
    # neighbors
    ("neighbors", "KNeighborsClassifier", cell("_y", 0, 3), "none of its classes"),
    ("neighbors", "KNeighborsClassifier", cell("_y", 0, -1), "none of its classes"),
    ("neighbors", "KNeighborsClassifier", put("n_neighbors", 41), "more rows"),
    ("neighbors", "KNeighborsClassifier", put("leaf_size", 0), "leaf_size"),
    ("neighbors", "KNeighborsClassifier", put("effective_metric_", "pyfunc"), "metric|distance"),
    ("neighbors", "KNeighborsClassifier", put("weights", FUNCTION), "weights"),
    ("neighbors", "KNeighborsClassifier", put("metric", FUNCTION), "metric"),
    ("neighbors_regressor", "KNeighborsRegressor", cut("_y"), "_y"),
    ("outlier_factor", "LocalOutlierFactor", cut("_lrd"), "_lrd"),
    # text
    ("count_vectorizer", "CountVectorizer", put("input", "filename"), "input"),
    ("count_vectorizer", "CountVectorizer", put("input", "file"), "input"),
    ("count_vectorizer", "CountVectorizer", put("token_pattern", "(a+)+$"), "token_pattern"),
    *[
        ("count_vectorizer", "CountVectorizer", put("token_pattern", pattern), "token_pattern")
        for pattern in (
            "a*a*b",
            "(?:a|a)*",
            r"\w+-",
            "[",
            r"\w{9999}",
            "a?" * 9 + "b",
            r"\1",
            "",
            3,
        )
    ],
    ("count_vectorizer", "CountVectorizer", put("tokenizer", FUNCTION), "needs os.system"),
    ("count_vectorizer", "CountVectorizer", put("analyzer", FUNCTION), "needs os.system"),
    ("count_vectorizer", "CountVectorizer", put("ngram_range", (1, 10**9)), "ngram_range"),
    ("count_vectorizer", "CountVectorizer", put("vocabulary_", {"a": 0, "b": 2}), "vocabulary_"),
    ("count_vectorizer", "CountVectorizer", put("vocabulary_", {"a": 0, "b": 0}), "vocabulary_"),
    ("count_vectorizer", "CountVectorizer", put("encoding", "unicode_escape"), "encoding"),
    ("tfidf", "TfidfTransformer", cut("idf_"), "idf_"),
    ("hashing", "HashingVectorizer", put("n_features", 2**31), "n_features"),
    # functions and sizes
    ("function", "FunctionTransformer", put("func", FUNCTION), "os.system"),
    ("function", "FunctionTransformer", put("func", GlobalName("numpy.load")), "numpy.load"),
    ("function", "FunctionTransformer", put("kw_args", {"where": False}), "kw_args"),
    ("polynomial", "PolynomialFeatures", put("degree", 10**6), "degree"),
    ("polynomial", "PolynomialFeatures", put("n_features_in_", 1_000_000), "columns"),
    ("spline", "BSpline", cut("c"), "not complete"),
    ("nmf", "NMF", put("max_iter", 10**12), "max_iter"),
    ("topics", "LatentDirichletAllocation", put("max_doc_update_iter", 10**9), "max_doc"),
    # labels and places
    ("logistic_three", "LogisticRegression", cut("classes_"), "classes"),
    ("linear", "LinearRegression", cut("coef_"), "coef_"),
    ("one_hot_drop", "OneHotEncoder", put("drop_idx_", np.array([9, 0], object)), "drop_idx_"),
    (
        "one_hot_rare",
        "OneHotEncoder",
        put("_infrequent_indices", [np.array([9]), None]),
        "_infrequent_indices",
    ),
    ("bins", "OneHotEncoder", put("categories_", [np.arange(2.0)] * 4), "bins"),
    ("bins", "OneHotEncoder", put("categories_", [np.array([2.0, 0, 1])] * 4), "categories_"),
    ("ordinal", "OrdinalEncoder", put("categories_", [np.array(["a", "a"], "O")] * 2), "categor"),
    (
        "one_hot_rare",
        "OneHotEncoder",
        put("_default_to_infrequent_mappings", [np.array([3, 3, 3, 3])] * 2),
        "group that is not there",
    ),
    ("labels_binarizer", "MultiLabelBinarizer", put("classes_", np.array(["a"] * 4)), "twice"),
    ("indicator", "MissingIndicator", put("features_", np.array([0, 9])), "features_"),
    ("imputer_neighbors", "KNNImputer", cut("_mask_fit_X"), "_mask_fit_X"),
    (
        "bagging_regressor",
        "BaggingRegressor",
        put("estimators_features_", [[9, 1]] * 3),
        "features",
    ),
    ("columns_indexed", "ColumnTransformer", put("n_features_in_", 1), "transformers_|n_features"),
    ("k_means", "KMeans", put("cluster_centers_", np.zeros(3)), "cluster_centers_"),
    ("bisecting", "_BisectingTree", put("center", np.zeros(3)), "_bisecting_tree"),
    ("mixture", "GaussianMixture", put("covariance_type", "diag"), "precisions"),
    ("network", "MLPClassifier", cut("coefs_"), "layers"),
    ("network", "MLPClassifier", put("activation", "__class__"), "activation"),
    ("chain", "RegressorChain", put("order_", np.array([0, 0])), "order"),
    (
        "stacking",
        "StackingClassifier",
        put("stack_method_", ["__del__", "predict"]),
        "stack_method_",
    ),
    (
        "select_from_model",
        "SelectFromModel",
        put("importance_getter", "__init__.__globals__"),
        "importance_getter",
    ),
    ("ridge", "Ridge", put("_sklearn_version", "9.0.0"), "newer"),
    ("pipeline", "Pipeline", put("steps", [("a", 3)]), "steps"),
    *[
        (kind, name, drop(attribute), attribute)
        for kind, name, attribute in (
            ("pipeline", "Pipeline", "steps"),
            ("union", "FeatureUnion", "transformer_list"),
            ("columns", "ColumnTransformer", "transformers_"),
            ("voting", "VotingClassifier", "estimators_"),
            ("stacking", "StackingClassifier", "estimators_"),
            ("sparse_coder", "SparseCoder", "dictionary"),
        )
    ],
    ("search", "GridSearchCV", drop("best_estimator_"), "never fitted"),
    ("select_from_model", "SelectFromModel", dict.clear, "SelectFromModel was never fitted"),
    (
        "select_from_model",
        "SelectFromModel",
        leave_template,
        "SelectFromModel was never fitted",
    ),
    ("pipeline", "StandardScaler", dict.clear, "never fitted"),
    ("pipeline", "Pipeline", lambda state: state["steps"].reverse(), "transforms nothing"),
    ("pipeline", "StandardScaler", drop("mean_"), "has no mean_"),
    ("text_classifier", "CountVectorizer", put("vocabulary_", {"red": 0}), "steps that do not fit"),
    ("union", "StandardScaler", drop("scale_"), "has no scale_"),
    ("stacking", "LogisticRegression", widen("coef_"), "fit"),
    ("linear_pair", "LinearRegression", cut("intercept_"), "intercept"),
    ("sgd_regressor", "SGDRegressor", put("intercept_", np.zeros(2)), "intercepts"),
    ("boosting", "GradientBoostingClassifier", put("learning_rate", 10**400), "learning_rate"),
    ("logistic", "LogisticRegression", cut("classes_"), "single class"),
    ("boosting", "GradientBoostingClassifier", put("classes_", np.zeros(1)), "single class"),
    ("histogram", "HistGradientBoostingClassifier", put("classes_", np.zeros(1)), "single class"),
    (
        "gaussian_process_classes",
        "GaussianProcessClassifier",
        put("classes_", np.zeros(1)),
        "single class",
    ),
    ("lda", "LinearDiscriminantAnalysis", drop("xbar_"), "no scales"),
    ("bagging", "BaggingClassifier", cut("classes_"), "other classes"),
    ("gaussian_process", "GaussianProcessRegressor", put("_y_train_mean", np.zeros(3)), "y_train"),
    ("calibrated", "_CalibratedClassifier", cut("classes"), "classes"),
    ("calibrated", "CalibratedClassifierCV", cut("classes_"), "classes"),
    ("voting", "LabelEncoder", cut("classes_"), "classes and parts"),
    ("network", "LabelBinarizer", put("y_type_", "binary"), "fit"),
    ("chain", "RegressorChain", lambda state: state["estimators_"].reverse(), "do not fit"),
    ("multi_output", "MultiOutputClassifier", put("estimators_", []), "no estimators|never fitted"),
    ("one_hot", "OneHotEncoder", put("categories_", [np.empty(0, "O")] * 2), "categories_"),
    ("isomap", "Isomap", cut("embedding_"), "does not fit|do not fit"),
    ("isomap", "NearestNeighbors", cut("_fit_X"), "do not fit"),
    ("count_sketch", "PolynomialCountSketch", cell("indexHash_", 0, 6), "out of its columns"),
    ("count_sketch", "PolynomialCountSketch", put("n_components", 10**9), "n_components"),
    ("pooled", "FeatureAgglomeration", put("pooling_func", FUNCTION), "pooling_func"),
    ("pooled", "FeatureAgglomeration", cell("labels_", 0, 3), "pools"),
    ("labels_propagated", "LabelPropagation", cut("label_distributions_"), "distributions_"),
    ("labels_spread", "LabelSpreading", put("kernel", FUNCTION), "kernel"),
    ("sparse_coder", "SparseCoder", put("transform_max_iter", 10**9), "transform_max_iter"),
    ("chi_sampler", "AdditiveChi2Sampler", put("sample_steps", 7), "no sample_interval"),
    ("sparse_coder", "SparseCoder", put("n_features_in_", 3), "another number of columns"),
    ("pipeline", "Pipeline", put("steps", [("a", GlobalName("posix.system"))]), "steps"),
    # steps and columns
    *[
        ("pipeline", "Pipeline", put("steps", steps), "steps")
        for steps in ([], "ab", [("a", "passthrough", 1)], [(1, "passthrough")], [["a"]])
    ],
    ("union", "FeatureUnion", put("transformer_list", []), "transformer_list"),
    ("union", "FeatureUnion", put("transformer_weights", {1: 2.0}), "transformer_weights"),
    ("union", "FeatureUnion", put("transformer_weights", [1.0]), "transformer_weights"),
    *[
        (
            "columns_indexed",
            "ColumnTransformer",
            put("transformers_", [("a", "drop", columns)]),
            "transformers_",
        )
        for columns in ([4], [-5], 4, [0.5], [True], [True] * 5, slice(None, None, 0), slice(0.5))
    ],
    ("columns_indexed", "ColumnTransformer", put("transformers_", [("a", "drop")]), "transformers"),
    *[
        (
            "columns_indexed",
            "ColumnTransformer",
            put("transformers_", [("a", "drop", columns)]),
            "chooses columns by name, and has no names",
        )
        for columns in ("x", ["x"], slice("x", None))
    ],
    (
        "columns_indexed",
        "ColumnTransformer",
        put("transformers_", [("a", "drop", [0]), ("a", "drop", [1])]),
        "two steps of one name",
    ),
    *[
        (
            "columns_indexed",
            "ColumnTransformer",
            put("output_indices_", {"a": slice(*ends)}),
            "gives columns that are not there",
        )
        for ends in ((-1, 2), (3, 2), (0, 100_000_001))
    ],
    *[
        (
            "transformed_target",
            "TransformedTargetRegressor",
            put("_training_dim", dimensions),
            "target of other dimensions",
        )
        for dimensions in (0, 3)
    ],
    # several
    ("forest", "RandomForestClassifier", put("estimators_", [unfitted("tree")]), "never fitted"),
    (
        "forest",
        "RandomForestClassifier",
        put("estimators_", [saved("ridge")]),
        "trees that are none",
    ),
    ("ada_boost", "AdaBoostClassifier", cut("estimator_weights_"), "without a weight"),
    ("voting", "VotingClassifier", put("weights", [1.0]), "weights and votes"),
    ("voting_regressor", "VotingRegressor", cut("estimators_"), "estimators and votes"),
    ("stacking", "StackingClassifier", put("stack_method_", ["predict"]), "estimators and methods"),
    ("stacking", "StackingClassifier", put("passthrough", True), "answers and its last estimator"),
    ("stacking", "StackingClassifier", cut("estimators_"), "estimators and methods"),
    *[
        (
            "boosting_regressor",
            "GradientBoostingRegressor",
            put("estimators_", trees),
            "estimators_",
        )
        for trees in (np.empty((0, 1), object), np.zeros((2, 1)), np.array([None, None]), [[None]])
    ],
    (
        "boosting_regressor",
        "GradientBoostingRegressor",
        put("estimators_", np.array([[saved("ridge")]], object)),
        "estimators_",
    ),
    *[
        ("histogram", "HistGradientBoostingClassifier", put("_predictors", stages), "_predictors")
        for stages in ([], [[1]], [1], [[1], [1, 2]], "ab")
    ],
    (
        "histogram",
        "HistGradientBoostingClassifier",
        put("_baseline_prediction", np.zeros((1, 2))),
        "baseline",
    ),
    # filling in, names
    ("dict_vectorizer", "DictVectorizer", cut("feature_names_"), "columns that do not fit its"),
    ("imputer_iterative", "IterativeImputer", put("n_iter_", 99), "rounds that do not fit"),
    ("imputer_iterative", "IterativeImputer", put("n_iter_", -1), "rounds that do not fit"),
    ("imputer", "SimpleImputer", put("indicator_", None), "has no indicator"),
    ("imputer_words", "SimpleImputer", put("_fit_dtype", np.dtype(float)), "words where numbers"),
    ("svc", "SVC", put("_probA", np.zeros(3)), "half of the probabilities"),
    ("svc", "SVC", cut("support_"), "support_"),
]


@pytest.mark.parametrize(
    ("kind", "name", "attribute", "taken", "refused"),
    [
        ("svc", "SVC", "degree", [0, 100], [-1, 101]),
        ("svc", "SVC", "cache_size", [1, 100_000], [-1, 100_001]),
        ("svc", "SVC", "_gamma", [0.0, 1e300], [-1e-300, np.inf, np.nan]),
        ("nmf", "NMF", "max_iter", [1, 100_000], [0, 100_001]),
        ("topics", "LatentDirichletAllocation", "max_doc_update_iter", [0, 10_000], [-1, 10_001]),
        ("sparse_coder", "SparseCoder", "transform_max_iter", [1, 100_000], [0, 100_001]),
        ("imputer_neighbors", "KNNImputer", "n_neighbors", [1, 100_000], [0, 100_001]),
        ("neighbors", "KNeighborsClassifier", "n_neighbors", [1, 40], [0, 41, 100_001]),
        ("neighbors", "KNeighborsClassifier", "leaf_size", [1, 1_000_000], [0, 1_000_001]),
        ("density", "KernelDensity", "leaf_size", [1, 1_000_000], [0, 1_000_001]),
        ("polynomial", "PolynomialFeatures", "degree", [0, 20], [-1, 21]),
        ("hashing", "HashingVectorizer", "n_features", [1, 2**22], [0, 2**22 + 1]),
        ("count_vectorizer", "CountVectorizer", "ngram_range", [(1, 1), (10, 10)],
         [(0, 1), (10, 11), (2, 1), (1,), 1]),
        ("kernel_pca", "KernelPCA", "degree", [0, 100], [-1, 101]),
        ("transformed_target", "TransformedTargetRegressor", "_training_dim", [1, 2], [0, 3]),
        ("columns_indexed", "ColumnTransformer", "output_indices_",
         [{"a": slice(0, 0)}, {"a": slice(0, 10**8)}], [{"a": slice(1, 0)}]),
        ("ridge", "Ridge", "n_features_in_", [4], [5, -1, 1_000_001]),
    ],
)  # fmt: skip
def test_what_is_as_large_as_may_be_is_read(
    kind: str, name: str, attribute: str, taken: list[Any], refused: list[Any]
) -> None:
    for value in (*taken, *refused):
        root = read_saved(VERSION, kind)
        put(attribute, value)(find(root, name).state)  # type: ignore[arg-type]
        is_taken = any(value is each for each in taken)
        with nullcontext() if is_taken else pytest.raises(PickleError):
            revive(root)


@pytest.mark.parametrize(("kind", "name", "damage", "reason"), DAMAGED)
def test_damage_is_refused(kind: str, name: str, damage: Damage, reason: str) -> None:
    root = read_saved(VERSION, kind)
    state = find(root, name).state
    assert isinstance(state, dict)
    damage(state)
    with pytest.raises(PickleError, match=reason) as raised:
        revive(root)
    assert str(raised.value).endswith(".")
    assert len(str(raised.value)) < 1000


def test_an_estimator_that_holds_itself_is_refused() -> None:
    root = read_saved(VERSION, "pipeline")
    root.state["steps"] = [("again", root)]
    with pytest.raises(PickleError, match="holds itself"):
        revive(root)


def test_estimators_nested_too_deep_are_refused() -> None:
    inner = read_saved(VERSION, "ridge")
    for _ in range(50):
        inner = Record("sklearn.pipeline.Pipeline", state={"steps": [("step", inner)]})
    with pytest.raises(PickleError, match="too many"):
        revive(inner)


@pytest.mark.parametrize("path", ["os.system", "sklearn.os.system", "my.Ridge", "sklearn.Memory"])
def test_a_class_that_is_not_known_is_named(path: str) -> None:
    with pytest.raises(UnknownNameError, match=path.replace(".", r"\.")):
        revive(Record(path, state={}))


@pytest.mark.parametrize("value", [None, 3, "text", [], {}, np.zeros(2), GlobalName("a.b")])
def test_what_is_no_estimator_is_refused(value: object) -> None:
    with pytest.raises(PickleError, match="no estimator"):
        revive(value)


def test_attributes_that_are_not_listed_are_left_out() -> None:
    root = read_saved(VERSION, "ridge")
    root.state.update(predict=3, __class__="x", _validate_params=1, sneaky_=np.zeros(3))
    made = revive(root)
    assert made.predict(np.zeros((1, 4))).shape == (1,)
    assert not {"predict", "__class__", "_validate_params", "sneaky_"} & set(vars(made))


def test_what_starts_processes_or_prints_keeps_its_default() -> None:
    forest = read_saved(VERSION, "forest")
    forest.state.update(n_jobs=-1, verbose=100, n_estimators=10**9, warm_start=True)
    made = revive(forest)
    assert (made.n_jobs, made.verbose, made.warm_start) == (None, 0, False)
    assert made.n_estimators == len(made.estimators_) == 4
    pipeline = read_saved(VERSION, "pipeline")
    pipeline.state["memory"] = "/etc"
    assert revive(pipeline).memory is None


def test_what_only_fitting_needs_is_no_reason_to_refuse() -> None:
    search = read_saved(VERSION, "search")
    unknown = Record("my.Own", state={})
    search.state.update(cv=unknown, scoring=unknown, cv_results_=unknown, scorer_=unknown)
    search.state["estimator"] = unknown
    assert revive(search).predict(np.zeros((1, 4))).shape == (1,)


def make(name: str, **state: Any) -> Record:
    """The record of an estimator of 1.5, by its class's name."""
    return Record(f"sklearn.{name}", state={"_sklearn_version": "1.5.2", **state})


def unite(*parts: Any) -> Record:
    return make("FeatureUnion", transformer_list=[(str(at), part) for at, part in enumerate(parts)])


def laugh() -> Record:
    inner = make("Normalizer")
    for _ in range(12):
        inner = unite(*[inner] * 10)
    return inner


def share_array() -> Record:
    """Few bytes that are converted, and kept, a hundred times."""
    means = np.ones(400_000, np.float16)
    scalers = [
        make("StandardScaler", mean_=means, scale_=means, n_features_in_=len(means))
        for _ in range(100)
    ]
    return unite(*scalers)


def share_words() -> Record:
    words = {str(place): place for place in range(20_000)}
    return unite(*[make("CountVectorizer", vocabulary_=words) for _ in range(200)])


def choose_all() -> Record:
    """A step that takes a million columns, a thousand times."""
    steps = [(str(at), "drop", slice(None)) for at in range(1000)]
    return make(
        "ColumnTransformer",
        transformers=steps,
        transformers_=steps,
        n_features_in_=1_000_000,
        sparse_output_=False,
    )


def multiply() -> Record:
    """Columns thirty times as many after each step."""
    unions = [unite(*["passthrough"] * 30) for _ in range(8)]
    return make("Pipeline", steps=[(str(at), union) for at, union in enumerate(unions)])


@pytest.mark.parametrize("build", [laugh, share_array, share_words, choose_all, multiply])
def test_what_holds_little_and_wants_much_is_refused(build: Callable[[], Record]) -> None:
    with pytest.raises(PickleError, match="far more often than a model does"):
        revive(build())


def test_a_part_may_be_used_a_thousand_times_and_four_for_each_part() -> None:
    inner = make("Normalizer")
    most = 1000 + 4 * 2 - 1  # of two parts, of which one holds the other
    assert len(revive(unite(*[inner] * most)).transformer_list) == most
    with pytest.raises(PickleError, match="far more often than a model does"):
        revive(unite(*[inner] * (most + 1)))


def test_steps_side_by_side_take_the_same_columns() -> None:
    def scale(columns: int) -> Record:
        ones = np.ones(columns)
        return make("StandardScaler", mean_=ones, scale_=ones, n_features_in_=columns)

    assert len(revive(unite(scale(2), scale(2), "passthrough", "drop")).transformer_list) == 4
    with pytest.raises(PickleError, match="steps of different numbers of columns"):
        revive(unite(scale(2), scale(3)))


def test_steps_may_multiply_columns_a_million_times() -> None:
    def multiply_by(*factors: int) -> Record:
        unions = [unite(*["passthrough"] * factor) for factor in factors]
        return make("Pipeline", steps=[(str(at), union) for at, union in enumerate(unions)])

    assert len(revive(multiply_by(*[10] * 6)).steps) == 6
    with pytest.raises(PickleError, match="far more often than a model does"):
        revive(multiply_by(*[10] * 6, 2))


def test_hashed_words_fit_the_model_behind_them() -> None:
    model = make("LogisticRegression", classes_=np.arange(2), coef_=np.zeros((1, 16)), intercept_=0)
    steps = [("words", make("HashingVectorizer", n_features=17)), ("model", model)]
    with pytest.raises(PickleError, match="17 and 16"):
        revive(make("Pipeline", steps=steps))


def test_a_model_of_too_many_classes_is_refused() -> None:
    count = 20_000
    coefficients = np.zeros((count, 1))
    model = make(
        "LogisticRegression",
        multi_class="ovr",
        classes_=np.arange(count),
        coef_=coefficients,
        intercept_=coefficients[:, 0],
    )
    with pytest.raises(PickleError, match="too many classes"):
        revive(model)


def test_columns_are_found_by_name_among_many() -> None:
    """Looking each name up in all others would take minutes."""
    names = np.array([f"c{place}" for place in range(50_000)], dtype=object)
    steps = [("a", "passthrough", names.tolist())]
    made = revive(
        make(
            "ColumnTransformer",
            transformers=steps,
            transformers_=steps,
            feature_names_in_=names,
            n_features_in_=len(names),
            sparse_output_=False,
        )
    )
    assert made._transformer_to_input_indices["a"][-1] == len(names) - 1


@pytest.mark.parametrize(
    "pattern",
    [
        r"\b[^\d\W]+\b",
        r"(?u)\b\w\w+\b|!|\?",
        r"[a-zA-Z]{3,20}",
        r"#?\w+",
        r"[\w'-]+",
        r"\S+",
        r"[\u4e00-\u9fff]+",
        None,
    ],
)
def test_a_pattern_that_takes_time_in_proportion_to_the_text_is_read(pattern: str | None) -> None:
    root = read_saved(VERSION, "count_vectorizer")
    root.state["token_pattern"] = pattern
    assert revive(root).token_pattern == pattern
