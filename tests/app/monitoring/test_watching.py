"""What is watched while the app runs: truths from files, visitors' reports, what is asked."""

import datetime as dt
import json
import logging
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.feedback.databases import PostgresDatabase, SqliteDatabase
from app.feedback.outcomes import ReportedOutcome
from app.feedback.store import Store, StoreError
from app.http.application import Application
from app.monitoring.field_counts import MOST_WAITING, PAUSE, FieldCounter
from app.monitoring.watcher import Watcher, compare_fields
from model import NumberModel, load_model
from model.monitoring.stability import find_bin
from tests.app.feedback.postgres import Postgres, find_programs
from tests.conftest import HOUSE
from tests.flowers import write_flowers
from tests.html import get_page, post_fragment, post_page, text_of

PAGE = "/about/track-record"


class Watched(NamedTuple):
    """An app that keeps feedback, what watches it, and its store."""

    app: Application
    watcher: Watcher
    store: Store

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def look(self) -> None:
        self.watcher.look("house-price")


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    made: list[Watcher] = []
    monkeypatch.setattr(Watcher, "__call__", lambda self, record: made.append(self))
    path = tmp_path / "kept.sqlite3"
    settings = Settings(models=("house-price",), feedback="on", data=str(path), metrics=True)
    app = create_app(settings)
    app.test_client().get("/healthz")
    store = Store(SqliteDatabase(path))
    yield Watched(app, made[0], store)
    store.close()


