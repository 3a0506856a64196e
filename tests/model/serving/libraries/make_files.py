"""Makes the files of other libraries, and what these libraries answer to some rows.

Run it in an environment that has some of the libraries: it makes the files of those, and leaves the
others as they are. The old files need a release of that time. With a folder it makes them there,
and answers 1,000 further rows.

    python tests/model/serving/libraries/make_files.py [FOLDER]
"""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED

import numpy as np
import pandas as pd

FILES = Path(__file__).parent / "files"
COLUMNS = ["age", "income", "visits", "city"]
CITIES = ["Berlin", "Paris", "Rome"]
SHOWN = 40
"""Rows whose answers are kept."""
FURTHER = (1000, 3)
"""How many rows are answered anew, and their seed."""


def make_rows(count: int, seed: int) -> pd.DataFrame:
    """Make rows with holes, zeros, values at few places, and a category; and their truth."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "age": rng.integers(18, 80, count).astype(float),
            "income": rng.normal(40, 12, count).round(1),
            "visits": rng.integers(0, 6, count).astype(float),
            "city": pd.Categorical.from_codes(rng.integers(0, 3, count), CITIES),
        }
    )
    table["truth"] = (
        table["age"] / 10
        + table["income"] / 8
        + (table["city"] == "Rome") * 3
        - table["visits"]
        + rng.normal(size=count)
    ).round(3)
    table.loc[rng.random(count) < 0.15, "income"] = np.nan
    table.loc[rng.random(count) < 0.15, "visits"] = np.nan
    return table


Answer = Callable[[pd.DataFrame], Any]
Made = tuple[str, Callable[[str], object], Answer]
"""The name of a file, what writes it, and how the library answers."""


def make_all(table: pd.DataFrame) -> Iterator[Made]:
    """Make every file that the installed libraries can make."""
    for make in (make_xgboost, make_lightgbm, make_statsmodels, make_skops):
        try:
            yield from make(table)
        except ModuleNotFoundError as error:
            print(f"{error.name} is not installed: its files stay as they are.")


def dump(model: object) -> Callable[[str], object]:
    """Write a pickle."""
    return lambda path: Path(path).write_bytes(pickle.dumps(model))


def numbers(table: pd.DataFrame) -> Any:
    """The columns of numbers, shape (rows, 3)."""
    return table[COLUMNS[:3]].to_numpy()


def sparse(table: pd.DataFrame) -> Any:
    """A column for each city and the numbers as a sparse matrix, shape (rows, 6), without zeros."""
    from scipy.sparse import csr_matrix

    cities = [table["city"] == city for city in CITIES]
    return csr_matrix(np.column_stack([*cities, numbers(table)]).astype(float))


def make_xgboost(table: pd.DataFrame) -> Iterator[Made]:
    """Make XGBoost's files, those of old releases where one is installed."""
    import xgboost as xgb
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    release = tuple(int(part) for part in xgb.__version__.split(".")[:2])
    given, truth = numbers(table), table["truth"].to_numpy()
    three = np.digitize(truth, [4, 8])

    def train(target: Any, rounds: int = 4, **options: Any) -> Any:
        columns = xgb.DMatrix(given, target, feature_names=COLUMNS[:3])
        return xgb.train({"max_depth": 3, **options}, columns, rounds)

    def answers(booster: Any) -> Answer:
        every = {"ntree_limit": 100} if release < (1, 0) else {}  # else DART drops trees
        return lambda rows: booster.predict(
            xgb.DMatrix(numbers(rows), feature_names=COLUMNS[:3]), **every
        )

    if release < (3, 1):
        version = "{}.{}".format(*release)
        words = np.array(["high", "low", "middle"])[[1, 2, 0]][three]
        target = three if release >= (1, 6) else words
        classifier = xgb.XGBClassifier(n_estimators=4, max_depth=3).fit(given, target)
        yield (
            f"xgboost-{version}-classes.pkl",
            dump(classifier),
            lambda rows: classifier.predict_proba(numbers(rows)),
        )
        regressor = xgb.XGBRegressor(n_estimators=4, max_depth=3, missing=-1)
        regressor.fit(np.nan_to_num(given, nan=-1), truth)
        yield (
            f"xgboost-{version}-missing.pkl",
            dump(regressor),
            lambda rows: regressor.predict(np.nan_to_num(numbers(rows), nan=-1)),
        )
        counts = train(np.exp(truth / 6).round(), objective="count:poisson")
        yield f"xgboost-{version}-poisson.model", counts.save_model, answers(counts)
        dart = train(truth, 8, booster="dart", rate_drop=0.5, one_drop=1)
        yield f"xgboost-{version}-dart.model", dart.save_model, answers(dart)
        return
    softprob = train(three, objective="multi:softprob", num_class=3)
    yield "xgboost-three.json", softprob.save_model, answers(softprob)
    yield "xgboost-three.ubj", softprob.save_model, answers(softprob)
    linear = train(
        truth > 6, booster="gblinear", updater="coord_descent", objective="binary:logistic"
    )
    yield "xgboost-linear.json", linear.save_model, answers(linear)
    dart = train(truth, 8, booster="dart", rate_drop=0.5, one_drop=1, objective="reg:squarederror")
    yield "xgboost-dart.json", dart.save_model, answers(dart)
    gamma = train(np.exp(truth / 6), objective="reg:gamma")
    yield "xgboost-gamma.json", gamma.save_model, answers(gamma)
    both = np.column_stack([truth, given[:, 0] / 9 - truth])
    two = train(both, base_score=0.5)
    yield "xgboost-two.json", two.save_model, answers(two)
    leaves = train(both, multi_strategy="multi_output_tree", tree_method="hist")
    yield "xgboost-leaves.ubj", leaves.save_model, answers(leaves)
    categories = xgb.XGBRegressor(
        n_estimators=5, max_depth=3, enable_categorical=True, max_cat_to_onehot=1
    ).fit(table[COLUMNS], truth)
    predict_categories = lambda rows: categories.predict(rows[COLUMNS])  # noqa: E731
    yield "xgboost-categories.json", categories.save_model, predict_categories
    chain = make_pipeline(StandardScaler(), xgb.XGBClassifier(n_estimators=4, max_depth=3))
    chain.fit(given, truth > 6)
    yield "xgboost-chain.pkl", dump(chain), lambda rows: chain.predict_proba(numbers(rows))
    cities = make_column_transformer(
        (OneHotEncoder(), ["city"]), ("passthrough", COLUMNS[:3]), sparse_threshold=1
    )
    dropped = make_pipeline(cities, xgb.XGBRegressor(n_estimators=4, max_depth=3))
    dropped.fit(table[COLUMNS].astype({"city": object}), truth)
    yield (
        "xgboost-sparse.pkl",
        dump(dropped),
        lambda rows: dropped.predict(rows[COLUMNS].astype({"city": object})),
    )
    last = dropped[-1]
    yield "xgboost-sparse.json", last.save_model, lambda rows: last.predict(sparse(rows))
    early = xgb.XGBClassifier(n_estimators=60, learning_rate=1, early_stopping_rounds=2)
    early.fit(given[::2], three[::2], eval_set=[(given[1::2], three[1::2])], verbose=False)
    yield "xgboost-early.pkl", dump(early), lambda rows: early.predict_proba(numbers(rows))


