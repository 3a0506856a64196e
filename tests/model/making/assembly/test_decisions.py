"""What is added, asked about and refused, and how each ends."""

from __future__ import annotations

import json
import pickle
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, QuantileRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    LabelEncoder,
    OneHotEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import LinearSVC

from app import create_app
from app.cli import adding
from app.config import Settings
from model import ClassModel, load_model
from tests.model.making.conftest import run
from tests.shapes import NUMBERS, cars, crops, scaler_apart

AddFiles = Callable[..., Result]


@pytest.fixture
def add(tmp_path: Path, root: Path) -> AddFiles:
    """``model add`` for files beside ``train.csv``."""

    def add_files(*files: str, target: str = "price", options: tuple[object, ...] = ()) -> Result:
        paths = [tmp_path / file for file in files]
        aim = ["--target", target] if target else []
        data = tmp_path / "train.csv"
        return run(
            "add", *paths, "--name", "mine", "--data", data, *aim, "--models", root, *options
        )

    return add_files


def save(folder: Path, model: Any, data: pd.DataFrame) -> None:
    """Write the model and its data."""
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    data.to_csv(folder / "train.csv", index=False)


def read_page(root: Path, path: str = "/") -> str:
    client = create_app(Settings(models=("mine",), ratelimit="off"), models=root).test_client()
    return " ".join(client.get(path).get_data(as_text=True).split())


def test_what_was_decided_is_asked_and_the_line_to_run_is_printed(
    tmp_path: Path, root: Path, add: AddFiles
) -> None:
    scaler_apart(tmp_path)
    result = add("model.pkl", "scaler.pkl")
    assert result.exit_code == 4
    assert "with scaler.pkl before it (R² 0." in result.output
    assert "The next best: without scaler.pkl (R² −" in result.output
    assert not list(root.iterdir())
    line = shlex.split(result.output.splitlines()[-1])
    assert line[:5] == ["flask", "--app", "wsgi", "model", "add"]
    assert line[-1] == "--yes"
    assert run(*line[4:]).exit_code == 0
    card = " ".join((root / "mine" / "card.toml").read_text().replace("# ", "").split())
    assert "It was put together so: with scaler.pkl before it (R² 0." in card
    about = re.sub("<[^>]*>", "", read_page(root, "/about"))  # which marks its figures
    assert "It was put together so: with scaler.pkl before it (R² 0." in about
    assert "The next best was: without scaler.pkl (R² −" in about
    assert (root / "mine" / "REPORT.md").read_text().count("It was put together so") == 1
    again = run("draft", "mine", "--models", root)
    assert again.exit_code == 4
    line = shlex.split(again.output.splitlines()[-1])
    assert line[3:6] == ["model", "draft", "mine"]
    assert run(*line[4:]).exit_code == 0


def test_an_option_decides_without_a_question(tmp_path: Path, add: AddFiles) -> None:
    scaler_apart(tmp_path)
    result = add("model.pkl", options=("--before", tmp_path / "scaler.pkl"))
    assert result.exit_code == 0, result.output
    assert "was not needed" not in result.output


def test_files_and_steps_that_are_not_taken_are_named(tmp_path: Path, add: AddFiles) -> None:
    scaler_apart(tmp_path)
    scaler = joblib.load(tmp_path / "scaler.pkl")
    other = StandardScaler().fit(np.random.default_rng(0).normal(size=(9, scaler.n_features_in_)))
    (tmp_path / "scalers.pkl").write_bytes(pickle.dumps({"old": other, "new": scaler}))
    (tmp_path / "old.pkl").write_bytes(pickle.dumps(other))
    result = add("model.pkl", "scalers.pkl", "old.pkl", options=("--yes",))
    assert result.exit_code == 0, result.output
    assert "Not needed: old.pkl, scalers.pkl['old']." in result.output
    assert "- Note: scalers.pkl['old'] was not needed." in result.output


