"""Bad requests of what each kind of model has of its own: texts, pictures, files, JSON."""

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Iterator
from functools import cache
from urllib.parse import quote

from PIL import Image, PngImagePlugin

from tests.attack.naughty import NUMBERS, QUOTE, STRINGS, TAG
from tests.attack.requests import FORM, Case, get, post
from tests.attack.sites import Form, Site, quote_any
from tests.pictures import REFUSED, bomb, encoded
from tests.pictures import body as wrap_files

JSON = "application/json"
MEGABYTE = 1024 * 1024
BATCH_MEGABYTES = 1
"""What the attacked server takes of a file, so that bombs are soon large enough."""

BOMB = 11 * BATCH_MEGABYTES * MEGABYTE
"""Bytes that are more than may be packed in a file."""


TEXTS = (
    "a" * 10 * MEGABYTE, "e" + "\u0301" * 1_000_000, "a\x00b", "\x00", "\ud800", "a\udfffb",
    "\ud83d", "\r\n" * 900, "free\r\nprize\rclaim\ncash", "\u202efree prize\u202c", "\u2067" * 90,
    "\U0001f600" * 400, "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\ufeff", "\u2028\u2029",
    "free " * 400, "a" * 2_001, "\ufdd0free\ufdd1", "\ue000", "\U0010ffff", "\u1160" * 500,
    f"free {TAG}> prize", f"free {QUOTE} prize", f"{TAG}>free", "free</mark><mark>", "ſree İ ﬁ ß",
    "\u0300" * 60, "a" + "\u0300" * 61, "\x1b]0;x\x07free", "\x85\xa0\u3000", "\t\x0b\x0c",
)  # fmt: skip
"""Free texts that are none, or hardly one."""

JSON_VALUES = (
    b"null", b"true", b"false", b"[]", b"{}", b"[1]", b'{"a": 1}', b'""', b'" "', b'"\\u0000"',
    b'"\\ud800"', b'"\\udc00\\ud800"', b"NaN", b"Infinity", b"-Infinity", b"1e308", b"1e309",
    b"-1e999", b"9" * 400, b"9" * 5_000, b"0." + b"0" * 400 + b"1", b"-0", b"-0.0", b"1.5", b"01",
    b"+1", b".5", b"1.", b"0x10", b"1_0", b'"1e3"', b'"\xff"', b'"' + b"a" * 100_000 + b'"',
    b"[" * 20_000, b'{"a":' * 20_000, b"'a'", b"undefined", b'"\n"', b'"\\x41"', b"1 2",
)  # fmt: skip
"""What stands in the place of a value, as bytes, because some of it is no JSON."""


def spell_row(form: Form, changed: str = "", value: bytes = b"") -> bytes:
    """Write the good row in JSON, with these bytes in the place of one value."""
    cells = {name: json.dumps(cell).encode() for name, cell in form.row.items()}
    if changed:
        cells[changed] = value
    return (
        b"{"
        + b", ".join(b'"%s": %s' % (name.encode(), cell) for name, cell in cells.items())
        + b"}"
    )


def spell_table(form: Form, *changed: tuple[str, str]) -> bytes:
    """Write a table with the good row, and one for each cell that is changed in it."""
    lines = [",".join(form.fields)]
    for name, text in (("", ""), *changed):
        row = {**form.values, name: text}
        lines.append(
            ",".join('"' + row.get(each, "").replace('"', '""') + '"' for each in form.fields)
        )
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def make_json_cases(site: Site) -> Iterator[Case]:
    """Yield JSON that is none, that has two meanings, or that no field takes."""
    for form in site.rows:
        target, good = f"{form.home}api/predict", spell_row(form)
        for number, value in enumerate(JSON_VALUES):
            for place in (number, number + 1):
                field = form.fields[place % len(form.fields)]
                name = f"{form.slug}: JSON {field} is {value[:12]!r}"
                yield Case(name, post(target, spell_row(form, field, value), JSON))
            yield Case(f"{form.slug}: JSON is {value[:12]!r}", post(target, value, JSON))
        for number, text in enumerate(STRINGS):
            field = form.fields[number % len(form.fields)]
            value = json.dumps(text).encode()
            name = f"{form.slug}: JSON string {number}"
            yield Case(f"{name} in {field}", post(target, spell_row(form, field, value), JSON))
            if len(text) < 2_000:
                odd = b"{" + value + b": 1, " + good[1:]
                yield Case(f"{name} as a key", post(target, odd, JSON))
        first = f'"{form.fields[0]}"'.encode()
        bodies = (
            b"[" + good + b"]", b"[" + b",".join([good] * 1_001) + b"]", b"[]", b"[[], 1, null]",
            b"[" + good + b", {}]", b"{" + first + b": 1, " + good[1:], good + good, good + b",",
            b"\xef\xbb\xbf" + good, good.decode().encode("utf-16"), good.decode().encode("utf-32"),
            good[:-1], b"/**/" + good, b"{" + b'"k%d": 1, ' % 7 * 3 + good[1:],
            b"{" + b", ".join(b'"k%d": 1' % n for n in range(20_000)) + b"}", b" " * 100_000 + good,
        )  # fmt: skip
        for number, body in enumerate(bodies):
            yield Case(f"{form.slug}: JSON body {number}", post(target, body, JSON))
        for query in ("contributions", "contributions=1", "contributions=true&contributions=true",
                      "contributions=true", f"x={quote(TAG)}>", "%ff=%ff", "&" * 900):  # fmt: skip
            yield Case(
                f"{form.slug}: JSON with ?{query[:30]}", post(f"{target}?{query}", good, JSON)
            )
        sent = post(target, gzip.compress(good), JSON, "Content-Encoding: gzip\r\n")
        yield Case(f"{form.slug}: packed JSON", sent)


