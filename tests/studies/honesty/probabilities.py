"""Probabilities: their log loss on fresh rows, and how right the surest ones are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from model.contract.arrays import BoolArray, Float64Array, IntArray
from model.making.kinds.classification_metrics import fit_calibration
from model.serving.probabilities import apply_calibration
from tests.studies.honesty.data import Pair, iterate_classes

SIZES = (60, 150, 500)
_HOLDOUTS = 12
_DRAWS = 300
_LEAST_FRESH = 100
_SURE = 0.99
_ENOUGH_SURE = 200
_SURE_ENOUGH_RIGHT = 0.975


class Outcome(NamedTuple):
    """What the holdouts of one size showed for one pair.

    `change` is the mean change of the log loss on fresh rows against the model as it is, in nats;
    `right` the share of right ones among fresh rows shown over 99 %, NaN where these are few;
    `surest` the largest probability of a wrong class less what the rows allow; `excess` by how much
    the mean probability shown is above the share that was right.
    """

    change: float
    right: float
    surest: float
    excess: float


def _log_loss(answers: Float64Array, truth: Float64Array) -> float:
    return float(-np.log(np.maximum(answers[np.arange(len(truth)), truth], 1e-15)).mean())


def _measure(pair: Pair, size: int, wholly_right: bool) -> Outcome | None:
    rng = np.random.default_rng(0)
    predicted = pair.answers.argmax(axis=1)
    right = predicted == pair.truth
    if len(right) < size + _LEAST_FRESH:
        return None
    changes, rights, surest, excess = [], [], [], []
    for _ in range(_HOLDOUTS):
        held = _draw(rng, right, size, wholly_right)
        if held is None:
            break
        fresh = np.delete(np.arange(len(pair.truth)), held)
        calibration = fit_calibration(pair.answers[held], pair.truth[held])
        given, truth = pair.answers[fresh], pair.truth[fresh]
        shown = apply_calibration(given, calibration)
        changes.append(_log_loss(shown, truth) - _log_loss(given, truth))
        first, wrong = shown.max(axis=1), shown.argmax(axis=1) != truth
        excess.append(first.mean() - (~wrong).mean())
        surest.append(first[wrong].max(initial=0) - (size + 0.5) / (size + 1))
        if (first > _SURE).sum() >= _ENOUGH_SURE:
            rights.append(1 - wrong[first > _SURE].mean())
    if not changes:
        return None
    return Outcome(
        float(np.mean(changes)),
        float(np.mean(rights)) if rights else float("nan"),
        float(max(surest)),
        float(np.mean(excess)),
    )


def _draw(
    rng: np.random.Generator, right: BoolArray, size: int, wholly_right: bool
) -> IntArray | None:
    """Draw a holdout; where it shall be classified wholly right, one in some hundreds that is."""
    for _ in range(_DRAWS if wholly_right else 1):
        held = rng.choice(len(right), size, replace=False)
        if not wholly_right or right[held].all():
            return held
    return None


def main() -> None:
    """Print a row for each size of the holdout, drawn at random and classified wholly right."""
    pairs = list(iterate_classes())
    print(
        f"\nProbabilities: {len(pairs)} pairs of data and model, {_HOLDOUTS} holdouts of each size"
    )
    print(
        "held-out rows          | pairs | change of log loss, worst pair | shown over 99 %: pairs, "
        f"least right, below {_SURE_ENOUGH_RIGHT:.1%} | wrong above what rows allow | "
        "too sure by, worst twentieth of the pairs"
    )
    for wholly_right in (False, True):
        for size in SIZES:
            found = [(pair, _measure(pair, size, wholly_right)) for pair in pairs]
            rows = [row for _, row in found if row is not None]
            right = np.array([row.right for row in rows])
            right = right[~np.isnan(right)]
            if not rows:
                continue
            worst = max((row.change, f"{p.data}, {p.model}") for p, row in found if row)
            print(
                f"{size:4} {'all of them right' if wholly_right else 'at random':17} | "
                f"{len(rows):5} | {np.mean([row.change for row in rows]):+6.3f}, {worst[0]:+.4f} "
                f"({worst[1]}) | "
                f"{len(right)}, {min(right, default=1):.1%}, {(right < _SURE_ENOUGH_RIGHT).sum()}"
                f" | {max(row.surest for row in rows):+.4f}"
                f" | {np.quantile([row.excess for row in rows], 0.95):.3f}"
            )
