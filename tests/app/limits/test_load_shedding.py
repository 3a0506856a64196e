"""A worker that is behind refuses requests quickly, in words, but neither files nor probes."""

import subprocess
import sys

import pytest
from flask import Flask

from app import create_app
from app.config import Settings
from tests.conftest import HOUSE
from tests.html import FRAGMENT, check_fragment, check_page, text_of
from tests.tools import ROOT


@pytest.fixture(scope="module")
def behind() -> Flask:
    app = create_app(Settings(models=("house-price",)))
    app.extensions["load_monitor"].behind = True
    return app


@pytest.mark.parametrize("path", ["/", FRAGMENT])
def test_a_worker_that_is_behind_answers_503_with_a_time_to_retry(behind: Flask, path: str) -> None:
    response = behind.test_client().post(path, data=HOUSE)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) == 2
    assert response.headers["Cache-Control"] == "no-store"
    soup = check_fragment(response) if path == FRAGMENT else check_page(response)
    assert "What you typed is not lost" in text_of(soup, "#error[data-status='503']")


def test_files_and_probes_are_still_answered(behind: Flask) -> None:
    client = behind.test_client()
    for path in ("/static/x", "/healthz", "/readyz"):
        assert client.get(path).status_code != 503


def test_a_worker_is_behind_after_two_long_turns_of_its_own_and_not_for_longer() -> None:
    code = """
import time, gevent
from app.limits.load_shedding import INTERVAL, MAX_LAG, LoadMonitor
def work():
    started = time.thread_time()
    while time.thread_time() - started < MAX_LAG + INTERVAL:
        pass
monitor = LoadMonitor()
gevent.spawn(monitor.watch, gevent.sleep)
gevent.sleep(INTERVAL / 2)
said = [monitor.behind]
time.sleep(3 * MAX_LAG)  # the machine is busy with others
gevent.sleep(0.001)
said.append(monitor.behind)
for _ in range(2):
    work()
    gevent.sleep(0.001)
    said.append(monitor.behind)
gevent.sleep(4 * INTERVAL)
said.append(monitor.behind)
print(said)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[False, False, False, True, False]"
