"""The pages of a model of messages: the text area, the words, the address, the log."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from model import ClassModel
from model.contract.tables import Block, open_table
from model.serving.batch import BatchPredictor
from tests.html import check_fragment, check_page, text_of
from tests.loading import load_as
from tests.messages import write_messages
from tests.model.making.conftest import run

FACTS = {"size": "60", "channel": "sms"}
SPAM = {**FACTS, "message": "Free prize! Click, <b>dinner</b>\r\nurgent 🙂"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with the one of messages."""
    root = tmp_path_factory.mktemp("models")
    path, data, unseen = write_messages(root)
    given = [path, "--name", "messages", "--data", data, "--target", "label", "--holdout", unseen]
    result = run("add", *given, "--models", root, "--publish-rows")
    assert result.exit_code == 0, result.output
    return root


@pytest.fixture(scope="module")
def client(folder: Path) -> FlaskClient:
    settings = Settings(models=("messages",), ratelimit="off", log="json", log_inputs=True)
    return create_app(settings, models=folder).test_client()


def test_the_form_has_a_text_area_that_keeps_what_was_typed(client: FlaskClient) -> None:
    page = check_page(client.post("/", data={**SPAM, "size": "many"}))
    area = page.select_one("textarea#message")
    assert area is not None
    shown = area.get_text().replace("\r\n", "\n")
    assert shown == "\n" + SPAM["message"].replace("\r\n", "\n")  # HTML drops the first line end
    given = {name: area[name] for name in ("spellcheck", "autocapitalize", "dir", "data-most")}
    assert given == {"spellcheck": "true", "autocapitalize": "sentences", "dir": "auto",
                     "data-most": "2000"}  # fmt: skip
    assert "maxlength" not in area.attrs
    assert page.select_one(f"#{str(area['aria-describedby']).split()[-1]}") is not None
    assert page.select('link[href*="text."]')
    assert page.select('script[src*="text."]')


def test_the_words_are_marked_in_the_text_and_listed_beside_it(client: FlaskClient) -> None:
    page = check_fragment(client.post("/predict-fragment", data=SPAM))
    marked = page.select_one(".marked")
    assert marked is not None
    assert marked.get_text() == "Free prize! Click, <b>dinner</b>\nurgent 🙂"
    assert {"Free", "prize", "Click", "urgent"} <= {m.get_text() for m in page.select("mark.for")}
    assert [mark.get_text() for mark in page.select("mark.not")] == ["dinner"]
    amounts = {
        item.select("span")[0].get_text(): float(str(item.select("data.word")[0]["value"]))
        for item in page.select(".words li")
    }
    assert amounts["free"] > 0 > amounts["dinner"]
    assert [head.get_text() for head in page.select(".words h3")] == ["For spam", "Against spam"]


def test_three_similar_texts_are_shown_where_rows_are_published(client: FlaskClient) -> None:
    page = check_fragment(client.post("/predict-fragment", data=SPAM))
    assert len(page.select("#similar li")) == 3


@pytest.mark.parametrize("text", ["Hola amigo", "free", "xx " * 50 + "free prize"])
def test_an_answer_to_words_that_it_does_not_know_is_a_guess(
    client: FlaskClient, text: str
) -> None:
    answer = client.post("/predict-fragment", data={**FACTS, "message": text})
    page = check_fragment(answer)
    assert page.select(".head.outside")
    assert "this is a guess. It knows" in page.select(".range")[0].get_text()
    row = {"message": text, "size": 60, "channel": "sms"}
    (warning,) = client.post("/api/predict", json=row).get_json()["warnings"]
    assert "message" in warning["fields"]


@pytest.mark.parametrize("text", ["Hola", "Hola amigo"])
def test_no_word_that_it_knows_is_said_so(client: FlaskClient, text: str) -> None:
    answer = client.post("/predict-fragment", data={**FACTS, "message": text})
    assert "It knows no word of the message." in text_of(check_fragment(answer), ".range")


@pytest.mark.parametrize("text", ["", "   ", "\r\n"])
def test_a_blank_text_is_still_to_fill_in(client: FlaskClient, text: str) -> None:
    answer = client.post("/predict-fragment", data={**FACTS, "message": text})
    assert answer.status_code == 422
    assert "Still to fill in: the message." in answer.text


def test_the_address_holds_the_whole_form_or_nothing(client: FlaskClient) -> None:
    short = client.post("/predict-fragment", data=SPAM).headers["HX-Replace-Url"]
    assert parse_qs(urlsplit(short).query)["message"] == [SPAM["message"]]
    assert client.get(short).text.count('data-state="fresh"') == 1
    long = client.post("/predict-fragment", data={**FACTS, "message": "free prize " * 170})
    assert long.headers["HX-Replace-Url"] == "/"
    assert "without the text" in long.text
    almost = client.post("/predict-fragment", data={**FACTS, "message": "é" * 400 + " free prize"})
    assert almost.headers["HX-Replace-Url"] == "/"  # each é takes six characters there


