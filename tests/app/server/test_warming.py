"""Each page and example is asked before a worker that takes another's place is made."""

import logging
import subprocess
import sys

import pytest
from flask import request
from werkzeug.exceptions import NotFound

from app import create_app
from app.config import Settings
from app.http.application import Application
from app.http.routes import Surface
from app.server.warming import warm
from tests.tools import ROOT


def test_every_example_of_every_model_is_asked_once() -> None:
    app = Application("pages", static_folder=None)
    asked = []

    def page() -> str:
        asked.append(request.full_path)
        links = '<a href="/about">About</a><a href="https://example.org/?size=2">Elsewhere</a>'
        return f'<a href="/?size=1&amp;beds=2">One</a>{links}'

    def refused() -> str:
        raise NotFound

    app.add_url_rule("/", "form", page, surface=Surface.PAGE)
    app.add_url_rule("/gone", "gone", refused, surface=Surface.PAGE)
    app.add_url_rule("/metrics", "counts", page, surface=Surface.PROBE)
    warm(app)
    warm(app)
    assert asked == ["/?", "/?size=1&beds=2"]


@pytest.mark.parametrize("hosts", [(), ("example.org",), (".example.org",)])
def test_the_bundled_models_answer_whatever_names_are_trusted(
    hosts: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        warm(create_app(Settings(models=("house-price",), trusted_hosts=hosts)))
    assert caplog.records == []


def test_the_first_upload_imports_nothing() -> None:
    """Its visitor would wait for that, and so would all who come meanwhile."""
    code = """
import io, sys
from app import create_app
from app.server.warming import warm
from tests.pictures import chest, encoded
app = create_app()
warm(app)
kinds = ("JPEG", "PNG", "WEBP", "AVIF")
uploads = [*(encoded(chest(), kind) for kind in kinds), b"a", b"GIF89a" + bytes(50)]
client, before = app.test_client(), set(sys.modules)
for data in uploads:
    form = {"image": (io.BytesIO(data), "a.png")}
    client.post("/chest-xray/", data=form, content_type="multipart/form-data")
print(sorted(set(sys.modules) - before))
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
