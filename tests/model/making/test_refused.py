"""What cannot be added is refused with the reason and what to do, and leaves nothing behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from model.making.data.tables import read_rows
from model.making.errors import AddError
from model.making.sources.pickles import advise
from tests.model.making.conftest import add, run
from tests.models import MODEL_FACTORIES, ModelFiles, forest_of_codes, penguins


@pytest.fixture
def given(tmp_path: Path) -> ModelFiles:
    """A plain model of two numbers, fitted with their names."""
    return regression(tmp_path, lambda table: table)


def regression(folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> ModelFiles:
    """A line through two numbers, fitted to data that were changed."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(0, 100, (200, 2)).round(1), columns=["size", "age"])
    table["price"] = table["size"] * 3 - table["age"] + rng.normal(0, 5, 200)
    table = change(table)
    features = [name for name in table.columns if name != "price"]
    texts = [name for name in features if not pd.api.types.is_numeric_dtype(table[name])]
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), texts), remainder="passthrough"
    )
    model = make_pipeline(encode, LinearRegression()).fit(table[features], table["price"])
    joblib.dump(model, folder / "model.joblib")
    table.to_csv(folder / "train.csv", index=False)
    return ModelFiles(folder / "model.joblib", folder / "train.csv", "price")


def refused(given: ModelFiles, root: Path, *more: object, name: str = "mine") -> str:
    """What the command says; nothing may be left of the model."""
    before = sorted(root.rglob("*"))
    result = add(given, name, root, *more)
    assert result.exit_code != 0, result.output
    assert sorted(root.rglob("*")) == before
    return " ".join(result.output.split())


def test_code_of_a_file_does_not_run_without_trust(
    given: ModelFiles, root: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "exploded"

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (mark,))

    joblib.dump(Bomb(), given.path)
    said = refused(given, root)
    assert "model.joblib needs what is not known here: pathlib." in said
    assert "Loading the file runs its code" in said
    assert "add --trust to the command" in said
    assert not mark.exists()


