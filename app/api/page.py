"""``GET /api``: the API in words, with examples that work as they are pasted."""

import json
import shlex
from collections.abc import Callable

from flask import Response, request
from werkzeug.exceptions import BadRequest

from app.api.openapi import STATUSES, describe_streams
from app.http.problems import DETAILS, get_phrase
from app.http.responses import NO_STORE, respond
from app.kinds.hosted import HostedModel
from app.presentation.contexts import ApiContext, Row


def make_page_view(hosted: HostedModel) -> Callable[[], Response]:
    """Make the view of one model; everything but the server's address is made once."""
    adapter, site, texts = hosted.adapter, hosted.build_site(), hosted.adapter.api_texts()
    explains = adapter.schemas().explains
    if adapter.streams:
        texts = texts._replace(
            request_text=f"{texts.request_text} {describe_streams(hosted.limits)}"
        )
    statuses = tuple(Row(f"{status} {get_phrase(status)}", DETAILS[status]) for status in STATUSES)

    def page() -> Response:
        # Flask checks TRUSTED_HOSTS here and raises 400 for a name that is not listed.
        if not request.host:
            raise BadRequest  # the name has invalid characters
        url = f"{request.root_url.rstrip('/')}{hosted.prefix}/api/predict"
        context = ApiContext(
            site=site,
            heading="JSON API",
            url=url,
            texts=texts._replace(
                curl=f"curl {shlex.quote(url)} {texts.curl}",
                python=texts.python.replace("{url}", json.dumps(url)),
            ),
            statuses=statuses,
            explains=explains,
        )
        # Never stored: the address comes from the request.
        return respond(hosted.render("api/page.html", context), 200, NO_STORE)

    return page
