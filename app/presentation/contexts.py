"""What each template is given: one frozen dataclass a template, and the one way to render it."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from jinja2 import Environment, Template
from markupsafe import Markup

from app.presentation.cached_templates import CachedTemplate
from app.presentation.form import FieldView, FormView
from app.presentation.result import Problem, Result


@dataclass(frozen=True, slots=True)
class ExampleView:
    """A link that fills the form."""

    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link with its text: to a model in the header, or to a set of pictures."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Site:
    """What does not change between two requests to one model.

    ``thing`` is what the model's answer is called in sentences, ``shares`` whether it comes with
    the probabilities of classes. ``action`` is where the form itself leads, ``target`` where a
    link opens that leads away from it: "_blank" in a frame, "" in a page of its own.
    """

    title: str
    summary: str
    home: str
    fragment: str
    about: str
    examples: tuple[ExampleView, ...]
    thing: str = "estimate"
    shares: bool = False
    action: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class PageContext:
    """``pages/page.html``: the form with its result; ``problems`` are the summary of a full post."""

    site: Site
    form: FormView
    result: Markup
    problems: tuple[Problem, ...]
    heading: str


@dataclass(frozen=True, slots=True)
class ResultContext:
    """``kinds/_result.html``: the result alone, as a live post gets it; ``version`` is the model's."""

    site: Site
    version: str
    result: Result


@dataclass(frozen=True, slots=True)
class ImagePageContext:
    """``pages/picture_page.html``: the form for a picture with its result."""

    site: Site
    field: FieldView
    result: Markup
    problems: tuple[Problem, ...]
    heading: str


@dataclass(frozen=True, slots=True)
class BesideContext:
    """``presentation/errors_beside.html``: every field's error, "" where it is fine, swapped in at the field."""

    errors: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A label and a value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class AboutContext:
    """``pages/about.html``: the card for people."""

    site: Site
    heading: str
    origin: str
    source: str
    accuracy: str
    metrics: tuple[Row, ...]
    how: str
    method: str
    method_title: str
    limits: tuple[str, ...]
    not_for: tuple[str, ...]
    facts: tuple[Row, ...]
    made: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class RetryForm:
    """A form refused for now: how it was sent, "get" or "post", and its names and values."""

    method: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ApiField:
    """What one field takes in JSON."""

    name: str
    label: str
    takes: str
    required: bool


@dataclass(frozen=True, slots=True)
class ApiContext:
    """``api/page.html``: the API for people who write programs.

    ``sample`` is an answer, if any; ``labels`` what the form shows for each label of an answer,
    where that is another word.
    """

    site: Site
    heading: str
    url: str
    curl: str
    python: str
    sample: str
    takes: str
    fields: tuple[ApiField, ...]
    labels: tuple[Row, ...]
    statuses: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """``pages/error.html`` and ``pages/_error.html``: what happened, what to do now, and what to quote."""

    heading: str
    advice: str
    status: int
    request_id: str = ""
    again: RetryForm | None = None
    home: str = "/"


class Context(Protocol):
    """Anything that a template shows: a dataclass whose fields are the template's variables."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class Renderer:
    """Renders a template with its context and nothing else but the globals of the environment."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._templates: dict[str, Template] = {}

    def cached_template(self, template: str, **constant: object) -> CachedTemplate:
        """The template for contexts of which only one part changes."""
        return CachedTemplate(self._environment.get_template(template), **constant)

    def __call__(self, template: str, context: Context) -> Markup:
        """The rendered text, in which the template has escaped every value."""
        values: dict[str, Any] = {
            name: getattr(context, name) for name in context.__dataclass_fields__
        }
        found = self._templates.get(template)
        if found is None:
            found = self._templates[template] = self._environment.get_template(template)
        return Markup(found.render(values))  # noqa: S704 (escaped there, by autoescape)


def framed(site: Site) -> Site:
    """The same site inside a frame: the form stays in it, what leads elsewhere opens beside it."""
    here = f"{site.home}embed"
    return replace(
        site,
        action=here,
        fragment=f"{here}/predict-fragment",
        examples=tuple(
            ExampleView(example.title, here + example.href.removeprefix(site.home))
            for example in site.examples
        ),
        target="_blank",
    )
