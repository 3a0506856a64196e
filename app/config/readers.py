"""Readers of settings: each turns the text of a variable into a value, or says what to write."""

import re
from collections.abc import Callable
from typing import Any

ROOT_PATH = re.compile(
    r"(?:/(?!(?:\.|%2e){1,2}(?:/|$))(?:[a-z0-9._~@+=:,-]|%[0-9a-f]{2})+)+",
    re.ASCII | re.IGNORECASE,
)
"""What a root may be: nothing in it means anything in HTML, JSON or a shell, and a browser takes it
as it is."""

SettingReader = Callable[[str, str], Any]
"""Takes the variable's name and its text; returns the value or raises a ``SettingError``."""


class SettingError(Exception):
    """A setting cannot be used; the message says how to fix it."""


def boolean(variable: str, text: str) -> bool:
    """Read ``on`` or ``off``, and no other spelling.

    Raises:
        SettingError: for any other text.
    """
    if text not in ("on", "off"):
        raise SettingError(f"{variable} is {text!r}. Write on or off.")
    return text == "on"


def opt_in(variable: str, text: str) -> bool:
    """Read ``1`` or ``on`` as yes, ``0`` or ``off`` as no.

    Raises:
        SettingError: for any other text.
    """
    return text == "1" if text in ("0", "1") else boolean(variable, text)


def integer(low: int, high: int) -> SettingReader:
    """Make a reader of whole numbers from ``low`` to ``high``, both included."""

    def read(variable: str, text: str) -> int:
        fits = re.fullmatch("-?[0-9]{1,18}", text) and low <= int(text) <= high
        if not fits:
            raise SettingError(f"{variable} is {text!r}. Write a whole number, {low} to {high}.")
        return int(text)

    return read


def one_of(*words: str) -> SettingReader:
    """Make a reader of one of a few words."""

    def read(variable: str, text: str) -> str:
        if text not in words:
            raise SettingError(f"{variable} is {text!r}. Write one of: {', '.join(words)}.")
        return text

    return read


def line(most: int) -> SettingReader:
    """Make a reader of one line of text with at most so many characters."""

    def read(variable: str, text: str) -> str:
        if len(text) > most or not text.isprintable():
            raise SettingError(f"{variable} must be one line of at most {most} characters.")
        return text.strip()

    return read


def plain_text(variable: str, text: str) -> str:
    """Read a text as it is; what uses it says what is wrong with it."""
    return text


def matching(pattern: str, advice: str, fold: bool = False) -> SettingReader:
    """Make a reader of a text that matches a pattern.

    Args:
        pattern: of the whole text.
        advice: what to write, as one or more sentences.
        fold: whether capitals become small letters first.
    """

    def read(variable: str, text: str) -> str:
        value = text.lower() if fold else text
        if not re.fullmatch(pattern, value):
            raise SettingError(f"{variable} is {text!r}. {advice}")
        return value

    return read


colour = matching("#[0-9a-f]{6}", "Write a colour like #7a1f5c.", fold=True)
"""Reads a colour as ``#rrggbb``."""

link = matching(
    r"(https?://[^/\s]\S*|mailto:\S+@\S+|/(?!/)\S*)",
    "Write an address like https://example.org/x.",
)
"""Reads an address that a page links to: of https, http or mailto, or a path."""

secure_address = matching(
    r"(https://|http://(127\.0\.0\.1|localhost)(:[0-9]+)?/)\S+",
    "Write an address like https://example.org/x.",
)
"""Reads an address of HTTPS, or of this machine."""

header_name = matching("[A-Za-z][A-Za-z0-9-]*", "Write a header's name, like CF-Connecting-IP.")
"""Reads the name of a header."""


def password_hash(variable: str, text: str) -> str:
    """Read the hash of a password.

    Raises:
        SettingError: for what is none, such as the password itself, which is not repeated.
    """
    if not re.fullmatch(r"scrypt:[0-9]+:[0-9]+:[0-9]+:[A-Za-z0-9]+:[0-9a-f]{128}", text):
        raise SettingError(
            f"{variable} is not a hash. `flask --app wsgi settings hash` asks for the password and "
            "writes one."
        )
    return text


def long_secret(variable: str, text: str) -> str:
    """Read a secret that nobody can guess.

    Raises:
        SettingError: for a short one.
    """
    if len(text) < 32:
        raise SettingError(f"{variable} is too short. Write 32 characters or more, at random.")
    return text


def words(variable: str, text: str, noun: str = "something") -> tuple[str, ...]:
    """Read a list, separated by commas; it may be empty.

    Raises:
        SettingError: if it names a thing twice, which the message calls ``noun``.
    """
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    if len(set(found)) < len(found):
        raise SettingError(f"{variable} names {noun} twice: {text}")
    return found


def model_names(variable: str, text: str) -> tuple[str, ...]:
    """Read a list of models' names, as folders or addresses spell them.

    Raises:
        SettingError: for an empty list, or one with a name twice.
    """
    names = words(variable, text.replace("_", "-"), "a model")
    if not names:
        raise SettingError(f"{variable} is empty. Name at least one model, like house-price.")
    return names


rate = matching(
    "off|[1-9][0-9]{0,8}/(second|minute|hour)", "Write off, or a limit like 600/minute."
)
"""Reads ``off`` or a limit like ``600/minute``."""


def list_matching(pattern: str, advice: str) -> SettingReader:
    """Make a reader of a list, separated by commas, in small letters; see ``matching``."""
    read_one = matching(pattern, advice)

    def read(variable: str, text: str) -> tuple[str, ...]:
        return tuple(read_one(variable, word) for word in words(variable, text.lower()))

    return read


host_names = list_matching(
    r"\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?",
    "Write names alone, without https:// or a port, like example.org,.example.org.",
)
"""Reads a list of hosts' names; a dot before one also means every name below it."""

origins = list_matching(
    r"(?!http:.*:80$|https:.*:443$)https?://"
    r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?",
    "Write scheme and name alone, like https://example.org, each origin by itself.",
)
"""Reads a list of origins as browsers send them: scheme, name, and no default port."""


def public_origin(variable: str, text: str) -> str:
    """Read one origin, or nothing.

    Raises:
        SettingError: for what is not one origin.
    """
    found: tuple[str, ...] = origins(variable, text)
    if len(found) > 1:
        raise SettingError(f"{variable} has {len(found)} origins. Write one.")
    return found[0] if found else ""


def ancestors(variable: str, text: str) -> tuple[str, ...]:
    """Read a list of origins, or ``*`` for every origin.

    Raises:
        SettingError: for what is not an origin.
    """
    return ("*",) if text.strip() == "*" else origins(variable, text)


def root_path(variable: str, text: str) -> str:
    """Read the path of a root; a slash at its end does not matter.

    Raises:
        SettingError: for what is no path.
    """
    path = text.rstrip("/")
    if path and not ROOT_PATH.fullmatch(path):
        raise SettingError(f"{variable} is {text!r}. Write a path alone, like /price.")
    return path
