"""Looking at a file says what is in it, runs nothing, and never ends in a traceback."""

from __future__ import annotations

import gzip
import lzma
import os
import pickle
import time
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, MinMaxScaler, OneHotEncoder, StandardScaler

from model.making.looking.files import look
from tests.hostile_pickles import make_hostile
from tests.model.making.conftest import run
from tests.model.serving.libraries.make_files import FILES
from tests.models import MODEL_FACTORIES
from tests.pickle_writing import EVIL, called, file, plain

NUMBERS = np.random.default_rng(0).normal((40, -3, 7), (9, 2, 30), (60, 3))
FRAME = pd.DataFrame(NUMBERS, columns=["age", "cold", "weight"]).assign(town=["a", "b"] * 30)
TARGET = NUMBERS.sum(axis=1)
KINDS = np.array(["dog", "cat", "cow"])[np.arange(60) % 3]


class OwnModel:
    """A class that only these tests have."""


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def write(value: object, name: str = "model.pkl") -> Path:
        path = tmp_path / name
        if isinstance(value, bytes):
            path.write_bytes(value)
        else:
            joblib.dump(value, path)
        return path

    return write


Save = Callable[..., Path]


def test_a_pipeline_is_told_with_its_steps_inputs_and_classes(save: Save) -> None:
    branches = [("number", StandardScaler(), ["age", "cold"]), ("text", OneHotEncoder(), ["town"])]
    fitted = make_pipeline(ColumnTransformer(branches), LogisticRegression()).fit(FRAME, KINDS)
    result = run("look", save(fitted))
    assert result.exit_code == 0
    for text in (
        "A joblib file, saved by scikit-learn",
        "Pipeline (ColumnTransformer (StandardScaler, OneHotEncoder), then LogisticRegression)",
        "Inputs: 4, by name: age, cold, weight, town.",
        "Classes: 3: cat, cow, dog.",
        "It can be served without --trust.",
    ):
        assert text in result.output


def test_a_regressor_without_names_has_a_number_of_inputs(save: Save) -> None:
    output = look([save(Ridge().fit(NUMBERS, TARGET))]).text
    assert "Inputs: 3, by position" in output
    assert "It answers with a number." in output


def test_a_scaler_that_is_missing_is_told(save: Save) -> None:
    scaler = StandardScaler().fit(NUMBERS)
    fitted = RandomForestRegressor(10).fit(scaler.transform(NUMBERS), TARGET)
    model, beside = save(fitted), save(scaler, "scaler.pkl")
    assert "Its inputs look standardised; no scaler is in these files." in look([model]).text
    assert "scaler.pkl holds a scaler of as many inputs" in look([model, beside]).text
    assert look([model, beside]).servable
    assert not look([beside]).servable


STANDARD, UNIT = (scaler.fit_transform(NUMBERS) for scaler in (StandardScaler(), MinMaxScaler()))


@pytest.mark.parametrize(
    ("fitted", "scale"),
    [
        (KNeighborsRegressor().fit(STANDARD, TARGET), "standardised"),
        (KNeighborsRegressor().fit(UNIT, TARGET), "between 0 and 1"),
        (KNeighborsRegressor().fit(NUMBERS, TARGET), ""),
        (KNeighborsRegressor().fit(NUMBERS > 0, TARGET), ""),
        (RandomForestRegressor(5).fit(NUMBERS, TARGET), ""),
        (make_pipeline(StandardScaler(), KNeighborsRegressor()).fit(NUMBERS, TARGET), ""),
        (Ridge().fit(STANDARD, TARGET), ""),
    ],
    ids=["standardised", "0 to 1", "as they are", "flags", "forest", "pipeline", "no evidence"],
)
def test_inputs_look_scaled_only_where_they_were(save: Save, fitted: Any, scale: str) -> None:
    output = look([save(fitted)]).text
    assert ("Its inputs look" in output) == bool(scale)
    assert scale in output


def test_a_class_that_is_not_known_needs_trust(save: Save) -> None:
    result = run("look", save(OwnModel()))
    assert result.exit_code == 1
    assert f"It needs {__name__}.OwnModel, which is not known here." in result.output
    assert "Loading the file runs its code." in result.output
    assert "add --trust to the command" in result.output


