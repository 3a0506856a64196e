"""How often the gate names a fault rightly: ``python -m tests.studies.gate``, some minutes.

Data sets that come with scikit-learn, and seeded ones; models of many families. Each fault that
people make is put on a sound model. Weak, quantile and ordinary models are asked as well, which
nobody may accuse. Rules and thresholds are tuned here, never on what the app is judged by.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_linnerud,
    load_wine,
    make_classification,
    make_friedman1,
    make_friedman2,
    make_friedman3,
    make_regression,
)
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, QuantileRegressor
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeRegressor

from model.contract.arrays import Float64Array, IntArray
from model.making.assembly.gate import Finding, Subject, check_answers
from model.making.kinds.classes import ClassesKind
from model.making.kinds.number import NumberKind
from model.making.kinds.output_kind import OutputKind
from tests.models import passengers, penguins
from tests.shapes import cars, crops


class Divider:
    """Divides all columns by the largest value of all, as people do with shades."""

    def fit(self, rows: Float64Array) -> Divider:
        """Find the value in rows of shape (rows, columns)."""
        self.largest = float(np.abs(rows).max())
        return self

    def transform(self, rows: Float64Array) -> Float64Array:
        """Divide rows of shape (rows, columns)."""
        return rows / self.largest


SCALINGS: dict[str, Callable[[], Any]] = {
    "standardised": StandardScaler,
    "min-max": MinMaxScaler,
    "robust": RobustScaler,
    "divided": Divider,
}


@dataclass(frozen=True)
class Data:
    """Rows of numbers, shape (rows, columns), and their target, shape (rows,)."""

    name: str
    rows: Float64Array
    target: Float64Array
    classes: bool


def list_data() -> Iterator[Data]:
    """Data sets of both kinds, some with columns of very different sizes."""
    rng = np.random.default_rng(0)
    yield Data("diabetes", *_raw_diabetes(), False)
    wine = load_wine()
    yield Data("wine alcohol", wine.data[:, 1:], wine.data[:, 0], False)
    cancer = load_breast_cancer()
    yield Data("cancer area", np.delete(cancer.data[:, :10], 3, axis=1), cancer.data[:, 3], False)
    yield Data("cancer smoothness", cancer.data[:, :4], cancer.data[:, 4] * 1000, False)
    iris = load_iris()
    yield Data("petal width", iris.data[:, :3], iris.data[:, 3] + 0.01, False)
    for name, make in (("friedman 1", make_friedman1), ("friedman 2", make_friedman2)):
        rows, target = make(600, noise=1.0, random_state=1)
        yield Data(
            name, rows * [1, 10, 100, 1, 1000, *[1] * 5][: rows.shape[1]], target + 30, False
        )
    rows, target = make_friedman3(600, noise=0.05, random_state=1)
    yield Data("friedman 3", rows, target + 1, False)
    rows, target = make_regression(600, 6, noise=20, random_state=2)
    sizes = np.array([1, 5, 20, 300, 0.1, 2])
    yield Data("regression", rows * sizes + 10 * sizes, target + 400, False)
    table = cars(600)
    yield Data(
        "cars", table[["km", "age", "engine cc"]].to_numpy(float), table["price"].to_numpy(), False
    )
    table = penguins(500).dropna()
    numbers = table.columns[2:5]
    yield Data("bill", table[numbers[1:]].to_numpy(float), table[numbers[0]].to_numpy(), False)
    skewed = np.exp(rng.normal(3, 1, (500, 3)))
    target = np.exp(
        0.5 * np.log(skewed[:, 0]) + 0.3 * np.log(skewed[:, 1]) + rng.normal(6, 0.3, 500)
    )
    yield Data("long tail", skewed, target, False)
    for name, load in (("iris", load_iris), ("wine", load_wine), ("cancer", load_breast_cancer)):
        found = load()
        yield Data(name, found.data, found.target, True)
    digits = load_digits()
    yield Data("digits", digits.data[:600], digits.target[:600], True)
    table = crops(600)
    codes = table["crop"].astype("category").cat.codes.to_numpy()
    yield Data("crops", table.drop(columns="crop").to_numpy(float), codes, True)
    table = penguins(500, 4).dropna()
    codes = table["species"].astype("category").cat.codes.to_numpy()
    yield Data("penguins", table[numbers].to_numpy(float), codes, True)
    table = passengers(700).dropna()
    columns = ["Pclass", "Age", "Fare", "adultMale"]
    yield Data("passengers", table[columns].to_numpy(float), table["Survived"].to_numpy(), True)
    for seed in (5, 6):
        rows, codes = make_classification(
            600, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=seed
        )
        yield Data(f"classification {seed}", rows * sizes + 3 * sizes, codes, True)
    rows, both = load_linnerud(return_X_y=True)
    yield Data("linnerud", rows, both[:, 0], False)


def _raw_diabetes() -> tuple[Float64Array, Float64Array]:
    rows, target = load_diabetes(return_X_y=True, scaled=False)
    return rows, target


REGRESSORS: dict[str, Callable[[], Any]] = {
    "linear": LinearRegression,
    "forest": lambda: RandomForestRegressor(20, random_state=0),
    "boosting": lambda: HistGradientBoostingRegressor(max_iter=40),
    "neighbours": lambda: KNeighborsRegressor(7),
    "svm": lambda: SVR(C=100),
}
CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "logistic": lambda: LogisticRegression(max_iter=2000),
    "forest": lambda: RandomForestClassifier(20, random_state=0),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=30),
    "neighbours": lambda: KNeighborsClassifier(7),
    "svm": lambda: SVC(probability=True, random_state=0),
    "bayes": GaussianNB,
    "lda": LinearDiscriminantAnalysis,
    "network": lambda: MLPClassifier((32,), max_iter=300, random_state=0),
}


MODELS = frozenset(REGRESSORS) | frozenset(CLASSIFIERS)


@dataclass(frozen=True)
class Case:
    """A model that answers rows, and the word that the right cause has; "" for a sound one.

    ``right`` answers as it should, where a fault of its inputs was put in.
    """

    data: Data
    model: str
    fault: str
    word: str
    predict: Callable[[Any], Any]
    names: tuple[str, ...] = ()
    rows: Float64Array | None = None
    right: Callable[[Any], Any] | None = None


def check(case: Case) -> Finding:
    """What the gate finds of a case."""
    data = case.data
    kind: OutputKind = NumberKind()
    if data.classes:
        kind = ClassesKind(tuple(range(int(data.target.max()) + 1)), True)
    rows = data.rows if case.rows is None else case.rows

    def answer(index: IntArray, numbers: Float64Array) -> Float64Array:
        return np.asarray(case.predict(numbers), dtype=float)

    labels = [f"column {place}" for place in range(rows.shape[1])]
    subject = Subject(rows, labels, answer, np.ones(len(rows), dtype=bool), places=True)
    return check_answers(subject, kind, np.asarray(data.target, dtype=float), True)


def list_faults(data: Data, models: Collection[str] = MODELS) -> Iterator[Case]:
    """Sound models of a data set, each followed by the same with each fault."""
    half = np.random.default_rng(1).permutation(len(data.rows))[: len(data.rows) * 2 // 3]
    makers = CLASSIFIERS if data.classes else REGRESSORS
    for name, make in makers.items():
        if name not in models:
            continue
        fitted = {"": make().fit(data.rows[half], data.target[half])}
        scalers: dict[str, Any] = {}
        for scaling, scaler in SCALINGS.items():
            scalers[scaling] = scaler().fit(data.rows[half])
            fitted[scaling] = make().fit(
                scalers[scaling].transform(data.rows[half]), data.target[half]
            )
        sound = replace(_case(data, name, "", "", fitted[""]))
        if is_sound_enough(sound):
            yield sound
        for scaling in SCALINGS:
            right = _case(data, name, "", "", fitted[scaling])
            right = replace(right, predict=_after(scalers[scaling], right.predict))
            if is_sound_enough(right):
                yield right
                lost = _case(data, name, f"scaler lost: {scaling}", "inputs", fitted[scaling])
                yield replace(lost, right=right.predict)
        if data.classes:
            if is_sound_enough(sound):
                count = int(data.target.max()) + 1
                order = np.roll(np.arange(count), 1)
                moved = _compose(sound.predict, partial(np.take, indices=order, axis=1))
                yield replace(sound, fault="classes moved", word="classes", predict=moved)
            continue
        if data.target.min() > 0:
            logged = make().fit(data.rows[half], np.log(data.target[half]))
            rooted = make().fit(data.rows[half], np.sqrt(data.target[half]))
            for fault, word, model, back in (
                ("target logged", "logarithm", logged, np.exp),
                ("target rooted", "square root", rooted, np.square),
            ):
                right = _case(data, name, "", "", model)
                predict = right.predict
                right = replace(right, predict=_compose(predict, back))
                if is_sound_enough(right):
                    yield right
                    yield _case(data, name, fault, word, model)
        if is_sound_enough(sound):
            yield from _spoil_columns(data, sound)
            scaler = StandardScaler().fit(data.target[:, None])
            for fault, word, change in (
                ("standardised", "target standardised", _flat(scaler.transform)),
                ("in thousands", "divided by", partial(np.multiply, 1e-3)),
            ):
                predict = _compose(sound.predict, change)
                yield replace(sound, fault=f"target {fault}", word=word, predict=predict)


def _spoil_columns(data: Data, sound: Case) -> Iterator[Case]:
    """The model with one column in another unit, and with two columns in each other's place."""
    errors = []
    for column in range(min(6, data.rows.shape[1])):
        changed = data.rows.copy()
        changed[:, column] = np.median(changed[:, column])
        errors.append(float(np.abs(sound.predict(changed) - sound.predict(data.rows)).mean()))
    first, second = np.argsort(errors)[-2:][::-1]
    for factor in (1000, 2.54):
        spoilt = data.rows.copy()
        spoilt[:, first] /= factor
        yield replace(sound, fault=f"unit: {factor}", word="times as large", rows=spoilt)
    order = list(range(data.rows.shape[1]))
    order[first], order[second] = order[second], order[first]
    yield replace(sound, fault="places swapped", word="changed places", rows=data.rows[:, order])


