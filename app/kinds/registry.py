"""Which adapter belongs to which kind of model of rows."""

from typing import Any
from urllib.parse import urlencode

from app.kinds.classes import ClassPresenter
from app.kinds.number import NumberPresenter
from app.presentation.contexts import ExampleView, Site
from app.presentation.result import Presenter
from model import Classifier, Regressor, TabularModel


def make_presenter(model: Regressor | Classifier) -> Presenter[Any]:
    """Make what turns the model's predictions into results."""
    return ClassPresenter(model) if isinstance(model, Classifier) else NumberPresenter(model)


def build_site(model: TabularModel[Any], prefix: str) -> Site:
    """Build what all pages of one model share."""
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
        answer_noun="answer" if isinstance(model, Classifier) else "estimate",
        has_probabilities=isinstance(model, Classifier),
    )
