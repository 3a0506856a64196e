"""Texts that an author's code changed before the vectoriser, told by the words that it knows."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS
from sklearn.naive_bayes import MultinomialNB

from model.making.steps.fitted_steps import list_steps
from model.making.steps.texts import (
    count_texts,
    describe_vectorizer,
    list_branches,
    list_texts,
    measure_frequencies,
)
from model.serving.texts.vectorizer import Vectorizer

_ABSENT = 0.1
"""The share of a vectoriser's words that are in no text from which its texts were others."""
_KNOWN = 0.8
"""The share of the frequent words in the texts that it knows from which they are its own all
the same: many of its rare words are in no text of a sample, and it may know no rare ones."""
_FREQUENT = 5
"""Times that a word is in the texts from which it is a frequent one."""
_EXPECTED = 10
"""Texts here that should have a word, by the share of the fit's, from which one of them would."""
_LOST, _LEAST_LOST = 0.02, 3
"""The share of such words that are in no text from which code made them, and the least of them."""
_MOST_CHARACTERS = 3_000_000
"""Characters of the texts that are changed as code may have done it."""
_GAINED = 0.005
"""The share of the words found from which more of them prove a change. They must be more than the
root of those that are absent, too: many are from a sample, and some are in any other words."""
_CLOSER, _FAR = 0.5, 1e-3
"""How much nearer the words' frequencies come by a change that was made, and from where on."""

_LEAST_CUT, _CUT = 10, 0.2
"""From so many stems on, and so large a share of the frequent unknown words, words were cut."""
_SHORTEST_STEM, _LONGEST_ENDING = 3, 5

_CHANGES: Mapping[str, Callable[[str], str]] = {
    "punctuation is taken out": lambda text: re.sub(r"[^\w\s]|_", "", text),
    "all but letters is taken out": lambda text: re.sub(r"[^a-zA-Z\s]", "", text),
    "all but letters becomes blanks": lambda text: re.sub(r"[^a-zA-Z]", " ", text),
    "digits are taken out": lambda text: re.sub(r"\d+", "", text),
    "tags like <br> are taken out": lambda text: re.sub(r"<[^>]+>", "", text),
    "plurals become singulars": lambda text: re.sub(r"(?<=\w\w[^\Wsui])s\b", "", text),
    "contractions are written out": lambda text: re.sub(
        r"n't\b", " not", text.replace("can't", "can not").replace("won't", "will not")
    ),
    "usual words are taken out": lambda text: " ".join(
        word for word in text.split() if word.lower() not in ENGLISH_STOP_WORDS
    ),
    "addresses of the web are taken out": lambda text: re.sub(r"https?://\S+|www\.\S+", "", text),
}
"""What tutorials do to texts, in words."""


def describe_changed_texts(fitted: Any, rows: pd.DataFrame) -> str:
    """Say that an author's code changed the texts before the vectoriser, as by stemming; or "".

    ``rows`` are the data of the fit as the model takes them.
    """
    for name, (_, steps) in list_branches(fitted, list(map(str, rows.columns))).items():
        vectorizer = describe_vectorizer(steps, ())
        if not vectorizer.options.transforms:
            continue
        compared = _Comparison(vectorizer, fitted, steps, name, list_texts(rows[name]))
        if garbled := compared.describe_garbled():
            return garbled
        if said := compared.describe():
            return (
                f"{said} So these are not its texts, or your code changed them before the "
                "vectoriser. Let the vectoriser do it: fit it anew with preprocessor=clean, where "
                "clean is your function, and give the function's file by --module FILE.py --trust."
            )
    return ""