def make_lightgbm(table: pd.DataFrame) -> Iterator[Made]:
    """Make LightGBM's files."""
    import lightgbm as lgb

    given, truth = numbers(table), table["truth"].to_numpy()

    def train(target: Any, **options: Any) -> Any:
        columns = lgb.Dataset(given, target, feature_name=COLUMNS[:3])
        return lgb.train({"num_leaves": 6, "verbosity": -1, **options}, columns, 4)

    def answers(booster: Any) -> Answer:
        return lambda rows: booster.predict(numbers(rows))

    boosters = {
        "binary": train(truth > 6, objective="binary", sigmoid=2.0),
        "zero": train(truth, zero_as_missing=True),
        "nothing-missing": train(truth, use_missing=False),
        "forest": train(truth, boosting="rf", bagging_freq=1, bagging_fraction=0.5),
        "root": train(np.abs(truth) * 9, reg_sqrt=True),
        "poisson": train(np.exp(truth / 6).round(), objective="poisson"),
    }
    for name, booster in boosters.items():
        yield f"lightgbm-{name}.txt", booster.save_model, answers(booster)
    words = np.array(["low", "middle", "high"])[np.digitize(truth, [4, 8])]
    classifier = lgb.LGBMClassifier(n_estimators=4, num_leaves=6, verbosity=-1).fit(given, words)
    yield (
        "lightgbm-classes.pkl",
        dump(classifier),
        lambda rows: classifier.predict_proba(numbers(rows)),
    )
    categories = lgb.LGBMRegressor(n_estimators=5, num_leaves=6, verbosity=-1)
    categories.fit(table[COLUMNS], truth)
    yield (
        "lightgbm-categories.txt",
        categories.booster_.save_model,
        lambda rows: categories.predict(rows[COLUMNS]),
    )


