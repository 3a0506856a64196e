"""Kinds of values that many estimators have, beside those that text can say, and hooks."""

from typing import Any

from model.contract.pickles.records import Record
from model.serving.estimators.attributes import Decoder, Hook, State, decode
from model.serving.estimators.errors import MismatchError


def within(low: float, high: float) -> Decoder:
    """The kind of a number from low to high; a whole number stays one."""

    def decoder(value: Any, state: State) -> Any:
        number = decode("int | float", value, state)
        if not low <= number <= high:
            raise MismatchError
        return number

    return decoder


def one_of(*words: Any) -> Decoder:
    """The kind of a value that is one of the words, or of None, True and False among them."""

    def decoder(value: Any, state: State) -> Any:
        scalar = decode("label", value, state)
        for word in words:
            if type(word) is type(scalar) and word == scalar:
                return word
        raise MismatchError

    return decoder


def left_out(default: Any = None) -> Decoder:
    """The kind of what prediction does not read: the estimator gets the default instead."""
    return lambda value, state: default


def renamed(**names: str) -> Hook:
    """A hook that gives attributes of older releases today's names, where those are not there."""
    return lambda state: state.rename(**names)


def translated(name: str, **words: str) -> Hook:
    """A hook that gives a parameter's words of older releases today's."""
    return lambda state: state.translate(name, **words)


def defaulted(name: str, value: Any, before: tuple[int, int] | None = None) -> Hook:
    """A hook that says what a parameter was in releases that left it open: all, or older ones."""

    def migrate(state: State) -> None:
        if state.raw.get(name) is None and (before is None or state.release < before):
            state.raw[name] = value

    return migrate


def sized(**names: str) -> Hook:
    """A hook that computes attributes: by a size's name those that have it, with blanks between."""

    def complete(state: State) -> None:
        for size, attributes in names.items():
            state.values.update(dict.fromkeys(attributes.split(), state.sizes[size]))

    return complete


def preset(**values: Any) -> Hook:
    """A hook that sets attributes to what they are in every estimator of a class."""
    return lambda state: state.values.update(values)


def read_parts(value: Any, name: str) -> dict[str, Any]:
    """Return the attributes of an object that is no estimator.

    Args:
        value: of the file.
        name: of the object's class.

    Raises:
        MismatchError: if it is of another class, or its attributes have no names.
    """
    if not isinstance(value, Record) or value.name != name or not isinstance(value.state, dict):
        raise MismatchError
    return value.state
