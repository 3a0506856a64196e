"""Which adapter belongs to which kind of model."""

from typing import Any
from urllib.parse import urlencode

from app.kinds.classes import ClassPresenter
from app.kinds.number import NumberPresenter
from app.presentation.contexts import ExampleView, Site
from app.presentation.result import Presenter
from model import Classifier, Regressor, TabularModel


def presenter_of(model: Regressor | Classifier) -> Presenter[Any]:
    """Who puts the model's answers into words."""
    return ClassPresenter(model) if isinstance(model, Classifier) else NumberPresenter(model)


def view_site(model: TabularModel[Any], prefix: str) -> Site:
    """The texts and addresses of one model's pages."""
    home = f"{prefix}/"
    return Site(
        title=model.card.title,
        summary=model.card.summary,
        home=home,
        action=home,
        fragment=f"{home}predict-fragment",
        about=f"{home}about",
        examples=tuple(
            ExampleView(example.title, f"{home}?{urlencode(example.values)}")
            for example in model.card.examples
        ),
        thing="answer" if isinstance(model, Classifier) else "estimate",
        shares=isinstance(model, Classifier),
    )
