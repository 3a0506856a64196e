"""Results of statsmodels: coefficients and their names, read as data from a pickle."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from model.contract.pickles import PickleError, Record, read_labels
from model.contract.pickles.errors import printable
from model.serving.libraries.categories import make_values, name_columns, put_before
from model.serving.libraries.formulas import parse_term
from model.serving.libraries.trees import make_record, make_state

_LINKS = {
    "OLS": "identity", "WLS": "identity", "GLS": "identity", "GLSAR": "identity",
    "RLM": "identity", "QuantReg": "identity", "Logit": "logistic", "Probit": "normal",
    "MNLogit": "softmax", "Poisson": "exp", "NegativeBinomial": "exp",
    "NegativeBinomialP": "exp", "GeneralizedPoisson": "exp",
}  # fmt: skip
"""What the sums of a model become."""
_GLM_LINKS = {
    "identity": "identity", "log": "exp", "logit": "logistic", "probit": "normal",
    "inversepower": "reciprocal", "inversesquared": "reciprocal root", "sqrt": "square",
    "cloglog": "complementary log-log", "loglog": "log-log",
}  # fmt: skip
"""What undoes a link; older releases write the names otherwise."""
_CLASSES = ("Logit", "Probit", "MNLogit")

A_SERIES = (
    "It goes on with a series of its own, and a form asks for the facts of one row. Fit a "
    "regressor on rows instead, whose columns are earlier values of the series and what is known "
    "of the day, and add that."
)

MakeModel = Callable[[Any, int, Mapping[str, Any]], Record]
"""Makes a model of what is added to each output, the number of columns and the coefficients."""


def read_statsmodels(record: Record) -> Record:
    """Read the results of a linear, generalized linear or discrete model.

    Raises:
        PickleError: if they are of another model, or their formula is not known here.
    """
    state = _state(record)
    inner = state.get("_results", record)
    results = _state(inner)
    model = results.get("model")
    kind = model.name if isinstance(model, Record) else ""
    parts = _state(model)
    link = _find_link(parts) if kind == "GLM" else _LINKS.get(kind)
    params = results.get("params")
    if ".tsa." in record.path or (isinstance(model, Record) and ".tsa." in model.path):
        raise PickleError(A_SERIES)
    if link is None or not isinstance(params, np.ndarray):
        raise PickleError(
            f"It holds results of {printable(kind or record.name)}, which is not known here. OLS, "
            "WLS, GLM, Logit, Probit, MNLogit, Poisson and quantile regression are."
        )
    names = _read_names(parts)
    extra = int(parts.get("k_extra") or 0)
    weights = np.asarray(params, dtype=float)
    weights = weights[: len(weights) - extra]
    weights = weights.reshape(len(weights), -1)
    if kind == "MNLogit":  # the first class has no coefficients
        weights = np.hstack([np.zeros((len(weights), 1)), weights])
    if not np.isfinite(weights).all() or (names is not None and len(names) != len(weights)):
        raise PickleError("It holds coefficients that are not whole.")
    classifies = kind in _CLASSES or (kind == "GLM" and _is_binomial(parts))
    classes = _read_classes(parts) if kind == "MNLogit" else None
    data = _state(parts.get("data"))
    make = partial(_make, link, classifies, classes)
    if names is None or not (parts.get("formula") or data.get("formula")):
        return _make_by_place(weights, names, data.get("const_idx"), make)
    return _make_by_name(names, weights, make)


def _state(value: object) -> Mapping[str, Any]:
    return value.attributes if isinstance(value, Record) else {}


def _find_link(parts: Mapping[str, Any]) -> str | None:
    family = _state(parts.get("family"))
    link = family.get("_link", family.get("link"))
    name = link.name.lower().replace("_", "") if isinstance(link, Record) else ""
    return _GLM_LINKS.get(name)


def _is_binomial(parts: Mapping[str, Any]) -> bool:
    family, truth = parts.get("family"), parts.get("endog")
    shares = isinstance(truth, np.ndarray) and not np.isin(truth, (0, 1)).all()
    return isinstance(family, Record) and family.name == "Binomial" and not shares


def _read_classes(parts: Mapping[str, Any]) -> Any:
    names = parts.get("_ynames_map")
    texts = [str(name) for name in names.values()] if isinstance(names, dict) else []
    if all(_is_number(text) and float(text).is_integer() for text in texts):
        return np.array([int(float(text)) for text in texts])
    return np.array(texts, dtype=object)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_names(parts: Mapping[str, Any]) -> list[str] | None:
    """The names of the design's columns; None where it was an array, or they were removed."""
    table = _state(_state(parts.get("data")).get("orig_exog"))
    manager = table.get("_mgr", table.get("_data"))
    axes: Any = manager.args if isinstance(manager, Record) else ()
    state = manager.state if isinstance(manager, Record) else None
    if isinstance(state, tuple) and state and isinstance(state[0], list):  # of before pandas 1.3
        axes = (None, state[0])
    for part in axes:
        if isinstance(part, list | tuple) and part and isinstance(part[0], Record):
            labels = read_labels(part[0])
            if labels is not None and labels.dtype.kind in "OU":
                return [str(label) for label in labels.tolist()]
    return None


