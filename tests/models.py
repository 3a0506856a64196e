"""Models that the repo has never seen, and their data: all made by code, nothing downloaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, make_regression
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.ensemble import HistGradientBoostingRegressor as Boosting
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC


@dataclass(frozen=True)
class Given:
    """What a person has: a model's file, its data, the target, and rows that it has not seen."""

    path: Path
    data: Path
    target: str
    holdout: Path | None = None


def penguins(rows: int = 344, seed: int = 1) -> pd.DataFrame:
    """Rows like the Palmer penguins': three species, text choices, holes in the data."""
    rng = np.random.default_rng(seed)
    species = rng.choice(["Adelie", "Gentoo", "Chinstrap"], rows, p=[0.44, 0.36, 0.2])
    place = pd.Series(species).map({"Adelie": 0, "Chinstrap": 1, "Gentoo": 2}).to_numpy()
    sex = rng.choice(["female", "male"], rows)
    larger = (sex == "male").astype(float)
    island = np.where(
        species == "Gentoo",
        "Biscoe",
        np.where(
            species == "Chinstrap", "Dream", rng.choice(["Torgersen", "Biscoe", "Dream"], rows)
        ),
    )
    table = pd.DataFrame(
        {
            "species": species,
            "island": island,
            "bill length mm": np.round(
                np.array([37.3, 46.6, 45.6])[place] + 3 * larger + rng.normal(0, 1.9, rows), 1
            ),
            "bill_depth_mm": np.round(
                np.array([17.6, 17.6, 14.2])[place] + 1.5 * larger + rng.normal(0, 0.8, rows), 1
            ),
            "flipperLength (mm)": np.round(
                np.array([188, 192, 213])[place] + 6 * larger + rng.normal(0, 5, rows)
            ),
            "Sex (m/f)": sex,
            "sample_id": [f"N{number:04d}" for number in range(rows)],
        }
    ).astype({"Sex (m/f)": object})
    for column, share in (("flipperLength (mm)", 0.03), ("Sex (m/f)", 0.05), ("island", 0.02)):
        table.loc[rng.random(rows) < share, column] = np.nan
    return table