def test_what_is_left_to_do_depends_on_where_the_model_stands(
    tmp_path: Path, root: Path, add: AddFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    scaler_apart(tmp_path)
    before = ("--before", tmp_path / "scaler.pkl", "--force")
    said = add("model.pkl", options=before).output
    assert f"Serve it: move {root / 'mine'} into " in said
    assert f"model check mine --models {root}\n" in said
    monkeypatch.setattr(adding, "OWN_MODELS", root.resolve())
    said = add("model.pkl", options=before).output
    assert "Serve it: FORMCAST_MODELS=mine make run" in said
    monkeypatch.setenv("FORMCAST_MODELS", "mine")
    said = add("model.pkl", options=before).output
    assert "start the server anew, or reload it" in said
    assert "Serve it" not in said


def test_nonsense_is_refused_with_its_cause_and_added_as_it_is_only_if_asked(
    tmp_path: Path, root: Path, add: AddFiles
) -> None:
    scaler_apart(tmp_path)
    result = add("model.pkl", options=("--yes",))
    assert result.exit_code == 4
    assert "It answers as if its inputs had been standardised: R² −" in result.output
    assert "Add the scaler's file, or --before scaler.pkl." in result.output
    assert "without one, write that for each column, like --derive 'age = (age -" in result.output
    assert not list(root.iterdir())
    assert add("model.pkl", options=("--as-is", "--publish-rows")).exit_code == 0
    for path in ("/", "/about"):
        assert "this model looks wrong. It answers as if its inputs had been" in read_page(
            root, path
        )
    assert run("check", "mine", "--models", root).exit_code == 4


def test_a_served_model_is_checked_by_rows_that_its_folder_does_not_keep(
    tmp_path: Path, root: Path, add: AddFiles
) -> None:
    data = cars()[[*NUMBERS, "price"]]
    scaled = StandardScaler().fit(data[NUMBERS].to_numpy())
    model = LinearRegression().fit(scaled.transform(data[NUMBERS].to_numpy()), data["price"])
    save(tmp_path, model, data)
    assert add("model.pkl", options=("--as-is",)).exit_code == 0
    given = ("check", "mine", "--models", root)
    result = run(*given)
    assert result.exit_code == 0
    assert "Name a file of them: --data FILE --target COLUMN" in result.output
    (tmp_path / "new.csv").write_text(
        data.to_csv(index=False, sep=";", decimal=","), encoding="utf-16"
    )
    result = run(*given, "--data", tmp_path / "new.csv", "--target", "price")
    assert result.exit_code == 4
    assert "as if its inputs had been standardised" in result.output
    result = run(*given, "--data", tmp_path / "new.csv", "--target", "cost")
    assert result.exit_code == 1
    assert "no column 'cost' (--target). It has: " in result.output
    result = run(*given, "--data", tmp_path / "new.csv", "--target", "Price")
    assert "Did you mean 'price'?" in result.output
    assert run(*given, "--data", tmp_path / "new.csv").exit_code == 2


def test_a_served_model_of_classes_is_checked_by_their_names(
    tmp_path: Path, root: Path, add: AddFiles
) -> None:
    data = crops()
    target = str(data.columns[-1])
    columns = [name for name in data if name != target]
    save(
        tmp_path, RandomForestClassifier(20, random_state=0).fit(data[columns], data[target]), data
    )
    assert add("model.pkl", target=target).exit_code == 0
    given = ("check", "mine", "--models", root, "--data", tmp_path / "train.csv")
    result = run(*given, "--target", target)
    assert result.exit_code == 0
    assert "On rows of this file it answers as it should" in result.output
    assert "as it should (100% right" in result.output
    result = run(*given, "--target", columns[0])
    assert result.exit_code == 1
    assert "none of the model's classes" in result.output


def test_a_target_in_another_form_is_refused_with_the_option_to_write(
    tmp_path: Path, add: AddFiles
) -> None:
    data = cars()
    save(tmp_path, LinearRegression().fit(data[NUMBERS], np.sqrt(data["price"])), data)
    result = add("model.pkl", options=("--yes",))
    assert result.exit_code == 4
    assert "--target-inverse square" in result.output
    assert add("model.pkl", options=("--target-inverse", "square")).exit_code == 0


@pytest.mark.parametrize(
    ("inverse", "change"),
    [("exp10", np.log10), ("exp", np.log), ("scale 1000", lambda price: price / 1000)],
)
def test_every_inverse_gives_answers_in_the_target_s_unit(
    inverse: str, change: Callable[[pd.Series], pd.Series], tmp_path: Path, add: AddFiles
) -> None:
    data = cars()
    save(tmp_path, LinearRegression().fit(data[NUMBERS], change(data["price"])), data)
    result = add("model.pkl", options=("--target-inverse", inverse))
    assert result.exit_code == 0, result.output
    assert "it answers as it should (R² 0." in result.output
    assert "Served: as ONNX" in result.output


def test_a_unit_multiplies_a_column_before_the_model(tmp_path: Path, add: AddFiles) -> None:
    data = cars()
    model = LinearRegression().fit(data[NUMBERS], data["price"])
    save(tmp_path, model, data.assign(km=data["km"] / 1000))
    assert add("model.pkl", options=("--unit", "km=1000")).exit_code == 0
    wrong = add("model.pkl", options=("--unit", "mk=3", "--force"))
    assert "no column 'mk' (--unit). It has: " in " ".join(wrong.output.split())
    for unit, why in (("rest=3", "does not take such a column"), ("fuel=3", "needs a number")):
        save(tmp_path, model, data.assign(km=data["km"] / 1000, rest=data["km"] % 7))
        wrong = add("model.pkl", options=("--unit", "km=1000", "--unit", unit, "--force"))
        said = " ".join(wrong.output.split())
        assert "Error: --unit" in said
        assert why in said


def test_the_unit_that_is_advised_is_taken_for_a_pipeline_of_choices_and_numbers(
    tmp_path: Path, add: AddFiles
) -> None:
    data = cars()
    fuels = make_column_transformer((OneHotEncoder(), ["fuel"]), remainder="passthrough")
    model = make_pipeline(fuels, LinearRegression()).fit(data[["fuel", *NUMBERS]], data["price"])
    save(tmp_path, model, data.assign(km=data["km"] / 1000))
    refused = add("model.pkl")
    assert refused.exit_code == 4
    assert "Write --unit km=1000." in " ".join(refused.output.split())
    assert add("model.pkl", options=("--unit", "km=1000")).exit_code == 0


def test_a_pipeline_that_was_fitted_to_the_whole_table_says_what_to_do(
    tmp_path: Path, add: AddFiles
) -> None:
    """It drops the target, and asks for it all the same."""
    data = cars()
    numbers = make_column_transformer((StandardScaler(), NUMBERS))
    save(tmp_path, make_pipeline(numbers, LinearRegression()).fit(data, data["price"]), data)
    said = " ".join(add("model.pkl").output.split())
    assert "a step of the model drops it, fit the model to the table without it" in said


def test_a_model_of_yes_and_no_as_true_and_false_is_named_by_the_rows(
    tmp_path: Path, add: AddFiles
) -> None:
    data = cars().assign(price=lambda table: np.where(table["age"] > 9, "Yes", "No"))
    forest = RandomForestClassifier(10, random_state=0).fit(data[NUMBERS], data["price"] == "Yes")
    save(tmp_path, forest, data)
    result = add("model.pkl", options=("--yes",))
    assert result.exit_code == 0, result.output
    assert "classes in the order of the alphabet" in result.output


def test_a_weak_model_is_added_and_its_page_leads_with_how_little_it_knows(
    tmp_path: Path, root: Path, add: AddFiles
) -> None:
    rng = np.random.default_rng(0)
    data = cars().assign(price=lambda table: rng.normal(9000, 2000, len(table)).round())
    save(tmp_path, LinearRegression().fit(data[NUMBERS][::2], data["price"][::2]), data)
    result = add("model.pkl")
    assert result.exit_code == 0, result.output
    assert "It knows little: on rows of its own data it is hardly better than" in read_page(root)


def test_a_model_that_weighed_its_classes_is_not_said_to_know_little(
    tmp_path: Path, root: Path, add: AddFiles
) -> None:
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.normal(size=(2000, 2)), columns=["size", "age"]).round(4)
    odds = np.exp(1.2 * data["size"] - 3.2)
    data["fraud"] = np.where(rng.random(2000) < odds / (1 + odds), "yes", "no")
    train, held = data[:1500], data[1500:]
    model = LogisticRegression(class_weight="balanced").fit(train[["size", "age"]], train["fraud"])
    save(tmp_path, model, train)
    held.to_csv(tmp_path / "held.csv", index=False)
    holdout = ("--holdout", tmp_path / "held.csv", "--force")
    result = add("model.pkl", target="fraud", options=holdout)
    assert result.exit_code == 0, result.output
    assert "On rows of its own data it tells the classes apart (" in result.output
    assert "Its probabilities take Yes for more frequent than it is: " in result.output
    assert "knows little" not in read_page(root)
    result = add("model.pkl", target="fraud", options=(*holdout, "--risk", "yes"))
    assert result.exit_code == 0, result.output
    assert "for more frequent" not in result.output
    served = load_model(root / "mine")
    assert isinstance(served, ClassModel)
    answers = served.predict(held[["size", "age"]].to_dict("records"))
    risks = [answer.probabilities[1] for answer in answers if answer.probabilities]
    assert np.mean(risks) == pytest.approx(np.mean(held["fraud"] == "yes"), abs=0.02)
    assert [item.label for item in answers] == model.predict(held[["size", "age"]]).tolist()


