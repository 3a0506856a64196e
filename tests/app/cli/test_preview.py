"""A model that was just added is shown, whatever the settings for the public say."""

import urllib.request
from pathlib import Path

import pytest

from app.cli import preview
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