def _make(
    link: str,
    classifies: bool,
    classes: Any,
    base: Any,
    features: int,
    coefficients: Mapping[str, Any],
) -> Record:
    """Make the record of a model without trees."""
    state = make_state([], [], base.tolist(), features)
    state |= {"link_": link, **coefficients}
    return make_record(state, classifies, classes)


def _make_by_place(
    weights: Any, names: list[str] | None, constant: object, make: MakeModel
) -> Record:
    """Make a model of a table's or an array's columns; nobody is asked for the constant."""
    base = np.zeros(weights.shape[1])
    if isinstance(constant, int | np.integer) and 0 <= constant < len(weights):
        base, weights = weights[constant], np.delete(weights, constant, axis=0)
        names = None if names is None else [*names[:constant], *names[constant + 1 :]]
    return make(base, len(weights), {"coefficients_": weights, **name_columns(names)})


def _make_by_name(names: Sequence[str], weights: Any, make: MakeModel) -> Record:
    """Make a model of the formula's columns: levels are encoded first, then terms are added up."""
    terms = [parse_term(name) for name in names]
    base = sum((row for term, row in zip(terms, weights, strict=True) if not term), 0 * weights[0])
    kept = [number for number, term in enumerate(terms) if term]
    factors = [factor for number in kept for factor in terms[number]]
    columns = list(dict.fromkeys(factor.column for factor in factors))
    levels: dict[str, dict[str, None]] = {}
    for factor in factors:
        if factor.level is not None:
            levels.setdefault(factor.column, {})[factor.level] = None
    plain = {factor.column for factor in factors if factor.level is None}
    numbers = [name for name in columns if name in plain]
    encoded: list[tuple[str, str | None]] = [
        (name, level) for name, known in levels.items() for level in known
    ]
    encoded += [(name, None) for name in numbers]
    places = {column: place for place, column in enumerate(encoded)}
    coefficients = {
        "coefficients_": weights[kept],
        "factor_column_": np.array([places[each.column, each.level] for each in factors]),
        "factor_function_": np.array([each.function for each in factors], dtype=object),
        "term_of_": np.repeat(np.arange(len(kept)), [len(terms[number]) for number in kept]),
    }
    if not levels:
        coefficients |= name_columns(columns)
    model = make(np.asarray(base), len(places), coefficients)
    return _encode_levels(model, columns, levels, numbers) if levels else model


def _encode_levels(
    model: Record, columns: list[str], levels: Mapping[str, Iterable[str]], numbers: list[str]
) -> Record:
    """Put a step before a model that tells the levels of its columns apart."""
    steps = []
    for number, (name, known) in enumerate(levels.items()):
        values: list[Any] = list(known)
        if all(map(_is_number, values)):
            values = [float(value) for value in values]
        encoder = {
            "handle_unknown": "ignore",  # the level that has no column of its own
            "sparse_output": False,
            "categories_": [make_values(values)],
            **name_columns([name]),
        }
        made = Record("sklearn.preprocessing._encoders.OneHotEncoder", (), encoder)
        steps.append((f"levels_{number}", made, [columns.index(name)]))
    others = [columns.index(name) for name in numbers]
    return put_before(model, steps, others, name_columns(columns))
