"""The answer stays in sight, nothing is cut off, and the page is light, at both widths."""

import re

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from app.pages.errors import WORDS
from tests.browser.helpers import FRESH, overflow, when_fresh

pytestmark = pytest.mark.slow

WINDOWS = [(1280, 800), (360, 740)]
STATES = ("/", FRESH, "/?beds=99&baths=2&sqft=1850", "/?beds=3")
PAGES = (*STATES, FRESH + "&neighborhood=Gilbert&what_if=neighborhood", "/about", "/api",
         "/chest-xray/", "/chest-xray/about", "/batch", "/chest-xray/batch",
         "/nowhere")  # fmt: skip

COVERED = """(field) => {
    const box = field.getBoundingClientRect();
    return !field.contains(document.elementFromPoint(box.x + box.width / 2, box.y + 4))
        || !field.contains(document.elementFromPoint(box.x + box.width / 2, box.bottom - 4));
}"""


@pytest.fixture
def expected_errors() -> list[str]:
    return ["status of", "ERR_FAILED", "htmx:error", "Failed to fetch"]


@pytest.mark.parametrize(("width", "height"), WINDOWS)
def test_the_answer_is_in_sight_of_every_field_and_covers_none(
    page: Page, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(FRESH)
    for field in page.locator("#form .field :is(input, select)").all():
        field.focus()
        expect(page.locator("#result .price")).to_be_in_viewport(ratio=1)
        expect(page.locator("#result .range")).to_be_in_viewport(ratio=1)
        assert not field.evaluate(COVERED), field.get_attribute("id")


@pytest.mark.parametrize(("width", "height"), WINDOWS)
def test_the_answer_is_in_sight_of_a_form_that_is_longer_than_it(
    page: Page, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(FRESH)
    page.evaluate("""() => {
        document.getElementById("form").classList.remove("short");
        document.getElementById("more").style.marginTop = "3000px";
    }""")
    page.locator("#fireplaces").focus()
    expect(page.locator("#result .price")).to_be_in_viewport(ratio=1)
    expect(page.locator("#result .range")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(("width", "height"), WINDOWS)
def test_the_headline_has_one_height_in_all_states(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    heights = []
    for path in STATES:
        page.goto(path)
        heights.append(page.locator(".head").evaluate("(head) => head.offsetHeight"))
    page.goto(FRESH)
    page.route("**/predict-fragment", lambda route: route.abort())
    page.locator("#sqft").fill("2000")
    expect(page.locator("#answer")).to_have_attribute("data-state", "pending")
    heights.append(page.locator(".head").evaluate("(head) => head.offsetHeight"))
    expect(page.locator("#answer")).to_have_attribute("data-state", "failed")
    heights.append(page.locator(".head").evaluate("(head) => head.offsetHeight"))
    assert len(set(heights)) == 1, heights


@pytest.mark.parametrize(
    "status",
    [*(pytest.param(code, marks=pytest.mark.second_tier) for code in (200, 413, 500)), 429, 503],
)
def test_an_alert_lies_in_the_headline_and_covers_no_button(page: Page, status: int) -> None:
    heading, advice = WORDS.get(status, ("", ""))
    code = " <small>Code: <code>0123456789abcdef</code></small>" if status == 500 else ""
    body = f'<section id="error"><h2>{heading}</h2>\n<p>{advice}{code}</p></section>'
    page.goto(FRESH)
    page.route(
        "**/predict-fragment",
        lambda route: route.fulfill(
            status=status, body=body if heading else "<html>", headers={"Retry-After": "60"}
        ),
    )
    page.locator("#sqft").fill("2000")
    expect(page.locator("#alert p")).to_be_visible()
    button = page.locator("#alert button")
    expect(button).to_have_count(int(status != 413))
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        head, text = page.locator(".head").bounding_box(), page.locator("#alert p").bounding_box()
        assert head
        assert text
        assert text["y"] >= head["y"]
        assert text["y"] + text["height"] <= head["y"] + head["height"]
        if box := button.bounding_box() if status != 413 else None:
            assert box["y"] + box["height"] <= text["y"]
            assert box["height"] >= 24


@pytest.mark.parametrize("size", [100, 200])
def test_a_sentence_in_the_headline_is_not_cut_off_on_a_phone(page: Page, size: int) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for typed in ("24", "240000"):
        page.goto(FRESH)
        page.evaluate("(size) => { document.documentElement.style.fontSize = `${size}%`; }", size)
        page.locator("#sqft").fill(typed)
        sentence = page.locator("#result .sentence")
        expect(sentence).to_be_visible()
        assert sentence.evaluate("(it) => it.scrollWidth <= it.clientWidth"), typed
        assert sentence.evaluate("(it) => it.scrollHeight <= it.clientHeight + 1"), typed


def test_nothing_sticks_in_a_low_window_or_where_text_is_large(page: Page) -> None:
    for height, size in ((400, 100), (740, 200)):
        page.set_viewport_size({"width": 360, "height": height})
        page.goto(FRESH)
        page.evaluate("(size) => { document.documentElement.style.fontSize = `${size}%`; }", size)
        page.evaluate("scrollTo(0, 0)")
        expect(page.locator(".head")).not_to_be_in_viewport()


def test_nothing_scrolls_sideways_with_large_text_or_at_320_pixels(page: Page) -> None:
    for path in PAGES:
        page.goto(path)
        for width, size in ((1280, 200), (360, 200), (320, 100)):
            page.set_viewport_size({"width": width, "height": 740})
            page.evaluate(
                "(size) => { document.documentElement.style.fontSize = `${size}%`; }", size
            )
            assert overflow(page) <= 0, (path, width, size)


def test_what_is_filled_in_a_fold_is_not_wider_than_the_page(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 740})
    page.goto(FRESH + "&neighborhood=Gilbert&fireplaces=1")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.locator("summary", has_text="Make it more certain").click()
    expect(page.locator("#more-count .names")).to_be_visible()
    assert overflow(page) <= 0


def test_the_strip_keeps_its_place_from_state_to_state(page: Page) -> None:
    page.goto("/")
    place = page.locator(".strip").bounding_box()
    for name, value in (("beds", "3"), ("baths", "2.5"), ("sqft", "1850")):
        page.locator(f"#{name}").fill(value)
    when_fresh(page)
    assert page.locator(".strip").bounding_box() == place


def test_labels_in_the_strip_touch_neither_each_other_nor_the_edge(page: Page) -> None:
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        for sqft in ("400", "1440", "1850", "5900"):
            page.goto(f"/?beds=3&baths=2.5&sqft={sqft}")
            boxes = page.locator(".strip text").evaluate_all(
                "(texts) => texts.map((text) => text.getBoundingClientRect().toJSON())"
            )
            for number, box in enumerate(boxes):
                assert box["left"] >= 0, (width, sqft)
                assert box["right"] <= width, (width, sqft)
                for other in boxes[:number]:
                    apart = (
                        box["left"] >= other["right"]
                        or box["right"] <= other["left"]
                        or box["top"] >= other["bottom"] - 4
                        or box["bottom"] <= other["top"] + 4
                    )
                    assert apart, (width, sqft)


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize(
    "path", [FRESH, "/?beds=3&baths=2.5&sqft=3000&neighborhood=Northridge_Heights"]
)
def test_labels_in_the_strip_touch_at_no_size_of_text(page: Page, width: int, path: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(path)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    boxes = page.locator(".strip text:visible").evaluate_all(
        "(texts) => texts.map((text) => text.getBoundingClientRect().toJSON())"
    )
    assert len(boxes) >= 2
    for number, box in enumerate(boxes):
        assert box["left"] >= 0
        assert box["right"] <= width
        for other in boxes[:number]:
            if abs(box["top"] - other["top"]) < 4:
                assert box["left"] >= other["right"] or box["right"] <= other["left"]
    amount = page.locator(".price data")
    assert amount.evaluate("(it) => it.getClientRects().length") == 1  # no digit stands alone


BROKEN = """(items) => items.filter((item) => {
    const digits = item.textContent.match(/[0-9][0-9.,%]*/), text = document.createRange();
    const node = document.createTreeWalker(item, NodeFilter.SHOW_TEXT).nextNode();
    text.setStart(node, node.data.indexOf(digits[0]));
    text.setEnd(node, node.data.indexOf(digits[0]) + digits[0].length);
    return text.getClientRects().length > 1;
}).map((item) => item.textContent)"""


@pytest.mark.parametrize("size", [100, 200])
def test_no_amount_is_broken_within_its_digits(page: Page, size: int) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for path, amounts in ((FRESH, ".reasons data, .similar"), ("/chest-xray/about", "td.figure")):
        page.goto(path)
        page.evaluate("(size) => { document.documentElement.style.fontSize = `${size}%`; }", size)
        assert page.locator(amounts).count() > 2
        assert page.locator(amounts).evaluate_all(BROKEN) == []


@pytest.mark.parametrize("width", [360, 1280])
def test_bars_beside_amounts_of_any_length_begin_alike_and_have_one_scale(
    page: Page, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(f"{FRESH}&what_if=neighborhood")
    page.locator(".bars b").first.evaluate("(it) => { it.textContent = 'CHF 12,345,678'; }")
    places = page.locator(".bars svg").evaluate_all(
        "(all) => all.map((it) => it.getBoundingClientRect()).map((it) => [it.left, it.width])"
    )
    assert len(places) > 20
    assert places == places[:1] * len(places)


def test_a_table_of_columns_is_read_without_scrolling(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/batch")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.locator(".scroll").evaluate("(it) => it.scrollWidth <= it.clientWidth")


def test_a_page_without_its_styles_does_not_call_its_answer_old(page: Page) -> None:
    page.route("**/*.css", lambda route: route.abort())
    page.goto(FRESH)
    expect(page.locator("#result .price")).to_be_visible()
    expect(page.locator(".old")).to_be_hidden()
    expect(page.locator("#busy")).to_be_hidden()


def test_a_failed_page_is_printed_as_old_without_its_alert(page: Page) -> None:
    page.goto(FRESH)
    page.route("**/predict-fragment", lambda route: route.abort())
    page.locator("#sqft").fill("2000")
    expect(page.locator("#alert")).to_contain_text("No answer came")
    page.emulate_media(media="print")
    expect(page.locator(".old")).to_be_visible()
    expect(page.locator("#alert p")).to_be_hidden()


@pytest.mark.parametrize("width", [794, pytest.param(1280, marks=pytest.mark.second_tier)])
def test_a_printed_page_covers_no_word_and_breaks_no_number(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(FRESH)
    page.emulate_media(media="print")
    page.route("**/predict-fragment", lambda _: None)
    page.locator("#sqft").evaluate("(it) => { it.value = '2000'; }")
    expect(page.locator(".old")).to_be_visible()
    old, head = page.locator(".old").bounding_box(), page.locator(".head").bounding_box()
    assert old
    assert head
    assert old["y"] + old["height"] <= head["y"]
    assert page.locator(".price data").evaluate("(it) => it.getClientRects().length") == 1
    page.unroute_all(behavior="ignoreErrors")


def test_a_page_is_light(client: FlaskClient) -> None:
    for path in ("/", FRESH, "/chest-xray/", "/about", "/api"):
        small = {"Accept-Encoding": "gzip"}
        page = client.get(path, headers=small)
        text = client.get(path).text
        sheets = re.findall(r'stylesheet" href="([^"]+)"', text)
        scripts = re.findall(r'script src="([^"]+)"', text)
        own = [script for script in scripts if "htmx" not in script]
        assert sum(len(client.get(sheet).data) for sheet in sheets) <= 16 * 1024, path
        assert sum(len(client.get(script).data) for script in own) <= 8 * 1024, path
        first = len(page.data) + sum(len(client.get(it, headers=small).data) for it in sheets)
        assert first <= 14_600, path
        others = [*scripts, *re.findall(r'rel="icon" href="([^"]+)"', text)]
        cold = first + sum(len(client.get(other, headers=small).data) for other in others)
        assert cold <= 30 * 1024, path


@pytest.mark.parametrize("width", [320, 360])
def test_a_number_of_any_length_and_the_name_of_any_class_fit_a_phone(
    page: Page, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(FRESH)
    page.locator("#why").evaluate("""(why) => {
        for (const amount of why.querySelectorAll(".reasons data"))
            amount.textContent = "32,500,000,000,000";
        why.insertAdjacentHTML("beforebegin", `<ul class="shares"><li><span>Kreditausschuss der
            Hauptverwaltung</span> <data>over 99%</data><svg></svg></li></ul>
            <ul class="shares"><li><span>A</span> <span>12</span><svg></svg></li></ul>`);
    }""")
    assert overflow(page) == 0
    count = page.locator(".shares li > :nth-child(2):not(data)")
    assert count.evaluate("(it) => it.offsetWidth") < 40  # at the right, as on /batch
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    name = page.locator(".shares span").first
    assert name.evaluate("(it) => it.offsetWidth >= 0.8 * it.closest('ul').offsetWidth")


def test_a_text_from_right_to_left_ends_at_its_left(page: Page) -> None:
    page.goto("/")
    ends = page.locator(".lead").evaluate("""(lead) => {
        lead.textContent = "إجابة من أربع حقائق.";
        return [0, lead.textContent.length - 1].map((place) => {
            const range = document.createRange();
            range.setStart(lead.firstChild, place);
            range.setEnd(lead.firstChild, place + 1);
            return range.getBoundingClientRect().x;
        });
    }""")
    assert ends[1] < ends[0]


def test_wider_lines_cut_no_line_of_the_headline_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 740})
    page.goto("/")
    cut = page.locator(".sentence").evaluate("""(sentence) => {
        sentence.textContent = "The sale price appears when the living area is complete.";
        sentence.style.lineHeight = 1.5;
        return sentence.scrollHeight - sentence.clientHeight;
    }""")
    assert cut <= 0


def test_a_figure_in_a_paragraph_leaves_its_lines_to_text_wrap(page: Page) -> None:
    page.goto("/about")
    figure = page.locator("main p [translate=no]").first
    assert figure.evaluate("(it) => getComputedStyle(it).unicodeBidi") == "normal"
