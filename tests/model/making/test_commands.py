"""Checking, listing and removing; and all of it while the app itself cannot start."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model import ModelError, load_model
from model.contract.fields import FIELD_KINDS
from tests.loading import change_file
from tests.model.making.conftest import AddedModels, run
from tests.tools import ROOT


@pytest.fixture
def root(added_models: AddedModels, tmp_path: Path) -> Path:
    """A folder with a model that a test may spoil."""
    shutil.copytree(added_models.root / "penguins", tmp_path / "penguins")
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
    assert "3 problems to fix" in result.output


def test_check_holds_card_manifest_and_artifact_against_each_other_at_once(root: Path) -> None:
    card = spoil(root, ('"Biscoe"', '"Biskoe"'))
    (root / "penguins" / "model.onnx").write_bytes(b"other")
    output = run("check", "penguins", "--models", root).output
    assert f"line {line_with(card, 'choices = [')}: the choices of 'island'" in output
    assert "is not the file that was trained" in output


def test_check_says_that_required_is_no_choice_of_the_card(root: Path) -> None:
    card = spoil(root, ("required = false", "required = true"))
    output = run("check", "penguins", "--models", root).output
    assert f"{card}: `required` of " in output
    assert "must stay as the model was measured. To have a fact always asked for," in output


def test_check_names_every_example_that_is_refused(root: Path) -> None:
    spoil(root, ("values = { bill_length_mm", "values = { no_such = 1, bill_length_mm"))
    output = run("check", "penguins", "--models", root).output
    assert "has no such field: no_such" in output


def test_check_says_what_is_missing_where_it_would_stand(root: Path) -> None:
    card = spoil(root, ('title = "Is it', 'titel = "Is it'))
    output = run("check", "penguins", "--models", root).output
    assert f"{card}: title: must be given" in output
    assert f"{card}, line 5: titel: there is no such key" in output
    spoil(
        root,
        ("titel", "title"),
        ('kind = "number"\nlabel = "Bill l', 'kind = "n"\nlabel = "Bill l'),
    )
    output = run("check", "penguins", "--models", root).output
    kinds = ", ".join(map(repr, FIELD_KINDS))
    assert f"fields.0: kind must be one of {kinds}, not 'n'" in output


def test_check_tells_renamed_and_removed_classes_from_a_model_that_changed(root: Path) -> None:
    card = spoil(root, ('value = "Gentoo"', 'value = "Gentoos"'))
    output = run("check", "penguins", "--models", root).output
    place = f"{card}, line {line_with(card, 'classes = [')}"
    assert f"{place}: 'Gentoo' is missing, which the model predicted when it was made" in output
    card = spoil(root, ('  { value = "Gentoos", label = "Gentoo" },\n', ""))
    change_file(root / "penguins" / "manifest.json", '"Gentoo"', '"Adelie"')
    output = run("check", "penguins", "--models", root).output
    assert f"{place}: the model answers 3 classes, and not 2" in output
    assert "you may change their labels" in output


def test_check_says_of_a_file_what_to_do_about_it(root: Path) -> None:
    folder = root / "penguins"
    index = folder / "neighbors.npz"
    manifest = (folder / "manifest.json").read_text()
    was = hashlib.sha256(index.read_bytes()).hexdigest()
    index.write_bytes(b"hello")
    sound = manifest.replace(was, hashlib.sha256(b"hello").hexdigest())
    (folder / "manifest.json").write_text(sound)
    output = run("check", "penguins", "--models", root).output
    assert f"{index} does not load. Make the model again: `model draft`" in output
    (folder / "card.toml").write_bytes(b'title = "a"\nsummary = "\xff"\n')
    output = run("check", "penguins", "--models", root).output
    assert "card.toml, line 2: not UTF-8 text. Save it as UTF-8." in output
    (folder / "card.toml").unlink()
    output = run("check", "penguins", "--models", root).output
    assert "card.toml is missing; a model's folder has card.toml" in output


def test_a_card_that_begins_with_a_byte_order_mark_is_read(root: Path) -> None:
    card = root / "penguins" / "card.toml"
    card.write_bytes(b"\xef\xbb\xbf" + card.read_bytes())
    assert run("check", "penguins", "--models", root).exit_code == 0


def test_the_start_says_what_check_says(root: Path) -> None:
    spoil(root, ("min = 25\n", "min = 60\n"), ('label = "Sex"', 'labl = "Sex"'))
    with pytest.raises(ModelError) as raised:
        load_model(root / "penguins")
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


@pytest.mark.parametrize("name", ["link", "api", "feedback-fragment"])
def test_a_name_that_an_address_of_the_app_begins_with_is_refused(name: str, root: Path) -> None:
    file = root / "penguins" / "card.toml"
    result = run("add", file, "--name", name, "--data", file, "--models", root)
    assert result.exit_code == 1
    assert f"--name {name} cannot be part of an address" in result.output


def test_list_shows_what_is_served_and_what_is_not(
    added_models: AddedModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORMCAST_MODELS", "diabetes,penguins")
    lines = run("list", "--models", added_models.root).output.splitlines()
    shown = {line.split()[0]: line for line in lines}
    assert "served at /  " in shown["diabetes"]
    assert "served at /penguins/" in shown["penguins"]
    assert "not served" in shown["wide"]


def test_remove_asks_first(root: Path) -> None:
    assert run("remove", "penguins", "--models", root, answer="n\n").exit_code == 1
    assert (root / "penguins").is_dir()
    assert run("remove", "penguins", "--models", root, answer="y\n").exit_code == 0
    assert not (root / "penguins").exists()


def test_remove_removes_what_is_left_of_a_model_and_leaves_what_a_link_leads_to(root: Path) -> None:
    (root / "penguins" / "card.toml").unlink()
    assert run("remove", "penguins", "--models", root, "--yes").exit_code == 0
    elsewhere = root / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "card.toml").touch()
    (root / "linked").symlink_to(elsewhere)
    assert run("remove", "linked", "--models", root, "--yes").exit_code == 0
    assert [path.name for path in root.iterdir()] == ["elsewhere"]


def test_the_commands_work_while_the_app_cannot_start() -> None:
    broken = {**os.environ, "FORMCAST_MODELS": "no-such-model"}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "model"]
    listed = subprocess.run(
        [*command, "list"], cwd=ROOT, env=broken, capture_output=True, text=True, check=True
    )
    assert "house-price" in listed.stdout
    assert "no-such-model" in listed.stdout