def make_tool_cases(site: Site) -> Iterator[Case]:
    """Yield calls of tools with wrong names, arguments and messages."""
    for form in site.forms:
        for number, value in enumerate(JSON_VALUES):
            field = form.fields[number % len(form.fields)]
            arguments = spell_row(form, field, value)
            for name in (form.slug.encode(), b"nobody", value):
                named = value if name is value else b'"' + name + b'"'
                call = b'{"name": %s, "arguments": %s}' % (named, arguments)
                body = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": %s}' % call
                yield Case(
                    f"{form.slug}: tool {named[:12]!r} {value[:12]!r}", post("/mcp", body, JSON)
                )
    for value in JSON_VALUES:
        for part in ("id", "method", "params", "jsonrpc"):
            message = {"jsonrpc": '"2.0"', "id": "1", "method": '"tools/list"', "params": "{}"}
            cells = {name: cell.encode() for name, cell in message.items()} | {part: value}
            body = b", ".join(b'"%s": %s' % (name.encode(), cell) for name, cell in cells.items())
            yield Case(
                f"message with {part} {value[:12]!r}", post("/mcp", b"{" + body + b"}", JSON)
            )


def make_what_if_cases(site: Site) -> Iterator[Case]:
    """Yield what-ifs of fields and outputs that are there, half there, or nowhere."""
    for form in site.rows:
        known = form.what_ifs or form.fields
        last = known[-1]
        odd = [
            *known, "", ".", f".{last}", f"{last}.", f"{last}.{last}", f"nobody.{last}",
            last.upper(), f" {last}", f"{last}\x00", f"{last}&", "output", "__class__", f"{TAG}>",
            last.replace(".", ".."), last.replace(".", "/"), last.partition(".")[0], QUOTE,
            ".".join([last] * 300), *form.texts,
        ]  # fmt: skip
        for text in odd:
            what_if = f"&what_if={quote(text, safe='')}".encode()
            name = f"{form.slug}: what if {text[:40]!r}"
            yield Case(name, post(form.fragment, form.good + what_if))
            yield Case(f"{name} in a page", post(form.home, form.good + what_if))
            if len(text) < 300:
                query = (form.good + what_if).decode()
                yield Case(f"{name} in the query", get(f"{form.home}?{query}"))


def make_writing_cases(site: Site) -> Iterator[Case]:
    """Yield texts that are none, in every field of free text, wherever one can be sent."""
    for form in site.rows:
        for field in form.texts:
            for number, text in enumerate(TEXTS):
                name = f"{form.slug}: {field} is text {number}"
                spelled = json.dumps(text).encode()
                row = spell_row(form, field, spelled)
                table = spell_table(form, (field, text))
                yield Case(name, post(form.fragment, form.fill({field: text})))
                yield Case(f"{name} in a page", post(form.home, form.fill({field: text})))
                yield Case(f"{name} in JSON", post(f"{form.home}api/predict", row, JSON))
                streamed = post(f"{form.home}api/predict", row + b"\n", "application/x-ndjson")
                yield Case(f"{name} in a line", streamed)
                yield Case(f"{name} in CSV", post(f"{form.home}api/predict", table, "text/csv"))
                yield from _send_file(form, name, "texts.csv", table)
                if len(text) < 300:
                    yield Case(
                        f"{name} in the query",
                        get(f"{form.home}?{form.fill({field: text}).decode()}"),
                    )