@pytest.mark.parametrize("quantile", [0.05, 0.5, 0.95])
def test_a_quantile_is_no_fault_and_its_page_says_where_it_lies(
    quantile: float, tmp_path: Path, root: Path, add: AddFiles
) -> None:
    data = cars().assign(part=lambda table: np.where(np.arange(len(table)) % 2, "test", "train"))
    line = QuantileRegressor(quantile=quantile, alpha=0)
    fitted = make_pipeline(StandardScaler(), line)
    seen = data[data["part"] == "train"]
    save(tmp_path, fitted.fit(seen[NUMBERS], seen["price"]), data)
    result = add("model.pkl", options=("--holdout", "part"))
    assert result.exit_code == 0, result.output
    word = {0.05: "low", 0.95: "high"}.get(quantile)
    assert ("not with the middle" in result.output) == (word is not None)
    if word is not None:
        assert f"It answers {word}, and not with the middle: for 9" in read_page(root)


@pytest.mark.parametrize("rows", [29, 400])
def test_without_target_or_rows_nothing_is_checked_and_the_page_says_so(
    rows: int, tmp_path: Path, root: Path, add: AddFiles
) -> None:
    data = cars()
    model = KNeighborsRegressor().fit(data[NUMBERS].astype(float), data["price"])
    save(tmp_path, model, data[:rows] if rows < 30 else data.drop(columns="price"))
    result = add("model.pkl", target="price" if rows < 30 else "")
    assert result.exit_code == 0, result.output
    assert "Its answers could not be checked: " in read_page(root)


