"""Parts whose place only what they saw tells, and parts that need what the data do not have."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVR

from app import create_app
from app.config import Settings
from model.making.assembly.assemblies import Assembly
from model.making.assembly.inputs import Input
from model.making.assembly.proving import choose_assembly
from model.making.assembly.trials import TriedAssembly
from model.making.errors import NotProvedError
from model.making.kinds.number_evidence import fit_numbers
from tests.model.making.conftest import run
from tests.shapes import cars, crops


def add(folder: Path, root: Path, table: pd.DataFrame, parts: dict[str, Any], *more: str) -> Result:
    table.to_csv(folder / "train.csv", index=False)
    for name, part in parts.items():
        (folder / name).write_bytes(pickle.dumps(part))
    files = [folder / name for name in parts]
    data = folder / "train.csv"
    return run("add", *files, "--name", "mine", "--data", data, "--models", root, "--yes", *more)


def ask(root: Path, rows: pd.DataFrame) -> list[Any]:
    client = create_app(Settings(models=("mine",), ratelimit="off"), models=root).test_client()
    found: list[Any] = client.post("/api/predict", json=rows.to_dict("records")).get_json()
    return found


def test_of_one_input_and_one_target_each_has_its_own_scaler(tmp_path: Path, root: Path) -> None:
    levels = np.random.default_rng(0).uniform(1, 10, 200).round(1)
    table = pd.DataFrame({"level": levels, "salary": (40_000 * np.exp(levels / 3)).round()})
    inputs, target = table[["level"]].to_numpy(), table[["salary"]].to_numpy()
    of_input, of_target = StandardScaler().fit(inputs), StandardScaler().fit(target)
    model = SVR().fit(of_input.transform(inputs), of_target.transform(target).ravel())
    parts = {"model.pkl": model, "sc_X.pkl": of_input, "sc_y.pkl": of_target}
    result = add(tmp_path, root, table, parts, "--target", "salary")
    assert result.exit_code == 0, result.output
    asked = model.predict(of_input.transform(inputs[:20])).reshape(-1, 1)
    expected = of_target.inverse_transform(asked).ravel()
    found = [answer["prediction"] for answer in ask(root, table[["level"]][:20])]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("is_number", [True, False])
def test_an_encoder_of_one_column_is_not_taken_for_one_of_the_target(
    tmp_path: Path, root: Path, is_number: bool
) -> None:
    """Fitted to an array, it names no column; both have one."""
    table = cars()[["km", "age", "fuel", "price"]]
    encoder = OneHotEncoder(sparse_output=False).fit(table[["fuel"]].to_numpy())
    inputs = np.hstack([table[["km", "age"]], encoder.transform(table[["fuel"]].to_numpy())])
    classes = np.where(table["price"] > table["price"].median(), "dear", "cheap")
    truth = table["price"] if is_number else classes
    model = make_pipeline(StandardScaler(), Ridge() if is_number else LogisticRegression())
    parts = {"model.pkl": model.fit(inputs, truth), "encoder.pkl": encoder}
    result = add(tmp_path, root, table.assign(price=truth), parts, "--target", "price")
    assert result.exit_code == 0, result.output
    assert "fuel as a column for each value" in " ".join(result.output.split())


def test_an_encoder_of_some_columns_is_no_step_before_the_model(tmp_path: Path, root: Path) -> None:
    table = cars()
    parts = {
        "model.pkl": RandomForestRegressor(3, random_state=0),
        "scaler.pkl": StandardScaler(),
        "ohe.pkl": OneHotEncoder(sparse_output=False),
    }
    texts = [name for name in table if not pd.api.types.is_numeric_dtype(table[name])][:1]
    numbers = list(table.drop(columns="price").select_dtypes("number"))
    inputs = np.hstack(
        [
            parts["ohe.pkl"].fit_transform(table[texts]),
            parts["scaler.pkl"].fit_transform(table[numbers]),
        ]
    )
    parts["model.pkl"].fit(inputs, table["price"])
    before = ("--before", str(tmp_path / "scaler.pkl"), "--before", str(tmp_path / "ohe.pkl"))
    result = add(tmp_path, root, table, parts, "--target", "price", *before)
    assert result.exit_code == 1
    assert "ohe.pkl: it holds no step that takes all inputs" in result.output
    assert "as a further FILE, without --before" in result.output


def test_groups_of_an_array_are_added_with_its_columns(tmp_path: Path, root: Path) -> None:
    table = crops().drop(columns="crop")
    columns = ["nitrogen", "heat"]
    model = KMeans(4, random_state=0, n_init=2).fit(table[columns].to_numpy())
    result = add(tmp_path, root, table, {"model.pkl": model}, "--features", ",".join(columns))
    assert result.exit_code == 0, result.output
    found = [answer["label"] for answer in ask(root, table[columns][:20])]
    assert found == [str(group) for group in model.predict(table[columns][:20].to_numpy())]


def test_a_step_that_takes_what_code_computed_is_named_with_the_option_to_write(
    tmp_path: Path, root: Path
) -> None:
    table = cars()[["fuel", "km", "age", "price"]]
    inputs = table.drop(columns="price").assign(km_per_year=table["km"] / (table["age"] + 1))
    steps = make_column_transformer((OneHotEncoder(), ["fuel"]), remainder="passthrough")
    model = RandomForestRegressor(20, random_state=0)
    model.fit(steps.fit_transform(inputs), table["price"])
    parts = {"model.pkl": model, "steps.pkl": steps}
    said = add(tmp_path, root, table, parts, "--target", "price").output
    assert "steps.pkl takes 'km_per_year', which the data do not have" in said
    assert "--derive 'km_per_year = …'" in said
    derive = ("--derive", "km_per_year = km / (age + 1)")
    result = add(tmp_path, root, table, parts, "--target", "price", *derive)
    assert result.exit_code == 0, result.output
    found = [answer["prediction"] for answer in ask(root, table[["fuel", "km", "age"]][:20])]
    np.testing.assert_allclose(found, model.predict(steps.transform(inputs[:20])), rtol=1e-5)


def test_codes_that_two_orders_explain_are_refused_with_the_file_to_add() -> None:
    tried = []
    for by, codes in (("alphabet", (0.0, 1.0)), ("appearance", (1.0, 0.0))):
        inputs = (Input("cut", codes=tuple(zip(("Fair", "Good"), codes, strict=True))),)
        made = Assembly(("cut",), inputs, (), None, (f"cut coded by {by}",), ("cut",))
        answers = np.array(codes * 20)
        losses = np.abs(answers - 0.5)
        tried.append(TriedAssembly(made, fit_numbers(answers, answers[::-1]), answers, losses))
    with pytest.raises(NotProvedError) as caught:
        choose_assembly(tried, 500)
    said = str(caught.value)
    assert "cut coded by alphabet (R² −3.00), or cut coded by appearance (R² −3.00). Add" in said
    assert said.endswith(
        'with the numbers that your code gave, like {"cut": {"Fair": 0, "Good": 1}}.'
    )


def test_a_dummy_of_merged_values_is_not_that_of_a_value_of_nearly_the_same_name(
    tmp_path: Path, root: Path
) -> None:
    rng = np.random.default_rng(0)
    places = rng.choice(4, 300, p=[0.4, 0.3, 0.27, 0.03])
    work = np.array(["office", "other", "sales", "rare"])[places]
    table = pd.DataFrame({"age": rng.integers(20, 60, 300), "work": work})
    dummies = pd.get_dummies(table.assign(work=table["work"].replace("rare", "Other")), dtype=int)
    assert {"work_other", "work_Other"} <= set(dummies)
    table["pay"] = table["age"] * 10 + (places == 0) * 300 + rng.integers(0, 20, 300)
    model = RandomForestRegressor(10, random_state=0).fit(dummies, table["pay"])
    said = add(tmp_path, root, table, {"model.pkl": model}, "--target", "pay")
    assert said.exit_code == 1, said.output
    assert "--derive 'work_Other = …'" in said.output


def test_codes_are_sought_where_no_row_is_complete(tmp_path: Path, root: Path) -> None:
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.uniform(0, 9, (200, 2)), columns=["dose", "level"])
    table = numbers.assign(kind=list("abcd") * 50, weight=numbers["dose"] * 3)
    coded = numbers.assign(kind=table["kind"].map({"d": 0, "b": 1, "c": 2, "a": 3}))
    model = RandomForestRegressor(10, random_state=0).fit(coded.to_numpy(), -table["weight"])
    table.loc[::2, "dose"] = np.nan
    table.loc[1::2, "level"] = np.nan
    said = add(tmp_path, root, table, {"model.pkl": model}, "--target", "weight").output
    assert "Which numbers stand for the values of 'kind' is in no file" in said
