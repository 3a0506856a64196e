"""Fields that take one of a few values: a list of choices, or yes and no."""

import difflib
import json
import math
import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from babel.lists import format_list
from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from model.contract import formatting
from model.contract.arrays import Float32Array, Float64Array
from model.contract.fields.base import INVALID, BaseField, Option, Sample, make_error
from model.contract.texts import fold_text

LONG_LIST = 200
"""Choices above which nobody scrolls through a list: it is searched."""

MOST_CHOICES = 20_000
"""Choices of a field."""

MOST_SUGGESTED = 1000
"""Choices that the page itself lists: some 10 KB compressed, once a page and in no fragment."""

_PAIRS = 128
_MOST_COMPARED = 50
_MOST_SIMILAR = 3
_LONGEST_TYPED = 100
_LONGEST_QUOTED = 48
"""Characters of a label that a drafted sentence quotes."""


def _require_distinct(options: tuple[Option, ...], info: ValidationInfo) -> tuple[Option, ...]:
    counts = Counter(option.value for option in options)
    if repeated := sorted(value for value, count in counts.items() if count > 1):
        raise ValueError(f"{info.field_name} has {', '.join(repeated)} twice")
    return options


DISTINCT = AfterValidator(_require_distinct)
"""Refuses options of which two have one value."""


def name_list_kind(count: int) -> str:
    """Return the kind of field for this many choices."""
    return "search" if count > LONG_LIST else "choice"


class ChoiceField(BaseField):
    """One value out of a list."""

    kind: Literal["choice"]
    """The kind of field."""

    choices: Annotated[tuple[Option, ...], Field(min_length=2), DISTINCT]
    """The values, in the order in which the form lists them. The model gets the index of the chosen
    one."""

    example: str
    """One of the choices' values, for the OpenAPI text."""

    verb: ClassVar[str] = "Choose"

    @model_validator(mode="after")
    def _example_is_a_choice(self) -> "ChoiceField":
        if self.example not in self._codes:
            raise ValueError(f'example = "{self.example}" is not one of the choices')
        return self

    @cached_property
    def _codes(self) -> dict[str, float]:
        return {choice.value: float(code) for code, choice in enumerate(self.choices)}

    @cached_property
    def _labels(self) -> dict[str, str]:
        return {choice.value: choice.label for choice in self.choices}

    @property
    def options(self) -> tuple[Option, ...]:
        return self.choices

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(self._codes)

    @property
    def accepted_text(self) -> str:
        return f"one of {len(self.choices)}"

    @property
    def accepted_json_text(self) -> str:
        return "one of " + ", ".join(json.dumps(code, ensure_ascii=False) for code in self._codes)

    def read_json(self, value: object) -> object:
        """A text, or the number or truth that one of the choices writes."""
        if isinstance(value, bool):
            return str(value) if str(value) in self._codes else INVALID
        if isinstance(value, int | float):
            return self._by_number.get(value, INVALID)
        return super().read_json(value)

    @cached_property
    def _by_number(self) -> dict[float, str]:
        """The value that a number means, where only one of them writes it."""
        found: dict[float, list[str]] = {}
        for value in self._codes:
            with suppress(ValueError):
                found.setdefault(float(value), []).append(value)
        return {number: values[0] for number, values in found.items() if len(values) == 1}

    def read(self, value: object) -> str:
        if not isinstance(value, str) or value not in self._codes:
            raise make_error("choice", f"{self.label} must be one from the list")
        return value

    def translate_cell(self, cell: object) -> object:
        meant = super().translate_cell(cell)
        if not isinstance(meant, str):
            return meant
        for text in (meant, meant.strip()):  # `model add` takes blanks off its data, too
            whole = text.removesuffix(".0")  # pandas writes codes so where one is missing
            if whole in self._codes or text in self._values:
                return whole if whole in self._codes else self._values[text]
        return meant

    @cached_property
    def _values(self) -> dict[str, str]:
        """The value that a label stands for, where only one has it."""
        counts = Counter(self._labels.values())
        return {label: value for value, label in self._labels.items() if counts[label] == 1}

    @property
    def encoder(self) -> Callable[[Any], float]:
        return self._codes.__getitem__

    def decode(self, code: float) -> str | None:
        return None if math.isnan(code) else self.choices[int(code)].value

    def format_value(self, value: Any) -> str:
        return self._labels[value]

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self._codes)}

    @property
    def json_notes(self) -> tuple[str, ...]:
        return ("; ".join(f"{item.value}: {item.label}" for item in self.choices),)

    @classmethod
    def draft(cls, sample: Sample) -> Self:
        most_frequent = int(np.bincount(sample.codes.astype(int)).argmax())
        options = sample.options
        return cls(**sample.keys, choices=options, example=options[most_frequent].value)

    @classmethod
    def find_misfit(cls, numbers: Float64Array) -> str:
        return ""


