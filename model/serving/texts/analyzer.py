"""Splits a text into terms, as the vectorisers of scikit-learn do."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Literal

from model.contract.strict import StrictModel

WORD = re.compile(r"\w+(?:['’]\w+)*")
"""A word as people read it, where the vectoriser counts other parts of the text."""

_BLANKS = re.compile(r"\s\s+")


class Analyzer(StrictModel):
    """How a vectoriser splits a text; the names and the meaning are scikit-learn's.

    ``stop_words`` are the words that are left out.
    """

    analyzer: Literal["word", "char", "char_wb"] = "word"
    ngram_range: tuple[int, int] = (1, 1)
    token_pattern: str = r"(?u)\b\w\w+\b"  # noqa: S105 (a word, no password)
    lowercase: bool = True
    strip_accents: Literal["ascii", "unicode"] | None = None
    stop_words: frozenset[str] = frozenset()

    def split(self, text: str) -> list[str]:
        """Return the terms of a text, each as often as it occurs."""
        text = self._preprocess(text)
        if self.analyzer == "word":
            return self._join_words(self._find_words(text))
        if self.analyzer == "char":
            return list(self._list_parts(_BLANKS.sub(" ", text)))
        return list(self._list_word_parts(_BLANKS.sub(" ", text)))

    def find_spans(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield each word of a text as it was written: where it begins and ends, and its term."""
        pattern = self._pattern if self.analyzer == "word" else WORD
        group = pattern.groups
        for match in pattern.finditer(text):
            start, stop = match.span(group)
            if start < stop:
                yield start, stop, self._preprocess(text[start:stop])

    @property
    def marks_terms(self) -> bool:
        """Whether its terms are words, or words in a row."""
        return self.analyzer == "word"

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self.token_pattern)

    @cached_property
    def _find_words(self) -> Callable[[str], list[str]]:
        return self._pattern.findall

    def _preprocess(self, text: str) -> str:
        if self.lowercase:
            text = text.lower()
        if self.strip_accents == "unicode" and not text.isascii():
            decomposed = unicodedata.normalize("NFKD", text)
            return "".join([c for c in decomposed if not unicodedata.combining(c)])
        if self.strip_accents == "ascii":
            return unicodedata.normalize("NFKD", text).encode("ASCII", "ignore").decode("ASCII")
        return text

    def _join_words(self, words: list[str]) -> list[str]:
        if self.stop_words:
            words = [word for word in words if word not in self.stop_words]
        low, high = self.ngram_range
        if high == 1:
            return words
        terms: list[str] = []
        for length in range(low, min(high, len(words)) + 1):
            starts = range(len(words) - length + 1)
            terms += [" ".join(words[start : start + length]) for start in starts]
        return terms

    def _list_parts(self, text: str) -> Iterator[str]:
        low, high = self.ngram_range
        for length in range(low, min(high, len(text)) + 1):
            for start in range(len(text) - length + 1):
                yield text[start : start + length]

    def _list_word_parts(self, text: str) -> Iterator[str]:
        low, high = self.ngram_range
        for word in text.split():
            padded = f" {word} "
            for length in range(low, high + 1):
                yield padded[:length]
                for start in range(1, len(padded) - length + 1):
                    yield padded[start : start + length]
                if length >= len(padded):
                    break  # a short word counts once
