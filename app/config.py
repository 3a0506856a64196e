"""Settings: each with a name, a default and a help text, read strictly from the environment.

A new setting is one more field of ``Settings``. Its reader turns the text of the variable into the
value, or raises a ``SettingError`` with what to write; the table in the README gets its row, which
a test compares.
"""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
"""The folder of the project: templates, static files and models stand in it."""

PREFIX = "FORMCAST_"
_HOST_NAME = re.compile(r"\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.ASCII | re.IGNORECASE)

_ORIGIN = re.compile(
    r"https?://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?"
)
_USUAL_PORT = {"http": ":80", "https": ":443"}

SettingReader = Callable[[str, str], Any]
"""Takes the variable's name and its text; answers the value or raises a ``SettingError``."""


class SettingError(Exception):
    """A setting cannot be used; the message says how to mend it."""


def setting(default: Any, help_text: str, read: SettingReader, on_dyno: Any = None) -> Any:
    """A field of ``Settings``.

    Args:
        default: the value where the environment says nothing.
        help_text: one or two sentences for people; the README has the same.
        read: the reader for its type.
        on_dyno: the default on a Heroku dyno, where it is another one.
    """
    metadata = {"help": help_text, "read": read}
    if on_dyno is not None:
        metadata["on_dyno"] = on_dyno
    return field(default=default, metadata=metadata)


def boolean(variable: str, text: str) -> bool:
    """Read ``on`` or ``off``, and nothing that only looks like it."""
    if text not in ("on", "off"):
        raise SettingError(f"{variable} is {text!r}. Write on or off.")
    return text == "on"


def integer(low: int, high: int) -> SettingReader:
    """A reader of whole numbers from ``low`` to ``high``, both included."""

    def read(variable: str, text: str) -> int:
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and low <= int(text) <= high):
            raise SettingError(f"{variable} is {text!r}. Write a whole number, {low} to {high}.")
        return int(text)

    return read


def one_of(*words: str) -> SettingReader:
    """A reader of one of a few words."""

    def read(variable: str, text: str) -> str:
        if text not in words:
            raise SettingError(f"{variable} is {text!r}. Write one of: {', '.join(words)}.")
        return text

    return read


def words(variable: str, text: str) -> tuple[str, ...]:
    """Read a list, separated by commas; it may be empty."""
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    if len(set(found)) < len(found):
        raise SettingError(f"{variable} names something twice: {text}")
    return found


def model_names(variable: str, text: str) -> tuple[str, ...]:
    """Read a list of models' names, as folders or addresses spell them."""
    names = tuple(name.strip().replace("_", "-") for name in text.split(",") if name.strip())
    if not names:
        raise SettingError(f"{variable} is empty. Name at least one model, like house-price.")
    if len(set(names)) < len(names):
        raise SettingError(f"{variable} names a model twice: {text}")
    return names


def rate(variable: str, text: str) -> str:
    """Read ``off`` or a limit like ``600/minute``."""
    count, _, unit = text.partition("/")
    known = unit in ("second", "minute", "hour")
    if text != "off" and not (known and count.isascii() and count.isdigit() and int(count)):
        raise SettingError(f"{variable} is {text!r}. Write off, or a limit like 600/minute.")
    return text


def host_names(variable: str, text: str) -> tuple[str, ...]:
    """Read a list of hosts' names; a dot before one means every name that ends like it."""
    found = words(variable, text)
    for name in found:
        if not _HOST_NAME.fullmatch(name):
            raise SettingError(
                f"{variable} has {name!r}. Write names alone, without https:// or a port, "
                "like example.org,.example.org."
            )
    return tuple(name.lower() for name in found)


def origins(variable: str, text: str) -> tuple[str, ...]:
    """Read a list of origins as browsers send them: scheme, name, and a port that is not usual."""
    found = words(variable, text.lower())
    for origin in found:
        if not _ORIGIN.fullmatch(origin) or origin.endswith(_USUAL_PORT[origin.partition(":")[0]]):
            raise SettingError(
                f"{variable} has {origin!r}. Write scheme and name alone, like "
                "https://example.org, each origin by itself."
            )
    return found


