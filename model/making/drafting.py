"""A card drafted from the data, good enough to be served at once and to be made better by hand."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from model.contract import formatting
from model.contract.fields import Value
from model.making.bounds import wide_bounds
from model.making.columns import DataColumn
from model.making.missing_values import HolesInTraining
from model.making.naming import CURRENCIES, Naming, with_article

LOCALE = "en_US"
_USUAL = (0.05, 0.95)
_LONGEST_QUOTED = 48


SEEN: dict[HolesInTraining, str] = {
    "filled": "The model fills in what is missing by a step of its own.",
    "seen": "The model was fitted on rows that lack it.",
    "never": "The model answers all the same, but it was fitted on rows alone that have it: nobody "
    "knows what such an answer is worth.",
    "unknown": "The model answers all the same; its file does not tell whether it was fitted on "
    "such rows. If it was not, nobody knows what such an answer is worth.",
}
"""Why a fact may be left empty, by what the model saw."""


@dataclass(frozen=True)
class DraftCard:
    """One field: its column, whether it may be left empty, and its numbers.

    ``low`` and ``high`` admit every row and more; ``reference`` is the median, or what most rows
    have; ``seen`` is what the model saw of rows that lack it.
    """

    column: DataColumn
    required: bool
    low: float
    high: float
    usual: tuple[float, float]
    reference: Value
    seen: HolesInTraining = "unknown"

    @property
    def name(self) -> str:
        """The field's name."""
        return self.column.naming.name

    @property
    def takes(self) -> str:
        """What it takes, in a few words."""
        if self.column.kind == "choice":
            return ", ".join(self.column.labels)
        if self.column.kind == "flag":
            return "yes or no"
        return self.span(self.low, self.high)

    @property
    def is_year(self) -> bool:
        """Whether it is the number of a year, which nobody groups."""
        whole = self.column.kind == "integer" and self.low >= 1000 and self.high <= 2999
        return whole and "year" in self.name

    def span(self, low: float, high: float) -> str:
        """Two numbers as the form shows them, with its unit."""
        ends = [formatting.format_short(end, LOCALE, not self.is_year) for end in (low, high)]
        unit = f"\u00a0{self.column.naming.unit}" if self.column.naming.unit else ""
        return f"{ends[0]}{unit}" if low == high else f"{ends[0]} to {ends[1]}{unit}"


@dataclass(frozen=True)
class Output:
    """What the model answers. ``classes`` (value, label) are empty for a number."""

    naming: Naming
    classes: tuple[tuple[str, str], ...] = ()
    probabilities: bool = True
    round_to: float = 1
    coverage: float = 0.9


@dataclass(frozen=True)
class Words:
    """The card's own sentences."""

    title: str
    summary: str
    data_text: str
    limits: tuple[str, ...]
    not_for: tuple[str, ...]
    examples: tuple[tuple[str, Mapping[str, Value]], ...] = field(default=())


def draft_field(
    column: DataColumn,
    required: bool,
    codes: npt.NDArray[np.float64],
    seen: HolesInTraining = "unknown",
) -> DraftCard:
    """Draft a field.

    Args:
        column: what its column is.
        required: False where it may be left empty.
        codes: the column as a predictor sees it, shape (rows,); NaN where unknown.
        seen: what the model saw of rows that lack it.
    """
    known = codes[~np.isnan(codes)]
    if column.kind == "choice":
        reference: Value = str_value(column, int(np.bincount(known.astype(int)).argmax()))
        return DraftCard(column, required, 0, len(column.labels) - 1, (0, 0), reference, seen)
    if column.kind == "flag":
        return DraftCard(column, required, 0, 1, (0, 1), bool(known.mean() > 0.5), seen)
    low, high = wide_bounds(known, column.kind == "integer", column.naming.unit)
    usual = np.quantile(known, _USUAL, method="nearest").tolist()
    # A value that stands in the data, but for its last digits: one between two is nobody's.
    median = float(np.quantile(known, 0.5, method="nearest"))
    reference = int(median) if column.kind == "integer" else formatting.round_short(median)
    return DraftCard(column, required, low, high, (usual[0], usual[1]), reference, seen)


def str_value(column: DataColumn, code: int) -> str:
    """The value of a choice's option, as the card writes it."""
    value = column.source.values[code]
    return column.labels[code] if not isinstance(value, str) else value


