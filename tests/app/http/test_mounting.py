"""Every address stays under the root, wherever the root comes from; without one nothing changes."""

import gzip
import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app import create_app
from app.config import SettingError, Settings
from app.http.application import Application
from app.http.routes import Surface
from tests.conftest import HOUSE
from tests.html import FRAGMENT

SETTINGS = Settings(embed_ancestors=("*",), public_url="https://example.org")
ADDRESS = re.compile(r'(?:href|src|action|content|data-hx-post)="(/[^"]*|https?://(?!www\.)[^"]*)"')
OUTSIDE = re.compile(r"https://(github\.com|[a-z.]*kaggle\.com|www\.|doi\.org|data\.mendeley\.com)")


@pytest.fixture(scope="module")
def plain() -> Application:
    return create_app(SETTINGS)


@pytest.fixture(scope="module")
def under_path() -> FlaskClient:
    return create_app(replace(SETTINGS, root_path="/price")).test_client()


@pytest.fixture(scope="module")
def behind_proxy() -> FlaskClient:
    return create_app(replace(SETTINGS, proxies=1)).test_client()


def list_requests(app: Application) -> list[tuple[str, str]]:
    """Every page, asset and address of the API, with what is refused there."""
    paths = [
        path for surface in Surface for path in app.routes.list_paths(surface) if "<" not in path
    ]
    paths += [asset.url for asset in app.jinja_env.globals["assets"].values()]  # type: ignore[attr-defined]
    paths += ["/?beds=3&baths=2&sqft=1850", "/nowhere", "/static/none.css", "/chest-xray", "/api/"]
    return [(method, path) for path in paths for method in ("GET", "POST")]


def read(response: Any) -> tuple[int, bytes, str]:
    """Status, body and address of a redirect."""
    data = response.get_data()
    if response.headers.get("Content-Encoding") == "gzip":
        data = gzip.decompress(data)
    return response.status_code, data, response.headers.get("Location", "")


def test_under_a_root_each_answer_is_the_one_without_it_but_for_the_root(
    plain: Application, under_path: FlaskClient, behind_proxy: FlaskClient
) -> None:
    for method, path in list_requests(plain):
        without = read(plain.test_client().open(path, method=method))
        prefix = {"X-Forwarded-Prefix": "/price", "Accept-Encoding": "gzip"}
        answers = [
            read(under_path.open(f"/price{path}", method=method)),
            read(under_path.open(path, method=method)),  # a proxy has cut the root off
            read(behind_proxy.open(path, method=method, headers=prefix)),
            read(behind_proxy.open(f"/price{path}", method=method, headers=prefix)),
            read(plain.test_client().open(path, method=method,
                                          environ_overrides={"SCRIPT_NAME": "/price"})),
        ]  # fmt: skip
        assert all(answer == answers[0] for answer in answers), (method, path)
        status, body, location = answers[0]
        assert status == without[0]
        assert location == (without[2] and f"/price{without[2]}")
        if path.endswith("/openapi.json") and method == "GET":
            assert b'"servers":[{"url":"/price"}]' in body
            continue
        assert body.replace(b"/price/", b"/") == without[1].replace(b"/price/", b"/"), path
        if b"<html" in body:
            for address in ADDRESS.findall(body.decode()):
                inside = address.startswith(("/price/", "https://example.org/price/"))
                assert inside or OUTSIDE.match(address), (path, address)


def test_the_examples_of_the_api_and_the_address_of_an_answer_are_under_the_root(
    under_path: FlaskClient, behind_proxy: FlaskClient
) -> None:
    for client, headers in ((under_path, {}), (behind_proxy, {"X-Forwarded-Prefix": "/price"})):
        page = client.get("/api", headers=headers).text
        assert page.count("http://localhost/price/api/predict") == 3
        assert "http://localhost/api" not in page
        answer = client.post(FRAGMENT, data=HOUSE, headers=headers)
        assert answer.headers["HX-Replace-Url"].startswith("/price/?beds=3")
        refused = client.post(FRAGMENT, data={**HOUSE, "beds": "x"}, headers=headers)
        assert refused.status_code == 422


