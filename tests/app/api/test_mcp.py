"""Assistants ask the models at /mcp: the official client, both eras of it, bad requests."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import create_app
from app.api.mcp import VERSION
from app.config import Settings
from app.kinds import make_adapter
from app.kinds.parsing import BODY_BYTES
from model import PictureModel
from tests.conftest import Server, free_port
from tests.flowers import write_flowers
from tests.html import HEADERS
from tests.loading import load_as
from tests.pictures import chest, encoded
from tests.tools import ROOT

if TYPE_CHECKING:  # importing the client takes seconds, and each test process collects all files
    from mcp import Client
    from mcp_types import CallToolResult

ROW = {"beds": 3, "baths": 2.5, "sqft": 1850}
ORIGIN = "https://assistant.example"
META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a running server takes the requests of assistants."""
    log = tmp_path_factory.mktemp("mcp") / "log"
    settings = {"FORMCAST_MCP": "on", "FORMCAST_LOG": "json", "WEB_CONCURRENCY": "1"}
    running = Server(free_port(), settings=settings, log=log)
    running.start()
    yield f"{running.url}/mcp"
    running.stop()


@pytest.fixture(scope="module")
def assistant() -> FlaskClient:
    return create_app(Settings(mcp=True, api_origins=(ORIGIN,), metrics=True)).test_client()


def ask(address: str, mode: str, question: Callable[[Client], Awaitable[Any]]) -> Any:
    """Let the official client connect and ask, in a thread: Playwright keeps a loop in this one."""
    from mcp import Client

    async def connect() -> Any:
        async with Client(address, mode=mode) as client:
            return await question(client)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, connect()).result()


def words(found: CallToolResult) -> str:
    """The text of an answer."""
    (content,) = found.content
    assert content.type == "text"
    return content.text