def fill(table: pd.DataFrame) -> pd.DataFrame:
    """Fill the holes: statsmodels answers no row that lacks a value."""
    return table.fillna({"income": 30.0, "visits": 1.0})


def make_statsmodels(table: pd.DataFrame) -> Iterator[Made]:
    """Make statsmodels' files: with formulas and without, with their data and without."""
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    rows = fill(table).head(60).astype({"city": object})
    rows["high"] = (rows["truth"] > 6).astype(int)
    rows["level"] = np.digitize(rows["truth"], [4, 8])
    fitted = {
        "levels": smf.ols("truth ~ age + C(city) + C(visits)", rows).fit(),
        "products": smf.ols("truth ~ age * city + np.log(income) + I(age ** 2)", rows).fit(),
        "logit": smf.logit("high ~ age + city", rows).fit(disp=0),
        "probit": smf.probit("high ~ age + income", rows).fit(disp=0),
        "classes": smf.mnlogit("level ~ age + income", rows).fit(disp=0),
        "gamma": smf.glm(
            "np.exp(truth / 9) ~ age", rows, family=sm.families.Gamma(sm.families.links.Log())
        ).fit(),
    }
    for name, results in fitted.items():
        write = lambda path, results=results: results.save(path, remove_data=True)  # noqa: E731
        ask = lambda given, results=results: results.predict(fill(given))  # noqa: E731
        yield f"statsmodels-{name}.pkl", write, ask
    plain = sm.OLS(rows["truth"], sm.add_constant(rows[COLUMNS[:3]])).fit()
    yield (
        "statsmodels-table.pkl",
        plain.save,
        lambda given: plain.predict(sm.add_constant(fill(given)[COLUMNS[:3]])),
    )


def make_skops(table: pd.DataFrame) -> Iterator[Made]:
    """Make a skops file of a forest behind a scaler and an encoder.

    And one with functions, and with rows of trees: a tree for each class in each step.
    """
    import skops.io
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import (
        FunctionTransformer,
        OneHotEncoder,
        SplineTransformer,
        StandardScaler,
    )

    rows = fill(table).astype({"city": object})
    first = make_column_transformer((OneHotEncoder(), ["city"]), (StandardScaler(), COLUMNS[:3]))
    chain = make_pipeline(first, RandomForestClassifier(2, max_depth=2, random_state=0))
    chain.fit(rows[COLUMNS], np.array(["low", "high"])[(rows["truth"] > 6).astype(int)])
    yield (
        "skops-forest.skops",
        lambda path: skops.io.dump(chain, path, compression=ZIP_DEFLATED),
        lambda given: chain.predict_proba(fill(given).astype({"city": object})[COLUMNS]),
    )
    splines = make_column_transformer(
        (FunctionTransformer(np.abs), COLUMNS[1:3]), (SplineTransformer(3), COLUMNS[:1])
    )
    steps = make_pipeline(splines, GradientBoostingClassifier(n_estimators=2, max_depth=2))
    levels = np.array(["low", "mid", "top"])[np.digitize(rows["truth"], [4, 6])]
    steps.fit(rows[COLUMNS[:3]], levels)
    yield (
        "skops-functions.skops",
        lambda path: skops.io.dump(steps, path, compression=ZIP_DEFLATED),
        lambda given: steps.predict_proba(fill(given)[COLUMNS[:3]]),
    )


def main() -> None:
    """Write the files, the rows, and the libraries' answers to them."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else FILES
    folder.mkdir(exist_ok=True)
    path = folder / "answers.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    shown = make_rows(SHOWN, 1) if folder == FILES else make_rows(*FURTHER)
    for name, write, answer in make_all(make_rows(600, 0)):
        write(str(folder / name))
        kept[name] = np.asarray(answer(shown), dtype=float).round(9).tolist()
        print(name)
    lines = [f"{json.dumps(name)}: {json.dumps(answers)}" for name, answers in kept.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
