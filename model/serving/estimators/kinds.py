"""Kinds of values that many estimators have, beside those that text can say, and a hook."""

from __future__ import annotations

from typing import Any

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
