"""Half a page about a model that was added, for the terminal and as ``REPORT.md`` in its folder."""

from collections.abc import Iterable, Sequence

from model.contract.formatting import list_some
from model.making.writing.summary import AddedModel

_MOST_FIELDS = 30
_MOST_WITHOUT_UNIT = 6
_WIDEST = 38
_WIDEST_OF_TWO = 60


def format_report(added: AddedModel) -> str:
    """Say in Markdown what was made, how good it is and what to write next."""
    more = len(added.fields) - _MOST_FIELDS
    parts = [
        f"# {added.title}",
        "## What it is and takes",
        f"It answers: {added.output}.\nServed: {added.served}",
        _format_table(
            [("field", "kind", "takes", "from the column"), *added.fields[:_MOST_FIELDS]]
        ),
        f"And {more} more, in card.toml." if more > 0 else "",
        "## What was tried and taken",
        added.tried,
        "\n".join(f"    {name} = {expression}" for name, expression in added.derived),
        "" if added.tried or added.derived else "Nothing was put together: its file holds it all.",
        "## How good it is",
        " ".join(added.how.replace(added.tried, "").split()),  # which stands above
        _format_table([("figure", "value"), *added.figures]) if added.figures else "",
        *_format_comparison(added),
        "\n".join(f"- Note: {note}" for note in added.notes),
        "## What to do next",
        "\n".join(f"{number}. {text}" for number, text in enumerate(_list_next(added), start=1)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _format_comparison(added: AddedModel) -> Iterable[str]:
    if added.comparison is None:
        yield added.uncompared
        return
    yield (
        f"{added.comparison.verdict} The plain ones were fitted to {added.comparison.fitted:,} of "
        "the rows that the model has seen."
    )
    rows = [
        (name, f"{round(score, 3) + 0.0:.3f}") for name, score in added.comparison.scores.items()
    ]
    yield _format_table([("on the held-out rows", added.comparison.score_name), *rows])


def _list_next(added: AddedModel) -> Iterable[str]:
    if added.advice:
        yield added.advice
    yield (
        "Into card.toml: `limits` and `not_for`: what it cannot know, and what nobody should use "
        "it for."
    )
    yield "`title`, `summary` and the `label` of each field, in the words of its visitors."
    if added.without_unit:
        listed = list_some(added.without_unit, _MOST_WITHOUT_UNIT)
        yield f"`unit` of {listed}: no unit was found in these names."
    else:
        yield "`help` of the fields that a visitor may not understand."


def _format_table(rows: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown whose columns are aligned for a terminal, too."""
    widest = _WIDEST_OF_TWO if len(rows[0]) == 2 else _WIDEST
    cells = [[_format_cell(cell, widest) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _format_cell(text: str, width: int) -> str:
    text = " ".join(text.replace("|", "/").split())
    return text if len(text) <= width else text[: width - 1] + "…"