class SearchField(ChoiceField):
    """One value out of a long list, which is typed or picked; the list may have 20,000 values.

    Upper and lower case do not matter. The page suggests the first 1,000, and takes every one.
    """

    # mypy wants a choice here, but this is what tells the two kinds apart in a card.
    kind: Literal["search"]  # type: ignore[assignment]
    """The kind of field."""

    choices: tuple[Option, ...] = Field(min_length=2, max_length=MOST_CHOICES)
    """The values, those first that the page suggests. The model gets the index of the chosen
    one."""

    varies: ClassVar[bool] = False

    @model_validator(mode="after")
    def _labels_are_distinct(self) -> "SearchField":
        if len(self._values) < len(self.choices):
            raise ValueError("choices has a label twice, and a visitor types labels")
        return self

    @cached_property
    def _folded(self) -> dict[str, set[str]]:
        """The values that a folded text can mean, which is a label or a value."""
        found: dict[str, set[str]] = {}
        for choice in self.choices:
            for text in (choice.label, choice.value):
                found.setdefault(fold_text(text), set()).add(choice.value)
        return found

    @property
    def options(self) -> tuple[Option, ...]:
        return ()

    @cached_property
    def suggestions(self) -> tuple[str, ...]:
        return tuple(choice.label for choice in self.choices[:MOST_SUGGESTED])

    @property
    def input_attributes(self) -> dict[str, str]:
        """A text with a list of suggestions."""
        return {"type": "text", "list": f"{self.name}-names"}

    @property
    def accepted_text(self) -> str:
        return f"one of {formatting.format_number(len(self.choices), self._locale)}"

    @property
    def accepted_json_text(self) -> str:
        return self.accepted_text

    def read(self, value: object) -> str:
        found = self._find(value) if isinstance(value, str) else None
        if found is None:
            raise make_error("choice", f"{self.missing_text} from the list{self._suggest(value)}")
        return found

    def _find(self, text: str) -> str | None:
        if text in self._codes:
            return text
        if text in self._values:
            return self._values[text]
        found = self._folded.get(fold_text(text), ())
        return next(iter(found)) if len(found) == 1 else None

    def _suggest(self, value: object) -> str:
        """Ask for the most similar labels; "" where none is similar."""
        folded = fold_text(value) if isinstance(value, str) and len(value) <= _LONGEST_TYPED else ""
        if not folded:
            return ""
        texts = list(self._folded)
        near = [text for text in texts if folded in text][:_MOST_SIMILAR]
        if not near:
            # Pairs of letters first: difflib alone takes a second for 20,000 names.
            pairs, squares = self._pairs
            distances = squares - 2 * (pairs @ _count_pairs([folded])[0])
            closest = np.argsort(distances, kind="stable")[:_MOST_COMPARED]
            near = difflib.get_close_matches(
                folded, [texts[index] for index in closest.tolist()], n=_MOST_SIMILAR
            )
        values = dict.fromkeys(value for text in near for value in sorted(self._folded[text]))
        labels = [self._labels[value] for value in values][:_MOST_SIMILAR]
        return f". Did you mean {format_list(labels, 'or', locale='en')}?" if labels else ""

    @cached_property
    def _pairs(self) -> tuple[Float32Array, Float32Array]:
        """How often each pair of letters stands in each folded text, shape (texts, pairs).

        Behind it the sum of their squares, shape (texts,).
        """
        pairs = _count_pairs(list(self._folded))
        return pairs, (pairs**2).sum(axis=1)

    @cached_property
    def _joined(self) -> str:
        return "\n".join(self._folded)

    def is_incomplete(self, typed: str) -> bool:
        """Whether the text is a part of a name."""
        return fold_text(typed) in self._joined

    def format_input(self, typed: str) -> str:
        """What was typed, as the label where it is a value."""
        return self._labels.get(typed, typed)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": _LONGEST_TYPED}

    @property
    def json_notes(self) -> tuple[str, ...]:
        return (f"{self.accepted_text} names; an error gives the nearest ones".capitalize(),)

    @classmethod
    def draft(cls, sample: Sample) -> Self:
        count = len(sample.options)
        text = "Type a part of the name, and pick it from the list."
        if count > MOST_SUGGESTED:
            text = f"Type the name. The list suggests {MOST_SUGGESTED:,} of {count:,}."
        keys = {**sample.keys, "help": text}
        return super().draft(sample._replace(keys=keys))


