"""A file of many rows on its page: summary, download, refusals, and what an attacker would send."""

import csv
import gzip
import io
import itertools
import json
import logging
import zipfile
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from app import create_app
from app.config import Settings
from app.kinds import batches
from app.limits.upload_budget import get_upload_budget
from app.pages.batch import END
from app.presentation.batches import Tally, count_labels
from app.telemetry import streams
from app.telemetry.request_records import RequestRecord
from model.contract.tables import Block, TableError
from model.serving.batch import Answers, BatchPredictor
from tests.flowers import write_flowers
from tests.html import check_page, get_page, text_of
from tests.pictures import XRAY, bomb, chest, encoded

HOUSES = """Agent,Square feet,BEDS,baths
Ann,1850,3,2.5
"=cmd|'/c calc'!A1","1,850 sq ft",3,2½
Bob,185000,3,2
Eve,700,8,1
-5,1440,,2
"""
COMMAND = "flask --app wsgi model predict house-price FILE answers.csv"


@pytest.fixture(scope="module")
def narrow() -> FlaskClient:
    """An app that answers ten rows and one megabyte."""
    return create_app(Settings(batch_rows=10, batch_megabytes=1)).test_client()


def sent(*contents: bytes | str, name: str = "houses.csv") -> dict[str, Any]:
    """What a browser posts for files."""
    head = f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    parts = [
        head.encode() + (content.encode() if isinstance(content, str) else content) + b"\r\n"
        for content in contents
    ]
    return {
        "data": b"".join(parts) + b"--cut--\r\n",
        "content_type": "multipart/form-data; boundary=cut",
    }


def post(
    client: FlaskClient,
    content: bytes | str,
    path: str = "/batch/summary",
    name: str = "houses.csv",
) -> BeautifulSoup:
    """Post a file and return the last piece, whether it is the result or a refusal."""
    response = client.post(path, **sent(content, name=name))
    pieces = response.text.split(END)
    response.close()
    assert response.status_code in (413, 422) or pieces.pop() == ""
    return BeautifulSoup(pieces[-1], "html.parser")


def download(client: FlaskClient, content: bytes | str, path: str = "/batch/answers.csv",
             name: str = "houses.csv") -> list[dict[str, str]]:  # fmt: skip
    response = client.post(path, **sent(content, name=name))
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.text)))


def read_sheet(content: bytes) -> list[list[str | float]]:
    """The cells of a workbook's sheet: numbers, texts, "" for an empty one."""
    name = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        for part in archive.namelist():
            ElementTree.fromstring(archive.read(part))  # noqa: S314 (it is our own)
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))  # noqa: S314
    return [
        [
            float(cell.findtext(f"{name}v", ""))
            if cell.find(f"{name}v") is not None
            else "".join(cell.itertext())
            for cell in row
        ]
        for row in sheet.iter(f"{name}row")
    ]


def cells(soup: BeautifulSoup, title: str) -> list[list[str]]:
    """The cells of the table in a part of the result, row by row."""
    rows = soup.select(f'[role=region][aria-labelledby="{title}"] tbody tr')
    return [[cell.get_text().replace("\xa0", " ") for cell in row.select("th, td")] for row in rows]


def test_the_page_says_what_it_looks_for_and_gives_a_file_to_fill_in(client: FlaskClient) -> None:
    soup = get_page(client, "/batch")
    assert text_of(soup, "#columns-title")
    assert [cell.get_text() for cell in soup.select("#result tbody th")][:3] == [
        "beds", "baths", "sqft",
    ]  # fmt: skip
    assert "Up to 100,000 rows and 20 MB. It is not stored." in text_of(soup, "#file-hint")
    link = soup.select_one("a[download]")
    assert link is not None
    answered = download(client, client.get(str(link["href"])).data)
    assert all(row["prediction"] and not row["error"] for row in answered)
    assert get_page(client, "/").select('#form a[href="/batch"]')
    assert not get_page(client, XRAY + "batch").select("a[download]")


