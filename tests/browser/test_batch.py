"""A file of many rows in a browser, with and without scripts."""

import csv
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.helpers import check_accessible, overflow

pytestmark = pytest.mark.slow

ROWS = "beds,baths,sqft,owner\n3,2.5,1850,Ann\n8,1,700,Bob\n3,2,185000,Eve\n"


@pytest.fixture
def houses(tmp_path: Path) -> Path:
    path = tmp_path / "houses.csv"
    path.write_text(ROWS + "3,2,1500,Max\n" * 3000)
    return path


def test_the_answers_come_in_place_and_the_file_stays_chosen_for_the_download(
    page: Page, houses: Path
) -> None:
    page.goto("/batch")
    page.locator("#file").set_input_files(houses)
    page.get_by_role("button", name="Show the answers").click()
    expect(page.locator("#result-title")).to_have_text("3,002 of 3,003 answered")
    expect(page.locator("#announcer")).to_have_text(re.compile("3,002 of 3,003 answered"))
    expect(page.locator(".progress")).to_have_count(0)
    with page.expect_download() as kept:
        page.get_by_role("button", name="Download with the answers (CSV)").click()
    assert kept.value.suggested_filename == "houses-answers.csv"
    with kept.value.path().open(newline="") as file:
        answered = list(csv.DictReader(file))
    assert len(answered) == 3003
    assert answered[2]["error"] == "Square feet must be between 300 and 6,000"
    check_accessible(page)
    assert overflow(page) == 0


def test_on_a_phone_the_label_at_the_middle_row_stays_on_the_page(
    page: Page, tmp_path: Path
) -> None:
    path = tmp_path / "three.csv"
    path.write_text("beds,baths,sqft\n3,2,1850\n8,1,400\n3,1,1200\n")
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/batch")
    page.locator("#file").set_input_files(path)
    page.get_by_role("button", name="Show the answers").click()
    label = page.locator(".strip text.strong")
    expect(label).to_be_visible()
    assert label.evaluate("label => label.getBoundingClientRect().right") <= 360
    expect(page.locator("#result")).to_contain_text("half of them below $123,500")