@pytest.mark.parametrize(
    "prefix",
    [
        "//evil.example",
        "/..",
        "/a/../b",
        "/./a",
        "price",
        "/a b",
        '/"><b>',
        "/" + "a" * 300,
        "/",
        "/%2e%2E/b",
        "/a/%2e",
        "/.%2e",
        "/%zz",
    ],
)
def test_a_prefix_that_is_no_path_changes_nothing(behind_proxy: FlaskClient, prefix: str) -> None:
    home = behind_proxy.get("/about").data
    assert behind_proxy.get("/about", headers={"X-Forwarded-Prefix": prefix}).data == home


def test_a_prefix_changes_nothing_where_no_proxy_is_trusted(plain: Application) -> None:
    client = plain.test_client()
    forged = client.get("/about", headers={"X-Forwarded-Prefix": "/evil"})
    assert forged.data == client.get("/about").data
    assert plain.mounted is not None
    assert plain.mounted.render_error(b"\r\nX-Forwarded-Prefix: /evil\r\n", 431, False, "") is None


def test_with_two_proxies_the_first_of_them_says_the_prefix() -> None:
    client = create_app(Settings(models=("house-price",), proxies=2)).test_client()
    page = client.get("/about", headers={"X-Forwarded-Prefix": "/forged, /price, /other"}).text
    assert 'href="/price/"' in page
    assert "/forged" not in page


def test_a_redirect_to_https_stays_under_the_root() -> None:
    settings = Settings(models=("house-price",), proxies=1, https=True, root_path="/price")
    client = create_app(settings).test_client()
    answer = client.get("/price/about?x=1")
    assert answer.headers["Location"] == "https://localhost/price/about?x=1"
    assert client.get("/healthz").status_code == client.get("/price/healthz").status_code == 200


def test_a_page_of_a_request_that_cannot_be_read_is_under_the_root(
    behind_proxy: FlaskClient, under_path: FlaskClient
) -> None:
    render = behind_proxy.application.extensions["render_refusal"]
    first = b"GET / HTTP/1.1\r\nx-forwarded-prefix: /price\r\nX: \x00\r\n"
    page = render(first, 431, False, "1")
    assert 'href="/price/static/app.' in page
    assert page == under_path.application.extensions["render_refusal"](b"", 431, False, "1")


@pytest.mark.parametrize(
    ("text", "root"),
    [("/price", "/price"), ("/a/b/", "/a/b"), ("/", ""), ("/%C3%BC", "/%C3%BC"), ("/.x", "/.x")],
)
def test_a_root_is_a_path(text: str, root: str) -> None:
    assert Settings.from_environment({"FORMCAST_ROOT_PATH": text}).root_path == root


@pytest.mark.parametrize(
    "text", ["price", "https://x.org/price", "/a b", "//x", "/..", "/%2e%2e", "/%", "/ü"]
)
def test_a_root_that_is_none_stops_the_start(text: str) -> None:
    with pytest.raises(SettingError, match="Write a path alone, like /price"):
        Settings.from_environment({"FORMCAST_ROOT_PATH": text})


def test_a_root_that_is_a_page_of_the_app_stops_the_start() -> None:
    with pytest.raises(SettingError, match="pages at /chest-xray itself"):
        create_app(Settings(root_path="/chest-xray"))


def test_a_path_that_is_empty_may_be_left_out_as_in_cgi(plain: Application) -> None:
    for script, home in (("", "/"), ("/cgi/price.py", "/cgi/price.py/")):
        environ = EnvironBuilder("/", environ_overrides={"SCRIPT_NAME": script}).get_environ()
        del environ["PATH_INFO"]
        _, status, headers = run_wsgi_app(plain, environ)
        assert (status[:3], headers["Location"]) == ("308", home)