def test_groups_take_the_columns_that_the_file_of_their_scaler_names(
    tmp_path: Path, root: Path, add: AddFiles
) -> None:
    """Without a target nothing else could prove which columns of an array were meant."""
    data = cars()[NUMBERS]
    scaler = StandardScaler().fit(data)
    save(tmp_path, KMeans(3, random_state=0).fit(scaler.transform(data)), data)
    (tmp_path / "scaler.pkl").write_bytes(pickle.dumps(scaler))
    data.insert(0, "id", range(len(data)))
    data.to_csv(tmp_path / "train.csv", index=False)
    result = add("model.pkl", "scaler.pkl", target="")
    assert result.exit_code == 0, result.output
    assert "It was put together so: with scaler.pkl before it." in result.output
    assert "Columns that the model does not take: id." in result.output
    assert (
        "Several assemblies are possible"
        in add("model.pkl", target="", options=("--force",)).output
    )


def test_groups_in_a_dict_with_their_scaler_and_a_list_of_columns_are_asked_about(
    tmp_path: Path, add: AddFiles
) -> None:
    """Without the scaler the list alone would do; with two of them nothing tells."""
    data = cars()[NUMBERS]
    scaler = StandardScaler().fit(data)
    groups = KMeans(3, random_state=0).fit(scaler.transform(data))
    save(tmp_path, {"scaler": scaler, "groups": groups, "columns": NUMBERS}, cars())
    asked = add("model.pkl", target="").output
    assert "It is put together so: with model.pkl['scaler'] before it." in asked
    result = add("model.pkl", target="", options=("--yes",))
    assert result.exit_code == 0, result.output
    other = RobustScaler().fit(data)
    save(tmp_path, {"one": scaler, "two": other, "groups": groups, "columns": NUMBERS}, cars())
    refused = add("model.pkl", target="", options=("--yes", "--force"))
    assert "Several assemblies are possible" in refused.output


def test_what_the_data_do_not_tell_is_not_taken(tmp_path: Path, add: AddFiles) -> None:
    """Two scalers that are nearly alike: either would do."""
    data = cars()
    one, two = (StandardScaler().fit(part[NUMBERS]) for part in (data[:390], data[10:]))
    model = LinearRegression().fit(one.transform(data[NUMBERS]), data["price"])
    save(tmp_path, model, data)
    for name, part in (("one.pkl", one), ("two.pkl", two)):
        (tmp_path / name).write_bytes(pickle.dumps(part))
    result = add("model.pkl", "one.pkl", "two.pkl", options=("--yes",))
    assert result.exit_code == 4
    assert "The data do not tell which assembly is meant" in result.output
    assert "--before FILE" in result.output


