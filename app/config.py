"""Settings: each with a name, a default and a help text, read strictly from the environment.

A new setting is one more field of ``Settings``. Its reader turns the text of the variable into the
value, or raises a ``SettingError`` that says what to write. ``docs/settings.md`` is made from the
fields.
"""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
"""The folder of the project, with templates, static files and models."""

PREFIX = "FORMCAST_"
_HOST_NAME = re.compile(r"\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.ASCII | re.IGNORECASE)

_ORIGIN = re.compile(
    r"https?://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?"
)
_DEFAULT_PORT = {"http": ":80", "https": ":443"}

SettingReader = Callable[[str, str], Any]
"""Takes the variable's name and its text; returns the value or raises a ``SettingError``."""


class SettingError(Exception):
    """A setting cannot be used; the message says how to fix it."""


def setting(default: Any, help_text: str, read: SettingReader, on_dyno: Any = None) -> Any:
    """Make a field of ``Settings``.

    Args:
        default: the value where the environment has none.
        help_text: one or two sentences for people.
        read: the reader for its type.
        on_dyno: the default on a Heroku dyno, where that is another value.
    """
    metadata = {"help": help_text, "read": read}
    if on_dyno is not None:
        metadata["on_dyno"] = on_dyno
    return field(default=default, metadata=metadata)


def boolean(variable: str, text: str) -> bool:
    """Read ``on`` or ``off``, and no other spelling.

    Raises:
        SettingError: for any other text.
    """
    if text not in ("on", "off"):
        raise SettingError(f"{variable} is {text!r}. Write on or off.")
    return text == "on"


def integer(low: int, high: int) -> SettingReader:
    """Make a reader of whole numbers from ``low`` to ``high``, both included."""

    def read(variable: str, text: str) -> int:
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and low <= int(text) <= high):
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


def words(variable: str, text: str) -> tuple[str, ...]:
    """Read a list, separated by commas; it may be empty.

    Raises:
        SettingError: if it names something twice.
    """
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    if len(set(found)) < len(found):
        raise SettingError(f"{variable} names something twice: {text}")
    return found


def model_names(variable: str, text: str) -> tuple[str, ...]:
    """Read a list of models' names, as folders or addresses spell them.

    Raises:
        SettingError: for an empty list, or one with a name twice.
    """
    names = tuple(name.strip().replace("_", "-") for name in text.split(",") if name.strip())
    if not names:
        raise SettingError(f"{variable} is empty. Name at least one model, like house-price.")
    if len(set(names)) < len(names):
        raise SettingError(f"{variable} names a model twice: {text}")
    return names


def rate(variable: str, text: str) -> str:
    """Read ``off`` or a limit like ``600/minute``.

    Raises:
        SettingError: for any other text.
    """
    count, _, unit = text.partition("/")
    known = unit in ("second", "minute", "hour")
    if text != "off" and not (known and count.isascii() and count.isdigit() and int(count)):
        raise SettingError(f"{variable} is {text!r}. Write off, or a limit like 600/minute.")
    return text


def host_names(variable: str, text: str) -> tuple[str, ...]:
    """Read a list of hosts' names; a dot before one also means every name below it.

    Raises:
        SettingError: for what is not a name alone.
    """
    found = words(variable, text)
    for name in found:
        if not _HOST_NAME.fullmatch(name):
            raise SettingError(
                f"{variable} has {name!r}. Write names alone, without https:// or a port, "
                "like example.org,.example.org."
            )
    return tuple(name.lower() for name in found)


def origins(variable: str, text: str) -> tuple[str, ...]:
    """Read a list of origins as browsers send them: scheme, name, and no default port.

    Raises:
        SettingError: for what is not an origin.
    """
    found = words(variable, text.lower())
    for origin in found:
        if not _ORIGIN.fullmatch(origin) or origin.endswith(
            _DEFAULT_PORT[origin.partition(":")[0]]
        ):
            raise SettingError(
                f"{variable} has {origin!r}. Write scheme and name alone, like "
                "https://example.org, each origin by itself."
            )
    return found


def public_origin(variable: str, text: str) -> str:
    """Read one origin, or nothing.

    Raises:
        SettingError: for what is not one origin.
    """
    found = origins(variable, text)
    if len(found) > 1:
        raise SettingError(f"{variable} has {len(found)} origins. Write one.")
    return found[0] if found else ""


def ancestors(variable: str, text: str) -> tuple[str, ...]:
    """Read a list of origins, or ``*`` for every origin.

    Raises:
        SettingError: for what is not an origin.
    """
    return ("*",) if text.strip() == "*" else origins(variable, text)


