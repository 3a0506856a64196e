"""Models that read texts which their author's code joined of several columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from app import create_app
from app.config import Settings
from model import ClassModel, load_model
from tests.messages import make_messages
from tests.model.making.conftest import run


@pytest.fixture(scope="module")
def mails() -> pd.DataFrame:
    """Messages with a title of their kind, and an author, whom some lack."""
    rows = make_messages()
    rng = np.random.default_rng(0)
    endings = rng.choice(list("abcdefgh"), (len(rows), 6))
    rows["author"] = ["Ann " + "".join(letters).upper() for letters in endings]
    rows.loc[::9, "author"] = None
    words = rows.groupby("label")["message"].transform(lambda texts: texts[::-1].values)
    rows["title"] = [
        " ".join([*text.split()[:4], "re" + "".join(letters[::-1])])
        for text, letters in zip(words, endings, strict=True)
    ]
    return rows[["author", "title", "message", "size", "label"]]


def add(folder: Path, rows: pd.DataFrame, fitted: Any, *more: object, code: int = 0) -> str:
    rows.to_csv(folder / "mails.csv", index=False)
    joblib.dump(fitted, folder / "model.joblib")
    arguments = ["--name", "mails", "--data", folder / "mails.csv", "--target", "label"]
    result = run("add", folder / "model.joblib", *arguments, "--models", folder, *more)
    assert result.exit_code == code, result.output
    return " ".join(result.output.split())


def load(folder: Path) -> ClassModel:
    model = load_model(folder / "mails")
    assert isinstance(model, ClassModel)
    return model


def compare(rows: pd.DataFrame, folder: Path, fitted: Any, texts: Any) -> None:
    """The served model answers as the author's own code."""
    model = load(folder)
    facts = rows[list(model.card.names)].astype(object)
    known: list[dict[str, Any]] = facts.where(facts.notna(), None).to_dict("records")
    found = [each.probabilities for each in model.predict(known)]
    assert np.allclose(np.array(found, dtype=float), fitted.predict_proba(texts), atol=1e-4)


def test_two_columns_that_were_joined_are_both_on_the_form(
    mails: pd.DataFrame, tmp_path: Path
) -> None:
    """The words of both are counted together, and an author may lack."""
    texts = mails["author"].fillna("") + " " + mails["title"]
    fitted = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, mails["label"])
    said = add(tmp_path, mails, fitted)
    assert 'so it reads fill(author, "") + " " + title.' in said
    assert "author may be left empty" in said
    assert "Served: as ONNX" in said
    compare(mails, tmp_path, fitted, texts)
    model = load(tmp_path)
    (found,) = model.explain([{"author": "Free ZZZ", "title": "free cash"}])
    parts = [each.parts["free"] for each in found.texts]
    vectorizer, linear = fitted[0], fitted[1]
    place = vectorizer.vocabulary_["free"]
    weight = vectorizer.transform(["Free ZZZ free cash"])[0, place] * linear.coef_[0, place]
    sign = 1 if found.prediction.label == "spam" else -1
    assert parts == pytest.approx([sign * weight / 2, sign * weight / 2], abs=1e-5)
    assert not found.out_of_distribution  # the author alone would be a guess
    app = create_app(Settings(models=("mails",), ratelimit="off"), models=tmp_path)
    page = app.test_client().post("/predict-fragment", data={"title": "free cash", "author": ""})
    expected = fitted.predict_proba([" free cash"])[0]
    answer = app.test_client().post("/api/predict", json={"title": "free cash"})
    assert page.status_code == 200
    found_probabilities = list(answer.get_json()["probabilities"].values())
    assert found_probabilities == pytest.approx(expected.tolist(), abs=1e-4)


JOINS: dict[str, tuple[Callable[[pd.DataFrame], Any], Callable[[], Any], str]] = {
    "the other way round": (
        lambda rows: rows["title"] + " " + rows["author"].fillna(""),
        lambda: make_pipeline(CountVectorizer(ngram_range=(1, 2)), MultinomialNB()),
        'title + " " + fill(author, "")',
    ),
    "nothing between": (
        lambda rows: rows["title"] + rows["message"],
        lambda: make_pipeline(TfidfVectorizer(), RandomForestClassifier(9, random_state=0)),
        "title + message",
    ),
    "three": (
        lambda rows: rows["author"].fillna("") + " " + rows["title"] + " " + rows["message"],
        lambda: make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression()),
        'fill(author, "") + " " + title + " " + message',
    ),
    "frequent words alone": (
        lambda rows: rows["title"] + " " + rows["message"],
        lambda: make_pipeline(TfidfVectorizer(max_features=40), LogisticRegression()),
        'title + " " + message',
    ),
}


@pytest.mark.parametrize("name", list(JOINS))
def test_how_texts_were_joined_is_told_by_the_words(
    name: str, mails: pd.DataFrame, tmp_path: Path
) -> None:
    join, make, expression = JOINS[name]
    texts = join(mails)
    fitted = make().fit(texts, mails["label"])
    assert f"so it reads {expression}." in add(tmp_path, mails, fitted)
    compare(mails, tmp_path, fitted, texts)


def test_a_single_column_that_has_all_words_is_taken_alone(
    mails: pd.DataFrame, tmp_path: Path
) -> None:
    fitted = make_pipeline(TfidfVectorizer(), LogisticRegression())
    fitted.fit(mails["message"], mails["label"])
    assert "so it reads" not in add(tmp_path, mails, fitted, "--yes")
    assert load(tmp_path).card.names == ("message",)


