"""What is attacked: an app with the form of each of its models, and what a good visitor sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import quote, urlencode

from flask import Flask

from app import create_app
from app.config import Settings
from model import Card, load_models
from model.serving.kinds.pictures import PictureModel
from tests.tools import ROOT


@dataclass(frozen=True)
class Form:
    """The form of one model, as it is filled in for one of the card's examples.

    ``slug`` is the model's name, ``home`` its address, ``fields`` are the names of its fields.
    ``values`` are what is typed, by field, and ``row`` the same for the JSON API; ``texts`` are the
    fields of free text. ``what_ifs`` are what an address can say of a what-if, ``classes`` what a
    visitor can say was right. ``picture`` is the file of a model of pictures, which has no values.
    """

    slug: str
    home: str
    fields: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    row: Mapping[str, object] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    what_ifs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    picture: bytes = b""

    @property
    def fragment(self) -> str:
        """Where the live form posts."""
        return f"{self.home}predict-fragment"

    @cached_property
    def good(self) -> bytes:
        """The good form, urlencoded; nothing for a model of pictures."""
        return urlencode(self.values).encode()

    def fill(self, changed: Mapping[str, str]) -> bytes:
        """Fill the good form in, with other texts in some fields; each may hold any code point."""
        pairs = {**self.values, **changed}.items()
        return "&".join(f"{name}={quote_any(text)}" for name, text in pairs).encode()


@dataclass(frozen=True)
class Site:
    """An app and the forms that it serves."""

    app: Flask
    forms: tuple[Form, ...]

    @property
    def rows(self) -> tuple[Form, ...]:
        """The forms of models of rows."""
        return tuple(form for form in self.forms if form.values)

    @property
    def pictures(self) -> tuple[Form, ...]:
        """The forms of models of pictures."""
        return tuple(form for form in self.forms if form.picture)


def open_site(settings: Mapping[str, str], models: Path = ROOT / "model") -> Site:
    """Make the app that a server with these settings serves, and read the forms of its models."""
    chosen = Settings.from_environment(dict(settings))
    served = load_models(models, chosen.models)
    forms = []
    for place, (slug, model) in enumerate(served.items()):
        home = f"/{slug}/" if place else "/"
        card, classes = model.card, getattr(model.card.output, "classes", ())
        names = tuple(item.value for item in classes)
        if isinstance(model, PictureModel):
            picture = (model.folder / model.manifest.samples[0].file).read_bytes()
            field_name = model.card.field.name
            forms.append(Form(slug, home, (field_name,), classes=names, picture=picture))
            continue
        assert isinstance(card, Card)
        given = card.examples[0].values
        values = {name: card.by_name[name].format_typed(value) for name, value in given.items()}
        row, _ = card.validate_row(given)
        features = {name: value for name, value in (row or {}).items() if value is not None}
        forms.append(
            Form(slug, home, card.names, values, features, card.texts, card.what_ifs, names)
        )
    return Site(create_app(chosen, models), tuple(forms))


def quote_any(text: str) -> str:
    """Quote a text for a form, half characters too."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")
