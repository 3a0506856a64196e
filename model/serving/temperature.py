"""Probabilities of classes: calibrated by one temperature.

What a classifier calls probabilities is often too sure of itself. Dividing the logarithms by one
number that was fitted on rows which the model has not seen, and normalising again, mends most of it
and never changes which class comes first (Guo, Pleiss, Sun and Weinberger, "On calibration of
modern neural networks", ICML 2017).
"""

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]

_LEAST = 1e-12
"""Below this a probability counts as this: its logarithm has to be a number."""


def apply_temperature(probabilities: Probabilities, temperature: float | None) -> Probabilities:
    """Probabilities at a temperature.

    Args:
        probabilities: shape (rows, classes), each row adding up to 1.
        temperature: above 1 makes them less sure, below 1 surer; None leaves them as they are.

    Returns:
        The same shape, each row adding up to 1, its classes in the same order of size.
    """
    if temperature is None:
        return probabilities
    logits = np.log(np.maximum(probabilities, _LEAST)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    cooled: Probabilities = powers / powers.sum(axis=1, keepdims=True)
    return cooled
