"""``POST /mcp``: the models as tools of assistants (Model Context Protocol, streamable HTTP).

Every request stands alone, as the revision 2026-07-28 asks. Clients of the revisions before it
shake hands first; that needs no session either, because the answer depends on nothing but the
request. Each answer is one JSON object, and there is no stream.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from wsgiref.types import WSGIEnvironment

from flask import Blueprint, Response, request

from app.api.blueprint import TIMEOUT, TIMEOUT_TEXT
from app.api.serializing import dump_json
from app.http.problems import make_problem
from app.http.responses import JSON, NO_STORE, respond
from app.http.routes import Surface, enter_model
from app.kinds.adapter import KindAdapter, Payload, Schema
from app.kinds.parsing import UnreadableError, parse_json, read_json_body
from app.limits.background import run_in_thread
from app.presentation.submission import Submission
from app.presentation.words import write_result
from app.telemetry.request_records import Outcome, record_outcome

VERSION = "2026-07-28"
"""The revision without a handshake."""

HANDSHAKE_VERSIONS = ("2025-11-25", "2025-06-18")
"""The revisions with one, the newest first."""

_META = "io.modelcontextprotocol/"

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022

STATUSES = {METHOD_NOT_FOUND: 404}
"""HTTP statuses of errors, 400 for all others. Before ``VERSION`` an error of a method had 200, and
404 told a client that its session had ended."""

INSTRUCTIONS = (
    "Each tool asks one trained model. Send only facts that you were given; leave out what is not "
    "known. Pass on the range and the limits together with the answer."
)

ORIGIN_TEXT = (
    "Pages of this origin may not ask. FORMCAST_API_ORIGINS names those that may; a program sends "
    "no Origin header."
)


class RpcError(Exception):
    """A request that gets an error instead of a result, by JSON-RPC 2.0."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.body: Payload = {"code": code, "message": message}
        if data is not None:
            self.body["data"] = data


class RpcRequest(NamedTuple):
    """One request by JSON-RPC; ``modern`` where it follows ``VERSION``."""

    method: str
    params: Mapping[str, Any]
    modern: bool


def mcp_blueprint(
    adapters: Mapping[str, KindAdapter[Any, Any]], origins: tuple[str, ...]
) -> Blueprint:
    """Create the route, with one tool for each model.

    Args:
        adapters: those of the served models, by slug.
        origins: those whose pages may ask; a page of another, also one that reaches this machine
            under a name of its own (DNS rebinding), is refused.
    """
    blueprint = Blueprint("mcp", __name__)
    tools = [build_tool(slug, adapter) for slug, adapter in adapters.items()]
    versions = {slug: adapter.model.version for slug, adapter in adapters.items()}
    server = {"name": "formcast", "title": "Formcast", "version": "-".join(versions.values())}
    offered: Payload = {"capabilities": {"tools": {}}, "instructions": INSTRUCTIONS}
    cached = {"ttlMs": 60_000, "cacheScope": "public"}

    def answer(call: RpcRequest) -> Payload:
        """Answer a request.

        Raises:
            RpcError: for a method that does not exist, or parameters that it does not take.
        """
        match call.method:
            case "server/discover" if call.modern:
                return {"supportedVersions": [VERSION, *HANDSHAKE_VERSIONS], **offered, **cached}
            case "initialize" if not call.modern:
                asked = call.params.get("protocolVersion")
                version = asked if asked in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[0]
                return {"protocolVersion": version, "serverInfo": server, **offered}
            case "ping" if not call.modern:
                return {}
            case "tools/list":
                if call.params.get("cursor") is not None:
                    raise RpcError(INVALID_PARAMS, "There is one page of tools, without a cursor.")
                return {"tools": tools, **(cached if call.modern else {})}
            case "tools/call":
                name = call.params.get("name")
                adapter = adapters.get(name) if isinstance(name, str) else None
                if adapter is None:
                    known = ", ".join(adapters)
                    raise RpcError(INVALID_PARAMS, f"There is no such tool. There are: {known}.")
                arguments = call.params.get("arguments") or {}
                if not isinstance(arguments, dict):
                    raise RpcError(INVALID_PARAMS, "arguments must be an object.")
                enter_model(request.environ, adapter.model.slug)
                return call_tool(adapter, arguments, request.environ)
        raise RpcError(METHOD_NOT_FOUND, "There is no such method.")

    @blueprint.post("/mcp", surface=Surface.API)
    def mcp() -> Response:
        environ = request.environ
        origin = environ.get("HTTP_ORIGIN")
        if origin and origin.lower() not in origins:
            return make_problem(403, ORIGIN_TEXT)
        identity: object = None
        modern = True
        try:
            message = _read_message(environ)
            if "id" not in message:
                return Response(status=202)  # a notification: nothing here waits for one
            identity = message["id"]
            call = _read_call(message, environ)
            modern = call.modern
            result = answer(call)
        except RpcError as error:
            status = STATUSES.get(error.code, 400) if modern else 200
            return _respond({"id": identity, "error": error.body}, status)
        if modern:
            result = {**result, "resultType": "complete", "_meta": {f"{_META}serverInfo": server}}
        return _respond({"id": identity, "result": result}, 200)

    return blueprint


