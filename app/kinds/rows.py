"""What the adapters of models of rows share: form, JSON, explanation, words around the answer."""

import datetime as dt
import hashlib
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from itertools import compress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlencode
from wsgiref.types import WSGIEnvironment

from babel.lists import format_list
from flask import abort

from app.http.forms import read_form, read_query
from app.http.problems import make_problem
from app.kinds.adapter import OPTION, JsonRows, KindAdapter, KindSchemas, Payload, Schema
from app.kinds.batches import Batch, BatchLimits, TableBatch
from app.kinds.files import OpenFile, SourceFile, TableFile
from app.kinds.parsing import UnreadableError, parse_json, read_json_body, read_rows
from app.kinds.row_api import build_row_schemas, describe_row_api
from app.kinds.streams import CSV, JSON_LINES, JsonRowStream, TableRowStream
from app.limits.background import run_in_thread
from app.presentation.about import describe_origin
from app.presentation.contexts import ApiField, ApiTexts, BatchWords, KindAbout, Row, RowWords
from app.presentation.explanations import ExplanationPresenter
from app.presentation.form import (
    FormView,
    Hints,
    build_form,
    count_filled,
    count_folds,
    hash_form,
)
from app.presentation.plots import PlotView
from app.presentation.result import Notes, Result, measure_size, refuse, write_notes
from app.presentation.scales import Scale
from app.presentation.submission import Problem, Submission, read_fields, read_submission
from app.presentation.track_record import TrackWords
from model import Features
from model.contract import formatting
from model.contract.card import Example
from model.contract.tables import ReadOptions, TableError
from model.contract.tables.table import AS_FOUND
from model.monitoring.cases import CaseFile, read_cases
from model.serving.mismatches import describe_knowledge, describe_mismatch
from model.serving.served_model import Explained, PredictionT
from model.serving.tabular import TabularModel

MAX_INLINE_BYTES = 4096
"""Bytes of JSON that are read in the request's own greenlet, not in a thread."""

MAX_INLINE_ROWS = 40
"""Rows that are predicted in the request's own greenlet."""

MAX_INLINE_EXPLAINED_ROWS = 3
"""The same where contributions are asked for."""

TOO_LARGE_TEXT = "That is more than the form can take: shorten what you typed"

MAX_LISTED = 4
"""Fields that are still to fill in and stand by name in the place of the answer."""

_ENCODED = 12
"""Bytes of a form that a character of a text may take."""

