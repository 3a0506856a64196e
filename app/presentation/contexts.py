"""The context of each template, one frozen dataclass a template, and the renderer."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from jinja2 import Environment, Template
from markupsafe import Markup

from app.presentation.cached_templates import CachedTemplate
from app.presentation.form import FieldView, FormView
from app.presentation.result import Result
from app.presentation.submission import Problem


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
    """What all pages of one model share, whatever the request.

    ``answer_noun`` is what sentences call the model's answer. ``has_probabilities`` says whether
    the answer comes with the probabilities of classes. ``home``, ``fragment`` and ``about`` are
    addresses; ``action`` is where the form posts to. ``target`` is where a link opens that leaves
    the form: "_blank" in a frame, "" in a page of its own.
    """

    title: str
    summary: str
    home: str
    fragment: str
    about: str
    examples: tuple[ExampleView, ...]
    answer_noun: str = "estimate"
    has_probabilities: bool = False
    action: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class PageContext:
    """``pages/page.html``: the form with its result; ``problems`` sum up a full post."""

    site: Site
    form: FormView
    result: Markup
    problems: tuple[Problem, ...]
    heading: str


@dataclass(frozen=True, slots=True)
class ResultContext:
    """``kinds/_result.html``: the result alone; ``version`` is the model's."""

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
class FieldErrorsContext:
    """``presentation/field_errors.html``: every field's name and error, "" where it is valid."""

    errors: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A label and a value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class AboutContext:
    """``pages/about.html``: the card for people.

    ``how`` says how the metrics were measured, ``method`` how ranges or probabilities were
    calibrated. ``fields`` are the fields with what they accept; ``versions`` are model, artifact
    and libraries.
    """

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
    fields: tuple[Row, ...]
    versions: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class RetryForm:
    """A form that was refused for now: its method, "get" or "post", and its names and values."""

    method: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ApiField:
    """One field of a request in JSON; ``accepts`` describes its values."""

    name: str
    label: str
    accepts: str
    required: bool


@dataclass(frozen=True, slots=True)
class ApiContext:
    """``api/page.html``: the API for people who write programs.

    ``request_text`` describes the body of a request, ``sample`` is an answer or "". ``labels`` are
    the words of the form for each label of an answer, where they differ from it.
    """

    site: Site
    heading: str
    url: str
    curl: str
    python: str
    sample: str
    request_text: str
    fields: tuple[ApiField, ...]
    labels: tuple[Row, ...]
    statuses: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """``pages/error.html`` and ``pages/_error.html``: what happened and what to do now.

    ``request_id`` is for the visitor to quote, ``retry`` the form to send again.
    """

    heading: str
    advice: str
    status: int
    request_id: str = ""
    retry: RetryForm | None = None
    home: str = "/"


class Context(Protocol):
    """A dataclass whose fields are a template's variables."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


class Renderer:
    """Renders a template with its context and the globals of the environment."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._templates: dict[str, Template] = {}

    def cached_template(self, template: str, **constant: object) -> CachedTemplate:
        """Prepare a template for contexts of which only one part changes."""
        return CachedTemplate(self._environment.get_template(template), **constant)

    def __call__(self, template: str, context: Context) -> Markup:
        """Render a template, which escapes every value."""
        values: dict[str, Any] = {
            name: getattr(context, name) for name in context.__dataclass_fields__
        }
        loaded = self._templates.get(template)
        if loaded is None:
            loaded = self._templates[template] = self._environment.get_template(template)
        return Markup(loaded.render(values))  # noqa: S704 (escaped there, by autoescape)


def embed_site(site: Site) -> Site:
    """Change a site's links for a frame: the form stays in it, other links open outside of it."""
    home = f"{site.home}embed"
    return replace(
        site,
        action=home,
        fragment=f"{home}/predict-fragment",
        examples=tuple(
            ExampleView(example.title, home + example.href.removeprefix(site.home))
            for example in site.examples
        ),
        target="_blank",
    )
