"""The kinds of models that a person can add."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier

from model.making.errors import AddError
from model.making.kinds import KINDS
from model.making.kinds.classes import ClassesKind
from model.making.kinds.number import NumberKind
from model.making.kinds.outliers import OutliersKind
from model.making.kinds.output_kind import make_metric
from model.making.options import AddOptions
from model.serving import kinds as serving
from model.serving.kinds.number import NumberModel
from tests.loading import load_as
from tests.model.making.conftest import add_fitted


def options() -> AddOptions:
    return AddOptions((Path("m"),), "m", Path("d"), "size")


def test_every_kind_that_can_be_added_can_be_served() -> None:
    assert set(KINDS) <= set(serving.KINDS)


def test_a_value_may_differ_by_the_usual_size_of_values_and_a_probability_by_its_own() -> None:
    values = np.array([0.0, 1000, -1000])
    assert NumberKind().count_differing(np.array([0.05, 1000.05, -999.8]), values) == 1
    probabilities = np.array([[0.0, 1], [0.5, 0.5]])
    kind = ClassesKind(("a", "b"), True)
    assert kind.count_differing(np.array([[0.0, 1], [0.5, 0.5002]]), probabilities) == 1
    assert kind.count_differing(probabilities, probabilities) == 0


@pytest.mark.parametrize("kind", [NumberKind(), ClassesKind((0, 1), True)])
def test_an_answer_that_is_no_number_differs_from_every_other(
    kind: NumberKind | ClassesKind,
) -> None:
    expected = np.zeros((3, *kind.shape))
    assert kind.count_differing(np.full_like(expected, np.nan), expected) == 3


def test_classes_that_are_named_are_as_many_as_the_model_has() -> None:
    with pytest.raises(AddError, match="--classes names 3, but the model answers 2: 0, 1"):
        ClassesKind((0, 1), True).with_names(("a", "b", "c"))
    with pytest.raises(AddError, match="answers with a number"):
        NumberKind().with_names(("a", "b"))
    named = pd.Series(["b", "a", 1])
    kind = ClassesKind((0, 1), True).with_names(("a", "b"))
    assert kind.read_truth(named, options()).tolist() == [1, 0, 1]


def test_classes_with_blanks_around_them_are_those_of_a_file_without() -> None:
    kind = ClassesKind((" <=50K", " >50K"), True)
    assert kind.read_truth(pd.Series([">50K", "<=50K"]), options()).tolist() == [1, 0]
    with pytest.raises(AddError, match="holds '>50K'"):
        ClassesKind(("yes", "yes "), True).read_truth(pd.Series([">50K"]), options())


def test_an_error_in_a_currency_is_written_as_the_page_writes_its_answers() -> None:
    data = np.random.default_rng(0).uniform(10_000, 90_000, (300, 1))
    asked = replace(options(), target="cena_pln", locale="pl_PL")
    kind = NumberKind()
    output = kind.draft_output(data[:, 0], asked)
    few, every = make_metric("few", "Few", 2891.4), make_metric("every", "Every", 3.27)
    said = kind.describe_facts(few, every, 3, output).replace("\u00a0", " ")
    assert said.endswith("by less than 2 892 zł; with all facts, by less than 3,27 PLN.")


@pytest.mark.parametrize(
    ("target", "error", "text"),
    [
        ("price_eur", 266.154, "€267"),
        ("price_eur", 266.0, "€266"),
        ("hours", 7.2032, "7.204"),
        ("hours", 0.0012341, "0.001235"),
        ("hours", 0.0, "0"),
        ("humidity_pct", 3.2, "4 points"),
    ],
)
def test_no_error_is_stated_too_small(target: str, error: float, text: str) -> None:
    kind, metric = NumberKind(), make_metric("few", "Few", error)
    data = np.random.default_rng(0).uniform(0, 100, 300)
    output = kind.draft_output(data, replace(options(), target=target))
    said = kind.describe_facts(metric, metric, 3, output).replace("\u00a0", " ")
    assert said.endswith(f"by less than {text}; with all facts, by less than {text}.")


def test_an_answer_does_not_leave_its_range_below_0_where_no_row_does(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"size": rng.uniform(0, 1, 600)})
    table["price"] = np.maximum(0, 100 * table["size"] - 40 + rng.normal(0, 3, 600))
    table[:300].to_csv(data := tmp_path / "data.csv", index=False)
    table[300:].to_csv(unseen := tmp_path / "unseen.csv", index=False)
    fitted = LinearRegression().fit(table[:300][["size"]], table[:300]["price"])
    assert fitted.predict(pd.DataFrame({"size": [0.0]}))[0] < -5
    add_fitted(tmp_path, "m", fitted, "--data", data, "--target", "price", "--holdout", unseen)
    model = load_as(NumberModel, tmp_path / "m")
    (answer,) = model.predict([{"size": 0.0}])
    assert answer.interval is not None
    assert answer.interval.low <= answer.value <= answer.interval.high
    below = replace(options(), target="profit")
    assert "min" not in NumberKind().draft_output(np.array([-1.0, 5, 9]), below).keys


def test_reasons_are_those_of_the_class_that_was_named() -> None:
    rows = np.zeros((2, 1), dtype=np.float32)
    answer = np.array([[0.1, 0.7, 0.2]])
    value = ClassesKind(("a", "b", "c"), True).make_value_function(
        lambda rows: np.tile(answer, (2, 1)), answer
    )
    assert value(rows).tolist() == [0.7, 0.7]


def test_probabilities_that_contradict_the_class_that_a_model_names_are_left_out() -> None:
    rows = np.random.default_rng(0).normal(size=(200, 2))
    line = LogisticRegression().fit(rows, rows[:, 0] > 0)
    careful = FixedThresholdClassifier(line, threshold=0.2).fit(rows, rows[:, 0] > 0)
    kind = ClassesKind((False, True), True)
    assert kind.doubt_answers(line, rows) == ""
    assert "of 200 rows its predict names another class" in kind.doubt_answers(careful, rows)
    answers = kind.without_probabilities().predict(careful, rows)
    assert np.asarray(kind.classes)[answers.argmax(axis=1)].tolist() == (
        careful.predict(rows).tolist()
    )


def test_a_class_that_a_model_names_among_equally_likely_ones_is_not_shown_as_another() -> None:
    """As a classifier by SGD does where no class is likely: all are, then."""

    class Undecided:
        def predict(self, rows: Any) -> Any:
            return np.where(np.arange(len(rows)) % 2, "b", "a")

        def predict_proba(self, rows: Any) -> Any:
            return np.full((len(rows), 2), 0.5)

    doubt = ClassesKind(("a", "b"), True).doubt_answers(Undecided(), np.zeros((200, 1)))
    assert doubt.startswith("In 100 of 200 rows its predict names another class")


class Answers:
    """Answers as libraries do that go other ways than scikit-learn."""

    def __init__(self, **methods: Any) -> None:
        self.__dict__.update(methods)


def test_a_single_row_may_get_a_single_number_and_two_classes_one_probability() -> None:
    squeezed = Answers(predict=lambda rows: np.squeeze(rows))
    assert NumberKind().predict(squeezed, np.ones((1, 1))).tolist() == [1]
    second = Answers(predict_proba=lambda rows: np.array([[0.2], [0.9]]))
    both = ClassesKind((0, 1), True).predict(second, np.ones((2, 3)))
    np.testing.assert_allclose(both, [[0.8, 0.2], [0.1, 0.9]])


def test_scores_that_rise_with_how_unusual_a_row_is_are_turned_round_or_refused() -> None:
    rows = np.arange(100.0).reshape(-1, 1)
    rising = Answers(
        predict=lambda rows: (rows[:, 0] > 89).astype(int),
        decision_function=lambda rows: rows[:, 0],
        threshold_=89.0,
        decision_scores_=rows[:, 0],
    )
    kind = OutliersKind()
    assert (kind.predict(rising, rows) < 0).sum() == 10
    assert kind.doubt_answers(rising, rows) == ""
    del rising.__dict__["decision_scores_"]  # as in a class of one's own
    with pytest.raises(AddError, match=r"^In 10 of 100 rows .* do not agree on whether"):
        kind.doubt_answers(rising, rows)


@pytest.mark.parametrize("share", ["auto", 0.1])
def test_scores_of_a_detector_of_scikit_learn_are_below_0_where_it_says_so(share: Any) -> None:
    rows = np.random.default_rng(0).normal(size=(300, 2))
    assert (
        OutliersKind().doubt_answers(
            IsolationForest(n_estimators=20, contamination=share).fit(rows), rows
        )
        == ""
    )


def test_what_a_page_says_of_its_answers_is_written_as_its_other_numbers(root: Path) -> None:
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"size": random.normal(size=2200), "age": random.normal(size=2200)})
    truth = np.where(rows["size"] + random.normal(size=2200) > 0, "large", "small")
    table = rows.assign(group=truth)
    data, held_out = root / "data.csv", root / "unseen.csv"
    table[:1000].to_csv(data, index=False)
    table[1000:].to_csv(held_out, index=False)
    fitted = LogisticRegression().fit(rows[:1000], truth[:1000])
    files = ("--data", data, "--holdout", held_out, "--target", "group")
    add_fitted(root, "groups", fitted, *files, "--locale", "de_DE")
    manifest = json.loads((root / "groups" / "manifest.json").read_text())
    assert re.search(r" \d\d,\d\s?% of 1\.200 rows", manifest["accuracy"])
    assert re.search(r" for \d\d,\d\s?%\.$", manifest["accuracy"])
    assert "On 1.200 rows" in manifest["how"]