def test_a_joined_column_and_the_length_of_a_text_go_beside_numbers(
    mails: pd.DataFrame, tmp_path: Path
) -> None:
    """A table that the model takes lacks two of its columns: one is found, the other is said."""
    taken = pd.DataFrame(
        {
            "content": mails["title"] + " " + mails["message"],
            "long": mails["message"].str.len(),
            "size": mails["size"],
        }
    )
    columns = ColumnTransformer(
        [("words", TfidfVectorizer(), "content"), ("numbers", StandardScaler(), ["long", "size"])]
    )
    fitted = Pipeline([("columns", columns), ("model", LogisticRegression())])
    fitted.fit(taken, mails["label"])
    content = 'content = title + " " + message'
    say = ["--derive", content, "--derive", "long = length(message)"]
    add(tmp_path, mails, fitted, *say)
    assert [field.kind for field in load(tmp_path).card.fields] == ["text", "text", "integer"]
    compare(mails, tmp_path, fitted, taken)
    fitted.set_params(columns__numbers="drop").fit(taken, mails["label"])
    rows = mails[["title", "message", "label"]].assign(long=1.5, size=1)
    assert "so it reads" in add(tmp_path, rows, fitted, "--force", code=0)


def test_a_text_that_was_filled_may_be_left_empty(mails: pd.DataFrame, tmp_path: Path) -> None:
    rows = mails[["message", "size", "label"]].copy()
    rows.loc[::7, "message"] = None
    taken = rows[["message", "size"]].fillna({"message": ""})
    columns = ColumnTransformer(
        [("words", TfidfVectorizer(), "message"), ("size", StandardScaler(), ["size"])]
    )
    fitted = Pipeline([("columns", columns), ("model", LogisticRegression())])
    fitted.fit(taken, mails["label"])
    said = add(tmp_path, rows, fitted)
    say = 'message = fill(message, "")'
    assert f"like --derive '{say}'" in said
    add(tmp_path, rows, fitted, "--force", "--derive", say)
    model = load(tmp_path)
    assert [field.required for field in model.card.fields] == [False, True]
    compare(rows, tmp_path, fitted, taken)


def test_a_word_that_stood_for_an_empty_text_joins_no_other_column(
    mails: pd.DataFrame, tmp_path: Path
) -> None:
    """The model knows "unknown", and none of the other words of the channel."""
    rows = mails[["message", "label"]].assign(
        channel=np.resize(["mail", "letter", "unknown"], len(mails))
    )
    rows.loc[::9, "message"] = None
    fitted = make_pipeline(CountVectorizer(), LogisticRegression())
    fitted.fit(rows["message"].fillna("unknown"), rows["label"])
    said = add(tmp_path, rows, fitted)
    assert load(tmp_path).card.names == ("message",)
    assert "No single column" not in said


def test_a_join_is_found_also_where_the_vectoriser_has_code_of_its_own(
    mails: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "own_cleaning.py"
    module.write_text("def clean(text):\n    return text.lower().replace('re', 'to ')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    from own_cleaning import clean  # type: ignore[import-not-found]  # written just now

    texts = mails["author"].fillna("") + " " + mails["title"]
    fitted = make_pipeline(TfidfVectorizer(preprocessor=clean), LogisticRegression())
    fitted.fit(texts, mails["label"])
    said = add(tmp_path, mails, fitted, "--trust", "--module", module)
    assert 'so it reads fill(author, "") + " " + title.' in said
    compare(mails, tmp_path, fitted, texts)


def test_a_third_column_of_few_words_is_joined_too(mails: pd.DataFrame, tmp_path: Path) -> None:
    """Two of the columns have nearly all the words."""
    rows = mails.assign(list=np.resize(["Alpha", "Beta", "Gamma"], len(mails)))
    texts = rows["author"].fillna("") + " " + rows["title"] + " " + rows["list"]
    fitted = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, rows["label"])
    said = add(tmp_path, rows[["author", "title", "list", "label"]], fitted)
    assert 'it reads fill(author, "") + " " + title + " " + list.' in said
    compare(rows, tmp_path, fitted, texts)


def test_a_join_of_columns_with_the_same_words_is_found_among_the_rows_of_the_fit(
    tmp_path: Path,
) -> None:
    """Each column has every word; held-out rows blur how frequent they were."""
    rng = np.random.default_rng(0)
    labels = rng.choice(["fake", "real"], 800)
    words = {
        "fake": ["miracle", "secret", "cure", "alien"],
        "real": ["budget", "court", "vote", "tax"],
    }
    usual = [f"word{letter}" for letter in "abcdefghijkl"]

    def write(label: str, count: int) -> str:
        return " ".join(
            rng.choice(words[label]) if rng.random() < 0.2 else rng.choice(usual)
            for _ in range(count)
        )

    rows = pd.DataFrame(
        {
            "title": [write(label, 8) for label in labels],
            "text": [write(label, 30) for label in labels],
            "label": labels,
        }
    )
    texts = rows["title"] + " " + rows["text"]
    fitted = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts[:600], labels[:600])
    rows[600:].to_csv(tmp_path / "unseen.csv", index=False)
    said = add(tmp_path, rows[:600], fitted, "--holdout", tmp_path / "unseen.csv")
    assert 'so it reads title + " " + text.' in said
    assert set(load(tmp_path).card.names) == {"title", "text"}
