"""Folders of earlier formats are served, with a message that says how to upgrade them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app import create_app
from model import ModelError, NumberModel, load_model, read_card
from model.contract.upgrading import upgrade_folder
from tests.loading import load_as
from tests.model.formats.write_format_1 import build_network
from tests.tools import ROOT

KEPT = Path(__file__).parent / "format_1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the model in format 1."""
    return Path(shutil.copytree(KEPT, tmp_path / "rent"))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_kept_network_is_the_one_that_the_script_builds() -> None:
    assert (KEPT / "model.onnx").read_bytes() == build_network()


def test_a_folder_of_format_1_is_served_and_one_message_names_the_command(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = load_as(NumberModel, folder)
    load_model(folder)
    rooms = model.card.by_name["rooms"]
    assert rooms.missing_text == "Enter the number of rooms"
    assert model.card.more == "More about the flat"
    assert model.find_ood_threshold(frozenset()) == 0.5
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert caplog.messages == [
        f"{folder} has files in format 1, which is deprecated. Rewrite them: "
        "flask --app wsgi model upgrade rent"
    ]


def test_the_command_rewrites_a_folder_which_then_means_the_same(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = load_as(NumberModel, folder)
    card = (folder / "card.toml").read_text()
    runner = create_app().test_cli_runner()
    arguments = ["model", "upgrade", "rent", "--models", str(folder.parent)]
    assert runner.invoke(args=arguments).exit_code == 0
    caplog.clear()
    after = load_as(NumberModel, folder)
    assert caplog.messages == []
    assert (after.card, after.manifest) == (before.card, before.manifest)
    rewritten = (folder / "card.toml").read_text()
    changed = set(rewritten.splitlines()) ^ set(card.splitlines())
    assert len(changed) == 2 + 1 + 2 * 7
    assert "# Often it is not known.\n[[fields]]" in rewritten
    assert runner.invoke(args=arguments).exit_code == 0
    assert (folder / "card.toml").read_text() == rewritten


@pytest.mark.parametrize("name", ["house_price", "chest_xray"])
def test_a_bundled_model_in_format_1_is_upgraded_to_what_it_is_now(
    name: str, tmp_path: Path
) -> None:
    bundled, folder = ROOT / "model" / name, tmp_path / name
    shutil.copytree(bundled, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    card, manifest = folder / "card.toml", folder / "manifest.json"
    change(card, "format = 2\n", "")
    kind = "number" if name == "house_price" else "pictures"
    change(card, f'kind = "{kind}"\n', "")
    change(card, "[output]\n", f'[output]\nkind = "{"number" if kind == "number" else "class"}"\n')
    text = manifest.read_text().replace(' "format": 3,\n', "").replace("ood_score", "strangeness")
    text = text.replace("ood_thresholds", "support").replace("ood_threshold", "support")
    manifest.write_text(text)
    load_model(folder)
    upgrade_folder(folder)
    for file in (card, manifest):
        assert file.read_text() == (bundled / file.name).read_text()


def test_both_names_of_a_key_are_an_error_that_names_the_line(folder: Path) -> None:
    card = folder / "card.toml"
    change(card, "min = 0", 'min = 0\nsmaller_text = "{amount} less"')
    line = card.read_text().splitlines().index('less = "{amount} fewer"') + 1
    with pytest.raises(ModelError) as refused:
        read_card(card)
    assert refused.value.problems == (f"{card}, line {line}: fields.0.less: there is no such key",)
    with pytest.raises(ModelError, match="cannot be rewritten"):
        upgrade_folder(folder)


def test_a_card_in_a_layout_that_lines_cannot_follow_is_left_as_it_is(folder: Path) -> None:
    card = folder / "card.toml"
    change(card, 'kind = "number"  # an amount of money\n', "")
    change(card, "\n[output]\n", '\noutput.kind = "number"\n[output]\n')
    before = card.read_text()
    with pytest.raises(ModelError):
        upgrade_folder(folder)
    assert card.read_text() == before


@pytest.mark.parametrize("number", ["4", '"2"', "0"])
@pytest.mark.parametrize(
    ("name", "line"), [("card.toml", "format = 2"), ("manifest.json", '"format": 3')]
)
def test_a_format_that_is_not_known_stops_the_start(
    folder: Path, name: str, line: str, number: str
) -> None:
    upgrade_folder(folder)
    path = folder / name
    change(path, line, line[:-1] + number)
    with pytest.raises(ModelError, match=rf"{name}: format must be {line[-1]} or less, not"):
        load_model(folder)


@pytest.mark.parametrize(
    "spoil", [lambda text: "[]", lambda text: json.dumps({**json.loads(text), "golden": 3})]
)
def test_a_manifest_that_is_nothing_like_one_is_refused(
    folder: Path, spoil: Callable[[str], str]
) -> None:
    path = folder / "manifest.json"
    path.write_text(spoil(path.read_text()))
    with pytest.raises(ModelError, match=r"manifest\.json: "):
        load_model(folder)
