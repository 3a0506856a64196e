"""Every bad request of the suite, as bytes, in families."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import quote

from flask import Flask

from tests.attack.naughty import NUMBERS, QUOTE, STRINGS, TAG
from tests.attack.sites import Form, Site
from tests.pictures import body as wrap_files

FORM = "application/x-www-form-urlencoded"
GOOD = b"beds=3&baths=2.5&sqft=1850"
"""The good form of the house price, for what is about the server and no form."""

METHODS = (
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND",
    "MKCOL", "LOCK", "SEARCH", "PURGE", "DEBUG", "LINK", "M-SEARCH", "BREW", "get", "Post", "GE T",
    "G\x00ET", "ÄÖÜ", "A" * 21, "A" * 3000, "",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A bad request; ``may_close`` if the connection may close without a response."""

    name: str
    sent: bytes
    may_close: bool = False

    @property
    def head(self) -> bool:
        """Whether its response must have no body."""
        return self.sent.startswith(b"HEAD ")


def post(target: str, body: bytes, kind: str | None = FORM, extra: str = "") -> bytes:
    """Make a POST that is well formed as HTTP."""
    lines = [f"POST {target} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    if kind is not None:
        lines.append(f"Content-Type: {kind}")
    return ("\r\n".join(lines) + f"\r\n{extra}\r\n").encode("utf-8") + body


def get(target: str, extra: str = "") -> bytes:
    """Make a GET of any target."""
    return f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{extra}\r\n".encode()


def list_targets(app: Flask) -> tuple[list[str], list[str]]:
    """List every address of the app, and those that take a POST; new routes are included."""
    addresses, posts = [], []
    for rule in sorted(app.url_map.iter_rules(), key=str):
        address = "/" + str(rule).lstrip("/")
        for argument in rule.arguments:
            address = address.replace(f"<{argument}>", "app.js")
        addresses.append(address)
        if rule.methods and "POST" in rule.methods:
            posts.append(address)
    return [*addresses, "/nowhere", "*"], [*posts, "/nowhere"]


def make_good_request(form: Form) -> bytes:
    """Make the request that gets the form's own answer."""
    if not form.picture:
        return post(form.fragment, form.good)
    sent = wrap_files(form.picture)
    return post(form.fragment, sent["data"], sent["content_type"])


def fetch_receipt(app: Flask, form: Form) -> str:
    """Fetch a receipt that is right, quoted for a form."""
    sent = wrap_files(form.picture) if form.picture else {"data": form.good, "content_type": FORM}
    answer = app.test_client().post(form.fragment, **sent).text
    return quote(unescape(re.findall(r'name="receipt" value="([^"]*)"', answer)[0]), safe="")


def make_text_cases(site: Site) -> Iterator[Case]:
    """Yield naughty strings in every field and in the address."""
    for form in site.forms:
        hidden = ("_read_as", "_typing", "_form_hash", "_correlation_id")
        fields = (*form.fields, *hidden, "what_if", "sample", "unheard_of")
        for number, text in enumerate(STRINGS):
            encoded = quote(text, safe="")
            name, field = f"{form.slug}: string {number}", fields[number % len(fields)]
            if len(encoded) < 3000:
                target = f"{form.home}?{form.fields[0]}={encoded}&{encoded}=1"
                yield Case(f"{name} in the query", get(target))
                yield Case(f"{name} in the path", get(f"{form.home}{encoded}"))
            if form.picture:  # its form has parts, which other cases fill
                continue
            beside = form.good + f"&{field}={encoded}".encode()
            yield Case(f"{name} beside a good form", post(form.fragment, beside))
            wrong = "&".join(f"{each}={encoded}" for each in form.fields).encode()
            yield Case(f"{name} in fields", post(form.fragment, wrong))
            one = form.fill({form.fields[number % len(form.fields)]: text})
            yield Case(f"{name} in a page", post(form.home, one))
            yield Case(f"{name} as a name", post(form.fragment, f"{encoded}=1".encode()))


def make_number_cases(site: Site) -> Iterator[Case]:
    """Yield numbers in every spelling, each in two fields."""
    for form in site.rows:
        for number, text in enumerate(NUMBERS):
            for place in (number, number + 1):
                field = form.fields[place % len(form.fields)]
                name = f"{form.slug}: {field} is {text[:20]!r}"
                yield Case(name, post(form.fragment, form.fill({field: text})))


def make_report_cases(site: Site) -> Iterator[Case]:
    """Yield naughty strings in every field of a report, most with a receipt that is right."""
    for form in site.forms:
        receipt = fetch_receipt(site.app, form)
        for number, text in enumerate(STRINGS):
            encoded = quote(text, safe="")
            target = form.home + ("feedback", "feedback-fragment")[number % 2]
            name = f"{form.slug}: string {number}"
            places = {
                "a receipt": f"receipt={encoded}&wrong=1",
                "a receipt's end": f"receipt={receipt}{encoded}&wrong=1",
                "a truth": f"receipt={receipt}&known-truth={encoded}",
                "a comment": f"receipt={receipt}&wrong=1&said={encoded}",
            }
            if form.picture:
                places["a picture"] = f"receipt={receipt}&wrong=1&keep=1&picture={encoded}"
            for place, fields in places.items():
                yield Case(f"{name} in {place}", post(target, fields.encode()))
        for truth in (*form.classes, "5", "no", "usual"):
            fields = f"receipt={receipt}&known-truth={quote(truth)}&keep=1"
            yield Case(
                f"{form.slug}: {truth} was right", post(f"{form.home}feedback", fields.encode())
            )


def make_receipt_cases(site: Site) -> Iterator[Case]:
    """Yield naughty strings in the place of a report's number."""
    for number, text in enumerate(STRINGS):
        encoded = quote(text, safe="")
        if len(encoded) < 3000:
            yield Case(f"string {number} as a number", get(f"/feedback/{encoded}"))
            yield Case(f"string {number} to delete", post(f"/feedback/{encoded}", b""))
            yield Case(f"string {number} typed as a number", get(f"/feedback?number={encoded}"))


def make_type_cases(site: Site) -> Iterator[Case]:
    """Yield wrong, missing and misleading content types, and bodies that contradict them."""
    bodies = (GOOD, b"", b'{"beds": 3}', b"\x00\xff\xfe", b"[" * 20_000, b"&" * 5_000)
    kinds = (
        None, "", "text/plain", "application/json", "application/xml", "multipart/form-data",
        "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 500,
        "multipart/mixed; boundary=x", f"{FORM}; charset=utf-7", f"{FORM}; charset=\"nonsense",
        f"{FORM},a/b", "application/x-www-form-urlencodedx", "text/html; " + "a=b;" * 500, "/",
        ";;;", f"a/{TAG}>", "multipart/form-data; boundary*=utf-8''%00",
        "application/json; charset=utf-16",
    )  # fmt: skip
    for target in list_targets(site.app)[1]:
        for number, kind in enumerate(kinds):
            body = bodies[number % len(bodies)]
            yield Case(f"{target} with type {str(kind)[:40]!r}", post(target, body, kind))
        for body in bodies:
            yield Case(f"{target} with {body[:12]!r}", post(target, body))
            yield Case(f"{target} with JSON {body[:12]!r}", post(target, body, "application/json"))


def make_multipart_cases(site: Site) -> Iterator[Case]:
    """Yield broken multipart bodies."""
    disposition = b'Content-Disposition: form-data; name="image"; filename="a.png"\r\n'
    part = b"--x\r\n" + disposition
    form, bad = b"Content-Disposition: form-data", TAG.encode() + b">"
    bodies = (
        b"", b"--", b"--x", b"--x--", b"--x\r\n\r\n", b"--x\n\nabc\n--x--", b"\r\n--x\r\n",
        b"--x\r\r\n--x--", part, part + b"\r\nabc", part + b"\r\nabc\r\n--x",
        part + b"\r\nabc\r\n--y--", part * 100,
        part + b"Content-Type: " + b"a" * 70_000 + b"\r\n\r\nabc\r\n--x--\r\n",
        part + b"A: b\r\n" * 3_000 + b"\r\nabc\r\n--x--\r\n",
        b"--x\r\n\xff\xfe: \x00\r\n\r\n\r\n--x--",
        b"--x\r\n" + form + b"\r\n\r\nabc\r\n--x--\r\n",
        b"--x\r\n" + form + b"; name=image; filename*=utf-8''%ff\r\n\r\na\r\n--x--\r\n",
        b"--x\r\n" + form + b"; name=image; filename=\"" + bad + b".png\"\r\n\r\na\r\n--x--\r\n",
        part + b"Content-Transfer-Encoding: base64\r\n\r\nYWJj\r\n--x--\r\n",
        part + b"Content-Length: 99999999\r\n\r\nabc\r\n--x--\r\n",
        part + b"Content-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\n--y--\r\n--x--\r\n",
        (part + b"\r\nabc\r\n") * 2 + b"--x--\r\n", (part + b"\r\n\r\n") * 25 + b"--x--\r\n",
        b"--x\r\n" * 30_000, b"-" * 100_000, b"\0" * 100_000, b"\r\n" * 50_000,
    )  # fmt: skip
    targets = [target for form in site.pictures for target in (form.home, form.fragment)]
    for target in (*targets, site.forms[0].fragment):
        for number, body in enumerate(bodies):
            yield Case(
                f"{target} multipart {number}",
                post(target, body, "multipart/form-data; boundary=x"),
            )


def make_field_cases(site: Site) -> Iterator[Case]:
    """Yield fields twice, by the thousand, without names, and half encoded."""
    for form in site.forms:
        for number, body in enumerate(_list_field_bodies(form)):
            for target in (form.home, form.fragment):
                yield Case(f"{target} with fields {number}", post(target, body))
            if len(body) < 3_500 and all(32 < byte < 127 for byte in body):
                yield Case(
                    f"{form.slug}: fields {number} in the query",
                    get(f"{form.home}?{body.decode()}"),
                )


def _list_field_bodies(form: Form) -> tuple[bytes, ...]:
    first, second = form.fields[0].encode(), form.fields[-1].encode()
    good, hexed = form.good, b"%%%02x" % first[0] + first[1:]
    return (
        good + b"&%s=4" % first, good + b"&%s=3" % first, b"&".join([good] * 50),
        good.replace(b"&", b";"), b"a=1&" * 499 + good,
        b"&".join(b"f%d=1" % n for n in range(5_000)), b"a&" * 20_000, b"=" * 20_000, b"&=&=&=",
        first, b"=3", b"%s[]=3&%s[]=2" % (first, second), b"%s[a][b]=3" % first,
        b"%s%%5b%%5d=3" % first, b"%s%%00=3" % first, good.replace(first, hexed, 1),
        *(first + end for end in (b"=%", b"=%zz", b"=%f", b"=%ff%fe", b"=%c0%80", b"=%ed%a0%80",
                                  b"=%u0033")),
        good.replace(b"=", b"=+").replace(b"&", b"+&"), good.upper(), b"\xff\xfe\xfd",
        good.decode().encode("utf-16"), good.replace(b"&", b"\n"),
        b"what_if=%s&what_if=" % first + b"a" * 99,
        b"a" * 65_536, b"a" * 65_537, b"a=" + b"%41" * 20_000, b"+" * 60_000,
        first + b"=" + b"9" * 60_000,
    )  # fmt: skip


def make_method_cases(site: Site) -> Iterator[Case]:
    """Yield every method on every address."""
    for target in list_targets(site.app)[0]:
        for method in METHODS:
            line = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            yield Case(f"{method[:20]!r} {target}", line.encode())


def make_path_cases(site: Site) -> Iterator[Case]:
    """Yield path tricks."""
    tricks = (
        "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd",
        "/static/../wsgi.py", "/static/..%2fwsgi.py", "/static/%2e%2e/app/config.py",
        "/static/app.js", "/static/app.js%00.css", "/static/", "/static", "/static//app.js",
        "/static/....//wsgi.py", "/static/..\\wsgi.py", "//", "///", "//evil.example/",
        "//evil.example/%2e%2e", "/\\evil.example", "/%5cevil.example", "/.", "/..", "/./",
        "/predict-fragment/", "/predict-fragment//", "//predict-fragment", "/PREDICT-FRAGMENT",
        "/predict-fragment;x=1", "/predict-fragment%20", "/predict-fragment%00",
        "/predict-fragment?", "/?", "/??", "/#x", "/?#", "/%", "/%%", "/%zz", "/%ff",
        "/%c0%ae%c0%ae/", "/%00", "/%0a", "/%0d%0aA:%20b", "/chest-xray", "/chest-xray?a=b",
        "/chest-xray//", "/chest_xray/", "/CHEST-XRAY/", "/house-price/", "/.git/config", "/.env",
        "/wsgi.py", "/model/house_price/model.joblib", "/gunicorn.conf.py", "/favicon.ico",
        "/robots.txt", "/server-status", "/admin", "/console", "/?__debugger__=yes",
        "/" + "a" * 3_900, "/" + "a/" * 1_900, "/?" + "a=b&" * 900, "/about/../about",
        "/about?x=" + "y" * 3_000, "/" + "%41" * 1_200, f"/{quote(TAG)}>", "/%3Czq7%3E",
        "/?%22zq7=1", "/about%2f", "/about;", "/about/", "http://localhost/",
        "http://evil.example/", "http://evil.example/chest-xray", "https://localhost/", "ftp://x/",
        "http://", "http:///", "http://[::1]/", "http://[::1", "http://a:b@c/", "://", "a://b",
        "localhost:80", "evil.example:443", "?x", "x", "*", "/ /", "/\t", "/\x00", "/ä", "/\x7f",
    )  # fmt: skip
    for trick in tricks:
        yield Case(f"GET {trick[:60]!r}", get(trick))
        yield Case(f"HEAD {trick[:60]!r}", get(trick).replace(b"GET ", b"HEAD ", 1))
        yield Case(f"POST {trick[:60]!r}", post(trick, GOOD))


def make_header_cases(site: Site) -> Iterator[Case]:
    """Yield huge, many, broken and contradictory headers, and bodies of a wrong length."""
    lines = (
        "X: " + "a" * 8_000, "X: " + "a" * 9_000, "X: " + "a" * 200_000, "X: y\r\n" * 99,
        "X: y\r\n" * 101, "X: y\r\n" * 5_000, "X" * 9_000 + ": y", ": y", "X", "X :y", "X\t: y",
        " X: y", "\tX: y", "X: a\r\n b", "X: \x00", "X: \x01", "X: \x7f", "X: ä", "Ä: x",
        "X\x00: y", "X(: y", "X_Y: z", "SCRIPT_NAME: /x", "Script-Name: /x", "PATH_INFO: /x",
        "Host: a\r\nHost: b", "Host: evil.example", "Host:", "Host: a b", f"Host: {TAG}>",
        "Host: a/b", "Host: [", "Host: [::1]:99999", "Host: a:b", "Host: " + "a" * 8_000,
        "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off",
        "X-Forwarded-Proto: javascript", "X-Forwarded-For: " + "1.2.3.4," * 900,
        "X-Forwarded-Prefix: /x", "X-Forwarded-Port: abc", "Forwarded: for=x;host=evil.example",
        "X-Original-URL: /admin", "X-HTTP-Method-Override: DELETE", "Accept-Encoding: gzip;q=abc",
        "Accept-Encoding: gzip;q=", "Accept: " + "*/*," * 1_500,
        "Accept-Encoding: " + "gzip;q=0.5," * 600, "Accept-Language: " + "x-" * 3_000,
        "Range: bytes=0-0,-1", "Range: bytes=" + "0-,"  * 2_000, "If-None-Match: \"x",
        "If-Modified-Since: yesterday", "Cookie: " + "a=b;" * 1_900, "Cookie: a=\"\\",
        "Authorization: Basic !!!", "Authorization: Digest " + "a=b," * 900, "Expect: 100-continue",
        "Expect: tea",
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQ",
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x",
        "Connection: close, close", "Connection: " + "x," * 3_000, "Keep-Alive: timeout=-1",
        "TE: trailers", "Trailer: Host", "Via: " + "x," * 900,
        "HX-Request: true\r\nHX-Target: ../../x", f"HX-Current-URL: {TAG}>", f"Referer: {QUOTE}",
        f"User-Agent: {TAG}>", "Content-Length: 0\r\nContent-Length: 5", "Content-Length: -1",
        "Content-Length: +5", "Content-Length: 0x5", "Content-Length: 5,5", "Content-Length: ٥",
        "Content-Length: 1e9", "Content-Length:", "Content-Length: 99999999999999999999",
        "Content-Length: 5", "Content-Length: 70000", "Content-Length: 1000000000",
    )  # fmt: skip
    for line in lines:
        for start in ("GET / ", "HEAD /?beds=3 ", "POST /predict-fragment ", "POST /chest-xray/ "):
            host = "" if line.startswith("Host") else "Host: localhost\r\n"
            text = f"{start}HTTP/1.1\r\n{host}{line}\r\n\r\n"
            yield Case(f"{start}{line[:50]!r}", text.encode("utf-8", "surrogateescape"))
    for target in ("/", "/predict-fragment", "/chest-xray/predict-fragment"):
        yield Case(f"{target} 2 MB", post(target, b"a" * 2_000_000))
        yield Case(f"{target} short body", post(target, GOOD).replace(b": 26", b": 99", 1))
        yield Case(f"{target} long body", post(target, GOOD).replace(b": 26", b": 9", 1))
        yield Case(
            f"{target} no length", post(target, GOOD).replace(b"Content-Length: 26\r\n", b"")
        )
        yield Case(f"{target} waits", post(target, GOOD, extra="Expect: 100-continue\r\n"))


def make_protocol_cases(site: Site) -> Iterator[Case]:
    """Yield versions, framing, pipelines and smuggling."""
    top = b"POST /predict-fragment HTTP/1.1\r\nHost: localhost\r\n"
    form = top + b"Content-Type: application/x-www-form-urlencoded\r\n"
    chunked = form + b"Transfer-Encoding: chunked\r\n"
    whole = b"1a\r\n" + GOOD + b"\r\n0\r\n\r\n"
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for version in ("0.9", "1.0", "1.2", "2.0", "3", "1", "1.1.1", "9.9", "-1.0", "1.1x", "", "A"):
        yield Case(f"version {version}", f"GET / HTTP/{version}\r\nHost: a\r\n\r\n".encode())
    lines = (
        b"GET /\r\n\r\n", b"GET\r\n\r\n", b"GET / \r\n\r\n", b"GET  / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1 x\r\n\r\n", b"GET / HTTP/1.1\n\n", b"GET / HTTP/1.1\r\r\n\r\n",
        b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / http/1.1\r\n\r\n", b"GET /HTTP/1.1\r\n\r\n", b"/ GET HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n", b"GET / HTTPS/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"GET / HT", b"G", b"\r\n", b"\n", b"\x00", b" ",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"SSH-2.0-OpenSSH_9.2\r\n", b"EHLO a\r\n",
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n\r\n",
        b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c", b"*1\r\n$4\r\nPING\r\n", b"{}", b"\x80" * 500,
        b"A" * 10_000,
    )  # fmt: skip
    for line in lines:
        yield Case(f"line {line[:30]!r}", line, may_close=True)
    bodies = (
        whole, b"0\r\n\r\n", b"", b"zz\r\n", b"-1\r\n", b"1a", b"1a\r\n" + GOOD,
        b"ffffffffffffffffff\r\n", b"1a;x=" + b"y" * 9_000 + b"\r\n",
        b"1a \r\n" + GOOD + b"\r\n0\r\n\r\n", b"0x1a\r\n" + GOOD, b"1a\n" + GOOD + b"\n0\n\n",
        b"1_a\r\n" + GOOD, b"\r\n\r\n", b"0\r\nHost: evil.example\r\n\r\n",
        b"0\r\n" + b"X: y\r\n" * 500 + b"\r\n", b"1\r\na\r\n" * 5_000 + b"0\r\n\r\n",
        b"5\r\nbeds=\r\n0\r\n\r\n" + smuggled,
    )  # fmt: skip
    for body in bodies:
        yield Case(f"chunked {body[:20]!r}", chunked + b"\r\n" + body, may_close=True)
    codings = (
        "chunked, chunked", "gzip, chunked", "gzip", "identity", "chunked, identity", "xchunked",
        "\x0bchunked", "chunked;q=1", '"chunked"', "chunked\r\nTransfer-Encoding: x", "",
    )  # fmt: skip
    for coding in codings:
        text = form + f"Transfer-Encoding: {coding}\r\n\r\n".encode() + whole
        yield Case(f"coding {coding!r}", text, may_close=True)
    length, code = b"Content-Length: ", b"Transfer-Encoding: chunked\r\n"
    pairs = (
        (length + b"26\r\n", code), (length + b"4\r\n", code),
        (length + b"26\r\n", length + b"4\r\n"), (b"Content-Length : 26\r\n", b""),
        (b"Transfer-Encoding : chunked\r\n", b""),
        (b"Transfer_Encoding: chunked\r\n", length + b"4\r\n"), (code, code),
        (b"Transfer-Encoding:\x0bchunked\r\n", length + b"4\r\n"),
    )  # fmt: skip
    for first, second in pairs:
        for head in (first + second, second + first):
            yield Case(
                f"framing {head!r}", form + head + b"\r\n" + whole + smuggled, may_close=True
            )
    yield Case("a pipeline", get("/about") * 20)
    yield Case("a pipeline that breaks", get("/about") * 3 + b"\x00\r\n\r\n" + get("/about"))
    yield Case("a request in a body", post("/predict-fragment", smuggled))
    yield Case("posts in a row", post("/predict-fragment", GOOD) * 10)
    yield Case("1.0 and kept", b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2)


def make_noise_cases(site: Site) -> Iterator[Case]:
    """Yield random bytes, and good requests with a few bytes changed."""
    rng = random.Random(7)  # noqa: S311 (no secret)
    good = post("/predict-fragment", GOOD)
    for number in range(40):
        junk = rng.randbytes(rng.randrange(1, 2_000)) + b"\r\n\r\n"
        yield Case(f"junk {number}", junk, may_close=True)
    for number in range(160):
        changed = bytearray(good)
        for _ in range(rng.randrange(1, 5)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        yield Case(f"changed {number}", bytes(changed), may_close=True)


FORM_FAMILIES = (
    make_report_cases,
    make_text_cases,
    make_number_cases,
    make_type_cases,
    make_multipart_cases,
    make_field_cases,
    make_method_cases,
)
"""Those that speak of the forms of a site, whatever they are."""

FAMILIES = (
    *FORM_FAMILIES,
    make_receipt_cases,
    make_path_cases,
    make_header_cases,
    make_protocol_cases,
    make_noise_cases,
)
