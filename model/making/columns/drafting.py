"""The parts of a card, drafted from the data: good enough to serve, to be improved by hand."""

from dataclasses import dataclass, replace

import numpy as np

from model.contract import formatting
from model.contract.arrays import Float64Array
from model.contract.fields import FIELD_KINDS, AnyField, Option, Sample
from model.making.columns.describing import DataColumn
from model.making.columns.naming import Naming
from model.making.data.text_cells import as_text
from model.making.options import LOCALE
from model.making.steps.fitted_steps import MissingInTraining

REASONS_OPTIONAL: dict[MissingInTraining, str] = {
    "filled": "A step of the model fills in what is missing.",
    "seen": "The model was fitted on rows that lack it.",
    "never": "The model answers without it, but every row that it was fitted on had it: nobody "
    "knows what such an answer is worth.",
    "unknown": "The model answers without it. Its file does not tell whether it was fitted on such "
    "rows; if it was not, nobody knows what such an answer is worth.",
}
"""Why a fact may be left empty, by what the model saw when it was fitted."""
_MOST_COUNTED = 100
"""The largest number of "guests" and the like that is one of things; larger ones may be amounts."""
_DATES = ("birth", "date", "day", "month", "time", "week", "year")
"""Words that say of a name that it is one of a date."""


@dataclass(frozen=True)
class DraftField:
    """One field as the card will have it, and its column.

    The field takes every row and more; its example is the median, or the most frequent value.
    ``missing_in_training`` says what the model saw of rows that lack it.
    """

    column: DataColumn
    field: AnyField
    missing_in_training: MissingInTraining = "unknown"

    @property
    def name(self) -> str:
        """The field's name."""
        return self.field.name

    @property
    def required(self) -> bool:
        """Whether the form asks for it always."""
        return self.field.required

    def with_required(self, required: bool) -> "DraftField":
        """The same draft, asked for always or not."""
        return replace(self, field=self.field.model_copy(update={"required": required}))


@dataclass(frozen=True)
class DraftOutput:
    """What the model answers, and the question that is the page's title.

    ``keys`` are the keys of the card's output; ``description`` says the same in a few words.
    ``labels`` are what people read for each class, ``others`` the further outputs of several.
    ``locale`` is how its page writes numbers.
    """

    naming: Naming
    title: str
    keys: dict[str, object]
    description: str
    labels: tuple[str, ...] = ()
    others: "tuple[DraftOutput, ...]" = ()
    locale: str = LOCALE


def draft_field(
    column: DataColumn,
    required: bool,
    codes: Float64Array,
    missing_in_training: MissingInTraining = "unknown",
    locale: str = LOCALE,
) -> DraftField:
    """Draft a field.

    Args:
        column: what its column is.
        required: False where it may be left empty.
        codes: the column as a predictor sees it, shape (rows,); NaN where unknown.
        missing_in_training: what the model saw of rows that lack it.
        locale: how the page writes numbers.
    """
    naming = column.naming
    keys = {"kind": column.kind, "name": naming.name, "label": naming.label, "noun": naming.noun}
    if naming.noun.startswith("“") or naming.is_own:
        keys["determiner"] = ""
    elif column.kind == "date" and not any(word in naming.noun for word in _DATES):
        keys["noun"] = f"{naming.noun[:55]} date"  # nobody enters "the sold"
    elif (
        column.kind == "integer"
        and not naming.unit
        and formatting.is_plural(naming.noun)
        and np.nanmax(codes, initial=0) <= _MOST_COUNTED
    ):
        keys["determiner"] = "the number of"
    options = tuple(
        Option(value=value, label=label)
        for value, label in zip(map(as_text, column.source.values), column.labels, strict=False)
    )
    known = codes[~np.isnan(codes)]
    sample = Sample(
        {**keys, "required": required}, naming.unit, known, options, locale, column.help
    )
    drafted = FIELD_KINDS[column.kind].draft(sample)
    if column.help:
        drafted = drafted.model_copy(update={"help": column.help})
    return DraftField(column, drafted, missing_in_training)