def test_a_full_post_is_a_page_with_the_summary(client: FlaskClient) -> None:
    response = client.post("/batch", **sent(HOUSES))
    assert response.headers["Cache-Control"] == "no-store"
    soup = check_page(response)
    assert text_of(soup, "#result-title") == "3 of 5 answered"
    assert text_of(soup, "#result .label") == "houses.csv"
    assert cells(soup, "fix-title") == [
        ["4", "Square feet", "185000", "Square feet must be between 300 and 6,000"],
        ["6", "BEDS", "", "Enter the number of bedrooms"],
    ]
    ((row, why),) = cells(soup, "unusual-title")
    assert row == "5"
    assert why == "8 bedrooms and living area 700 sq ft do not go together."
    assert cells(soup, "first-title")[0] == [
        "2", "1850", "3", "2.5", "$215,000", "$152,500", "$305,500",
    ]  # fmt: skip
    assert ["Agent", "not used"] in cells(soup, "found-title")
    assert soup.select_one("#strip-title")


def test_page_and_fragment_end_with_the_same_result(client: FlaskClient) -> None:
    page = check_page(client.post("/batch", **sent(HOUSES)))
    assert page.select_one("#result") == post(client, HOUSES).select_one("#result")


def test_the_download_has_the_file_and_the_answers_of_the_api(client: FlaskClient) -> None:
    first, second, wrong, unusual, empty = download(client, HOUSES)
    alone = client.post("/api/predict", json={"beds": 3, "baths": 2.5, "sqft": 1850}).json
    assert alone is not None
    for row in (first, second):
        assert float(row["prediction"]) == pytest.approx(alone["prediction"], rel=1e-6)
        assert float(row["low"]) == pytest.approx(alone["interval"]["low"], rel=1e-6)
    assert list(first)[:4] == ["Agent", "Square feet", "BEDS", "baths"]
    assert second["Agent"].startswith("'=cmd")
    assert (wrong["prediction"], wrong["error"]) == (
        "", "Square feet must be between 300 and 6,000",
    )  # fmt: skip
    assert "do not go together" in unusual["warning"]
    assert empty["Agent"] == "-5"


def test_a_packed_file_gets_the_answers_of_the_plain_one(client: FlaskClient) -> None:
    plain = b"beds,baths,sqft\n3,2.5,1850\n4,x,2000\n"
    found = download(client, gzip.compress(plain), name="houses.csv.gz")
    assert found == download(client, plain)
    assert [bool(row["prediction"]) for row in found] == [True, False]


def test_the_same_comes_as_a_workbook(client: FlaskClient) -> None:
    response = client.post("/batch/answers.xlsx", **sent(HOUSES), buffered=False)
    pieces = list(response.iter_encoded())
    assert len(pieces) == 3  # what stands before the rows, the rows, what stands behind
    assert 'filename="houses-answers.xlsx"' in response.headers["Content-Disposition"]
    header, *rows = read_sheet(b"".join(pieces))
    written = download(client, HOUSES)
    assert header == [*written[0]]
    assert len(rows) == len(written)
    for row, expected in zip(rows, written, strict=True):
        for cell, text in zip(row, expected.values(), strict=True):
            assert cell == pytest.approx(float(text)) if isinstance(cell, float) else cell == text
    assert isinstance(rows[0][header.index("prediction")], float)
    for soup in (get_page(client, "/batch"), post(client, HOUSES)):
        assert soup.select_one('[formaction="/batch/answers.xlsx"]')


