"""Old names of a card's keys are read, and a warning gives the new ones."""

from pathlib import Path

import pytest

from model import ModelError
from model.contract.files import read_card

OLD = """\
title = "What would this flat rent for?"
summary = "An estimate from two facts."
more = "More about the flat"
limits = ["It knows one town."]
not_for = ["a contract"]

[output]
label = "Rent"
noun = "rent"
kind = "number"
format = "number"

[[fields]]
name = "rooms"
kind = "integer"
label = "Rooms"
noun = "rooms"
article = "the number of"
because = "it has {value}"
counted = { one = "room", other = "rooms" }
none = "it has one room for all"
more = "{amount} more"
less = "{amount} fewer"
min = 0
max = 9
example = 3

[[fields]]
name = "heating"
kind = "choice"
label = "Heating"
noun = "heating"
compared = "heated by {value}"
example = "gas"
choices = [{ value = "gas", label = "Gas" }, { value = "oil", label = "Oil" }]

[[examples]]
title = "A flat"
values = { rooms = 2, heating = "oil" }
"""
NEW = (
    OLD.replace("\narticle =", "\ndeterminer =")
    .replace("\nbecause =", "\nreason_text =")
    .replace("\ncounted =", "\ncount_text =")
    .replace("\nnone =", "\nzero_text =")
    .replace('\nmore = "{', '\nlarger_text = "{')
    .replace("\nless =", "\nsmaller_text =")
    .replace("\ncompared =", "\ncomparison_text =")
)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    return tmp_path / "card.toml"


def test_an_old_card_means_what_the_new_one_means(card: Path) -> None:
    card.write_text(OLD)
    old = read_card(card)
    card.write_text(NEW)
    new = read_card(card)
    assert old == new
    assert new.by_name["rooms"].missing_text == "Enter the number of rooms"
    assert new.more == "More about the flat"


def test_each_old_key_is_warned_of_once_with_its_line_and_new_name(
    card: Path, caplog: pytest.LogCaptureFixture
) -> None:
    card.write_text(OLD)
    read_card(card)
    read_card(card)
    line = OLD.splitlines().index('article = "the number of"') + 1
    message = f"{card}, line {line}: article is deprecated. Write determiner instead."
    assert caplog.messages.count(message) == 1
    assert len(caplog.messages) == 7
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_a_new_card_is_read_without_a_word(card: Path, caplog: pytest.LogCaptureFixture) -> None:
    card.write_text(NEW)
    read_card(card)
    assert caplog.messages == []


def test_both_names_of_a_key_are_an_error_that_names_the_line(card: Path) -> None:
    card.write_text(OLD.replace("min = 0", 'min = 0\nsmaller_text = "{amount} less"'))
    line = OLD.splitlines().index('less = "{amount} fewer"') + 1
    with pytest.raises(ModelError) as refused:
        read_card(card)
    assert refused.value.problems == (
        f"{card}, line {line}: less is the old name of smaller_text. Remove one of the two.",
    )
