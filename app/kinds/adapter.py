"""What pages and API need of a model, whatever its kind: one adapter for each kind."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Generic, NamedTuple
from urllib.parse import urlencode
from wsgiref.types import WSGIEnvironment

from app.feedback.outcomes import KeptAnswer, OutputValue
from app.http.forms import FORM_BYTES
from app.http.problems import Fault
from app.kinds.batches import Batch, BatchLimits
from app.kinds.files import OpenFile, SourceFile
from app.presentation.batches import BatchAnswers, Tally, count_labels
from app.presentation.contexts import (
    ApiTexts,
    BatchWords,
    ExampleLink,
    KindAbout,
    Link,
    ReportForm,
    Row,
    RowWords,
    Site,
)
from app.presentation.form import FormView, Hints, build_field
from app.presentation.reports import Personal, build_report_form
from app.presentation.result import Result
from app.presentation.submission import WHAT_IF, Problem, Submission
from app.presentation.track_record import TrackWords
from model.contract.card import Example
from model.contract.fields import AnyField, Option
from model.contract.tables import ReadOptions, TableError
from model.monitoring.cases import CaseFile
from model.serving.served_model import Explained, PredictionT, RowT, ServedModel

OPTION = "contributions"
"""The option of a request that asks for contributions, and their key in the answer."""

Payload = dict[str, object]
"""One answer of the API; ``KindSchemas`` has its schema."""

Schema = dict[str, Any]
"""JSON Schema 2020-12, or a part of an OpenAPI document."""


class JsonRows(NamedTuple, Generic[RowT]):
    """The rows of a request to the API, or everything that is wrong with them.

    ``single`` where the body is one row and no list. ``detail`` says that there is no answer,
    ``refused`` names each field that has an invalid value, once. ``inputs`` are the values of a
    single row, for the log.
    """

    rows: Sequence[RowT]
    faults: Sequence[Fault]
    single: bool
    detail: str = ""
    refused: tuple[str, ...] = ()
    inputs: Mapping[str, object] | None = None


class StreamedRow(NamedTuple, Generic[PredictionT]):
    """The answer to one of many rows, or what is wrong with it; see ``JsonRows``."""

    explained: Explained[PredictionT] | None
    faults: Sequence[Fault] = ()
    refused: tuple[str, ...] = ()


class RowStream(ABC, Generic[PredictionT]):
    """Many rows in one request, which are read while they are answered."""

    @abstractmethod
    def check(self) -> Iterator[None]:
        """Look before the first answer whether the rows can be read, in short steps.

        Raises:
            TableError: if they cannot; the message is for people.
            TooLargeError: if there are more than are answered here.
        """

    @abstractmethod
    def answer(self, contributions: bool) -> Iterator[Sequence[StreamedRow[PredictionT]]]:
        """Answer the rows in their order, some at a time."""


class KindSchemas(NamedTuple):
    """The API of one model in OpenAPI 3.1.

    ``summary`` is what the model answers, ``components`` are the schemas by name, ``content`` is
    what a request may have, by media type, and ``answer`` the schema of a 200.
    """

    summary: str
    components: dict[str, Schema]
    description: str
    content: Schema
    answer: Schema

    @property
    def explains(self) -> bool:
        """Whether an answer can have contributions."""
        return OPTION in self.components["Answer"]["properties"]


class KindAdapter(ABC, Generic[RowT, PredictionT]):
    """Reads requests for one model, and writes what it answers."""

    styles: tuple[str, ...] = ()
    """The style sheets that the pages need, beside ``app.css``."""

    scripts: tuple[str, ...] = ()
    """The scripts that the pages need, beside ``app.js``."""

    answer_noun: ClassVar[str] = "answer"
    """What sentences call the model's answer."""

    names: tuple[str, ...]
    """The names of the fields."""

    form_hash: str
    """What the form means."""

    _labels: Mapping[str, str] = {}
    """What people call each label of an answer; none where it has no labels."""

    default_what_if: str = ""
    """The feature that the what-if varies until the visitor chooses another, "" for none."""

    warning: str = ""
    """What stands beside every answer."""

    refusal: Problem = Problem("", "")
    """What to say of a row for which the model has no prediction."""

    too_large: Problem
    """What to say of a form that is larger than what is read."""

    samples: Link | None = None
    """Where a visitor finds something to try."""

    examples: Sequence[Example] = ()
    """Filled forms that a visitor can click."""

    thumbnails: Sequence[bytes] = ()
    """Small JPEG files of the pictures that a visitor can click."""

    words: RowWords | None = None
    """The words around its answers, where it takes rows."""

    track_words: TrackWords | None = None
    """How it writes what became of its answers, where a file can say that."""

    find_broken: Callable[[], str] = staticmethod(str)
    """Says how many of the last cases held, where it turned out that too few do, else ""."""

    find_too_sure: Callable[[], str] = staticmethod(str)
    """Says how often the model was right where it was sure, where that is too rarely, else ""."""

    def __init__(self, model: ServedModel[RowT, PredictionT]) -> None:
        self.model: ServedModel[RowT, PredictionT] = model
        self.result_template = f"kinds/{model.card.kind}.html"
        self._identity = {"name": model.slug, "version": model.version}

    def build_site(self, prefix: str, embedded: bool = False) -> Site:
        """Build what all pages share; in a frame the form stays, other links open outside of it.

        ``prefix`` stands before every address: the root of the app, then the model's own.
        """
        home = f"{prefix}/"
        action = f"{home}embed" if embedded else home
        return Site(
            title=self.model.card.title,
            summary=self.model.card.summary,
            home=home,
            action=action,
            fragment=f"{action.rstrip('/')}/predict-fragment",
            about=f"{home}about",
            examples=tuple(
                ExampleLink(
                    example.title,
                    f"{action}?{urlencode(example.values)}",
                    self._summarize(example),
                )
                for example in self.examples
            ),
            answer_noun=self.answer_noun,
            styles=self.styles,
            scripts=self.scripts,
            form_hash=self.form_hash,
            target="_blank" if embedded else "",
            warning=self.warning,
            samples=self.samples,
            words=self.words,
            batch="" if embedded else f"{home}batch",
        )

    @property
    @abstractmethod
    def batch_words(self) -> BatchWords:
        """What the page for files of many rows says."""

    @property
    @abstractmethod
    def batch_headings(self) -> Mapping[str, str]:
        """What stands above the columns of an answer in the first rows, by their names."""

    @property
    def batch_sample(self) -> Sequence[Sequence[object]]:
        """The rows of a table to fill in, the names of its columns first; none for other files."""
        return ()

    @abstractmethod
    def open_batch(self, content: bytes, name: str, limits: BatchLimits) -> Batch:
        """Take a file of many rows, which is read later."""

    @abstractmethod
    def open_file(self, source: SourceFile, options: ReadOptions, warnings: bool) -> OpenFile:
        """Open a file of any length.

        ``warnings`` says whether rows that are unlike all training rows are looked for.

        Raises:
            TableError: if it cannot be read, or lacks a column; the message is for people.
        """

    def read_cases(
        self, file: BinaryIO, name: str, options: ReadOptions, target: str, date: str = ""
    ) -> CaseFile:
        """Answer a table of cases whose truth is known.

        ``target`` is the column with the truth, ``date`` that with the day; "" where its name
        tells.

        Raises:
            TableError: if it cannot be used; the message is for people.
        """
        raise TableError(f"{self.model.slug} takes pictures, and a table has none.")

    @abstractmethod
    def read_labelled(self, data: Path, target: str) -> tuple[CaseFile, str]:
        """Answer cases whose truth is known, to hold the model against another one.

        ``data`` is a table, or for pictures a folder with a folder for each class.

        Returns:
            What it answers, and the hash of the data as manifests have it.

        Raises:
            TableError: if they cannot be used; the message is for people.
        """

    def present_batch(self, tally: Tally) -> BatchAnswers:
        """Present where the answers to a file lie: as a count of each label, if it has labels."""
        return BatchAnswers(count_labels(tally, self._labels), None)

    @abstractmethod
    def format_batch_value(self, name: str, values: Mapping[str, Any]) -> str:
        """Write what stands below a heading in the first rows of a file.

        Args:
            name: one of ``batch_headings``.
            values: all of one row's answer.
        """

    @property
    def outcomes(self) -> tuple[int, ...]:
        """How many rows of the data came to each of some outcomes in order; none where unknown."""
        return ()

    def _summarize(self, example: Example) -> str:
        """Name some of an example's facts."""
        return ""

    def read_hints(self, submission: Submission[RowT] | None) -> Hints:
        """Read what the form says of its optional fields."""
        return Hints()

    @abstractmethod
    def read_form(self, environ: WSGIEnvironment) -> Submission[RowT]:
        """Read a posted form.

        Raises:
            HTTPException: 408, 411, 413 or 503 for a body that is not read.
        """

    def read_query(self) -> Submission[RowT] | None:
        """Read the form that the address holds; None where it holds none."""
        return None

    def list_inputs(self, values: Mapping[str, object]) -> Mapping[str, object]:
        """Return those of some values that may be logged: no text that somebody wrote."""
        return values

    @abstractmethod
    def build_form(self, submission: Submission[RowT] | None) -> FormView:
        """Build the form with a submission's values, or empty."""

    @abstractmethod
    def takes_long(self, rows: int, contributions: bool) -> bool:
        """Whether explaining so many rows needs a thread, so that other requests need not wait."""

    @abstractmethod
    def present(
        self, submission: Submission[RowT] | None, explained: Explained[PredictionT] | None
    ) -> Result:
        """Present a submission's result.

        ``submission`` is None where nothing was typed yet, ``explained`` where it has no row.
        """

    form_bytes: int = FORM_BYTES
    """The bytes of the largest form that is read, without a file."""

    @abstractmethod
    def make_truth_field(self) -> AnyField:
        """Make the field in which a visitor says what was right."""

    def build_report_form(self, site: Site, days: int) -> ReportForm:
        """Build the form that stands below an answer."""
        field = self.make_truth_field()
        question = f"Do you know {field.noun_phrase}?"
        view = build_field(field, None)
        return build_report_form(self.model.card, site, view, question, days, self.personal)

    @property
    def personal(self) -> Personal:
        """What a report keeps only where a box is ticked."""
        has_text = len(self.list_inputs(dict.fromkeys(self.names, ""))) < len(self.names)
        return "text" if has_text else ""

    @abstractmethod
    def summarize_answer(self, explained: Explained[PredictionT]) -> KeptAnswer:
        """Return what is kept of an answer where a visitor reports on it."""

    def spell_facts(self, submission: Submission[RowT], shown: Result) -> str:
        """Spell the fields as they were typed, as a query string; ``shown`` is their result."""
        return submission.query.partition(f"&{WHAT_IF}=")[0]

    def format_value(self, value: OutputValue) -> str:
        """Format an answer, or a truth, that was kept."""
        return self._labels.get(str(value), str(value))

    @abstractmethod
    def read_json(self, environ: WSGIEnvironment) -> JsonRows[RowT]:
        """Read the present request to the API.

        Raises:
            HTTPException: for a body that is not read, or not understood.
        """

    @abstractmethod
    def tool_schema(self) -> Schema:
        """Describe what an assistant sends: one object with the fields of one row."""

    @abstractmethod
    def read_arguments(self, arguments: Mapping[str, Any]) -> JsonRows[RowT]:
        """Read the one row that an assistant sent.

        Raises:
            HTTPException: 503 where no memory is free for it in time.
        """

    streams: Mapping[str, Callable[[bytes, BatchLimits], RowStream[PredictionT]]] = {}
    """What takes the many rows in a body of the API, by its media type."""

    def serialize(self, explained: Explained[PredictionT]) -> Payload:
        """Serialize the answer to one row."""
        return {
            **self._serialize_prediction(explained),
            "warnings": self._list_warnings(explained),
            "model": self._identity,
        }

    @abstractmethod
    def _serialize_prediction(self, explained: Explained[PredictionT]) -> Payload:
        """Serialize the prediction, and its contributions where they were computed."""

    @abstractmethod
    def _list_warnings(self, explained: Explained[PredictionT]) -> Sequence[Payload]:
        """List the warnings of an answer, each with a code and a message."""

    @abstractmethod
    def schemas(self) -> KindSchemas:
        """Describe the API for programs."""

    @abstractmethod
    def api_texts(self) -> ApiTexts:
        """Describe the API for people."""

    @abstractmethod
    def about(self) -> KindAbout:
        """Describe what only this kind of model says about itself."""


def list_labels(classes: Sequence[Option]) -> tuple[Row, ...]:
    """The form's label of each class, by its value; none where both are the same everywhere."""
    if all(item.value == item.label for item in classes):
        return ()
    return tuple(Row(item.value, item.label) for item in classes)
