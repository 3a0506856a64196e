"""Models of texts, as tutorials save them: added, checked, and held against scikit-learn."""

from __future__ import annotations

import pickle
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import (
    ENGLISH_STOP_WORDS,
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler
from sklearn.svm import LinearSVC

from model import ClassModel, NumberModel, load_model
from model.making.steps.changed_texts import describe_changed_texts
from tests.messages import COMMON, fit_columns, make_messages
from tests.model.making.conftest import run

UNSEEN = make_messages(60, seed=7)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The messages with their labels, and nothing else."""
    path = tmp_path_factory.mktemp("data") / "messages.csv"
    make_messages()[["message", "label"]].to_csv(path, index=False)
    return path


def add(folder: Path, data: Path, *more: object, target: str = "label", code: int = 0) -> str:
    arguments = ["--name", "texts", "--data", data, "--target", target, "--models", folder]
    result = run("add", *arguments, *more)
    assert result.exit_code == code, result.output
    return result.output


def save(fitted: Any, path: Path) -> Path:
    joblib.dump(fitted, path)
    return path


def load(folder: Path) -> ClassModel | NumberModel:
    found = load_model(folder / "texts")
    assert isinstance(found, ClassModel | NumberModel)
    return found


MODELS: dict[str, tuple[Callable[[], Pipeline], str]] = {
    "bayes": (
        lambda: make_pipeline(
            CountVectorizer(ngram_range=(1, 2), stop_words="english"), MultinomialNB()
        ),
        "model.onnx",
    ),
    "parts of words": (
        lambda: make_pipeline(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3)), LinearSVC()),
        "model.onnx",
    ),
    "three steps": (
        lambda: make_pipeline(CountVectorizer(), TfidfTransformer(), SGDClassifier(random_state=0)),
        "model.onnx",
    ),
    "forest": (
        lambda: make_pipeline(
            TfidfVectorizer(), RandomForestClassifier(10, random_state=0, n_jobs=1)
        ),
        "model.onnx",
    ),
    "hashed": (
        lambda: make_pipeline(HashingVectorizer(n_features=2**12), LogisticRegression()),
        "model.joblib",
    ),
    "words and their parts": (
        lambda: make_pipeline(
            FeatureUnion(
                [
                    ("words", TfidfVectorizer()),
                    ("parts", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4))),
                ]
            ),
            LogisticRegression(),
        ),
        "model.joblib",
    ),
    "calibrated": (
        lambda: CalibratedClassifierCV(make_pipeline(TfidfVectorizer(), LinearSVC()), cv=2),
        "model.joblib",
    ),
}


@pytest.mark.parametrize("name", list(MODELS))
def test_unseen_texts_get_the_answer_of_scikit_learn(name: str, data: Path, tmp_path: Path) -> None:
    make, served = MODELS[name]
    rows = make_messages()
    fitted = make().fit(rows["message"], rows["label"])
    add(tmp_path, data, save(fitted, tmp_path / "model.joblib"))
    model = load(tmp_path)
    assert model.manifest.served == served
    found = model.explain([{"message": text} for text in UNSEEN["message"]])
    labels = [each.prediction.label for each in found]  # type: ignore[union-attr]  # of classes
    assert labels == fitted.predict(UNSEEN["message"]).tolist()
    spoken = [max(each.texts[0].parts.items(), key=lambda item: item[1]) for each in found]
    assert all(amount >= 0 for _, amount in spoken)


def test_a_text_beside_a_number_and_a_choice_is_one_field(tmp_path: Path) -> None:
    rows = make_messages()
    path = tmp_path / "messages.csv"
    rows.to_csv(path, index=False)
    fitted = fit_columns(rows)
    add(tmp_path, path, save(fitted, tmp_path / "model.joblib"), "--publish-rows")
    model = load(tmp_path)
    assert isinstance(model, ClassModel)
    assert [field.kind for field in model.card.fields] == ["text", "integer", "choice"]
    assert model.manifest.served == "model.onnx"
    unseen = UNSEEN.drop(columns="label").to_dict("records")
    found = model.explain(unseen, "size")
    assert [each.prediction.label for each in found] == fitted.predict(UNSEEN).tolist()
    assert np.allclose(
        np.array([each.prediction.probabilities for each in found], dtype=float),
        fitted.predict_proba(UNSEEN),
        atol=1e-4,
    )
    first = found[0]
    assert first.texts[0].exact
    assert first.ice_curve is not None
    assert len(first.neighbors) == 3
    words = set(str(unseen[0]["message"]).lower().split())
    assert words & set(str(first.neighbors[0].features["message"]).lower().split())


def test_columns_that_the_model_drops_or_that_are_derived_may_stand_beside_a_text(
    tmp_path: Path,
) -> None:
    """Those that it drops may hold what no step of it could take: times, and yes with holes."""
    rows = make_messages()
    given = rows.assign(sent="07:30", read=np.resize([True, False, None], len(rows)))
    given = given[["sent", "message", "size", "read", "channel"]]
    columns = ColumnTransformer(fit_columns(rows).named_steps["columns"].transformers)
    model = Pipeline([("columns", columns), ("model", LogisticRegression())])
    model.fit(given.assign(size=given["size"] / 100), rows["label"])
    path = tmp_path / "columns.csv"
    given.assign(label=rows["label"]).to_csv(path, index=False)
    file = save(model, tmp_path / "model.joblib")
    said = add(tmp_path, path, file, "--derive", "size = size / 100")
    assert "The form does not ask for what the model drops: sent, read." in said
    assert "Served: as ONNX" in said
    names = ["message", "size", "channel"]
    found = [each.label for each in load(tmp_path).predict(UNSEEN[names].to_dict("records"))]  # type: ignore[union-attr]
    asked = UNSEEN.assign(sent="", read=None, size=UNSEEN["size"] / 100)
    assert found == model.predict(asked[given.columns]).tolist()


def test_models_that_look_at_some_of_the_words_are_added(data: Path, tmp_path: Path) -> None:
    rows = make_messages()
    bagged = BaggingClassifier(LogisticRegression(), 3, max_features=0.5, random_state=0)
    fitted = make_pipeline(TfidfVectorizer(), bagged).fit(rows["message"], rows["label"])
    add(tmp_path, data, save(fitted, tmp_path / "bagged.joblib"))


def test_a_union_takes_a_text_beside_a_number(tmp_path: Path) -> None:
    rows = make_messages()
    rows.to_csv(tmp_path / "messages.csv", index=False)
    words = FeatureUnion(
        [("words", TfidfVectorizer()), ("hashed", HashingVectorizer(n_features=64))]
    )
    union = FeatureUnion(
        [
            ("text", ColumnTransformer([("words", words, "message")])),
            ("size", ColumnTransformer([("size", StandardScaler(), ["size"])])),
        ]
    )
    columns = ["message", "size"]
    fitted = make_pipeline(union, LogisticRegression()).fit(rows[columns], rows["label"])
    add(tmp_path, tmp_path / "messages.csv", save(fitted, tmp_path / "model.joblib"))
    model = load(tmp_path)
    assert [field.kind for field in model.card.fields] == ["text", "integer"]
    found = model.explain(UNSEEN[columns].to_dict("records"))
    labels = [each.prediction.label for each in found]  # type: ignore[union-attr]  # of classes
    assert labels == fitted.predict(UNSEEN[columns]).tolist()
    assert all(each.texts[0].parts for each in found)


def test_a_vectoriser_in_a_file_of_its_own_goes_before_the_model(
    data: Path, tmp_path: Path
) -> None:
    rows = make_messages()
    vectorizer, encoder = TfidfVectorizer(), LabelEncoder()
    matrix = vectorizer.fit_transform(rows["message"])
    fitted = MultinomialNB().fit(matrix, encoder.fit_transform(rows["label"]))
    paths = {}
    for name, part in (("model", fitted), ("vectorizer", vectorizer), ("labels", encoder)):
        paths[name] = tmp_path / f"{name}.pkl"
        paths[name].write_bytes(pickle.dumps(part))
    said = add(
        tmp_path, data, paths["model"], paths["labels"], "--before", paths["vectorizer"], "--yes"
    )
    assert "with vectorizer.pkl before it; classes named by labels.pkl" in said
    found = load(tmp_path).predict([{"message": text} for text in UNSEEN["message"]])
    expected = encoder.inverse_transform(fitted.predict(vectorizer.transform(UNSEEN["message"])))
    assert [each.label for each in found] == expected.tolist()  # type: ignore[union-attr]


def test_a_model_that_took_the_words_as_an_array_gets_them_so(data: Path, tmp_path: Path) -> None:
    """As tutorials write it: ``vectorizer.fit_transform(texts).toarray()``."""
    rows = make_messages()
    vectorizer = CountVectorizer(max_features=30)
    fitted = GaussianNB().fit(vectorizer.fit_transform(rows["message"]).toarray(), rows["label"])
    files = [save(fitted, tmp_path / "nb.pkl"), save(vectorizer, tmp_path / "cv.pkl")]
    assert "with cv.pkl before it" in add(tmp_path, data, *files, "--yes")
    found = load(tmp_path).predict([{"message": text} for text in UNSEEN["message"]])
    expected = fitted.predict(vectorizer.transform(UNSEEN["message"]).toarray())
    assert [each.label for each in found] == expected.tolist()  # type: ignore[union-attr]


def test_a_vectoriser_that_needs_code_is_named_where_its_model_comes_without(
    data: Path, tmp_path: Path
) -> None:
    rows = make_messages()
    vectorizer = TfidfVectorizer(preprocessor=lambda text: text.upper())
    fitted = MultinomialNB().fit(vectorizer.fit_transform(rows["message"]), rows["label"])
    (tmp_path / "tfidf.pkl").write_bytes(cloudpickle.dumps(vectorizer))
    said = add(tmp_path, data, save(fitted, tmp_path / "nb.pkl"), tmp_path / "tfidf.pkl", code=1)
    assert "tfidf.pkl" in said
    assert "columns" not in said


@pytest.mark.parametrize("change", ["words cut short", "words left out"])
def test_texts_that_code_changed_before_the_vectoriser_are_noticed(
    change: str, data: Path, tmp_path: Path
) -> None:
    """Words that code leaves out change no answer, and endings that it cuts off do."""

    def clean(text: str) -> str:
        words = [word.strip(".,!") for word in text.lower().split()]
        if change == "words cut short":
            return " ".join(word[:4] for word in words)
        return " ".join(word for word in words if word not in COMMON)

    rows = make_messages()
    vectorizer = TfidfVectorizer()
    matrix = vectorizer.fit_transform(rows["message"].map(clean))
    fitted = MultinomialNB().fit(matrix, rows["label"])
    files = [save(fitted, tmp_path / "nb.pkl"), save(vectorizer, tmp_path / "tfidf.pkl")]
    if change == "words left out":
        add(tmp_path, data, *files, "--yes")
        return
    said = add(tmp_path, data, *files, "--yes", code=4)
    assert "are in no text here, such as 'agen', 'bonu', 'chea'" in said
    assert "preprocessor=clean" in said
    add(tmp_path, data, *files, "--yes", "--as-is")


@pytest.mark.parametrize("options", [{"max_features": 2000}, {"min_df": 20}])
def test_a_sample_of_the_texts_is_enough(options: dict[str, int]) -> None:
    """Words are as rare as in a language, and the vectoriser does not know the rarest."""
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, 20_001)
    words = rng.choice(20_000, (5000, 25), p=shares / shares.sum())
    texts = [" ".join(f"word{number}" for number in row) for row in words]
    fitted = make_pipeline(CountVectorizer(**options), SGDClassifier(max_iter=5, tol=None))
    fitted.fit(texts, np.arange(5000) % 2)
    sample = pd.DataFrame({"text": texts[:300]})
    assert describe_changed_texts(fitted, sample) == ""
    sample["text"] = sample["text"].str.replace("word", "a word of ")
    assert "it knows 0% of the frequent words" in describe_changed_texts(fitted, sample)


def test_parts_of_rare_words_in_a_sample_are_no_change() -> None:
    """Of "send_mail" the model knows "mail", which is in no other of so few texts."""
    rng = np.random.default_rng(0)
    words = np.array([f"{a}{b}{c}" for a in "bcdf" for b in "aeiou" for c in "lmnprst"])
    shares = 1 / np.arange(1, len(words) + 1)
    drawn = rng.choice(words, (3000, 6), p=shares / shares.sum())
    texts = [" ".join([*row[:4], "_".join(row[4:])]) for row in drawn]
    fitted = make_pipeline(CountVectorizer(min_df=5), SGDClassifier(max_iter=5, tol=None))
    fitted.fit(texts, np.arange(3000) % 2)
    assert not describe_changed_texts(fitted, pd.DataFrame({"text": texts[:60]}))


def test_a_few_frequent_words_that_code_joined_are_noticed() -> None:
    """Most of the words stay, but "you're" had become "youre" and "don't" "dont"."""
    rows = make_messages()
    texts = rows["message"] + np.resize([" I don't.", " You're in.", " It isn't."], len(rows))
    fitted = make_pipeline(TfidfVectorizer(), LogisticRegression())
    fitted.fit(texts.str.replace("'", ""), rows["label"])
    said = describe_changed_texts(fitted, pd.DataFrame({"message": texts}))
    assert "3 are in no text here, such as 'dont', 'isnt', 'youre'" in said
    fitted.fit(texts, rows["label"])
    assert describe_changed_texts(fitted, pd.DataFrame({"message": texts[:100]})) == ""


CLEANINGS: dict[str, tuple[Callable[[str], str], str]] = {
    "punctuation": (
        lambda text: text.translate(str.maketrans("", "", string.punctuation)),
        "only where punctuation is taken out, such as 'dont'",
    ),
    "letters": (
        lambda text: re.sub("[^a-zA-Z]", " ", text),
        "only where all but letters becomes blanks, such as 'iter', 'max'",
    ),
    "usual words": (
        lambda text: " ".join(word for word in text.split() if word not in ENGLISH_STOP_WORDS),
        "are as frequent as when it was fitted only where usual words are taken out",
    ),
    "addresses": (
        lambda text: re.sub(r"https?://\S+", "", text),
        "are as frequent as when it was fitted only where addresses of the web are taken out",
    ),
    "nothing": (lambda text: text, ""),
}


@pytest.mark.parametrize("name", list(CLEANINGS))
@pytest.mark.parametrize("counts", ["by tf-idf", "by naive Bayes"])
def test_what_tutorials_do_to_texts_before_the_vectoriser_is_noticed(
    name: str, counts: str
) -> None:
    """Most words stay, so the answers would differ in silence."""
    clean, expected = CLEANINGS[name]
    rng = np.random.default_rng(0)
    begun = ["".join(rng.choice(list("bcdfgaeiou"), 5)) for _ in range(300)]
    extra = ["with max_iter 20", "why don't you", "see http://docs.org/free-cash", "all, the end"]
    messages = make_messages(600)
    texts = [
        f"{text} {' '.join(rng.choice(begun, 8))} {extra[number % 4]} the{'.' * (number % 2)}"
        for number, text in enumerate(messages["message"])
    ]
    vectorizer = TfidfVectorizer() if counts == "by tf-idf" else CountVectorizer()
    fitted = make_pipeline(vectorizer, MultinomialNB())
    fitted.fit(list(map(clean, texts)), messages["label"])
    said = describe_changed_texts(fitted, pd.DataFrame({"message": texts}))
    assert expected in said
    assert bool(said) == bool(expected)
    if name == "nothing":  # also where it was fitted to most of them, or to as many of each class
        for index in (messages.index[::2], messages.groupby("label").head(150).index):
            fitted.fit([texts[place] for place in index], messages["label"][index])
            assert not describe_changed_texts(fitted, pd.DataFrame({"message": texts}))


def test_a_file_in_another_encoding_is_named_as_the_reason() -> None:
    """Cyrillic of Windows-1251, which is read as Windows-1252."""
    said = ["очень хорошо был", "плохо был ужасно", "дорого и плохо", "хорошо и вкусно"]
    texts = [f"{said[number % 4]} {number}" for number in range(80)]
    fitted = make_pipeline(CountVectorizer(), MultinomialNB()).fit(texts, [1, 0, 0, 1] * 20)
    garbled = [text.encode("cp1251").decode("cp1252") for text in texts]
    found = describe_changed_texts(fitted, pd.DataFrame({"review": garbled}))
    assert found.endswith("such as 'áûë'. Save the data as UTF-8.")
    others = [f"Zoé Bühler Łódź {number}" for number in range(80, 83)]  # rare words of any text
    assert "UTF-8" not in describe_changed_texts(fitted, pd.DataFrame({"review": others}))
    assert not describe_changed_texts(fitted, pd.DataFrame({"review": texts}))


def test_stems_are_noticed_where_most_frequent_words_stay_as_they_are() -> None:
    """No frequencies are kept, and most words have no ending."""
    messages = make_messages(600)
    endings = np.resize(["ation", "ies", "ing", "ed", "ly"], 25)
    words = [f"{chr(97 + place) * 4}{ending}" for place, ending in enumerate(endings)]
    others = [f"word{number} word{number + 100}" for number in range(100)]
    texts = messages["message"] + [
        f" {words[number % 25]} {others[number % 100]}" for number in range(600)
    ]
    stemmed = texts.str.replace(r"\b(([a-z])\2{3})(?:ation|(i)es|ing|ed|ly)\b", r"\1\3", regex=True)
    fitted = make_pipeline(CountVectorizer(), SGDClassifier(random_state=0))
    fitted.fit(stemmed, messages["label"])
    said = describe_changed_texts(fitted, pd.DataFrame({"message": texts}))
    assert "25 words that the model knows of message and no text has are stems" in said
    fitted.fit(texts, messages["label"])
    assert not describe_changed_texts(fitted, pd.DataFrame({"message": texts[:50]}))


def test_of_texts_and_what_code_made_of_them_those_with_the_words_of_the_model_are_taken(
    tmp_path: Path,
) -> None:
    """One made text is empty, so that the model does not answer its row."""
    rows = make_messages()
    rows["clean"] = rows["message"].map(lambda text: " ".join(w[:4] for w in text.split()[1:]))
    vectorizer = TfidfVectorizer()
    matrix = vectorizer.fit_transform(rows["clean"])
    rows.loc[0, "clean"] = None
    path = tmp_path / "both.csv"
    rows[["message", "clean", "label"]].to_csv(path, index=False)
    files = [
        save(MultinomialNB().fit(matrix, rows["label"]), tmp_path / "nb.pkl"),
        save(vectorizer, tmp_path / "tfidf.pkl"),
    ]
    said = " ".join(add(tmp_path, path, *files, "--yes").split())
    assert load(tmp_path).card.names == ("clean",)
    assert "If your code made it of message, fit the vectoriser anew to message" in said
    assert "fill(" not in said


def test_where_texts_were_joined_it_is_said_what_to_write(tmp_path: Path) -> None:
    """Either column tells as much, and without idf nothing tells how frequent its words were."""
    rows = make_messages().sort_values("label", ignore_index=True)
    rows["title"] = rows.groupby("label")["message"].transform(lambda texts: texts[::-1].values)
    joined = rows["title"] + " " + rows["message"]
    vectorizer = TfidfVectorizer(use_idf=False)
    fitted = make_pipeline(vectorizer, MultinomialNB()).fit(joined, rows["label"])
    path, file = tmp_path / "joined.csv", save(fitted, tmp_path / "nb.pkl")
    rows[["title", "message", "label"]].to_csv(path, index=False)
    said = " ".join(add(tmp_path, path, file, code=4).split())
    assert "--features message or --features title. Where your code joined columns" in said
    rows.assign(text=joined).to_csv(path, index=False)
    add(tmp_path, path, file, "--features", "text")
    assert load(tmp_path).card.names == ("text",)


def test_a_number_is_learned_from_a_text(tmp_path: Path) -> None:
    rows = make_messages()
    rows["score"] = rows["message"].map(lambda text: 2.0 * text.lower().count("free") + 1)
    path = tmp_path / "scores.csv"
    rows[["message", "score"]].to_csv(path, index=False)
    fitted = make_pipeline(CountVectorizer(), Ridge(alpha=0.01)).fit(rows["message"], rows["score"])
    add(tmp_path, path, save(fitted, tmp_path / "model.joblib"), target="score")
    (found,) = load(tmp_path).explain([{"message": "Free lunch, free dinner today"}])
    assert found.prediction.value == pytest.approx(  # type: ignore[union-attr]  # a number
        fitted.predict(["Free lunch, free dinner today"])[0], rel=1e-4
    )
    assert found.texts[0].parts["free"] == pytest.approx(4, abs=0.2)


def test_the_column_of_the_texts_is_found_among_others(tmp_path: Path) -> None:
    rows = make_messages()
    rows["subject"] = rows["channel"]
    path = tmp_path / "messages.csv"
    rows[["channel", "subject", "message", "label"]].to_csv(path, index=False)
    fitted = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(
        rows["message"], rows["label"]
    )
    add(tmp_path, path, save(fitted, tmp_path / "model.joblib"))
    assert load(tmp_path).card.names == ("message",)


def test_without_published_rows_no_text_of_the_data_is_in_what_visitors_see(
    data: Path, tmp_path: Path
) -> None:
    rows = make_messages()
    fitted = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(
        rows["message"], rows["label"]
    )
    said = add(tmp_path, data, save(fitted, tmp_path / "model.joblib"))
    assert "rounded medians and words that 10 texts or more have" in " ".join(said.split())
    card = (tmp_path / "texts" / "card.toml").read_text(encoding="utf-8")
    manifest = (tmp_path / "texts" / "manifest.json").read_text(encoding="utf-8")
    for text in rows["message"]:
        beginning = text.split("\n")[0]
        assert beginning not in card + manifest
    for example in load(tmp_path).card.examples:
        counts = [int(rows["message"].str.contains(word, case=False).sum())
                  for word in str(example.values["message"]).split()]  # fmt: skip
        assert min(counts) >= 10


@pytest.mark.parametrize(
    ("texts", "composes"),
    [("plain cafe\u0301", False), ("plain café", True), ("plain words", True)],
)
def test_texts_are_composed_unless_that_changes_an_answer(
    texts: str, composes: bool, tmp_path: Path
) -> None:
    rows = make_messages()[["message", "label"]]
    spam = rows["label"] == "spam"
    rows.loc[spam, "message"] += f" {texts}"
    path = tmp_path / "messages.csv"
    rows.to_csv(path, index=False)
    pattern = r"\S+"
    fitted = make_pipeline(
        TfidfVectorizer(token_pattern=pattern, lowercase=False), LogisticRegression()
    ).fit(rows["message"], rows["label"])
    add(tmp_path, path, save(fitted, tmp_path / "model.joblib"))
    assert load(tmp_path).card.fields[0].nfc is composes  # type: ignore[union-attr]  # a text


SPLIT = """
def split_words(text):
    return text.lower().replace("!", " ").split()
"""


def test_a_tokeniser_of_ones_own_is_named_and_loaded_with_its_module(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "own_words.py"
    module.write_text(SPLIT)
    monkeypatch.syspath_prepend(str(tmp_path))
    from own_words import split_words  # type: ignore[import-not-found]  # written just now

    rows = make_messages()
    fitted = make_pipeline(
        CountVectorizer(tokenizer=split_words, token_pattern=None), MultinomialNB()
    ).fit(rows["message"], rows["label"])
    path = save(fitted, tmp_path / "model.joblib")
    assert "own_words.split_words" in add(tmp_path, data, path, code=1)
    said = add(tmp_path, data, path, "--module", module, "--trust")
    assert "code of its own" in said
    found = load(tmp_path).predict([{"message": text} for text in UNSEEN["message"]])
    assert [each.label for each in found] == fitted.predict(  # type: ignore[union-attr]
        UNSEEN["message"]
    ).tolist()


def test_a_function_without_a_name_is_named_and_what_to_write_instead(
    data: Path, tmp_path: Path
) -> None:
    rows = make_messages()
    split = CountVectorizer(tokenizer=lambda text: text.split(), token_pattern=None)
    fitted = make_pipeline(split, MultinomialNB()).fit(rows["message"], rows["label"])
    path = tmp_path / "model.pkl"
    path.write_bytes(cloudpickle.dumps(fitted))
    assert f"{__name__}.<lambda>" in add(tmp_path, data, path, code=1)
    said = " ".join(add(tmp_path, data, path, "--trust", code=1).split())
    assert "<lambda>" in said
    assert "Write what it names as a function with a name into a Python file" in said
    assert not (tmp_path / "texts").exists()


def test_rows_with_an_empty_text_are_left_out(data: Path, tmp_path: Path) -> None:
    rows = make_messages()[["message", "label"]]
    fitted = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(
        rows["message"], rows["label"]
    )
    rows.loc[:4, "message"] = None
    path = tmp_path / "holes.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    said = add(tmp_path, path, save(fitted, tmp_path / "model.joblib"))
    assert "5 rows without message are left out" in " ".join(said.split())