def test_a_figure_that_is_no_number_is_refused(
    given: ModelFiles, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it was, the manifest got a NaN."""
    monkeypatch.setattr("model.making.kinds.regression_metrics.r2_score", lambda *_: np.nan)
    table = pd.read_csv(given.data)
    holdout = given.data.with_name("held.csv")
    table[150:].to_csv(holdout, index=False)
    table[:150].to_csv(given.data, index=False)
    said = refused(replace(given, holdout=holdout), root, "--trust")
    assert "What was measured of the model cannot be kept" in said
    assert "finite number" in said


def test_data_that_lack_a_column_are_refused_naming_it(given: ModelFiles, root: Path) -> None:
    pd.read_csv(given.data).rename(columns={"size": "sizes"}).to_csv(given.data, index=False)
    said = refused(given, root, "--trust")
    assert "has no column 'size', which the model was fitted on. Did you mean 'sizes'?" in said
    assert "If your code computes it from other columns, say how: --derive 'size = …'" in said


def test_a_column_that_the_model_takes_is_not_meant_by_another(
    given: ModelFiles, root: Path
) -> None:
    table = pd.read_csv(given.data)
    for size, others in (("size_1", "size_2"), ("size_2", "size_1")):
        named = table.rename(columns={"size": "size_1", "age": "size_2"})
        columns = ["size_1", "size_2"]
        joblib.dump(LinearRegression().fit(named[columns], named["price"]), given.path)
        named.drop(columns=size).to_csv(given.data, index=False)
        said = refused(given, root, "--trust")
        assert f"no column {size!r}, which the model was fitted on. It has: {others}." in said
        named.rename(columns={size: "sise_0"}).to_csv(given.data, index=False)
        assert "Did you mean 'sise_0'?" in refused(given, root, "--trust")


def test_a_target_that_is_not_there_is_refused_naming_the_nearest(
    given: ModelFiles, root: Path
) -> None:
    said = refused(replace(given, target="prize"), root, "--trust")
    assert "no column 'prize' (--target). Did you mean 'price'?" in said


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        (
            "note",
            [f"a long remark, number {n}" for n in range(200)],
            "which can offer a list",
        ),
        ("day", [f"2024-01-{n % 28 + 1:02d}" for n in range(200)], "holds dates as text"),
        ("rent", [f"{n},50" for n in range(1, 201)], "holds numbers as text"),
        ("zone", ["A"] * 199 + [None], "there is nothing to ask"),
        ("house_id", list(range(1000, 1200)), "it numbers them"),
    ],
)
def test_a_column_that_cannot_be_asked_for_is_refused_with_what_to_do(
    tmp_path: Path, root: Path, column: str, values: list[Any], words: str
) -> None:
    given = regression(tmp_path, lambda table: table.assign(**{column: values}))
    said = refused(given, root, "--trust")
    assert f"Column '{column}'" in said
    assert words in said
    assert "Fit" in said or "fit" in said


def test_every_column_that_cannot_be_asked_for_is_named_at_once(tmp_path: Path, root: Path) -> None:
    both = {"house_id": range(1000, 1200), "day": [f"2024-01-{n % 28 + 1:02d}" for n in range(200)]}
    said = refused(regression(tmp_path, lambda table: table.assign(**both)), root, "--trust")
    assert "Column 'house_id'" in said
    assert "Column 'day'" in said


def test_columns_that_a_model_does_not_name_are_counted(tmp_path: Path, root: Path) -> None:
    given = forest_of_codes(tmp_path)
    pd.read_csv(given.data).drop(columns="bill_depth_mm").to_csv(given.data, index=False)
    said = refused(given, root, "--trust")
    assert "takes 3 columns, and the data have 2: " in said
    assert "a JSON file with the names of all columns in their order" in said
    said = refused(given, root, "--trust", "--features", "flipperLength (mm)")
    assert "takes 3 columns, and --features names 1: " in said
    assert "a JSON file with the names of all columns in their order" in said


def test_names_for_numbers_are_asked_for_and_can_be_said(tmp_path: Path, root: Path) -> None:
    given = forest_of_codes(tmp_path)
    said = refused(given, root, "--trust")
    assert "classes in the order of the alphabet (100% right" in said
    assert "--trust --models" in said
    assert said.endswith("--yes")
    result = add(given, "mine", root, "--trust", "--classes", "Adelie,Chinstrap,Gentoo")
    assert result.exit_code == 0, result.output
    assert "Species: Adelie, Chinstrap, Gentoo" in result.output


def test_rows_that_the_model_has_seen_are_no_held_out_rows(given: ModelFiles, root: Path) -> None:
    said = refused(replace(given, holdout=given.data), root, "--trust")
    assert "200 of the 200 rows" in said
    assert "the model has seen them" in said


def test_rows_that_are_often_equal_may_be_held_out_all_the_same(tmp_path: Path) -> None:
    data, unseen, seen = (tmp_path / f"{name}.csv" for name in ("data", "unseen", "seen"))
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.integers(0, 2, (900, 4)), columns=list("abcy"))
    table["size"] = np.where(np.arange(900) % 5, 5, np.arange(900))  # one in five is alone
    table[:600].to_csv(data, index=False)
    table[600:].to_csv(unseen, index=False)
    table[:300].to_csv(seen, index=False)
    found = read_rows(data, "y", str(unseen))
    assert found.held_out.sum() == 300
    with pytest.raises(AddError, match="the model has seen them"):
        read_rows(data, "y", str(seen))


def test_too_few_held_out_rows_give_no_range_and_say_what_is_needed(
    given: ModelFiles, root: Path
) -> None:
    table = pd.read_csv(given.data)
    table.assign(held=[*[0] * 190, *[1] * 10]).to_csv(given.data, index=False)
    result = add(replace(given, holdout="held"), "mine", root, "--trust")
    assert result.exit_code == 0, result.output
    assert "There is no range" in result.output
    assert "at least 19 held-out rows" in result.output


def test_a_folder_that_is_there_is_not_overwritten_without_force(
    given: ModelFiles, root: Path
) -> None:
    assert add(given, "mine", root, "--trust").exit_code == 0
    (root / "mine" / "card.toml").write_text("mine by hand")
    assert "--force" in refused(given, root, "--trust")
    assert (root / "mine" / "card.toml").read_text() == "mine by hand"
    assert add(given, "mine", root, "--trust", "--force").exit_code == 0
    assert [path.name for path in root.iterdir()] == ["mine"]
    assert run("check", "mine", "--models", root).exit_code == 0


@pytest.mark.parametrize("name", ["My Model", "../mine", "about", "9lives", ""])
def test_a_name_that_no_address_can_have_is_refused(
    given: ModelFiles, root: Path, name: str
) -> None:
    assert "--name" in refused(given, root, "--trust", name=name)


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (KMeans(2), "was not fitted yet"),
        ({"model": 1}, "holds a dict, which has no predict."),
        (LogisticRegression(), "not fitted yet"),
    ],
)
def test_what_is_no_fitted_model_is_refused(
    given: ModelFiles, root: Path, thing: object, words: str
) -> None:
    joblib.dump(thing, given.path)
    assert words in refused(given, root, "--trust")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello", "is text, not a joblib or pickle file. Name the file of the fitted model."),
        (b"\x89PNG\r\n", "is a PNG picture, not a joblib or pickle file."),
        (b"\x7fELF\x02", "is a program, not a joblib or pickle file."),
        (b"\x80\x04\x95", "cannot be served. The file names more bytes than it can have"),
        (b"", "cannot be served. The file is empty."),
    ],
)
def test_a_file_that_is_no_model_is_refused_in_a_sentence(
    given: ModelFiles, root: Path, content: bytes, words: str
) -> None:
    given.path.write_bytes(content)
    assert f"Error: {given.path} {words}" in refused(given, root, "--trust")
    onnx = given.path.with_suffix(".onnx")
    onnx.write_bytes(content or b"x")
    assert "is not an ONNX file, although its name says so" in refused(
        replace(given, path=onnx), root
    )


def test_a_model_given_as_the_data_is_refused(given: ModelFiles, root: Path) -> None:
    said = refused(replace(given, data=given.path), root, "--trust")
    assert "model.joblib is no text. Save the table as a CSV file." in said
    assert "codec" not in said


def test_a_model_of_two_answers_is_refused(given: ModelFiles, root: Path) -> None:
    table = pd.read_csv(given.data)
    model = LinearRegression().fit(table[["size", "age"]], table[["price", "age"]])
    joblib.dump(model, given.path)
    assert "answers 2 numbers for each row" in refused(given, root, "--trust")


def test_a_model_of_numbers_is_not_measured_on_texts(given: ModelFiles, root: Path) -> None:
    pd.read_csv(given.data).assign(price="high").to_csv(given.data, index=False)
    assert "the model answers with a number" in refused(given, root, "--trust").lower()


def test_an_estimator_whose_columns_were_changed_before_is_refused(
    tmp_path: Path, root: Path
) -> None:
    table = penguins().dropna()
    dummies = pd.get_dummies(table["island"].map(len).rename("island"), dtype=float)
    model = LogisticRegression().fit(dummies.add_prefix("island_"), table["species"])
    joblib.dump(model, tmp_path / "model.joblib")
    table.to_csv(tmp_path / "train.csv", index=False)
    given = ModelFiles(tmp_path / "model.joblib", tmp_path / "train.csv", "species")
    said = refused(given, root, "--trust")
    assert "no column 'island_5' (nor 'island_6', 'island_9'), which" in said
    assert "Was it made from 'island', for example by get_dummies?" in said
    assert "into a Pipeline with the model" in said


def test_another_kind_can_be_said_where_the_guess_is_wrong(tmp_path: Path, root: Path) -> None:
    given = MODEL_FACTORIES["passengers"](tmp_path)
    table = pd.read_csv(given.data)
    model = LogisticRegression(max_iter=500).fit(table[["Pclass", "Fare"]], table["Survived"])
    joblib.dump(model, given.path)
    result = add(given, "mine", root, "--trust", "--kind", "Pclass=choice")
    assert result.exit_code == 0, result.output
    assert "codes: as you say" in result.output
    assert "as ONNX" in result.output
    assert "Note: Columns that the model does not take" in result.output


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("xgboost.sklearn.XGBClassifier", "Export it to ONNX by onnxmltools.convert_xgboost"),
        ("__main__.Own", "--trust to the command. Name the Python file with this code by --module"),
        ("nowhere_to_find.Own", "by --module FILE.py, or install nowhere_to_find."),
        ("json.Own", "add --trust to the command."),
    ],
)
def test_what_can_be_done_about_a_class_that_is_not_known_is_said(path: str, text: str) -> None:
    assert text in advise(path)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (
            "about {:.1f}",
            r"Column 'size' holds texts like 'about \d+\.\d', .* --kind size=choice --derive",
        ),
        ("${:.3f}", r"Column 'size' holds '\$\d+\.\d{3}': is that .*--decimal \. for"),
    ],
)
def test_texts_where_a_pipeline_takes_numbers_are_named(
    root: Path, tmp_path: Path, write: str, said: str
) -> None:
    rng = np.random.default_rng(0)
    given = regression(tmp_path, lambda table: table.assign(town=rng.choice(["Ulm", "Bonn"], 200)))
    table = pd.read_csv(given.data)
    table["size"] = [write.format(size + 1) for size in table["size"]]
    table.to_csv(given.data, index=False)
    assert re.search(said, refused(given, root))


LONG = ",".join(f"column_{number}" for number in range(40))
"""Longer than the name of a file can be."""


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--features", LONG),
        ("--holdout", LONG),
        ("--derive", f"age = lookup(size, {LONG.replace(',', '')}.json)"),
    ],
)
def test_a_list_that_is_too_long_for_a_name_is_no_file(
    given: ModelFiles, root: Path, option: str, value: str
) -> None:
    result = add(given, "mine", root, option, value)
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Error: " in result.output


def test_many_columns_can_be_named_in_one_list(tmp_path: Path, root: Path) -> None:
    names = LONG.split(",")
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(0, 9, (200, 40)).round(1), columns=names)
    target = table.sum(axis=1).rename("price")
    joblib.dump(LinearRegression().fit(table.to_numpy(), target), tmp_path / "model.joblib")
    table.assign(price=target).to_csv(tmp_path / "train.csv", index=False)
    files = ModelFiles(tmp_path / "model.joblib", tmp_path / "train.csv", "price")
    result = add(files, "wide", root, "--features", LONG)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    "write",
    [
        joblib.dump,
        lambda names, path: path.write_text("\n".join(names)),
        lambda names, path: path.write_text(",\n".join(names)),
    ],
)
def test_columns_can_be_named_in_a_file(given: ModelFiles, root: Path, write: Any) -> None:
    file = root / "columns"
    write(["size", "age"], file)
    assert add(given, "mine", root, "--features", file).exit_code == 0
    joblib.dump({"size": 1.0}, file)
    said = add(given, "other", root, "--features", file).output
    assert "holds no list of names" in " ".join(said.split())