def test_a_download_has_a_name_that_every_system_takes(client: FlaskClient) -> None:
    name = "../..\\\\häuser Ω;%221%22\t=1.csv"
    header = client.post("/batch/answers.csv", **sent(HOUSES, name=name)).headers
    assert header["Content-Disposition"] == (
        'attachment; filename="h-user-1-1-answers.csv"; '
        "filename*=UTF-8''h%C3%A4user-%CE%A9-1-1-answers.csv"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"beds,baths,sqft\n", "has no rows"),
        (b"a,b\n1,2\n", "beds, baths, sqft must be among them"),
        (b"beds,baths\n1,2\n", "sqft (Square feet)"),
        (b"beds,baths,sqft,beds\n3,2,1850,3\n", "is there twice"),
        (b"\x00\x01\x02" * 1000, "is no text"),
        (b"beds,baths,sqft\n" + b"3,2,1900\n" * 90 + b"3,2,\x001850\n", "is no text"),
        (b"PK\x03\x04" + b"\x00" * 100, "a ZIP file or a workbook"),
        (b"%PDF-1.7", "a PDF"),
        (b'beds,baths,sqft\n3,2,"1850\n' + b"4,3,2000\n" * 40_000, "closing quote"),
        (b"<script>alert(1)</script>\n1\n", "must be among them"),
    ],
)
def test_a_file_that_cannot_be_answered_is_refused_in_words_before_the_first_answer(
    client: FlaskClient, content: bytes, said: str
) -> None:
    for path in ("/batch", "/batch/answers.csv"):
        response = client.post(path, **sent(content))
        assert response.status_code == 422
        soup = check_page(response)
        assert said in text_of(soup, "#file-error")
        assert soup.select("#columns-title")
    soup = post(client, content)
    assert said in text_of(soup, "#result .range")
    assert not soup.select("script")


def test_a_post_without_a_file_asks_for_one(client: FlaskClient) -> None:
    for data, said in ((sent(), "Choose a file"), (sent(HOUSES, HOUSES), "Choose one file")):
        soup = check_page(client.post("/batch", **data))
        assert text_of(soup, "#file-error").endswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("beds,baths,sqft\n" + "3,2,1850\n" * 11, "more than 10 rows"),
        ("beds,baths,sqft\n" + "3,2,1850\n" * 200_000, "too large"),
    ],
)
def test_more_than_the_limits_is_told_to_use_the_command(
    narrow: FlaskClient, content: str, said: str
) -> None:
    response = narrow.post("/batch", **sent(content))
    assert response.status_code == 413
    text = text_of(check_page(response), "#file-error")
    assert said in text
    assert COMMAND in text
    assert narrow.post("/batch/answers.csv", **sent(content)).status_code == 413


def test_ten_rows_are_within_a_limit_of_ten(narrow: FlaskClient) -> None:
    soup = post(narrow, "beds,baths,sqft\n" + "3,2,1850\n" * 10)
    assert text_of(soup, "#result-title") == "10 of 10 answered"


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(b"\n" * 30_000_000, 1),
        gzip.compress(b"beds,baths,sqft\n3,2," + b"9" * 30_000_000, 1),
        gzip.compress(b"beds,baths,sqft\n" + b"3,2,1850\n" * 3_000_000, 1),
    ],
    ids=["blank lines", "one line", "many rows"],
)
def test_a_small_file_that_unpacks_to_a_large_one_is_refused(
    narrow: FlaskClient, packed: bytes
) -> None:
    response = narrow.post("/batch", **sent(packed, name="houses.csv.gz"))
    assert response.status_code in (413, 422)
    assert text_of(check_page(response), "#file-error")


@pytest.mark.parametrize(
    "content",
    [
        b"beds,baths,sqft\n3,2\n3,2,1850,7\n",
        b"beds,baths,sqft\n3,2," + b"1" * 100_000 + b"\n",
        b"beds,baths,sqft\n<b>,&amp;,'\n",
        "\ufeffbeds;baths;sqft\r3;2,5;1850\r".encode("utf-16"),
        "beds\tbaths\tsqft\tmotto\n3\t2\t1850\tcaf\xe9\n".encode("latin-1"),
    ],
)
def test_whatever_is_in_the_rows_each_gets_an_answer_or_a_reason(
    client: FlaskClient, content: bytes
) -> None:
    soup = post(client, content)
    assert " answered" in text_of(soup, "#result-title")
    for row in download(client, content):
        assert bool(row["prediction"]) != bool(row["error"])
        assert len(row["error"]) < 300


