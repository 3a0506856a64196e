"""A copy of what is served, so that a soak can change models and stop servers."""

import random
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from app import create_app
from app.config import Settings
from tests.conftest import Server, free_port
from tests.html import FRAGMENT
from tests.soak.load import CheckedRequest, get, post
from tests.tools import ROOT

SERVED = ("app", "model", "static", "templates")
ENTRIES = ("Procfile", "gunicorn.conf.py", "wsgi.py")


def copy_served(folder: Path) -> Path:
    """Copy the files that the serving process reads to ``folder``, and return it."""
    for name in SERVED:
        shutil.copytree(ROOT / name, folder / name)
    for name in ENTRIES:
        shutil.copy2(ROOT / name, folder)
    return folder


@contextmanager
def serve_copy(
    *options: str,
    model: str = "house-price",
    prepare: Callable[[Path], None] | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run a server of a copy with one model, and stop it at the end.

    Args:
        options: further options for gunicorn.
        model: the model to serve.
        prepare: called with the copy before the start.
        settings: further environment variables.
    """
    with TemporaryDirectory() as folder:
        root = copy_served(Path(folder) / "served")
        if prepare is not None:
            prepare(root)
        own = {"FORMCAST_MODELS": model, "FORMCAST_RATELIMIT": "off", "PYTHONPATH": str(ROOT)}
        server = Server(
            free_port(),
            options=options,
            root=root,
            settings={**own, **(settings or {})},
            log=Path(folder) / "log",
        )
        try:
            server.start()
            yield server
        finally:
            server.stop()


def make_forms(number: int, seed: int = 0) -> list[dict[str, str]]:
    """Make forms of houses with three facts and, every other one, with a fourth."""
    dice = random.Random(seed)  # noqa: S311 (no secret)
    forms = []
    for index in range(number):
        form = {
            "beds": str(dice.randint(1, 5)),
            "baths": str(dice.randint(1, 3)),
            "sqft": str(dice.randint(700, 3500)),
        }
        forms.append({**form, "fireplaces": "1"} if index % 2 else form)
    return forms


def make_requests(
    root: Path,
    forms: list[dict[str, str]],
    model: str = "house-price",
    *,
    pages: bool = False,
    settings: Settings | None = None,
) -> list[CheckedRequest]:
    """Make requests for fragments with their right bodies; every fourth is for a page.

    Args:
        root: the folder of what is served.
        forms: what is typed, one form a request.
        model: the model that is served alone, without ``settings``.
        pages: whether there are pages, too.
        settings: of a server with more models, or under a path.
    """
    settings = settings or Settings(models=(model,))
    under = settings.root_path
    client = create_app(settings, root / "model").test_client()
    requests = []
    for index, form in enumerate(forms):
        query = urlencode(form)
        if pages and index % 4 == 3:
            request, answer = get(f"{under}/?{query}"), client.get(f"/?{query}")
        else:
            request, answer = post(under + FRAGMENT, query), client.post(FRAGMENT, data=form)
        requests.append(CheckedRequest(request, frozenset([answer.data])))
    return requests


def measure_memory(server: Server) -> float:
    """Return the proportional memory of all workers in MB: shared pages count by their share."""
    sizes = []
    for pid in server.workers:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        assert found is not None
        sizes.append(int(found[1]) / 1000)
    return sum(sizes)
