"""Uploads: page and fragment, every refusal in words, limits, no trace on disk or in the log."""

import logging
import tempfile

import numpy as np
import pytest
from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient
from PIL import Image

from app import create_app
from app.config import Settings
from app.kinds.pictures import PictureAdapter
from app.presentation.pictures import PictureView
from model import ClassPrediction, PictureModel
from model.contract.formatting import format_percent
from model.contract.pictures import MEDIA_TYPES
from tests.html import check_fragment, check_page, get_page, post_fragment, post_page, text_of
from tests.loading import load_as
from tests.pictures import REFUSED, XRAY, XRAY_FRAGMENT, body, chest, encoded, rotated, upload
from tests.tools import ROOT

JPEG = encoded(chest(), "JPEG", quality=95)
WARNING = "Not a medical device, not for diagnosis."


def answer_of(soup: BeautifulSoup) -> tuple[str, dict[str, float]]:
    (prediction,) = soup.select("#result data.prediction")
    shares = soup.select("#result data.probability")
    return str(prediction["value"]), {
        str(item["data-label"]): float(str(item["value"])) for item in shares
    }


def test_the_empty_page_asks_for_a_picture_and_warns(client: FlaskClient) -> None:
    soup = get_page(client, XRAY)
    assert soup.select("#result[data-state=empty]")
    assert text_of(soup, "#result .price") == "Choose a picture"
    assert text_of(soup, "#result .range") == "The answer appears here."
    assert text_of(soup, "#result .warning") == WARNING
    file, camera = soup.select('#form[enctype="multipart/form-data"] input[type="file"]')
    assert file["name"] == camera["name"] == "image"
    assert str(file["accept"]).split(",") == list(MEDIA_TYPES)
    assert camera["capture"] == "environment"
    assert not soup.select("#form[autocomplete]")  # Safari would drop the file on the way back
    assert "It is read in memory and never stored." in soup.get_text()
    assert not soup.select("data")


def test_an_upload_is_answered_with_class_and_probabilities(client: FlaskClient) -> None:
    soup = post_fragment(client, upload(JPEG), path=XRAY_FRAGMENT)
    value, shares = answer_of(soup)
    assert shares.keys() == {"NORMAL", "PNEUMONIA"}
    assert sum(shares.values()) == pytest.approx(1, abs=1e-9)
    assert value == max(shares, key=shares.__getitem__)
    assert text_of(soup, "#result .range").endswith(WARNING)
    assert "Learned from 5,216 chest X-rays" in text_of(soup, "#result")
    assert "percentages assume that both are equally common" in text_of(soup, "#result")
    assert soup.select(f'#result a[href="{XRAY}about"]')


