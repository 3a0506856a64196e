"""What a model keeps of its own rows tells that its inputs were others than the data."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    AdaBoostRegressor,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler, TargetEncoder
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from model import Features, NumberModel, load_model
from model.making.steps.kept_values import describe_foreign_input, describe_merged_values
from tests.model.making.conftest import add, add_fitted
from tests.model.serving.libraries.make_files import COLUMNS, FILES, make_rows
from tests.model.serving.libraries.reading import open_file
from tests.models import ModelFiles


def rows(count: int = 400) -> pd.DataFrame:
    """Houses whose noise matters little."""
    rng = np.random.default_rng(0)
    sizes, noises = rng.uniform(20, 200, count), rng.uniform(30, 90, count)
    table = pd.DataFrame({"size": sizes, "noise": noises})
    return table.assign(price=table["size"] * 3000 - table["noise"] * 300)


def scale(table: pd.DataFrame) -> pd.DataFrame:
    """As a notebook does by hand, which saves no step."""
    return table.assign(noise=(table["noise"] - 30) / 60)


def answer_derived(given: ModelFiles, root: Path, option: str, row: Features) -> object:
    """Add a model with a derived column, and answer a row."""
    result = add(given, "mine", root, "--derive", option)
    assert result.exit_code == 0, result.output
    served = load_model(root / "mine")
    assert isinstance(served, NumberModel)
    (answer,) = served.predict([row])
    return pytest.approx(answer.value, rel=1e-5)


MODELS = [
    RandomForestRegressor(10, random_state=0),
    ExtraTreesRegressor(10, random_state=0),
    GradientBoostingRegressor(random_state=0),
    HistGradientBoostingRegressor(max_iter=20),
    KNeighborsRegressor(),
    SVR(C=1000),
    GridSearchCV(make_pipeline(StandardScaler(), KNeighborsRegressor()), {}, cv=2),
]


@pytest.mark.parametrize("model", MODELS)
def test_an_input_that_was_scaled_by_hand_is_named_and_no_other_is(model: Any) -> None:
    table = rows()
    names = ["size", "noise"]
    fitted = model.fit(table[names], table["price"])
    assert describe_foreign_input(fitted, table[names]) == ""
    assert describe_foreign_input(fitted, table[names][:300]) == ""
    fitted = model.fit(scale(table)[names], table["price"])
    said = describe_foreign_input(fitted, table[names])
    assert re.search("noise(, as its steps make it,)? was between", said)
    assert "size" not in said


@pytest.mark.parametrize(
    "name", ["xgboost-0.90-classes.pkl", "xgboost-early.pkl", "xgboost-chain.pkl",
             "lightgbm-categories.txt", "lightgbm-classes.pkl", "xgboost-two.json"]
)  # fmt: skip
def test_trees_of_other_libraries_tell_as_well(name: str) -> None:
    model, table = open_file(FILES / name), make_rows(600, 0)
    columns = COLUMNS if "categories" in name else COLUMNS[:3]
    assert describe_foreign_input(model, table[columns]) == ""
    table["age"] = 2020 - table["age"]
    assert "When it was fitted, age" in describe_foreign_input(model, table[columns])


@pytest.mark.parametrize(
    "model",
    [RandomForestRegressor(10, random_state=0), HistGradientBoostingRegressor(max_iter=10),
     KNeighborsRegressor(), SVR(C=1000)],
)  # fmt: skip
def test_values_that_the_data_cannot_have_left_tell_what_code_did_to_an_input(model: Any) -> None:
    table = rows().assign(rooms=np.random.default_rng(1).integers(1, 9, 400))
    table["price"] += table["rooms"] ** 2 * 9000
    names = ["size", "rooms"]
    fitted = model.fit(table[names], table["price"])
    assert describe_foreign_input(fitted, table[names]) == ""
    assert describe_foreign_input(fitted, table[names][:150]) == ""
    fitted = model.fit(table[names].assign(rooms=table["rooms"] ** 0.9), table["price"])
    assert "When it was fitted, rooms had other values" in describe_foreign_input(
        fitted, table[names]
    )


@pytest.mark.parametrize(
    "model", [RandomForestRegressor(10, random_state=0), KNeighborsRegressor()]
)
def test_a_sample_of_a_column_of_a_few_amounts_has_not_all_of_them(model: Any) -> None:
    table, rng = rows(3000), np.random.default_rng(1)
    table["gain"] = np.where(rng.random(3000) < 0.93, 0, rng.lognormal(7, 1.5, 3000).round())
    names = ["size", "gain"]
    model.fit(table[names], table["price"] + table["gain"] * 90)
    assert describe_foreign_input(model, table[names][:250]) == ""


class OwnTree(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A tree of the logarithms, where scikit-learn keeps another thing."""

    def fit(self, table: Any, truth: Any) -> OwnTree:
        """Fit it."""
        self.tree_ = DecisionTreeRegressor(max_depth=4).fit(np.log(table), truth)
        self.estimators_ = [self.tree_]
        return self


