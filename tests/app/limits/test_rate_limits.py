"""One client's limit: counted in memory or in Redis, said in words, nothing typed is lost."""

import ipaddress
import subprocess
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import redis
from bs4 import BeautifulSoup
from flask.testing import FlaskClient

from app import create_app
from app.config import SettingError, Settings
from app.limits.rate_limits import (
    MAX_CLIENTS,
    Counter,
    MemoryCounter,
    identify_client,
    make_counter,
)
from tests.conftest import HOUSE, free_port
from tests.html import FRAGMENT, check_fragment, check_page, text_of
from tests.pictures import XRAY, XRAY_FRAGMENT, body, chest, encoded
from tests.tools import find_redis, installed
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def same_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test crosses from one window of time into the next."""
    now = time.time()
    monkeypatch.setattr("app.limits.rate_limits.time.time", lambda: now)


def client_with(limit: str, **chosen: Any) -> FlaskClient:
    return create_app(replace(Settings(), ratelimit=limit, **chosen)).test_client()


def test_what_is_beyond_the_limit_is_refused_with_the_time_to_wait() -> None:
    client = client_with("3/minute")
    for _ in range(3):
        assert client.post(FRAGMENT, data=HOUSE).status_code == 200
    response = client.post(FRAGMENT, data=HOUSE)
    assert response.status_code == 429
    seconds = int(response.headers["Retry-After"])
    assert 1 <= seconds <= 60
    words = text_of(check_fragment(response), "#error")
    assert "Too many requests from your address" in words
    assert f"Wait {seconds} second" in words
    assert not BeautifulSoup(response.data, "html.parser").select("data")


def test_a_refused_page_keeps_what_was_typed_and_sends_it_again() -> None:
    client = client_with("1/hour")
    typed = {**HOUSE, "sqft": '1850" onfocus="x'}
    client.post("/", data=typed)
    soup = check_page(client.post("/", data=typed))
    (form,) = soup.select("main form[method=post]")
    assert {str(item["name"]): str(item["value"]) for item in form.select("input")} == typed
    assert form.select("button")
    refused = client.get("/?beds=3&what_if=sqft")
    assert refused.status_code == 429
    (form,) = check_page(refused).select("main form[method=get]")
    assert {str(item["name"]): str(item["value"]) for item in form.select("input")} == {
        "beds": "3",
        "what_if": "sqft",
    }


def test_pages_without_an_answer_are_not_counted() -> None:
    client = client_with("1/hour")
    for path in ("/", "/about", XRAY, "/nowhere"):
        for _ in range(3):
            assert client.get(path).status_code != 429


def test_an_upload_counts_as_more_and_is_refused_in_words() -> None:
    client = client_with("10/hour")
    photo = encoded(chest().resize((1000, 1000)).convert("RGB"), "PNG", compress_level=0)
    assert client.post(XRAY_FRAGMENT, **body(photo)).status_code == 200
    for path in (XRAY, XRAY_FRAGMENT):
        response = client.post(path, **body(photo))
        assert response.status_code == 429
        soup = check_page(response) if path == XRAY else check_fragment(response)
        assert "Wait" in text_of(soup, "#error")
        assert not soup.select("main form")


def test_each_client_has_a_limit_of_its_own() -> None:
    client = client_with("1/hour", proxies=1)
    for address in ("1.2.3.4", "1.2.3.5", "2001:db8::1", "2001:db8:0:1::1"):
        answers = [
            client.post(FRAGMENT, data=HOUSE, headers={"X-Forwarded-For": f"9.9.9.9, {address}"})
            for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [200, 429]


def test_a_client_is_an_address_or_the_network_of_one_line() -> None:
    assert identify_client("1.2.3.4") == identify_client("::ffff:1.2.3.4") == "1.2.3.4"
    assert (
        identify_client("2001:db8:1:2:3:4:5:6")
        == identify_client("2001:db8:1:2::1")
        == "2001:db8:1:2::"
    )
    assert identify_client("fe80::1%eth0") == "fe80::"
    assert len(identify_client("no address: " + "x" * 999)) == 64
    assert identify_client("") == ""


def test_a_client_is_the_same_at_any_port() -> None:
    """Azure's proxies write the port after the address."""
    assert identify_client("1.2.3.4:5678") == identify_client("1.2.3.4:1") == "1.2.3.4"
    assert identify_client("[2001:db8:1:2::9]:443") == "2001:db8:1:2::"
    assert identify_client("[2001:db8:1:2::9]") == "2001:db8:1:2::"
    assert identify_client("[::ffff:1.2.3.4]:1") == "1.2.3.4"