def test_a_file_that_cannot_be_answered_says_so_and_the_next_one_is_answered(
    page: Page, houses: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    page.goto("/batch")
    page.locator("#file").set_input_files(wrong)
    page.get_by_role("button", name="Show the answers").click()
    expect(page.locator("#result-title")).to_have_text("No answers yet")
    page.locator("#file").set_input_files(houses)
    page.get_by_role("button", name="Show the answers").click()
    expect(page.locator("#result-title")).to_have_text("3,002 of 3,003 answered")


@pytest.mark.parametrize("expected", [["ERR_FAILED", "Failed to fetch"]])
def test_a_lost_answer_is_said_and_the_file_is_kept(
    page: Page, houses: Path, expected: list[str], expected_errors: list[str]
) -> None:
    expected_errors += expected
    page.goto("/batch")
    page.locator("#file").set_input_files(houses)
    page.route("**/batch/summary", lambda route: route.abort())
    page.get_by_role("button", name="Show the answers").click()
    expect(page.get_by_role("alert")).to_contain_text("No answer came")
    page.unroute_all(behavior="ignoreErrors")
    page.get_by_role("button", name="Show the answers").click()
    expect(page.locator("#result-title")).to_have_text("3,002 of 3,003 answered")


def answer_one_row(page: Page, folder: Path) -> Path:
    """Show the answer to a file of one row; return the file."""
    page.goto("/batch")
    file = folder / "houses.csv"
    file.write_text("beds,baths,sqft\n3,2,1850\n")
    page.locator("#file").set_input_files(file)
    page.get_by_role("button", name="Show the answers").click()
    expect(page.locator("#result-title")).to_have_text("1 of 1 answered")
    return file


@pytest.mark.parametrize("browser_reads", ["nothing", "other bytes"])
def test_a_file_that_was_saved_since_it_was_sent_is_to_be_chosen_again(
    page: Page, tmp_path: Path, browser_reads: str
) -> None:
    file = answer_one_row(page, tmp_path)
    if browser_reads == "nothing":
        os.utime(file, (1e9, 1e9))
    else:  # as Firefox does, which then sends for ever
        page.evaluate("Blob.prototype.arrayBuffer = async () => new ArrayBuffer(9)")
    page.get_by_role("button", name="Show the answers").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose it again")


@pytest.mark.parametrize("fault", ["saved", "removed"])
def test_a_download_of_a_file_that_is_another_by_now_leaves_the_page_where_it_is(
    page: Page, tmp_path: Path, fault: str
) -> None:
    file = answer_one_row(page, tmp_path)
    if fault == "saved":
        file.write_text("beds,baths,sqft\n3,2,1850\n3,2,900\n")
    else:
        file.unlink()
    page.get_by_role("button", name="Download with the answers (CSV)").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose it again")
    assert page.url.endswith("/batch")


def test_a_download_of_a_file_that_no_memory_holds_says_that_it_is_too_large(
    page: Page, tmp_path: Path, expected_errors: list[str]
) -> None:
    expected_errors.append("status of 413")
    file = tmp_path / "houses.csv"
    file.touch()
    os.truncate(file, 2_600_000_000)  # without a block on the disk
    page.goto("/batch")
    page.locator("#file").set_input_files(file)
    page.get_by_role("button", name="Download them as CSV").click()
    expect(page.locator("main")).to_contain_text("too large")


def test_answers_go_when_the_same_file_is_chosen_again(page: Page, houses: Path) -> None:
    page.goto("/batch")
    page.locator("#file").set_input_files(houses)
    page.get_by_role("button", name="Show the answers").click()
    expect(page.locator("#result-title")).to_have_text("3,002 of 3,003 answered")
    cancelled = "input => input.dispatchEvent(new Event('cancel', {bubbles: true}))"
    page.locator("#file").evaluate(cancelled)  # a dialog that was closed
    expect(page.locator("#result-title")).to_have_text("3,002 of 3,003 answered")
    houses.write_text(ROWS)
    page.locator("#file").set_input_files(houses)
    page.locator("#file").evaluate(cancelled)  # what Chromium says of the same path
    expect(page.locator("#result-title")).to_have_text("Choose a file")
    expect(page.locator("#announcer")).to_be_empty()


def test_answers_go_when_another_file_is_chosen(page: Page, houses: Path, tmp_path: Path) -> None:
    page.goto("/batch")
    page.locator("#file").set_input_files(houses)
    page.get_by_role("button", name="Show the answers").click()
    expect(page.locator("#result-title")).to_have_text("3,002 of 3,003 answered")
    other = tmp_path / "other.csv"
    other.write_text(ROWS)
    page.locator("#file").set_input_files(other)
    expect(page.locator("#result-title")).to_have_text("Choose a file")
    expect(page.locator("#answer")).not_to_contain_text("answered")
    page.get_by_role("button", name="Show the answers").click()
    expect(page.locator("#result-title")).to_have_text("2 of 3 answered")


@pytest.mark.parametrize(("status", "body"), [(502, "<h1>Only $5 a month</h1>"), (429, "")])
def test_a_foreign_answer_is_not_shown_and_said_to_be_none(
    page: Page, houses: Path, expected_errors: list[str], status: int, body: str
) -> None:
    expected_errors.append("status of")
    page.goto("/batch")
    page.locator("#file").set_input_files(houses)
    page.route("**/batch/summary", lambda route: route.fulfill(status=status, body=body))
    page.get_by_role("button", name="Show the answers").click()
    expect(page.get_by_role("alert")).to_contain_text("The server could not answer")
    expect(page.locator("#answer")).not_to_contain_text("$5")


def test_without_scripts_the_same_comes_as_a_page(
    browser: Browser, base_url: str, houses: Path
) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    page = context.new_page()
    page.goto("/batch")
    page.locator("#file").set_input_files(houses)
    with page.expect_download() as kept:
        page.get_by_role("button", name="Download them as CSV").click()
    assert kept.value.path().read_text().count("\n") == 3004
    page.get_by_role("button", name="Show the answers").click()
    expect(page.locator("#result-title")).to_have_text("3,002 of 3,003 answered")
    expect(page.locator(".progress").first).to_be_hidden()
    expect(page.get_by_role("button", name="Download with the answers (CSV)")).to_be_hidden()
    context.close()
