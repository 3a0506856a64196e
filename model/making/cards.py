"""The card of an added model: what is written on it beside its fields, and its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from model.contract import formatting
from model.contract.card import Card
from model.contract.errors import ModelError
from model.contract.files import read_card
from model.making.dataset import Dataset
from model.making.drafting import LOCALE, Output, Words, draft_card
from model.making.errors import AddError
from model.making.examples import Examples

_MADE_BY = "`flask --app wsgi model add`"
_LONGEST_TITLE = 60


def draft_words(title: str, data: str, dataset: Dataset, output: Output) -> Words:
    """The card's sentences, without examples.

    Args:
        title: what people call the model.
        data: what they call its data.
        dataset: the rows that it can answer.
        output: what it answers.
    """
    rows = f"{formatting.format_number(dataset.seen, LOCALE)} rows of {data}"
    facts = "one fact" if len(dataset.fields) == 1 else f"{len(dataset.fields)} facts"
    return Words(
        title=_question(output),
        summary=f"An answer from {facts} by a model of the kind {title}.",
        data_text=rows,
        limits=(
            f"It knows {rows}, and sees the facts on the form and nothing else.",
            "It was drafted from its data by a program. Nobody has written yet what it cannot "
            "know.",
        ),
        not_for=(
            "a decision about a person",
            "anything but trying it out, until somebody has written what it is for",
        ),
    )


def _question(output: Output) -> str:
    """The title of a page that answers it."""
    noun, labels = output.naming.noun, [label for _, label in output.classes]
    says_what = output.naming.label != "Answer"
    if not labels:
        return f"What is the {noun}?"
    if set(labels) == {"Yes", "No"}:
        return f"{output.naming.label}?" if says_what else "Yes or no?"
    either = " or ".join(labels)
    if len(labels) == 2 and len(either) <= _LONGEST_TITLE:
        return f"{either[:1].upper()}{either[1:]}?"
    return f"Which {noun} is it?" if noun != "answer" else "Which one is it?"


def write_card(
    path: Path,
    dataset: Dataset,
    output: Output,
    words: Words,
    examples: Examples,
    importance: Sequence[float],
) -> Card:
    """Write the card, and read it back.

    Args:
        path: where it is to stand.
        dataset: the rows and their fields.
        output: what the model answers.
        words: its sentences.
        examples: rows that a visitor can start from.
        importance: of each field; the required one that matters most is varied first.

    Raises:
        AddError: if what was drafted is no sound card.
    """
    words = replace(words, examples=examples)
    what_if = _most_important(dataset, importance)
    text = draft_card(dataset.fields, output, words, what_if, _MADE_BY)
    path.write_text(text, encoding="utf-8")
    try:
        return read_card(path)
    except ModelError as error:
        raise AddError(f"The drafted card is not sound: {error}") from error


def _most_important(dataset: Dataset, importance: Sequence[float]) -> str:
    """The required fact that matters most."""
    required = [place for place, item in enumerate(dataset.fields) if item.required]
    return dataset.fields[max(required, key=importance.__getitem__)].name
