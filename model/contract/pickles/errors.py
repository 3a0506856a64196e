"""The error of a pickle that is not read."""

_LONGEST = 600
"""Characters of a message: a file chooses the names in it."""


class PickleError(Exception):
    """The file is damaged, asks for more than it may, or is no pickle; the message is a sentence.

    Names in the message come from the file: control characters are replaced, and length is cut.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message, _LONGEST))


def printable(text: str, longest: int = 80) -> str:
    """Return text of a file without control characters and surrogates, at most so long."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    return "".join(character if character.isprintable() else "?" for character in text)
