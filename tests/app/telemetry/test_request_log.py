"""What is recorded of a request: its id, its line in the log, its counts."""

import json
import logging
import os
import re
import sys
import time
from collections import Counter

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from app import create_app
from app.config import Settings
from app.http.request_id import new_request_id
from app.telemetry.json_logging import JsonLines
from app.telemetry.request_log import MAX_LINE, RequestLog, format_line
from app.telemetry.request_records import Outcome, RequestRecord
from tests.conftest import HOUSE
from tests.html import FRAGMENT, check_fragment, check_page
from tests.pictures import REFUSED, XRAY_FRAGMENT, chest, encoded, upload

RECORD = RequestRecord("0123456789abcdef", "POST", "/", "/", "house-price", 200, 1.25, 900, None)
ID = re.compile(r"[0-9a-f]{16}")


def counts(client: FlaskClient) -> dict[str, float]:
    """What /metrics says, by name and labels."""
    lines = client.get("/metrics").text.splitlines()
    return {
        name: float(value)
        for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    }


@pytest.fixture(scope="module")
def counted_app() -> Flask:
    return create_app(Settings(metrics=True, log="text"))


def test_every_answer_has_an_id_of_its_own(client: FlaskClient) -> None:
    ids = [client.get(path).headers["X-Request-ID"] for path in ("/", "/healthz", "/nowhere")]
    assert len(set(ids)) == 3
    assert all(ID.fullmatch(identity) for identity in ids)


def test_an_id_that_anybody_sends_is_not_believed(client: FlaskClient) -> None:
    answer = client.get("/", headers={"X-Request-ID": "chosen-by-a-visitor"})
    assert ID.fullmatch(answer.headers["X-Request-ID"])


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("01234567-89ab-cdef-0123-456789abcdef", True),
        ("short", False),
        ("a" * 129, False),
        ('quoted"12345', False),
        ("nine٣٣٣٣٣", False),
    ],
)
def test_an_id_from_a_proxy_of_ours_is_kept_where_it_is_well_formed(given: str, kept: bool) -> None:
    client = create_app(Settings(models=("house-price",), proxies=1)).test_client()
    answer = client.get("/about", headers={"X-Request-ID": given})
    assert (answer.headers["X-Request-ID"] == given) == kept


def test_only_a_fault_of_ours_shows_a_code_to_quote(client: FlaskClient) -> None:
    assert not check_page(client.get("/nowhere")).select("#error code")
    assert not check_fragment(client.get(FRAGMENT)).select("#error code")


def test_a_line_says_what_was_asked_and_how_it_was_answered() -> None:
    line = json.loads(RequestLog().format(RECORD))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "info", "message": "request", "method": "POST", "path": "/", "status": 200,
        "ms": 1.25, "bytes": 900, "model": "house-price", "id": "0123456789abcdef",
    }  # fmt: skip


def test_a_line_survives_whatever_a_path_or_a_method_has_in_it() -> None:
    path = '/"\\\n\x00\u2028\ud800' + "x" * 9000
    record = RequestRecord("0" * 16, 'GE"T\n' * 99, path, "none", "", 404, 0.1, 0, None)
    text = RequestLog().format(record)
    assert text.count("\n") == 1
    start, end = json.loads(text)["path"].split("…")
    assert len(start) + len(end) > 600
    assert path.startswith(start)
    assert path.endswith(end)


AWKWARD = st.text(st.characters() | st.sampled_from('"\\\n\x00\ud800😀'), max_size=300)


@given(AWKWARD, st.integers(1, 60), AWKWARD, st.integers(1, 60))
def test_a_line_is_cut_only_where_it_is_too_long_and_its_texts_keep_their_ends(
    text: str, times: int, other: str, other_times: int
) -> None:
    text, other = text.replace("…", ""), other.replace("…", "")
    whole = {"path": text * times, "inputs": other * other_times, "status": 200}
    line = format_line(dict(whole))
    assert len(line) < MAX_LINE
    assert (line == json.dumps(whole)) == (len(json.dumps(whole)) < MAX_LINE)
    kept = json.loads(line)
    assert kept["status"] == 200
    for name in ("path", "inputs"):
        start, cut, end = kept[name].partition("…")
        assert str(whole[name]).startswith(start)
        assert not cut or (start and str(whole[name]).endswith(end) and len(start) == len(end))


