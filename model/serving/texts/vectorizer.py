"""A vectoriser without scikit-learn: the same terms, columns and weights, from a file of arrays.

A test compares it with scikit-learn's own for every option. Of a vectoriser that hashes its terms,
or has code of its own, it knows only which terms are in the training texts.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from model.contract.arrays import Float32Array, Float64Array, IndexArray
from model.contract.strict import StrictModel
from model.serving.texts.analyzer import Analyzer

LEAST_KNOWN = 2
"""Different terms of a text that the model must know, or its answer is a guess."""

LEAST_SHARE = 0.2
"""The share of a text's words that the model must know, or its answer is a guess."""

_BITS = 2**20


class Options(StrictModel):
    """How terms become weights; the names and the meaning are scikit-learn's.

    ``transforms`` is False for a vectoriser whose columns are not known here.
    """

    analyzer: Analyzer
    transforms: bool = True
    binary: bool = False
    sublinear_tf: bool = False
    norm: Literal["l1", "l2"] | None = None


class Knowledge(NamedTuple):
    """How many of a text's ``words`` the vectoriser knows, and how many different ones.

    ``beside`` are the same numbers of the texts that are joined with it.
    """

    known: int
    different: int
    words: int
    beside: tuple[int, int, int] = (0, 0, 0)

    @property
    def is_guess(self) -> bool:
        """Whether an answer to the text is a guess."""
        known, different, words, (more_known, more_different, more_words) = self
        few = different + more_different < LEAST_KNOWN
        return few or known + more_known < LEAST_SHARE * (words + more_words)


@dataclass(eq=False)
class Vectorizer:
    """A vectoriser, and what a linear model makes of its columns.

    ``vocabulary`` has the column of each term, ``idf`` (columns,) their weights, ones where None.
    ``coefficients`` (classes, columns) is the part of each class's score, or with one row that of
    the number, which a linear model takes from them; None for another model. ``seen`` has a bit for
    the hash of each term of the training texts, where there is no vocabulary.
    """

    options: Options
    vocabulary: Mapping[str, int]
    idf: Float64Array | None = None
    coefficients: Float32Array | None = None
    seen: Any = None

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.vocabulary)

    def transform(self, text: str) -> tuple[IndexArray, Float64Array]:
        """Return the columns in which a text has a weight, ascending, and these weights.

        Returns:
            Both of shape (columns with a weight,).
        """
        find = self.vocabulary.get
        counts: Counter[int] = Counter()
        for term, count in Counter(self.options.analyzer.split(text)).items():
            column = find(term)
            if column is not None:
                counts[column] = count
        columns = np.array(sorted(counts), dtype=np.intp)
        weights = np.array([counts[column] for column in columns.tolist()], dtype=np.float64)
        if self.options.binary:
            weights[:] = 1
        if self.options.sublinear_tf:
            weights = np.log(weights) + 1
        if self.idf is not None:
            weights *= self.idf[columns]
        if self.options.norm and len(weights):
            size = weights.sum() if self.options.norm == "l1" else np.sqrt(weights @ weights)
            weights /= size or 1
        return columns, weights

    def knows(self, term: str) -> bool:
        """Whether a term is in the vocabulary, or was in a training text."""
        if self.seen is None:
            return term in self.vocabulary
        place = hash_term(term)
        return bool(self.seen[place >> 3] >> (place & 7) & 1)

    def measure(self, text: str) -> Knowledge:
        """Count the words of a text, and those of them that it knows."""
        counts = Counter(self.shortest.split(text))
        known = {term: count for term, count in counts.items() if self.knows(term)}
        return Knowledge(sum(known.values()), len(known), counts.total())

    @cached_property
    def shortest(self) -> Analyzer:
        """Splits a text into the shortest terms that the vectoriser counts: its words, mostly."""
        analyzer = self.options.analyzer
        low, _ = analyzer.ngram_range
        return analyzer.model_copy(update={"ngram_range": (low, low)})

    @cached_property
    def terms(self) -> Sequence[str]:
        """The term of each column."""
        return sorted(self.vocabulary, key=self.vocabulary.__getitem__)

    def score_terms(self, text: str, place: int, piece: str) -> dict[str, float]:
        """Return the part of each term in the score of a linear model.

        Args:
            text: the text.
            place: the class whose score it is, against the mean of the others; 0 for a number.
            piece: the part of the text whose terms are asked for: all of it, or one of several that
                were joined. A term of several pieces is shared among them.

        Raises:
            TypeError: for another model.
        """
        if self.coefficients is None:
            raise TypeError("the model is not linear")
        columns, weights = self.transform(text)
        own = self.coefficients[:, columns].astype(np.float64)
        factors = own[place]
        if len(own) > 1:
            factors = (len(own) * factors - own.sum(axis=0)) / (len(own) - 1)
        parts = (factors * weights).tolist()
        terms = self.terms
        scores = {terms[c]: part for c, part in zip(columns.tolist(), parts, strict=True)}
        if piece == text:
            return scores
        split = self.options.analyzer.split
        every, counts = Counter(split(text)), Counter(split(piece))
        return {
            term: scores[term] * min(count / every[term], 1)
            for term, count in counts.items()
            if term in scores
        }

    def save(self, path: Path) -> None:
        """Write everything to an ``.npz`` file."""
        arrays: dict[str, Any] = {
            "options": _write_json(self.options.model_dump(mode="json")),
            "terms": _write_json(list(self.terms)),
        }
        for name in ("idf", "coefficients", "seen"):
            if (array := getattr(self, name)) is not None:
                arrays[name] = array
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Vectorizer":
        """Read the file that ``save`` wrote; nothing in it can run."""
        with np.load(path, allow_pickle=False) as arrays:
            parts = {name: arrays[name] for name in arrays.files}
        terms = json.loads(parts.pop("terms").tobytes())
        options = Options.model_validate_json(parts.pop("options").tobytes())
        return cls(options, {term: place for place, term in enumerate(terms)}, **parts)


def measure_texts(
    texts: Mapping[int, str], vectorizers: Mapping[int, Vectorizer]
) -> dict[int, Knowledge]:
    """Count the words of a row's texts, of which several may be joined before a vectoriser.

    Args:
        texts: those that are given, by column.
        vectorizers: by column, the same one for texts that are joined.
    """
    alone = {column: vectorizers[column].measure(text) for column, text in texts.items()}
    found = {}
    for column, own in alone.items():
        beside = [
            other[:3]
            for place, other in alone.items()
            if place != column and vectorizers[place] is vectorizers[column]
        ]
        known, different, words = map(sum, zip(*beside, strict=True)) if beside else (0, 0, 0)
        found[column] = own._replace(beside=(known, different, words))
    return found


def hash_term(term: str) -> int:
    """Return the bit of a term among those that were seen."""
    return zlib.crc32(term.encode("utf-8", "surrogatepass")) % _BITS


def mark_seen(terms: Iterable[str]) -> Any:
    """Return a bit for each term, uint8 of shape (2 ** 17,)."""
    bits = np.zeros(_BITS // 8, dtype=np.uint8)
    for place in {hash_term(term) for term in terms}:
        bits[place >> 3] |= 1 << (place & 7)
    return bits


def _write_json(value: object) -> Any:
    return np.frombuffer(json.dumps(value, ensure_ascii=True).encode(), dtype=np.uint8)
