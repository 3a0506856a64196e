"""What the app leaves out of Flask, and what it keeps."""

from flask import Flask, request, session
from flask.testing import FlaskClient

from app.http.application import Application
from app.http.routes import Surface


def test_a_question_for_the_head_alone_has_no_body(client: FlaskClient) -> None:
    path = "/?beds=3&baths=2&sqft=1850"
    read, asked = client.get(path), client.head(path)
    assert read.data
    assert asked.data == b""
    assert asked.status_code == 200
    same = [name for name, _ in read.headers if name != "X-Request-ID"]
    assert same == [name for name, _ in asked.headers if name != "X-Request-ID"]


def test_the_route_is_found_whatever_the_host_is_called(app: Flask) -> None:
    for host in ("localhost", "xn--nxasmq6b.example:8080", "[::1]:8000", "a b", ""):
        environ = {"HTTP_HOST": host} if host else {}
        answer = app.test_client().get("/healthz", environ_overrides=environ)
        assert answer.status_code == 200, host


def test_nothing_can_be_put_into_a_session() -> None:
    app = Application("nothing", static_folder=None)
    kept: list[object] = []

    @app.get("/", surface=Surface.PAGE)
    def home() -> str:
        kept.append(session.get("name"))
        try:
            session["name"] = "somebody"
        except RuntimeError as error:
            kept.append(str(error))
        return request.path

    answer = app.test_client().get("/")
    assert "Set-Cookie" not in answer.headers
    assert kept[0] is None
    assert "session is unavailable" in str(kept[1])


def test_no_hook_belongs_to_one_blueprint_alone(app: Flask) -> None:
    for hooks in (
        app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs,
        app.url_value_preprocessors, app.url_default_functions,
    ):  # fmt: skip
        assert {name for name, found in hooks.items() if found} <= {None}
    handlers = app.error_handler_spec.items()
    assert {name for name, by_code in handlers if any(by_code.values())} == {None}