def test_a_class_of_its_own_may_keep_what_it_has_changed() -> None:
    table = rows()
    model = OwnTree().fit(table[["size", "noise"]], table["price"])
    assert describe_foreign_input(model, table[["size", "noise"]]) == ""


def test_a_linear_model_of_another_library_keeps_nothing_of_its_inputs() -> None:
    model, table = open_file(FILES / "statsmodels-gamma.pkl"), make_rows(600, 0)
    assert describe_foreign_input(model, table[list(model.feature_names_in_)] * 1000) == ""


TREES: list[Any] = [
    DecisionTreeRegressor(max_depth=4),
    RandomForestRegressor(10, random_state=0),
    ExtraTreesRegressor(10, random_state=0),
    GradientBoostingRegressor(n_estimators=10, random_state=0),
    HistGradientBoostingRegressor(max_iter=10),
    AdaBoostRegressor(n_estimators=10, random_state=0),
    KNeighborsRegressor(),
]


@pytest.mark.parametrize("model", TREES)
@pytest.mark.parametrize("change", [np.log1p, np.square, lambda size: np.digitize(size, [90, 150])])
def test_splits_that_part_no_row_of_the_data_tell_what_code_did_to_an_input(
    model: Any, change: Any
) -> None:
    table = rows()
    names = ["size", "noise"]
    fitted = model.fit(table[names], table["price"])
    assert describe_foreign_input(fitted, table[names]) == ""
    assert describe_foreign_input(fitted, table[names][:150]) == ""
    fitted = model.fit(table[names].assign(size=change(table["size"])), table["price"])
    assert "When it was fitted, size was" in describe_foreign_input(fitted, table[names])


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(max_depth=4),
        RandomForestClassifier(10, random_state=0),
        GradientBoostingClassifier(n_estimators=10, random_state=0),
        HistGradientBoostingClassifier(max_iter=10),
        KNeighborsClassifier(),
    ],
)
def test_rows_that_were_sampled_anew_by_their_class_part_otherwise(model: Any) -> None:
    table = rows(3000)
    names = ["size", "noise"]
    table["dear"] = table["size"] > table["size"].quantile(0.99)
    rare = table[table["dear"]]
    sampled = pd.concat([table, *[rare] * 90], ignore_index=True)
    shares = table["dear"].value_counts(normalize=True).tolist()
    fitted = model.fit(sampled[names], sampled["dear"])
    assert describe_foreign_input(fitted, table[names], shares) == ""
    logged = table[names].assign(size=np.log1p(table["size"]))
    fitted = model.fit(logged, table["price"] > table["price"].median())
    assert "size was" in describe_foreign_input(fitted, table[names], [0.5, 0.5])


