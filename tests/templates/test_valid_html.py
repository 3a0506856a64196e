"""Every page and fragment goes through the Nu HTML checker."""

import subprocess
from io import BytesIO
from pathlib import Path

from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from tests.conftest import HOUSE
from tests.html import FRAGMENT
from tests.pictures import REFUSED, XRAY, XRAY_FRAGMENT, chest, encoded, upload
from tests.tools import VNU, find_java, installed

HOUSES = b"beds,baths,sqft\n3,2.5,1850\n8,1,700\n3,2,185000\n"
QUERY = "/?beds=3&baths=2.5&sqft=1850"


def test_the_nu_checker_finds_no_error_in_any_state(client: FlaskClient, tmp_path: Path) -> None:
    pages = {
        "empty": client.get("/"),
        "fresh": client.get(QUERY),
        "full": client.get(QUERY + "&neighborhood=Gilbert&fireplaces=1"),
        "choices": client.get(QUERY + "&what_if=neighborhood"),
        "outside": client.get("/?beds=8&baths=1&sqft=700&what_if=garage_cars"),
        "wrong-query": client.get("/?beds=99"),
        "wrong-post": client.post("/", data={**HOUSE, "beds": "<b>"}),
        "about": client.get("/about"),
        "api": client.get("/api"),
        "picture-api": client.get(XRAY + "api"),
        "picture-empty": client.get(XRAY),
        "picture-fresh": client.post(XRAY, data=upload(encoded(chest()))),
        "picture-wrong": client.post(XRAY, data=upload(REFUSED["svg"][0])),
        "picture-about": client.get(XRAY + "about"),
        "batch": client.get("/batch"),
        "batch-fresh": client.post("/batch", data={"file": (BytesIO(HOUSES), "houses.csv")}),
        "batch-wrong": client.post("/batch", data={"file": (BytesIO(b"a\n1\n"), "a.csv")}),
        "picture-batch": client.get(XRAY + "batch"),
        "404": client.get("/nowhere"),
        "405": client.put("/"),
        "413": client.post("/", data={"beds": "9" * 70_000}),
    }
    framed = create_app(Settings(embed_ancestors=("*",), log="text")).test_client()
    pages |= {
        "embed": framed.get("/embed"),
        "embed-fresh": framed.get("/embed" + QUERY[1:]),
        "embed-picture": framed.post("/chest-xray/embed", data=upload(encoded(chest()))),
        "embed-413": framed.post("/embed", data={"beds": "9" * 70_000}),
    }
    fragments = {
        "fragment-fresh": client.post(FRAGMENT, data=HOUSE),
        "fragment-wrong": client.post(FRAGMENT, data={**HOUSE, "beds": "99"}),
        "fragment-picture": client.post(XRAY_FRAGMENT, data=upload(encoded(chest()))),
        "fragment-picture-wrong": client.post(XRAY_FRAGMENT, data=upload(b"")),
        "fragment-405": client.get(FRAGMENT),
    }
    for name, response in pages.items():
        (tmp_path / f"{name}.html").write_bytes(response.data)
    for name, response in fragments.items():
        page = (
            f'<!doctype html><html lang="en"><title>{name}</title><body><form id="form"></form>'
            f"{response.text}</body>"
        )
        (tmp_path / f"{name}.html").write_text(page)
    java, vnu = installed(find_java(), "Java"), installed(VNU, "The Nu HTML checker")
    # So short a run takes half of the CPU where Java compiles once; then it needs a larger stack.
    quick = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xss2m")
    checked = subprocess.run(
        [java, *quick, "-jar", vnu, "--Werror", "--errors-only", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    assert len(list(tmp_path.glob("*.html"))) == len(pages) + len(fragments)
