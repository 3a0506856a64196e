"""Estimators of older releases answer as they did when they were saved."""

import numpy as np
import pytest

from model.contract.pickles import PickleError
from model.serving.estimators import revive
from tests.model.serving.estimators.fixtures import make
from tests.model.serving.estimators.saved import VERSIONS, contents, own_answers, read_saved

REFUSED = {
    "ada_boost": ((0, 22), "0.22 changed"),
    "ada_boost_default": ((1, 6), "SAMME.R|0.22 changed"),
    "lda": ((0, 21), "0.21 changed"),
    "calibrated_svc": ((0, 21), "scores of SVC, which scikit-learn 0.21 changed"),
    "calibrated_boosting": ((1, 4), "which scikit-learn 1.4 changed"),
    "calibrated_pair": ((1, 8), "which scikit-learn 1.8 doubled"),
    "calibrated_votes": ((1, 3), "which scikit-learn 1.3 changed|0.22 changed"),
    "stacked_boosting": ((1, 4), "which scikit-learn 1.4 changed"),
}
"""Kinds that are refused: until which release, and what the refusal names."""

SAME = {"calibrated_svc": (0, 18), "calibrated_pair": (0, 18)}
"""The last release before them that answered as today."""

SCORES = "decision_function"
CHANGED = {
    # kind, method: the first release that answers as today
    ("boosting", SCORES): (1, 4),  # less a constant
    ("ada_boost", SCORES): (1, 3),  # less a constant
    **dict.fromkeys([(kind, SCORES) for kind in ("svc", "svc_probability", "nu_svc")], (0, 21)),
    **dict.fromkeys([(kind, SCORES) for kind in ("text_svc", "one_vs_one")], (0, 21)),
    ("logistic_pair", SCORES): (1, 8),  # half of it
    ("envelope", SCORES): (0, 20),
    ("isolation_forest", SCORES): (0, 22),  # less the threshold
    ("multi_output", "predict_proba"): (0, 20),  # the same numbers in another order
}
"""Scores that nobody is shown, and that are not what they were."""


def release_of(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def check(version: str, kind: str) -> None:
    """An estimator is refused as the table says, or answers as it did."""
    until, reason = REFUSED.get(kind, ((0, 0), ""))
    if SAME.get(kind, (0, 0)) < release_of(version) < until:
        with pytest.raises(PickleError, match=reason):
            revive(read_saved(version, kind))
        return
    estimator = revive(read_saved(version, kind))
    answers = make.answers(estimator, make.KINDS[kind][1](make.FRESH_SEED)[: make.FRESH])
    compared = 0
    for method, found in answers.items():
        expected = own_answers(version).get(f"{kind}.{method}")
        same_since = CHANGED.get((kind, method), (0, 0))
        if expected is None or release_of(version) < same_since:
            continue
        compared += 1
        if expected.dtype.kind == "f":
            expected = expected.reshape(found.shape)
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6, err_msg=method)
        else:
            np.testing.assert_array_equal(found, expected, err_msg=method)
    assert compared, "no answer of then to compare with"


@pytest.mark.parametrize("version", VERSIONS)
def test_answers_as_when_it_was_saved(version: str) -> None:
    problems = {}
    for kind in contents(version).keys() - {"answers"}:
        try:
            check(version, kind)
        except (Exception, pytest.fail.Exception) as error:  # all of them are said at once
            problems[kind] = f"{type(error).__name__}: {error}"
    assert problems == {}
