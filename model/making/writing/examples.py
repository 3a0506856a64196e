"""The examples of a drafted card: rows of the data, or what is in the middle of many of them."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from model.contract.arrays import Float64Array
from model.contract.fields import Value
from model.contract.fields.numberings import are_days
from model.contract.texts import decode_text, encode_text
from model.making.columns.drafting import DraftField, DraftOutput
from model.making.kinds.output_kind import OutputKind
from model.making.rows.dataset import Dataset
from model.serving.texts.analyzer import Analyzer

Examples = Mapping[str, Mapping[str, Value]]
"""Values as a visitor would type them, by the title of the example."""

_MOST_WORDS = 6
_NO_WORDS = "A text of your own."
_LEAST_ROWS = 10
"""Rows below which their middle would tell something of one of them."""


def choose_examples(
    kind: OutputKind, dataset: Dataset, output: DraftOutput, publish_rows: bool, shown: int = 0
) -> Examples:
    """Choose examples that stand for others by their answer.

    Args:
        kind: how the model answers.
        dataset: the rows and their fields.
        output: what the model answers.
        publish_rows: whether an example may be a row of the data. If not, it has the rounded median
            or the most frequent value of each fact, over at least ten rows with similar answers.
        shown: the number of facts that the form shows first, 0 for all; others are left empty.
    """
    matrix = dataset.matrix.copy()
    if shown:
        matrix[:, shown:] = np.nan
    answers = dataset.answer(matrix)
    examples: dict[str, dict[str, Value]] = {}
    bands = kind.choose_bands(answers, dataset.truth, output)
    for band in bands:
        codes = matrix[band.rows[0]]
        if not publish_rows:
            if len(band.rows) < _LEAST_ROWS:
                continue
            codes = _find_middle(dataset, matrix[band.rows])
            if not band.holds(dataset.answer(codes[None])[0]):
                continue
        examples[band.title] = decode_example(dataset, codes)
    if bands and bands[0].title in examples:
        return examples
    # The page shows the answer to the first one, so that one may not be far from most.
    typical = [item.field.encode(item.field.example) for item in dataset.fields]
    codes = np.array(typical)
    codes[shown or len(typical) :] = np.nan
    return {"A typical case": decode_example(dataset, codes), **examples}


def _find_middle(dataset: Dataset, rows: Float64Array) -> Float64Array:
    """The middle (fields,) of rows (rows, fields); NaN for what most of them lack."""
    columns = zip(dataset.fields, rows.T, dataset.matrix.T, strict=True)
    return np.array([_find_middle_of_field(*column) for column in columns])


def _find_middle_of_field(item: DraftField, codes: Float64Array, every: Float64Array) -> float:
    if item.field.is_text:
        return gather_words(codes, every)
    known = codes[~np.isnan(codes)]
    if not item.required and len(known) < max(len(codes) / 2, _LEAST_ROWS):
        return math.nan
    if item.field.options:
        values, counts = np.unique(known, return_counts=True)
        return float(values[counts.argmax()])
    return round_code(item, float(np.median(known)), every)


def gather_words(codes: Float64Array, every: Float64Array) -> float:
    """Return the code of a text of words that many of some texts have, and few others.

    Args:
        codes: those of the texts, shape (rows,).
        every: those of all texts of the data, shape (all rows,).
    """
    counts, total = _count_rows(codes), _count_rows(every)
    gains = {
        word: count / len(codes) - total[word] / len(every)
        for word, count in counts.items()
        if count >= _LEAST_ROWS
    }
    words = sorted(gains, key=lambda word: (-gains[word], -counts[word], word))[:_MOST_WORDS]
    return encode_text(" ".join(words) or _NO_WORDS)


def _count_rows(codes: Float64Array) -> Counter[str]:
    """How many texts have each word."""
    split = Analyzer().split
    known = codes[~np.isnan(codes)]
    return Counter(word for code in known.tolist() for word in set(split(decode_text(code))))


def round_code(item: DraftField, code: float, every: Float64Array) -> float:
    """Round a code to a power of ten below half the standard deviation, and within the bounds.

    A smaller code keeps its first digit: 0 may be unlike all that the data have. A day like
    20190314 becomes the first of its month, because 20190000 is none. The codes of all rows are
    ``every``, shape (rows,).
    """
    low, high = item.field.code_bounds
    if are_days(every):
        return float(np.clip(code // 100 * 100 + 1, low, high))
    least = min(float(np.nanstd(every)) / 2, abs(code) or math.inf)
    step = 10.0 ** math.floor(math.log10(max(least, 1e-9)))
    rounded = item.field.round_codes(np.round(np.array([code]) / step) * step)
    return float(np.clip(rounded, low, high)[0])


def round_typical_values(dataset: Dataset) -> Dataset:
    """Round the example of each field that has an order: it is the value of a row, perhaps."""
    return replace(
        dataset,
        fields=[
            item if item.field.options else _round_example(item, codes)
            for item, codes in zip(dataset.fields, dataset.matrix.T, strict=True)
        ],
    )


def _round_example(item: DraftField, codes: Float64Array) -> DraftField:
    if item.field.is_text:
        code = gather_words(codes, codes)
    else:
        code = round_code(item, item.field.encode(item.field.example), codes)
    keys = {**item.field.model_dump(), "example": item.field.decode_typed(code)}
    return replace(item, field=item.field.model_validate(keys))


def decode_example(dataset: Dataset, codes: Float64Array) -> dict[str, Value]:
    """Return codes, shape (fields,), as a visitor would type them; nothing for NaN."""
    return {
        item.name: item.field.decode_typed(code)
        for item, code in zip(dataset.fields, codes.tolist(), strict=True)
        if not math.isnan(code)
    }


def describe_published(
    examples: Examples, published: bool, similar: int, has_texts: bool = False
) -> str:
    """Say what of the data a visitor will see, in one line.

    Args:
        examples: those of the card.
        published: whether these are rows of the data.
        similar: how many rows of the data can be shown as similar cases.
        has_texts: whether a field takes free text.
    """
    made = "rounded medians"
    if has_texts:
        made += f" and words that {_LEAST_ROWS} texts or more have"
    always = (
        "the names of choices, and the bounds, the usual range and a typical value of each fact"
    )
    if not published:
        return (
            f"Visitors see no row of the data. They see {always}, and as examples {made} "
            "over rows with similar answers. To show similar cases and examples that are rows, add "
            "the model again with --force and --publish-rows."
        )
    count = len(examples)
    return (
        f"Visitors see rows of the data, as you say: {count} as examples and {similar} as similar "
        f"cases. They also see {always}."
    )
