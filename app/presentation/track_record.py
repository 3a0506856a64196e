"""The page that says what became of the answers, and what is asked."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from app.feedback.outcomes import OutputValue, ReportedOutcome
from app.monitoring.watcher import DAYS, AskedField, ModelWatch, Reports, measure_distance
from app.presentation.contexts import AskedView, ReportView, Row, Site, TrackRecordContext
from app.presentation.plots import (
    LEAST_SHARE,
    PlotView,
    plot_coverage,
    plot_months,
    plot_reliability,
)
from model.contract import formatting
from model.contract.fields import BaseField
from model.contract.manifest import FieldBins
from model.monitoring.stability import LEAST_ASKED, OUTSIDE, drop_empty, list_bins
from model.monitoring.track_record import TrackRecord
from model.serving.served_model import ServedModel

HEADING = "What became of the answers?"

_STEP = 24
_HEIGHT = 60


class TrackWords(NamedTuple):
    """How a kind of model writes its errors and its answers."""

    error_text: str
    format_error: Callable[[float], str]
    format_value: Callable[[OutputValue], str]


def build_track_record(
    watch: ModelWatch, site: Site, words: TrackWords | None
) -> TrackRecordContext:
    """Present what is known of a model's answers; ``words`` is None for a model without rows."""
    model, record = watch.model, watch.record
    locale = model.card.locale
    figures: tuple[Row, ...] = ()
    plots: Sequence[PlotView] = ()
    if record is not None and words is not None:
        figures = tuple(list_figures(record, words, locale))
        plots = draw_plots(record, words, locale)
    return TrackRecordContext(
        site=site,
        heading=HEADING,
        verdict=watch.verdict or describe_nothing(model, words),
        broken=watch.is_broken,
        figures=figures,
        plots=tuple(plots),
        reports=tuple(present_reports(watch.reports.furthest, words, locale)),
        reports_text=count_reports(watch.reports, locale),
        asked=tuple(present_asked(model, watch.counter.bins, watch.asked)),
        asked_text=describe_asked(watch.counter.bins, watch.asked, locale),
    )


def describe_nothing(model: ServedModel[object, object], words: TrackWords | None) -> str:
    """Say how truths come here; ``words`` is None for a model without rows."""
    if words is None:
        return "Nobody has tested this on pictures whose truth became known."
    return Markup(
        "No truth is known yet. Whoever runs this page brings a file with every case of some time: "
        "<code>flask --app wsgi model outcomes {} truths.csv</code>"
    ).format(model.slug)


def list_figures(record: TrackRecord, words: TrackWords, locale: str) -> list[Row]:
    """List the measures of all cases."""
    rows = [Row("Cases with a truth", formatting.format_number(record.cases, locale))]
    if record.held is not None:
        share = formatting.format_percent(record.held / record.cases, locale, digits=1)
        rows.append(Row("Ranges that held" if record.fifths else "As it was said", share))
        rows.append(Row("Lately", record.recent_text))
    return [*rows, Row(words.error_text, words.format_error(record.error))]


def draw_plots(record: TrackRecord, words: TrackWords, locale: str) -> list[PlotView]:
    """Draw coverage, calibration, and both by month."""
    plots = []
    share = None if record.promise is None else record.promise.share
    if record.fifths:
        plots.append(plot_coverage(record.fifths, 0.9 if share is None else share))
    if len(record.reliability) > 1:
        plots.append(plot_reliability(record.reliability))
    if len(record.periods) < 2:
        return plots
    names = [f"{period.first:%Y-%m}" for period in record.periods]
    if record.held is not None:
        held = [period.held / period.cases for period in record.periods]
        expected = [period.expected for period in record.periods]
        line = [one for one in expected if one is not None]
        if len(line) < len(held):
            line = [] if share is None else [share] * len(held)
        worst = min(range(len(held)), key=held.__getitem__)
        percent = formatting.format_percent(held[worst], locale)
        plots.append(
            plot_months(
                "held-by-month",
                "How often it held, by month",
                f"Each dot is a month. The line is what was expected. In {names[worst]} it held "
                f"least often: {percent} of {record.periods[worst].cases}.",
                list(zip(names, held, strict=True)),
                line,
                "held",
                lambda value: formatting.format_percent(value, locale),
                (min(LEAST_SHARE, *held, *line), 1.0),
            )
        )
    errors = [period.error for period in record.periods]
    most = max(range(len(errors)), key=errors.__getitem__)
    plots.append(
        plot_months(
            "error-by-month",
            "How far off it was, by month",
            f"Each dot is a month. It was largest in {names[most]}: "
            f"{words.format_error(errors[most])}.",
            list(zip(names, errors, strict=True)),
            (),
            "error",
            words.format_error,
            (0.0, max(errors) or 1.0),
        )
    )
    return plots


