"""A vectoriser without scikit-learn gives what scikit-learn gives."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer

from model.contract.arrays import Float64Array
from model.making.steps.texts import describe_vectorizer
from model.serving.texts.analyzer import Analyzer
from model.serving.texts.reasons import TextReasons, leave_words_out, list_variants, locate
from model.serving.texts.similarity import TextIndex
from model.serving.texts.vectorizer import Vectorizer

TEXTS = (
    "Hello hello WORLD, it's a test!",
    "",
    "  ",
    "a b c",
    "Ünïcode naïve café ﬁne ½ İstanbul straße STRASSE",
    "tabs\tand\nnew   lines\r\nx",
    "日本語 テスト 日本",
    "don't stop-me now 123 abc123",
    "e\u0301clair é\u0301 \u200bzero",
    "🙂 emoji 🙂 ok",
    "the the the and of word word",
)


def transform(vectorizer: Vectorizer, texts: tuple[str, ...] = TEXTS) -> Float64Array:
    made = np.zeros((len(texts), vectorizer.width))
    for row, text in enumerate(texts):
        columns, weights = vectorizer.transform(text)
        made[row, columns] = weights
    return made


@pytest.mark.parametrize("analyzer", ["word", "char", "char_wb"])
def test_every_option_gives_the_same_weights(analyzer: str) -> None:
    options = itertools.product(
        [(1, 1), (1, 2), (2, 3)],
        [True, False],
        [None, "ascii", "unicode"],
        [None, "english", ["hello", "it"]] if analyzer == "word" else [None],
        [True, False],
        [None, "l1", "l2"],
        [(True, False), (False, True)],
    )
    for ngrams, lower, accents, stop, sublinear, norm, (binary, idf) in options:
        with warnings.catch_warnings(action="ignore"):  # of stop words that the pattern splits
            given = TfidfVectorizer(
                analyzer=analyzer, ngram_range=ngrams, lowercase=lower, strip_accents=accents,
                stop_words=stop, sublinear_tf=sublinear, norm=norm, binary=binary, use_idf=idf,
            ).fit(TEXTS)  # fmt: skip
            expected = given.transform(TEXTS).toarray()
        own = describe_vectorizer([given], TEXTS)
        assert np.allclose(transform(own), expected, rtol=1e-12, atol=1e-15), given


@pytest.mark.parametrize(
    "pattern", [r"\S+", r"(?u)\b\w+\b", r"[a-z]{3,}", r"#?\w+", r"\b([a-z])\w+"]
)
def test_a_pattern_of_ones_own_gives_the_same_words(pattern: str) -> None:
    given = CountVectorizer(token_pattern=pattern).fit(TEXTS)
    own = describe_vectorizer([given], TEXTS)
    assert np.array_equal(transform(own), given.transform(TEXTS).toarray())


def test_counts_with_their_tf_idf_behind_them_are_one_step(tmp_path: Path) -> None:
    counts = CountVectorizer().fit(TEXTS)
    weights = TfidfTransformer(sublinear_tf=True).fit(counts.transform(TEXTS))
    own = describe_vectorizer([counts, weights], TEXTS)
    own.save(tmp_path / "texts.npz")
    read = Vectorizer.load(tmp_path / "texts.npz")
    expected = weights.transform(counts.transform(TEXTS)).toarray()
    assert np.allclose(transform(read), expected, rtol=1e-12, atol=1e-15)
    assert read.options == own.options


@pytest.mark.parametrize(
    ("text", "is_guess"),
    [("hello world", False), ("hello", True), ("hello hello", True), ("", True),
     ("hello world one two three four five six seven eight nine", True),
     ("hello world one two three four five six", False)],
)  # fmt: skip
def test_an_answer_to_a_text_of_unknown_words_is_a_guess(text: str, is_guess: bool) -> None:
    own = describe_vectorizer([CountVectorizer().fit(["hello world"])], ["hello world"])
    assert own.measure(text).is_guess is is_guess


def test_a_vectoriser_that_hashes_knows_the_words_of_the_data_without_having_them() -> None:
    from sklearn.feature_extraction.text import HashingVectorizer

    own = describe_vectorizer([HashingVectorizer(n_features=16)], ["hello big world"])
    assert not own.options.transforms
    assert own.measure("hello small world")[:2] == (2, 2)
    assert not own.vocabulary


def test_a_word_is_left_out_wherever_it_stands() -> None:
    variants = list_variants("Good, good! Not good: bad.", Analyzer())
    assert variants["good"] == ", ! Not : bad."
    assert list(variants) == ["good", "not", "bad"]


@pytest.mark.parametrize(
    ("ngrams", "words", "calls"),
    [
        ((1, 1), ["good", "bad"], 3),  # a stop word makes no difference
        ((1, 2), ["good", "bad"], 3),
        ((2, 2), ["good", "odd", "bad"], 4),
    ],
)
def test_an_answer_falls_by_what_each_word_gave_it(
    ngrams: tuple[int, int], words: list[str], calls: int
) -> None:
    fitted = CountVectorizer(ngram_range=ngrams, stop_words=["odd"]).fit(["good bad"])
    own = describe_vectorizer([fitted], ["good bad"])
    asked: list[str] = []

    def answer(texts: Sequence[str]) -> Float64Array:
        asked.extend(texts)
        return np.array([2.0 * ("good" in text) - ("bad" in text) for text in texts])

    text = "good odd bad"
    before = TextReasons("text", text, own.measure(text))
    found = leave_words_out(before, own, answer)
    amounts = {"good": 2.0, "odd": 0.0, "bad": -1.0}
    assert found.parts == {word: amounts[word] for word in words}
    assert (len(asked), asked[0], found.untried, found.exact) == (calls, text, 0, False)


def test_a_text_of_very_many_words_has_the_first_left_out_and_says_how_many_were_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("model.serving.texts.reasons.MOST_LEFT_OUT", 2)
    own = describe_vectorizer([CountVectorizer().fit(["a1 b1 c1"])], ["a1 b1 c1"])
    before = TextReasons("text", "a1 b1 c1 b1", own.measure("a1 b1 c1 b1"))
    found = leave_words_out(before, own, lambda texts: np.array([*map(len, texts)], float))
    assert found.parts == {"a1": 2.0, "b1": 4.0}
    assert found.untried == 1


def test_words_in_a_row_share_their_amount() -> None:
    parts: dict[str, float] = {"not good": 1.0, "good": -0.25, "bad": 0.0}
    spans = locate("Not GOOD, bad", parts, Analyzer(ngram_range=(1, 2)))
    assert [(span.start, span.stop, span.amount) for span in spans] == [
        (0, 3, 0.5), (4, 8, 0.25), (10, 13, 0.0),
    ]  # fmt: skip


def test_the_nearest_text_has_the_same_rare_words() -> None:
    texts = ["the cat sat on the mat", "the dog ran to the park", "a cat and a mat", ""]
    index = TextIndex(texts, Analyzer())
    distances = index.compute_distances("Mat of the CAT")
    assert int(distances.argmin()) in (0, 2)
    assert distances[3] == 1
    assert np.allclose(index.compute_distances("unheard of"), 1)
    assert index.compute_distances(texts[1])[1] == pytest.approx(0, abs=1e-6)


def test_a_linear_score_is_the_sum_of_its_words() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from model.making.steps.texts import describe_texts

    classes = ["one", "two", "three"] * 3
    fitted: Any = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS[:9], classes)
    own = describe_texts(fitted, ["text"], {"text": TEXTS})["text"]
    scores = fitted.decision_function(TEXTS) - fitted[-1].intercept_
    for text, score in zip(TEXTS, scores, strict=True):
        for place in range(3):
            expected = score[place] - np.delete(score, place).mean()
            assert sum(own.score_terms(text, place, text).values()) == pytest.approx(
                expected, abs=1e-5
            )
