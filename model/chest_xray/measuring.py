"""How good predicted logits are: figures from pictures that no network had seen."""

from __future__ import annotations

import numpy as np

from model.contract.arrays import BoolArray, Float64Array


def compute_metrics(logit: Float64Array, sick: BoolArray) -> dict[str, float]:
    """Return AUC, accuracy and calibration of logits, at the threshold of logit 0.

    Args:
        logit: calibrated logits of pneumonia, [N].
        sick: whether each picture shows pneumonia, [N].
    """
    probability = 1 / (1 + np.exp(-logit))
    predicted = logit > 0
    sensitivity, specificity = float(predicted[sick].mean()), float((~predicted[~sick]).mean())
    return {
        "auc": compute_auc(logit, sick),
        "accuracy": float((predicted == sick).mean()),
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "brier": float(np.square(probability - sick).mean()),
        "ece": compute_calibration_error(probability, sick),
    }


def compute_auc(score: Float64Array, sick: BoolArray) -> float:
    """Return the area under the ROC curve, the share of pairs in the right order; ties count half.

    Args:
        score: higher for pneumonia, [N].
        sick: whether each picture shows pneumonia, [N].
    """
    ordered = np.sort(score[~sick])
    below = np.searchsorted(ordered, score[sick], "left")
    not_above = np.searchsorted(ordered, score[sick], "right")
    return float((below + not_above).mean() / (2 * len(ordered)))


def compute_calibration_error(probability: Float64Array, sick: BoolArray, bins: int = 10) -> float:
    """Return the mean gap between stated probability and observed share, weighted by count.

    Expected calibration error over equal bins (Guo et al., "On calibration of modern neural
    networks", ICML 2017).

    Args:
        probability: of pneumonia, 0 to 1, [N].
        sick: whether each picture shows pneumonia, [N].
        bins: how many bins divide 0 to 1.
    """
    index = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [
        abs(probability[index == b].mean() - sick[index == b].mean()) * np.mean(index == b)
        for b in range(bins)
        if np.any(index == b)
    ]
    return float(sum(gaps))
