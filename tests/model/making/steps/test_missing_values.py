"""What may be left empty: what the model saw of it, what is said, and how to ask for it anyway."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from model import NumberModel, load_model
from model.contract.pickles import read_pickle
from model.making.steps.fitted_steps import find_missing_in_training
from model.serving.estimators import revive
from tests.model.making.conftest import AddedModels, add
from tests.model.serving.libraries.make_files import COLUMNS, FILES
from tests.model.serving.libraries.reading import open_file
from tests.models import ModelFiles

NAMES = ["size", "age", "zone"]


def rows(missing_values: bool) -> tuple[pd.DataFrame, pd.Series]:
    """Rows of which some lack an age and a zone, or the same rows before they did."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(0, 100, (300, 2)).round(1), columns=["size", "age"])
    table["zone"] = rng.choice(["east", "north", "west"], 300)
    price = table["size"] * 3 - table["age"] + (table["zone"] == "east") * 40
    if missing_values:
        table.loc[rng.random(300) < 0.05, "age"] = np.nan
        table["zone"] = table["zone"].where(rng.random(300) > 0.05, other=None)
    return table, price + rng.normal(0, 5, 300)


def encoded(rest: Any = "passthrough") -> ColumnTransformer:
    zones = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer((zones, ["zone"]), (rest, ["size", "age"]))


@pytest.mark.parametrize(
    "trees",
    [
        HistGradientBoostingRegressor(max_iter=30),
        RandomForestRegressor(20, random_state=0),
        ExtraTreesRegressor(20, random_state=0),
        GridSearchCV(HistGradientBoostingRegressor(), {"max_iter": [20]}, cv=2),
    ],
)
def test_trees_and_encoders_tell_whether_anything_was_missing_in_a_column(trees: Any) -> None:
    model = make_pipeline(encoded(), trees)
    assert find_missing_in_training(model.fit(*rows(missing_values=True)), NAMES) == {
        "size": "never", "age": "seen", "zone": "seen",
    }  # fmt: skip
    assert set(
        find_missing_in_training(model.fit(*rows(missing_values=False)), NAMES).values()
    ) == {"never"}


def test_an_encoder_that_was_given_its_categories_may_have_met_missing_ones(
    tmp_path: Path,
) -> None:
    """Also where it is made anew from its file, and where a booster takes categories itself."""
    given = OneHotEncoder(categories=[["east", "west"]], handle_unknown="ignore")
    fitted = given.fit(pd.DataFrame({"zone": ["east", "west", None]}))
    joblib.dump(fitted, tmp_path / "encoder.joblib")
    made = revive(read_pickle(tmp_path / "encoder.joblib").root)
    for encoder in (fitted, made):
        assert find_missing_in_training(encoder, ["zone"]) == {"zone": "unknown"}
    booster = open_file(FILES / "lightgbm-categories.txt")
    assert "never" not in find_missing_in_training(booster, COLUMNS).values()


def test_a_scaler_tells_and_an_imputer_fills_in() -> None:
    table, price = rows(missing_values=True)
    fills = make_pipeline(encoded(make_pipeline(SimpleImputer(), StandardScaler())))
    fills.steps.append(("line", LinearRegression()))
    assert find_missing_in_training(fills.fit(table, price), NAMES)["age"] == "filled"
    scaled = make_pipeline(encoded(StandardScaler()), HistGradientBoostingRegressor())
    assert find_missing_in_training(scaled.fit(table, price), NAMES)["age"] == "seen"
    assert (
        find_missing_in_training(scaled.fit(*rows(missing_values=False)), NAMES)["age"] == "never"
    )


def test_what_a_lone_tree_or_a_step_of_another_kind_hides_is_not_known() -> None:
    table, price = rows(missing_values=False)
    names = ["size", "age"]
    for model in (DecisionTreeRegressor(), LinearRegression()):
        found = find_missing_in_training(model.fit(table[names], price), names)
        assert found["age"] == "unknown"


