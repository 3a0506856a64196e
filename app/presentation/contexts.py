"""The context of each template, one named tuple a template, and the renderer."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from jinja2 import Environment
from markupsafe import Markup

from app.presentation import charts
from app.presentation.batches import BatchResult
from app.presentation.cached_templates import CachedTemplate
from app.presentation.form import FieldView, FormView, Hints
from app.presentation.plots import PlotView
from app.presentation.result import Result
from app.presentation.submission import Feedback, Problem


class Link(NamedTuple):
    """A link with its text: to a model, an example, or a set of pictures."""

    text: str
    href: str


class ExampleLink(NamedTuple):
    """A link to a filled form, with some of its facts."""

    text: str
    href: str
    facts: str


class SampleLink(NamedTuple):
    """A small picture that a visitor can click: what it shows, where it leads, and its address."""

    text: str
    href: str
    src: str


class RowWords(NamedTuple):
    """The words around the answers of a model of rows.

    ``case`` is what one row is called, ``rows`` what those of the data are. ``similar_title`` and
    ``similar_text`` stand above the similar rows. ``bars`` is the path of a bar for each bin of the
    outcomes, "" where there are none, and ``bars_text`` says what they are.
    """

    case: str
    rows: str
    similar_title: str
    similar_text: str
    bars: str = ""
    bars_text: str = ""


class Site(NamedTuple):
    """What all pages of one model share, whatever the request.

    ``home``, ``fragment`` and ``about`` are addresses, as is ``batch``, "" where no file of many
    rows is answered; ``action`` is where the form posts to.
    ``answer_noun`` is what sentences call the model's answer, ``styles`` and ``scripts`` are the
    style sheets and the scripts of its kind, and ``form_hash`` is what its form means. ``target``
    is where a link opens that leaves the form: "_blank" in a frame, "" in a page of its own.
    ``warning`` stands beside every answer; ``samples`` leads to something to try, and so do the
    ``pictures``; ``words`` are None for a model that takes no rows.
    """

    title: str
    summary: str
    home: str
    action: str
    fragment: str
    about: str
    examples: tuple[ExampleLink, ...]
    answer_noun: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]
    form_hash: str
    target: str
    warning: str
    samples: Link | None
    words: RowWords | None
    pictures: tuple[SampleLink, ...] = ()
    batch: str = ""


class FieldContext(NamedTuple):
    """``presentation/fields/field.html``: one field of the form."""

    field: FieldView


class PageContext(NamedTuple):
    """``pages/page.html``: the form with its result; ``problems`` sum up a full post.

    ``draw_field`` renders a field of the form.
    ``heading`` is the page's title, ``description`` what a preview of its link says. ``indexed`` is
    whether search engines may list it. ``url`` and ``preview`` are whole addresses, of the page and
    of its picture, "" where the app does not know its own name. ``report`` is None where nothing is
    kept.
    """

    site: Site
    form: FormView
    draw_field: Callable[[FieldView], Markup]
    result: Markup
    problems: tuple[Problem, ...]
    heading: str
    description: str
    indexed: bool
    url: str
    preview: str
    report: "ReportForm | None" = None


class ReportForm(NamedTuple):
    """The form in which a visitor reports on an answer.

    ``action`` and ``fragment`` are addresses for a full and for a live post. ``question`` asks for
    what the ``field`` takes, ``promise`` says what is kept of it, ``keep_label`` asks whether texts
    or the picture may be kept, "" where there are none. ``most`` is the length of the longest
    comment. On a page of its own it has the ``receipt`` and the ``picture`` that were sent, the
    comment that was ``said``, whether the box was ``ticked``, and the ``problem`` with them.
    """

    action: str
    fragment: str
    field: FieldView
    question: str
    promise: str
    keep_label: str
    most: str
    receipt: str = ""
    picture: str = ""
    said: str = ""
    ticked: bool = False
    problem: str = ""


class Told(NamedTuple):
    """What came of a report: that it is kept, with the number of its receipt, or why not."""

    text: str
    number: str = ""
    href: str = ""


class ToldContext(NamedTuple):
    """``pages/told.html``: what came of a report, below its form."""

    site: Site
    told: Told


class ReportContext(NamedTuple):
    """``pages/report.html``: what came of a report that was posted whole, or the form again."""

    site: Site
    heading: str
    told: Told
    report: ReportForm | None
    draw_field: Callable[[FieldView], Markup]


class ReceiptContext(NamedTuple):
    """``pages/receipt.html``: what is kept under a number, or the field for one.

    ``action`` deletes it, or shows the number that is typed. ``picture`` is a data URL, "" where
    none is kept.
    """

    heading: str
    lead: str
    rows: tuple["Row", ...]
    action: str
    picture: str = ""


class FieldErrorsContext(NamedTuple):
    """``presentation/field_errors.html``: what stands below every field."""

    fields: tuple[Feedback, ...]


class HintsContext(NamedTuple):
    """``presentation/hints.html``: what the form says of its optional fields, beside a result."""

    hints: Hints


class Row(NamedTuple):
    """A label and a value."""

    label: str
    value: str


class MetricTable(NamedTuple):
    """Figures that were measured under several conditions: a row or a column for each.

    Every one of the ``rows`` has a label and as many figures as there are ``columns``.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


class ScatterView(NamedTuple):
    """Held-out rows by truth and prediction; ``title`` and ``words`` say what the plot shows."""

    geometry: charts.ScatterGeometry
    title: str
    words: str
    across: str


