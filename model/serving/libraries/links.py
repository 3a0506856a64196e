"""The functions of additive models: of their columns, and the inverse links of their sums."""

from collections.abc import Callable, Mapping

import numpy as np

from model.contract.arrays import Float64Array


def _softmax(sums: Float64Array) -> Float64Array:
    powers = np.exp(sums - sums.max(axis=1, keepdims=True))
    shares: Float64Array = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _logistic(sums: Float64Array) -> Float64Array:
    shares: Float64Array = 0.5 * (1 + np.tanh(0.5 * sums))  # which does not overflow
    return shares


def _normal(sums: Float64Array) -> Float64Array:
    from scipy.special import ndtr

    shares: Float64Array = ndtr(sums)
    return shares


INVERSE_LINKS: Mapping[str, Callable[[Float64Array], Float64Array]] = {
    "identity": lambda sums: sums,
    "exp": np.exp,
    "logistic": _logistic,
    "softmax": _softmax,
    "normal": _normal,
    "square": lambda sums: sums * sums,
    "signed square": lambda sums: np.sign(sums) * sums * sums,
    "reciprocal": lambda sums: 1 / sums,
    "reciprocal root": lambda sums: 1 / np.sqrt(sums),
    "log1p exp": lambda sums: np.logaddexp(0, sums),
    "complementary log-log": lambda sums: -np.expm1(-np.exp(sums)),
    "log-log": lambda sums: np.exp(-np.exp(-sums)),
    "step": lambda sums: (sums > 0).astype(float),
}
"""Each takes and gives an array of shape (rows, outputs)."""

FUNCTIONS: Mapping[str, Callable[[Float64Array], Float64Array]] = {
    "identity": lambda values: values,
    "not": lambda values: 1 - values,
    "log": np.log,
    "log1p": np.log1p,
    "log10": np.log10,
    "log2": np.log2,
    "exp": np.exp,
    "sqrt": np.sqrt,
}
"""Of a column, before it is multiplied; each takes and gives an array of any shape."""
