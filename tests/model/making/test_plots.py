"""Where the plots of what held-out rows showed stand."""

import re
from xml.etree import ElementTree

import pytest

from tests.html import get_page
from tests.model.making.conftest import AddedModels


@pytest.mark.parametrize(
    ("name", "plots"),
    [("boosted", ["coverage", "truth"]), ("penguins", ["reliability"]), ("labels", [])],
)
def test_plots_stand_on_the_about_page_and_in_the_folder(
    added_models: AddedModels, name: str, plots: list[str]
) -> None:
    prefix = "/" if name == "penguins" else f"/{name}/"
    soup = get_page(added_models.app.test_client(), prefix + "about")
    figures = soup.select("figure")
    assert len(figures) == len(plots)
    files = sorted(path.stem for path in (added_models.root / name).glob("*.svg"))
    assert files == sorted(plots)
    for figure, plot in zip(figures, plots, strict=True):
        root = ElementTree.parse(added_models.root / name / f"{plot}.svg").getroot()  # noqa: S314
        title, caption = figure.select_one("svg title"), figure.select_one("figcaption")
        assert title is not None
        assert caption is not None
        assert caption.get_text() in title.get_text() == root[0].text
        assert len(figure.select("circle")) >= 5
        assert not re.search(r"style=|nan", str(figure))


def test_dots_that_are_rows_stand_only_where_rows_are_published(added_models: AddedModels) -> None:
    for name, published in (("diabetes", True), ("boosted", False)):
        manifest = added_models.load(name).manifest
        assert (manifest.held_out is not None) is published
        soup = get_page(added_models.app.test_client(), f"/{name}/about")
        assert ("Each dot is one of the" in soup.get_text()) is published
        assert ("Estimated and true" in soup.get_text()) is not published