def given(folder: Path, missing_values: bool) -> ModelFiles:
    """A forest, fitted with or without holes; the data that are given have them."""
    names = ["size", "age"]
    seen, price = rows(missing_values)
    forest = RandomForestRegressor(20, random_state=0).fit(seen[names], price)
    joblib.dump(forest, folder / "model.joblib")
    table, _ = rows(missing_values=True)
    table[names].assign(price=price).to_csv(folder / "train.csv", index=False)
    return ModelFiles(folder / "model.joblib", folder / "train.csv", "price")


def added(given: ModelFiles, root: Path, *more: object) -> tuple[str, str]:
    """What the command says, and the card."""
    result = add(given, "mine", root, "--trust", "--force", *more)
    assert result.exit_code == 0, result.output
    return result.output, (root / "mine" / "card.toml").read_text()


def test_a_fact_that_the_model_never_missed_is_optional_with_a_warning(tmp_path: Path) -> None:
    root = tmp_path / "models"
    root.mkdir()
    said, card = added(given(tmp_path, missing_values=False), root)
    warning = "every row that it was fitted on had it"
    assert "Note: age may be left empty, as in rows of the data. The model answers with" in said
    assert warning in said
    assert "add the model again with --force and --required 'age'" in said
    assert "like --derive 'age = fill(age, " in said.partition("What to do next")[2]
    assert warning in " ".join(card.replace("\n#", "").split())
    said, card = added(given(tmp_path, False), root, "--derive", "age = fill(age, 50)")
    assert "A step of the model fills in what is missing." in said
    assert warning not in said
    said, card = added(given(tmp_path, missing_values=True), root)
    assert "The model was fitted on rows that lack it." in said
    assert warning not in said


@pytest.mark.parametrize("fill", ["mean", "median"])
def test_what_somebody_filled_in_by_hand_is_found_and_said_as_the_first_thing_to_do(
    tmp_path: Path, fill: str
) -> None:
    root = tmp_path / "models"
    root.mkdir()
    table, price = rows(missing_values=False)
    table = table.assign(age=table["age"] ** 3)[["size", "age"]]  # whose mean is not its median
    table.loc[::4, "age"] = np.nan
    value = float(getattr(table["age"], fill)())
    forest = RandomForestRegressor(20, random_state=0).fit(table.fillna(value), price)
    joblib.dump(forest, tmp_path / "model.joblib")
    table.assign(price=price).to_csv(tmp_path / "train.csv", index=False)
    given = ModelFiles(tmp_path / "model.joblib", tmp_path / "train.csv", "price")
    said, _ = added(given, root)
    (line,) = (line for line in said.splitlines() if line.startswith("1. "))
    assert f"The rows without age fit clearly best with the {fill}." in line
    added(given, root, "--derive", shlex.split(line.partition("--derive ")[2])[0].removesuffix("."))
    served = load_model(root / "mine")
    assert isinstance(served, NumberModel)
    features, _ = served.card.validate_row({"size": 10, "age": ""})
    assert features is not None
    asked = pd.DataFrame({"size": [10.0], "age": [value]})
    assert served.predict([features])[0].value == pytest.approx(forest.predict(asked)[0], rel=1e-5)


def test_a_tree_that_learned_from_missing_cells_is_not_asked_what_filled_them(
    tmp_path: Path,
) -> None:
    """Its file does not tell, and the rows do."""
    root = tmp_path / "models"
    root.mkdir()
    table, price = rows(missing_values=True)
    table = table[["size", "age"]]
    price = price + 500 * table["age"].isna() * table["size"]
    tree = DecisionTreeRegressor(max_depth=6, random_state=0).fit(table, price)
    joblib.dump(tree, tmp_path / "model.joblib")
    table.assign(price=price).to_csv(tmp_path / "train.csv", index=False)
    given = ModelFiles(tmp_path / "model.joblib", tmp_path / "train.csv", "price")
    said, _ = added(given, root)
    assert "age may be left empty" in said
    assert "Did your code fill" not in said