def make_stream_cases(site: Site) -> Iterator[Case]:
    """Yield lines of JSON and tables that are none, or that have rows which nobody can answer."""
    for form in site.rows:
        target, good = f"{form.home}api/predict", spell_row(form)
        for number, value in enumerate(JSON_VALUES):
            field = form.fields[number % len(form.fields)]
            lines = b"\n".join((good, spell_row(form, field, value), value, good))
            for more in ("", "?contributions=true") if number % 5 == 0 else ("",):
                sent = post(target + more, lines, "application/x-ndjson")
                yield Case(f"{form.slug}: lines with {value[:12]!r}{more}", sent)
        for number, table in enumerate(_list_tables(form)):
            yield Case(f"{form.slug}: table {number}", post(target, table, "text/csv"))
        for kind in ("application/x-ndjson; charset=utf-16", "text/csv; header=absent"):
            yield Case(f"{form.slug}: {kind}", post(target, good, kind))
        for kind in ("application/x-ndjson", "text/csv"):
            for body in (b"", b"\n" * 9, b"\n" * 200_000, b"\x00\xff", b"\xef\xbb\xbf" + good):
                yield Case(f"{form.slug}: {kind} of {body[:4]!r}", post(target, body, kind))
            packed = post(target, gzip.compress(good), kind, "Content-Encoding: gzip\r\n")
            yield Case(f"{form.slug}: packed {kind}", packed)


def _list_tables(form: Form) -> Iterator[bytes]:
    """Tables whose cells, heads or bytes are wrong."""
    fields, good = form.fields, spell_table(form)
    head, _, row = good.partition(b"\n")
    for start in range(0, len(STRINGS), 25):
        some = [
            (fields[number % len(fields)], text)
            for number, text in enumerate(STRINGS[start : start + 25], start)
            if "\x00" not in text
        ]
        yield spell_table(form, *some)
        numbers = NUMBERS[start : start + 25]
        yield spell_table(
            form,
            *(
                (fields[n % len(fields)], text.replace("\x00", ""))
                for n, text in enumerate(numbers)
            ),
        )
    for text in STRINGS[::6]:
        yield text.encode("utf-8", "surrogatepass") + b"," + good
        yield head + b"," + text.encode("utf-8", "surrogatepass") + b"\n" + row + b",1"
    yield from (
        b"", head, head + b"\n", row, good[:-1], good + b'\n"', head * 2 + b"\n" + row,
        b",".join([head] * 2) + b"\n" + row, good + b"\n1", good + b"\n" + b"," * 5_000,
        good.decode().encode("utf-16"), good.replace(b",", b";"), good.replace(b",", b"\t"),
        good.replace(b"\n", b"\r"), good.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + good,
        good + b"\n\x00", b"\x00" * 999, head.upper() + b"\n" + row, b"a" * 300_000,
        b"," * 200_000, b"\n" * 300_000, b'"' * 99_999, head + b"\n" + b'"' + b"x\n" * 99_000,
        good + b"\n" + b"\n".join([row] * 3_000), b"<html>" + good, b"%PDF-1.7\n", b"PK\x03\x04",
        b"x" * 70_000 + b"," + head + b"\n1," + row, b"sep=,\n" + good, b"# no\n" + good,
        head + b"\n" + b",".join([b"=cmd|'/c calc'!A1"] * len(fields)),
        head + b"\n" + b",".join([b"9" * 5_000] * len(fields)),
        head + b"\n" + b",".join([f"{TAG}>".encode()] * len(fields)),
    )  # fmt: skip


FILES = ("batch", "batch/summary", "batch/answers.csv", "batch/answers.xlsx")
"""Where a file is posted, below a model's address."""


def _send_file(
    form: Form, name: str, called: str, content: bytes, every: bool = True
) -> Iterator[Case]:
    """Yield the cases of a file, at each of the addresses, or at one of them."""
    sent = wrap_files(content, name=called)
    data = sent["data"].replace(b'name="image"', b'name="file"', 1)
    for target in FILES if every else (FILES[len(content) % len(FILES)],):
        yield Case(f"{name} to {target}", post(form.home + target, data, sent["content_type"]))


