"""What turns a model's answers back into the unit of the target."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from model.contract.arrays import Float64Array
from model.making.errors import AddError

_LN_10 = float(np.log(10))


@dataclass(frozen=True)
class Inverse:
    """What turns a model's answers back into the target's unit.

    ``function`` is applied to an array of shape (rows,) or (rows, targets), ``wrap`` to a fitted
    model. ``where`` is the part of a file that says so, "" where a person does by the option's
    value ``said``.
    """

    words: str
    function: Callable[[Float64Array], Float64Array]
    wrap: Callable[[Any], Any]
    where: str = ""
    said: str = ""

    def then(self, other: "Inverse") -> "Inverse":
        """This one, and another one of what comes out."""
        return Inverse(
            f"{self.words}, then {other.words.removeprefix('answers ')}",
            lambda answers: other.function(self.function(answers)),
            lambda fitted: other.wrap(self.wrap(fitted)),
            self.where,
            other.said,
        )


def make_inverse(text: str) -> Inverse:
    """Make the inverse of a target's transformation.

    Args:
        text: "exp", "expm1", "exp10", "square", or "scale" and a factor.

    Raises:
        AddError: if it is none of these.
    """
    functions = {
        "exp": (np.log, np.exp),
        "expm1": (np.log1p, np.expm1),
        "square": (np.sqrt, np.square),
    }
    if text in functions:
        forth, back = functions[text]
        return Inverse(
            f"answers turned back by {text}",
            back,
            lambda fitted: _wrap(fitted, FunctionTransformer(forth, back), forth, back),
            said=text,
        )
    if text == "exp10":
        made = _scale(_LN_10).then(make_inverse("exp"))
        return replace(made, words="answers turned back by exp10")
    word, _, factor = text.partition(" ")
    try:
        number = float(factor)
    except ValueError:
        number = 0.0
    if word != "scale" or not np.isfinite(number) or number == 0:
        raise AddError(
            f'--target-inverse {text!r}: write exp, expm1, exp10, square, or "scale 1000".'
        )
    return _scale(number)


def _scale(factor: float) -> Inverse:
    scaler = StandardScaler().fit(np.zeros((1, 1)))
    scaler.scale_ = np.array([factor])
    return invert_scaler(scaler, f"answers times {factor:g}")


def invert_scaler(scaler: Any, words: str) -> Inverse:
    """Make the inverse of a fitted scaler of the target, or of all targets."""

    def invert(answers: Float64Array) -> Float64Array:
        matrix = answers.reshape(-1, scaler.n_features_in_)
        inverted: Float64Array = scaler.inverse_transform(matrix).reshape(answers.shape)
        return inverted

    return Inverse(words, invert, lambda fitted: _wrap(fitted, scaler))


def _wrap(fitted: Any, transformer: Any, func: Any = None, inverse: Any = None) -> Any:
    """A model whose answers are transformed back, as if it had been fitted so."""
    made = TransformedTargetRegressor(
        regressor=fitted,
        transformer=None if func else transformer,
        func=func,
        inverse_func=inverse,
    )
    made.regressor_, made.transformer_, made._training_dim = fitted, transformer, 1
    if hasattr(fitted, "feature_names_in_"):
        made.feature_names_in_ = fitted.feature_names_in_
    return made
