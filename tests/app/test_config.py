"""Settings are read strictly."""

import os
import subprocess
import sys

import pytest

from app.config import SettingError, Settings
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


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("FORMCAST_MODEL", "house-price", "Did you mean FORMCAST_MODELS?"),
        ("FORMCAST_MODELS", "nothing", "There is no model 'nothing'"),
    ],
)
def test_a_start_that_fails_says_why_without_a_traceback(
    variable: str, value: str, says: str
) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "gunicorn", "wsgi:app"],
        cwd=ROOT,
        env={**os.environ, variable: value, "PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert run.returncode != 0
    assert "Formcast cannot start. " in run.stderr
    assert says in run.stderr
    assert "Traceback" not in run.stderr