def test_a_photo_of_some_megabytes_is_answered_like_the_small_one(client: FlaskClient) -> None:
    large = chest().resize((4000, 3000))
    grain = np.random.default_rng(0).integers(0, 6, (3000, 4000), dtype=np.uint8)
    photo = encoded(Image.fromarray(np.asarray(large) // 2 + grain), "JPEG", quality=97)
    assert 2_000_000 < len(photo) < 10_000_000
    value, _ = answer_of(post_fragment(client, upload(JPEG), path=XRAY_FRAGMENT))
    response = client.post(XRAY_FRAGMENT, **body(photo))
    assert response.status_code == 200
    assert answer_of(check_fragment(response))[0] == value


def test_page_and_fragment_give_the_same_result(client: FlaskClient) -> None:
    page = post_page(client, upload(JPEG), path=XRAY)
    fragment = post_fragment(client, upload(JPEG), path=XRAY_FRAGMENT)
    assert str(page.select_one("#result")) == str(fragment.select_one("#result"))


def test_the_picture_stands_there_upright_with_a_map_that_can_be_switched(
    client: FlaskClient,
) -> None:
    soup = post_fragment(client, upload(rotated()), path=XRAY_FRAGMENT)
    (image,) = soup.select("#result svg image")
    assert str(image["href"]).startswith("data:image/jpeg;base64,")
    assert len(soup.select("#result .heat rect")) == 25
    assert "speaks for Pneumonia" in text_of(soup, "#result figcaption")
    assert soup.select_one("#result input#show-map[type=checkbox][checked]:not([name])")
    assert answer_of(soup)[1]["PNEUMONIA"] == pytest.approx(
        answer_of(post_fragment(client, upload(JPEG), path=XRAY_FRAGMENT))[1]["PNEUMONIA"], abs=0.05
    )


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_an_unreadable_file_is_refused_at_the_field(client: FlaskClient, name: str) -> None:
    data, words = REFUSED[name]
    response = client.post(XRAY_FRAGMENT, **body(data))
    assert response.status_code == 422
    soup = check_fragment(response)
    assert text_of(soup, "#image-error[data-hx-swap-oob]") == f"Error: {words}"
    assert words in text_of(soup, "#result")
    assert not soup.select("data")


def test_a_refused_full_post_has_a_focused_summary_that_links(client: FlaskClient) -> None:
    soup = post_page(client, upload(b"<svg/>"), status=422, path=XRAY)
    assert text_of(soup, "head > title").startswith("Error: ")
    (link,) = soup.select("#errors[autofocus] a")
    assert link["href"] == "#image"
    (file,) = soup.select("#image[aria-invalid=true]")
    assert "image-error" in str(file["aria-describedby"])


def test_a_picture_that_is_not_an_xray_is_refused(client: FlaskClient) -> None:
    from PIL import Image

    for image in (Image.new("L", (300, 300), 255), Image.new("RGB", (300, 300), "teal"),
                  Image.effect_noise((300, 300), 60)):  # fmt: skip
        soup = post_fragment(client, upload(encoded(image)), status=422, path=XRAY_FRAGMENT)
        assert "does not look like a frontal chest X-ray" in text_of(soup, "#image-error")


@pytest.mark.parametrize("data", [{}, {"image": "text"}, {"other": "x"}, upload(b"", name="")])
def test_a_missing_file_is_asked_for(client: FlaskClient, data: dict[str, object]) -> None:
    response = client.post(XRAY_FRAGMENT, data=data, content_type="multipart/form-data")
    assert response.status_code == 422
    soup = check_fragment(response)
    assert text_of(soup, "#image-error") == "Error: Choose a picture"
    assert client.post(XRAY, data={"image": "x"}).status_code == 422


def test_two_files_are_refused(client: FlaskClient) -> None:
    soup = post_fragment(client, upload(JPEG, JPEG), status=422, path=XRAY_FRAGMENT)
    assert text_of(soup, "#image-error") == "Error: Choose a picture once"


def test_a_body_over_the_limit_is_refused_unparsed(client: FlaskClient) -> None:
    large = b"x" * (10 * 1024 * 1024 + 70_000)
    response = client.post(XRAY, **body(large))
    assert response.status_code == 413
    assert "choose a smaller file" in text_of(check_page(response), "#error")
    response = client.post(XRAY_FRAGMENT, **body(large))
    assert response.status_code == 413
    soup = check_fragment(response)
    assert text_of(soup, "#image-error") == "Error: Chest X-ray must be 10 MB or less"
    assert soup.select("#result[data-state=withdrawn]")


@pytest.mark.parametrize("path", [XRAY, XRAY_FRAGMENT])
def test_a_body_of_unknown_length_is_refused(client: FlaskClient, path: str) -> None:
    response = client.post(path, data=upload(JPEG), headers={"Transfer-Encoding": "chunked"})
    assert response.status_code == 411


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"--x",
        b"--x\r\n\r\n",
        b"--x\n\nabc\n--x--",
        b"--x\r\n" + b"a: b\r\n" * 3000,
        b"\0" * 99,
    ],
)
def test_a_malformed_body_is_no_internal_error(client: FlaskClient, sent: bytes) -> None:
    for kind in ("multipart/form-data; boundary=x", "multipart/form-data"):
        response = client.post(XRAY_FRAGMENT, data=sent, content_type=kind)
        assert response.status_code in (413, 422)
        check_fragment(response)


def test_many_parts_are_refused(client: FlaskClient) -> None:
    data = {f"field{number}": "x" for number in range(50)}
    response = client.post(XRAY_FRAGMENT, data=data, content_type="multipart/form-data")
    assert response.status_code == 413


def test_an_upload_touches_no_disk_and_no_log(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def on_disk(*_: object, **__: object) -> None:
        raise AssertionError("a file was made")

    for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, on_disk)
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", on_disk)
    large = encoded(chest().resize((1600, 1200)).convert("RGB"), "PNG", compress_level=0)
    assert len(large) > 5_000_000
    with caplog.at_level(logging.DEBUG, logger="app"):
        response = client.post(XRAY_FRAGMENT, **body(large, name="Jane Doe.png"))
        assert response.status_code == 200
        client.post(XRAY_FRAGMENT, **body(b"<svg/>", name="Jane Doe.png"))
    assert "Jane" not in caplog.text