def count_reports(reports: Reports, locale: str) -> str:
    """Say how many reports there are, and what they cannot show."""
    if not reports.total:
        return "No visitor has reported anything."
    total, known = (
        formatting.format_number(count, locale) for count in (reports.total, reports.known)
    )
    have = "has" if reports.known == 1 else "have"
    count = "1 report" if reports.total == 1 else f"{total} reports"
    return (
        f"{count}, of which {known} {have} a truth. They are counted apart, and no promise is "
        "tested by them: people report what is wrong."
    )


def present_reports(
    furthest: Sequence[ReportedOutcome], words: TrackWords | None, locale: str
) -> list[ReportView]:
    """Present reports, without what was typed or said."""
    if words is None:
        return []
    shown = []
    for found in furthest:
        assert found.truth is not None  # noqa: S101 (those with a truth)
        distance = measure_distance(found)
        if isinstance(found.truth, str):
            outside = "wrong" if distance else "right"
        elif found.low is None:
            outside = formatting.format_percent(distance, locale)
        elif distance <= 0:
            outside = "inside"
        else:
            outside = f"{formatting.format_number(round(distance, 1), locale)} × the range"
        shown.append(
            ReportView(
                formatting.format_date(found.day, locale),
                words.format_value(found.value),
                words.format_value(found.truth),
                outside,
            )
        )
    return shown


def describe_asked(bins: Mapping[str, FieldBins], asked: Sequence[AskedField], locale: str) -> str:
    """Say what is counted, and of how many forms."""
    if not bins:
        return "Nothing is counted: this model was made before its training rows were counted."
    forms = max((field.forms for field in asked), default=0)
    if not forms:
        return f"No form was filled in during the last {DAYS} days."
    count = formatting.format_number(forms, locale)
    text = (
        f"{count} form{' was' if forms == 1 else 's were'} filled in during the last {DAYS} days. "
        "The dark bars are the values that were asked for, the light ones those of the training "
        "data; the last is what no row of them has. Only these counts are kept, no form."
    )
    return text if forms >= LEAST_ASKED else f"{text} {LEAST_ASKED} forms begin to tell something."


def present_asked(
    model: ServedModel[object, object], bins: Mapping[str, FieldBins], asked: Sequence[AskedField]
) -> list[AskedView]:
    """Present the fields, those that differ most first."""
    ordered = sorted(asked, key=lambda field: (not field.differs, -field.psi / (field.limit or 1)))
    return [_present_field(model, bins[field.name], field) for field in ordered]


def _present_field(
    model: ServedModel[object, object], bins: FieldBins, asked: AskedField
) -> AskedView:
    field, locale = model.fields[asked.name], model.card.locale
    own, trained = (
        [count / (sum(counts) or 1) for count in counts]
        for counts in (drop_empty(asked.counts), drop_empty(bins.counts))
    )
    names = drop_empty(list_bins(bins))
    highest = max(*own, *trained)
    index, limit = (
        formatting.format_number(round(value, 3), locale) for value in (asked.psi, asked.limit)
    )
    if asked.differs:
        place = max(range(len(own)), key=lambda number: own[number] - trained[number])
        ours, theirs = (
            formatting.format_percent(shares[place], locale) for shares in (own, trained)
        )
        where = describe_bin(field, bins, names[place])
        words = f"{where}: {ours} of what was asked for, {theirs} of the {model.rows_noun}."
    elif asked.given < LEAST_ASKED:
        words = "Too few to tell."
    else:
        words = f"As in the {model.rows_noun}."
    empty = ""
    if left := asked.forms - asked.given:
        empty = f"{formatting.format_percent(left / asked.forms, locale)} left it empty. "
    return AskedView(
        field.label,
        words,
        f"{empty}Population stability index {index}; {limit} in one of a hundred samples.",
        _draw_bars(own, highest, 4),
        _draw_bars(trained, highest, 14),
        _STEP * len(own),
        asked.differs,
    )


def _draw_bars(shares: Sequence[float], highest: float, offset: int) -> str:
    return "".join(
        f"M{number * _STEP + offset} {_HEIGHT}V{round(_HEIGHT * (1 - share / highest), 1)}"
        for number, share in enumerate(shares)
        if share
    )


def describe_bin(field: BaseField, bins: FieldBins, name: str) -> str:
    """Say which values are in a bin of a field."""
    if name == OUTSIDE:
        return "Like no row of the training data"
    number = int(name)

    def write(code: float) -> str:
        return field.format_value(field.decode(float(field.round_codes(np.array([code]))[0])))

    if bins.choices or bins.others:
        return write(bins.choices[number]) if number < len(bins.choices) else "All others"
    low, high = bins.edges[number], bins.edges[number + 1]
    if len(bins.edges) == 2:
        return write(low)
    if number == 0:
        return f"Up to {write(high)}"
    if number == len(bins.edges) - 2:
        return f"Above {write(low)}"
    return f"{write(low)} to {write(high)}"
