"""Who may use the app: without permission nothing but the probes answers."""

import base64
import itertools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import rsa
from flask.testing import FlaskClient
from jwt.algorithms import RSAAlgorithm
from werkzeug.exceptions import ServiceUnavailable

from app import create_app
from app.cli.commands import link, settings
from app.config import SettingError, Settings
from app.http.routes import Surface
from app.limits.access import (
    check_password,
    hash_key,
    hash_password,
    make_key,
    read_link,
    sign_link,
)
from tests.conftest import HOUSE
from tests.html import FRAGMENT, check_page
from tests.servers import serve_folder

HASH = hash_password("correct horse")
SECRET = "s" * 32


@pytest.fixture(autouse=True)
def same_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test crosses from one window of time into the next."""
    now = time.time()
    monkeypatch.setattr("app.limits.rate_limits.time.time", lambda: now)


def client_with(**chosen: Any) -> FlaskClient:
    return create_app(Settings(models=("house-price",), **chosen)).test_client()


def basic(password: str, user: str = "me") -> dict[str, str]:
    text = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def guarded() -> FlaskClient:
    return client_with(
        access="password", password_hash=HASH, link_key=SECRET, metrics=True, embed_ancestors=("*",)
    )


def test_a_stranger_gets_no_answer_but_from_the_probes(guarded: FlaskClient) -> None:
    app: Any = guarded.application
    paths = [path for kind in Surface for path in app.routes.list_paths(kind) if "<" not in path]
    paths += [asset.url for asset in app.jinja_env.globals["assets"].values()]
    paths += ["/nowhere", "/?beds=3&baths=2&sqft=1850", "/link/x/", f"/link/{'x' * 38}/"]
    for path in paths:
        for method in ("GET", "POST", "HEAD", "OPTIONS", "PUT"):
            answer = guarded.open(path, method=method, environ_base={"REMOTE_ADDR": path[:9]})
            if path in ("/healthz", "/readyz"):
                assert answer.status_code in (200, 405)
            else:
                assert answer.status_code == 401, (method, path)
                assert answer.headers["WWW-Authenticate"].startswith("Basic ")
                assert answer.headers["Content-Security-Policy"]


def test_a_refusal_is_a_page_in_words_or_a_problem(guarded: FlaskClient) -> None:
    soup = check_page(guarded.get("/"))
    assert "not open to everybody" in soup.get_text()
    assert "Bearer" in guarded.post("/api/predict", json=HOUSE).text


def test_who_knows_the_password_uses_all_and_no_cache_keeps_it(guarded: FlaskClient) -> None:
    assert guarded.get("/", headers=basic("correct horse")).status_code == 200
    assert guarded.get("/", headers=basic("correct horse", "another")).status_code == 200
    answer = guarded.post(FRAGMENT, data=HOUSE, headers=basic("correct horse"))
    assert answer.status_code == 200
    app: Any = guarded.application
    style = app.jinja_env.globals["assets"]["app.css"].url
    cached = guarded.get(style, headers=basic("correct horse")).headers["Cache-Control"]
    assert "private" in cached
    assert "public" not in cached


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic !!", "Basic eA==", "Bearer", "Digest x", "Basic /w==", "\udcff"]
)
def test_a_malformed_permission_is_none(guarded: FlaskClient, header: str) -> None:
    answer = guarded.get(
        "/", environ_overrides={"HTTP_AUTHORIZATION": header, "REMOTE_ADDR": header}
    )
    assert answer.status_code == 401


def test_guessing_is_limited_and_does_not_lock_out_who_is_in() -> None:
    client = client_with(access="password", password_hash=HASH)
    assert client.get("/", headers=basic("correct horse")).status_code == 200
    codes = [client.get("/", headers=basic(f"guess {n}")).status_code for n in range(30)]
    assert codes[0] == 401
    assert codes[-1] == 429
    assert codes.count(401) == 20
    refused = client.get("/", headers=basic("correct horse "))
    assert int(refused.headers["Retry-After"]) >= 1
    assert client.get("/", headers=basic("correct horse")).status_code == 200
    elsewhere = {"REMOTE_ADDR": "10.1.1.1"}
    assert client.get("/", headers=basic("x"), environ_base=elsewhere).status_code == 401


def test_a_password_that_could_not_be_checked_is_no_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_thread_is_free(*_: object) -> bool:
        raise ServiceUnavailable(retry_after=5)

    client = client_with(access="password", password_hash=HASH)
    with monkeypatch.context() as busy:
        busy.setattr("app.limits.access.run_in_thread", no_thread_is_free)
        refused = [client.get("/", headers=basic("correct horse")) for _ in range(30)]
    assert {answer.status_code for answer in refused} == {503}
    assert refused[0].headers["Retry-After"] == "5"
    assert "try again" in refused[0].text
    assert client.get("/", headers=basic("correct horse")).status_code == 200


def test_of_two_keys_one_is_taken_away_while_the_server_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = make_key(), make_key()
    lines = {key: f"{name}:{hash_key(key)}\n" for name, key in (("mine", mine), ("theirs", theirs))}
    file = tmp_path / "keys"
    file.write_text("# keys\n" + "".join(lines.values()))
    client = client_with(access="keys", keys_file=str(file))
    for key in (mine, theirs):
        assert client.post("/api/predict", json=HOUSE, headers=bearer(key)).status_code == 200
        assert client.get("/about", headers=basic(key)).status_code == 200
    file.write_text(lines[mine])
    os.utime(file, (0, 0))
    now = time.monotonic()
    monkeypatch.setattr("app.limits.access.time.monotonic", lambda: now + 2)
    assert client.get("/about", headers=bearer(theirs)).status_code == 401
    assert client.get("/about", headers=bearer(mine)).status_code == 200
    file.unlink()
    monkeypatch.setattr("app.limits.access.time.monotonic", lambda: now + 9)
    assert client.get("/about", headers=bearer(mine)).status_code == 200
    refused = client.post("/api/predict", json=HOUSE)
    assert refused.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_file_of_keys_is_read_once_it_is_written_and_whatever_its_time_and_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = make_key(), make_key()
    file, other = tmp_path / "keys", tmp_path / "other"
    file.write_text(f"shop:{hash_key(old)}\n")
    os.utime(file, (1000, 1000))
    client = client_with(access="keys", keys_file=str(file))

    def ask(key: str) -> int:
        now = time.monotonic()
        with monkeypatch.context() as patch:
            patch.setattr("app.limits.access.time.monotonic", lambda: now + next(later))
            return client.get("/about", headers=bearer(key)).status_code

    later = itertools.count(10, 10)
    assert (ask(old), ask(new)) == (200, 401)
    file.write_text("")  # by somebody who goes on writing
    os.utime(file, (time.time(), time.time()))
    assert (ask(old), ask(new)) == (200, 401)
    other.write_text(f"shop:{hash_key(new)}\n")
    os.utime(other, (1000, 1000))
    other.rename(file)
    assert (ask(old), ask(new)) == (401, 200)


def test_a_program_with_an_old_key_or_link_locks_out_nobody_at_its_address() -> None:
    key, token = make_key(), sign_link(SECRET, int(time.time()) + 3600)
    client = client_with(access="keys", keys=f"shop:{hash_key(key)}", link_key=SECRET)
    codes = [client.get("/about", headers=bearer(make_key())).status_code for _ in range(30)]
    codes += [client.get(f"/link/{'A' * 38}/about").status_code]
    assert (codes.count(401), codes[-2:]) == (20, [429, 429])
    assert client.get("/about", headers=bearer(key)).status_code == 200
    assert client.get(f"/link/{token}/about").status_code == 200


def test_a_key_has_its_name_in_the_log_and_a_limit_of_its_own(
    capfd: pytest.CaptureFixture[str],
) -> None:
    keys = {name: make_key() for name in ("shop", "desk")}
    lines = ",".join(f"{name}:{hash_key(key)}" for name, key in keys.items())
    client = client_with(access="keys", keys=lines, log="json", ratelimit="2/hour")
    for key in keys.values():
        codes = [client.post(FRAGMENT, headers=bearer(key), data=HOUSE).status_code for _ in "123"]
        assert codes == [200, 200, 429]
    said = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["reader"] for line in said] == ["shop"] * 3 + ["desk"] * 3
    assert not any(key in str(said) for key in keys.values())


def test_a_proxy_names_the_user_and_nobody_else_can() -> None:
    client = client_with(access="proxy", proxies=1, access_header="X-Auth-Request-Email")
    assert client.get("/").status_code == 403
    assert client.get("/", headers={"X-Auth-Request-Email": "a@example.org"}).status_code == 200
    with pytest.raises(SettingError, match="FORMCAST_PROXIES=1"):
        client_with(access="proxy")


def test_a_link_opens_the_form_and_all_that_is_on_it_until_it_ends(
    guarded: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = f"/link/{sign_link(SECRET, int(time.time()) + 3600)}"
    page = check_page(guarded.get(f"{root}/"))
    form = page.select_one("form#form")
    assert form is not None
    assert form["action"] == f"{root}/"
    assert page.select(f'link[href^="{root}/static/"]')
    answer = guarded.post(root + FRAGMENT, data=HOUSE)
    assert answer.status_code == 200
    assert answer.headers["HX-Replace-Url"].startswith(f"{root}/?beds=3")
    for sheet in page.select("link[rel=stylesheet]"):
        assert guarded.get(str(sheet["href"])).status_code == 200
    assert guarded.get("/").status_code == 401
    now = time.time()
    monkeypatch.setattr("app.limits.access.time.time", lambda: now + 3700)
    assert guarded.get(f"{root}/").status_code == 401


def test_a_link_goes_with_a_root_and_a_prefix() -> None:
    token = sign_link(SECRET, int(time.time()) + 3600)
    chosen = {"access": "password", "password_hash": HASH, "link_key": SECRET}
    client = client_with(root_path="/price", **chosen)
    for path in (f"/price/link/{token}/about", f"/link/{token}/about"):
        assert f'href="/price/link/{token}/"' in client.get(path).text
    client = client_with(proxies=1, **chosen)
    page = client.get(f"/link/{token}/about", headers={"X-Forwarded-Prefix": "/a"}).text
    assert f'href="/a/link/{token}/"' in page


def test_a_changed_link_is_none() -> None:
    token = sign_link(SECRET, int(time.time()) + 3600)
    assert read_link(SECRET, token).startswith("link-")
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert not read_link(SECRET, changed) or place == len(token) - 1
    assert not read_link("t" * 32, token)
    assert not read_link(SECRET, sign_link(SECRET, int(time.time()) - 1))


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        ({"access": "password"}, "settings hash"),
        ({"access": "keys"}, "settings key NAME"),
        ({"access": "keys", "keys": "shop:abc"}, "not name:hash"),
        ({"access": "keys", "keys_file": "/nowhere/keys"}, "cannot be read"),
        ({"access": "public", "keys": "shop:abc"}, "not name:hash"),
        ({"access": "public", "keys_file": "/nowhere/keys"}, "cannot be read"),
    ],
)
def test_an_access_that_lacks_what_it_needs_stops_the_start(
    chosen: dict[str, Any], says: str
) -> None:
    with pytest.raises(SettingError, match=says):
        client_with(**chosen)


@pytest.mark.parametrize(
    ("chosen", "access"),
    [({"keys": f"shop:{hash_key('a')}"}, "keys"), ({"password_hash": "scrypt:…"}, "password")],
)
def test_a_password_that_nobody_is_asked_for_is_warned_of(
    chosen: dict[str, str], access: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert client_with(**chosen).get("/about").status_code == 200
    assert f"everybody may use the app. Write FORMCAST_ACCESS={access}." in caplog.text


def test_links_go_on_opening_an_app_that_becomes_public() -> None:
    client = client_with(link_key=SECRET)
    for until in (0, int(time.time()) + 100):
        page = client.get(f"/link/{sign_link(SECRET, until)}/")
        assert page.status_code == 200


def test_a_password_in_place_of_its_hash_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingError, match="is not a hash") as error:
        Settings.from_environment({"FORMCAST_PASSWORD_HASH": "hunter2"})
    assert "hunter2" not in str(error.value)


def test_the_commands_write_what_the_settings_take(monkeypatch: pytest.MonkeyPatch) -> None:
    run: Callable[..., Any] = CliRunner().invoke
    said = run(settings, ["hash", "--password", "pässword"]).output.strip()
    hashed = said.removeprefix("FORMCAST_PASSWORD_HASH=")
    assert "$" not in hashed
    assert check_password(hashed, "pässword")
    assert not check_password(hashed, "password")
    assert Settings.from_environment({"FORMCAST_PASSWORD_HASH": hashed}).password_hash == hashed
    lines = [line.strip() for line in run(settings, ["key", "shop"]).output.splitlines()]
    assert lines[3] == f"shop:{hash_key(lines[1])}"
    assert "FORMCAST_LINK_KEY=" in run(link, []).output
    monkeypatch.setenv("FORMCAST_LINK_KEY", SECRET)
    monkeypatch.setenv("FORMCAST_PASSWORD_HASH", hashed)
    address = run(link, ["--days", "2"]).output.strip()
    assert read_link(SECRET, address.rstrip("/").rpartition("/")[2])
    shown = run(settings, []).output
    assert "FORMCAST_LINK_KEY = (set)" in shown
    assert SECRET not in shown
    assert hashed not in shown


def test_a_proxy_that_signs_its_header_is_believed_by_its_signature_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours, other = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in "ab")
    public = json.loads(RSAAlgorithm.to_jwk(ours.public_key())) | {"kid": "k1", "alg": "RS256"}
    (tmp_path / "certs").write_text(json.dumps({"keys": [public]}))

    def sign(key: Any = ours, algorithm: str = "RS256", kid: str = "k1", **claims: Any) -> str:
        whole = {"aud": ["form"], "email": "ann@example.org", "exp": time.time() + 60, **claims}
        return jwt.encode(whole, key, algorithm, headers={"kid": kid})

    with serve_folder(tmp_path) as address:
        client = client_with(
            access="proxy",
            proxies=1,
            access_header="Cf-Access-Jwt-Assertion",
            access_certs=f"{address}/certs",
            access_audience="form",
        )

        def ask(token: str, visitor: str = "10.0.0.1") -> int:
            headers = {"Cf-Access-Jwt-Assertion": token, "X-Forwarded-For": visitor}
            return client.get("/", headers=headers).status_code

        assert ask(sign()) == 200
        for wrong in (
            "ann@example.org", "a.b.c", sign(other), sign(aud=["another"]), sign(exp=1),
            sign("x" * 32, "HS256"), sign(None, "none"), sign(kid="k2"), sign() + "x",
        ):  # fmt: skip
            assert ask(wrong) == 403
        assert [ask("guess", "10.0.0.2") for _ in range(25)].count(429) == 5
    assert (
        client_with(
            access="proxy",
            proxies=1,
            access_certs=f"{address}/certs",
            access_audience="form",
        )
        .get("/", headers={"X-Forwarded-User": sign()})
        .status_code
        == 403
    )
    assert "cannot be fetched" in caplog.text
    with pytest.raises(SettingError, match="belong together"):
        client_with(access="proxy", proxies=1, access_certs=f"{address}/certs")


@pytest.mark.parametrize(
    ("access", "schemes"),
    [("public", set()), ("password", {"basic"}), ("keys", {"basic", "bearer"})],
)
def test_the_description_of_the_api_says_what_a_request_needs(
    access: str, schemes: set[str]
) -> None:
    client = client_with(access=access, password_hash=HASH, keys=f"a:{hash_key('fc_a')}")
    headers = basic("correct horse") if access == "password" else bearer("fc_a")
    described = client.get("/api/openapi.json", headers=headers).get_json()
    found = described["components"].get("securitySchemes", {})
    assert {scheme["scheme"] for scheme in found.values()} == schemes
    assert [name for entry in described.get("security", ()) for name in entry] == list(found)
    assert ("401" in described["paths"]["/api/predict"]["post"]["responses"]) == bool(schemes)
