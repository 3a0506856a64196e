"""Settings: each with a name, a default and a help text, read strictly from the environment.

A new setting is one more field of ``Settings``. Its reader turns the text of the variable into the
value, or raises a ``SettingError`` that says what to write. ``docs/settings.md`` is made from the
fields.
"""

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from app.config.readers import (
    SettingError,
    SettingReader,
    ancestors,
    boolean,
    colour,
    header_name,
    host_names,
    integer,
    line,
    link,
    long_secret,
    model_names,
    one_of,
    opt_in,
    origins,
    password_hash,
    plain_text,
    public_origin,
    rate,
    root_path,
    secure_address,
)

ROOT = Path(__file__).parents[2]
"""The folder of the project, with templates, static files and models."""

PREFIX = "FORMCAST_"

PLATFORM = frozenset({"PORT", "WEB_CONCURRENCY", "REDIS_URL", "DATABASE_URL"})
"""What platforms set, which keeps its own name."""

_SERVICE_LINK = re.compile(
    r"FORMCAST(_[A-Z0-9_]+)?_"
    r"(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT|PORT_[0-9]+_(TCP|UDP|SCTP)(_[A-Z]+)?)"
)
_LINK_VALUE = re.compile(r"(tcp|udp|sctp)(://\S+)?|[0-9]+|[0-9a-f.:]*[.:][0-9a-f.:]*")


def is_service_link(variable: str, text: str) -> bool:
    """Whether Kubernetes set this variable for a Service, such as one that is called formcast.

    It gives every container the addresses of all Services of its namespace, as
    ``FORMCAST_SERVICE_HOST=10.0.0.7`` and ``FORMCAST_PORT=tcp://10.0.0.7:80``.
    """
    is_port = variable == f"{PREFIX}PORT"  # with a number alone somebody means PORT
    return bool(
        _SERVICE_LINK.fullmatch(variable)
        and (text.startswith(("tcp:", "udp:", "sctp:")) if is_port else _LINK_VALUE.fullmatch(text))
    )


def read_platform_number(
    variable: str, default: int, most: int, environ: Mapping[str, str] = os.environ
) -> int:
    """Read a variable that a platform sets under its own name: a whole number from 1 to ``most``.

    Raises:
        SettingError: for anything else.
    """
    text = environ.get(variable, "").strip()
    return integer(1, most)(variable, text) if text else default


