"""The context of each template, one named tuple a template, and the renderer."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from jinja2 import Environment
from markupsafe import Markup

from app.presentation.cached_templates import CachedTemplate
from app.presentation.form import FormView
from app.presentation.result import Result
from app.presentation.submission import Feedback, Problem


class Link(NamedTuple):
    """A link with its text: to a model, an example, or a set of pictures."""

    text: str
    href: str


class Site(NamedTuple):
    """What all pages of one model share, whatever the request.

    ``home``, ``fragment`` and ``about`` are addresses; ``action`` is where the form posts to.
    ``answer_noun`` is what sentences call the model's answer, ``styles`` and ``scripts`` are the
    files of its kind, and ``form_hash`` is what its form means. ``target`` is where a link opens
    that leaves the form: "_blank" in a frame, "" in a page of its own. ``warning`` stands beside
    every answer; ``samples`` leads to something to try.
    """

    title: str
    summary: str
    home: str
    action: str
    fragment: str
    about: str
    examples: tuple[Link, ...]
    answer_noun: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]
    form_hash: str
    target: str
    warning: str
    samples: Link | None


class PageContext(NamedTuple):
    """``pages/page.html``: the form with its result; ``problems`` sum up a full post."""

    site: Site
    form: FormView
    result: Markup
    problems: tuple[Problem, ...]
    heading: str


class FieldErrorsContext(NamedTuple):
    """``presentation/field_errors.html``: what stands below every field."""

    fields: tuple[Feedback, ...]


class Row(NamedTuple):
    """A label and a value."""

    label: str
    value: str


class KindAbout(NamedTuple):
    """What only one kind of model says about itself.

    ``method`` says how its ranges or probabilities were calibrated, "" where they were not;
    ``method_title`` is the heading above it. ``fields`` are the fields with what they accept,
    ``derived`` the columns that are computed from them, with the expressions.
    """

    accuracy: str
    fields: tuple[Row, ...]
    method: str = ""
    method_title: str = ""
    derived: tuple[Row, ...] = ()


class AboutContext(NamedTuple):
    """``pages/about.html``: the card for people.

    ``how`` says how the metrics were measured; ``versions`` are model, artifact and libraries.
    """

    site: Site
    heading: str
    origin: str
    source: str
    metrics: tuple[Row, ...]
    how: str
    limits: tuple[str, ...]
    not_for: tuple[str, ...]
    versions: tuple[Row, ...]
    kind: KindAbout


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
    """``api/page.html``: the API for people who write programs; the address is in its texts."""

    site: Site
    heading: str
    url: str
    texts: ApiTexts
    statuses: tuple[Row, ...]


class ErrorContext(NamedTuple):
    """``pages/error.html`` and ``pages/_error.html``: what happened and what to do now.

    ``request_id`` is for the visitor to quote, ``retry`` the form to send again.
    """

    heading: str
    advice: str
    status: int
    request_id: str = ""
    retry: RetryForm | None = None
    home: str = "/"


class Renderer:
    """Renders a template with its context and the globals of the environment."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def result_template(self, template: str, **constant: object) -> Callable[[Result], bytes]:
        """Prepare the template of a result, whose further context never changes."""
        cached = CachedTemplate(self._environment.get_template(template), **constant)
        return partial(cached.render, "result")

    def __call__(self, template: str, context: NamedTuple) -> Markup:
        """Render a template, which escapes every value."""
        text = self._environment.get_template(template).render(context._asdict())
        return Markup(text)  # noqa: S704 (escaped there, by autoescape)