def test_a_refused_model_leaves_the_old_one_in_its_place(
    tmp_path: Path, root: Path, add: AddFiles
) -> None:
    scaler_apart(tmp_path)
    assert add("model.pkl", "scaler.pkl", options=("--yes",)).exit_code == 0
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert add("model.pkl", options=("--force", "--yes")).exit_code == 4
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "words", [("--unit", "km"), ("--unit", "km=0"), ("--target-inverse", "cube"), ("--before", "x")]
)
def test_wrong_usage_ends_with_2(words: tuple[str, str], tmp_path: Path, add: AddFiles) -> None:
    scaler_apart(tmp_path)
    assert add("model.pkl", options=words).exit_code == 2


@pytest.mark.parametrize("last", [LogisticRegression(), LinearSVC()])
def test_classes_of_a_model_that_does_not_compile_have_names_as_well(
    last: Any, tmp_path: Path, root: Path, add: AddFiles
) -> None:
    data = cars().assign(dear=lambda table: (table["price"] > 25_000).astype(int))
    model = make_pipeline(FunctionTransformer(np.cbrt), StandardScaler(), last)
    save(tmp_path, model.fit(data[NUMBERS], data["dear"]), data)
    result = add("model.pkl", target="dear", options=("--classes", "cheap,expensive"))
    assert result.exit_code == 0, result.output
    assert "as it was saved" in result.output
    client = create_app(Settings(models=("mine",), ratelimit="off"), models=root).test_client()
    row = {"km": 1000, "age": 1, "engine_cc": 3000}
    assert client.post("/api/predict", json=row).get_json()["label"] == "expensive"


def test_classes_are_answered_by_their_names(tmp_path: Path, root: Path, add: AddFiles) -> None:
    data = cars().assign(dear=lambda table: (table["price"] > 25_000).astype(int))
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(data[NUMBERS], data["dear"])
    save(tmp_path, model, data)
    result = add("model.pkl", target="dear", options=("--classes", "cheap,expensive"))
    assert result.exit_code == 0, result.output
    client = create_app(Settings(models=("mine",), ratelimit="off"), models=root).test_client()
    row = {"km": 1000, "age": 1, "engine_cc": 3000}
    assert client.post("/api/predict", json=row).get_json()["label"] == "expensive"
    swapped = data.assign(dear=data["dear"].map({0: "cheap", 1: "expensive"}))
    swapped.to_csv(tmp_path / "train.csv", index=False)
    result = add("model.pkl", target="dear", options=("--classes", "expensive,cheap", "--force"))
    assert result.exit_code == 4
    assert "--classes cheap,expensive" in result.output


@pytest.mark.parametrize("names", [("01", "02"), ("NA", "None"), (" <=50K", " >50K")])
def test_classes_are_spelled_as_the_model_spells_them(
    names: tuple[str, str], tmp_path: Path, root: Path, add: AddFiles
) -> None:
    data = cars()
    dear = np.array(names)[(data["price"] > data["price"].median()).astype(int)]
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(data[NUMBERS], dear)
    save(tmp_path, fitted, data.assign(kind=dear))
    result = add("model.pkl", target="kind")
    assert result.exit_code == 0, result.output
    client = create_app(Settings(models=("mine",), ratelimit="off"), models=root).test_client()
    row = {"km": 1000, "age": 1, "engine_cc": 3000}
    assert client.post("/api/predict", json=row).get_json()["label"] == names[1]


def test_places_and_classes_that_somebody_named_wrongly_are_refused_with_the_right_ones(
    tmp_path: Path, add: AddFiles
) -> None:
    data = cars()
    save(tmp_path, LinearRegression().fit(data[NUMBERS].to_numpy(), data["price"]), data)
    swapped = add("model.pkl", options=("--features", "age,km,engine cc"))
    assert swapped.exit_code == 4
    assert "age and km had changed places" in swapped.output
    assert "--features 'km,age,engine cc'" in swapped.output
    table = crops()
    names = sorted(table["crop"].unique())
    forest = RandomForestClassifier(20, random_state=0)
    forest.fit(table.drop(columns="crop"), table["crop"].map(names.index))
    save(tmp_path, forest, table)
    moved = [names[1], names[0], *names[2:]]
    wrong = add("model.pkl", target="crop", options=("--classes", ",".join(moved)))
    assert wrong.exit_code == 4
    assert f"--classes {','.join(names)}" in wrong.output