def setting(
    default: Any,
    help_text: str,
    read: SettingReader,
    on_dyno: Any = None,
    secret: bool = False,
) -> Any:
    """Make a field of ``Settings``.

    Args:
        default: the value where the environment has none.
        help_text: one or two sentences for people.
        read: the reader for its type.
        on_dyno: the default on a Heroku dyno, where that is another value.
        secret: whether nothing shows its value.
    """
    metadata = {"help": help_text, "read": read, "secret": secret}
    if on_dyno is not None:
        metadata["on_dyno"] = on_dyno
    return field(default=default, metadata=metadata)


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
        "only from these, and keeps a connection for 95 s, not for 5.",
        integer(0, 10),
        on_dyno=1,
    )
    client_header: str = setting(
        "",
        "The header in which the outermost proxy names the client, like CF-Connecting-IP, where "
        "X-Forwarded-For does not. Only for an app that nobody reaches past that proxy.",
        header_name,
    )
    root_path: str = setting(
        "",
        "The path under which visitors reach the app, like /price, whether or not a proxy cuts it "
        "off. With trusted proxies X-Forwarded-Prefix does the same for a single request.",
        root_path,
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
    access: str = setting(
        "public",
        "Who may use the app: public, everybody; password, those who know it; keys, programs and "
        "people with an API key; proxy, those whom a trusted proxy names. Only probes stay open.",
        one_of("public", "password", "keys", "proxy"),
    )
    password_hash: str = setting(
        "",
        "The hash of the password; `flask --app wsgi settings hash` asks for it and writes this.",
        password_hash,
        secret=True,
    )
    keys: str = setting(
        "",
        "API keys as name:hash, separated by commas; `flask --app wsgi settings key NAME` makes "
        "one. The name is in the log and has a rate limit of its own.",
        plain_text,
        secret=True,
    )
    keys_file: str = setting(
        "",
        "A file with further keys, one name:hash a line. It is read again when it changes, so that "
        "a key can be taken away while the server runs.",
        plain_text,
    )
    access_header: str = setting(
        "X-Forwarded-User",
        "With access by proxy: the header in which the trusted proxy names the user. The proxy "
        "must drop it where a visitor sends it.",
        header_name,
    )
    access_certs: str = setting(
        "",
        "With access by a proxy that signs its header, as Cloudflare Access does: the address of "
        "its keys. The header must then be a token (JWT) that is signed with one of them.",
        secure_address,
    )
    access_audience: str = setting(
        "",
        "Whom such a token must be made for; Cloudflare calls it the AUD tag of the application.",
        plain_text,
    )
    link_key: str = setting(
        "",
        "A secret of 32 characters or more, with which `flask --app wsgi link --days 7` signs "
        "links that open the app until then. Another secret ends all links.",
        long_secret,
        secret=True,
    )
    trust_folders: bool = setting(
        False,
        "Whether models and code are loaded from folders that others on the machine may write to. "
        "Only for a machine where every folder is like that and nobody else is.",
        opt_in,
    )
    redis_verify: bool = setting(
        True,
        "Whether a REDIS_URL of rediss: must show a certificate that this machine trusts. Heroku's "
        "Redis signs its own.",
        boolean,
        on_dyno=False,
    )
    stop_seconds: int = setting(
        8,
        "Seconds from SIGTERM until the server has ended. Docker and Cloud Run kill after 10, "
        "Heroku and Kubernetes after 30. Requests that take longer get 503 before that.",
        integer(2, 600),
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

    name: str = setting(
        "Formcast",
        "The name at the top of every page and in its title.",
        line(60),
    )
    logo: str = setting(
        "",
        "The file of a logo that stands before the name: SVG, PNG, WebP or JPEG, at most 64 KB.",
        line(1000),
    )
    accent: str = setting(
        "",
        "The colour of buttons, links and the range, like #7a1f5c. It must be dark enough to be "
        "read on the page; pages in dark colours get a lighter shade of it.",
        colour,
    )
    imprint: str = setting(
        "",
        "The address of the imprint, which every page links to: https://… or a path.",
        link,
    )
    privacy: str = setting(
        "",
        "The address of the privacy notice, which every page links to.",
        link,
    )
    footer: str = setting(
        "",
        "A line of text at the end of every page.",
        line(300),
    )

    batch_rows: int = setting(
        100_000,
        "How many rows a file may have on /batch and in one request to the API; the command "
        "`flask --app wsgi model predict` has no limit.",
        integer(1, 1_000_000),
    )
    batch_megabytes: int = setting(
        20,
        "How many megabytes such a file may have. A worker holds one of this size, and 12 MB of "
        "others.",
        integer(1, 100),
    )
    mcp: bool = setting(
        False,
        "Whether assistants can ask the models at /mcp (Model Context Protocol): one tool a model, "
        "with the limits of the JSON API.",
        boolean,
    )

    feedback: str = setting(
        "auto",
        "on: visitors can say under an answer what was right, and that is kept; off: nothing that "
        "they type is kept; auto: on where DATABASE_URL is set.",
        one_of("auto", "on", "off"),
    )
    data: str = setting(
        "instance/formcast.sqlite3",
        "The file in which feedback is kept where there is no DATABASE_URL; from the folder of the "
        "project, unless it begins with a slash.",
        line(1000),
    )
    secret_key: str = setting(
        "",
        "A secret of 32 characters or more that signs the answers on which visitors report; "
        "without it one is made and kept with the feedback.",
        long_secret,
        secret=True,
    )
    retention_days: int = setting(
        180,
        "Days after which feedback is deleted.",
        integer(1, 3650),
    )

    def wants_feedback(self, database_url: str) -> bool:
        """Whether feedback is to be kept, where ``DATABASE_URL`` has this value."""
        return self.feedback == "on" or (self.feedback == "auto" and bool(database_url))

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read every ``FORMCAST_`` variable; one that is set to nothing holds its default.

        Raises:
            SettingError: for an unknown variable, or a value that does not fit.
        """
        known = {_variable(item): item for item in fields(cls)}
        for variable, text in environ.items():
            if not variable.startswith(PREFIX) or variable in known:
                continue
            if not is_service_link(variable, text):
                (close,) = difflib.get_close_matches(variable, known, n=1, cutoff=0)
                bare = variable.removeprefix(PREFIX)
                meant = bare if bare in PLATFORM else close
                raise SettingError(f"{variable} is not a setting. Did you mean {meant}?")
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
        shown = "(set)" if item.metadata["secret"] and value else _write(value)
        if "on_dyno" in item.metadata:
            default += f" (on a dyno: {_write(item.metadata['on_dyno'])})"
        described.append(
            SettingDescription(_variable(item), shown, default, origin, item.metadata["help"])
        )
    return tuple(described)


def _variable(item: "Field[Any]") -> str:
    return PREFIX + item.name.upper()


def _read(item: "Field[Any]", environ: Mapping[str, str]) -> tuple[Any, str]:
    """Read the value of a setting and name its origin."""
    variable = _variable(item)
    if text := environ.get(variable, "").strip():
        return item.metadata["read"](variable, text), "environment"
    if "DYNO" in environ and "on_dyno" in item.metadata:
        return item.metadata["on_dyno"], "default on a dyno"
    return item.default, "default"


def _write(value: Any) -> str:
    """Write a value as one writes it into the environment."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ",".join(value) if isinstance(value, tuple) else str(value)