def make_file_cases(site: Site) -> Iterator[Case]:
    """Yield files of many rows that are none, and names that none should have."""
    for form in site.rows:
        good = spell_table(form)
        for number, table in enumerate(_list_tables(form)):
            yield from _send_file(
                form, f"{form.slug}: file {number}", "rows.csv", table, every=False
            )
        for number, text in enumerate(STRINGS):
            called = text.replace("\r", "").replace("\n", "")[:300]
            yield from _send_file(
                form, f"{form.slug}: file called {number}", called, good, every=False
            )
        lines = b"\n".join(spell_row(form, form.fields[0], value) for value in JSON_VALUES)
        yield from _send_file(form, f"{form.slug}: lines", "rows.ndjson", lines)
        yield from _send_file(form, f"{form.slug}: long lines", "rows.jsonl", b'{"a":1}' * 90_000)
    yield from _list_packed(site.rows[0])


def _list_packed(form: Form) -> Iterator[Case]:
    """Yield files that are packed, or of another format; which model answers is all the same."""
    good = spell_table(form)
    packed = (
        gzip.compress(good)[:-4], gzip.compress(good)[:12], b"\x1f\x8b", gzip.compress(b""),
        gzip.compress(b"0" * BOMB, 1), gzip.compress(gzip.compress(good)),
        gzip.compress(good) * 50, gzip.compress(good) + b"junk",
    )  # fmt: skip
    for number, content in enumerate(packed):
        for called in ("rows.csv.gz", "rows.csv", "rows.ndjson.gz"):
            yield from _send_file(form, f"packed {number} as {called}", called, content)
    for ending in ("xlsx", "ods", "parquet", "feather", "arff", "json", "zip", "exe", ""):
        for content in (good, *_list_zips(b"x" * 2_000)[:6]):
            name = f"{len(content)} bytes that end in {ending}"
            yield from _send_file(form, name, f"rows.{ending}", content, every=False)


@cache
def _list_zips(picture: bytes) -> tuple[bytes, ...]:
    """ZIP files of a picture with bad names, bombs and lies."""
    plain = _pack({"a.png": picture})
    return (
        plain, plain[:-20], plain[30:], b"PK\x05\x06" + b"\0" * 18, _pack({}), _pack({"a/": b""}),
        _pack({"bomb.png": b"\0" * BOMB}),
        _pack({f"{n}.png": b"\0" * 11 * MEGABYTE for n in range(3)}),
        _pack({"bomb.png": bomb(), "a.png": picture}), _pack({"in.zip": plain, "a.png": picture}),
        _pack({f"{n}": b"" for n in range(3_000)}),
        _pack({"../../etc/passwd": picture, "/etc/passwd": picture, "c:\\x": picture}),
        _pack({text[:200]: picture for text in STRINGS if text.isprintable() and text[:200]}),
        _pack({name: content for name, (content, _) in REFUSED.items()}),
        _pack({"a.png": picture}, zipfile.ZIP_LZMA), _pack({"a.png": picture}, zipfile.ZIP_BZIP2),
        _lie(plain, flag=1), _lie(plain, flag=0x800, name=b"\xff\xfe.jp"), _lie(plain, method=93),
        _lie(plain, method=14), _lie(plain, method=12), _lie(plain, size=2**32 - 1),
        _lie(plain, offset=2**31), _lie(plain, size=5), _lie(plain, name=b"\0\0\0\0\0"),
        _lie(_pack({"a.png": picture}, zipfile.ZIP_LZMA), dictionary=2**32 - 1),
    )  # fmt: skip


