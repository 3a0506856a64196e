"""The score that the Mozilla HTTP Observatory's published rules give to the app's answers.

The rules are those of mdn/mdn-http-observatory (src/grader/charts.js and src/analyzer/tests), as
far as they can apply to a site without cookies and without scripts of others: a start of 100, from
which every fault takes, and extra credit that counts only from 90 on.
"""

from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from werkzeug.test import TestResponse

from app import create_app
from app.config import Settings

SIX_MONTHS = 15_768_000
PRIVATE = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
BROAD = {"ftp:", "http:", "https:", "*", "http://*", "https://*"}


@pytest.mark.parametrize("path", ["/", "/?beds=3&baths=2&sqft=1850", "/chest-xray/"])
def test_the_app_on_a_dyno_scores_at_least_130(path: str) -> None:
    settings = replace(Settings.from_environment({"DYNO": "web.1"}))
    client = create_app(settings).test_client()
    plain = client.get(path, headers={"Host": "example.org"})
    secure = client.get(path, headers={"Host": "example.org", "X-Forwarded-Proto": "https"})
    assert secure.status_code == 200
    found = modifiers(plain, secure, "https://example.org" + path)
    faults = sum(value for value in found.values() if value < 0)
    credit = sum(value for value in found.values() if value > 0)
    score = 100 + faults + (credit if 100 + faults >= 90 else 0)
    assert score >= 130, found


def modifiers(plain: TestResponse, secure: TestResponse, home: str) -> dict[str, int]:
    headers = secure.headers
    csp = {
        name: set(sources)
        for name, *sources in (
            part.split() for part in headers["Content-Security-Policy"].split(";")
        )
    }
    return {
        "content-security-policy": policy(csp),
        "cookies": 0 if "Set-Cookie" not in headers else -40,
        "cross-origin-resource-sharing": -50 if "Access-Control-Allow-Origin" in headers else 0,
        "cross-origin-resource-policy": {"same-origin": 10, "same-site": 10, "cross-origin": 0}.get(
            headers["Cross-Origin-Resource-Policy"], -5
        ),
        "redirection": (
            0
            if plain.status_code in (301, 302, 303, 307, 308) and plain.headers["Location"] == home
            else -20
        ),
        "referrer-policy": 5 if headers["Referrer-Policy"] in PRIVATE else -5,
        "strict-transport-security": hsts(headers.get("Strict-Transport-Security", "")),
        "subresource-integrity": integrity(secure.get_data(as_text=True)),
        "x-content-type-options": 0 if headers["X-Content-Type-Options"] == "nosniff" else -5,
        "x-frame-options": (5 if not csp.get("frame-ancestors", {"*"}) & BROAD else -20),
    }


def policy(csp: dict[str, set[str]]) -> int:
    default = csp.get("default-src", {"*"})
    scripts, objects = csp.get("script-src", default), csp.get("object-src", default)
    styles = csp.get("style-src", default)
    if (scripts & (BROAD | {"'unsafe-inline'", "data:"})) or objects & BROAD:
        return -20
    if any(source.startswith(("http:", "ftp:")) for sources in csp.values() for source in sources):
        return -20
    if "'unsafe-eval'" in scripts | styles:
        return -10
    if styles & (BROAD | {"'unsafe-inline'", "data:"}):
        return 0
    own_forms = csp.get("form-action", {"*"}) <= {"'self'", "'none'"}
    return 10 if default == {"'none'"} and own_forms else 5


def hsts(header: str) -> int:
    age = next((part for part in header.split(";") if part.strip().startswith("max-age=")), None)
    if age is None:
        return -20
    return 0 if int(age.split("=")[1]) >= SIX_MONTHS else -10


def integrity(page: str) -> int:
    scripts = BeautifulSoup(page, "html.parser").select("script")
    assert scripts
    assert all(str(script["src"]).startswith("/static/") for script in scripts)
    # The rule gives its bonus for any script; we hold all of them to it.
    return 5 if all(str(script["integrity"]).startswith("sha384-") for script in scripts) else 0
