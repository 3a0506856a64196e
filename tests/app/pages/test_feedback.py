"""Reports on answers: what is asked, kept, refused, read and deleted."""

import datetime as dt
import logging
import re
import sqlite3
import subprocess
import sys
import time
from base64 import b64encode
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from multiprocessing.pool import ThreadPool
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from PIL import Image

from app import create_app
from app.config import Settings
from app.feedback.databases import SqliteDatabase
from app.feedback.outcomes import KeptAnswer, ReportedOutcome
from app.feedback.receipts import ReceiptSigner
from app.feedback.service import make_service
from app.feedback.store import Store, StoreError
from app.kinds import pictures
from app.limits.access import hash_password, sign_link
from model import NumberModel
from tests.conftest import HOUSE
from tests.html import check_fragment, check_page, get_page, post_fragment, post_page, text_of
from tests.pictures import XRAY_FRAGMENT, chest, encoded
from tests.tools import ROOT

KEY = "a key of tests that has 32 characters"
DAY = dt.date.today()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file in which the reports are kept."""
    return tmp_path_factory.mktemp("feedback") / "kept.sqlite3"


@pytest.fixture(scope="module")
def settings(file: Path) -> Settings:
    return Settings(
        feedback="on", data=str(file), secret_key=KEY, ratelimit="off", log="text", metrics=True,
        embed_ancestors=("*",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def client(settings: Settings) -> FlaskClient:
    return create_app(settings).test_client()


def count(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT count(*) FROM outcome").fetchone()[0])


def receipt_of(soup: BeautifulSoup) -> str:
    (field,) = soup.select('input[name="receipt"]')
    return str(field["value"])


def ask(client: FlaskClient, path: str = "/predict-fragment") -> str:
    """The receipt of an answer."""
    return receipt_of(post_fragment(client, HOUSE, path=path))


def send(client: FlaskClient, status: int, path: str = "/feedback-fragment", **data: str) -> str:
    """Send a report; what is told of it."""
    named = {name.replace("truth", "known-truth"): text for name, text in data.items()}
    response = client.post(path, data=named)
    assert response.status_code == status, response.text
    return " ".join(check_fragment(response).get_text().split())


def number_in(told: str) -> str:
    (found,) = re.findall(r"\b(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}\b", told)
    return str(found)


def test_below_an_answer_stands_what_would_be_kept_and_nothing_is_kept_before(
    client: FlaskClient, file: Path
) -> None:
    page = get_page(client, "/?beds=3&baths=2.5&sqft=1850")
    form = page.select_one("form#report")
    assert form is not None
    assert text_of(form, "h2") == "Do you know the actual price?"
    assert text_of(form, ".unit") == "USD"
    assert "the facts as you typed them, the estimate, what you say here, and the day" in str(form)
    assert "Your address is not, and there is no cookie" in str(form)
    assert "stored unless you send it" in text_of(page, "footer")
    assert page.select_one("#result input[name=receipt][form=report]") is not None
    assert not get_page(client, "/").select("input[name=receipt]")
    assert count(file) == 0


def test_a_report_is_kept_read_and_deleted_by_its_number(client: FlaskClient, file: Path) -> None:
    told = send(client, 200, receipt=ask(client), truth="$230,000", said="Sold <b>\r\nin May\0")
    number = number_in(told)
    assert told.startswith("Thank you, this is kept: $230,000.")
    page = get_page(client, f"/feedback/{number.lower()}")
    kept = [" ".join(row.get_text(" ").split()) for row in page.select("dl > div")]
    assert kept[2:5] == ["Bedrooms 3", "Bathrooms 2.5", "Square feet 1850"]
    assert kept[-2:] == ["What you say is right $230,000", "Your comment Sold <b> in May"]
    assert len(kept) == 9
    assert page.select_one("meta[name=robots][content=noindex]") is not None
    assert (
        client.get(f"/feedback?number={number}")
        .headers["Location"]
        .endswith(number.replace("-", ""))
    )
    deleted = check_page(client.post(f"/feedback/{number}"))
    assert text_of(deleted, "h1") == "Your report is deleted"
    get_page(client, f"/feedback/{number}", 404)
    assert client.post(f"/feedback/{number}").status_code == 404
    assert count(file) == 0


def test_what_looks_wrong_needs_no_truth(client: FlaskClient) -> None:
    number = number_in(send(client, 200, receipt=ask(client), wrong="1"))
    page = get_page(client, f"/feedback/{number}")
    assert "not said" in page.get_text()
    assert "Your comment" not in page.get_text()


def test_each_kind_of_model_asks_in_its_own_words(client: FlaskClient) -> None:
    page = get_page(client, "/chest-xray/?sample=1")
    form = page.select_one("form#report")
    assert form is not None
    assert [option["value"] for option in form.select("option")] == ["", "NORMAL", "PNEUMONIA"]
    assert "The picture is kept only where you tick the box" in form.get_text()
    assert "read in memory, and kept only if you ask for it." in page.get_text()
    sent = {"receipt": receipt_of(page), "truth": "PNEUMONIA"}
    told = send(client, 200, "/chest-xray/feedback-fragment", **sent)
    assert "this is kept: Pneumonia" in told
    kept = get_page(client, f"/feedback/{number_in(told)}").get_text(" ")
    assert "Normal" in kept


def upload(client: FlaskClient) -> dict[str, str]:
    """What the form below the answer to an X-ray sends, whose file says where it was taken."""
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010E] = "Mrs Miller, room 7"
    content = encoded(chest(), "JPEG", exif=exif)
    assert b"Mrs Miller" in content
    data = {"image": (BytesIO(content), "miller.jpg")}
    fragment = check_fragment(client.post(XRAY_FRAGMENT, data=data))
    fields = fragment.select("input[form=report]")
    return {str(field["name"]): str(field["value"]) for field in fields}


def list_pictures(file: Path) -> list[bytes]:
    with closing(sqlite3.connect(file)) as connection:
        found = connection.execute("SELECT picture FROM outcome WHERE picture IS NOT NULL")
        return [row[0] for row in found]


def test_a_picture_is_kept_only_where_its_box_is_ticked(client: FlaskClient, file: Path) -> None:
    path = "/chest-xray/feedback-fragment"
    send(client, 200, path, **upload(client), wrong="1")
    assert list_pictures(file) == []

    told = send(client, 200, path, **upload(client), wrong="1", keep="1")
    (kept,) = list_pictures(file)
    assert len(kept) < 20_000
    with Image.open(BytesIO(kept)) as image:
        assert image.size == (224, 224)
        assert not image.getexif()
    assert b"Mrs Miller" not in kept
    number = number_in(told)
    page = get_page(client, f"/feedback/{number}")
    (shown,) = page.select("article img")
    assert shown["src"] == "data:image/jpeg;base64," + b64encode(kept).decode()
    assert "picture" not in " ".join(row.get_text() for row in page.select("dl > div"))
    check_page(client.post(f"/feedback/{number}"))
    assert list_pictures(file) == []
    assert not any(kept[-200:] in path.read_bytes() for path in file.parent.iterdir())


def test_no_other_picture_is_kept_than_the_one_that_was_answered(
    client: FlaskClient, file: Path
) -> None:
    path, sent, before = "/chest-xray/feedback-fragment", upload(client), count(file)
    data = {**sent, "wrong": "1", "keep": "1"}
    for other in ("", "x", sent["kept-picture"][:-4] + "AAAA", "data:text/html;base64,PHA+", "é"):
        told = send(client, 422, path, **{**data, "kept-picture": other})
        assert told.startswith("The picture is not the one of this answer.")
    assert count(file) == before
    page = post_page(client, {**data, "kept-picture": "x"}, 422, "/chest-xray/feedback")
    assert page.select_one("#report-keep[checked]") is not None
    page = post_page(client, {**sent, "known-truth": "", "keep": "1"}, 422, "/chest-xray/feedback")
    again = {str(field["name"]): str(field["value"]) for field in page.select("[type=hidden]")}
    assert again == sent
    told = send(client, 200, path, **again, truth="NORMAL", keep="1")
    client.post(f"/feedback/{number_in(told)}")


def test_a_picture_that_is_too_large_is_not_sent_and_its_box_says_so(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "KEPT_URL", 100)
    sent = upload(client)
    assert list(sent) == ["receipt"]
    path = "/chest-xray/feedback-fragment"
    told = send(client, 422, path, **sent, wrong="1", keep="1")
    assert told.startswith("This picture is too large to be kept.")
    send(client, 200, path, **sent, wrong="1")


def sign(house: NumberModel, **chosen: object) -> str:
    given = {"model": "house-price", "version": house.version, "day": DAY, "key": KEY, **chosen}
    signer = ReceiptSigner(str(given["key"]).encode(), str(given["model"]), str(given["version"]))
    day = given["day"]
    assert isinstance(day, dt.date)
    return signer.sign(day, KeptAnswer(1.0), "beds=3")


def test_what_was_not_shown_is_refused_in_words(
    client: FlaskClient, file: Path, house: NumberModel
) -> None:
    good = ask(client)
    parts = good.split(";")
    before = count(file)
    for place, part in enumerate(parts):  # each part altered, and left out
        for other in ("A" + part[1:] if part[:1] != "A" else "B" + part[1:], ""):
            if other != part:
                altered = ";".join([*parts[:place], other, *parts[place + 1 :]])
                assert "does not belong to an estimate" in send(
                    client, 422, receipt=altered, truth="1"
                )
    for forged in ("", ";", "é;;;;;;;;", sign(house, key="another"), sign(house, model="other")):
        assert "does not belong" in send(client, 422, receipt=forged, truth="1")
    assert "does not belong to an" in send(
        client, 422, "/chest-xray/feedback-fragment", receipt=good, truth="NORMAL"
    )
    assert "replaced meanwhile" in send(client, 409, receipt=sign(house, version="0"), truth="1")
    long_ago = DAY - dt.timedelta(181)
    assert "too old" in send(client, 409, receipt=sign(house, day=long_ago), truth="1")
    assert "no estimate to report on" in send(client, 422, truth="1")
    assert "has 1,001 characters" in send(client, 422, receipt=good, truth="1", said="x" * 1001)
    assert "more than a report can take" in send(client, 413, receipt=good, said="x" * 200_000)
    for typed in ("", "abc", "nan", "1e999", "-5", "12 apples"):
        assert "ctual price" in send(client, 422, receipt=good, truth=typed)
    asked = send(client, 422, receipt=good, truth="1.850")
    assert "Actual price: 1,850 or 1.85?" in asked
    assert "?." not in asked
    assert count(file) == before


def test_a_receipt_is_good_for_one_report(client: FlaskClient, file: Path) -> None:
    receipt = ask(client)
    number = number_in(send(client, 200, receipt=receipt, truth="200000"))
    before = count(file)
    again = send(client, 409, receipt=receipt, truth="300000")
    assert "already" in again
    assert number_in(again) == number
    assert count(file) == before
    assert "$200,000" in get_page(client, f"/feedback/{number}").get_text()


def test_a_full_post_keeps_what_was_typed_where_something_is_wrong(client: FlaskClient) -> None:
    receipt = ask(client)
    data = {"receipt": receipt, "known-truth": "a lot", "said": "Near the <lake>"}
    page = post_page(client, data, 422, "/feedback")
    field = page.select_one("#known-truth")
    assert field is not None
    assert field["value"] == "a lot"
    assert text_of(page, "textarea") == "Near the <lake>"
    assert receipt_of(page) == receipt
    assert "must be a number" in text_of(page, "#told")
    assert page.title is not None
    assert page.title.get_text().startswith("Error: ")
    page = post_page(client, {**data, "known-truth": "$230k"}, 422, "/feedback")
    assert "Write 230,000" in text_of(page, "#told")
    page = post_page(client, {**data, "known-truth": "$230,000"}, 200, "/feedback")
    assert "this is kept: $230,000" in page.get_text()
    post_page(client, {}, 422, "/feedback")


def test_in_a_frame_the_form_stays_in_the_frame(client: FlaskClient) -> None:
    form = get_page(client, "/embed").select_one("form#report")
    assert form is not None
    assert form["action"] == "/embed/feedback"
    receipt = ask(client, "/embed/predict-fragment")
    response = client.post("/embed/feedback", data={"receipt": receipt, "wrong": "1"})
    page = check_page(response)
    assert "X-Frame-Options" not in response.headers
    assert page.select_one('main a[href^="/feedback/"][target=_blank]') is not None
    assert not page.select("header, footer")


def test_every_address_begins_with_the_root(settings: Settings) -> None:
    app = create_app(replace(settings, models=("house-price",), proxies=1))
    client = app.test_client()
    headers = {"X-Forwarded-Prefix": "/price"}
    page = BeautifulSoup(
        client.get("/?beds=3&baths=2&sqft=1850", headers=headers).text, "html.parser"
    )
    form = page.select_one("form#report")
    assert form is not None
    assert form["action"] == "/price/feedback"
    data = {"receipt": receipt_of(page), "wrong": "1"}
    told = client.post("/price/feedback-fragment", data=data, headers=headers).text
    assert 'href="/price/feedback/' in told


class SlowHandler(logging.Handler):
    """Takes so long for each message that other threads come meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        time.sleep(0.05)
        self.said.append(record.getMessage())


