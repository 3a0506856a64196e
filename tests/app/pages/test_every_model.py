"""Any folder in model/ with a card of rows: its pages and fragments are well-formed and add up."""

from pathlib import Path

import pytest

from app import create_app
from app.config import Settings
from model import ClassModel, NumberModel, load_model
from tests.tabular_checks import TABULAR_FOLDERS, check_pages


@pytest.mark.parametrize("folder", TABULAR_FOLDERS, ids=lambda folder: str(folder.name))
def test_its_pages_are_well_formed_and_its_reasons_add_up(folder: Path) -> None:
    model = load_model(folder)
    assert isinstance(model, NumberModel | ClassModel)
    app = create_app(Settings(models=(model.slug,), ratelimit="off"), models=folder.parent)
    check_pages(app.test_client(), "/", model)
