"""Finds the rows of a table that are unlike all training rows."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from model.contract.arrays import Float64Array
from model.contract.texts import decode_text
from model.serving.mismatches import describe_knowledge, describe_mismatch
from model.serving.served_model import FactPattern, Mismatch
from model.serving.tabular import TabularModel
from model.serving.texts.reasons import TextReasons
from model.serving.texts.vectorizer import measure_texts

_ROWS_AT_ONCE = 2048
"""Rows whose projections, some dozens each, stay in the cache of a core."""


class Oddity(NamedTuple):
    """What makes a row unlike all training rows.

    ``mismatch`` are the facts, None where the model does not know which; ``texts`` are those of
    which it knows too few words.
    """

    mismatch: Mismatch | None
    texts: tuple[TextReasons, ...] = ()


def describe_oddity(model: TabularModel[Any], oddity: Oddity) -> str:
    """Say what makes a row unlike all training rows."""
    if oddity.texts:
        first = oddity.texts[0]
        text = describe_knowledge(model.card, first.field, first.knowledge)
    else:
        text = describe_mismatch(model.card, oddity.mismatch)
    return f"{model.guess_text} {text}".strip()


def find_oddities(
    model: TabularModel[Any], codes: Float64Array, patterns: Sequence[FactPattern]
) -> dict[int, Oddity]:
    """Find the unusual rows, with what makes each so, by its index.

    Args:
        model: answers the rows.
        codes: the rows, shape (rows, fields), NaN where unknown.
        patterns: which facts they have; each row is in one of them.
    """
    found: dict[int, Oddity] = {}
    for pattern in patterns:
        for row, mismatch in _find_in_pattern(model, codes[pattern.rows], pattern):
            found[int(pattern.rows[row])] = Oddity(mismatch)
    for row, cells in enumerate(codes.tolist() if model.vectorizers else ()):
        given = {c: decode_text(cells[c]) for c in model.vectorizers if cells[c] == cells[c]}
        for column, knowledge in measure_texts(given, model.vectorizers).items():
            if knowledge.is_guess:
                oddity = found.get(row, Oddity(None))
                reasons = TextReasons(model.card.names[column], given[column], knowledge)
                found[row] = oddity._replace(texts=(*oddity.texts, reasons))
    return dict(sorted(found.items()))


def _find_in_pattern(
    model: TabularModel[Any], codes: Float64Array, pattern: FactPattern
) -> list[tuple[int, Mismatch | None]]:
    if model.copula is None:
        threshold = model.find_ood_threshold(pattern.known)
        if threshold is None or model.neighbors is None:
            return []
        nearest = model.neighbors.find_nearest
        return [
            (row, None)
            for row, cells in enumerate(codes.tolist())
            if nearest(cells, pattern.given)[1] > threshold
        ]
    facts = model.copula.select(pattern.given)
    if facts is None:
        return []
    fields = model.card.fields
    found: list[tuple[int, Mismatch | None]] = []
    for start in range(0, len(codes), _ROWS_AT_ONCE):
        scores = facts.compute_scores(codes[start : start + _ROWS_AT_ONCE])
        outliers = np.flatnonzero(facts.find_outliers(scores))
        culprits = facts.find_culprits(scores[outliers])
        for row, (columns, alone) in zip((start + outliers).tolist(), culprits, strict=True):
            named = {
                fields[column].name: fields[column].decode(float(codes[row, column]))
                for column in columns
            }
            found.append((row, Mismatch(named, alone)))
    return found
