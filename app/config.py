"""Settings: each with a name, a default and a help text, read strictly from the environment."""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

PREFIX = "FORMCAST_"


class SettingError(Exception):
    """A setting cannot be used; the message says how to mend it."""


def setting(default: Any, help_text: str) -> Any:
    """A field of ``Settings`` with its default and its help."""
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True)
class Settings:
    """What the person who runs the app can choose."""

    models: tuple[str, ...] = setting(
        ("house-price", "chest-xray"),
        "Models to serve, by folder name, separated by commas; the first stands at /.",
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read every ``FORMCAST_`` variable.

        Raises:
            SettingError: for a variable that is no setting, or a value that does not fit.
        """
        known = {PREFIX + item.name.upper(): item for item in fields(cls)}
        values: dict[str, Any] = {}
        for variable, text in environ.items():
            if not variable.startswith(PREFIX):
                continue
            if variable not in known:
                near = difflib.get_close_matches(variable, known, n=1, cutoff=0)
                raise SettingError(f"{variable} is no setting. Did you mean {near[0]}?")
            values[known[variable].name] = _names(variable, text)
        return cls(**values)


def _names(variable: str, text: str) -> tuple[str, ...]:
    names = tuple(name.strip().replace("_", "-") for name in text.split(",") if name.strip())
    if not names:
        raise SettingError(f"{variable} is empty. Name at least one model, like house-price.")
    if len(set(names)) < len(names):
        raise SettingError(f"{variable} names a model twice: {text}")
    return names