def passengers(rows: int = 700, seed: int = 2) -> pd.DataFrame:
    """Rows like a passenger list's: booleans in three spellings, a class in numbers, a port."""
    rng = np.random.default_rng(seed)
    pclass = rng.choice([1, 2, 3], rows, p=[0.25, 0.2, 0.55])
    adult_male = rng.random(rows) < 0.6
    alone = np.where(rng.random(rows) < 0.6, "yes", "no")
    age = np.round(np.clip(rng.normal(30, 14, rows), 0.4, 80), 1)
    fare = np.round(np.exp(rng.normal(4.4 - 0.9 * pclass, 0.5, rows)), 2)
    logit = 1.6 - 2.6 * adult_male - 0.7 * (pclass - 2) + 0.01 * (30 - age)
    survived = (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(int)
    table = pd.DataFrame(
        {
            "Survived": survived,
            "Pclass": pclass,
            "Age": age,
            "Fare": fare,
            "adultMale": adult_male,
            "alone": alone,
            "is_child": (age < 16).astype(int),
            "Embarked": rng.choice(["S", "C", "Q"], rows, p=[0.7, 0.2, 0.1]),
            "held_out": np.arange(rows) >= rows - 200,
        }
    )
    table.loc[rng.random(rows) < 0.2, "Age"] = np.nan
    return table


def _write(
    folder: Path, model: Any, seen: pd.DataFrame, target: str, *unseen: pd.DataFrame
) -> Given:
    joblib.dump(model, folder / "model.joblib")
    seen.to_csv(folder / "train.csv", index=False)
    holdout = None
    for table in unseen:
        holdout = folder / "holdout.csv"
        table.to_csv(holdout, index=False)
    return Given(folder / "model.joblib", folder / "train.csv", target, holdout)


def penguin_classifier(folder: Path) -> Given:
    """Three classes from text choices and numbers; the pipeline fills in what is missing."""
    table = penguins()
    choices, numbers = ["island", "Sex (m/f)"], table.columns[2:5].tolist()
    prepare = ColumnTransformer(
        [
            (
                "choices",
                make_pipeline(
                    SimpleImputer(strategy="most_frequent"),
                    OneHotEncoder(handle_unknown="ignore"),
                ),
                choices,
            ),
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        ]
    )
    seen, unseen = table[:230], table[230:]
    model = Pipeline([("prepare", prepare), ("line", LogisticRegression(C=50))])
    model.fit(seen[[*numbers, *choices]], seen["species"])
    return _write(folder, model, seen, "species", unseen)


def diabetes_regressor(folder: Path) -> Given:
    """scikit-learn's own diabetes data: ten standardised numbers, no name told by the model."""
    rows, target = load_diabetes(return_X_y=True, as_frame=True)
    table = rows.assign(progression=target)
    seen, unseen = table[:340], table[340:]
    model = make_pipeline(StandardScaler(), RidgeCV())
    model.fit(seen[rows.columns].to_numpy(), seen["progression"])
    return _write(folder, model, seen, "progression", unseen)


def passenger_classifier(folder: Path) -> Given:
    """Two classes, booleans, numbers that are codes, a fact that may be unknown."""
    table = passengers()
    seen = table[~table["held_out"]]
    columns = ["Pclass", "Age", "Fare", "adultMale", "alone", "is_child", "Embarked"]
    prepare = ColumnTransformer(
        [
            ("choices", OneHotEncoder(sparse_output=False), ["Pclass", "alone", "Embarked"]),
            ("rest", "passthrough", ["Age", "Fare", "adultMale", "is_child"]),
        ]
    )
    model = Pipeline([("prepare", prepare), ("trees", HistGradientBoostingClassifier(max_iter=30))])
    model.fit(seen[columns], seen["Survived"])
    return _write(folder, model, table, "Survived")


def wide_regressor(folder: Path) -> Given:
    """Thirty columns, of which eight may be unknown."""
    rows, target = make_regression(500, 30, n_informative=10, noise=5, random_state=3)
    rng = np.random.default_rng(4)
    table = pd.DataFrame(rows, columns=[f"sensor.{number:02d}" for number in range(30)]).round(4)
    for name in table.columns[:8]:
        table.loc[rng.random(500) < 0.02, name] = np.nan
    model = Boosting(max_iter=40).fit(table[:300], target[:300])
    table["reading"] = target
    return _write(folder, model, table[:300], "reading", table[300:])


def label_classifier(folder: Path) -> Given:
    """A LinearSVC: a class, and nothing about how sure it is."""
    table = penguins().dropna()
    numbers = table.columns[2:5].tolist()
    model = LinearSVC().fit(table[numbers], table["species"])
    return _write(folder, model, table, "species")


def odd_pipeline(folder: Path) -> Given:
    """A pipeline with a function in it that has no ONNX form."""
    rng = np.random.default_rng(5)
    table = pd.DataFrame(
        {"area_sqft": rng.integers(300, 4000, 300), "rooms": rng.integers(1, 9, 300)}
    )
    price = np.exp(9 + 0.6 * np.log(table["area_sqft"]) + 0.05 * table["rooms"])
    table["price_usd"] = np.round(price * np.exp(rng.normal(0, 0.25, 300)), 2)
    model = make_pipeline(FunctionTransformer(np.cbrt), LinearRegression())
    model.fit(table[["area_sqft", "rooms"]][:200], table["price_usd"][:200])
    return _write(folder, model, table[:200], "price_usd", table[200:])


def forest_of_codes(folder: Path) -> Given:
    """A forest fitted to an array, whose classes are numbers that stand for names."""
    table = penguins().dropna()
    numbers = table.columns[2:5].tolist()
    codes = table["species"].map({"Adelie": 0, "Chinstrap": 1, "Gentoo": 2})
    model = RandomForestClassifier(20, random_state=0).fit(table[numbers].to_numpy(), codes)
    return _write(folder, model, table[["species", *numbers]], "species")


GIVEN: dict[str, Callable[[Path], Given]] = {
    "penguins": penguin_classifier,
    "diabetes": diabetes_regressor,
    "passengers": passenger_classifier,
    "wide": wide_regressor,
    "labels": label_classifier,
    "odd": odd_pipeline,
}
"""Those that the command takes as they are."""