def test_a_bundle_is_served_by_the_model_in_it(save: Save) -> None:
    model = Ridge().fit(NUMBERS, NUMBERS[:, 0])
    found = look([save({"m": model, "columns": ["a", "b", "c"]})])
    assert found.servable
    assert "The model is model.pkl['m']." in found.text
    found = look([save([model, Ridge().fit(NUMBERS, NUMBERS[:, 1])])])
    assert not found.servable
    assert "That is 2 models. Save one of them alone." in found.text
    found = look([save({"model": Ridge(), "columns": ["a"]})])
    assert not found.servable
    assert "It cannot be served." in found.text


def test_names_beside_a_model_are_no_reason_to_refuse_it(save: Save, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("a\nb\nc\n", encoding="utf-8")
    result = run("look", save(Ridge().fit(NUMBERS, NUMBERS[:, 0])), str(names))
    assert result.exit_code == 0
    assert "It holds 3 names: a, b, c." in result.output


@pytest.mark.parametrize(
    "value",
    [
        OrderedDict(a=1),
        LabelEncoder().fit(["a", "b"]),
        StandardScaler().fit(NUMBERS),
        pd.Index(["a", "b"]),
        np.array(["a", "b"], dtype=object),
    ],
    ids=["codes", "encoder", "scaler", "index", "array"],
)
def test_a_part_is_said_to_go_with_a_model(save: Save, value: object) -> None:
    found = look([save(value)])
    assert "It holds no model: give it to `model add` together with" in found.text
    assert not found.servable


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (FRAME, "It holds DataFrame of pandas."),
        (NUMBERS, "It holds an array of 60 × 3 values."),
        (Ridge, "It holds only the name sklearn.linear_model._ridge.Ridge"),
        ({}, "It holds a dict of 0."),
        (None, "It holds a value of the kind NoneType."),
    ],
    ids=["frame", "array", "class", "empty", "none"],
)
def test_what_is_no_model_is_told(save: Save, value: object, text: str) -> None:
    found = look([save(value)])
    assert text in found.text
    assert "That is no model." in found.text
    assert not found.servable


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "The file is empty."),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "a PNG picture"),
        (b"\xff\xd8\xff\xe0" + bytes(40), "a JPEG picture"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP picture"),
        (b"PK\x03\x04" + bytes(40), "a damaged ZIP archive"),
        (bytes(257) + b"ustar", "a tar archive"),
        (b"\x89HDF\r\n\x1a\n" + bytes(40), "an HDF5 file"),
        (b'{"a": 1}', "JSON"),
        (b'{"a": 0, "b": 1}', "It holds 2 names: a = 0, b = 1."),
        (b'["Lot Area", "rooms"]', "It holds 2 names: Lot Area, rooms."),
        (b"rooms\nsize (m2)\nage\n", "It holds no model: give it to `model add` together"),
        (b"rooms,size\n", "It holds 2 names: rooms, size."),
        (b'{"learner": {"attributes": {}}}', "an XGBoost model in JSON"),
        (b'{"cells": [], "nbformat": 4}', "a Jupyter notebook"),
        (b"tree\nversion=v4\nnum_class=1\n", "a LightGBM model"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
        (b"x,price\n1,2\n3,4\n", "a table of text with commas"),
        ("größe;preis\n1;2\n".encode("latin-1"), "a table of text with semicolons"),
        (b"<!DOCTYPE html><title>404</title>", "a web page"),
        (b'<?xml version="1.0"?><PMML/>', "a model in PMML"),
        (b"hello\n", "text"),
        ("a\n".encode("utf-16"), "text in UTF-16"),
        (b"\x93NUMPY\1\0", "an array of NumPy"),
        (b"\0\1\2\3" * 100, "a file of an unknown kind"),
        (b"(dp0\nS'a'\np1\nI", "The file ends too early: it is cut short."),
        (pickle.dumps("a" * 300)[:200], "it is cut short or damaged"),
    ],
    ids=range(26),
)
def test_other_files_are_named(save: Save, data: bytes, text: str) -> None:
    result = run("look", save(data))
    assert result.exit_code == 1
    assert text in result.output