def test_weights_and_other_members_of_an_ensemble_tell_nothing_of_an_input() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"people": np.exp(rng.normal(8, 3, 1500)), "age": rng.uniform(size=1500)})
    tree = DecisionTreeRegressor(max_depth=6)
    tree.fit(table, np.log(table["people"]) + table["age"], sample_weight=table["people"])
    assert describe_foreign_input(tree, table) == ""
    members = [("tree", DecisionTreeClassifier(max_depth=3)), ("line", LogisticRegression())]
    voting = VotingClassifier(members, voting="soft").fit(table, table["age"] > 0.5)
    assert describe_foreign_input(voting, table, [0.5, 0.5]) == ""


@pytest.mark.parametrize("share", [0.4, 0.7])
@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeRegressor(max_depth=5),
        HistGradientBoostingRegressor(),
        make_pipeline(
            SimpleImputer(strategy="constant", fill_value=-1), DecisionTreeRegressor(max_depth=5)
        ),
    ],
)
def test_splits_between_missing_cells_and_others_do_not_count(
    root: Path, tmp_path: Path, model: Any, share: float
) -> None:
    table = rows(1000)
    table.loc[np.random.default_rng(1).random(1000) < share, "size"] = np.nan
    table["price"] = table["noise"] * 10 + np.where(table["size"].isna(), 9000, 0)
    table.to_csv(tmp_path / "train.csv", index=False)
    fitted = model.fit(table[["size", "noise"]], table["price"])
    add_fitted(root, "mine", fitted, "--data", tmp_path / "train.csv", "--target", "price")


def test_a_model_that_fits_all_the_same_is_refused_with_what_to_write(tmp_path: Path) -> None:
    table, root = rows(), tmp_path / "models"
    root.mkdir()
    names = ["size", "noise"]
    model = RandomForestRegressor(20, random_state=0)
    joblib.dump(model.fit(scale(table)[names], table["price"]), tmp_path / "model.joblib")
    table.to_csv(tmp_path / "train.csv", index=False)
    given = ModelFiles(tmp_path / "model.joblib", tmp_path / "train.csv", "price")
    refused = add(given, "mine", root)
    assert refused.exit_code == 4
    said = " ".join(refused.output.split())
    assert "When it was fitted, noise was between 0." in said
    assert "like --derive 'noise = …'" in said
    assert add(given, "mine", root, "--as-is").exit_code == 0
    assert "When it was fitted, noise was" in (root / "mine" / "card.toml").read_text()
    result = add(given, "mine", root, "--force", "--derive", "noise = (noise - 30) / 60")
    assert result.exit_code == 0, result.output
    served = load_model(root / "mine")
    assert isinstance(served, NumberModel)
    (answer,) = served.predict([{"size": 100.0, "noise": 60.0}])
    asked = pd.DataFrame({"size": [100.0], "noise": [0.5]})
    assert answer.value == pytest.approx(model.predict(asked)[0], rel=1e-5)


def test_rare_values_that_were_merged_by_hand_are_named_with_what_to_write(tmp_path: Path) -> None:
    table, root = rows()[["size"]], tmp_path / "models"
    root.mkdir()
    cities = ["Ulm", "Bonn", "Kiel", "Jena"]
    table["city"] = np.random.default_rng(1).choice(cities, len(table), p=[0.5, 0.4, 0.06, 0.04])
    merged = table.assign(city=table["city"].where(table["city"].isin(["Ulm", "Bonn"]), "Other"))
    price = table["size"] * 30 + (merged["city"] == "Other") * 900
    encoder = OneHotEncoder(handle_unknown="ignore")
    steps = make_column_transformer((encoder, ["city"]), remainder="passthrough")
    model = make_pipeline(steps, LinearRegression()).fit(merged, price)
    joblib.dump(model, tmp_path / "model.joblib")
    table.assign(price=price).to_csv(tmp_path / "train.csv", index=False)
    given = ModelFiles(tmp_path / "model.joblib", tmp_path / "train.csv", "price")
    refused = add(given, "mine", root)
    assert refused.exit_code == 4
    said = " ".join(refused.output.split())
    assert "knows 'Other', which no row has, and does not know 'Jena', 'Kiel'. " in said
    option = """city = if(city == "Bonn" or city == "Ulm", city, "Other")"""
    assert f"--derive '{option}'" in said
    expected = model.predict(pd.DataFrame({"size": [100.0], "city": ["Other"]}))[0]
    assert answer_derived(given, root, option, {"size": 100.0, "city": "Kiel"}) == expected


