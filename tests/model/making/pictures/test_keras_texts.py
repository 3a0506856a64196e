"""A network of Keras that takes the words of texts is read with its Tokenizer, without Keras."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import ClassModel, load_model
from model.contract.pickles import read_pickle
from model.serving.estimators import revive
from tests.messages import make_messages
from tests.model.making.conftest import run

FILES = Path(__file__).parent / "keras_texts"
KEPT: dict[str, Any] = json.loads((FILES / "answers.json").read_text())


def add(folder: Path, *files: Path, code: int = 0) -> str:
    rows = make_messages()[["message", "label"]]
    rows["message"] += ["", " now" * 70, " to" * 170] * 100  # longer than a file's name can be
    rows.to_csv(folder / "messages.csv", index=False)
    result = run(
        "add", *files, "--name", "m", "--data", folder / "messages.csv", "--target", "label",
        "--classes", "ham,spam", "--models", folder, "--yes",
    )  # fmt: skip
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def write_tokenizer(folder: Path, **changed: object) -> Path:
    """What ``to_json`` of Keras writes, with what its author adds to it."""
    words = revive(read_pickle(FILES / "tokenizer.pkl").root)
    names = ("num_words", "filters", "lower", "split", "char_level", "oov_token")
    config = {name: getattr(words, name) for name in names} | changed
    config["word_index"] = json.dumps(words.word_index)
    path = folder / "tokenizer.json"
    path.write_text(json.dumps({"class_name": "Tokenizer", "config": config}))
    return path


@pytest.mark.parametrize(
    "name", ["recurrent.keras", "recurrent.h5", "convolved.keras", "vectorized.keras"]
)
def test_texts_get_the_answers_of_keras(tmp_path: Path, name: str) -> None:
    """The last has its words in itself; texts are longer than its input, or have odd signs."""
    own = name.startswith("vectorized")
    said = add(tmp_path, FILES / name, *([] if own else [FILES / "tokenizer.pkl"]))
    assert "written as ONNX layer by layer" in said
    model = load_model(tmp_path / "m")
    assert isinstance(model, ClassModel)
    rows = [{"message": text} for text in KEPT["texts"]]
    found = [each.probabilities for each in model.predict(rows)]
    assert np.array(found, float)[:, 1] == pytest.approx(KEPT[name.split(".")[0]], abs=1e-5)
    (text,) = model.explain([{"message": "free prize xyzzy"}])[0].texts
    assert text.knowledge[:3] == (2, 2, 3)
    assert text.parts["free"]


def test_the_data_do_not_tell_where_long_texts_are_cut(tmp_path: Path) -> None:
    """A person says it in the tokenizer's file, of JSON, too."""
    said = add(tmp_path, FILES / "convolved.keras", write_tokenizer(tmp_path), code=4)
    assert "tokenizer.padding, tokenizer.truncating = '" in said
    path = write_tokenizer(tmp_path, padding="post", truncating="pre")
    add(tmp_path, FILES / "convolved.keras", path)


def test_a_network_of_words_without_their_numbers_is_refused(tmp_path: Path) -> None:
    said = add(tmp_path, FILES / "convolved.keras", code=1)
    assert "begins with an Embedding: it takes the numbers of words" in said
    assert "2.3 GB" not in said


def test_a_damaged_tokenizer_is_refused(tmp_path: Path) -> None:
    path = write_tokenizer(tmp_path, num_words="many")
    said = add(tmp_path, FILES / "convolved.keras", path, code=1)
    assert "num_words" in said
