"""Uploads share a bounded part of the memory, large ones take turns, and nobody waits long."""

import os
import threading
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from werkzeug.exceptions import RequestTimeout, ServiceUnavailable

from app.limits import upload_budget as budgets
from app.limits.upload_budget import UploadBudget
from tests.html import check_fragment, text_of
from tests.pictures import XRAY_FRAGMENT, body, chest, encoded, upload

# Newer Pythons warn of forks beside threads; the children here only try a lock and end.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

JPEG = encoded(chest(), "JPEG", quality=95)


def test_a_body_takes_memory_as_it_is_read_and_frees_it_at_the_end() -> None:
    budget = UploadBudget(100)
    with budget.slot() as slot:
        reading = slot.reading(BytesIO(b"a" * 90))
        assert reading.read(40) == b"a" * 40
        assert budget.held == 40
        assert len(reading.read(40)) == 40
        assert len(reading.read(40)) == 10
        assert budget.held == 90
    assert budget.held == 0


def test_the_oldest_upload_may_always_go_on_and_the_next_gets_503(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budgets, "MAX_WAIT", 0.05)
    budget = UploadBudget(100)
    with budget.slot() as first, budget.slot() as second:
        second.take(90)
        first.take(90)
        with pytest.raises(ServiceUnavailable) as raised:
            second.take(20)
        assert raised.value.retry_after == budgets.RETRY_AFTER
    assert budget.held == 0


def test_an_upload_that_waits_goes_on_when_another_has_finished() -> None:
    budget = UploadBudget(100)
    holding, done = threading.Event(), threading.Event()

    def first() -> None:
        with budget.slot() as slot:
            slot.take(100)
            holding.set()
            done.wait(60)

    thread = threading.Thread(target=first)
    thread.start()
    holding.wait(60)
    with budget.slot() as slot:
        threading.Timer(0.05, done.set).start()
        slot.take(50)
        assert budget.held == 50
    thread.join()


def test_a_body_that_comes_too_slowly_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "GRACE", -1.0)
    monkeypatch.setattr(budgets, "MIN_RATE", 10**12)
    with UploadBudget().slot() as slot, pytest.raises(RequestTimeout):
        slot.reading(BytesIO(b"a")).read(10)


def test_one_large_picture_at_a_time_in_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "MAX_WAIT", 0.2)
    budget = UploadBudget()
    with budget.slot() as here, budgets.decoding_turn(here):
        child = os.fork()
        if child == 0:
            # Nothing of pytest's must run here: say by the exit whether the turn was had.
            budgets._local_turn.cache_clear()
            try:
                with UploadBudget().slot() as there, budgets.decoding_turn(there):
                    os._exit(1)
            except ServiceUnavailable:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        with (
            pytest.raises(ServiceUnavailable),
            budget.slot() as other,
            budgets.decoding_turn(other),
        ):
            pass
    with budget.slot() as here, budgets.decoding_turn(here):
        pass


def test_a_turn_ends_with_its_process() -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with UploadBudget().slot() as there, budgets.decoding_turn(there):
            os.write(write, b"x")
            os.kill(os.getpid(), 9)
    os.read(read, 1)
    os.waitpid(child, 0)
    with UploadBudget().slot() as here, budgets.decoding_turn(here):
        pass
    os.close(read)
    os.close(write)


def test_without_free_memory_an_upload_gets_503_with_a_time_to_retry(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "MAX_WAIT", 0.05)
    with budgets.get_upload_budget().slot() as first:
        first.take(budgets.MAX_HELD)
        response = client.post(XRAY_FRAGMENT, data=upload(JPEG))
    assert response.status_code == 503
    assert response.headers["Retry-After"] == str(budgets.RETRY_AFTER)
    assert "Too many people" in text_of(check_fragment(response), "#error")
    assert client.post(XRAY_FRAGMENT, data=upload(JPEG)).status_code == 200


def test_a_large_picture_is_answered_in_its_turn(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "MAX_WAIT", 0.05)
    large = encoded(chest().resize((4000, 3000)))
    small = upload(JPEG)
    with UploadBudget().slot() as other, budgets.decoding_turn(other):
        assert client.post(XRAY_FRAGMENT, **body(large)).status_code == 503
        assert client.post(XRAY_FRAGMENT, data=small).status_code == 200
    assert client.post(XRAY_FRAGMENT, **body(large)).status_code == 200