def _flat(transform: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda answers: transform(answers[:, None]).ravel()


def list_weak(data: Data, models: Collection[str] = MODELS) -> Iterator[Case]:
    """Models that are weak, of a quantile or of next to nothing, and honest."""
    rng = np.random.default_rng(2)
    half = rng.permutation(len(data.rows))[: len(data.rows) * 2 // 3]
    makers = CLASSIFIERS if data.classes else REGRESSORS
    for name, make in makers.items():
        if name not in models:
            continue
        for column in np.argsort(-data.rows.std(axis=0))[:2]:
            part = data.rows[:, [column]]
            model = make().fit(part[half], data.target[half])
            yield _case(data, name, "weak: one column", "", model, rows=part)
        noise = rng.normal(size=(len(data.rows), 4)) * [1, 10, 1000, 0.1]
        yield _case(
            data, name, "weak: noise", "", make().fit(noise[half], data.target[half]), rows=noise
        )
    if data.classes:
        yield _case(
            data, "prior", "weak: constant", "", DummyClassifier().fit(data.rows, data.target)
        )
        return
    yield _case(data, "mean", "weak: constant", "", DummyRegressor().fit(data.rows, data.target))
    for quantile in (0.05, 0.5, 0.9, 0.95):
        scaler = StandardScaler().fit(data.rows)
        line = QuantileRegressor(quantile=quantile, alpha=0).fit(
            scaler.transform(data.rows), data.target
        )
        case = _case(data, "quantile line", f"quantile {quantile}", "", line)
        yield replace(case, predict=_after(scaler, case.predict))
        trees = HistGradientBoostingRegressor(loss="quantile", quantile=quantile, max_iter=60)
        yield _case(
            data, "quantile trees", f"quantile {quantile}", "", trees.fit(data.rows, data.target)
        )
    stump = DecisionTreeRegressor(max_depth=1).fit(data.rows, data.target)
    yield _case(data, "stump", "weak: stump", "", stump)


def _compose(predict: Callable[[Any], Any], after: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda rows: after(predict(rows))


def _after(scaler: Any, predict: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda rows: predict(scaler.transform(rows))


def _case(
    data: Data, name: str, fault: str, word: str, fitted: Any, rows: Float64Array | None = None
) -> Case:
    predict = fitted.predict_proba if data.classes else fitted.predict
    return Case(data, name, fault, word, predict, rows=rows)


def is_sound_enough(case: Case) -> bool:
    """Whether a sound model knows enough that a fault of it can be seen."""
    data = case.data
    index = np.random.default_rng(1).permutation(len(data.rows))[len(data.rows) * 2 // 3 :]
    answers = np.asarray(case.predict(data.rows[index]), dtype=float)
    kind: OutputKind = NumberKind()
    if data.classes:
        kind = ClassesKind(tuple(range(int(data.target.max()) + 1)), True)
        fit = kind.fit(answers, data.target[index])
        return fit.balanced >= 1 / len(kind.classes) + 0.15
    return kind.fit(answers, data.target[index].astype(float)).skill >= 0.3


def is_harmful(case: Case) -> bool:
    """Whether a fault makes the answers clearly worse."""
    data = case.data
    kind: OutputKind = NumberKind()
    rows = data.rows if case.rows is None else case.rows
    answers = np.asarray(case.predict(rows), dtype=float)
    if data.classes:
        kind = ClassesKind(tuple(range(int(data.target.max()) + 1)), True)
        fit = kind.fit(answers, data.target)
        return fit.balanced < 1 / len(kind.classes) + 0.15
    return kind.fit(answers, data.target.astype(float)).skill < 0.1


def spoils_probabilities(case: Case) -> bool:
    """Whether a lost scaler at least doubles the log loss, although the classes may be right."""
    if case.right is None or not case.data.classes:
        return False
    kind = ClassesKind(tuple(range(int(case.data.target.max()) + 1)), True)
    faulty, right = (
        kind.fit(np.asarray(predict(case.data.rows), dtype=float), case.data.target)
        for predict in (case.predict, case.right)
    )
    return right.loss <= faulty.loss / 2


def main(wanted: str = "") -> None:
    """Measure and print the table; ``wanted`` is a part of a data set's name."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    wrong = []
    for data in list_data():
        if wanted not in data.name or len(data.rows) < 30:
            continue
        for case in [*list_faults(data), *list_weak(data)]:
            group = case.fault.split(":")[0] or "healthy"
            if case.word and not is_harmful(case):
                if not spoils_probabilities(case):
                    continue
                group += ", classes mostly right"
            finding = check(case)
            if not case.word:
                verdict = "accused" if finding.is_wrong else "left in peace"
            elif finding.causes:
                named = any(case.word in cause.text for cause in finding.causes)
                verdict = "named rightly" if named else "named wrongly"
            else:
                verdict = "nonsense" if finding.is_wrong else "silent"
            counts[group][verdict] += 1
            if verdict in ("accused", "named wrongly", "silent", "nonsense"):
                what = f"{data.name}, {case.model}, {case.fault or 'healthy'}"
                wrong.append(f"{verdict:14} {what}: {finding.text}")
        print(data.name, *wrong, sep="\n  ", flush=True)
        wrong.clear()
    print(pd.DataFrame(counts).T.fillna(0).astype(int).to_string())


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*sys.argv[1:])
