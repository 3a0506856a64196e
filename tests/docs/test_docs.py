"""The documentation: what is generated is current, what is linked exists, nothing is left out."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from docs.files import list_files
from docs.generate import anchor, card_models, generated
from docs.picture import WIDTH, arrows_of, direct, draw_rooms, places_of, room_imports, rows_of
from tests.tools import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / ".github").rglob("*.md")]
    if path.is_file()
)
README_WORDS = 600


def prose(path: Path) -> str:
    """A page without its blocks of code."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"^    .*$", "", text, flags=re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """The ids of a page's headings."""
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)}


@pytest.mark.parametrize("name", ["architecture.svg", "card.md", "settings.md"])
def test_a_generated_file_is_what_the_generator_makes(name: str) -> None:
    assert (DOCS / name).read_text() == generated()[name], "run make docs"


def test_the_readme_is_short() -> None:
    words = len((ROOT / "README.md").read_text().split())
    assert words <= README_WORDS


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"https?:|mailto:", target):
            continue
        name, _, fragment = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), f"{target} leads nowhere"
        if fragment:
            assert fragment in anchors(file), f"{target}: there is no such heading"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_of_the_code_that_a_page_names_exists(path: Path) -> None:
    for name in re.findall(
        r"`((?:app|model|tests)/[\w/.-]+\.(?:py|js|css|html))`", path.read_text()
    ):
        assert (ROOT / name).exists(), f"{name} does not exist"


def test_every_page_of_the_documentation_can_be_reached_from_the_readme() -> None:
    found, left = set(), [ROOT / "README.md"]
    while left:
        page = left.pop()
        if page in found:
            continue
        found.add(page)
        for name in re.findall(r"\]\(([^)\s#]+\.md)[)#]", prose(page)):
            if "://" not in name:
                left.append((page.parent / name).resolve())
    assert set(DOCS.rglob("*.md")) <= found


def test_every_key_of_a_card_is_documented() -> None:
    rows = set(re.findall(r"^\| `(\w+)` \|", (DOCS / "card.md").read_text(), re.MULTILINE))
    keys = {name for model in card_models() for name in model.model_fields}
    assert {"title", "fields", "coverage", "choices", "samples"} <= keys
    assert rows == keys


@pytest.mark.parametrize(
    "path", sorted((DOCS / "decisions").glob("0*.md")), ids=lambda path: path.stem
)
def test_a_decision_says_its_context_what_was_decided_and_what_follows(path: Path) -> None:
    headings = re.findall(r"^(#+ .+)$", path.read_text(), re.MULTILINE)
    number, title = headings[0].removeprefix("# ").split(". ", 1)
    assert path.name.startswith(f"{int(number):04}-")
    assert title
    assert headings[1:] == ["## Context", "## Decision", "## Consequences"]


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    pages = sorted((DOCS / "decisions").glob("0*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", (DOCS / "decisions" / "README.md").read_text())
    assert listed == [page.name for page in pages]


def test_in_the_picture_every_room_stands_above_those_that_it_imports() -> None:
    imports = room_imports("app", "model")
    row = rows_of(imports)
    assert all(row[room] < row[target] for room, found in imports.items() for target in found)
    picture = draw_rooms("app", "model")
    assert all(f">{room}</text>" in picture for room in imports)


def test_the_picture_leaves_out_only_imports_that_follow_from_others() -> None:
    imports = {"a": {"b", "c", "d"}, "b": {"c"}, "c": set(), "d": set()}
    arrows = {"a": {"b", "d"}, "b": {"c"}, "c": set(), "d": set()}
    assert direct(imports) == arrows
    row = rows_of(imports)
    assert row == {"a": 0, "b": 1, "c": 2, "d": 2}
    assert [(0, "a"), (1, "a>d"), (2, "d")] in arrows_of(arrows, row)


def test_no_two_boxes_of_the_picture_overlap() -> None:
    imports = room_imports("app", "model")
    row = rows_of(imports)
    place = places_of({(row[room], room) for room in row}, arrows_of(direct(imports), row))
    for number in set(row.values()):
        middles = sorted(place[number, room] for room in row if row[room] == number)
        assert all(right - left > WIDTH for left, right in pairwise(middles))


def test_every_file_of_the_code_is_listed_with_its_purpose() -> None:
    lines = list_files().splitlines()
    assert "app/config: What the person who runs the app can choose" in "\n".join(lines)
    files = [line.split(maxsplit=1) for line in lines if line.startswith("  ")]
    assert all(len(line) == 2 for line in files), files
    assert len(files) > 300