def test_no_text_is_logged(client: FlaskClient, capfd: pytest.CaptureFixture[str]) -> None:
    client.post("/predict-fragment", data=SPAM)
    client.post("/api/predict", json={**SPAM, "size": 60})
    client.post("/", data={**SPAM, "size": "many"})
    logged = capfd.readouterr().out
    assert "size=60" in logged
    assert "prize" not in logged


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x" * 2001, "this has 2,001. Remove 1"),
        ("\u0301" * 10_000, "has more than 60 accents on one letter"),
        ("a\0b", "contains the character NUL"),
    ],
)
def test_a_text_that_is_none_gets_a_sentence(client: FlaskClient, text: str, said: str) -> None:
    answer = client.post("/", data={**FACTS, "message": text})
    assert answer.status_code == 422
    assert said in answer.text
    row = {"message": text, "size": 60, "channel": "sms"}
    assert said in client.post("/api/predict", json=row).get_json()["errors"][0]["message"]


def test_half_of_a_character_in_json_gets_a_sentence(client: FlaskClient) -> None:
    body = json.dumps({"message": "a\ud800b", "size": 60, "channel": "sms"})
    answer = client.post("/api/predict", data=body, content_type="application/json")
    assert answer.status_code == 422
    assert "half of a character" in answer.get_json()["errors"][0]["message"]


def test_a_file_with_a_column_of_texts_is_answered_as_the_form_answers(folder: Path) -> None:
    model = load_as(ClassModel, folder / "messages")
    text = (
        "message,size,channel\n"
        '"Free prize, click now",50,sms\n"Hola amigo",50,mail\n,3,sms\n"lunch\r\nmeeting",40,chat\n'
    )
    table = open_table(io.BytesIO(text.encode()), "texts.csv")
    predictor = BatchPredictor(model, table.header, table.sample)
    (block,) = table.blocks
    found = predictor.predict(block)
    assert found.errors == {2: {"message": "Write the message"}}
    assert list(found.unusual) == [1]
    alone = model.predict(
        [
            {"message": "Free prize, click now", "size": 50, "channel": "sms"},
            {"message": "lunch\nmeeting", "size": 40, "channel": "chat"},
        ]
    )
    labels = found.values["label"]
    assert [labels[0], labels[3]] == [each.label for each in alone]


def test_a_text_is_kept_in_a_report_only_where_its_box_is_ticked(
    folder: Path, tmp_path: Path
) -> None:
    settings = Settings(models=("messages",), feedback="on", data=str(tmp_path / "kept.sqlite3"))
    client = create_app(settings, models=folder).test_client()
    spoken = {**SPAM, "message": SPAM["message"] + "; a;b&c=" + "ü" * 1000}
    for ticked in ({}, {"keep": "1"}):
        answer = check_fragment(client.post("/predict-fragment", data=spoken))
        receipt = str(answer.select("input[name=receipt]")[0]["value"])
        data = {"receipt": receipt, "known-truth": "ham", **ticked}
        told = check_fragment(client.post("/feedback-fragment", data=data))
        link = told.select_one("a")
        assert link is not None, told
        kept = check_page(client.get(str(link["href"])))
        shown = [row.get_text() for row in kept.select("dl dd")]
        assert (spoken["message"].split()[0] in " ".join(shown)) is bool(ticked)
        assert (spoken["message"] in shown) is bool(ticked)
        assert "60" in shown
    page = check_page(client.get("/?" + "size=60&channel=sms&message=Hello"))
    assert page.select_one("#report-keep:not([checked])") is not None


def test_a_text_that_comes_again_in_the_next_block_has_its_own_answer(folder: Path) -> None:
    model = load_as(ClassModel, folder / "messages")
    texts = ["free prize urgent click", "lunch meeting report agenda", "thanks for the notes"]
    rows = [texts[place] for place in (0, 1, 1, 0, 2, 0)]

    def answer(predictor: BatchPredictor, some: list[str]) -> list[float]:
        block = Block([some, ["60"] * len(some), ["sms"] * len(some)], len(some))
        shares: list[float] = predictor.predict(block).values["probability_spam"].tolist()
        return shares

    header = ("message", "size", "channel")
    predictor = BatchPredictor(model, header)
    found = [one for start in (0, 2, 4) for one in answer(predictor, rows[start : start + 2])]
    alone = [answer(BatchPredictor(model, header), [row])[0] for row in rows]
    assert found == pytest.approx(alone, abs=1e-5)
    assert found[0] - found[1] > 0.5


def test_amounts_of_words_are_written_as_the_card_s_locale_writes_numbers(
    folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder / "messages", tmp_path / "messages")
    card = tmp_path / "messages" / "card.toml"
    text = card.read_text(encoding="utf-8").replace("en_US", "de_DE")
    card.write_text(text, encoding="utf-8")
    settings = Settings(models=("messages",), ratelimit="off")
    client = create_app(settings, models=tmp_path).test_client()
    page = check_fragment(client.post("/predict-fragment", data=SPAM))
    assert all("," in amount.get_text() for amount in page.select("data.word"))