def test_nothing_is_made_before_what_was_made_last_is_taken(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    predict = BatchPredictor.predict

    def count(self: BatchPredictor, block: Any) -> Answers:
        made.append(block.rows)
        return predict(self, block)

    monkeypatch.setattr(BatchPredictor, "predict", count)
    rows = "beds,baths,sqft\n" + "3,2,1850\n" * 10_000
    response = client.post("/batch/answers.csv", **sent(rows), buffered=False)
    taken = response.iter_encoded()
    assert next(taken).startswith(b"beds,baths,sqft,prediction")
    assert made == []
    next(taken)
    assert made == [batches.BLOCK_ROWS]
    assert get_upload_budget().held > 80_000
    response.close()
    assert get_upload_budget().held == 0


def test_the_memory_of_a_file_is_free_again_however_it_ends(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post("/batch/answers.csv", **sent(HOUSES), buffered=False).close()
    client.post("/batch", **sent("nothing"))
    post(client, HOUSES)
    assert get_upload_budget().held == 0


def test_a_fault_while_it_is_sent_is_said_on_the_page_and_breaks_a_download(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: BatchPredictor, block: Any) -> Answers:
        raise RuntimeError("no longer")

    monkeypatch.setattr(BatchPredictor, "predict", fail)
    with caplog.at_level(logging.ERROR):
        soup = post(client, HOUSES)
        assert text_of(soup, "#error h2") == "Something went wrong on our side"
        response = client.post("/batch/answers.csv", **sent(HOUSES))
        with pytest.raises(RuntimeError):
            response.data  # noqa: B018 (it is read)
        response.close()
    assert "stopped while it was sent" in caplog.text
    assert get_upload_budget().held == 0


def test_a_client_that_reads_too_slowly_is_cut_off(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = itertools.count(step=streams.GRACE)
    monkeypatch.setattr(streams, "monotonic", lambda: next(clock))
    response = client.post("/batch/answers.csv", **sent("beds,baths,sqft\n" + "3,2,1850\n" * 5000))
    with pytest.raises(BrokenPipeError):
        response.data  # noqa: B018 (it is read)
    response.close()
    assert get_upload_budget().held == 0
    assert not caplog.records


def test_the_record_of_a_file_counts_its_rows_at_the_end(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    records: list[RequestRecord] = []
    observer = app._outermost  # type: ignore[attr-defined]
    monkeypatch.setattr(observer, "_listeners", (records.append,))
    response = client.post("/batch/summary", **sent(HOUSES), buffered=False)
    assert records == []
    length = len(response.data)
    response.close()
    (record,) = records
    assert (record.route, record.model, record.bytes) == (
        "/batch/summary", "house-price", length,
    )  # fmt: skip
    assert record.outcome is not None
    assert record.outcome.predictions == 3
    assert record.outcome.out_of_distribution == 1
    assert set(record.outcome.refused) == {"beds", "sqft"}


def packed(*files: tuple[str, bytes]) -> bytes:
    """A ZIP of files."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in files:
            writer.writestr(name, content)
    return archive.getvalue()


def test_a_zip_of_pictures_is_a_file_of_many_rows(client: FlaskClient) -> None:
    picture = encoded(chest())
    content = packed(
        ("one.png", picture), ("=x<b>.png", picture), ("folder/no.txt", b"words"),
        ("bomb.png", bomb()), ("__MACOSX/._one.png", b"x"),
        ("red.png", encoded(Image.new("RGB", (300, 300), "red"))),
    )  # fmt: skip
    soup = post(client, content, XRAY + "batch/summary", "chests.zip")
    assert text_of(soup, "#result-title") == "2 of 5 answered"
    refused = ["folder/no.txt", "bomb.png", "red.png"]
    assert [row[2] for row in cells(soup, "fix-title")] == refused
    assert text_of(soup, ".shares li").endswith("2")
    rows = download(client, content, XRAY + "batch/answers.csv", "chests.zip")
    alone = client.post(XRAY + "api/predict", data=picture, content_type="image/png").json
    assert alone is not None
    assert rows[0]["label"] == alone["label"]
    for label, share in alone["probabilities"].items():
        assert float(rows[0][f"probability_{label}"]) == pytest.approx(share, abs=1e-6)
    assert rows[1]["file"] == "'=x<b>.png"
    assert [rows[4][f"probability_{label}"] for label in alone["probabilities"]] == ["", ""]
    assert rows[3]["error"]
    assert "does not look like" in rows[4]["error"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"no archive", 422),
        (packed(), 422),
        (packed(("one.png", b"x" * 5000))[:-40], 422),
        (packed(*((f"{number}.png", b"") for number in range(11))), 413),
        (packed(*((f"{number}.png", bytes(9_000_000)) for number in range(5))), 413),
    ],
    ids=["text", "empty", "cut", "many", "bomb"],
)
def test_a_zip_that_cannot_be_answered_is_refused(
    narrow: FlaskClient, content: bytes, status: int
) -> None:
    response = narrow.post(XRAY + "batch", **sent(content, name="chests.zip"))
    assert response.status_code == status
    assert text_of(check_page(response), "#file-error")


def test_a_workbook_that_unpacks_to_far_more_is_refused(narrow: FlaskClient) -> None:
    content = packed(("xl/worksheets/sheet1.xml", bytes(30_000_000)))
    response = narrow.post("/batch", **sent(content, name="houses.xlsx"))
    assert response.status_code == 413
    assert "far larger" in text_of(check_page(response), "#file-error")


@pytest.mark.parametrize("probabilities", [True, False])
def test_a_model_of_classes_counts_them(
    tmp_path_factory: pytest.TempPathFactory, probabilities: bool
) -> None:
    folder = tmp_path_factory.mktemp("models")
    write_flowers(folder / "flowers", probabilities=probabilities)
    client = create_app(Settings(models=("flowers",)), folder).test_client()
    content = "length,width\n6,5\n2,8\nx,1\n6,4.5\n"
    soup = post(client, content)
    assert text_of(soup, "#result-title") == "3 of 4 answered"
    assert sum(int(item.get_text()) for item in soup.select(".shares li span + span")) == 3
    first = cells(soup, "first-title")[0]
    assert first[:4] == ["2", "6", "5", "Iris"]
    assert len(first) == 4 + probabilities
    rows = download(client, content)
    assert rows[0]["label"] == "iris"
    assert ("probability_iris" in rows[0]) == probabilities


def test_the_middle_and_the_ends_of_a_file_are_those_of_its_answers(client: FlaskClient) -> None:
    areas = range(600, 3000, 13)
    content = "beds,baths,sqft\n" + "".join(f"3,2,{area}\n" for area in areas)
    prices = [float(row["prediction"]) for row in download(client, content)]
    low, middle, high = (
        round(value / 500) * 500 for value in np.quantile(prices, (0.05, 0.5, 0.95))
    )
    title = text_of(post(client, content), "#strip-title")
    assert title == (
        f"Half of your {len(areas)} answers are below ${middle:,.0f}; "
        f"nine of ten lie between ${low:,.0f} and ${high:,.0f}."
    )


def test_of_few_answers_the_line_holds_all(client: FlaskClient) -> None:
    soup = post(client, "beds,baths,sqft\n3,2,1000\n3,2,2000\n")
    low, high = (row[4] for row in cells(soup, "first-title"))
    assert f"The thick line holds all of them: {low} to {high}." in soup.get_text()


def test_one_answer_alone_has_no_half_and_no_nine_of_ten(client: FlaskClient) -> None:
    soup = post(client, "beds,baths,sqft\n3,2,1850\n")
    assert "half of" not in soup.get_text()
    assert not soup.select("svg.strip")
    assert cells(soup, "first-title")[0][4].startswith("$")


def test_a_file_without_any_answer_shows_what_to_fix(client: FlaskClient) -> None:
    soup = post(client, "beds,baths,sqft\n" + "x,2,1850\n" * 30)
    result = soup.select_one("#result")
    assert result is not None
    assert result["data-state"] == "withdrawn"
    assert text_of(soup, "#fix-title") == "30 rows to fix; the first 10"
    assert not soup.select("svg.strip")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", "\nbeds,baths,sqft\n3,2,1850\n\n\n3,2,x\n"),
        (
            "rows.jsonl",
            '{"beds": 3, "baths": 2, "sqft": 9e2}\n{"beds": 3, "baths": 2, "sqft": "x"}',
        ),
    ],
)
def test_a_row_to_fix_has_the_number_that_it_has_in_the_answers(
    client: FlaskClient, name: str, content: str
) -> None:
    soup = post(client, content, name=name)
    assert "Rows are numbered as in the file with the answers." in soup.get_text()
    ((number, *_),) = cells(soup, "fix-title")
    answers = download(client, content, name=name)
    assert answers[int(number) - 2]["sqft"] == "x"


def test_the_first_answers_are_called_so_where_the_first_rows_have_none(
    client: FlaskClient,
) -> None:
    soup = post(client, "beds,baths,sqft\nx,2,1850\n3,2,1850\n")
    assert text_of(soup, "#first-title") == "The first answers"
    assert cells(soup, "first-title")[0][0] == "3"


def test_a_column_of_ours_that_the_file_has_already_gets_a_prefix(client: FlaskClient) -> None:
    (row,) = download(client, "beds,baths,sqft,prediction\n3,2,1850,mine\n")
    assert row["prediction"] == "mine"
    assert json.loads(row["formcast_prediction"]) > 0


@pytest.mark.parametrize("size", [None, -1, 2**21])
def test_what_gzip_packed_is_unpacked_up_to_a_limit_however_much_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, size: int | None
) -> None:
    monkeypatch.setattr(batches, "MOST_UNPACKED", 1)

    def read(data: bytes) -> bytes:
        limits = batches.BatchLimits(rows=9, megabytes=1)
        return batches._UnpackedUpload(io.BytesIO(data), "my.csv.gz", limits).read(size)

    most = b"a" * 2**20
    assert read(gzip.compress(most)) == most
    with pytest.raises(batches.TooLargeError, match="far larger than itself"):
        read(gzip.compress(most + b"a"))
    for broken in (gzip.compress(most)[:-9], b"\x1f\x8b\x08broken", b"a,b"):
        with pytest.raises(TableError, match=r"my\.csv\.gz cannot .* not a whole file of gzip"):
            read(broken)


def test_a_block_is_split_with_what_is_wrong_in_its_rows() -> None:
    block = Block([list("abcde"), list("vwxyz")], 5, {0: "first", 2: "third", 4: "last"})
    assert list(batches.split_block(block, 5)) == [block]
    parts = list(batches.split_block(block, 2))
    assert [part.columns[0] for part in parts] == [["a", "b"], ["c", "d"], ["e"]]
    assert [part.rows for part in parts] == [2, 2, 1]
    assert [dict(part.ragged) for part in parts] == [{0: "first"}, {0: "third"}, {0: "last"}]


def test_rows_are_counted_as_the_card_s_locale_counts() -> None:
    tally = Tally((), {}, "de_DE")
    tally.labels = {"iris": 1500}
    assert [view.text for view in count_labels(tally, {})] == ["1.500"]
