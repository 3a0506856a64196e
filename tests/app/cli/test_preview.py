"""A model that was just added is shown, whatever the settings for the public say."""

import shutil
import urllib.request
from pathlib import Path

import pytest

from app.cli import preview
from app.cli.preview import find_chromium
from app.config import ROOT

MODELS = ROOT / "model"


def test_one_model_is_served_on_a_free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORMCAST_HOSTS", "example.org")
    with preview.serve("house-price", MODELS) as address:
        text = urllib.request.urlopen(address, timeout=300).read().decode()
    assert "<h1" in text
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address, timeout=300)


def test_what_keeps_the_app_from_starting_is_said(tmp_path: Path) -> None:
    with pytest.raises(preview.PreviewError, match="no-such"):
        preview.serve("no-such", tmp_path).__enter__()


@pytest.mark.second_tier
def test_a_picture_of_the_page_is_saved_in_the_models_folder(tmp_path: Path) -> None:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("needs Chromium")
    shutil.copytree(MODELS / "house_price", tmp_path / "house_price")
    path = preview.picture("house-price", tmp_path, chromium)
    assert path.parent == tmp_path / "house_price"
    assert path.read_bytes().startswith(b"\x89PNG")