def test_texts_that_were_all_written_anew_are_named_with_what_to_write(tmp_path: Path) -> None:
    table, root = rows()[["size"]], tmp_path / "models"
    root.mkdir()
    table["sex"] = np.random.default_rng(1).choice(["M", "F"], len(table))
    written = {"M": "male", "F": "female"}
    price = table["size"] * 30 + (table["sex"] == "M") * 900
    encoder = OneHotEncoder(handle_unknown="ignore")
    steps = make_column_transformer((encoder, ["sex"]), remainder="passthrough")
    model = make_pipeline(steps, LinearRegression())
    model.fit(table.assign(sex=table["sex"].map(written)), price)
    joblib.dump(model, tmp_path / "model.joblib")
    table.assign(price=price).to_csv(tmp_path / "train.csv", index=False)
    given = ModelFiles(tmp_path / "model.joblib", tmp_path / "train.csv", "price")
    refused = add(given, "mine", root)
    assert refused.exit_code == 4
    said = " ".join(refused.output.split())
    assert (
        "does not know 'F', 'M'. Either these are not its data, or your code wrote others" in said
    )
    assert "--derive 'sex = lookup(sex, FILE.json)'" in said
    (tmp_path / "words.json").write_text(json.dumps(written))
    option = f"sex = lookup(sex, {tmp_path / 'words.json'})"
    expected = model.predict(pd.DataFrame({"size": [100.0], "sex": ["male"]}))[0]
    assert answer_derived(given, root, option, {"size": 100.0, "sex": "M"}) == expected


def test_values_that_only_fresh_rows_have_were_not_merged() -> None:
    encoder = OneHotEncoder(handle_unknown="ignore").fit(pd.DataFrame({"city": ["Ulm", "Bonn"]}))
    model = make_pipeline(encoder, LinearRegression())
    model.fit(pd.DataFrame({"city": ["Ulm", "Bonn"]}), [1, 2])
    assert not describe_merged_values(model, pd.DataFrame({"city": ["Ulm", "Bonn", "Kiel"]}))
    assert describe_merged_values(model, pd.DataFrame({"city": ["Ulm", "Kiel"]}))


@pytest.mark.parametrize("model", [KNeighborsRegressor(), HistGradientBoostingRegressor()])
def test_the_last_digit_of_what_steps_make_moves_no_row(model: Any) -> None:
    table = pd.DataFrame({"size": [1e-16, 1.0, 1.0 + 1e-16] * 100})
    table["price"] = table["size"].round()
    fitted = model.fit(table[["size"]].round(), table["price"])
    assert describe_foreign_input(fitted, table[["size"]]) == ""
    flat = table.assign(flat=1e-17)
    fitted = model.fit(flat[["size", "flat"]].assign(flat=-1e-17), table["price"])
    assert describe_foreign_input(fitted, flat[["size", "flat"]]) == ""


@pytest.mark.parametrize("model", [KNeighborsRegressor(), HistGradientBoostingRegressor()])
def test_an_encoder_that_left_each_row_out_of_its_own_number_accuses_nobody(model: Any) -> None:
    table = rows().assign(place="Ulm")
    encoder = make_column_transformer((TargetEncoder(), ["place"]), remainder="passthrough")
    fitted = make_pipeline(encoder, model).fit(table[["size", "place"]], table["price"])
    assert describe_foreign_input(fitted, table[["size", "place"]]) == ""
