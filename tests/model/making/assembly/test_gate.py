"""A fault is named, a sound model is left in peace; `python -m tests.studies.gate` has more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, QuantileRegressor
from sklearn.preprocessing import StandardScaler

from model import NumberModel, load_model
from model.contract.arrays import FloatArray
from model.making.assembly.checking import check_served
from model.making.assembly.gate import Cause, Finding
from model.making.kinds.class_evidence import accepts_classes, fit_classes
from model.making.kinds.evidence import Fit
from model.making.kinds.number_evidence import explain_nonsense
from model.serving.predictors import InputLayout
from tests.loading import load_as
from tests.studies.gate import Case, Data, check, is_harmful, list_data, list_faults, list_weak
from tests.tools import ROOT

DATA = {data.name: data for data in list_data() if data.name in ("cars", "penguins", "wine")}
MODELS = ("linear", "lda")
every_data = pytest.mark.parametrize("data", DATA.values(), ids=DATA.keys())


@every_data
def test_every_fault_is_named_and_no_sound_model_accused(data: Data) -> None:
    faults = 0
    for case in list_faults(data, MODELS):
        finding = check(case)
        if not case.word:
            assert not finding.is_wrong, (case.fault, finding.text)
        elif is_harmful(case) and not case.fault.startswith(("unit", "places")):
            faults += 1
            assert any(case.word in cause.text for cause in finding.causes), (
                case.fault,
                finding.text,
            )
            assert all(cause.advice for cause in finding.causes)
    assert faults >= 3


@every_data
def test_weak_models_and_quantiles_are_left_in_peace(data: Data) -> None:
    for case in list_weak(data, MODELS):
        finding = check(case)
        assert not finding.is_wrong, (case.model, case.fault, finding.text)
        if case.fault == "weak: noise":
            assert "knows little" in finding.text


def test_a_model_whose_penalty_draws_its_answers_together_is_not_accused() -> None:
    """As an elastic net on the diabetes data, whose columns lie between -0.2 and 0.2."""
    (data,) = (each for each in list_data() if each.name == "diabetes")
    rows = (data.rows - data.rows.mean(axis=0)) / data.rows.std(axis=0) / len(data.rows) ** 0.5
    small = replace(data, rows=rows)
    for penalty in (0.1, 1.0):
        fitted = ElasticNet(penalty).fit(rows, data.target)
        finding = check(Case(small, "elastic net", "", "", fitted.predict))
        assert not finding.is_wrong, finding.text
    scaled = LinearRegression().fit(StandardScaler().fit_transform(rows), data.target)
    finding = check(Case(small, "linear", "", "", scaled.predict))
    assert any("standardised" in cause.text for cause in finding.causes), finding.text


def test_a_model_that_knows_nothing_and_answers_a_logarithm_is_told_so() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(1, 101, 400).astype(float)
    data = Data("ids", rng.normal(size=(400, 2)), truth, False)
    weak = LinearRegression().fit(data.rows, np.log(truth))
    finding = check(Case(data, "linear", "", "", weak.predict))
    assert "it answered the logarithm of the target" in [cause.text for cause in finding.causes]
    low = Case(data, "linear", "", "", lambda rows: np.full(len(rows), 12.0))
    assert "is worse than the same answer for everybody" in check(low).text


def test_a_wrong_form_of_the_inputs_is_named_although_most_classes_are_right() -> None:
    (digits,) = (data for data in list_data() if data.name == "digits")
    half = np.arange(len(digits.rows)) % 2 == 0
    fitted = LogisticRegression(max_iter=300).fit(digits.rows[half] / 16, digits.target[half])
    divided = check(Case(digits, "logistic", "", "", lambda rows: fitted.predict_proba(rows / 16)))
    assert divided.is_sound
    finding = check(Case(digits, "logistic", "", "", fitted.predict_proba))
    assert "its inputs had been divided by 16" in [cause.text for cause in finding.causes]
    assert "The probabilities show it more than the classes: log loss 0.6" in finding.text


def test_a_bundled_model_answers_as_it_should() -> None:
    finding = check_served(load_model(ROOT / "model" / "house_price"))
    assert finding.is_sound


def test_a_model_whose_artifact_has_another_order_than_its_card_is_checked_in_its_own() -> None:
    model = load_as(NumberModel, ROOT / "model" / "house_price")

    class Backwards:
        own = model.predictor

        def predict(self, matrix: FloatArray) -> Any:
            return self.own.predict(np.ascontiguousarray(matrix[:, ::-1]))

    model.predictor = Backwards()
    model.layout = InputLayout(model.card, model.card.names[::-1])
    assert check_served(model).is_sound


def test_of_a_model_without_rows_nothing_can_be_checked() -> None:
    finding = check_served(load_model(ROOT / "model" / "chest_xray"))
    assert finding.text.startswith("Its answers could not be checked: ")
    assert not finding.is_wrong
    assert not finding.is_sound


def test_a_rare_class_that_nearly_every_row_gets_is_refused_and_a_weighted_model_is_not() -> None:
    rng = np.random.default_rng(0)
    target = (rng.random(500) < 0.08).astype(float)
    rows = rng.normal(size=(500, 2))
    data = Data("rare", rows, target, True)
    weighted = LogisticRegression(class_weight="balanced").fit(rows, target)
    assert not check(Case(data, "logistic", "", "", weighted.predict_proba)).is_wrong
    finding = check(Case(data, "rare", "", "", lambda rows: np.tile([0.1, 0.9], (len(rows), 1))))
    assert "It names 1 in 100% of the rows, of which" in finding.text


def test_a_model_that_is_nearly_always_right_is_not_accused_of_its_few_errors() -> None:
    right, wrong = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    truth = np.repeat([0.0, 1.0], [180, 20])
    answers = right[truth.astype(int)] * 0.99 + 0.005
    answers[[0, 190]] = wrong[[0, 1]] * 0.99 + 0.005
    given, perfect = fit_classes(answers, truth), fit_classes(right[truth.astype(int)], truth)
    assert perfect.loss < 0.01 < given.loss < 0.1
    assert not accepts_classes(given, perfect, 0.02, rare=False, moved=False)
    unsure = fit_classes(answers * 0.2 + 0.4, truth)
    assert accepts_classes(unsure, perfect, 0.02, rare=False, moved=False)


def test_names_alone_that_are_right_twice_as_often_as_chance_beat_a_constant() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 400).astype(float)
    named = np.where(rng.random(400) < 0.4, truth, rng.integers(0, 4, 400)).astype(int)
    assert fit_classes(np.eye(4)[named], truth).beats_constant
    assert not fit_classes(np.eye(4)[rng.integers(0, 4, 400)], truth).beats_constant


def test_answers_below_nearly_every_truth_are_refused() -> None:
    truth = np.arange(1.0, 3001.0)
    said = explain_nonsense(np.full(3000, 6.2), truth)
    assert said.startswith("Half of its answers are below 6.2, but 99 of 100 rows have between 15")
    assert explain_nonsense(np.full(3000, 150.0), truth) == ""


def test_answers_near_the_end_of_the_truth_are_no_nonsense() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2000, 3))
    truth = rows[:, 0] + 3 * rng.normal(size=2000)
    highest = QuantileRegressor(quantile=0.99, alpha=0.01).fit(rows, truth)
    assert explain_nonsense(highest.predict(rows), truth) == ""
    rare = np.where(truth > np.quantile(truth, 0.997), 80.0, 0.0)
    answers = LinearRegression().fit(rows, rare).predict(rows)
    assert explain_nonsense(answers, rare) == ""
    assert explain_nonsense(answers + 10, rare).startswith("Half of its answers are above 10")


def test_causes_that_begin_alike_say_it_once() -> None:
    fit = Fit(0.9, 0.9, 0.9, 1.0, 9.0, "R² 0.93")
    causes = [
        Cause(f"it answered {what}", f"--target-inverse {inverse}", "", fit)
        for what, inverse in (("the logarithm", "exp"), ("the logarithm (log1p)", "expm1"))
    ]
    finding = Finding(fit, (*causes,))
    assert "as if it answered the logarithm or the logarithm (log1p): R²" in finding.text
    assert finding.advice == " Write --target-inverse exp, or --target-inverse expm1."
    assert Finding(fit).advice == ""