NUMBERS = dict(
    enumerate(["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], start=1)
)
"""Small numbers as words."""


_SENTENCES = "en"
"""The language of the sentences, whatever the card's locale: it decides how numbers are written."""

BATCH_ENDINGS = ".csv,.tsv,.txt,.ndjson,.jsonl,.gz"
"""Of text alone: a page gives files of strangers to no other parser."""


class Headline(NamedTuple):
    """A prediction in words; see ``Result``.

    ``amount`` is what the contributions lead to, unrounded, None for a class without a probability.
    ``subject`` says what they measure, ``total_label`` stands at their end; both are "" for the
    output itself.
    """

    value: str
    text: str
    certainty: str
    short_certainty: str
    announcement: str
    detail: tuple[Any, ...] | None
    amount: float | None
    subject: str = ""
    total_label: str = ""


class RowAdapter(KindAdapter[Features, PredictionT]):
    """The adapter of a model of rows; what no request changes is made once."""

    model: TabularModel[PredictionT]

    styles: tuple[str, ...] = ("rows.css",)
    scripts: tuple[str, ...] = ("what_if.js",)

    error_text: str
    """What stands before an error that was measured on many cases."""

    what_if_prefix: str = ""
    """What stands before the field in what an address says of a what-if."""

    contributions_key: str
    """The key of what the contributions add up to in JSON."""

    def format_error(self, error: float) -> str:
        """Write an error that was measured on many cases: the share of wrong labels."""
        return formatting.format_percent(error, self._card.locale, digits=1)

    def __init__(self, model: TabularModel[PredictionT], scale: Scale) -> None:
        super().__init__(model)
        self._card = card = model.card
        self._optional = frozenset(card.optional)
        self._scale = scale
        if card.texts:
            self.styles = (*self.styles, "text.css")
            self.scripts = (*self.scripts, "text.js")
        self.names = card.form_names
        self.streams = {
            JSON_LINES: partial(JsonRowStream, model),
            CSV: partial(TableRowStream, model),
        }
        self.too_large = Problem(self.names[0], TOO_LARGE_TEXT)
        self.form_bytes += _ENCODED * sum(field.text_length for field in card.fields)
        self.form_hash = hash_form(card.fields, card.output, card.locale)
        self.examples = tuple(
            example.model_copy(update={"values": self._spell(example.values)})
            for example in card.examples
        )
        self.default_what_if = model.default_what_if
        self._appear = "appear" if formatting.is_plural(card.output.noun) else "appears"
        self._explanations = ExplanationPresenter(
            card, model.manifest.reference, scale, self._find_directions(), self.what_if_prefix
        )
        self._origin = describe_origin(card, model.manifest)
        self._origin_only = write_notes(self._origin)
        self.get_notes = lru_cache(maxsize=1024)(self._make_notes)
        self._get_hints = lru_cache(maxsize=1024)(self._make_hints)
        self._format_day = lru_cache(maxsize=1)(partial(formatting.format_date, locale=card.locale))
        self.track_words = TrackWords(self.error_text, self.format_error, self.format_value)
        rows = formatting.format_number(model.manifest.data.rows, card.locale)
        self.words = RowWords(
            card.case_noun,
            card.rows_noun,
            card.similar_text,
            f"The three most alike of {rows} {card.rows_noun}.",
        )

    def _find_directions(self) -> dict[str, int]:
        """Find the features that clearly go with higher or lower answers: 1 or -1 for each."""
        return {}

    def _spell(self, values: Features) -> dict[str, str]:
        """Spell values as they would be typed."""
        fields = self._card.by_name
        return {name: fields[name].format_typed(value) for name, value in values.items()}

    def read_form(self, environ: WSGIEnvironment) -> Submission[Features]:
        return read_submission(self._card, read_form(environ, self.form_bytes))

    def list_inputs(self, values: Mapping[str, object]) -> Mapping[str, object]:
        texts = self._card.texts
        return (
            {name: value for name, value in values.items() if name not in texts}
            if texts
            else values
        )

    def spell_facts(self, submission: Submission[Features], shown: Result) -> str:
        if not self._card.texts:
            return super().spell_facts(submission, shown)
        # A long text is in no address.
        return urlencode({name: text for name, text in submission.values.items() if text.strip()})

    def read_query(self) -> Submission[Features] | None:
        data = read_query()
        given = any(name in data for name in self._card.names)
        return read_fields(self._card, data) if given else None

    def build_form(self, submission: Submission[Features] | None) -> FormView:
        return build_form(self._card, submission, self.read_hints(submission))

    def read_hints(self, submission: Submission[Features] | None) -> Hints:
        values = {} if submission is None else submission.values
        filled = compress(values, map(str.strip, values.values()))
        return self._get_hints(self._optional.intersection(filled))

    def _make_hints(self, known: frozenset[str]) -> Hints:
        """Make the hints where these optional features are filled in."""
        optional, locale = self._card.optional, self._card.locale
        if not optional:
            return Hints()
        gains = self._compute_gains(known)
        best = max(gains, key=gains.__getitem__, default="")
        return Hints(
            count_filled(len(known), len(optional), locale),
            ", ".join(self._card.by_name[name].label for name in optional if name in known),
            round(100 * len(known) / len(optional)),
            best,
            self._card.by_name[best].noun_phrase if best else "",
            tuple(
                (name, formatting.format_percent(gains[name], locale) if name in gains else "")
                for name in optional
            ),
            count_folds(self._card, known),
        )

    def _compute_gains(self, known: frozenset[str]) -> dict[str, float]:
        """By what share the range usually gets narrower with each further feature, if it does."""
        return {}

    def _summarize(self, example: Example) -> str:
        features, _ = self._card.validate_row(example.values)
        return self._explanations.summarize(features or {})

    def takes_long(self, rows: int, contributions: bool) -> bool:
        if contributions and self.model.explains_slowly:
            return True
        return rows > (MAX_INLINE_EXPLAINED_ROWS if contributions else MAX_INLINE_ROWS)

    def present(
        self, submission: Submission[Features] | None, explained: Explained[PredictionT] | None
    ) -> Result:
        if submission is None:
            return self._empty
        if explained is None or submission.row is None:
            if submission.waiting and not submission.invalid:
                return self._present_waiting(submission)
            withdrawn = self._present_withdrawn(submission)
            return withdrawn._replace(waiting=submission.waiting)
        output, headline = self._card.output, self._write_headline(explained)
        return Result(
            "fresh",
            output.label,
            announcement=f"{output.label}{headline.announcement}",
            value=headline.value,
            text=headline.text,
            size=measure_size(headline.text),
            certainty=headline.certainty,
            short_certainty=headline.short_certainty,
            detail=headline.detail,
            explanation=self._explanations.present(
                explained,
                submission.row,
                headline.amount,
                headline.subject,
                headline.total_label,
            ),
            # Accuracy was measured on rows like those in the data, so it is not that of others.
            notes=self._origin_only
            if explained.out_of_distribution
            else self.get_notes(explained.known, self.find_broken()),
            what_if=submission.what_if,
            title=f"{headline.text} · {self._explanations.summarize(submission.row)}",
            query=submission.query,
            today=self._format_day(dt.date.today()),
        )

    @abstractmethod
    def _write_headline(self, explained: Explained[PredictionT], case: str = "") -> Headline:
        """Put a prediction into words.

        The announcement is what follows the output's label.
        """

    @property
    @abstractmethod
    def _blank(self) -> tuple[Any, ...] | None:
        """What stands in the place of a headline's detail where there is no answer."""

    @cached_property
    def _empty(self) -> Result:
        """The result of an empty form, with the answer to the first example."""
        output, example = self._card.output, self._card.examples[0]
        required = [field for field in self._card.form if field.required] or self._card.form
        count = formatting.format_number(len(required), self._card.locale)
        many = len(required) > MAX_LISTED
        heading = f"Fill in {NUMBERS.get(len(required), count)} fact{'s' * (len(required) > 1)}"
        others = (formatting.lower_first(field.label, self._card.locale) for field in required[1:])
        listed = format_list([required[0].label, *others], locale=_SENTENCES)
        features, _ = self._card.validate_row(example.values)
        (explained,) = self.model.explain([features or {}])
        headline = self._write_headline(explained, "the example")
        facts = formatting.end_sentence(self._explanations.summarize(features or {}))
        return Result(
            "empty",
            output.label,
            heading,
            lead="" if many else f"{listed}. ",
            sentence=f"The {output.noun} {self._appear} as you type.",
            detail=headline.detail,
            example=f"{example.title}: {facts} {output.label}{headline.announcement}",
        )

    def _add_mismatch(self, sentence: str, explained: Explained[PredictionT]) -> str:
        """Add to a sentence which facts make a row out of distribution, if some stand out."""
        return f"{sentence} {self._describe_mismatch(explained)}".strip()

    def _describe_mismatch(self, explained: Explained[PredictionT]) -> str:
        unread = [text for text in explained.texts if text.knowledge.is_guess]
        if unread:
            return describe_knowledge(self._card, unread[0].field, unread[0].knowledge)
        return describe_mismatch(self._card, explained.mismatch)

    def _present_waiting(self, submission: Submission[Features]) -> Result:
        label = self._card.by_name[submission.waiting].label
        sentence = f"The {self._card.output.noun} {self._appear} when “{label}” is complete."
        return Result(
            "waiting",
            self._card.output.label,
            "Keep typing",
            sentence=sentence,
            detail=self._blank,
            what_if=submission.what_if,
            waiting=submission.waiting,
        )

    def _present_withdrawn(self, submission: Submission[Features]) -> Result:
        output = self._card.output
        if not submission.query and not submission.invalid:
            return self._empty._replace(state="withdrawn", what_if=submission.what_if)
        if submission.invalid:
            refused = refuse(submission, output.label, f"No {output.noun} yet")
            return refused._replace(detail=self._blank, what_if=submission.what_if)
        heading = "Almost there"
        sentence = f"Still to fill in: {self._list_fields(submission.missing)}."
        return Result(
            "withdrawn",
            output.label,
            heading,
            announcement=f"{heading}. {sentence}",
            sentence=sentence,
            detail=self._blank,
            what_if=submission.what_if,
        )

    def _make_notes(self, known: frozenset[str], broken: str = "") -> Notes:
        """Make the notes for these known optional features."""
        accuracy = self.model.manifest.accuracy
        if self.model.manifest.metrics and len(known) < len(self._card.optional):
            # The accuracy was measured over all held-out rows, whatever was known of each.
            accuracy += " With facts left empty, as here, it may be wrong more often."
        return write_notes(self._origin, accuracy)

    def _list_fields(self, names: Iterable[str]) -> str:
        phrases = [self._card.by_name[name].noun_phrase for name in names]
        if (more := len(phrases) - MAX_LISTED + 1) > 1:
            phrases[-more:] = [f"{formatting.format_number(more, self._card.locale)} more"]
        return format_list(phrases, locale=_SENTENCES)

    def read_json(self, environ: WSGIEnvironment) -> JsonRows[Features]:
        body = read_json_body(environ)
        try:
            if len(body) <= MAX_INLINE_BYTES:
                return read_rows(self._card, parse_json(body))
            return run_in_thread(lambda: read_rows(self._card, parse_json(body)))
        except UnreadableError as error:
            abort(make_problem(400, f"The body is not JSON that can be read: {error}."))

    @property
    def batch_words(self) -> BatchWords:
        card = self._card
        return BatchWords(
            "A whole file at once",
            f"One {card.case_noun} a row, the columns in any order. You get the same file back "
            f"with the {card.output.noun} beside each row.",
            "Your file",
            "Choose it or drop it here: CSV or JSON lines, also packed by gzip.",
            "Choose a file",
            "A summary appears here: where the answers lie, and which rows to fix.",
            BATCH_ENDINGS,
            tuple(
                ApiField(field.name, field.label, field.accepted_text, field.required)
                for field in card.form
            ),
        )

    @property
    def batch_sample(self) -> Sequence[Sequence[object]]:
        rows = [self._card.validate_row(example.values)[0] or {} for example in self._card.examples]
        cells = [[self._spell_cell(name, row.get(name)) for name in self.names] for row in rows]
        return [self.names, *cells]

    def _spell_cell(self, name: str, value: Any) -> str:
        return "" if value is None else self._card.by_name[name].format_typed(value)

    def format_batch_value(self, name: str, values: Mapping[str, Any]) -> str:
        return self._labels[values[name]] if name == "label" else self._scale.format(values[name])

    def open_batch(self, content: bytes, name: str, limits: BatchLimits) -> Batch:
        return TableBatch(self.model, content, name, limits)

    def open_file(self, source: SourceFile, options: ReadOptions, warnings: bool) -> OpenFile:
        return TableFile(self.model, source, options, warnings)

    def read_cases(
        self, file: BinaryIO, name: str, options: ReadOptions, target: str, date: str = ""
    ) -> CaseFile:
        truth = self.make_truth_field()
        return read_cases(self.model, truth, file, name, options, target, date)

    def read_labelled(self, data: Path, target: str) -> tuple[CaseFile, str]:
        if data.is_dir():
            raise TableError(f"{self.model.slug} takes rows of a table, and {data} is a folder.")
        with data.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            return self.read_cases(file, data.name, AS_FOUND, target), digest

    def tool_schema(self) -> Schema:
        return self.schemas().components["Row"]

    def read_arguments(self, arguments: Mapping[str, Any]) -> JsonRows[Features]:
        return read_rows(self._card, arguments)

    def _serialize_contributions(self, explained: Explained[PredictionT]) -> Payload:
        """Serialize the contributions of the given features, where they were computed."""
        shapley = explained.shapley
        if shapley is None:
            return {}
        reference = self.model.manifest.reference
        names = self._card.names
        columns = [names[column] for column in shapley.columns]
        joined = [names[column] for column in shapley.others]
        others = {"others": {"fields": joined, "value": shapley.joint}} if joined else {}
        return {
            OPTION: {
                "reference": {
                    self.contributions_key: shapley.base,
                    "row": {name: reference[name] for name in columns + joined},
                },
                "values": dict(zip(columns, shapley.contributions, strict=True)),
                **others,
                "standard_error": 0,  # they are exact; a program of before may read it
            }
        }

    def _list_warnings(self, explained: Explained[PredictionT]) -> Sequence[Payload]:
        if not explained.out_of_distribution:
            too_sure = self.find_too_sure()
            return ({"code": "too_sure", "message": too_sure},) if too_sure else ()
        message = self._add_mismatch(self.model.guess_text, explained)
        fields = [] if explained.mismatch is None else list(explained.mismatch.facts)
        fields += [text.field for text in explained.texts if text.knowledge.is_guess]
        return ({"code": "outside", "message": message, "fields": fields},)

    def schemas(self) -> KindSchemas:
        return build_row_schemas(self._card, self._build_answer_schema())

    @abstractmethod
    def _build_answer_schema(self) -> Schema:
        """Build the schema of the answer to one row."""

    def _describe_api(self, first: str, second: str) -> ApiTexts:
        """Describe the API; the example in Python prints these two keys of an answer."""
        features, _ = self._card.validate_row(self._card.examples[0].values)
        (explained,) = self.model.explain([features or {}])
        return describe_row_api(self._card, self.serialize(explained), first, second)

    def _about(self, method: str, method_title: str, plots: Iterable[PlotView] = ()) -> KindAbout:
        fields = tuple(
            Row(
                field.label,
                field.accepted_text + ("" if field.required else ", may be left empty"),
            )
            for field in self._card.form
        )
        step = self.model.manifest.features
        derived = tuple(Row(item.name, item.expression) for item in step.computed) if step else ()
        return KindAbout(
            self.model.manifest.accuracy,
            fields,
            method,
            method_title,
            derived=derived,
            plots=tuple(plots),
        )