def test_the_client_is_who_the_header_of_a_setting_names() -> None:
    client = client_with("1/hour", proxies=1, client_header="CF-Connecting-IP")
    for address in ("1.2.3.4", "1.2.3.5"):
        headers = {"X-Forwarded-For": "9.9.9.9", "CF-Connecting-IP": address}
        answers = [client.post(FRAGMENT, data=HOUSE, headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 429]


def test_a_proxy_that_no_setting_counts_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    client = client_with("600/minute")
    for _ in range(3):
        client.post(FRAGMENT, data=HOUSE, headers={"X-Forwarded-For": "9.9.9.9"})
    assert [record.message for record in caplog.records if "FORMCAST_PROXIES=1" in record.message]
    assert caplog.text.count("FORMCAST_PROXIES=1") == 1
    caplog.clear()
    client_with("600/minute", proxies=1).post(
        FRAGMENT, data=HOUSE, headers={"X-Forwarded-For": "9.9.9.9"}
    )
    assert "FORMCAST_PROXIES" not in caplog.text


def addresses(first: int, count: int) -> list[str]:
    return [str(ipaddress.IPv4Address(first + number)) for number in range(count)]


def test_any_number_of_addresses_takes_no_more_memory_than_is_said() -> None:
    counter = MemoryCounter(2, 3600)
    tracemalloc.start()
    try:
        for number in range(MAX_CLIENTS * 3 // 2):
            counter.count(identify_client(f"{number:064}"), 1000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 13_000_000


def test_an_address_that_is_limited_stays_so_whatever_others_ask() -> None:
    """Even where each of them uses up a limit of its own."""
    limited = addresses(0, MAX_CLIENTS // 2)
    for cost in (1, 3):
        counter = MemoryCounter(3, 3600)
        for address in limited:
            assert counter.count(address, 3) == 0
        for address in addresses(MAX_CLIENTS, 3 * MAX_CLIENTS):
            assert counter.count(address, cost) == 0
        assert all(counter.count(address, 1) for address in limited)


def test_off_is_off_and_the_default_lets_an_office_type() -> None:
    client = client_with("off")
    assert {client.post("/?x").status_code for _ in range(50)} == {422}
    counter = make_counter(Settings().ratelimit, "")
    for _ in range(4 * 60 * 20):  # twenty who type as fast as anybody can, for a minute
        assert counter.count("1.2.3.4", 1) == 0


@pytest.mark.parametrize(
    "text", ["10", "10/day", "0/minute", "x/minute", "-1/minute", "OFF", "9" * 5000]
)
def test_a_malformed_limit_stops_the_start(text: str) -> None:
    with pytest.raises(SettingError, match="Write off, or a limit like 600/minute"):
        Settings.from_environment({"FORMCAST_RATELIMIT": text})


@dataclass
class Redis:
    """A Redis server of our own."""

    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    tls: Path | None = None

    @property
    def url(self) -> str:
        if self.tls:
            return f"rediss://127.0.0.1:{self.port}/0?ssl_cert_reqs=none&ssl_check_hostname=False"
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = installed(find_redis(), "redis-server")
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        if self.tls:
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                 "-subj", "/CN=127.0.0.1", "-keyout", self.tls / "key", "-out", self.tls / "cert"],
                check=True, capture_output=True,
            )  # fmt: skip
            command[1:3] = ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no"]
            command += ["--tls-cert-file", str(self.tls / "cert")]
            command += ["--tls-key-file", str(self.tls / "key")]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(self._answers)

    def _answers(self) -> bool:
        with suppress(redis.RedisError), redis.Redis.from_url(self.url) as client:
            return bool(client.ping())
        return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


@pytest.fixture
def redis_server() -> Iterator[Redis]:
    server = Redis()
    server.start()
    yield server
    server.stop()


def counters(url: str) -> tuple[Counter, Counter]:
    return make_counter("3/hour", url), make_counter("3/hour", url)


def test_in_redis_all_processes_count_together(redis_server: Redis) -> None:
    one, other = counters(redis_server.url)
    assert [one.count("a", 1), other.count("a", 1), one.count("a", 1)] == [0, 0, 0]
    assert one.count("a", 1) > 0
    assert other.count("a", 1) > 0
    assert other.count("b", 1) == 0


def test_without_redis_each_counts_for_itself_and_nothing_fails(
    redis_server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    client = client_with("3/hour")
    assert client.post(FRAGMENT, data=HOUSE).status_code == 200
    redis_server.stop()
    answers = [client.post(FRAGMENT, data=HOUSE).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]


def test_redis_is_used_again_once_it_is_back(
    redis_server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = counters(redis_server.url)
    redis_server.stop()
    assert one.count("a", 3) == 0
    redis_server.start()
    assert one.count("a", 1) > 0  # it is left alone for a while
    now = time.monotonic()
    monkeypatch.setattr("app.limits.rate_limits.time.monotonic", lambda: now + 11)
    assert one.count("a", 3) == 0
    assert other.count("a", 1) > 0


@pytest.mark.parametrize(
    "fault", [{"maxmemory": "1", "maxmemory-policy": "noeviction"}, {"replicaof": "127.0.0.1 1"}]
)
def test_a_redis_that_is_full_or_read_only_stops_no_answer_and_is_said_once(
    redis_server: Redis, fault: dict[str, str], caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    counter, _ = counters(redis_server.url)
    with redis.Redis.from_url(redis_server.url) as connection:
        for name, value in fault.items():
            if name == "replicaof":
                connection.execute_command("REPLICAOF", *value.split())
            else:
                connection.config_set(name, value)
    clock = [time.monotonic()]
    monkeypatch.setattr("app.limits.rate_limits.time.monotonic", lambda: clock[0])
    for _ in range(3):
        assert counter.count("a", 1) == 0
        clock[0] += 11
    assert counter.count("a", 1) > 0
    assert caplog.text.count("Redis does not count") == 1
    with redis.Redis.from_url(redis_server.url) as connection:
        connection.execute_command("REPLICAOF", "NO", "ONE")
        connection.config_set("maxmemory", "0")
    clock[0] += 11
    assert counter.count("a", 1) == 0
    assert caplog.text.count("Redis counts again") == 1


def test_a_certificate_that_nobody_trusts_is_refused_unless_a_setting_takes_it(
    tmp_path: Path,
) -> None:
    server = Redis(tls=tmp_path)
    server.start()
    try:
        url = f"rediss://127.0.0.1:{server.port}"
        trusting, other = (make_counter("1/hour", url, verify=False) for _ in range(2))
        assert trusting.count("a", 1) == 0
        assert other.count("a", 1) > 0
        assert make_counter("1/hour", url).count("a", 1) == 0  # it counts alone
    finally:
        server.stop()


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "redis://localhost:abc"])
def test_an_address_that_is_not_one_of_redis_stops_the_start(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(SettingError, match="Write one like redis://"):
        client_with("600/minute")