def test_the_line_that_fills_missing_cells_works_for_words_for_yes_and_for_codes(
    tmp_path: Path,
) -> None:
    root = tmp_path / "models"
    root.mkdir()
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "paid": random.choice(["Yes", "Yes", "No"], 300).astype(object),
            "term": random.choice([84.0, 360.0, 360.0], 300),
            "size": random.normal(size=300),
        }
    )
    table.loc[::9, "paid"], table.loc[4::9, "term"] = None, np.nan
    filled = table.fillna({"paid": "Yes", "term": 360.0})
    price = filled["term"] + 100 * (filled["paid"] == "Yes") + 999 * filled["size"]
    encoder = OneHotEncoder(handle_unknown="ignore")
    columns = make_column_transformer((encoder, ["paid"]), remainder="passthrough")
    model = make_pipeline(columns, HistGradientBoostingRegressor()).fit(filled, price)
    joblib.dump(model, tmp_path / "model.joblib")
    table.assign(price=price).to_csv(tmp_path / "train.csv", index=False)
    given = ModelFiles(tmp_path / "model.joblib", tmp_path / "train.csv", "price")
    said, _ = added(given, root)
    (line,) = (line for line in said.splitlines() if line.startswith("1. "))
    written = line.partition("like ")[2].partition(". ")[0].removesuffix(".")
    assert shlex.split(written)[1::2] == ['paid = fill(paid, "Yes")', "term = fill(term, 360)"]
    said, _ = added(given, root, *shlex.split(written))
    assert "A step of the model fills in what is missing." in said


def fit_to_filled(
    model: Pipeline, word: str, folder: Path
) -> tuple[ModelFiles, pd.DataFrame, pd.Series]:
    """Fit a model to zones of which a word stands for those that are missing, and save the rows."""
    table, price = rows(missing_values=True)
    table["age"] = table["age"].fillna(50)
    joblib.dump(model.fit(table.fillna(word), price), folder / "model.joblib")
    table.assign(price=price).to_csv(folder / "train.csv", index=False)
    return ModelFiles(folder / "model.joblib", folder / "train.csv", "price"), table, price


def test_a_value_of_an_encoder_that_no_row_has_may_have_stood_for_missing_cells(
    tmp_path: Path,
) -> None:
    """As a notebook has it, which fills the table before it fits a pipeline to it."""
    root = tmp_path / "models"
    root.mkdir()
    model = make_pipeline(encoded().set_params(onehotencoder__handle_unknown="error"))
    model.steps.append(("line", LinearRegression()))
    files, _, _ = fit_to_filled(model, "no zone", tmp_path)
    said, _ = added(files, root)
    assert "the model does not answer without it, so the form asks for it" in said
    fill = 'zone = fill(zone, "no zone")'
    assert "knows 'no zone', which no row has. If that stood for missing cells" in said
    assert f"--force --derive '{fill}'" in said
    added(files, root, "--derive", fill)
    served = load_model(root / "mine")
    assert isinstance(served, NumberModel)
    features, _ = served.card.validate_row({"size": 10, "age": 20, "zone": ""})
    assert features is not None
    asked = pd.DataFrame({"size": [10.0], "age": [20.0], "zone": ["no zone"]})
    assert served.predict([features])[0].value == pytest.approx(model.predict(asked)[0], rel=1e-5)


def test_what_to_do_next_names_the_value_that_no_row_has(tmp_path: Path) -> None:
    """An encoder that ignores what it does not know answers such rows all the same."""
    root = tmp_path / "models"
    root.mkdir()
    model = make_pipeline(encoded(), LinearRegression())
    files, _, _ = fit_to_filled(model, "no zone", tmp_path)
    next_steps = added(files, root)[0].partition("What to do next")[2]
    assert """--derive 'zone = fill(zone, "no zone")'""" in next_steps