def build_tool(slug: str, adapter: KindAdapter[Any, Any]) -> Schema:
    """Describe one model as a tool: what it takes, what it answers, and what it is not for."""
    card = adapter.model.card
    lines = [
        card.summary,
        f"It answers with: {card.output.label}.",
        *(f"Limit: {limit}" for limit in card.limits),
        *(f"Not for: {use}" for use in card.not_for),
    ]
    return {
        "name": slug,
        "title": card.title,
        "description": "\n".join(lines),
        "inputSchema": adapter.tool_schema(),
        "outputSchema": adapter.schemas().components["Answer"],
        "annotations": {"readOnlyHint": True, "idempotentHint": True, "openWorldHint": False},
    }


def call_tool(
    adapter: KindAdapter[Any, Any], arguments: dict[str, Any], environ: WSGIEnvironment
) -> Payload:
    """Answer one row in words and as the API does, or say in words what is wrong with it."""
    read = adapter.read_arguments(arguments)
    if read.faults:
        record_outcome(Outcome(refused=read.refused), environ)
        lines = [f"- {fault.field or 'arguments'}: {fault.message}" for fault in read.faults]
        return _build_content("\n".join([read.detail or "No answer:", *lines]), wrong=True)
    row = read.rows[0]
    try:
        if adapter.takes_long(1, contributions=True):
            (explained,) = run_in_thread(adapter.model.explain, [row], "", True, TIMEOUT)
        else:
            (explained,) = adapter.model.explain([row], "", True, TIMEOUT)
    except TimeoutError:
        return _build_content(TIMEOUT_TEXT, wrong=True)
    if explained.prediction is None:
        record_outcome(Outcome(out_of_distribution=1), environ)
        return _build_content(adapter.refusal.message, wrong=True)
    record_outcome(Outcome(1, int(explained.out_of_distribution), inputs=read.inputs), environ)
    shown = adapter.present(Submission({}, row, {}, ()), explained)
    text = write_result(shown, adapter.words.case if adapter.words else "")
    return {**_build_content(text), "structuredContent": adapter.serialize(explained)}


def _build_content(text: str, wrong: bool = False) -> Payload:
    return {"content": [{"type": "text", "text": text}], "isError": wrong}


def _read_message(environ: WSGIEnvironment) -> dict[str, Any]:
    """Read one request or notification.

    Raises:
        RpcError: for anything else.
    """
    try:
        message = parse_json(read_json_body(environ))
    except UnreadableError as error:
        raise RpcError(PARSE_ERROR, f"The body is not JSON that can be read: {error}.") from None
    if (
        not isinstance(message, dict)
        or message.get("jsonrpc") != "2.0"
        or not isinstance(message.get("method"), str)
        or not isinstance(message.get("params", {}), dict)
        or isinstance(message.get("id", 0), bool)
        or not isinstance(message.get("id", 0), (str, int))
    ):
        raise RpcError(INVALID_REQUEST, "Send one request or notification of JSON-RPC 2.0.")
    return message


def _read_call(message: dict[str, Any], environ: WSGIEnvironment) -> RpcRequest:
    """Read a request with the revision that it follows.

    Raises:
        RpcError: for a revision that is not known, or one that header and body call differently.
    """
    method, params = message["method"], message.get("params", {})
    header = environ.get("HTTP_MCP_PROTOCOL_VERSION")
    meta = params.get("_meta")
    meta = meta if isinstance(meta, dict) else {}
    version = meta.get(f"{_META}protocolVersion")
    if version is None and header != VERSION:
        # A handshake says in its body which revision it wants.
        if header is not None and header not in HANDSHAKE_VERSIONS and method != "initialize":
            raise _refuse_version(header)
        return RpcRequest(method, params, modern=False)
    if version is None or f"{_META}clientCapabilities" not in meta:
        raise RpcError(
            INVALID_PARAMS,
            f"params._meta needs {_META}protocolVersion and {_META}clientCapabilities.",
        )
    told = {
        "MCP-Protocol-Version": (header, version),
        "Mcp-Method": (environ.get("HTTP_MCP_METHOD"), method),
    }
    if method == "tools/call":
        told["Mcp-Name"] = environ.get("HTTP_MCP_NAME"), params.get("name")
    for name, (sent, meant) in told.items():
        if sent != meant:
            raise RpcError(HEADER_MISMATCH, f"The header {name} differs from the body.")
    if version != VERSION:
        raise _refuse_version(version)
    return RpcRequest(method, params, modern=True)


def _refuse_version(version: str) -> RpcError:
    supported = [VERSION, *HANDSHAKE_VERSIONS]
    data = {"supported": supported, "requested": version}
    return RpcError(UNSUPPORTED_VERSION, "This revision of the protocol is not known here.", data)


def _respond(body: Payload, status: int) -> Response:
    return respond(dump_json({"jsonrpc": "2.0", **body}), status, NO_STORE, JSON)
