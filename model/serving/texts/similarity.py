"""How alike texts are: the cosine between their terms, the rarer ones counting more."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from model.contract.arrays import Float32Array
from model.serving.texts.analyzer import Analyzer


class TextIndex:
    """Some texts by their terms.

    Each term counts by its tf-idf, the logarithm of its number and of the texts without it (Salton
    and Buckley, 1988).
    """

    def __init__(self, texts: Sequence[str], analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        self._count = len(texts)
        counts = [Counter(analyzer.split(text)) for text in texts]
        frequency = Counter(term for found in counts for term in found)
        self._rarity = {term: np.log(len(texts) / rows) + 1 for term, rows in frequency.items()}
        postings: dict[str, tuple[list[int], list[float]]] = {}
        for row, found in enumerate(counts):
            for term, weight in self._weigh(found).items():
                rows, weights = postings.setdefault(term, ([], []))
                rows.append(row)
                weights.append(weight)
        self._postings = {
            term: (np.array(rows, np.intp), np.array(weights, np.float32))
            for term, (rows, weights) in postings.items()
        }

    def _weigh(self, counts: Counter[str]) -> dict[str, float]:
        """The weights of a text's terms, of length 1; those of no text in the index are dropped."""
        weights = {
            term: (1 + np.log(count)) * self._rarity[term]
            for term, count in counts.items()
            if term in self._rarity
        }
        length = float(np.sqrt(sum(weight**2 for weight in weights.values())))
        return {term: float(weight) / length for term, weight in weights.items()}

    def compute_distances(self, text: str) -> Float32Array:
        """Return the cosine distance of each text to one, 0 to 1, shape (texts,)."""
        cosines = np.zeros(self._count, dtype=np.float32)
        for term, weight in self._weigh(Counter(self._analyzer.split(text))).items():
            rows, weights = self._postings[term]
            cosines[rows] += weight * weights  # a row stands once in each posting
        return np.maximum(1 - cosines, 0)
