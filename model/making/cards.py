"""The card of an added model: its sentences, and its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from model.contract import formatting
from model.contract.card import Card
from model.contract.errors import ModelError
from model.contract.files import read_card
from model.making.card_toml import format_card
from model.making.dataset import Dataset
from model.making.drafting import LOCALE, CardText, DraftOutput
from model.making.errors import AddError
from model.making.examples import Examples

_MADE_BY = "`flask --app wsgi model add`"
_LONGEST_TITLE = 60


def draft_text(data: str, dataset: Dataset, output: DraftOutput) -> CardText:
    """Draft the card's sentences, without examples.

    Args:
        data: the name of the data's file.
        dataset: the rows that the model can answer.
        output: what it answers.
    """
    rows = f"{formatting.format_number(dataset.training_rows, LOCALE)} rows of {data}"
    facts = "one fact" if len(dataset.fields) == 1 else f"{len(dataset.fields)} facts"
    return CardText(
        title=draft_title(output),
        summary=f"An answer from {facts}, learned from {rows}.",
        data_text=rows,
        limits=(
            f"It knows {rows}, and sees the facts on the form and nothing else.",
            "A program drafted this card from the data. Nobody has written yet what the model "
            "cannot know.",
        ),
        not_for=(
            "a decision about a person",
            "anything but trying it out, until somebody has written what it is for",
        ),
    )


def draft_title(output: DraftOutput) -> str:
    """Draft the title of a page: the question that it answers."""
    noun, labels = output.naming.noun, [label for _, label in output.classes]
    is_named = output.naming.label != "Answer"
    if not labels:
        return f"What is the {noun}?"
    if set(labels) == {"Yes", "No"}:
        return f"{output.naming.label}?" if is_named else "Yes or no?"
    either = " or ".join(labels)
    if len(labels) == 2 and len(either) <= _LONGEST_TITLE:
        return f"{either[:1].upper()}{either[1:]}?"
    return f"Which {noun} is it?" if noun != "answer" else "Which one is it?"


def write_card(
    path: Path,
    dataset: Dataset,
    output: DraftOutput,
    text: CardText,
    examples: Examples,
    importance: Sequence[float],
) -> Card:
    """Write the card, and read it back.

    Args:
        path: its file.
        dataset: the rows and their fields.
        output: what the model answers.
        text: the card's sentences.
        examples: rows that a visitor can start from.
        importance: of each field; the most important required one is varied first.

    Raises:
        AddError: if the drafted card is not valid.
    """
    required = [index for index, item in enumerate(dataset.fields) if item.required]
    what_if = dataset.fields[max(required, key=importance.__getitem__)].name
    text = replace(text, examples=examples)
    content = format_card(dataset.fields, output, text, what_if, _MADE_BY)
    path.write_text(content, encoding="utf-8")
    try:
        return read_card(path)
    except ModelError as error:
        raise AddError(f"The drafted card is not valid: {error}") from error
