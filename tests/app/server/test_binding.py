"""Where the server listens, and what it says of that."""

import socket

import pytest

from app.config import SettingError
from app.server.binding import choose_addresses, describe_listeners, read_workers
from tests.conftest import free_port


def test_without_a_port_only_this_machine_reaches_the_app() -> None:
    assert choose_addresses({}) == choose_addresses({"PORT": ""}) == ["127.0.0.1:8000"]


def test_with_a_port_both_versions_of_ip_are_answered_and_without_ipv6_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = choose_addresses({"PORT": str(free_port())})
    assert chosen[-1].startswith("[::]:" if socket.has_dualstack_ipv6() else "0.0.0.0:")

    def refuse(*_: object) -> None:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(socket, "socket", refuse)
    assert choose_addresses({"PORT": "80"}) == ["0.0.0.0:80"]


def test_one_worker_is_one_worker() -> None:
    assert [read_workers({"WEB_CONCURRENCY": text}) for text in ("1", "", "5")] == [1, 2, 5]
    for text in ("0", "65", "2.0", "-1", "auto"):
        with pytest.raises(SettingError, match="Write a whole number, 1 to 64"):
            read_workers({"WEB_CONCURRENCY": text})


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([("0.0.0.0", 80)], "http://localhost:80"),
        ([("0.0.0.0", 80), ("::", 80, 0, 0)], "http://localhost:80"),
        ([("10.0.0.7", 80)], "http://10.0.0.7:80"),
        ([("fd00::7", 80, 0, 0)], "http://[fd00::7]:80"),
        (["/run/formcast.sock"], "unix:/run/formcast.sock"),
        ([b"\0formcast", ("::", 81, 0, 0)], "unix:@formcast and http://localhost:81"),
    ],
)
def test_the_ready_line_names_what_can_be_opened(names: list[object], says: str) -> None:
    assert describe_listeners(names, environ={}) == says
    assert describe_listeners([("127.0.0.1", 80)], "/price/", {}).startswith(
        "http://localhost:80/price/ (for this machine alone; set PORT"
    )
