"""Settings are read strictly."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.cli import FlaskGroup

from app import create_app
from app.config import SettingError, Settings, explain
from app.config.readers import SettingReader, boolean, integer, one_of, words
from model import ModelError
from tests.conftest import free_port
from tests.tools import ROOT


def test_the_default_serves_both_bundled_models_the_house_price_first() -> None:
    assert Settings.from_environment({}).models == ("house-price", "chest-xray")


def test_a_list_of_models_is_read_with_spaces_and_underscores() -> None:
    settings = Settings.from_environment({"FORMCAST_MODELS": "house_price, my-model"})
    assert settings.models == ("house-price", "my-model")


def test_variables_of_others_are_left_alone() -> None:
    assert Settings.from_environment({"PORT": "1", "HOME": "/"}) == Settings()


def test_a_variable_set_to_nothing_holds_its_default() -> None:
    names = [item.variable for item in explain(environ={})]
    assert Settings.from_environment(dict.fromkeys(names, "")) == Settings()
    assert Settings.from_environment(dict.fromkeys(names, " \r")) == Settings()


@pytest.mark.parametrize(
    "links",
    [
        {"FORMCAST_SERVICE_HOST": "10.0.0.7", "FORMCAST_SERVICE_PORT": "80"},
        {"FORMCAST_SERVICE_HOST": "fd00::7", "FORMCAST_SERVICE_PORT_HTTP": "80"},
        {"FORMCAST_PORT": "tcp://10.0.0.7:80", "FORMCAST_PORT_80_TCP": "tcp://10.0.0.7:80"},
        {"FORMCAST_PORT_80_TCP_PROTO": "tcp", "FORMCAST_PORT_80_TCP_ADDR": "10.0.0.7"},
        {"FORMCAST_PORT": "sctp://10.0.0.7:80", "FORMCAST_PORT_80_SCTP_PROTO": "sctp"},
        {"FORMCAST_WEB_SERVICE_HOST": "10.0.0.8", "FORMCAST_WEB_PORT": "tcp://10.0.0.8:80"},
    ],
)
def test_what_kubernetes_sets_for_a_service_stops_no_start(links: dict[str, str]) -> None:
    assert Settings.from_environment(links) == Settings()


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("FORMCAST_PORT", "8000", r"FORMCAST_PORT is not a setting. Did you mean PORT\?"),
        ("FORMCAST_WEB_CONCURRENCY", "2", r"Did you mean WEB_CONCURRENCY\?"),
        ("FORMCAST_SERVICE_HOST", "example", "is not a setting"),
        ("FORMCAST_CLIENT_HEADER", "CF Connecting", "Write a header's name"),
        ("FORMCAST_MODEL", "house-price", "Did you mean FORMCAST_MODELS"),
        ("FORMCAST_MODELS", " , ", "Name at least one model"),
        ("FORMCAST_MODELS", "a,a", "names a model twice"),
    ],
)
def test_what_is_no_setting_stops_the_start_with_what_to_write(
    variable: str, value: str, says: str
) -> None:
    with pytest.raises(SettingError, match=says):
        Settings.from_environment({variable: value})


def test_an_app_with_a_setting_or_a_model_that_is_none_is_not_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(ModelError, match=r"There is no model 'nothing'"):
        create_app(Settings(models=("nothing",)))
    monkeypatch.setenv("FORMCAST_MODEL", "house-price")
    with pytest.raises(SettingError, match=r"Did you mean FORMCAST_MODELS\?"):
        create_app()


def test_a_start_that_fails_says_why_without_a_traceback() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "app.server"],
        cwd=ROOT,
        env={**os.environ, "FORMCAST_MODELS": "nothing", "PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 1
    assert "Formcast cannot start. There is no model 'nothing'" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("package", "start"),
    [
        (
            "babel",
            "sys.argv = ['flask', '--app', 'wsgi', 'model', 'list']; "
            "from flask.cli import main; main()",
        ),
        ("flask", "import wsgi"),
        (
            "flask",
            "sys.argv = ['gunicorn', '--check-config', 'wsgi:app']; "
            "from gunicorn.app.wsgiapp import run; run()",
        ),
    ],
)
def test_a_python_that_lacks_a_package_is_named_without_a_traceback(
    package: str, start: str
) -> None:
    code = f"import sys; sys.modules[{package!r}] = None; {start}"
    command = [sys.executable, "-c", code]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    assert run.returncode == 1
    assert f"{package} is not installed for {sys.executable}. Use the environment of" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("variable", "value"), [("WEB_CONCURRENCY", "auto"), ("PORT", "tcp://1:2")]
)
def test_a_number_of_a_platform_that_is_none_is_one_sentence(variable: str, value: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "app.server"],
        cwd=ROOT,
        env={**os.environ, variable: value},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 1
    assert run.stderr.startswith(f"Formcast cannot start. {variable} is {value!r}. Write a whole ")
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (boolean, {"on": True, "off": False}, ["", "yes", "1", "ON", "true", " on"]),
        (
            integer(-2, 30),
            {"-2": -2, "0": 0, "30": 30},
            ["", "31", "-3", "1.0", "1_0", "٣", "--1", "9" * 5000],
        ),
        (one_of("json", "text"), {"json": "json"}, ["", "JSON", "xml"]),
        (words, {"": (), "a, b": ("a", "b")}, ["a,a"]),
    ],
)
def test_a_value_is_read_by_its_type_and_nothing_is_guessed(
    read: SettingReader, good: dict[str, object], bad: list[str]
) -> None:
    assert {text: read("FORMCAST_X", text) for text in good} == good
    for text in bad:
        with pytest.raises(SettingError, match=r"^FORMCAST_X "):
            read("FORMCAST_X", text)


def test_every_setting_has_its_row_in_the_docs_and_every_row_its_setting() -> None:
    def cell(value: str) -> str:
        return f"`{value}`" if value else "none"

    rows = [
        f"| `{item.variable}` | {cell(item.default)} | {item.help} |"
        for item in explain(environ={})
    ]
    page = (ROOT / "docs" / "settings.md").read_text().splitlines()
    assert [line for line in page if line.startswith("| `FORMCAST_")] == rows


@pytest.fixture
def run_flask(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Result]:
    """``flask --app wsgi`` with a command, in this process; wsgi.py is read anew."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")  # Flask sets it, too; the end takes it back

    def run(command: str) -> Result:
        monkeypatch.delitem(sys.modules, "wsgi", raising=False)
        return CliRunner().invoke(FlaskGroup(), ["--app", "wsgi", command])

    return run


