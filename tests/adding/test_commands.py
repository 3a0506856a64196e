"""Checking, listing and removing; and all of it while the app itself cannot start."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model import ModelError, load_any_model
from tests.adding.conftest import Shelf, run
from tests.tools import ROOT


@pytest.fixture
def root(shelf: Shelf, tmp_path: Path) -> Path:
    """A folder with a model that a test may spoil."""
    shutil.copytree(shelf.root / "penguins", tmp_path / "penguins")
    return tmp_path


def spoil(root: Path, *changes: tuple[str, str]) -> Path:
    card = root / "penguins" / "card.toml"
    text = card.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    card.write_text(text)
    return card


def line_with(card: Path, text: str) -> int:
    lines = card.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_check_says_all_that_is_wrong_with_its_line(root: Path) -> None:
    card = spoil(root, ("min = 25\n", "min = 60\n"), ('label = "Sex"', 'labl = "Sex"'))
    result = run("check", "penguins", "--models", root)
    assert result.exit_code == 1
    for wrong in ("fields.0", "fields.4.labl", "fields.4.label"):
        assert wrong in result.output
    assert f"{card}, line {line_with(card, 'labl = ')}: fields.4.labl" in result.output
    assert "3 problems to mend" in result.output


def test_check_holds_card_manifest_and_artifact_against_each_other_at_once(root: Path) -> None:
    card = spoil(root, ('"Biscoe"', '"Biskoe"'))
    (root / "penguins" / "model.onnx").write_bytes(b"other")
    output = run("check", "penguins", "--models", root).output
    assert f"line {line_with(card, 'choices = [')}: the choices of 'island'" in output
    assert "is not the file that was trained" in output


def test_check_names_every_example_that_is_refused(root: Path) -> None:
    spoil(root, ("values = { bill_length_mm", "values = { no_such = 1, bill_length_mm"))
    output = run("check", "penguins", "--models", root).output
    assert "has no such field: no_such" in output


def test_the_start_says_what_check_says(root: Path) -> None:
    spoil(root, ("min = 25\n", "min = 60\n"), ('label = "Sex"', 'labl = "Sex"'))
    with pytest.raises(ModelError) as raised:
        load_any_model(root / "penguins")
    output = run("check", "penguins", "--models", root).output
    assert len(raised.value.problems) == 3
    for problem in raised.value.problems:
        assert problem in output


def test_a_name_that_is_not_there_is_answered_with_those_that_are(root: Path) -> None:
    for command in ("check", "remove"):
        for name in ("nothing", "../penguins", ""):
            result = run(command, name, "--models", root)
            assert result.exit_code == 1
            assert "There are: penguins." in result.output


def test_list_shows_what_is_served_and_what_is_not(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORMCAST_MODELS", "diabetes,penguins")
    lines = run("list", "--models", shelf.root).output.splitlines()
    shown = {line.split()[0]: line for line in lines}
    assert "served at /  " in shown["diabetes"]
    assert "served at /penguins/" in shown["penguins"]
    assert "not served" in shown["wide"]


def test_remove_asks_first(root: Path) -> None:
    assert run("remove", "penguins", "--models", root, answer="n\n").exit_code == 1
    assert (root / "penguins").is_dir()
    assert run("remove", "penguins", "--models", root, answer="y\n").exit_code == 0
    assert not (root / "penguins").exists()


def test_the_commands_work_while_the_app_cannot_start() -> None:
    broken = {**os.environ, "FORMCAST_MODELS": "no-such-model"}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "model"]
    listed = subprocess.run(
        [*command, "list"], cwd=ROOT, env=broken, capture_output=True, text=True, check=True
    )
    assert "house-price" in listed.stdout
    assert "no-such-model" in listed.stdout