def test_a_failure_that_many_threads_meet_is_said_once(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "kept.sqlite3"
    service = make_service(replace(settings, data=str(path)), "")
    assert service is not None
    path.write_bytes(b"no database " * 1000)

    def find(_: int) -> None:
        with pytest.raises(StoreError):
            service.find("AAAAAAAAAAAAAAAA")

    handler, log = SlowHandler(), logging.getLogger("app.feedback.service")
    log.addHandler(handler)
    try:
        with ThreadPool(8) as pool:
            pool.map(find, range(8))
    finally:
        log.removeHandler(handler)
    assert len(handler.said) == 1


def test_a_database_that_fails_is_said_once_and_answers_go_on(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "kept.sqlite3"
    app = create_app(replace(settings, data=str(path), secret_key="", models=("house-price",)))
    client = app.test_client()
    receipt = ask(client)
    send(client, 200, receipt=receipt, truth="1")
    # The app's watcher may be reading: then the logs stay, and at its end it writes them back into
    # its file, which must be another one.
    (tmp_path / "spoiled").write_bytes(b"no database " * 1000)
    (tmp_path / "spoiled").replace(path)
    for log in ("-wal", "-shm"):
        Path(f"{path}{log}").unlink(missing_ok=True)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            other = ask(client)
            told = send(client, 503, receipt=other, truth="7")
            assert told.startswith("It could not be kept, and nothing was lost of your form.")
        post_page(client, {"receipt": other, "known-truth": "7"}, 503, "/feedback")
        assert get_page(client, "/feedback/AAAA-AAAA-AAAA-AAAA", 503)
        assert caplog.text.count("cannot be kept") == 1
        path.unlink()
        send(client, 200, receipt=other, truth="7")
        assert caplog.text.count("kept again") == 1
    lines = client.get("/metrics").text.splitlines()
    assert 'formcast_reports_total{result="lost"} 4.0' in lines
    assert 'formcast_reports_total{result="kept"} 2.0' in lines


def test_without_a_database_at_the_start_the_app_starts(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "kept.sqlite3"
    app = create_app(replace(settings, data=str(path), secret_key="", models=("house-price",)))
    send(app.test_client(), 503, receipt=ask(app.test_client()), truth="7")
    assert "Feedback cannot be kept" in caplog.text


def test_a_key_that_is_not_set_is_made_once_and_kept(settings: Settings, tmp_path: Path) -> None:
    chosen = replace(
        settings, data=str(tmp_path / "k"), secret_key="", models=("house-price",), metrics=False
    )
    first, second = (create_app(chosen).test_client() for _ in range(2))
    send(second, 200, receipt=ask(first), truth="1")


def test_reports_have_a_limit_of_their_own(settings: Settings, tmp_path: Path) -> None:
    chosen = replace(settings, data=str(tmp_path / "k"), ratelimit="6000/minute", metrics=False)
    client = create_app(replace(chosen, models=("house-price",))).test_client()
    statuses = [client.post("/feedback-fragment").status_code for _ in range(61)]
    assert statuses[0] == 422
    assert statuses[-1] == 429
    assert client.get("/feedback/AAAA-AAAA-AAAA-AAAA").status_code == 429
    assert client.post("/predict-fragment", data=HOUSE).status_code == 200


SPY = """
import sys
touched = []
def watch(event, arguments):
    if event.startswith(("sqlite3.", "socket.connect")) or (
        event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    ) or event in ("os.mkdir", "os.rename", "os.remove"):
        touched.append((event, str(arguments[0])))
from app import create_app
from app.config import Settings
sys.addaudithook(watch)
client = create_app(Settings(models=("house-price",))).test_client()
for path in ("/", "/?beds=3&baths=2&sqft=1850", "/about", "/feedback"):
    page = client.get(path).text
    assert "receipt" not in page and "report" not in page.partition("<main")[2], path
facts = {"beds": "3", "baths": "2", "sqft": "1850"}
assert client.post("/predict-fragment", data=facts).status_code == 200
assert client.post("/feedback", data={"receipt": "x"}).status_code == 404
assert "sqlite3" not in sys.modules and "psycopg" not in sys.modules, "a driver was imported"
assert "app.feedback.service" not in sys.modules
assert not touched, touched
"""


def test_with_feedback_off_no_database_and_no_file_is_touched() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SPY], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_the_number_of_a_receipt_is_not_in_the_log(
    settings: Settings, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    chosen = replace(settings, data=str(tmp_path / "k"), log="json", models=("house-price",))
    client = create_app(replace(chosen, metrics=False)).test_client()
    client.get("/feedback/AAAA-BBBB-CCCC-DDDD")
    out = capfd.readouterr().out
    assert '"path": "/feedback/<receipt>"' in out
    assert "AAAA" not in out


def test_below_a_link_the_report_stays_below_it(settings: Settings, tmp_path: Path) -> None:
    secret = "s" * 32
    chosen = replace(
        settings, data=str(tmp_path / "k"), models=("house-price",), metrics=False,
        access="password", password_hash=hash_password("x"), link_key=secret,
    )  # fmt: skip
    client = create_app(chosen).test_client()
    root = f"/link/{sign_link(secret, int(time.time()) + 600)}"
    page = get_page(client, f"{root}/?beds=3&baths=2&sqft=1850")
    form = page.select_one("form#report")
    assert form is not None
    assert form["action"] == f"{root}/feedback"
    told = client.post(
        f"{root}/feedback-fragment", data={"receipt": receipt_of(page), "wrong": "1"}
    )
    link = check_fragment(told).select_one("a")
    assert link is not None
    assert str(link["href"]).startswith(f"{root}/feedback/")
    get_page(client, str(link["href"]))
    assert client.get(str(link["href"]).removeprefix(root)).status_code == 401
    assert client.post("/feedback-fragment", data={"wrong": "1"}).status_code == 401


def test_what_is_too_old_goes_with_the_first_use_on_a_day(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "kept.sqlite3"
    old = ReportedOutcome("A" * 16, "house-price", "v", DAY - dt.timedelta(181), {}, 1.0, 2.0)
    with closing(Store(SqliteDatabase(path))) as store:
        store.insert([old, old._replace(id="B" * 16, day=DAY)])
    client = create_app(replace(settings, data=str(path), models=("house-price",))).test_client()
    get_page(client, f"/feedback/{old.id}", 404)  # gone before it is deleted
    assert count(path) == 1
    get_page(client, f"/feedback/{'B' * 16}")
