"""A model that others on the machine could change is not loaded."""

import os
import re
from pathlib import Path

import pytest

from model import ModelError
from model.serving import permissions
from model.serving.permissions import check_writers
from tests.tools import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = tmp_path / "my model"
    model.mkdir(mode=0o755)
    (model / "model.joblib").touch(mode=0o644)
    return model


def test_what_the_owner_alone_may_change_is_loaded(folder: Path) -> None:
    check_writers([folder, folder / "missing"])
    if os.geteuid() == 0:
        os.chown(folder, 1234, 1234)  # a user who deploys
        check_writers([folder])


@pytest.mark.parametrize("name", [".", "model.joblib"])
def test_what_everybody_may_change_is_refused_with_the_command(folder: Path, name: str) -> None:
    (folder / name).chmod(0o777)
    with pytest.raises(ModelError, match="chmod -R go-w") as error:
        check_writers([folder])
    assert f"'{folder}'" in str(error.value)
    assert "FORMCAST_TRUST_FOLDERS=1" in str(error.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to a group")
def test_a_group_may_write_only_where_it_is_the_users_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.chmod(0o775)
    check_writers([folder])  # the group of this process
    os.chown(folder, 0, 4321)
    with pytest.raises(ModelError, match="chmod -R go-w"):
        check_writers([folder])
    monkeypatch.setattr(permissions, "_private_group", lambda user: 4321)
    check_writers([folder])


@pytest.mark.parametrize(
    "name",
    ["app/a.py", "app/__pycache__/a.cpython-311.pyc", "model/x/train.py", "gunicorn.conf.py",
     "templates/base.html", "templates/pages/a.html", "static/app.js"],
)  # fmt: skip
def test_code_that_everybody_may_change_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / name
    code.parent.mkdir(parents=True, exist_ok=True)
    code.touch()
    code.chmod(0o666)
    here = tmp_path / "model" / "serving" / "permissions.py"
    monkeypatch.setattr(permissions, "__file__", str(here))
    with pytest.raises(ModelError, match=re.escape(str(code))):
        check_writers([])


def test_a_folder_in_which_everybody_may_replace_a_folder_of_code_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = tmp_path / "templates" / "pages" / "a.html"
    template.parent.mkdir(parents=True)
    template.touch()
    template.parents[1].chmod(0o777)
    here = tmp_path / "model" / "serving" / "permissions.py"
    monkeypatch.setattr(permissions, "__file__", str(here))
    with pytest.raises(ModelError, match=re.escape(str(template.parents[1]))):
        check_writers([])


def test_a_model_that_is_removed_meanwhile_stops_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder.parent
    removed = folder.rename(root / "model")
    monkeypatch.setattr(permissions, "__file__", str(removed / "serving" / "permissions.py"))
    scan = os.scandir

    def scan_others(path: Path) -> object:
        if Path(path) == removed:
            raise FileNotFoundError
        return scan(path)

    monkeypatch.setattr(os, "scandir", scan_others)
    monkeypatch.setattr(Path, "iterdir", scan_others)
    check_writers([removed])


def test_the_models_here_are_closed() -> None:
    check_writers([ROOT / "model" / "house_price"])
