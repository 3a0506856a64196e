"""Calibrates the probabilities of classes by temperature scaling.

A classifier is often overconfident. Dividing the logarithms of its probabilities by one number that
was fitted on held-out rows, and normalising again, corrects most of that and never changes which
class comes first (Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks",
ICML 2017).
"""

import numpy as np

from model.contract.arrays import Float64Array

_MIN_PROBABILITY = 1e-12
"""Smaller probabilities count as this one, because the logarithm of 0 is no number."""


def apply_temperature(probabilities: Float64Array, temperature: float | None) -> Float64Array:
    """Rescale probabilities by a temperature.

    Args:
        probabilities: shape (rows, classes), each row adding up to 1.
        temperature: above 1 makes them less certain, below 1 more certain; None changes nothing.

    Returns:
        Shape (rows, classes), each row adding up to 1, its classes in the same order of size.
    """
    if temperature is None:
        return probabilities
    logits = np.log(np.maximum(probabilities, _MIN_PROBABILITY)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scaled: Float64Array = powers / powers.sum(axis=1, keepdims=True)
    return scaled
