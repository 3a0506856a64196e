"""Which steps of a scale are likely: a range of ordered classes, as a conformal threshold allows.

From the most probable class the range grows to the more probable of its two neighbours, until it
holds as much probability as held-out rows needed. The true class of a row scores the probability
that the range has when it gets there, and the threshold is a quantile of these scores (split
conformal prediction: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005).
"""

from collections.abc import Sequence

import numpy as np

from model.contract.arrays import Float64Array, IntArray
from model.contract.manifest import OrdinalCalibration, OrdinalGroup
from model.serving.fact_groups import FactGroups


def compute_masses(probabilities: Float64Array) -> Float64Array:
    """Compute how probable the growing range is when it reaches each class.

    Args:
        probabilities: in the order of the scale, shape (rows, classes).

    Returns:
        Shape (rows, classes).
    """
    rows, count = probabilities.shape
    index = np.arange(rows)
    padded = np.pad(probabilities, ((0, 0), (1, 1)), constant_values=-1.0)
    low = probabilities.argmax(axis=1)
    high = low
    mass = probabilities[index, low]
    masses = np.empty_like(probabilities)
    masses[index, low] = mass
    for _ in range(count - 1):
        below, above = padded[index, low], padded[index, high + 2]
        falls = below >= above
        low, high = low - falls, high + ~falls
        mass = mass + np.where(falls, below, above)
        masses[index, np.where(falls, low, high)] = mass
    return masses


def find_ends(masses: Float64Array, thresholds: Float64Array) -> tuple[IntArray, IntArray]:
    """Find the lowest and the highest likely class, both shape (rows,).

    Args:
        masses: see ``compute_masses``, shape (rows, classes).
        thresholds: of the rows, shape (rows,); the most probable class is always likely.
    """
    likely = masses <= np.maximum(thresholds, masses.min(axis=1))[:, None]
    low = likely.argmax(axis=1)
    high = masses.shape[1] - 1 - likely[:, ::-1].argmax(axis=1)
    return low.astype(np.int64), high.astype(np.int64)


class LikelyRanges:
    """The calibrated ranges of one model, by which optional facts are known.

    ``places`` are those of the classes in the model's columns, from the lowest step.
    """

    def __init__(
        self, calibration: OrdinalCalibration, places: Sequence[int], optional: tuple[str, ...]
    ) -> None:
        self._places = list(places)
        self._coverage = calibration.coverage
        self.find_group = FactGroups(calibration.groups, optional).find

    def find_share(self, group: OrdinalGroup) -> float:
        """Find the share of ranges that held, as measured, or the aim where too few rows were."""
        return self._coverage if group.inside is None else group.inside

    def find(
        self, probabilities: Float64Array, groups: Sequence[OrdinalGroup]
    ) -> list[tuple[int, int] | None]:
        """Find the lowest and the highest likely class of each row, by their columns.

        Args:
            probabilities: as the model gives them, uncalibrated, shape (rows, classes).
            groups: of the calibration, one for each row; None comes of one without a threshold.
        """
        thresholds = [group.threshold for group in groups]
        filled = np.array([1.0 if found is None else found for found in thresholds])
        low, high = find_ends(compute_masses(probabilities[:, self._places]), filled)
        return [
            None if threshold is None else (self._places[first], self._places[last])
            for threshold, first, last in zip(thresholds, low.tolist(), high.tolist(), strict=True)
        ]