def longest(number: int) -> RequestRecord:
    """A request of which all that has no length of its own is as long as it gets."""
    awkward = f'/{number}/"\\\n\x00\u2028\ud800' * 900
    outcome = Outcome(1, 0, (awkward,), {awkward.replace("\ud800", ""): awkward[:8]})
    return RequestRecord("0" * 128, awkward, awkward, "/", "m" * 255, 500, 1e7, 10**12, outcome)


def failure(number: int) -> logging.LogRecord:
    """A message with a traceback, each longer than a pipe takes in one piece."""

    def deeper(depth: int) -> None:
        if depth == 0:
            raise ValueError(f"{number} " + 'x"' * 5000)
        deeper(depth - 1)

    try:
        deeper(60)
    except ValueError:
        said = sys.exc_info()
    return logging.LogRecord(
        "gunicorn.error", logging.CRITICAL, "x.py", 1, "/%s failed " * 900, (number,) * 900, said
    )


def test_lines_of_many_processes_come_whole_through_one_pipe() -> None:
    """Read slowly, so that the pipe is full; one process that cannot wait loses whole lines."""
    reading, writing = os.pipe()
    workers, lines = 8, 40
    children = []
    for number in range(workers):
        child = os.fork()
        if child == 0:
            os.dup2(writing, 1)
            os.dup2(writing, 2)
            log, told = RequestLog(inputs=True), longest(number)
            with open(2, "w", buffering=1, closefd=False) as stream:
                messages = logging.StreamHandler(stream)
                messages.setFormatter(JsonLines())
                for _ in range(lines):
                    log(told)
                    messages.emit(failure(number))
            os._exit(0)
        children.append(child)
    os.close(writing)
    read = b""
    while piece := os.read(reading, 5000):
        read += piece
        time.sleep(0.001)
    os.close(reading)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    said = [json.loads(line) for line in read.splitlines()]
    failures = Counter(line["message"][:3] for line in said if "traceback" in line)
    assert failures == {f"/{number} ": lines for number in range(workers)}
    assert len(said) > workers * lines  # some requests, too
    assert max(map(len, read.splitlines())) < 4096


def test_what_was_typed_is_in_the_log_only_where_a_setting_says_so(
    capfd: pytest.CaptureFixture[str],
) -> None:
    data = {**HOUSE, "sqft": "1234.5x"}
    for inputs in (False, True):
        app = create_app(Settings(models=("house-price",), log="json", log_inputs=inputs))
        capfd.readouterr()
        client = app.test_client()
        client.post(FRAGMENT, data=data)
        client.get("/?beds=3&baths=2&sqft=1234.5x")
        lines = capfd.readouterr().out.splitlines()
        assert len(lines) == 2
        assert all(("1234.5x" in line) == inputs for line in lines)
        assert json.loads(lines[0])["refused"] == "sqft"
        assert json.loads(lines[0])["model"] == "house-price"
        assert json.loads(lines[1])["path"] == "/"


def test_a_picture_is_never_in_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    app = create_app(Settings(models=("chest-xray",), log="json", log_inputs=True))
    capfd.readouterr()
    client, picture = app.test_client(), encoded(chest())
    assert client.post(FRAGMENT, data=upload(picture)).status_code == 200
    sent = client.post("/api/predict", data=picture, content_type="image/png")
    assert sent.status_code == 200
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["status"] for line in lines] == [200, 200]
    assert not any("inputs" in line for line in lines)


def message(record_of: str, *args: object, **more: object) -> dict[str, object]:
    record = logging.LogRecord("gunicorn.error", logging.ERROR, "x.py", 1, record_of, args, None)
    record.__dict__.update(more)
    text = JsonLines().format(record)
    assert "\n" not in text
    line: dict[str, object] = json.loads(text)
    return line