def make_outcomes(
    house: NumberModel, count: int, held: int, source: Any = "file"
) -> list[ReportedOutcome]:
    """Sales of which so many of the last ones were within a range of 200,000 to 300,000."""
    facts = {"beds": "3", "baths": "2", "sqft": "1850"}
    first = dt.date.today() if source == "visitor" else dt.date(2026, 1, 1)
    return [
        ReportedOutcome(
            f"{source}-{number:05}",
            house.slug,
            house.version,
            first + dt.timedelta(number // 4),
            facts,
            250_000.0,
            250_000.0 if number >= count - held else 400_000.0 + number,
            200_000.0,
            300_000.0,
            source=source,
        )
        for number in range(count)
    ]


def test_without_a_truth_the_page_says_how_to_bring_some(watched: Watched) -> None:
    page = get_page(watched.client, PAGE)

    assert "No truth is known yet." in text_of(page, ".claim")
    assert "model outcomes house-price truths.csv" in text_of(page, ".claim")
    assert "No visitor has reported anything." in page.get_text()
    assert "No form was filled in during the last 30 days." in page.get_text()
    assert page.select("svg.measured") == []
    assert get_page(watched.client, "/about").select(f'a[href="{PAGE}"]')


def test_truths_that_hold_are_shown_with_a_plot_each(watched: Watched, house: NumberModel) -> None:
    right = make_outcomes(house, 300, 300)
    right[::12] = [one._replace(truth=150_000.0) for one in right[::12]]
    watched.store.insert(right)
    watched.look()

    page = get_page(watched.client, PAGE)

    assert "Ranges held for 275 of 300 sales, 91.7%." in text_of(page, ".claim")
    assert page.select(".broken") == []
    titles = [heading.get_text() for heading in page.select("h2")]
    assert titles[:3] == [
        "How often the range held, from low to high estimates",
        "How often it held, by month",
        "How far off it was, by month",
    ]
    assert len(page.select("svg.measured")) == 3
    assert get_page(watched.client, "/about").select(".broken") == []
    assert "9 of 10 sales" in text_of(post_fragment(watched.client, HOUSE), ".range")


def test_a_broken_promise_is_said_wherever_the_promise_is(
    watched: Watched, house: NumberModel, caplog: pytest.LogCaptureFixture
) -> None:
    watched.store.insert(make_outcomes(house, 120, 81))
    with caplog.at_level(logging.WARNING):
        watched.look()
        watched.look()

    assert [record.message[:39] for record in caplog.records] == [
        "The promise of house-price is broken. R"
    ]
    sentence = text_of(post_fragment(watched.client, HOUSE), ".range .wide")
    assert sentence.endswith("Ranges like this held for 81 of the last 100 sales.")
    assert "this is no longer true." in text_of(get_page(watched.client, "/about"), ".broken")
    assert "In 39 of the others the truth was above the range." in text_of(
        get_page(watched.client, PAGE), ".claim.broken"
    )
    answer = watched.client.post("/api/predict", json={"beds": 3, "baths": 2, "sqft": 1850})
    assert "it held for 81 of the last 100 sales" in answer.get_json()["interval"]["evidence"]
    counts = watched.client.get("/metrics").get_data(as_text=True)
    assert 'formcast_promise_broken{model="house-price"} 1.0' in counts
    assert 'formcast_promise_held_ratio{model="house-price"} 0.675' in counts


def test_a_model_that_is_too_sure_says_so_at_every_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(Watcher, "__call__", lambda self, record: None)
    folder = write_flowers(tmp_path / "flowers", temperature=1.0)
    manifest = json.loads((folder / "manifest.json").read_text())
    shares = [0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99]
    manifest["reliability"] = [{"probability": p, "right": p, "rows": 50} for p in shares]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    path = tmp_path / "kept.sqlite3"
    settings = Settings(models=("flowers",), feedback="on", data=str(path), metrics=True)
    client = create_app(settings, models=tmp_path).test_client()
    facts = {"length": "8", "width": "2"}
    before = text_of(post_fragment(client, facts), ".range .wide")
    case = ReportedOutcome(
        "", "flowers", load_model(folder).version, dt.date(2026, 1, 1), facts, "rose", "rose",
        probability=0.95, source="file",
    )  # fmt: skip
    with closing(Store(SqliteDatabase(path))) as store:
        store.insert([
            case._replace(id=f"{number:03}", truth="iris" if number % 10 < 3 else "rose")
            for number in range(200)
        ])  # fmt: skip
    page = get_page(client, PAGE)

    sentence = "Where it was at least 77% sure, it was right for 70 of the last 100 rows."
    fragment = post_fragment(client, facts)
    assert text_of(fragment, ".range .wide") == f"{before} {sentence}"
    assert text_of(fragment, ".range .narrow").endswith(sentence)
    answer = client.post("/api/predict", json={"length": 8, "width": 2}).get_json()
    assert answer["warnings"] == [{"code": "too_sure", "message": sentence}]
    assert "Its probabilities are too sure." in text_of(page, ".claim.broken")
    assert "too sure" in text_of(get_page(client, "/about"), ".broken")
    assert caplog.text.count("The promise of flowers is broken") == 1
    counts = client.get("/metrics").get_data(as_text=True)
    assert 'formcast_promise_broken{model="flowers"} 1.0' in counts


@pytest.mark.second_tier
@pytest.mark.skipif(find_programs() is None, reason="no PostgreSQL on this machine")
def test_the_track_record_is_read_from_postgresql(
    house: NumberModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Watcher, "__call__", lambda self, record: None)
    postgres = Postgres()
    postgres.create()
    postgres.start()
    try:
        monkeypatch.setenv("DATABASE_URL", postgres.url)
        client = create_app(Settings(models=("house-price",))).test_client()
        post_page(client, HOUSE)
        with closing(Store(PostgresDatabase(postgres.url))) as store:
            store.insert(make_outcomes(house, 120, 81))
            store.insert(make_outcomes(house, 3, 0, source="visitor"))
            assert store.count_outcomes("house-price") == (3, 120)
            page = get_page(client, PAGE)
            assert "Ranges held for 81 of 120 sales" in text_of(page, ".claim.broken")
            assert "3 reports, of which 3 have a truth." in page.get_text()
            assert "1 form was filled in" in page.get_text()
            assert sum(store.read_counts("house-price").values()) == 10
        sentence = text_of(post_fragment(client, HOUSE), ".range .wide")
        assert sentence.endswith("held for 81 of the last 100 sales.")
    finally:
        postgres.remove()


def test_reports_of_visitors_are_counted_apart_and_test_nothing(
    watched: Watched, house: NumberModel
) -> None:
    watched.store.insert(make_outcomes(house, 60, 5, source="visitor"))
    said = "<script>alert(1)</script>"
    wrong = make_outcomes(house, 1, 1, source="visitor")[0]
    old = dt.date.today() - dt.timedelta(181)
    watched.store.insert(
        [wrong._replace(id="said", truth=None, said=said), wrong._replace(id="old", day=old)]
    )
    watched.look()

    page = get_page(watched.client, PAGE)

    assert "No truth is known yet." in text_of(page, ".claim")
    assert "61 reports, of which 60 have a truth." in page.get_text()
    rows = [row.get_text(" ", strip=True) for row in page.select(".reports tbody tr")]
    assert len(rows) == 50
    assert rows[0].endswith("$250,000 $400,054 1 × the range")
    assert said not in page.get_text()
    assert "9 of 10 sales" in text_of(post_fragment(watched.client, HOUSE), ".range")


def test_truths_of_another_version_say_nothing_of_this_one(
    watched: Watched, house: NumberModel
) -> None:
    watched.store.insert([one._replace(version="old") for one in make_outcomes(house, 90, 0)])
    watched.look()

    assert "No truth is known yet." in text_of(get_page(watched.client, PAGE), ".claim")


def test_a_store_that_does_not_answer_changes_nothing(
    watched: Watched, house: NumberModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.store.insert(make_outcomes(house, 120, 81))
    watched.look()

    def fail(*arguments: object) -> None:
        raise StoreError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(watched.watcher, "_run", fail)
        watched.client.post("/", data=HOUSE)
        watched.look()

        sentence = text_of(post_fragment(watched.client, HOUSE), ".range .wide")
        assert "81 of the last 100" in sentence
        assert get_page(watched.client, PAGE).select(".claim.broken")
    watched.look()
    assert sum(watched.store.read_counts("house-price").values()) == 10  # a form of ten fields


def test_what_is_asked_is_counted_once_it_has_settled(watched: Watched) -> None:
    client, counter = watched.client, watched.watcher.watches["house-price"].counter
    for sqft in ("300", "320", "3200"):
        post_fragment(client, {**HOUSE, "sqft": sqft})
    post_fragment(client, {**HOUSE, "sqft": "x"}, status=422)
    client.get("/?beds=3&baths=2&sqft=900")

    assert not counter.take()
    counts = counter.take(time.monotonic() + PAUSE + 1)

    assert {(key.field, key.bin): count for key, count in counts.items()} == {
        ("beds", find_bin(counter.bins["beds"], 3)): 1,
        ("baths", find_bin(counter.bins["baths"], 2.5)): 1,
        ("sqft", "9"): 1,
        **{(name, "empty"): 1 for name in list(counter.bins)[3:]},
    }
    client.post("/", data=HOUSE)
    assert sum(counter.take().values()) == 10


def test_no_more_clients_wait_than_there_is_room_for(house: NumberModel) -> None:
    counter = FieldCounter(house)
    row = {"beds": 3, "baths": 2.0, "sqft": 1850}
    for number in range(MOST_WAITING + 5):
        counter.note({"REMOTE_ADDR": str(number)}, row)

    counts = counter.take(time.monotonic() + PAUSE + 1)

    assert sum(count for key, count in counts.items() if key.field == "sqft") == MOST_WAITING


def test_what_was_not_learned_is_named_and_what_was_is_not(
    watched: Watched, house: NumberModel
) -> None:
    counter = watched.watcher.watches["house-price"].counter
    drawn = np.random.default_rng(3)
    assert house.neighbors is not None
    for row in drawn.choice(house.neighbors.rows, 300):
        known = zip(house.card.fields, row.tolist(), strict=True)
        facts = {field.name: field.decode(code) for field, code in known}
        if drawn.random() < 0.3:
            facts["sqft"] = 3500
        counter.note({}, facts, settled=True)
    watched.store.add_counts(counter.take())
    watched.look()

    asked = watched.watcher.watches["house-price"].asked
    assert [field.name for field in asked if field.differs] == ["sqft"]
    page = get_page(watched.client, PAGE)
    first = page.select(".asked")[0]
    assert "differs" in first["class"]
    words = first.select("p")[0].get_text().replace("\xa0", " ")
    assert words.startswith("Above 2,140 sq ft: ")
    assert words.endswith("of what was asked for, 10% of the sales.")
    counts = watched.client.get("/metrics").get_data(as_text=True)
    assert 'formcast_asked_psi{field="sqft",model="house-price"}' in counts


def test_by_chance_one_field_of_a_hundred_seems_to_differ(house: NumberModel) -> None:
    counter = FieldCounter(house)
    assert house.neighbors is not None
    drawn, differing = np.random.default_rng(4), 0
    for _ in range(20):
        for row in drawn.choice(house.neighbors.rows, 150):
            known = zip(house.card.fields, row.tolist(), strict=True)
            counter.note({}, {field.name: field.decode(code) for field, code in known}, True)
        differing += sum(field.differs for field in compare_fields(counter, counter.take()))

    assert differing <= 6  # of 200


def test_with_feedback_off_there_is_no_page_and_nothing_is_watched(client: FlaskClient) -> None:
    assert client.get(PAGE).status_code == 404
    assert get_page(client, "/about").select(f'a[href="{PAGE}"]') == []
