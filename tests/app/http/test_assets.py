"""Static files: fingerprinted, compressed, cached, small."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.http.assets import read_assets
from tests.conftest import HOUSE
from tests.html import FRAGMENT, get_page
from tests.pictures import XRAY
from tests.tools import ROOT

HTMX = "sha384-Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn"
"""htmx 4.0.1, dist/htmx.min.js of the published package; 4.0.0 breaks live forms."""


def linked(client: FlaskClient) -> list[str]:
    soup = get_page(client, "/")
    links = soup.select('link[rel="stylesheet"], link[rel="icon"]')
    scripts = soup.select("script[src]")
    return [str(link["href"]) for link in links] + [str(script["src"]) for script in scripts]


def test_htmx_is_the_pinned_version_and_the_page_says_its_hash(client: FlaskClient) -> None:
    (script,) = get_page(client, "/").select('script[src*="htmx"]')
    assert script["integrity"] == HTMX
    body = client.get(str(script["src"])).data
    assert (
        hashlib.sha384(body).digest()
        == hashlib.sha384((ROOT / "static" / "htmx.min.js").read_bytes()).digest()
    )
    assert b"4.0.1" in body


def test_every_file_is_cached_for_a_year_under_a_name_of_its_content(client: FlaskClient) -> None:
    for url in linked(client):
        response = client.get(url)
        assert response.status_code == 200
        assert "immutable" in response.headers["Cache-Control"]
        assert "max-age=31536000" in response.headers["Cache-Control"]
        assert re.search(r"\.[0-9a-f]{12}\.", url)
        assert client.get(re.sub(r"\.[0-9a-f]{12}\.", ".", url)).status_code == 404


def test_compressed_files_are_the_same_files(client: FlaskClient) -> None:
    for url in linked(client):
        plain = client.get(url)
        small = client.get(url, headers={"Accept-Encoding": "gzip"})
        assert "Accept-Encoding" in small.headers["Vary"]
        body = small.data
        if small.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert body == plain.data


def test_the_first_load_keeps_its_budget(client: FlaskClient) -> None:
    asks_gzip = {"Accept-Encoding": "gzip"}
    urls = ["/", *linked(client)]
    assert sum(len(client.get(url).data) for url in urls) <= 80 * 1024
    assert sum(len(client.get(url, headers=asks_gzip).data) for url in urls) <= 30 * 1024


@pytest.mark.parametrize("path", ["/", XRAY])
def test_the_own_scripts_of_a_page_keep_their_budget(client: FlaskClient, path: str) -> None:
    scripts = get_page(client, path).select('script[src]:not([src*="htmx"])')
    bodies = [client.get(str(script["src"])).data for script in scripts]
    assert sum(map(len, bodies)) <= 8 * 1024
    assert not re.search(rb"^ |^//| // ", b"\n".join(bodies), re.MULTILINE)


def test_own_style_and_script_stay_small() -> None:
    sizes = {name: len(asset.body) for name, asset in read_assets(ROOT / "static").items()}
    assert sizes["app.css"] <= 12 * 1024
    assert sizes["api.css"] <= 1024
    assert sizes["app.js"] <= 7 * 1024
    assert sizes["image.css"] <= 4 * 1024


def test_lines_of_texts_are_written_as_safari_reads_them() -> None:
    styles = "".join(path.read_text() for path in (ROOT / "static").rglob("*.css"))
    lines = set(re.findall(r"text-decoration: ([^;}]+)", styles))
    assert lines == {"none", "underline", "line-through"}  # colour and width apart


def test_blanks_and_comments_are_left_out_but_not_those_in_a_text(tmp_path: Path) -> None:
    script = """// What it does.
(() => {
  const text = "a = b // c", { x } = it; // why
  // Twice.
  if (x) say(`${x} : ${text}`,
    'd { e');
  const same = list.map((it) => it.x !== x);
  let y = +x
  y++
})();
"""
    style = """/* Two: lines,
   of words. */
a:hover, .b > :is(i, p) {color: red; width: calc(1px + 2px)}
.c { font: 1rem "A B"; }
@media (min-width: 40rem) {
  .d + e {margin: 0 auto;}
}
"""
    (tmp_path / "a.js").write_text(script)
    (tmp_path / "b.css").write_text(style)
    (tmp_path / "c.min.js").write_text(script)
    assets = read_assets(tmp_path)
    assert assets["a.js"].body.decode() == (
        '(()=>{const text="a = b // c",{x}=it;if(x)say(`${x} : ${text}`,'
        "'d { e');const same=list.map(it=>it.x!==x);let y=+x\ny++})();"
    )
    assert assets["b.css"].body.decode() == (
        "a:hover,.b>:is(i,p){color:red;width:calc(1px + 2px)}"
        '.c{font:1rem "A B"}@media (min-width:40rem){.d + e{margin:0 auto}}'
    )
    assert assets["c.min.js"].body.decode() == script


def test_a_large_answer_is_compressed_and_the_same(client: FlaskClient) -> None:
    plain = client.post(FRAGMENT, data=HOUSE)
    small = client.post(FRAGMENT, data=HOUSE, headers={"Accept-Encoding": "gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.data) == plain.data
