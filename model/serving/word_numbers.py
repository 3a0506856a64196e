"""Texts as the numbers of their words in order, for networks that begin with an Embedding."""

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from model.contract.arrays import Float32Array

_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_WORD = re.compile(r"[^ \t\n\r\f\v]+")


class WordNumbers(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # no types
    """Keras's ``Tokenizer`` with ``pad_sequences`` behind it; their names, and their meaning.

    Attributes:
        word_index: the number of each word, from 1 on.
        num_words: the first number that is not used; None for all.
        oov_token: the word whose number stands for unknown words; None where they are left out.
        filters: characters that part words as ``split`` does, or become ``gap`` where that is set.
        split: what stands between words, "" for blanks of ASCII.
        lower: whether words are taken in small letters, and ``is_ascii`` whether only those of
            ASCII become small: so a layer TextVectorization does it.
        char_level: whether each character is a word.
        maxlen: the numbers of a row.
        padding: where zeros fill a shorter text: "pre" for before it, or "post".
        truncating: where a longer one is cut, alike.
    """

    word_index: Mapping[str, int]
    num_words: int | None
    filters: str
    lower: bool
    split: str
    char_level: bool
    oov_token: str | None = None
    gap: str | None = None
    is_ascii: bool = False
    maxlen: int = 0
    padding: str = ""
    truncating: str = ""

    def fit(self, rows: Any, truth: Any = None) -> "WordNumbers":
        """Return the step itself: another library has fitted it."""
        return self

    @property
    def words(self) -> Iterator[str]:
        """The words that have a number of their own."""
        most = self.num_words or len(self.word_index) + 1
        return (word for word, number in self.word_index.items() if number < most)

    def transform(self, rows: Iterable[Any]) -> Float32Array:
        """Number the words of each text: shape (texts, maxlen)."""
        made = np.zeros((0, self.maxlen), dtype=np.float32)
        numbered = [self._pad(list(self._number(str(text)))) for text in rows]
        return np.array(numbered, dtype=np.float32).reshape(-1, self.maxlen) if numbered else made

    def _number(self, text: str) -> Iterator[int]:
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        for word in self._split(text):
            number = self.word_index.get(word)
            if number is None or (self.num_words and number >= self.num_words):
                number = unknown
            if number is not None:
                yield number

    def _split(self, text: str) -> Iterable[str]:
        if self.lower:
            text = text.translate(_SMALL) if self.is_ascii else text.lower()
        if self.char_level:
            return text
        gap = self.split if self.gap is None else self.gap
        gaps: dict[int, str] = dict.fromkeys(map(ord, self.filters), gap)
        parted = text.translate(gaps)
        return filter(None, parted.split(self.split)) if self.split else _WORD.findall(parted)

    def _pad(self, numbers: list[int]) -> list[int]:
        kept = numbers[-self.maxlen :] if self.truncating == "pre" else numbers[: self.maxlen]
        zeros = [0] * (self.maxlen - len(kept))
        return zeros + kept if self.padding == "pre" else kept + zeros