def test_what_is_compressed_is_named_by_what_comes_out(save: Save) -> None:
    assert (
        "It is a tar archive, compressed with xz."
        in look([save(lzma.compress(bytes(257) + b"ustar"))]).text
    )
    assert (
        "It is a table of text with commas, compressed with gzip."
        in look([save(gzip.compress(b"a,b\n1,2\n"))]).text
    )
    assert "cut short" in look([save(gzip.compress(pickle.dumps([1] * 99))[:-9])]).text


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ("archive/data.pkl", "a PyTorch file"),
        ("schema.json", "a skops file"),
        ("xl/workbook.xml", "an Excel workbook"),
        ("a.npy", "an archive of NumPy arrays"),
        ("a.txt", "a ZIP archive"),
    ],
)
def test_archives_are_told_apart_by_their_members(tmp_path: Path, member: str, text: str) -> None:
    with zipfile.ZipFile(tmp_path / "file", "w") as archive:
        archive.writestr(member, "")
    assert f"It is {text}." in look([tmp_path / "file"]).text


def test_nothing_follows_in_a_whole_file_of_skops() -> None:
    first, *_ = look([FILES / "skops-forest.skops"]).text.splitlines()[1:]
    assert first == "  A skops file, saved by scikit-learn 1.9.1."


def test_an_onnx_file_needs_no_trust(tmp_path: Path) -> None:
    given = MODEL_FACTORIES["boosted"](tmp_path)
    result = run("look", given.path)
    assert result.exit_code == 0, result.output
    assert "It can be served without --trust" in result.output


def test_a_damaged_onnx_file_is_refused(save: Save) -> None:
    assert run("look", save(b"\x08\x08noise" * 9, "model.onnx")).exit_code == 1


def test_no_file_ends_in_a_traceback(tmp_path: Path) -> None:
    pipes = tmp_path / "pipe", tmp_path / "pipe.onnx"
    for pipe in pipes:
        os.mkfifo(pipe)
    for path in (tmp_path, *pipes, tmp_path / "missing", Path("/dev/zero")):
        result = run("look", path)
        assert result.exit_code == 1
        assert isinstance(result.exception, SystemExit)


def test_what_cannot_be_read_to_its_end_says_why(tmp_path: Path) -> None:
    deep = tmp_path / "deep.json"
    deep.write_text("[" * 100_000)
    found = look([deep, tmp_path / ("y" * 300)])
    assert not found.servable
    assert "nests its values too deep" in found.text
    assert "File name too long" in found.text


def test_hostile_files_are_looked_at_in_few_words(tmp_path: Path) -> None:
    for name, data in make_hostile(compressed=False).items():
        if len(data) < 10_000:
            path = tmp_path / "file"
            path.write_bytes(data)
            found = look([path])
            assert not found.servable, name
            assert len(found.text) < 20_000, name
            assert found.text.replace("\n", "").isprintable(), name


def test_steps_that_hold_each_other_many_times_are_named_soon(save: Save) -> None:
    pushed = called("sklearn.svm._classes SVC") + b"\x940"
    for level in range(6):
        steps = b"](" + (plain("a") + b"h" + bytes([level]) + b"\x86") * 200 + b"e"
        pushed += called("sklearn.pipeline Pipeline") + b"}" + plain("steps") + steps + b"sb\x940"
    pushed += b"h\6"
    start = time.process_time()
    assert "and more" in look([save(file(pushed))]).text
    assert time.process_time() - start < 2


def test_what_would_run_is_named(save: Save) -> None:
    assert "It needs os.system, which is not known here." in look([save(file(EVIL))]).text


def test_names_of_a_file_are_printed_without_controls(save: Save) -> None:
    fitted = Ridge().fit(pd.DataFrame({"a\x1b[2J": [1.0, 2.0], "b\n": [2.0, 1.0]}), [1.0, 2.0])
    assert "by name: a?[2J, b?." in look([save(fitted)]).text
