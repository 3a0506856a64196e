"""Fixtures that all tests share: the bundled models, the app, a real server."""

import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from jinja2 import Environment, FileSystemBytecodeCache

from app import create_app
from app.config import Settings
from app.http.assets import read_assets
from app.limits.upload_budget import get_upload_budget
from model import NumberModel
from model.serving import loading
from model.serving.served_model import ServedModel
from tests.loading import load_as
from tests.processes import start_process, stop_process
from tests.tools import ROOT, list_children
from tests.waiting import wait_until

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("untimed", deadline=None)
settings.register_profile("gate", deadline=None, max_examples=25)

# A shell lets what it starts in the background ignore Ctrl+C; the tests are about what obeys it.
signal.signal(signal.SIGINT, signal.default_int_handler)

HOUSE = {"beds": "3", "baths": "2.5", "sqft": "1850"}


def pytest_configure(config: pytest.Config) -> None:
    """The gate tries a quarter of the examples that the second tier does."""
    gate = config.getoption("markexpr") == "not second_tier"
    settings.load_profile("gate" if gate else "untimed")
    # Of tasks that Playwright leaves it speaks whenever they are collected, within any later test.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow files first: one that began last would keep one process busy and the other idle."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True)
def own_upload_budget() -> None:
    """A response that another test did not close may hold some of that of its process."""
    get_upload_budget.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def bundled_models_once() -> Iterator[None]:
    """The bundled models are loaded once a process: that takes longer than most tests of an app."""
    load, load_once = loading.load_model, cache(loading.load_model)

    def load_model(folder: Path) -> ServedModel[Any, Any]:
        return (load_once if folder.parent == ROOT / "model" else load)(folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "load_model", load_model)
        yield


@pytest.fixture(scope="session", autouse=True)
def templates_and_assets_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All apps of a process share compiled templates and assets: most of what an app takes."""
    folder = tmp_path_factory.mktemp("templates")
    make_environment = Flask.create_jinja_environment

    def make_environment_with_cache(app: Flask) -> Environment:
        environment = make_environment(app)
        environment.bytecode_cache = FileSystemBytecodeCache(str(folder))
        return environment

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "create_jinja_environment", make_environment_with_cache)
        patch.setattr("app.read_assets", cache(read_assets))
        yield


@pytest.fixture(scope="session")
def house() -> NumberModel:
    """The bundled house price model."""
    return load_as(NumberModel, ROOT / "model" / "house_price")


@pytest.fixture(scope="session")
def app() -> Flask:
    """The app with its defaults."""
    return create_app(Settings())


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the app."""
    return app.test_client()


@dataclass
class Server:
    """gunicorn, started as the Procfile starts it; ``log`` takes what it writes."""

    port: int
    process: subprocess.Popen[bytes] | None = None
    options: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    root: Path = ROOT
    settings: dict[str, str] = field(default_factory=dict)
    log: Path = Path(os.devnull)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """What starts it; ``before`` is a command that runs another."""
        command = (self.root / "Procfile").read_text().removeprefix("web: ").split()
        assert command[0] == "python"
        return [*self.before, sys.executable, *command[1:], *self.options]

    def environment(self) -> dict[str, str]:
        """Our own variables, but with its settings alone, and with its own number of threads."""
        keep = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("FORMCAST_") and name != "OMP_NUM_THREADS"
        }
        return {**keep, "PORT": str(self.port), "WEB_CONCURRENCY": "2", **self.settings}

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self.process = start_process(
            self.command(), self.root, self.environment(), self.log, self.log
        )
        wait_until(self._answers)

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise RuntimeError("The server ended before it answered.")
        with suppress(OSError), urllib.request.urlopen(self.url + "/about", timeout=5):
            return True
        return False

    @property
    def workers(self) -> list[int]:
        """Process ids of the workers, oldest first."""
        assert self.process is not None
        return list_children(self.process.pid)

    def stop(self) -> None:
        if self.process is not None:
            stop_process(self.process, signal.SIGINT, 5)
            self.process = None


def free_port() -> int:
    """A port that nobody listens on.

    It is below those that the system gives to clients (32768 and up), and drawn at random: so
    neither a connection nor another test process takes it before the server does.
    """
    while True:
        port = 16_000 + secrets.randbelow(16_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A running server for the whole session."""
    with Server(free_port()) as running:
        yield running
