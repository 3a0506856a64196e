"""What ``model check --against`` says: a new model beside an old one, on the same rows."""

from pathlib import Path
from typing import Any

import click

from app.cli.errors import require_tools, tell_errors
from app.kinds import make_adapter
from model.contract import formatting
from model.contract.amounts import MINUS
from model.monitoring.comparison import (
    LEAST_ROWS,
    Measure,
    compare_cases,
    describe_training,
    pair_cases,
)
from model.serving.served_model import ServedModel


def tell_comparison(
    new: ServedModel[Any, Any], old: ServedModel[Any, Any], data: Path, target: str
) -> str:
    """Print how two models answer the rows of a file, or pictures.

    ``data`` is a table with the columns of both forms and the truth, ``target``, or a folder with a
    folder of pictures for each class.

    Returns:
        Why not to replace the old one; "" where nothing speaks against it.

    Raises:
        ClickException: if the file cannot be used for both.
    """
    with tell_errors(data), require_tools("Comparing models"):
        (before, digest), (after, _) = (
            make_adapter(model).read_labelled(data, target) for model in (old, new)
        )
        pairs = pair_cases(before, after)
        learned = [
            describe_training(model, found, digest, data.name)
            for model, found in ((old, before), (new, after))
        ]
    locale = new.card.locale
    rows = formatting.format_number(len(pairs), locale)
    click.echo(f"\n{old.slug} → {new.slug}, on the {rows} rows that both answer:")
    measures = compare_cases(pairs)
    for measure in measures:
        click.echo(f"  {_describe(measure, new)}")
    for sentence in dict.fromkeys(filter(None, learned)):
        click.echo(f"{sentence} On rows that it has seen a model looks better than it is.")
    if len(pairs) < LEAST_ROWS:
        click.echo(f"{rows} rows are few: the intervals are too narrow for so few.")
    deciding = [measure for measure in measures if measure.merit]
    found = next((one for one in deciding if one.is_better or one.is_worse), deciding[0])
    better, other = (old, new) if found.is_worse else (new, old)
    if found.is_better or found.is_worse:
        verdict = f"{better.slug} {found.merit} than {other.slug}, by more than chance explains"
        if found.is_worse:
            return f"{verdict}: keep {better.slug}."
        click.echo(f"{verdict}.")
    else:
        click.echo(f"Which of the two {found.merit} these rows do not tell: it may be chance.")
    return ""


def _describe(measure: Measure, model: ServedModel[Any, Any]) -> str:
    """A measure before and after, and between which ends the difference lies."""
    locale = model.card.locale
    unit = model.card.output.measured_in

    def write(value: float) -> str:
        if measure.unit == "share":
            return formatting.format_percent(value, locale, digits=1)
        number = formatting.format_exact(float(f"{value:.4g}"), locale)
        return f"{number} {unit}" if unit and measure.unit == "output" else number

    def write_signed(value: float) -> str:
        sign = "+" if value > 0 else MINUS if value < 0 else ""
        return f"{sign}{write(abs(value))}"

    difference = write_signed(measure.new - measure.old)
    ends = f"{write_signed(measure.low)} to {write_signed(measure.high)}"
    return (
        f"{measure.name}: {write(measure.old)} → {write(measure.new)} "
        f"(difference {difference}; with 95% confidence {ends})"
    )