def test_the_settings_command_shows_value_origin_and_help_even_where_a_model_is_broken(
    run_flask: Callable[[str], Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = run_flask("settings")
    assert "FORMCAST_MODELS = house-price,chest-xray  [default]" in found.stdout
    monkeypatch.setenv("FORMCAST_MODELS", "nothing")
    found = run_flask("settings")
    assert found.exit_code == 0, found.output
    assert found.stdout.startswith("FORMCAST_MODELS = nothing  [environment]\n    Models to serve")


def test_a_command_of_ours_loads_none_of_the_models_that_are_served(
    run_flask: Callable[[str], Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[tuple[str, ...]] = []

    def load_none(root: Path, names: tuple[str, ...]) -> dict[str, Any]:
        served.append(names)
        return {}

    monkeypatch.setattr("app.load_models", load_none)
    assert run_flask("settings").exit_code == 0
    assert not served
    assert run_flask("routes").exit_code == 0
    assert served


@pytest.mark.parametrize("command", ["settings", "routes", "run"])
def test_a_command_that_cannot_work_says_why_without_a_traceback(
    run_flask: Callable[[str], Result], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("FORMCAST_MODEL", "house-price")
    found = run_flask(command)
    assert found.exit_code == 1
    assert "Did you mean FORMCAST_MODELS?" in found.output
    assert "Traceback" not in found.output
