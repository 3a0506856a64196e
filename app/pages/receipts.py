"""What is kept of a report: read and deleted by the number of its receipt."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import Blueprint, Response, abort, request
from werkzeug.exceptions import NotFound

from app.feedback.receipts import format_number, read_number
from app.feedback.service import FeedbackService
from app.feedback.store import StoreError
from app.http.responses import NO_STORE, respond
from app.http.routes import Surface
from app.kinds.adapter import KindAdapter
from app.pages.feedback import RETRY_AFTER, count_client
from app.presentation.contexts import ReceiptContext, Renderer
from app.presentation.pictures import write_data_url
from app.presentation.reports import GONE, list_report
from app.telemetry.request_records import Outcome, record_outcome

FoundT = TypeVar("FoundT")


def receipts_blueprint(
    adapters: Mapping[str, KindAdapter[Any, Any]], render: Renderer, service: FeedbackService
) -> Blueprint:
    """Create the routes by which a visitor reads and deletes a report."""
    blueprint = Blueprint("receipts", __name__)
    home = f"{render.root}/feedback"

    def draw(heading: str, lead: str, status: int = 200) -> Response:
        context = ReceiptContext(heading, lead, (), home)
        return respond(render("pages/receipt.html", context), status, NO_STORE)

    def act(do: Callable[[str], FoundT], receipt: str) -> FoundT:
        """Find or delete the report whose number is in an address.

        Raises:
            NotFound: for what is no number.
            HTTPException: with an answer, where the store gives none.
        """
        number = read_number(receipt)
        if not number:
            raise NotFound
        count_client(service)
        try:
            return do(number)
        except StoreError:
            response = draw("Your report cannot be read now", "Try again in a while.", 503)
            response.headers["Retry-After"] = str(RETRY_AFTER)
            abort(response)

    @blueprint.get("/feedback", surface=Surface.PAGE)
    def ask() -> Response:
        typed = request.args.get("number", "")
        if number := read_number(typed):
            return respond("", 303, {**NO_STORE, "Location": f"{home}/{number}"})
        if typed:
            return draw(
                "This is no number of a receipt",
                "It has 16 letters and digits, like ABCD-EFGH-2345-MNOP.",
                422,
            )
        return draw(
            "What is kept of your report",
            "You got a number when you sent it. With it you can read what is kept, and delete it.",
        )

    @blueprint.get("/feedback/<receipt>", surface=Surface.PAGE)
    def show(receipt: str) -> Response:
        found = act(service.find, receipt)
        if found is None:
            return draw("There is no such report", GONE, 404)
        adapter = adapters.get(found.model)
        if adapter is None:
            rows = list_report(found, None, {}, str)
        else:
            form = adapter.build_form(None)
            views = [*form.first, *(view for fold in form.folds for view in fold.fields)]
            labels = {view.name: view.label for view in views}
            rows = list_report(found, adapter.model.card, labels, adapter.format_value)
        context = ReceiptContext(
            f"Report {format_number(found.id)}",
            "This is all that is kept of it.",
            rows,
            f"{home}/{found.id}",
            "" if found.picture is None else write_data_url(found.picture),
        )
        return respond(render("pages/receipt.html", context), 200, NO_STORE)

    @blueprint.post("/feedback/<receipt>", surface=Surface.PAGE)
    def delete(receipt: str) -> Response:
        found = act(service.delete, receipt)
        record_outcome(Outcome(report="deleted" if found else "refused"))
        if not found:
            return draw("There is no such report", GONE, 404)
        return draw("Your report is deleted", "Nothing of it is kept.")

    return blueprint