class KindAbout(NamedTuple):
    """What only one kind of model says about itself.

    ``method`` says how its ranges or probabilities were calibrated, a paragraph a line, "" where
    they were not; ``method_title`` is the heading above it. ``fields`` are the fields with what
    each accepts, ``derived`` the columns that are computed from them, with the expressions.
    ``plots`` show what held-out rows showed.
    """

    accuracy: str
    fields: tuple[Row, ...]
    method: str = ""
    method_title: str = ""
    scatter: ScatterView | None = None
    derived: tuple[Row, ...] = ()
    plots: tuple[PlotView, ...] = ()


class AboutContext(NamedTuple):
    """``pages/about.html``: the card for people.

    ``metrics`` are the figures that the ``table`` has not, ``how`` says how they were measured;
    ``versions`` are model, artifact and libraries. ``track_record`` is the address of the page that
    says what became of the answers, "" where nobody knows, and ``broken`` says that the promise is.
    """

    site: Site
    heading: str
    origin: str
    trained: str
    source: str
    table: MetricTable | None
    metrics: tuple[Row, ...]
    how: str
    limits: tuple[str, ...]
    not_for: tuple[str, ...]
    versions: tuple[Row, ...]
    kind: KindAbout
    track_record: str = ""
    broken: str = ""


class AskedView(NamedTuple):
    """How often values of one field were asked for, beside the training rows.

    ``asked`` and ``trained`` are the paths of a bar for each bin, in a box of ``width`` by 60.
    ``words`` say what differs most, ``figures`` by how much.
    """

    label: str
    words: str
    figures: str
    asked: str
    trained: str
    width: int
    differs: bool


class ReportView(NamedTuple):
    """What a visitor reported: the day, the answer, the truth, and how far that is outside."""

    day: str
    answer: str
    truth: str
    outside: str


class TrackRecordContext(NamedTuple):
    """``pages/track_record.html``: what became of the answers.

    ``verdict`` says whether the promise holds, ``broken`` whether it does not; where no truth is
    known, ``verdict`` says how to tell. ``figures`` are measures, ``rows`` what the cases are
    called. ``reports`` are those of visitors, and ``reports_text`` counts them. ``asked`` are the
    fields, ``asked_text`` says of how many forms.
    """

    site: Site
    heading: str
    verdict: str
    broken: bool
    figures: tuple[Row, ...]
    plots: tuple[PlotView, ...]
    reports: tuple[ReportView, ...]
    reports_text: str
    asked: tuple[AskedView, ...]
    asked_text: str


class RetryForm(NamedTuple):
    """A form that was refused for now: its method, "get" or "post", and its names and values."""

    method: str
    fields: tuple[tuple[str, str], ...]


class ApiField(NamedTuple):
    """One field of a request in JSON; ``accepts`` describes its values."""

    name: str
    label: str
    accepts: str
    required: bool


class ApiTexts(NamedTuple):
    """The API of one kind of model for people, with examples that work as they are pasted.

    ``curl`` are the options of the command after the address; ``python`` has "{url}" in its place.
    ``request_text`` describes the body of a request, ``sample`` is an answer or "". ``labels`` are
    the words of the form for each label of an answer, where they differ from it.
    """

    curl: str
    python: str
    request_text: str
    fields: tuple[ApiField, ...]
    labels: tuple[Row, ...] = ()
    sample: str = ""


class ApiContext(NamedTuple):
    """``api/page.html``: the API for people who write programs; the address is in its texts.

    ``explains`` says whether an answer can say what contributes to it.
    """

    site: Site
    heading: str
    url: str
    texts: ApiTexts
    statuses: tuple[Row, ...]
    explains: bool


class BatchWords(NamedTuple):
    """What the page for files says of them.

    ``title`` and ``lead`` stand above it, ``label`` and ``hint`` at the field, ``start`` and
    ``promise`` where the answers come. ``accept`` are the endings of the files that it takes,
    ``columns`` the columns that it looks for in a table.
    """

    title: str
    lead: str
    label: str
    hint: str
    start: str
    promise: str
    accept: str
    columns: tuple[ApiField, ...] = ()


class BatchContext(NamedTuple):
    """``pages/batch.html``: the page for a file of many rows.

    ``heading`` is its title, ``problems`` say why a file was refused, and ``result`` are the
    answers.
    """

    site: Site
    heading: str
    words: BatchWords
    problems: tuple[Problem, ...]
    result: Markup


class BatchProgressContext(NamedTuple):
    """``pages/batch_progress.html``: how many rows of a file are answered so far."""

    name: str
    done: str
    rows: str
    percent: int


class BatchEmptyContext(NamedTuple):
    """``pages/batch_empty.html``: what a file shall have, and why one is not answered, or ""."""

    site: Site
    words: BatchWords
    message: str


class BatchResultContext(NamedTuple):
    """``pages/batch_result.html``: the answers to a file, summed up."""

    site: Site
    result: BatchResult


class ErrorContext(NamedTuple):
    """``pages/error.html`` and ``pages/_error.html``: what happened and what to do now.

    ``request_id`` is for the visitor to quote, ``retry`` the form to send again.
    """

    heading: str
    advice: str
    status: int
    request_id: str
    home: str
    retry: RetryForm | None = None


class Renderer:
    """Renders a template with its context and the globals of the environment.

    ``root`` stands at the beginning of every address (``app.http.mounting``).
    """

    def __init__(self, environment: Environment, root: str = "") -> None:
        self.root = environment.globals["root"] = root
        self._environment = environment

    def result_template(self, template: str, **constant: object) -> Callable[[Result], bytes]:
        """Prepare the template of a result, whose further context never changes."""
        cached = CachedTemplate(self._environment.get_template(template), **constant)
        return partial(cached.render, "result")

    def __call__(self, template: str, context: NamedTuple) -> Markup:
        """Render a template, which escapes every value."""
        text = self._environment.get_template(template).render(context._asdict())
        return Markup(text)  # noqa: S704 (escaped there, by autoescape)
