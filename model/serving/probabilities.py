"""Makes probabilities of classes no surer than what held-out rows showed.

A classifier is often overconfident. A temperature, by which the logarithms of its probabilities are
divided, corrects most of that and never changes which class comes first (Guo, Pleiss, Sun and
Weinberger, "On calibration of modern neural networks", ICML 2017). A little of the uniform
distribution before it keeps a 0 from staying one. The same after it keeps every probability below
what so many rows can show: a mistake in none of n rows is likely to be rarer than 1 / (n + 1), not
impossible (Jeffreys' prior: Brown, Cai and DasGupta, "Interval estimation for a binomial
proportion", Statistical Science 2001). Where the probability of one class is the answer, a weight
for each class undoes a fit to other shares of them (Saerens, Latinne and Decaestecker, "Adjusting
the outputs of a classifier to new a priori probabilities", Neural Computation 2002).
"""

import numpy as np

from model.contract.arrays import Float64Array
from model.contract.manifest import ProbabilityCalibration

_MIN_PROBABILITY = 1e-12
"""Smaller probabilities count as this one, because the logarithm of 0 is no number."""

_ROUNDING = 1e-6
"""More than what is lost by adding the votes of hundreds of trees in single precision."""


def apply_calibration(
    probabilities: Float64Array, calibration: ProbabilityCalibration | None
) -> Float64Array:
    """Calibrate probabilities.

    Args:
        probabilities: shape (rows, classes), each row adding up to 1.
        calibration: what held-out rows showed; None changes nothing.

    Returns:
        Shape (rows, classes), each row adding up to 1, its classes in the same order of size unless
        they are weighed, and none above the calibration's ``most``.
    """
    if calibration is None:
        return probabilities
    classes = probabilities.shape[1]
    mixed = mix_uniform(weigh(probabilities, calibration.weights), calibration.uniform)
    powers = np.log(np.maximum(mixed, _MIN_PROBABILITY)) / calibration.temperature
    powers = np.exp(powers - powers.max(axis=1, keepdims=True))
    scaled = powers / powers.sum(axis=1, keepdims=True)
    return mix_uniform(scaled, (1 - calibration.most) * classes / (classes - 1))


def weigh(probabilities: Float64Array, weights: tuple[float, ...]) -> Float64Array:
    """Multiply probabilities, shape (rows, classes), by a weight for each class, if there are."""
    if not weights:
        return probabilities
    weighed = probabilities * np.array(weights)
    shares: Float64Array = weighed / weighed.sum(axis=1, keepdims=True)
    return shares


def settle_ties(probabilities: Float64Array) -> Float64Array:
    """Make the first classes equal where only rounding tells them apart.

    Half of a forest's trees for one class and half for another are a tie, of which scikit-learn
    names the first class. In single precision, as a compiled model adds, either may be larger.

    Args:
        probabilities: shape (rows, classes).

    Returns:
        Shape (rows, classes), each row with the same sum.
    """
    first = probabilities > probabilities.max(axis=1, keepdims=True) - _ROUNDING
    counts = first.sum(axis=1, keepdims=True)
    if (counts <= 1).all():
        return probabilities
    means = np.where(first, probabilities, 0).sum(axis=1, keepdims=True) / np.maximum(counts, 1)
    return np.where(first, means, probabilities)


def mix_uniform(probabilities: Float64Array, share: float) -> Float64Array:
    """Replace a share of probabilities, shape (rows, classes), by the uniform distribution."""
    mixed: Float64Array = (1 - share) * probabilities + share / probabilities.shape[1]
    return mixed