def ancestors(variable: str, text: str) -> tuple[str, ...]:
    """Read a list of origins, or ``*`` for every one."""
    return ("*",) if text.strip() == "*" else origins(variable, text)


@dataclass(frozen=True)
class Settings:
    """What the person who runs the app can choose."""

    models: tuple[str, ...] = setting(
        ("house-price", "chest-xray"),
        "Models to serve, by folder name, separated by commas; the first stands at /.",
        model_names,
    )
    trusted_hosts: tuple[str, ...] = setting(
        (),
        "Names under which the app answers, separated by commas, .example.org for all below it; "
        "none means any, for the app makes no address from the name.",
        host_names,
    )
    proxies: int = setting(
        0,
        "How many proxies stand before the app: X-Forwarded-For and X-Forwarded-Proto are believed "
        "only from these.",
        integer(0, 10),
        on_dyno=1,
    )
    https: bool = setting(
        False,
        "Whether visitors are led to HTTPS and told to stay there (HSTS, two years).",
        boolean,
        on_dyno=True,
    )
    ratelimit: str = setting(
        "6000/minute",
        "How much one address may ask of each worker, per second, minute or hour, or off; with "
        "REDIS_URL of all workers together. A large upload counts as up to ten.",
        rate,
    )
    log: str = setting(
        "auto",
        "json: a line for each request and for each message; text: messages for people, and no "
        "line for a request; auto: text on a terminal, else json.",
        one_of("auto", "json", "text"),
    )
    log_inputs: bool = setting(
        False,
        "Whether a request's line tells what was typed. Pictures are never logged.",
        boolean,
    )
    metrics: bool = setting(
        False,
        "Whether /metrics answers, for Prometheus. Whoever reaches the app reaches it, too.",
        boolean,
    )
    embed_ancestors: tuple[str, ...] = setting(
        (),
        "Origins, like https://example.org, whose pages may show /embed in a frame, separated by "
        "commas, or * for any; with none there is no /embed.",
        ancestors,
    )
    api_origins: tuple[str, ...] = setting(
        (),
        "Origins, like https://example.org, whose scripts may use the JSON API in a browser, "
        "separated by commas; none by default.",
        origins,
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read every ``FORMCAST_`` variable.

        Raises:
            SettingError: for a variable that is no setting, or a value that does not fit.
        """
        known = {_variable(item): item for item in fields(cls)}
        for variable in environ:
            if variable.startswith(PREFIX) and variable not in known:
                near = difflib.get_close_matches(variable, known, n=1, cutoff=0)
                raise SettingError(f"{variable} is no setting. Did you mean {near[0]}?")
        return cls(**{item.name: _value(item, environ)[0] for item in known.values()})


@dataclass(frozen=True)
class Explained:
    """One setting for people; ``value`` and ``default`` as one would write them."""

    variable: str
    value: str
    default: str
    origin: str
    help: str


def explain(environ: Mapping[str, str] = os.environ) -> tuple[Explained, ...]:
    """Every setting with its value in this environment and where that comes from.

    Raises:
        SettingError: as ``Settings.from_environment``.
    """
    Settings.from_environment(environ)
    explained = []
    for item in fields(Settings):
        value, origin = _value(item, environ)
        default = _written(item.default)
        if "on_dyno" in item.metadata:
            default += f" (on a dyno: {_written(item.metadata['on_dyno'])})"
        explained.append(
            Explained(_variable(item), _written(value), default, origin, item.metadata["help"])
        )
    return tuple(explained)


def _variable(item: "Field[Any]") -> str:
    return PREFIX + item.name.upper()


def _value(item: "Field[Any]", environ: Mapping[str, str]) -> tuple[Any, str]:
    """The value and its origin."""
    variable = _variable(item)
    if variable in environ:
        return item.metadata["read"](variable, environ[variable]), "environment"
    if "DYNO" in environ and "on_dyno" in item.metadata:
        return item.metadata["on_dyno"], "default on a dyno"
    return item.default, "default"


def _written(value: Any) -> str:
    """A value as one would write it into the environment."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(value) if isinstance(value, tuple) else str(value)