def send(
    client: FlaskClient,
    method: str,
    params: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
    **message: Any,
) -> TestResponse:
    """Send one request as it is written."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}, **message}
    response = client.post("/mcp", json=body, headers=headers or {})
    assert all(name in response.headers for name in HEADERS)
    return response


def modern(method: str, **named: str) -> dict[str, str]:
    return {"MCP-Protocol-Version": VERSION, "Mcp-Method": method, **named}


@pytest.mark.parametrize(("mode", "version"), [("auto", VERSION), ("legacy", "2025-11-25")])
def test_the_official_client_finds_a_tool_for_each_model(
    address: str, mode: str, version: str
) -> None:
    async def question(client: Client) -> Any:
        return client.session.protocol_version, (await client.list_tools()).tools

    spoken, tools = ask(address, mode, question)
    assert spoken == version
    assert [tool.name for tool in tools] == ["house-price", "chest-xray"]
    house = tools[0]
    assert house.input_schema["required"] == ["beds", "baths", "sqft"]
    assert "Not for: an appraisal, a mortgage or a tax assessment" in house.description
    assert house.annotations.read_only_hint


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_official_client_gets_the_answer_of_the_api_and_its_reasons_in_words(
    address: str, mode: str, client: FlaskClient
) -> None:
    found = ask(address, mode, lambda asking: asking.call_tool("house-price", ROW))
    expected = client.post("/api/predict?contributions=true", json=ROW).json
    assert not found.is_error
    assert found.structured_content == expected
    lines = words(found).splitlines()
    assert lines[0].startswith("Estimated price $215,000. Most likely between $152,500 and ")
    assert "- 1,850 sq ft, 410 more than typical: + $33,000" in lines
    assert any(line.startswith("With these facts, half the time it is off by") for line in lines)


def test_the_official_client_gets_what_is_wrong_in_the_words_of_the_form(address: str) -> None:
    wrong = {"beds": 3, "baths": "1,5,0", "sqft": 185_000, "rooms": 2}
    found = ask(address, "auto", lambda asking: asking.call_tool("house-price", wrong))
    assert found.is_error
    assert "- sqft: Square feet must be between 300 and 6,000" in words(found)
    assert '- arguments: There is no field "rooms"' in words(found)

    from mcp.shared.exceptions import MCPError

    async def question(client: Client) -> str:
        with pytest.raises(MCPError) as caught:
            await client.call_tool("boat-price", {})
        return str(caught.value)

    assert "There are: house-price, chest-xray" in ask(address, "auto", question)


def test_a_picture_comes_in_base64(address: str) -> None:
    picture = base64.b64encode(encoded(chest())).decode()

    async def question(client: Client) -> list[CallToolResult]:
        texts = (picture, f"data:image/png;base64,{picture}", "*", "")
        return [await client.call_tool("chest-xray", {"image": text}) for text in texts]

    plain, address_like, wrong, empty = ask(address, "auto", question)
    assert plain.structured_content == address_like.structured_content
    assert "Not a medical device" in words(plain)
    assert "Send the picture in base64" in words(wrong)
    assert empty.is_error


def test_it_is_off_by_default(client: FlaskClient) -> None:
    assert send(client, "tools/list").status_code == 404


@pytest.mark.parametrize("version", ["2025-06-18", "2025-11-25", "2024-11-05", "2026-07-28", 3])
def test_a_handshake_ends_with_a_revision_that_has_one(
    assistant: FlaskClient, version: object
) -> None:
    found = send(assistant, "initialize", {"protocolVersion": version}).json
    known = version in ("2025-06-18", "2025-11-25")
    assert found is not None
    assert found["result"]["protocolVersion"] == (version if known else "2025-11-25")
    done = assistant.post("/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (done.status_code, done.data) == (202, b"")
    assert send(assistant, "ping").json == {"jsonrpc": "2.0", "id": 1, "result": {}}


@pytest.mark.parametrize(
    ("params", "headers", "code", "status"),
    [
        ({}, modern("tools/list"), -32602, 400),
        ({"_meta": META}, {}, -32020, 400),
        ({"_meta": META}, modern("tools/call"), -32020, 400),
        ({}, {"MCP-Protocol-Version": "1999-01-01"}, -32022, 400),
        ({"_meta": META, "cursor": "next"}, modern("tools/list"), -32602, 400),
        ({"cursor": "next"}, {}, -32602, 200),
    ],
)
def test_a_request_that_contradicts_its_revision_is_refused(
    assistant: FlaskClient,
    params: dict[str, Any],
    headers: dict[str, str],
    code: int,
    status: int,
) -> None:
    found = send(assistant, "tools/list", params, headers)
    assert found.json is not None
    assert (found.json["error"]["code"], found.status_code) == (code, status)
    if code == -32022:
        assert VERSION in found.json["error"]["data"]["supported"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, -32700),
        (b"{", 400, -32700),
        (b'{"id": 1, "id": 2}', 400, -32700),
        (b"\xff\x00", 400, -32700),
        (b"[" * 100_000, 400, -32700),
        (b"[]", 400, -32600),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', 400, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "resources/list"}', 200, -32601),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call"}', 200, -32602),
        (
            b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call",'
            b' "params": {"name": "house-price", "arguments": [1]}}',
            200,
            -32602,
        ),
    ],
)
def test_whatever_is_sent_gets_an_error_that_a_client_can_read(
    assistant: FlaskClient, body: bytes, status: int, code: int
) -> None:
    found = assistant.post("/mcp", data=body, content_type="application/json")
    assert found.json is not None
    assert (found.status_code, found.json["error"]["code"]) == (status, code)


def test_a_method_that_is_not_there_is_404_where_no_session_can_be_meant(
    assistant: FlaskClient,
) -> None:
    found = send(assistant, "resources/list", {"_meta": META}, modern("resources/list"))
    assert found.status_code == 404
    assert found.json is not None
    assert found.json["error"]["code"] == -32601


def test_it_has_the_limits_and_the_access_of_the_api(assistant: FlaskClient) -> None:
    assert assistant.get("/mcp").status_code == 405
    assert assistant.post("/mcp", data="x=1").status_code == 415
    long = b" " * (2 * 1024 * 1024 + 1)
    assert assistant.post("/mcp", data=long, content_type="application/json").status_code == 413
    assert send(assistant, "ping", headers={"Origin": ORIGIN}).status_code == 200
    for origin in ("https://elsewhere.example", "null", "http://localhost"):
        assert send(assistant, "ping", headers={"Origin": origin}).status_code == 403


def test_the_log_and_the_counts_name_the_model_that_was_asked(
    assistant: FlaskClient, address: str
) -> None:
    before = assistant.get("/metrics").text
    send(assistant, "tools/call", {"name": "house-price", "arguments": ROW})
    after = assistant.get("/metrics").text
    (changed,) = (
        line
        for line in after.splitlines()
        if line.startswith("formcast_predictions") and line not in before.splitlines()
    )
    assert 'model="house-price"' in changed


@pytest.mark.parametrize("probabilities", [True, False])
def test_a_class_comes_in_words_with_its_probability_where_there_is_one(
    tmp_path: Path, probabilities: bool
) -> None:
    write_flowers(tmp_path / "flowers", probabilities=probabilities)
    client = create_app(Settings(models=("flowers",), mcp=True), tmp_path).test_client()
    call = {"name": "flowers", "arguments": {"length": 6, "width": "5"}}
    found = send(client, "tools/call", call).json
    assert found is not None
    assert found["result"]["structuredContent"]["label"] == "iris"
    text = found["result"]["content"][0]["text"]
    assert text.startswith("Flower: Iris. ")
    assert ("Why Iris? Probability of Iris, from a typical" in text) == probabilities


def test_a_picture_as_large_as_is_said_fits_a_request() -> None:
    adapter = make_adapter(load_as(PictureModel, ROOT / "model" / "chest_xray"))
    said = adapter.tool_schema()["properties"]["image"]["description"]
    found = re.search(r"([0-9.]+) MB at most here", said)
    assert found is not None
    sizes = [round(float(found[1]) * 1e6), round((float(found[1]) + 0.1) * 1e6)]
    assert [len(base64.b64encode(bytes(size))) > BODY_BYTES for size in sizes] == [False, True]
