"""What the app uses of libraries beyond their documentation, as it must stay for the app to work.

``pyproject.toml`` bounds gevent and gunicorn for this. A test that fails after an upgrade names the
part of the app that must change with it. Pages, reloads and stops of a whole server are tested
elsewhere.
"""

import inspect
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.pool import Pool
from gevent.socket import socket as green_socket
from gunicorn.app.base import BaseApplication
from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser
from gunicorn.workers import base
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker
from werkzeug.datastructures import Headers

from app.http.responses import PreparedHeaders
from app.server.worker import (
    LOOK_INTERVAL,
    MAX_ACCEPT,
    AcceptingServer,
    Worker,
    count_unread,
)
from tests.tools import ROOT


def read_request(*sent: bytes) -> Any:
    """One request as gunicorn's parser reads it, sent in these pieces."""
    return next(RequestParser(Config(), iter(sent), ("127.0.0.1", 1)))


def test_a_request_says_how_much_of_its_body_is_unread() -> None:
    request = read_request(b"POST / HTTP/1.1\r\nContent-Length: 5000\r\n\r\n", b"a" * 5000)
    assert count_unread(request) == 5000
    request.body.read(1000)
    assert 3000 < count_unread(request) < 5000
    request.body.read()
    assert count_unread(request) == 0


def test_a_chunked_request_is_known_by_its_header_and_can_be_made_the_last() -> None:
    request = read_request(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert ("TRANSFER-ENCODING", "chunked") in request.headers
    assert count_unread(request) == 0
    assert not request.should_close()
    request.force_close()
    assert request.should_close()


@pytest.mark.parametrize("name", ["handle", "handle_request", "handle_error", "run"])
def test_the_worker_overrides_methods_with_the_parameters_that_gunicorn_gives_them(
    name: str,
) -> None:
    theirs, ours = getattr(GeventWorker, name), getattr(Worker, name)
    assert list(inspect.signature(theirs).parameters) == list(inspect.signature(ours).parameters)


def test_gunicorn_makes_its_server_by_the_hook_that_the_worker_fills() -> None:
    assert GeventWorker.server_class is None
    source = inspect.getsource(GeventWorker.run)
    assert "self.server_class(\n" in source
    given = {"application", "spawn", "log", "handler_class", "environ"}
    assert all(f"{name}=" in source for name in given)
    assert given <= inspect.signature(Worker.server_class).parameters.keys()


def test_a_stopping_worker_of_gunicorns_looks_as_often_as_ours_expects() -> None:
    _, _, stopping = inspect.getsource(GeventWorker.run).partition("server.close()")
    assert f"gevent.sleep({LOOK_INTERVAL})" in stopping


def test_the_sign_of_life_that_a_worker_replaces_is_what_the_master_looks_at() -> None:
    assert "worker.tmp.last_update()" in inspect.getsource(Arbiter.murder_workers)
    assert "self.tmp = WorkerTmp(cfg)" in inspect.getsource(base.Worker.__init__)
    assert "self._on_expiration" in inspect.getsource(gevent.Timeout.start)
    assert ".timeout_ctx()" in inspect.getsource(AsyncWorker.handle)


def test_a_server_that_closes_answers_the_connections_that_wait() -> None:
    listener = green_socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(8)
    answered: list[object] = []
    server = AcceptingServer(listener, lambda _, address: answered.append(address), spawn=Pool(4))
    server.start()
    clients = [socket.create_connection(listener.getsockname()) for _ in range(3)]
    server.close()  # gevent's loop had no turn in which to accept them
    gevent.sleep(0)
    assert answered == [client.getsockname() for client in clients]
    for client in clients:
        client.close()


def test_a_server_takes_more_connections_in_a_turn_the_more_it_serves() -> None:
    with green_socket() as listener:
        listener.bind(("127.0.0.1", 0))
        pool = Pool(1000)
        server = AcceptingServer(listener, lambda *_: None, spawn=pool)
        assert server.max_accept == 1
        for _ in range(20):
            pool.spawn(gevent.sleep, 60)
        assert server.max_accept == 6
        for _ in range(100):
            pool.spawn(gevent.sleep, 60)
        assert server.max_accept == MAX_ACCEPT
        pool.kill()


def test_gevent_patches_without_a_look_at_installed_packages() -> None:
    code = """
import app.server.worker, importlib.metadata
importlib.metadata.entry_points = None
from gevent import monkey
monkey.patch_all()
print(monkey.is_module_patched("threading"))
"""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert run.stdout.strip() == "True", run.stderr


def test_the_app_that_gunicorn_serves_can_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Loaded(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
        def load_config(self) -> None:
            pass

        def load(self) -> str:
            return "old"

    loaded = Loaded()
    assert loaded.wsgi() == "old"
    loaded.callable = "new"
    assert loaded.wsgi() == "new"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["gunicorn", "wsgi:app"])
    assert WSGIApplication().app_uri == "wsgi:app"


def test_the_master_has_what_its_hooks_read() -> None:
    assert Arbiter.WORKERS == {}
    assert Arbiter.LISTENERS == []
    assert isinstance(Arbiter.num_workers, property)
    assert "age" in inspect.signature(base.Worker).parameters


def test_headers_that_are_not_checked_are_those_that_are() -> None:
    pairs = [("Vary", "Accept-Encoding"), ("Content-Type", "text/html"), ("Vary", "Origin")]
    assert PreparedHeaders(pairs).to_wsgi_list() == Headers(pairs).to_wsgi_list()
    assert PreparedHeaders(pairs).getlist("vary") == ["Accept-Encoding", "Origin"]