class _Comparison:
    """The texts of a column, held against what a model keeps of those of its fit."""

    def __init__(
        self, vectorizer: Vectorizer, fitted: Any, steps: Sequence[Any], name: str,
        texts: Sequence[str],
    ) -> None:  # fmt: skip
        self._vectorizer, self._name, self._texts = vectorizer, name, texts
        self._vocabulary, self._split = (
            vectorizer.vocabulary.keys(),
            vectorizer.options.analyzer.split,
        )
        self._kept = None if vectorizer.idf is None else 1 - vectorizer.idf
        self._by_occurrence = False
        last = list_steps(fitted)[-1]
        if self._kept is None and len(steps) == 1 and isinstance(last, MultinomialNB):
            counts = last.feature_count_.sum(axis=0)
            self._kept = np.log((1 + counts) / (1 + last.class_count_.sum()))
            self._by_occurrence = True

    def describe_garbled(self) -> str:
        """Say that the file was read in another encoding than its own; "" where it was not."""
        known = sorted(term for term in self._vocabulary if not term.isascii())
        counts = self._count(self._texts)
        frequent = [term for term, count in counts.items() if count >= _FREQUENT]
        given = sorted(term for term in frequent if not term.isascii())
        if len(known) < _LEAST_LOST or len(given) < _LEAST_LOST or not {*known}.isdisjoint(given):
            return ""
        return (
            f"{self._name} has none of the words with other letters than a to z that the model "
            f"knows, such as {known[0]!r}, but others, such as {given[0]!r}. Save the data as "
            "UTF-8."
        )

    def describe(self) -> str:
        """Say what tells that they are others; "" for nothing."""
        counts = self._count(self._texts)
        absent = sorted(self._vocabulary - counts.keys())
        frequent = [term for term, count in counts.items() if count >= _FREQUENT]
        known = sum(term in self._vocabulary for term in frequent)
        expected = self._list_expected()
        lost = sorted(term for term in expected if term not in counts)
        if len(lost) >= max(_LEAST_LOST, _LOST * len(expected)):
            return (
                f"Of {len(expected):,} words of {self._name} that were frequent when it was "
                f"fitted, {len(lost):,} are in no text here, such as {_quote(lost)}."
            )
        if len(absent) > _ABSENT * self._vectorizer.width and known < _KNOWN * len(frequent):
            return (
                f"Of the {self._vectorizer.width:,} words that the model knows of {self._name}, "
                f"{len(absent):,} are in no text, such as {_quote(absent)}, and it knows "
                f"{known / len(frequent):.0%} of the frequent words in the texts."
            )
        return self._describe_change() or _describe_endings(
            self._name, absent, [term for term in frequent if term not in self._vocabulary]
        )

    def _count(self, texts: Iterable[str]) -> Counter[str]:
        return count_texts(self._split, texts, self._by_occurrence)

    def _measure(self, counts: Counter[str], texts: int) -> float:
        return measure_frequencies(self._vectorizer.vocabulary, self._kept, counts, texts)

    def _list_expected(self) -> list[str]:
        """The terms that so many of the fit's texts had that some of these should have them."""
        if self._kept is None:
            return []
        least = np.log(_EXPECTED / max(len(self._texts), 1))
        places = self._vectorizer.vocabulary.items()
        return [term for term, place in places if self._kept[place] >= least]

    def _describe_change(self) -> str:
        """Say after which change the texts have more of the words that are known; "" for none."""
        lengths = accumulate(map(len, self._texts))
        texts = [
            text
            for text, length in zip(self._texts, lengths, strict=True)
            if length < _MOST_CHARACTERS
        ]
        counts = self._count(texts)
        own, far = self._vocabulary & counts.keys(), self._measure(counts, len(texts))
        least = max(_LEAST_LOST, _GAINED * len(own), (len(self._vocabulary) - len(own)) ** 0.5)
        found = []
        for change, apply in _CHANGES.items():
            counts = self._count(map(apply, texts))
            changed, near = self._vocabulary & counts.keys(), self._measure(counts, len(texts))
            gained = len(changed) - len(own) >= least
            if gained or (near < _CLOSER * far > _CLOSER * _FAR and len(changed) >= len(own)):
                found.append((len(changed), -near, change, sorted(changed - own)))
        if not found:
            return ""
        *_, change, words = max(found)
        if not words:
            return (
                f"The words of {self._name} are as frequent as when it was fitted only where "
                f"{change}."
            )
        return (
            f"Of the words that the model knows of {self._name}, {len(words):,} are in the texts "
            f"only where {change}, such as {_quote(words)}."
        )


def _describe_endings(name: str, absent: Sequence[str], unknown: Sequence[str]) -> str:
    """Say that words were cut to their stems; "" where they were not.

    Args:
        name: the column.
        absent: the words that the model knows and no text has.
        unknown: the frequent words of the texts that it does not know.
    """
    stems = set(absent)
    cut: dict[str, str] = {}
    for word in unknown:
        shortest = max(len(word) - _LONGEST_ENDING, _SHORTEST_STEM)
        begun = [word[:length] for length in range(shortest, len(word))]
        cut |= dict.fromkeys(stems.intersection([*begun, *(f"{item}i" for item in begun)]), word)
    if len(cut) < max(_LEAST_CUT, _CUT * len(unknown)):
        return ""
    stem, word = next(iter(cut.items()))
    return (
        f"{len(cut):,} words that the model knows of {name} and no text has are stems of frequent "
        f"words in the texts, such as {stem!r} of {word!r}."
    )


def _quote(words: Sequence[str]) -> str:
    return ", ".join(map(repr, words[:3]))