def test_two_of_many_classes_with_each_other_s_names_are_noticed(
    tmp_path: Path, add: AddFiles
) -> None:
    rng = np.random.default_rng(4)
    names = [f"kind{number:02}" for number in range(24)]
    codes = rng.integers(0, len(names), 1200)
    table = pd.DataFrame({"x": codes % 6, "y": codes // 6}) + rng.normal(0, 0.15, (1200, 2))
    forest = RandomForestClassifier(30, max_depth=8, random_state=0).fit(table, codes)
    save(tmp_path, forest, table.assign(kind=np.array(names)[codes]))
    assert add("model.pkl", target="kind", options=("--classes", ",".join(names))).exit_code == 0
    moved = [*names[:7], names[9], names[8], names[7], *names[10:]]
    wrong = add("model.pkl", target="kind", options=("--classes", ",".join(moved), "--force"))
    assert wrong.exit_code == 4
    assert re.search(r"9\d% right", wrong.output)  # hardly less than all
    assert f"--classes {','.join(names)}" in wrong.output


def test_codes_that_are_in_no_file_are_taken_only_if_the_data_prove_them(
    tmp_path: Path, root: Path, add: AddFiles
) -> None:
    data = cars()[["km", "age", "fuel", "brand", "gearbox", "price"]]

    def code(*columns: str) -> pd.DataFrame:
        codes = {name: data[name].astype("category").cat.codes for name in columns}
        return data[["km", "age", *columns]].assign(**codes)

    forest = RandomForestRegressor(30, random_state=0)
    save(tmp_path, forest.fit(code("fuel", "brand"), data["price"]), data)
    result = add("model.pkl", options=("--yes",))
    assert result.exit_code == 0, result.output
    assert "fuel, brand coded by alphabet" in read_page(root, "/about")
    level = data["price"] - data["gearbox"].map(data.groupby("gearbox")["price"].mean())
    table = data.assign(price=level + 30_000)  # the gearbox tells nothing
    save(tmp_path, LinearRegression().fit(code("gearbox"), table["price"]), table)
    result = add("model.pkl", options=("--yes", "--force"))
    assert result.exit_code == 4
    assert "Which numbers stand for the values of 'gearbox' is in no file" in result.output
    (tmp_path / "codes.json").write_text('{"gearbox": {"automatic": 0, "manual": 1}}')
    result = add("model.pkl", "codes.json", options=("--force",))
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("start", [0, 1])
def test_codes_that_somebody_wrote_by_hand_are_not_taken_for_those_of_an_encoder(
    start: int, tmp_path: Path, add: AddFiles
) -> None:
    rng = np.random.default_rng(1)
    lands = [letter * 110 for letter in "UJE"]  # long, because all of the file has to be said
    table = pd.DataFrame({"size": rng.uniform(1, 9, 400), "land": rng.choice(lands, 400)})
    table = pd.concat([pd.DataFrame({"size": [4.0, 3, 5], "land": lands}), table])
    order = lands[0], lands[2], lands[1]  # neither by alphabet nor by appearance
    codes = {land: start + place for place, land in enumerate(order)}
    given = table.assign(land=table["land"].map(codes))
    price = table["size"] + 2 * given["land"] + rng.normal(0, 1, len(table))
    model = RandomForestRegressor(30, min_samples_leaf=4, random_state=0).fit(given, price)
    save(tmp_path, model, table.assign(price=price))
    result = add("model.pkl", options=("--yes",))
    assert result.exit_code == 4, result.output
    found = re.search(r"as a JSON file: (.*)", result.output)
    assert found is not None
    assert json.loads(found[1]) == {"land": codes}


@pytest.mark.parametrize("apart", [False, True])
def test_a_threshold_that_the_page_does_not_decide_by_is_named(
    apart: bool, tmp_path: Path, root: Path, add: AddFiles
) -> None:
    data = cars()
    dear = np.where(data["price"] > data["price"].median(), "dear", "cheap")
    fitted = LogisticRegression(max_iter=2000).fit(data[NUMBERS], dear)
    thresholds = {"best_threshold": 0.35, "cutoff": 0.5}
    save(tmp_path, fitted if apart else {"clf": fitted} | thresholds, data.assign(dear=dear))
    (tmp_path / "settings.json").write_text(json.dumps(thresholds))
    files = ["model.pkl", "settings.json"] if apart else ["model.pkl"]
    where = f"{files[-1]}['best_threshold']"
    assert f"{where} is 0.35, and the page does not decide" in add(*files, target="dear").output
    asked = ("--risk", "dear", "--force")
    assert "the page does not decide" not in add(*files, target="dear", options=asked).output
    assert (root / "mine" / "card.toml").exists()


@pytest.mark.parametrize(
    ("beside", "code", "said"),
    [
        (LinearRegression().fit([[0.0], [1.0]], [0, 1]), 1, "The files hold 2 models"),
        (StandardScaler(), 0, "beside.pkl was not needed."),
        (StandardScaler().fit(np.eye(5)), 0, "beside.pkl was not needed."),
        ({"score": 0.9, "made": "today", "rows": [1, 2]}, 0, "beside.pkl was not needed."),
    ],
)
def test_what_else_lies_beside_a_model_does_no_harm_and_is_named(
    beside: object, code: int, said: str, tmp_path: Path, add: AddFiles
) -> None:
    data = cars()
    save(tmp_path, LinearRegression().fit(data[NUMBERS], data["price"]), data)
    (tmp_path / "beside.pkl").write_bytes(pickle.dumps(beside))
    result = add("model.pkl", "beside.pkl")
    assert result.exit_code == code, result.output
    assert said in result.output


def test_a_guess_of_the_columns_that_is_right_in_part_is_not_taken(
    tmp_path: Path, add: AddFiles
) -> None:
    data = cars()
    columns = ["age", "km", "engine cc", "gearbox"]
    codes = data.assign(gearbox=data["gearbox"].astype("category").cat.codes)[columns]
    model = RandomForestRegressor(30, random_state=0).fit(codes.to_numpy(), data["price"])
    save(tmp_path, model, data[["km", "age", "gearbox", "engine cc", "brand", "price"]])
    result = add("model.pkl", options=("--yes",))
    assert result.exit_code == 4, result.output
    assert "--features a,b,c" in result.output
    result = add("model.pkl", options=("--yes", "--features", ",".join(columns)))
    assert result.exit_code == 0, result.output


def test_a_guess_of_the_columns_uses_the_encoders_in_the_files(
    tmp_path: Path, add: AddFiles
) -> None:
    data = cars()
    encoder = LabelEncoder().fit(data["gearbox"])
    columns = ["gearbox", "km", "age"]
    codes = data.assign(gearbox=encoder.transform(data["gearbox"]))[columns]
    model = RandomForestRegressor(30, random_state=0).fit(codes.to_numpy(), data["price"])
    save(tmp_path, model, data)
    (tmp_path / "le.pkl").write_bytes(pickle.dumps(encoder))
    result = add("model.pkl", "le.pkl", options=("--yes",))
    assert result.exit_code in (1, 4), result.output
    assert "--features a,b,c" in result.output
    result = add("model.pkl", "le.pkl", options=("--yes", "--features", ",".join(columns)))
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("texts", [True, False], ids=["fitted to texts", "fitted to numbers"])
def test_an_encoder_without_a_name_may_be_of_a_column_of_numbers(
    texts: bool, tmp_path: Path, add: AddFiles
) -> None:
    data = cars()
    doors = np.resize([1, 2, 10], len(data))
    data["doors"] = doors
    data["price"] += np.where(doors == 10, 9_000.0, 0.0)
    known = data["doors"].astype(str) if texts else data["doors"]
    encoder = LabelEncoder().fit(known)  # as texts: "1", "10", "2"
    columns = ["km", "age", "engine cc", "doors"]
    inputs = data.assign(doors=encoder.transform(known))[columns].to_numpy(dtype=float)
    model = RandomForestRegressor(30, random_state=0).fit(inputs, data["price"])
    save(tmp_path, model, data[[*columns, "price"]])
    (tmp_path / "le.pkl").write_bytes(pickle.dumps(encoder))
    result = add("model.pkl", "le.pkl", options=("--yes",))
    assert result.exit_code == 0, result.output
    assert "doors coded by le.pkl" in result.output