def test_a_traceback_is_one_line_with_the_id_of_its_request() -> None:
    try:
        raise ZeroDivisionError("of ours")
    except ZeroDivisionError:
        line = message("%s failed", "/", exc_info=sys.exc_info(), request_id="abc")
    assert line["level"] == "error"
    assert line["message"] == "/ failed"
    assert line["id"] == "abc"
    assert str(line["traceback"]).endswith("ZeroDivisionError: of ours")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Error handling request %s", "Error handling request /?…"),
        ("Worker exiting (pid: 3)", "Worker exiting (pid: 3)"),
    ],
)
def test_gunicorn_quotes_no_inputs(said: str, kept: str) -> None:
    args = ("/?beds=3&sqft=1850",) if "%s" in said else ()
    assert message(said, *args)["message"] == kept


def test_there_are_no_metrics_unless_a_setting_opens_them(client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 404


def test_requests_are_counted_by_route_and_status(counted_app: Flask) -> None:
    client = counted_app.test_client()
    before = counts(client)
    for path in ("/", "/?beds=3&baths=2&sqft=1850", "/nowhere", "/chest-xray/"):
        client.get(path)
    client.get(FRAGMENT)
    after = counts(client)

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert grown('formcast_requests_total{route="/",status="200"}') == 2
    assert grown('formcast_requests_total{route="/chest-xray/",status="200"}') == 1
    assert grown('formcast_requests_total{route="none",status="404"}') == 1
    assert grown('formcast_requests_total{route="none",status="405"}') == 1
    assert grown('formcast_request_seconds_count{route="/"}') == 2
    assert grown('formcast_request_seconds_bucket{le="+Inf",route="/"}') == 2
    assert grown('formcast_predictions_total{model="house-price"}') == 1


def test_the_api_is_counted_by_the_row(counted_app: Flask) -> None:
    client = counted_app.test_client()
    before = counts(client)
    row = {"beds": 3, "baths": 2, "sqft": 1850}
    client.post("/api/predict", json=row)
    client.post("/api/predict", json=[row] * 200)
    client.post("/api/predict", json=[row, {"beds": 8, "baths": 1, "sqft": 700}])
    client.post("/api/predict", json={**row, "beds": 99, "nothing": 1})
    client.post("/chest-xray/api/predict", data=upload(encoded(chest())))
    after = counts(client)
    for name, grown in (
        ('formcast_predictions_total{model="house-price"}', 203),
        ('formcast_predictions_total{model="chest-xray"}', 1),
        ('formcast_out_of_support_total{model="house-price"}', 1),
        ('formcast_refused_inputs_total{field="beds",model="house-price"}', 1),
    ):
        assert after[name] - before.get(name, 0) == grown, name
    assert not [name for name in after if "nothing" in name]


def test_what_the_models_said_and_refused_is_counted(counted_app: Flask) -> None:
    client = counted_app.test_client()
    before = counts(client)
    client.post(FRAGMENT, data=HOUSE)
    client.post(FRAGMENT, data={"beds": "8", "baths": "1", "sqft": "700"})
    client.post(FRAGMENT, data={"beds": "99", "baths": "x"})  # sqft is not wrong, it is not there
    client.post(XRAY_FRAGMENT, data=upload(encoded(chest())))
    client.post(XRAY_FRAGMENT, data=upload(REFUSED["svg"][0]))
    client.post(XRAY_FRAGMENT, data={})
    after = counts(client)
    grown = {
        name: value - before.get(name, 0)
        for name, value in after.items()
        if "predictions" in name or "support" in name or "refused" in name
    }
    assert grown == {
        'formcast_predictions_total{model="house-price"}': 2,
        'formcast_predictions_total{model="chest-xray"}': 1,
        'formcast_out_of_support_total{model="house-price"}': 1,
        'formcast_refused_inputs_total{field="beds",model="house-price"}': 1,
        'formcast_refused_inputs_total{field="baths",model="house-price"}': 1,
        f'formcast_refused_inputs_total{{field="{next(iter(upload(b"")))}",model="chest-xray"}}': 1,
    }


def test_a_forked_worker_gives_other_ids_than_its_master() -> None:
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, " ".join(new_request_id() for _ in range(100)).encode())
        os._exit(0)
    ours = {new_request_id() for _ in range(100)}
    os.waitpid(child, 0)
    theirs = set(os.read(reader, 4096).decode().split())
    os.close(reader)
    os.close(writer)
    assert len(ours) == len(theirs) == 100
    assert not ours & theirs