@dataclass(frozen=True)
class Settings:
    """What the person who runs the app can choose."""

    models: tuple[str, ...] = setting(
        ("house-price", "chest-xray"),
        "Models to serve, by folder name, separated by commas; the first is at /.",
        model_names,
    )
    trusted_hosts: tuple[str, ...] = setting(
        (),
        "Host names that the app answers to, separated by commas; .example.org stands for all "
        "below it. With none it answers to any, because it makes no address from the name.",
        host_names,
    )
    proxies: int = setting(
        0,
        "How many proxies are in front of the app; it trusts X-Forwarded-For and X-Forwarded-Proto "
        "only from these.",
        integer(0, 10),
        on_dyno=1,
    )
    https: bool = setting(
        False,
        "Whether visitors are redirected to HTTPS and told to stay there (HSTS, two years).",
        boolean,
        on_dyno=True,
    )
    ratelimit: str = setting(
        "6000/minute",
        "How many requests one address may send to each worker per second, minute or hour, or off; "
        "with REDIS_URL, to all workers together. A large upload counts as up to ten.",
        rate,
    )
    log: str = setting(
        "auto",
        "json: one line for each request and each message; text: messages for people, and no lines "
        "for requests; auto: text on a terminal, json elsewhere.",
        one_of("auto", "json", "text"),
    )
    log_inputs: bool = setting(
        False,
        "Whether the line of a request includes what was typed. Pictures are never logged.",
        boolean,
    )
    metrics: bool = setting(
        False,
        "Whether /metrics answers, for Prometheus. Everybody who reaches the app can read it.",
        boolean,
    )
    embed_ancestors: tuple[str, ...] = setting(
        (),
        "Origins, like https://example.org, whose pages may show /embed in a frame, separated by "
        "commas, or * for any; with none there is no /embed.",
        ancestors,
    )
    public_url: str = setting(
        "",
        "The origin at which visitors reach the app, like https://example.org. Only with it a link "
        "to a page has a preview with a picture, because no address is made from the Host header.",
        public_origin,
    )
    api_origins: tuple[str, ...] = setting(
        (),
        "Origins, like https://example.org, whose scripts may use the JSON API in a browser, "
        "separated by commas; none by default.",
        origins,
    )

    mcp: bool = setting(
        False,
        "Whether assistants can ask the models at /mcp (Model Context Protocol): one tool a model, "
        "with the limits of the JSON API.",
        boolean,
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read every ``FORMCAST_`` variable.

        Raises:
            SettingError: for an unknown variable, or a value that does not fit.
        """
        known = {_variable(item): item for item in fields(cls)}
        for variable in environ:
            if variable.startswith(PREFIX) and variable not in known:
                close = difflib.get_close_matches(variable, known, n=1, cutoff=0)
                raise SettingError(f"{variable} is not a setting. Did you mean {close[0]}?")
        return cls(**{item.name: _read(item, environ)[0] for item in known.values()})


@dataclass(frozen=True)
class SettingDescription:
    """One setting for people; ``value`` and ``default`` as one writes them."""

    variable: str
    value: str
    default: str
    origin: str
    help: str


def explain(environ: Mapping[str, str] = os.environ) -> tuple[SettingDescription, ...]:
    """Describe every setting, with its value in this environment and where that comes from.

    Raises:
        SettingError: as ``Settings.from_environment``.
    """
    Settings.from_environment(environ)
    described = []
    for item in fields(Settings):
        value, origin = _read(item, environ)
        default = _write(item.default)
        if "on_dyno" in item.metadata:
            default += f" (on a dyno: {_write(item.metadata['on_dyno'])})"
        described.append(
            SettingDescription(
                _variable(item), _write(value), default, origin, item.metadata["help"]
            )
        )
    return tuple(described)


def _variable(item: "Field[Any]") -> str:
    return PREFIX + item.name.upper()


def _read(item: "Field[Any]", environ: Mapping[str, str]) -> tuple[Any, str]:
    """Read the value of a setting and name its origin."""
    variable = _variable(item)
    if variable in environ:
        return item.metadata["read"](variable, environ[variable]), "environment"
    if "DYNO" in environ and "on_dyno" in item.metadata:
        return item.metadata["on_dyno"], "default on a dyno"
    return item.default, "default"


def _write(value: Any) -> str:
    """Write a value as one writes it into the environment."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(value) if isinstance(value, tuple) else str(value)