def test_the_name_of_a_file_is_not_given_back(client: FlaskClient) -> None:
    name = "<script>alert(1)</script>.png"
    response = client.post(XRAY, data=upload(b"<svg/>", name=name))
    assert "alert" not in check_page(response).get_text()


def test_each_model_links_to_the_other_and_marks_the_open_one(client: FlaskClient) -> None:
    for path in ("/", "/about", XRAY, XRAY + "about"):
        soup = get_page(client, path)
        links = {link.get_text(): str(link["href"]) for link in soup.select("header nav a")}
        assert links == {"House price": "/", "Chest X-ray": XRAY}
        (here,) = soup.select("header nav a[aria-current]")
        assert here["href"] == (XRAY if path.startswith(XRAY) else "/")
    assert not get_page(client, "/nowhere", status=404).select("[aria-current]")


def test_a_model_alone_needs_no_navigation() -> None:
    alone = create_app(Settings(models=("chest-xray",))).test_client()
    assert not get_page(alone, "/").select("header nav")
    assert answer_of(post_fragment(alone, upload(JPEG)))[0]


def test_the_card_for_people_shows_the_measured_figures(client: FlaskClient) -> None:
    model = load_as(PictureModel, ROOT / "model" / "chest_xray")
    soup = get_page(client, XRAY + "about")
    page = text_of(soup, "main")
    shown = [item.get_text() for item in soup.select("td.figure")]
    figures = [format_percent(item.value, "en_US", digits=1) for item in model.manifest.metrics]
    assert sorted(shown) == sorted(figures)
    assert "Restyled to resemble the other group" in page
    for text in (*model.card.limits, model.manifest.data.source):
        assert text in page
    for use in model.card.not_for:
        assert use[1:] in page


def test_the_probability_is_never_shown_as_certain() -> None:
    adapter = PictureAdapter(load_as(PictureModel, ROOT / "model" / "chest_xray"))
    submission = adapter.decode([JPEG])
    assert submission.row is not None
    (explained,) = adapter.model.explain([submission.row])
    for share, words in ((0.9999, "over 99%"), (0.0001, "under 1%"), (0.5, "50%")):
        prediction = ClassPrediction("PNEUMONIA", share, (1 - share, share))
        view = adapter.present(submission, explained._replace(prediction=prediction)).detail
        assert isinstance(view, PictureView)
        assert view.classes[1].text == words
        assert view.classes[1].bar == pytest.approx(100 * share, abs=0.05)
        marks = [item.mark for item in view.classes]
        assert marks == (["within", "up"] if share > 0.5 else ["up", "within"])


def test_a_long_name_of_a_class_has_smaller_letters_as_on_other_pages(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.kinds.pictures.measure_size", lambda text: f"of-{text}")
    soup = post_fragment(client, upload(JPEG), path=XRAY_FRAGMENT)
    assert soup.select(f"#result .price.of-{text_of(soup, '#result .price')}")


@pytest.mark.parametrize(
    ("most", "rest"),
    [(2, ""), (1, "The class not shown has 25%."), (3, "")],
)
def test_a_class_that_has_no_bar_has_what_is_left(
    monkeypatch: pytest.MonkeyPatch, most: int, rest: str
) -> None:
    monkeypatch.setattr("app.presentation.result.MAX_CLASSES", most)
    adapter = PictureAdapter(load_as(PictureModel, ROOT / "model" / "chest_xray"))
    submission = adapter.decode([JPEG])
    assert submission.row is not None
    (explained,) = adapter.model.explain([submission.row])
    prediction = ClassPrediction("PNEUMONIA", 0.75, (0.25, 0.75))
    view = adapter.present(submission, explained._replace(prediction=prediction)).detail
    assert isinstance(view, PictureView)
    assert view.rest.startswith(rest)
    assert ("not shown" in view.rest) == bool(rest)


def test_a_fragment_holds_only_the_result_and_what_is_swapped_beside_it(
    client: FlaskClient,
) -> None:
    soup = BeautifulSoup(client.post(XRAY_FRAGMENT, data=upload(JPEG)).data, "html.parser")
    roots = [child for child in soup.children if isinstance(child, Tag)]
    assert roots[0]["id"] == "result"
    assert all("data-hx-swap-oob" in root.attrs for root in roots[1:])


def test_it_stays_small(client: FlaskClient) -> None:
    response = client.post(XRAY_FRAGMENT, data=upload(JPEG), headers={"Accept-Encoding": "gzip"})
    assert len(response.data) <= 16 * 1024
