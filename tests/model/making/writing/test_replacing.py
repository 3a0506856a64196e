"""``--force`` replaces a model whole, or leaves the old one: whatever happens in between."""

import errno
import itertools
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from model.making import adding
from model.making.writing.report import format_report
from model.making.writing.summary import AddedModel
from tests.model.making.conftest import add
from tests.model.making.test_refused import regression
from tests.models import ModelFiles

OLD = "the old card"


@pytest.fixture
def given(tmp_path: Path) -> ModelFiles:
    return regression(tmp_path, lambda table: table)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The only model in a folder of models, which is to be replaced."""
    folder = tmp_path / "models" / "mine"
    folder.mkdir(parents=True)
    (folder / "card.toml").write_text(OLD)
    return folder


def replace(given: ModelFiles, folder: Path, *more: str) -> Result:
    return add(given, folder.name, folder.parent, "--trust", *more)


def holds_only(folder: Path, old: bool) -> bool:
    """Whether the model is the old one or the new one, and nothing stands beside it."""
    found = list(folder.parent.iterdir())
    return found == [folder] and ((folder / "card.toml").read_text() == OLD) == old


def fail_at(renames: range, fail: Callable[[], object], patch: pytest.MonkeyPatch) -> None:
    """Let these calls of ``Path.rename``, counted from 0, call ``fail`` instead."""
    rename, number = Path.rename, itertools.count()

    def failing(path: Path, target: Path) -> Path:
        if next(number) in renames:
            fail()
        return rename(path, target)

    patch.setattr(Path, "rename", failing)


def refuse() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("rename", [0, 1])
@pytest.mark.parametrize(
    ("fail", "says"),
    [
        (refuse, "could not be put in its place: [Errno 28] No space left on device"),
        (interrupt, "Aborted!"),
        (terminate, "Aborted!"),
    ],
)
def test_the_old_model_stays_where_the_new_one_cannot_take_its_place(
    given: ModelFiles,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    rename: int,
    fail: Callable[[], object],
    says: str,
) -> None:
    fail_at(range(rename, rename + 1), fail, monkeypatch)
    result = replace(given, folder, "--force")
    assert result.exit_code == 1
    assert says in result.output
    assert holds_only(folder, old=True)


def test_a_model_that_was_added_meanwhile_is_not_replaced_unless_it_was_asked_for(
    given: ModelFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = folder.rename(folder.with_name("other"))

    def add_other(added: AddedModel) -> str:
        other.rename(folder)
        return format_report(added)

    monkeypatch.setattr(adding, "format_report", add_other)
    result = replace(given, folder)
    assert result.exit_code == 1
    assert "exists. Choose another --name, or add --force" in " ".join(result.output.split())
    assert holds_only(folder, old=True)


def kill(given: ModelFiles, folder: Path, rename: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace a model by a process that is killed before a rename: no further one works."""
    with monkeypatch.context() as patch:
        fail_at(range(rename, 99), interrupt, patch)
        assert replace(given, folder, "--force").exit_code == 1


def test_a_run_after_one_that_was_killed_finds_the_old_model(
    given: ModelFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill(given, folder, 1, monkeypatch)
    assert not folder.exists()
    assert "or add --force to replace it." in " ".join(replace(given, folder).output.split())
    assert holds_only(folder, old=True)


def test_a_run_after_one_that_was_killed_clears_away_what_was_replaced(
    given: ModelFiles, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill(given, folder, 2, monkeypatch)
    assert len(list(folder.parent.iterdir())) == 2
    assert replace(given, folder, "--force").exit_code == 0
    assert holds_only(folder, old=False)


def test_a_card_that_was_written_by_hand_is_kept_beside_the_one_that_replaces_it(
    given: ModelFiles, folder: Path
) -> None:
    kept, draft = folder / "card.old.toml", folder / "draft.toml"
    draft.write_text(OLD)
    assert "card.old.toml" not in replace(given, folder, "--force").output
    assert not kept.exists()
    (folder / "card.toml").write_text("by hand")
    for _ in range(2):  # the second time the card is as it was drafted
        assert "is kept as card.old.toml" in replace(given, folder, "--force").output
        assert kept.read_text() == "by hand"
