"""Settings are read strictly."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from flask.cli import FlaskGroup

from app import create_app
from app.config import (
    SettingError,
    SettingReader,
    Settings,
    boolean,
    explain,
    integer,
    one_of,
    words,
)
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


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
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
        [sys.executable, "-m", "gunicorn", "wsgi:app"],
        cwd=ROOT,
        env={**os.environ, "FORMCAST_MODELS": "nothing", "PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 1
    assert "Formcast cannot start. There is no model 'nothing'" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (boolean, {"on": True, "off": False}, ["", "yes", "1", "ON", "true", " on"]),
        (integer(-2, 30), {"-2": -2, "0": 0, "30": 30}, ["", "31", "-3", "1.0", "1_0", "٣", "--1"]),
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


@pytest.mark.parametrize("command", ["settings", "routes", "run"])
def test_a_command_that_cannot_work_says_why_without_a_traceback(
    run_flask: Callable[[str], Result], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("FORMCAST_MODEL", "house-price")
    found = run_flask(command)
    assert found.exit_code == 1
    assert "Did you mean FORMCAST_MODELS?" in found.output
    assert "Traceback" not in found.output