def round_step(deviation: float) -> float:
    """The step to which answers are shown: a power of ten, about a fiftieth of their deviation."""
    return float(10.0 ** math.floor(math.log10(max(deviation, 1e-9) / 50)))


def draft_card(
    fields: Sequence[DraftCard], output: Output, words: Words, what_if: str, made_by: str
) -> str:
    """The text of ``card.toml``."""
    blocks = [
        f"# Drafted by {made_by}. What it says is a guess: read it, and write better.\n",
        _lines(
            {
                "title": words.title,
                "summary": words.summary,
                "locale": LOCALE,
                "what_if": what_if,
                "data_text": words.data_text,
                "limits": list(words.limits),
                "not_for": list(words.not_for),
            }
        ),
        "[output]\n" + _lines(_output(output)),
        *("[[fields]]\n" + _comment(item) + _lines(_field(item)) for item in fields),
        *(
            "[[examples]]\n" + _lines({"title": title, "values": dict(values)})
            for title, values in words.examples
        ),
    ]
    return "\n".join(blocks)


def _output(output: Output) -> dict[str, object]:
    naming = output.naming
    made: dict[str, object] = {"label": naming.label, "noun": naming.noun}
    if output.classes:
        classes = [{"value": value, "label": label} for value, label in output.classes]
        return made | {
            "kind": "class",
            "classes": classes,
            "probabilities": output.probabilities,
        }
    currency = naming.unit in CURRENCIES
    a_noun = _plain(with_article(naming.noun))
    return made | {
        "kind": "number",
        "format": "currency" if currency else "number",
        "unit": naming.unit,
        "round_to": max(output.round_to, 1) if currency else output.round_to,
        "coverage": output.coverage,
        "range_text": f"{{share}} rows like this have {a_noun} between {{low}} and {{high}}",
    }


def _comment(drafted: DraftCard) -> str:
    """Why the field may be left empty, above it."""
    if drafted.required:
        return ""
    said = f"May be left empty, as in {drafted.column.missing} rows. {SEEN[drafted.seen]}"
    return "".join(f"# {line}\n" for line in textwrap.wrap(said, 96))


def _field(drafted: DraftCard) -> dict[str, object]:
    column, naming = drafted.column, drafted.column.naming
    made: dict[str, object] = {
        "name": naming.name,
        "kind": column.kind,
        "label": naming.label,
        "noun": naming.noun,
    }
    if column.kind == "flag":
        quoted = f"“{textwrap.shorten(naming.label, _LONGEST_QUOTED, placeholder=' …')}”"
        made |= {"noun": f"{quoted} is true", "reason_text": f"{_plain(quoted)} is {{value}}"}
    if column.kind in ("integer", "number"):
        made["help"] = f"Usually {drafted.span(*drafted.usual)}"
        if naming.unit:
            made |= {"unit": naming.unit, "unit_spellings": _spellings(naming.unit)}
        if drafted.is_year:
            made |= {"help": "", "grouping": False}
        made |= {"min": drafted.low, "max": drafted.high}
    if not drafted.required:
        made["required"] = False
    made["example"] = drafted.reference
    if column.kind == "choice":
        made["choices"] = [
            {"value": str_value(column, code), "label": label}
            for code, label in enumerate(column.labels)
        ]
    return {key: value for key, value in made.items() if value != ""}


def _plain(text: str) -> str:
    """Text in a sentence with places, in which braces mean something."""
    return text.replace("{", "{{").replace("}", "}}")


def _spellings(unit: str) -> list[str]:
    plain = unit.lower().replace(" ", "")
    return sorted({plain, plain.rstrip("s")} - {""}) if plain != unit.lower() else []


def _lines(values: Mapping[str, object]) -> str:
    return "".join(
        f"{key} = {_toml(value, deep=False)}\n"
        for key, value in values.items()
        if value not in ("", [])
    )


def _toml(value: object, deep: bool = True) -> str:
    """A value in TOML; a list of several things gets a line for each."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, str):
        # JSON's strings are TOML's, but for one character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {_toml(item)}" for key, item in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list):
        if deep or not value:
            return "[" + ", ".join(_toml(item) for item in value) + "]"
        return "[\n" + "".join(f"  {_toml(item)},\n" for item in value) + "]"
    return str(value)