def test_a_word_for_missing_cells_that_the_model_knows_is_refused_with_what_to_write(
    tmp_path: Path,
) -> None:
    root = tmp_path / "models"
    root.mkdir()
    model = make_pipeline(encoded(), LinearRegression())
    files, table, price = fit_to_filled(model, "Missing", tmp_path)
    refused = add(files, "mine", root)
    assert refused.exit_code == 4, refused.output
    fill = 'zone = fill(zone, "Missing")'
    assert f"Say so by --derive '{fill}'" in " ".join(refused.output.split())
    added(files, root, "--derive", fill)
    model.fit(table, price)  # which knows missing cells then
    joblib.dump(model, tmp_path / "model.joblib")
    added(files, root)


def test_a_value_that_a_step_of_the_model_fills_in_is_not_asked_about(tmp_path: Path) -> None:
    root = tmp_path / "models"
    root.mkdir()
    table, price = rows(missing_values=True)
    fill = SimpleImputer(strategy="constant", fill_value="no zone")
    zones = make_pipeline(fill, OneHotEncoder(handle_unknown="ignore"))
    model = make_pipeline(
        make_column_transformer((zones, ["zone"]), ("passthrough", ["size"])), LinearRegression()
    )
    joblib.dump(model.fit(table, price), tmp_path / "model.joblib")
    table.assign(price=price).to_csv(tmp_path / "train.csv", index=False)
    files = ModelFiles(tmp_path / "model.joblib", tmp_path / "train.csv", "price")
    said, _ = added(files, root)
    assert "A step of the model fills in what is missing." in said
    assert "which no row has" not in said


@pytest.mark.parametrize("named", [True, False])
def test_a_model_that_takes_no_missing_cells_is_refused_with_what_to_write(
    tmp_path: Path, named: bool
) -> None:
    root = tmp_path / "models"
    root.mkdir()
    table, price = rows(missing_values=True)
    table, first = table[["size", "age"]], table.index % 2 == 0
    table = table.assign(age=table["age"].where(first), size=table["size"].where(~first))
    filled = table.fillna(50) if named else table.fillna(50).to_numpy()
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(filled, price)
    joblib.dump(model, tmp_path / "model.joblib")
    table.assign(price=price).to_csv(tmp_path / "train.csv", index=False)
    files = ModelFiles(tmp_path / "model.joblib", tmp_path / "train.csv", "price")
    refused = add(files, "mine", root, "--features", "size,age")
    assert refused.exit_code == 1, refused.output
    said = " ".join(refused.output.split())
    assert "It takes no missing cells, and rows lack size, age." in said
    fills = [f"{name} = fill({name}, {table[name].median():.6g})" for name in ("size", "age")]
    assert " ".join(f"--derive '{text}'" for text in fills) in said


def test_of_dummies_nobody_can_tell_whether_a_row_had_none_of_them() -> None:
    table, price = rows(missing_values=False)
    zones = OneHotEncoder(categories=[["east", "north", "west"]], handle_unknown="ignore")
    model = make_pipeline(make_column_transformer((zones, ["zone"])), LinearRegression())
    found = find_missing_in_training(model.fit(table[["zone"]], price), ["zone"])
    assert found == {"zone": "unknown"}


def test_a_fact_can_be_asked_for_although_the_model_answers_without(tmp_path: Path) -> None:
    root = tmp_path / "models"
    root.mkdir()
    said, card = added(given(tmp_path, missing_values=False), root, "--required", "age")
    assert "rows without age are left out: the form asks for it, as you say." in said
    assert "may be left empty" not in said
    assert "required" not in card
    model = load_model(root / "mine")
    assert isinstance(model, NumberModel)
    assert model.card.optional == ()
    wrong = add(
        given(tmp_path, missing_values=False), "mine", root, "--trust", "--force", "--required", "x"
    )
    assert "--required names 'x', which the model does not take" in wrong.output


def test_of_an_onnx_file_it_is_said_that_nobody_can_tell(added_models: AddedModels) -> None:
    assert (
        "Its file does not tell whether it was fitted on such rows"
        in added_models.outputs["boosted"]
    )
    assert "A step of the model fills in what is missing." in added_models.outputs["penguins"]
    assert "fitted on rows that lack it" in added_models.outputs["passengers"]