def _pack(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _lie(
    content: bytes,
    flag: int | None = None,
    method: int | None = None,
    size: int | None = None,
    offset: int | None = None,
    name: bytes = b"",
    dictionary: int | None = None,
) -> bytes:
    """Change what a ZIP of one file with a name of five bytes says of it, at both places."""
    changed = bytearray(content)
    central = content.rindex(b"PK\x01\x02")
    for place, layout, value in (
        (6, "<H", flag), (8, "<H", method), (22, "<I", size),
        (central + 8, "<H", flag), (central + 10, "<H", method), (central + 24, "<I", size),
        (central + 42, "<I", offset), (37, "<I", dictionary) ,
    ):  # fmt: skip
        if value is not None:
            struct.pack_into(layout, changed, place, value)
    if name:
        changed[30:35] = changed[central + 46 : central + 51] = name
    return bytes(changed)


@cache
def _list_pictures(good: bytes) -> tuple[tuple[str, bytes], ...]:
    """Pictures that are odd, or none."""
    with Image.open(io.BytesIO(good)) as opened:
        image = opened.convert("RGB").resize((96, 64))
    exif = Image.Exif()
    turned = []
    for turn in (0, 2, 5, 6, 8, 9, 255, 65_535):
        exif[0x0112] = turn
        turned.append((f"turned {turn}", encoded(image, "JPEG", exif=exif)))
    modes = [(mode, encoded(image.convert(mode))) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")]
    jpegs = [(f"{mode} JPEG", encoded(image.convert(mode), "JPEG")) for mode in ("L", "CMYK")]
    sizes = [
        (f"{width} x {height}", encoded(image.resize((width, height))))
        for width, height in ((1, 1), (1, 3000), (3000, 1), (2, 2), (47, 49), (20_000, 2))
    ]
    notes = PngImagePlugin.PngInfo()
    notes.add_text(f"{TAG}>", f"{TAG}>" * 99)
    notes.add_text("long", "a" * 3 * MEGABYTE, zip=True)
    clear = image.convert("RGBA")
    clear.putalpha(0)
    other = [
        ("16 bits", encoded(image.convert("I;16"))), ("clear", encoded(clear)),
        ("see-through palette", encoded(image.convert("P"), transparency=0)),
        ("notes", encoded(image, pnginfo=notes)),
        ("bad profile", encoded(image, icc_profile=b"\xff" * 5_000)),
        ("bad EXIF", encoded(image, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff" * 99)),
        ("WebP", encoded(image, "WEBP")), ("AVIF", encoded(image, "AVIF")),
        ("bomb", bomb()), ("wide bomb", bomb(5_000_001, 8)), ("flat bomb", bomb(0, 0)),
        ("40 megapixels", encoded(Image.new("RGB", (8000, 4900)))),
        ("wrong sum", good[:-6] + b"\0\0" + good[-4:]), ("twice", good + good),
        ("tail", good + b"\0" * 3 * MEGABYTE), ("text", f"{TAG}>".encode() * 99),
    ]  # fmt: skip
    refused = [(name, content) for name, (content, _) in REFUSED.items()]
    return (*turned, *modes, *jpegs, *sizes, *other, *refused)


def make_picture_cases(site: Site) -> Iterator[Case]:
    """Yield pictures that are odd or none, to page, fragment and API, and in ZIP files."""
    for form in site.pictures:
        field = form.fields[0]
        for name, content in _list_pictures(form.picture):
            sent = wrap_files(content, name="a.png")
            for target in (form.home, form.fragment, f"{form.home}api/predict"):
                yield Case(
                    f"{target} gets {name}", post(target, sent["data"], sent["content_type"])
                )
            for kind in ("image/png", "image/webp"):
                yield Case(
                    f"{form.slug}: {kind} is {name}", post(f"{form.home}api/predict", content, kind)
                )
        for number, text in enumerate(STRINGS):
            called = text.replace("\r", "").replace("\n", "")[:300]
            sent = wrap_files(form.picture, name=called)
            yield Case(
                f"{form.slug}: picture called {number}",
                post(form.fragment, sent["data"], sent["content_type"]),
            )
            for place in ("_explain", "_form_hash", "_correlation_id", "sample", field):
                part = f'--cut\r\nContent-Disposition: form-data; name="{place}"\r\n\r\n'.encode()
                more = part + text.encode("utf-8", "surrogatepass") + b"\r\n"
                if (number + len(place)) % 4 == 0:
                    whole = more + sent["data"]
                    yield Case(
                        f"{form.slug}: {place} is string {number}",
                        post(form.fragment, whole, sent["content_type"]),
                    )
            if len(text) < 900:
                yield Case(
                    f"{form.slug}: sample {number}", get(f"{form.home}?sample={quote_any(text)}")
                )
        for sample in ("0", "1", "2&_explain=1", "7", "-1", "1.0", "१", "1&sample=2", "%31"):
            yield Case(f"{form.slug}: sample {sample}", get(f"{form.home}?sample={sample}"))
            yield Case(
                f"{form.slug}: sample {sample} as a form",
                post(form.fragment, f"sample={sample}".encode(), FORM),
            )
        for number, content in enumerate(_list_zips(form.picture)):
            yield from _send_file(form, f"{form.slug}: ZIP {number}", "pictures.zip", content)
        for content in (b"", form.picture, spell_table(form)):
            yield from _send_file(
                form, f"{form.slug}: no ZIP but {content[:6]!r}", "a.zip", content
            )


KIND_FAMILIES = (
    make_json_cases,
    make_tool_cases,
    make_what_if_cases,
    make_writing_cases,
    make_stream_cases,
    make_file_cases,
    make_picture_cases,
)
"""Those that speak of what each kind of model has of its own."""