def _count_pairs(texts: Sequence[str]) -> Float32Array:
    """Count the pairs of letters of some texts, shape (texts, pairs); many share a place."""
    spelled = "".join(f" {text}" for text in texts).encode("utf-32-le", "surrogatepass")
    codes = np.frombuffer(spelled, np.uint32)
    row = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])
    pairs = (codes[:-1] * 31 + codes[1:]) % _PAIRS
    places = (row[:-1] * _PAIRS + pairs)[row[:-1] == row[1:]]
    counts = np.bincount(places, minlength=len(texts) * _PAIRS)
    return counts.reshape(-1, _PAIRS).astype(np.float32)


YES_NO = (
    ("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("off", "on"), ("0", "1"),
    ("0.0", "1.0"), ("non", "oui"), ("nein", "ja"), ("nee", "ja"), ("nej", "ja"), ("no", "si"),
    ("no", "sí"), ("nao", "sim"), ("não", "sim"), ("nie", "tak"), ("ne", "ano"), ("нет", "да"),
    ("absent", "present"), ("faux", "vrai"), ("falsch", "wahr"), ("falso", "verdadero"),
    ("falso", "verdadeiro"), ("falso", "vero"), ("fałsz", "prawda"), ("hayır", "evet"),
    ("nem", "igen"), ("否", "是"), ("いいえ", "はい"),
)  # fmt: skip
"""How data spell no and yes."""

_NO_CELLS, _YES_CELLS = map(frozenset, zip(*YES_NO, strict=True))


class FlagField(BaseField):
    """Yes or no; the model gets 1 or 0.

    The noun follows the word whether: "Say whether {noun}".
    """

    kind: Literal["flag"]
    """The kind of field."""

    example: bool
    """One of the two answers, for the OpenAPI text."""

    yes: str = "Yes"
    """The word for true."""

    no: str = "No"
    """The word for false."""

    json_types: ClassVar[tuple[type, ...]] = (bool, str)
    codes_text: ClassVar[str] = "0 and 1"
    verb: ClassVar[str] = "Say"

    @property
    def noun_phrase(self) -> str:
        return f"whether {self.noun}"

    @property
    def title_noun(self) -> str:
        return self.label

    @property
    def options(self) -> tuple[Option, ...]:
        return (Option(value="yes", label=self.yes), Option(value="no", label=self.no))

    @property
    def accepted_text(self) -> str:
        return f"{self.yes} or {self.no}"

    @property
    def accepted_json_text(self) -> str:
        return "true or false"

    def read_json(self, value: object) -> object:
        """A truth, or what data have for one: TRUE, y, 0."""
        if isinstance(value, str):
            return super().read_json(self.translate_cell(value))
        is_number = isinstance(value, int | float) and value in (0, 1)
        return bool(value) if is_number else super().read_json(value)

    def read(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value in ("yes", "no"):
            return value == "yes"
        raise make_error("flag", f"{self.label} must be yes or no")

    def translate_cell(self, cell: object) -> object:
        folded = str(cell).strip().casefold()
        if folded == self.yes.casefold() or folded in _YES_CELLS:
            return True
        if folded == self.no.casefold() or folded in _NO_CELLS:
            return False
        return super().translate_cell(cell) if isinstance(cell, float) else cell

    def decode(self, code: float) -> bool | None:
        return None if math.isnan(code) else bool(code)

    def format_value(self, value: Any) -> str:
        return self.yes if value else self.no

    def format_fact(self, value: Any) -> str:
        return f"{self.label}: {self.format_value(value)}"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def decode_typed(self, code: float) -> str:
        return "yes" if code else "no"

    def format_typed(self, value: Any) -> str:
        return self.decode_typed(value) if isinstance(value, bool) else str(value)

    @classmethod
    def draft(cls, sample: Sample) -> Self:
        label = textwrap.shorten(sample.keys["label"], _LONGEST_QUOTED, placeholder=" …")
        escaped = label.replace("{", "{{").replace("}", "}}")
        texts = {"noun": f"“{label}” is yes or no", "reason_text": f"“{escaped}” is {{value}}"}
        return cls(**{**sample.keys, **texts}, example=bool(sample.codes.mean() > 0.5))

    @classmethod
    def find_misfit(cls, numbers: Float64Array) -> str:
        return "" if set(numbers.tolist()) <= {0, 1} else "it holds more than 0 and 1"
